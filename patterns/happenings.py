"""What people do with fabrics, for whoever counts it: this room tells, and knows nobody who listens."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Model
from django.dispatch import Signal

FAVOURITED, WORN, DOWNLOADED = "favourited", "worn", "downloaded"

happened = Signal()
"""Sent with ``what`` (one of those above), ``pattern``, ``by`` (a person's key) and ``garments`` (what wears it)."""


def tell(what: str, pattern: Model, by: int | None, garments: Iterable[str] = ()) -> None:
    """Somebody did that; a visitor without a row is nobody who could be told from others, and is not told of."""
    if by is not None:
        happened.send(sender=type(pattern), what=what, pattern=pattern, by=by, garments=tuple(garments))
