"""What the pages of staff need to know of the shop window."""

from __future__ import annotations

from django import template

from patterns.models import Pattern

from ..gallery import window
from ..photos.models import Garment

register = template.Library()


@register.simple_tag
def default_garments() -> list[Garment]:
    """The garments that ship with Toile."""
    return list(Garment.objects.fronts())


@register.filter
def in_window(pattern: Pattern) -> bool:
    """Whether staff put this very fabric into the window."""
    return window.shown().pattern == pattern
