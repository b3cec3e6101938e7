"""Patterns and whose favourites they are."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from ml_backend.lattices import lattice_of
from ml_backend.models import Job
from ml_backend.requests import ENGINES, REPEATS, GenerateRequest

from .made import UNCHANGING, Published, PublishedQuerySet

LARGE_SIZE = 2048
"""Pixels a side of the print-size tile."""
THUMB_SIDE = 256
SIZED = re.compile(r"-large-(\d+)[._]")
"""A print-size tile's key with its side in pixels."""


class PatternQuerySet(PublishedQuerySet["Pattern"]):
    def coloured(self, bucket: str) -> PatternQuerySet:
        """Those in which a colour of :data:`patterns.colours.BUCKETS` covers a good part."""
        return self.filter(colours__contains=f"|{bucket}|")


class Pattern(Published):
    """One generated fabric.

    ``inks`` holds the coverage maps (``ml_backend.inks.inks_to_png``), ``tile`` the 512 px repeat with its recipe in
    the PNG text, ``web`` the same pixels as pages load them (half the bytes; patterns of before it was there have
    none), ``large`` the print-size tile once asked for, ``thumb`` a 256 px WebP.  All are empty until the job
    is done.  ``parent`` is the pattern this one is a colourway or remix of, ``partner`` the second one of a mix of two.
    ``repeat`` is the one that it is made for; ``mended``, that it was not made anew for it but from the inks of another
    fabric, its seams mended.
    """

    large_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="large_patterns")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    partner = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="partners")

    pattern_type = models.CharField(max_length=20)
    seed = models.PositiveIntegerField()
    engine = models.CharField(max_length=10, choices=[(name, name) for name in ENGINES])
    palette = models.JSONField(default=list, blank=True)
    size = models.PositiveIntegerField(default=512)
    vary_of = models.PositiveIntegerField(null=True, blank=True)
    vary_amount = models.FloatField(default=0.0)
    morph_to = models.PositiveIntegerField(null=True, blank=True)
    morph_amount = models.FloatField(default=0.0)
    morph_type = models.CharField(max_length=20, blank=True)
    colours_of = models.PositiveIntegerField(null=True, blank=True)
    detail_of = models.PositiveIntegerField(null=True, blank=True)
    repeat = models.CharField(max_length=20, choices=[(name, name) for name in REPEATS], default="basic")
    mended = models.BooleanField(default=False)
    model = models.CharField(max_length=120, blank=True)
    colours = models.CharField(max_length=120, blank=True)

    inks = models.FileField(max_length=255, blank=True)
    tile = models.FileField(max_length=255, blank=True)
    web = models.FileField(max_length=255, blank=True)
    large = models.FileField(max_length=255, blank=True)
    thumb = models.FileField(max_length=255, blank=True)

    objects = PatternQuerySet.as_manager()

    called = "pattern"
    file_fields = ("inks", "tile", "web", "large", "thumb")
    main_file = "tile"
    file_caching = UNCHANGING

    class Meta(Published.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.pattern_type} {self.seed}"

    def file_title(self, name: str) -> str:
        """Type, seed, repeat and pixels, so that tile and print size do not overwrite each other where saved."""
        sized = SIZED.search(str(self.large)) if name == "large" else None
        sides = {"large": int(sized[1]) if sized else LARGE_SIZE, "thumb": THUMB_SIDE}
        kind = "-inks" if name == "inks" else ""
        repeat = "" if self.repeat == "basic" else f"-{self.repeat}"
        return f"toile-{self.pattern_type}-{self.seed}{repeat}{kind}-{sides.get(name, self.size)}px"

    def is_coming(self, name: str) -> bool:
        if name == "large" and self.large_job is not None and self.large_job.active:
            return True
        return super().is_coming(name)

    def jobs_of_its_own(self) -> list[uuid.UUID | None]:
        return [self.job_id, self.large_job_id]

    def twins(self) -> PatternQuerySet:
        """The same drawing in whatever colours and size."""
        apart = ("palette", "size", "model")
        alike = [name for name in self.request.to_dict() if name not in apart]
        return Pattern.objects.filter(owner_id=self.owner_id, **{name: getattr(self, name) for name in alike})

    @property
    def move(self) -> str:
        """What it is of two fabrics: ``blend``, ``drawing``, ``colours``, or nothing of the kind."""
        if self.morph_to is not None:
            return "blend"
        if self.detail_of is not None:
            return "drawing"
        return "colours" if self.partner_id else ""

    @property
    def plain(self) -> bool:
        """Whether the tile also repeats by standing beside itself: a mirror's and an ogee's hold their neighbours."""
        lattice = lattice_of(self.repeat)
        return not (lattice.drop or lattice.slide) or lattice.area < 1

    @property
    def request(self) -> GenerateRequest:
        """What makes this very pattern again."""
        return GenerateRequest(
            pattern_type=self.pattern_type,
            seed=self.seed,
            size=self.size,
            engine=self.engine,
            palette=tuple(self.palette) or None,
            model=self.model or None,
            vary_of=self.vary_of,
            vary_amount=self.vary_amount,
            morph_to=self.morph_to,
            morph_amount=self.morph_amount,
            morph_type=self.morph_type or None,
            colours_of=self.colours_of,
            detail_of=self.detail_of,
            repeat=self.repeat,
        )

    def take(self, request: GenerateRequest) -> None:
        """Be the fabric that ``request`` makes; the other way round than :attr:`request`."""
        values = request.to_dict()
        blank = {name: values.pop(name) or "" for name in ("model", "morph_type")}
        for name, value in {**values, **blank, "palette": values["palette"] or []}.items():
            setattr(self, name, value)

    def recipe(self) -> dict[str, Any]:
        """What the files' metadata and the item page tell: how to make it, and of nobody's rows."""
        mended = {"mended": True} if self.mended else {}
        return {"made_with": "Toile", **self.request.to_dict(), **mended}

    @property
    def tile_url(self) -> str:
        return self.file_url

    @property
    def web_url(self) -> str:
        """The tile for a page to show; :attr:`tile_url` is the one to keep."""
        return self.url_of("web") or self.tile_url

    @property
    def inks_url(self) -> str:
        return self.url_of("inks")

    @property
    def large_url(self) -> str:
        """Empty until the print-size tile is there."""
        return self.url_of("large")


class Favourite(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites")
    pattern = models.ForeignKey(Pattern, models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "pattern"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.pattern_id}"
