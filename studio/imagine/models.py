"""Pictures from words alone."""

from __future__ import annotations

from ml_backend.requests import ImagineRequest
from patterns.made import PublishedQuerySet

from ..batches import FromWords


class ImaginingQuerySet(PublishedQuerySet["Imagining"]):
    pass


class Imagining(FromWords):
    """A picture from words alone.  ``params``: :class:`ImagineRequest`."""

    objects = ImaginingQuerySet.as_manager()

    work = "imagine"
    asked_as = ImagineRequest

    class Meta(FromWords.Meta):
        pass

    def file_title(self, name: str) -> str:  # noqa: ARG002
        return f"toile-imagine-{self.seed}"
