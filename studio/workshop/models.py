"""Data sets: pictures with captions that a model learns a style from."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ml_backend.models import Job
from patterns.made import UNCHANGING, Stored, Viewer

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

MOST_NAME = 80
SIDES = (128, 256, 512, 768, 1024)


class DataSetQuerySet(models.QuerySet["DataSet"]):
    def of(self, person: Viewer) -> Self:
        return self.filter(owner_id=person.pk) if person.pk else self.none()

    def visible_to(self, person: Viewer) -> Self:
        """One's own, and for staff those that their owners share with the house."""
        mine = Q(owner_id=person.pk) if person.pk else Q(pk__in=[])
        return self.filter(mine | Q(shared=True)) if getattr(person, "is_staff", False) else self.filter(mine)

    def frozen(self) -> Self:
        return self.exclude(sha256="")


class DataSet(Stored):
    """A person's pictures with captions.  Once frozen, nothing in it changes, and ``sha256`` names it for good.

    Pictures are made squares of ``side`` pixels by ``shape``; the job does that and suggests captions.  The owner alone
    sees it, unless it is ``shared`` with the house: then staff see it too, and may train with it.
    """

    class Shape(models.TextChoices):
        CROP = "crop", "Cut to the middle"
        PAD = "pad", "Keep all of it"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="data_sets")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="data_sets")
    name = models.CharField(max_length=MOST_NAME)
    shape = models.CharField(max_length=4, choices=Shape.choices, default=Shape.CROP)
    side = models.PositiveSmallIntegerField(default=512)
    shared = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    """Of all squares, masks and captions in their order; empty until it is frozen."""
    frozen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = DataSetQuerySet.as_manager()
    file_fields: ClassVar[tuple[str, ...]] = ()
    main_file = "sha256"

    if TYPE_CHECKING:
        pictures: RelatedManager[TrainingPicture]

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="data_set_mine")]

    def __str__(self) -> str:
        return self.name

    @property
    def frozen(self) -> bool:
        return self.ready

    @property
    def looking(self) -> bool:
        """Whether its pictures are being squared and looked at."""
        return self.job is not None and self.job.active

    @property
    def folder(self) -> str:
        return f"data-sets/{self.pk}"

    def jobs_of_its_own(self) -> list[uuid.UUID | None]:
        return [self.job_id]


class TrainingPictureQuerySet(models.QuerySet["TrainingPicture"]):
    def visible_to(self, person: Viewer) -> Self:
        return self.filter(data_set__in=DataSet.objects.visible_to(person))


class TrainingPicture(Stored):
    """One picture of a data set: ``image`` as it came in, ``file`` (PNG) and ``mask`` (grey PNG) the square of it.

    ``mask`` is where the cloth of the garments is, empty where the picture shows nothing but cloth.  ``sha256`` is
    ``file``'s.  ``suggestion`` is what our own networks saw; ``caption`` begins as that and is its owner's to change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="pictures")
    number = models.PositiveIntegerField()
    image = models.FileField(max_length=255)
    thumb = models.FileField(max_length=255, blank=True)
    file = models.FileField(max_length=255, blank=True)
    mask = models.FileField(max_length=255, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    caption = models.TextField(blank=True)
    suggestion = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    mask_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TrainingPictureQuerySet.as_manager()
    file_fields: ClassVar[tuple[str, ...]] = ("image", "thumb", "file", "mask")
    file_caching = UNCHANGING

    class Meta:
        ordering = ["number", "created_at"]
        constraints = [models.UniqueConstraint(fields=["data_set", "number"], name="number_once_in_its_data_set")]

    def __str__(self) -> str:
        return f"picture {self.number} of {self.data_set_id}"

    @property
    def folder(self) -> str:
        return f"{self.data_set.folder}/{self.pk}"

    @property
    def file_name(self) -> str:
        """How the exported folder calls it."""
        return f"images/{self.number:04d}.png"

    @property
    def mask_name(self) -> str:
        return f"masks/{self.number:04d}.png" if self.mask else ""

    def file_title(self, name: str) -> str:
        return f"toile-{self.number:04d}-{name}"
