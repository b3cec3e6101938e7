"""Words for the garments of a photo."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from patterns.phrasebook import said

from .. import outfits

register = template.Library()


@register.filter
def garments(names: Sequence[str]) -> str:
    """``jacket, top and second top``."""
    return said(outfits.listed(names))
