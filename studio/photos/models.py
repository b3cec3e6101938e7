"""What can wear a pattern: the default garments and people's own photos."""

from __future__ import annotations

import posixpath
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from ml_backend.models import Job
from ml_backend.requests import TextMaskRequest
from patterns.models import Viewer

from ..batches import state_of

PREVIEWS = ("preview_photo", "preview_maps", "preview_mask")


class Wearable(models.Model):
    """A picture of cloth: at full size, and as the three small pictures the browser composites from.

    ``mask`` (8-bit soft cloth mask) and ``labels`` (class map, values index ``GARMENT_CLASSES``) have the size of
    ``image``.  ``preview_*`` and ``fit`` come from ``Fit.preview()`` and are documented in ``pipelines/overlay.py``.
    ``classes`` names the cloth classes present.  All but ``image`` and ``thumb`` are empty until the cloth is found.
    """

    image = models.FileField(max_length=255)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    thumb = models.FileField(max_length=255, blank=True)
    mask = models.FileField(max_length=255, blank=True)
    labels = models.FileField(max_length=255, blank=True)
    preview_photo = models.FileField(max_length=255, blank=True)
    preview_maps = models.FileField(max_length=255, blank=True)
    preview_mask = models.FileField(max_length=255, blank=True)
    fit = models.JSONField(default=dict, blank=True)
    classes = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    file_fields: tuple[str, ...] = ("image", "thumb", "mask", "labels", "preview_photo", "preview_maps", "preview_mask")
    file_route = ""
    """Name of the URL that serves the files."""

    class Meta:
        abstract = True

    @property
    def ready(self) -> bool:
        return bool(self.mask)

    def file_url(self, name: str) -> str:
        """URL of one of ``file_fields``; empty while there is no such file."""
        return reverse(self.file_route, args=[self._file_id(), name]) if getattr(self, name) else ""

    def _file_id(self) -> Any:
        return self.pk

    @property
    def image_url(self) -> str:
        return self.file_url("image")

    @property
    def thumb_url(self) -> str:
        return self.file_url("thumb")

    def preview(self) -> dict[str, Any]:
        """What the page needs to composite: the three URLs, the fit figures and the classes; ``{}`` until ready."""
        if not self.ready:
            return {}
        return {**{name: self.file_url(name) for name in PREVIEWS}, **self.fit, "classes": self.classes}


class Garment(Wearable):
    """A default garment, for everybody."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    order = models.PositiveSmallIntegerField(default=0)
    alt = models.CharField(max_length=200, blank=True)
    """What the picture shows, for people who do not see it."""
    source = models.CharField(max_length=64, blank=True, editable=False)
    """Digest of the asset files it was loaded from; another digest loads it again."""

    file_route = "garment-file"

    class Meta:
        ordering = ["order", "slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> str:
        return f"garments/{self.slug}"

    def _file_id(self) -> Any:
        return self.slug


class PhotoQuerySet(models.QuerySet["Photo"]):
    def visible_to(self, person: Viewer) -> PhotoQuerySet:
        """One's own; a photo is never anybody else's to see."""
        return self.filter(owner_id=person.pk) if person.pk else self.none()


class Photo(Wearable):
    """A person's own photo, normalised at ingest (upright, sRGB, no metadata)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="photos")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="photos")
    source = models.CharField(max_length=60, blank=True, editable=False)
    """``look:<id>`` and the like for a photo copied from a picture made here; empty for an upload."""
    found_mask = models.FileField(max_length=255, blank=True)
    found_labels = models.FileField(max_length=255, blank=True)
    """Mask and class map as they were found, while ``mask`` and ``labels`` are corrected by hand; else empty."""

    objects = PhotoQuerySet.as_manager()

    file_route = "photo-file"
    file_fields = (*Wearable.file_fields, "found_mask", "found_labels")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="photo_mine")]

    def __str__(self) -> str:
        return f"photo {self.pk}"

    @property
    def folder(self) -> str:
        return f"photos/{self.pk}"

    @property
    def mended(self) -> bool:
        """Whether its garments were corrected by hand."""
        return bool(self.found_mask)

    @property
    def mending(self) -> bool:
        """Whether a correction by hand is under way."""
        return self.ready and self.job is not None and self.job.kind == "mend" and self.job.active

    def preview(self) -> dict[str, Any]:
        """As :meth:`Wearable.preview`; corrected pictures have addresses of their own, lest browsers keep old ones."""
        shown = super().preview()
        if not self.mended or not shown:
            return shown
        version = posixpath.basename(str(self.preview_mask)).partition("-")[0]
        return {**shown, **{name: f"{shown[name]}?v={version}" for name in PREVIEWS}}

    @property
    def state(self) -> str:
        """State of the search for cloth."""
        if self.mask:
            return Job.State.DONE
        return self.job.state if self.job else Job.State.FAILED


class MaskQuerySet(models.QuerySet["Mask"]):
    def visible_to(self, person: Viewer) -> MaskQuerySet:
        """One's own; a mask shows the outline of a photo and is never anybody else's to see.

        Answers to taps are drafts of the mend editor, which alone asks for them.
        """
        mine = self.filter(owner_id=person.pk) if person.pk else self.none()
        return mine.exclude(origin=Mask.Origin.TAPS)

    def answers_to(self, person: Viewer) -> MaskQuerySet:
        """What one's own taps in the mend editor have found."""
        mine = self.filter(owner_id=person.pk) if person.pk else self.none()
        return mine.filter(origin=Mask.Origin.TAPS)


class Mask(models.Model):
    """Where a photo is to be repainted: found from words, or drawn; or what a tap adds to a garment or takes from it.

    ``file`` is an 8-bit grey PNG of the photo's size, white where to repaint; empty until the words are found.
    ``params`` is a :class:`TextMaskRequest` dict, ``{}`` for others.  ``found`` lists what the words were taken
    for: ``{"text": str, "subtract": bool, "confidence": 0..1}``.
    """

    class Origin(models.TextChoices):
        WORDS = "words"
        BRUSH = "brush"
        TAPS = "taps"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="masks")
    photo = models.ForeignKey(Photo, models.CASCADE, related_name="masks")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="masks")

    origin = models.CharField(max_length=5, choices=Origin.choices)
    words = models.TextField(blank=True)
    params = models.JSONField(default=dict, blank=True)
    found = models.JSONField(default=list, blank=True)
    file = models.FileField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = MaskQuerySet.as_manager()

    file_fields = ("file",)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="mask_mine")]

    def __str__(self) -> str:
        return f"mask {self.pk}"

    @property
    def folder(self) -> str:
        return f"masks/{self.pk}"

    @property
    def request(self) -> TextMaskRequest | None:
        """What finds this mask again; None for one that was drawn or tapped."""
        return TextMaskRequest.from_dict(self.params) if self.params else None

    @property
    def state(self) -> str:
        return state_of(self.file, self.job)

    @property
    def ready(self) -> bool:
        return bool(self.file)

    @property
    def file_url(self) -> str:
        """Empty until there is a mask; append ``?download`` to save rather than show."""
        return reverse("mask-file", args=[self.pk, "file"]) if self.file else ""
