"""Words of the trends."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def get(words: Mapping[str, str], name: str) -> str:
    """What ``name`` is called."""
    return words[name]
