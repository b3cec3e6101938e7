"""Repainted photos."""

from __future__ import annotations

from typing import Any

from django.db import models

from ml_backend.requests import RestyleRequest
from patterns.made import PublishedQuerySet

from ..batches import FromWords
from ..photos.models import Mask, Photo


class RestyleQuerySet(PublishedQuerySet["Restyle"]):
    pass


class Restyle(FromWords):
    """A photo whose masked region is repainted from words, at its full size.  ``params``: :class:`RestyleRequest`."""

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="restyles")
    mask = models.ForeignKey(Mask, models.SET_NULL, null=True, blank=True, related_name="restyles")

    objects = RestyleQuerySet.as_manager()

    work = "restyle"
    asked_as = RestyleRequest

    class Meta(FromWords.Meta):
        pass

    def file_title(self, name: str) -> str:  # noqa: ARG002
        return f"toile-restyle-{self.seed}"

    def twins(self) -> models.QuerySet[Any]:
        """The same words with the same seed, of the same photo."""
        return super().twins().filter(photo_id=self.photo_id)
