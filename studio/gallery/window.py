"""The shop window: what somebody sees who has made nothing yet.

Never simply what was published last: the fabric and the garment that staff chose, else those that ship with Toile.
"""

from __future__ import annotations

from patterns.models import Pattern, PatternQuerySet

from ..photos.models import Garment
from .models import ShopWindow
from .starters import HOUSE

THE_WINDOW = 1
"""Primary key of the only row."""


def shown() -> ShopWindow:
    """What staff chose, not saved yet where they never did; a fabric that is no longer published counts for nothing."""
    row = ShopWindow.objects.select_related("pattern", "garment").filter(pk=THE_WINDOW).first()
    row = row or ShopWindow(pk=THE_WINDOW)
    if row.pattern is not None and not (row.pattern.public and row.pattern.ready):
        row.pattern = None
    return row


def shipped() -> PatternQuerySet:
    """The house's own samples, the one for the window first."""
    return Pattern.objects.public().filter(owner__username=HOUSE)


def fabrics(count: int) -> list[Pattern]:
    """The fabric in the window and the house's others; empty where none shipped and none was chosen."""
    chosen = shown().pattern
    rest = shipped()
    if chosen is None:
        return list(rest[:count])
    return [chosen, *rest.exclude(pk=chosen.pk)[: count - 1]]


def fabric() -> Pattern | None:
    """The fabric in the window."""
    return shown().pattern or shipped().first()


def garment(among: dict[str, Garment]) -> Garment | None:
    """The garment in the window, of those there are, by slug."""
    return shown().garment or Garment.favoured(among)


def dress(pattern: Pattern | None, garment: Garment | None) -> None:
    """Put a published fabric and a garment into the window; None leaves that to the house."""
    ShopWindow.objects.update_or_create(pk=THE_WINDOW, defaults={"pattern": pattern, "garment": garment})
