"""What is made from words: masks of a photo's region, repainted photos, and pictures from nothing."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from ml_backend.models import Job
from ml_backend.requests import ImagineRequest, RestyleRequest, TextMaskRequest
from patterns.models import Viewer
from patterns.moderation import Moderated

from .wearable import Photo

REFUSED = "refused"
"""State of a picture that the safety check would not show; why stands in ``refused``."""


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
        return _state(self.file, self.job)

    @property
    def ready(self) -> bool:
        return bool(self.file)

    @property
    def file_url(self) -> str:
        """Empty until there is a mask; append ``?download`` to save rather than show."""
        return reverse("mask-file", args=[self.pk, "file"]) if self.file else ""


M = TypeVar("M", bound="FromWords")


class FromWordsQuerySet(models.QuerySet[M]):
    def of(self, person: Viewer) -> Self:
        """Everything of one person's, whatever its state; nothing for an anonymous visitor."""
        return self.filter(owner_id=person.pk) if person.pk else self.none()

    def ready(self) -> Self:
        return self.exclude(file="")

    def public(self) -> Self:
        return self.filter(public=True).ready()

    def visible_to(self, person: Viewer) -> Self:
        """One's own, and what others have published."""
        mine = Q(owner_id=person.pk) if person.pk else Q(pk__in=[])
        return self.filter(mine | (Q(public=True) & ~Q(file="")))


class FromWords(Moderated):
    """One picture made from words and one seed; the pictures asked for together share ``batch`` and ``job``.

    ``number`` (0, 1, ...) is its place in the batch, ``params`` the request as asked, ``recipe`` what made it, written
    into the file as well.  ``notes`` are sentences on what could not be honoured.  ``refused`` says why the safety
    check would not show it; then there is no file.  ``file`` (PNG) and ``thumb`` (WebP) are empty until it is made.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="%(class)ss")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="%(class)ss")
    batch = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.PositiveSmallIntegerField(default=0)

    params = models.JSONField(default=dict)
    recipe = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    refused = models.TextField(blank=True)
    file = models.FileField(max_length=255, blank=True)
    thumb = models.FileField(max_length=255, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(default=timezone.now)

    file_fields = ("file", "thumb")
    file_route: ClassVar[str]
    """Name of the URL that serves the files."""

    class Meta:
        abstract = True
        ordering = ["-created_at", "number"]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="%(class)s_mine"),
            models.Index(fields=["public", "-created_at"], name="%(class)s_gallery"),
        ]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="%(class)s_once_in_its_batch")]

    def __str__(self) -> str:
        return f"{self._meta.model_name} {self.pk}"

    @property
    def folder(self) -> str:
        return f"{self._meta.model_name}s/{self.pk}"

    def twins(self) -> models.QuerySet[Any]:
        """The same words with the same seed, of the same photo where there is one."""
        same: dict[str, Any] = {"params__prompt": self.prompt, "params__seed": self.seed}
        if isinstance(self, Restyle):
            same["photo_id"] = self.photo_id
        return type(self)._default_manager.filter(owner_id=self.owner_id, **same)

    @property
    def prompt(self) -> str:
        return str(self.params.get("prompt", ""))

    @property
    def engine(self) -> str:
        """Which of the two makes it; pictures of before there was a choice were imagined by diffusion."""
        return str(self.params.get("engine", "diffusion"))

    @property
    def seed(self) -> int:
        return int(self.params.get("seed", 0))

    @property
    def state(self) -> str:
        """``done``, :data:`REFUSED`, or how its job stands."""
        if self.refused:
            return REFUSED
        return _state(self.file, self.job)

    @property
    def ready(self) -> bool:
        return bool(self.file)

    @property
    def file_url(self) -> str:
        """Empty until made; append ``?download`` to save rather than show."""
        return reverse(self.file_route, args=[self.pk, "file"]) if self.file else ""

    @property
    def thumb_url(self) -> str:
        return reverse(self.file_route, args=[self.pk, "thumb"]) if self.thumb else ""


class RestyleQuerySet(FromWordsQuerySet["Restyle"]):
    pass


class Restyle(FromWords):
    """A photo whose masked region is repainted from words, at its full size.  ``params``: :class:`RestyleRequest`."""

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="restyles")
    mask = models.ForeignKey(Mask, models.SET_NULL, null=True, blank=True, related_name="restyles")

    objects = RestyleQuerySet.as_manager()

    file_route = "restyle-file"

    class Meta(FromWords.Meta):
        pass

    @property
    def request(self) -> RestyleRequest:
        return RestyleRequest.from_dict(self.params)


class ImaginingQuerySet(FromWordsQuerySet["Imagining"]):
    pass


class Imagining(FromWords):
    """A picture from words alone.  ``params``: :class:`ImagineRequest`."""

    objects = ImaginingQuerySet.as_manager()

    file_route = "imagining-file"

    class Meta(FromWords.Meta):
        pass

    @property
    def request(self) -> ImagineRequest:
        return ImagineRequest.from_dict(self.params)


def _state(file: Any, job: Job | None) -> str:
    """Done with its file; a job that ended well without making it, or is long gone, has failed it."""
    if file:
        return Job.State.DONE
    return job.state if job is not None and job.state != Job.State.DONE else Job.State.FAILED
