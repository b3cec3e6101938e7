"""Collections, where something can be added to one."""

from __future__ import annotations

from django import template

from patterns.made import Viewer

from ..collections.models import Board

register = template.Library()

OFFERED = 50


@register.simple_tag
def boards_of(person: Viewer) -> list[Board]:
    """One's own, newest first."""
    return list(Board.objects.of(person)[:OFFERED])
