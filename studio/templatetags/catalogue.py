"""Where the words of scripts are."""

from __future__ import annotations

from django import template
from django.utils import translation

from ..shell import words

register = template.Library()


@register.simple_tag
def words_script() -> str:
    """Address of the catalogue of this page's language; empty where scripts need none."""
    return words.address(translation.get_language() or "en")
