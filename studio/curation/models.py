"""Two versions side by side, who preferred which, and models on their way in."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from ml_backend.models import Job, ModelVersion
from patterns.made import UNCHANGING, Stored

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

SIDES = ("one", "other")


class Comparison(models.Model):
    """The same words, garments and seeds given to two versions.  ``params`` keeps the :class:`.comparing.Asked`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="comparisons"
    )
    """Who asked for it; it is the house's and outlives their account."""
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="comparisons")
    work = models.CharField(max_length=20)
    """generate, restyle or imagine."""
    one = models.CharField(max_length=120)
    other = models.CharField(max_length=120, blank=True)
    """References; empty for the base without a LoRA."""
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    if TYPE_CHECKING:
        cells: RelatedManager[ComparedPicture]
        votes: RelatedManager[Vote]

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.one} and {self.other or 'no LoRA'}"


class ComparedPicture(Stored):
    """What one of the two made of question ``number``; staff alone see it.  Its id says nothing of its side."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="cells")
    number = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=5, choices=[(side, side) for side in SIDES])
    file = models.FileField(max_length=255, blank=True)
    refused = models.TextField(blank=True)

    file_fields: ClassVar[tuple[str, ...]] = ("file",)
    file_caching: ClassVar[str] = UNCHANGING

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comparison", "number", "side"], name="one_picture_of_a_side")]

    def __str__(self) -> str:
        return f"{self.comparison_id} {self.number} {self.side}"

    @property
    def folder(self) -> str:
        return f"comparisons/{self.comparison_id}"


class Vote(models.Model):
    """Which of the two somebody preferred, not knowing which was which; ``side`` empty for neither."""

    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="votes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="comparison_votes")
    number = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=5, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comparison", "by", "number"], name="one_vote_of_a_person")]

    def __str__(self) -> str:
        return f"{self.comparison_id} {self.number}: {self.side or 'neither'}"


class ModelUpload(models.Model):
    """A model file that comes in parts, each kept under a key of its own until a worker puts them together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="model_uploads")
    name = models.CharField(max_length=120)
    """Of the file, its ending among it."""
    size = models.PositiveBigIntegerField()
    """Bytes of the whole file."""
    received = models.PositiveBigIntegerField(default=0)
    """Bytes that are here: the next part begins there."""
    parts = models.JSONField(default=list)
    """Storage keys, in their order."""
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="model_uploads")
    version = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, blank=True, related_name="uploads")
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.received} of {self.size})"

    @property
    def is_whole(self) -> bool:
        return self.received == self.size

    @property
    def percent(self) -> int:
        return 100 * self.received // self.size
