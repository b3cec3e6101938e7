"""What can wear a pattern: the default garments and people's own photos."""

from __future__ import annotations

import posixpath
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Max
from django.utils import timezone

from ml_backend.requests import TextMaskRequest
from patterns.made import UNCHANGING, Made, MadeQuerySet, Stored, Viewer

PREVIEWS = ("preview_photo", "preview_maps", "preview_mask")


class Wearable(Stored):
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

    file_fields: ClassVar[tuple[str, ...]] = (
        "image",
        "thumb",
        "mask",
        "labels",
        "preview_photo",
        "preview_maps",
        "preview_mask",
    )
    main_file = "mask"

    class Meta:
        abstract = True

    @property
    def image_url(self) -> str:
        return self.url_of("image")

    def preview(self) -> dict[str, Any]:
        """What the page needs to composite: the three URLs, the fit figures and the classes; ``{}`` until ready."""
        if not self.ready:
            return {}
        return {**{name: self.url_of(name) for name in PREVIEWS}, **self.fit, "classes": self.classes}


FAVOURED_GARMENT = "dress"


class GarmentQuerySet(models.QuerySet["Garment"]):
    def fronts(self) -> Self:
        """Each garment once, as it is shown where one is to be chosen."""
        return self.filter(side=Garment.Side.FRONT)


class Garment(Wearable):
    """One side of a default garment, for everybody; the back of ``dress`` is ``dress-back``."""

    class Side(models.TextChoices):
        FRONT = "front"
        BACK = "back"

    class Wearer(models.TextChoices):
        WOMEN = "women", "Women's"
        MEN = "men", "Men's"
        EVERYBODY = "everybody", "For both"

    slug = models.SlugField(unique=True)
    cut = models.SlugField(blank=True)
    """The garment that this is a side of: the slug of its front."""
    side = models.CharField(max_length=5, choices=Side.choices, default=Side.FRONT)
    wearer = models.CharField(max_length=9, choices=Wearer.choices, default=Wearer.EVERYBODY)
    name = models.CharField(max_length=60)
    order = models.PositiveSmallIntegerField(default=0)
    alt = models.CharField(max_length=200, blank=True)
    """What the picture shows, for people who do not see it."""
    source = models.CharField(max_length=64, blank=True, editable=False)
    """Digest of the asset files it was loaded from; another digest loads it again."""

    objects = GarmentQuerySet.as_manager()

    file_caching = UNCHANGING

    class Meta:
        ordering = ["order", "slug"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def favoured(cls, among: dict[str, Self]) -> Self | None:
        """The one that is shown where none is chosen, of those there are, by slug."""
        return among.get(FAVOURED_GARMENT) or next(iter(among.values()), None)

    @property
    def is_back(self) -> bool:
        return self.side == self.Side.BACK

    @property
    def turned(self) -> str:
        """The slug of its other side, where there is one; see :func:`sides`."""
        return self.cut if self.is_back else f"{self.cut or self.slug}-back"

    @property
    def folder(self) -> str:
        return f"garments/{self.slug}"

    def file_key(self) -> Any:
        return self.slug

    def file_title(self, name: str) -> str:  # noqa: ARG002
        return f"toile-{self.slug}"


MOST_NAME = 60
"""Characters of a photo's name."""


class PhotoQuerySet(MadeQuerySet["Photo"]):
    """A photo is never anybody else's to see."""

    def as_strip(self) -> Self:
        """In the order in which their owner has laid them; the newest first where nobody has."""
        return self.order_by("-place", "-created_at", "-id")

    def make_way(self, newcomer: Any, host: Any) -> None:
        """``newcomer``'s photos are about to be ``host``'s: their numbers and places go on after those."""
        last = self.filter(owner=host).aggregate(number=Max("number"), place=Max("place"))
        ours = {name: F(name) + (most or 0) for name, most in last.items()}
        self.filter(owner=newcomer).update(**ours)


class Photo(Made, Wearable):
    """A person's own photo, normalised at ingest (upright, sRGB, no metadata)."""

    source = models.CharField(max_length=60, blank=True, editable=False)
    """``look:<id>`` and the like for a photo copied from a picture made here; empty for an upload."""
    found_mask = models.FileField(max_length=255, blank=True)
    found_labels = models.FileField(max_length=255, blank=True)
    """Mask and class map as they were found, while ``mask`` and ``labels`` are corrected by hand; else empty."""
    name = models.CharField(max_length=MOST_NAME, blank=True)
    """What its owner calls it; nobody else reads it."""
    number = models.PositiveIntegerField(default=0, editable=False)
    """Of the owner's photos in the order in which they came; its name while it has no other."""
    place = models.IntegerField(default=0, editable=False)
    """In the strip: the highest stands first."""

    objects = PhotoQuerySet.as_manager()

    main_file = "mask"
    file_fields: ClassVar[tuple[str, ...]] = (*Wearable.file_fields, "found_mask", "found_labels")

    class Meta(Made.Meta):
        pass

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and not self.number:
            last = Photo.objects.filter(owner_id=self.owner_id).aggregate(number=Max("number"), place=Max("place"))
            self.number, self.place = (last["number"] or 0) + 1, (last["place"] or 0) + 1
        super().save(*args, **kwargs)

    @property
    def title(self) -> str:
        """``Photo 3``, or what its owner calls it; never what the file was called."""
        return self.name or f"Photo {self.number}"

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


class MaskQuerySet(MadeQuerySet["Mask"]):
    def visible_to(self, person: Viewer) -> Self:
        """One's own; a mask shows the outline of a photo and is never anybody else's to see.

        Answers to taps are drafts of the mend editor, which alone asks for them.
        """
        return self.of(person).exclude(origin=Mask.Origin.TAPS)

    def answers_to(self, person: Viewer) -> Self:
        """What one's own taps in the mend editor have found."""
        return self.of(person).filter(origin=Mask.Origin.TAPS)


class Mask(Made):
    """Where a photo is to be repainted: found from words, or drawn; or what a tap adds to a garment or takes from it.

    ``file`` is an 8-bit grey PNG of the photo's size, white where to repaint; empty until the words are found.
    ``params`` is a :class:`TextMaskRequest` dict, ``{}`` for others.  ``found`` lists what the words were taken
    for: ``{"text": str, "subtract": bool, "confidence": 0..1}``.
    """

    class Origin(models.TextChoices):
        WORDS = "words"
        BRUSH = "brush"
        TAPS = "taps"

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="masks")

    origin = models.CharField(max_length=5, choices=Origin.choices)
    params = models.JSONField(default=dict, blank=True)
    found = models.JSONField(default=list, blank=True)
    file = models.FileField(max_length=255, blank=True)
    objects = MaskQuerySet.as_manager()

    file_fields = ("file",)
    read_by_scripts = True  # the brush reads it pixel by pixel

    class Meta(Made.Meta):
        pass

    @property
    def words(self) -> str:
        """What was sought; empty for one that was drawn or tapped."""
        return str(self.params.get("prompt", ""))

    @property
    def request(self) -> TextMaskRequest | None:
        """What finds this mask again; None for one that was drawn or tapped."""
        return TextMaskRequest.from_dict(self.params) if self.params else None
