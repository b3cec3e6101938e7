"""What staff have taken out of everybody's sight, and why; for whatever people can publish."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from ml_backend.errors import BadInput

from .made import MOST_WORDS, Published

NO_REASON = "Say why: whoever published this reads it."
NOT_PUBLISHED = "Only what is published can be taken down."


def take_down(row: Published, why: str) -> None:
    """Hide a published row, and its owner's others like it, from everybody but the owner.

    Raises :class:`BadInput` without a reason, and for what is not published.
    """
    said = " ".join(why.split())[:MOST_WORDS]
    if not said:
        raise BadInput(NO_REASON)
    said += "" if said.endswith((".", "!", "?")) or len(said) == MOST_WORDS else "."
    values = {"public": False, "taken_down_at": timezone.now(), "taken_down_why": said}
    with transaction.atomic():
        if not type(row)._default_manager.filter(pk=row.pk, public=True).update(**values):
            raise BadInput(NOT_PUBLISHED)
        row.twins().filter(public=True).update(**values)
    row.refresh_from_db()


def lift(row: Published) -> None:
    """Let its owner publish it, and what is like it, again; all stays private until then."""
    row.twins().update(taken_down_at=None, taken_down_why="")
    row.refresh_from_db()
