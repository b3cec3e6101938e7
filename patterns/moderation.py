"""What staff have taken out of everybody's sight, and why; for whatever people can publish."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.utils import timezone

from ml_backend.errors import BadInput

NO_REASON = "Say why: whoever published this reads it."
NOT_PUBLISHED = "Only what is published can be taken down."
TAKEN_DOWN = (
    "Staff took this down: {why} Nothing of yours is lost, but it cannot be published again unless staff lift it."
)
MOST_WORDS = 300


class Moderated(models.Model):
    """Can be published, and taken down by staff.  What was taken down is private until staff lift it."""

    public = models.BooleanField(default=False)
    taken_down_at = models.DateTimeField(null=True, blank=True)
    taken_down_why = models.CharField(max_length=MOST_WORDS, blank=True)

    class Meta:
        abstract = True

    @property
    def taken_down(self) -> str:
        """The sentence for its owner; empty for what staff have not taken down."""
        return TAKEN_DOWN.format(why=self.taken_down_why) if self.taken_down_at else ""

    def twins(self) -> models.QuerySet[Any]:
        """Rows of the same owner's that would show the same again, this one among them."""
        raise NotImplementedError

    def show(self, public: bool) -> None:
        """Publish, or take back.  Raises :class:`BadInput` where staff have taken this, or its like, down."""
        rows = type(self)._default_manager.filter(pk=self.pk)
        if public:
            down = self.twins().exclude(taken_down_at=None).first()
            if down is not None:
                raise BadInput(down.taken_down)
            rows = rows.filter(taken_down_at=None)  # staff may be at it at this very moment
        changed = rows.update(public=public)
        self.public = public and bool(changed)


def take_down(row: Moderated, why: str) -> None:
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


def lift(row: Moderated) -> None:
    """Let its owner publish it, and what is like it, again; all stays private until then."""
    row.twins().update(taken_down_at=None, taken_down_why="")
    row.refresh_from_db()
