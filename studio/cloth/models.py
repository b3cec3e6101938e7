"""Photos of real cloths, each its owner's alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from ml_backend.requests import ClothRequest
from patterns.made import Made, MadeQuerySet


class ClothPhoto(Made):
    """A person's photo of a cloth, normalised at ingest.  ``params`` is the :class:`ClothRequest` as it was last set.

    What was cut from it is a fabric of its own and stays when the photo goes.
    """

    image = models.FileField(max_length=255)
    thumb = models.FileField(max_length=255)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    params = models.JSONField(default=dict, blank=True)

    objects = MadeQuerySet.as_manager()

    main_file = "image"
    file_fields: ClassVar[tuple[str, ...]] = ("image", "thumb")

    class Meta(Made.Meta):
        pass

    @property
    def request(self) -> ClothRequest:
        return ClothRequest.from_dict(self.params)

    def file_title(self, name: str) -> str:  # noqa: ARG002
        return f"cloth-{self.pk.hex[:8]}"
