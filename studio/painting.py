"""What the jobs that make pictures from words do alike.

The pictures of a batch are published one by one.  A job that is tried again, or taken back from a worker that died,
makes only the pictures that are still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import QuerySet

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.serving import jobs, loading, safety
from patterns.made import still_wanted

from .batches import FromWords

if TYPE_CHECKING:
    from PIL.Image import Image


UNPAINTED = "The model gave fewer pictures than were asked for. Those that came are kept; try again for the rest."

Row = TypeVar("Row", bound=FromWords)


class Batch:
    """The pictures that one job still has to make, each kept as soon as it is there."""

    def __init__(self, job: Job, rows: Sequence[FromWords], recipe: Callable[[Any, Any], dict[str, Any]]) -> None:
        self.job = job
        self.rows = rows
        self.recipe = recipe
        self._kept: set[int] = set()

    def show(self, image: Image) -> None:
        """Show what is in work; not where pictures are checked, for nobody has checked this one yet."""
        from . import pictures

        if not safety.checks():
            jobs.show(self.job, lambda: pictures.small(image, jobs.MAX_PREVIEW))

    def keep(self, number: int, made: Any) -> None:
        """Publish one picture, or why it is refused.  One that its owner has deleted meanwhile is dropped."""
        if number in self._kept:
            return
        self._kept.add(number)
        row = self.rows[number]
        refused = made.refused or safety.refusal(made.image, row.prompt)
        fields: dict[str, Any] = {
            "notes": list(made.notes),
            "recipe": self.recipe(row, made.request),
            "refused": refused,
        }
        keys: dict[str, str] = {}
        if not refused:
            keys = self._files(row, made.image, fields["recipe"])
            fields |= {**keys, "width": made.image.width, "height": made.image.height}

        def publish() -> None:
            still_wanted(type(row)._default_manager.filter(pk=row.pk).update(**fields))

        try:
            jobs.publish_part(self.job, publish, keys.values())
        except Stopped:
            return

    def paint(self, capability: str, report: jobs.Report, should_stop: jobs.ShouldStop, *given: Any) -> jobs.Publish:
        """Have them made by the engine of their requests, which takes what is ``given`` before these.

        Raises :class:`BadInput` when there is less than was asked for.
        """
        made = pipeline(f"{capability}-{self.rows[0].engine}", self.rows[0])(
            *given,
            [row.request for row in self.rows],
            progress=upto(report, 0.98),
            should_stop=should_stop,
            preview=self.show,
            on_image=self.keep,
        )
        for number, one in enumerate(made):  # what was not handed over one by one
            self.keep(number, one)
        if len(self._kept) < len(self.rows):
            raise BadInput(UNPAINTED)
        return nothing

    def _files(self, row: FromWords, image: Image, recipe: dict[str, Any]) -> dict[str, str]:
        from . import pictures

        names = {"file": "picture.png", "thumb": "thumb.webp"}
        files = pictures.look_files(image, "png", recipe)
        return {name: jobs.save(self.job, row.folder, names[name], data) for name, data in files.items()}


def missing(rows: QuerySet[Row], job: Job) -> list[Row]:
    """The pictures of the job that are not made yet; empty when a worker died between the last one and the end."""
    asked = rows.filter(job=job)
    if not asked.exists():
        raise Stopped("These pictures are no longer wanted.")
    return list(asked.filter(file="", refused="").order_by("number"))


def pipeline(name: str, row: FromWords) -> Any:
    """With the very model that a recipe names, else the one that serves now."""
    model = row.params.get("model")
    return loading.pipeline(name, model) if model else loading.pipeline(name)


def upto(report: jobs.Report, share: float) -> jobs.Report:
    return lambda fraction, stage: report(fraction * share, stage)


def nothing() -> None:
    """Everything is published already."""
