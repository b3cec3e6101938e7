"""Patterns and whose favourites they are."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ml_backend.models import Job
from ml_backend.requests import ENGINES, PHOTOGRAPHED, REPEATS, GenerateRequest

from .happenings import DOWNLOADED, tell
from .made import UNCHANGING, Published, PublishedQuerySet, Viewer
from .nearest import Ranked, typical_shares

LARGE_SIZE = 2048
"""Pixels a side of the print-size tile."""
THUMB_SIDE = 256
SIZED = re.compile(r"-large-(\d+)[._]")
"""A print-size tile's key with its side in pixels."""


class PatternQuerySet(PublishedQuerySet["Pattern"]):
    def kept(self) -> PatternQuerySet:
        """Those that stay."""
        return self.filter(fresh_until=None)

    def fresh(self) -> PatternQuerySet:
        """New ones that are neither kept nor discarded yet, and whose time is not over."""
        return self.filter(fresh_until__gt=timezone.now())

    def at_hand(self) -> PatternQuerySet:
        """Kept and fresh ones: all but those that are about to go."""
        return self.filter(Q(fresh_until=None) | Q(fresh_until__gt=timezone.now()))

    def coloured(self, bucket: str) -> PatternQuerySet:
        """Those in which a colour of :data:`patterns.colours.BUCKETS` covers a good part."""
        return self.filter(colours__contains=f"|{bucket}|")

    def nearest(self, colour: str) -> Ranked[Pattern]:
        """These, the one whose inks are nearest to ``colour`` (``#rrggbb``) first, weighted by what they cover."""
        return Ranked(self, colour)


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
    engine = models.CharField(max_length=12, choices=[(name, name) for name in (*ENGINES, PHOTOGRAPHED)])
    palette = models.JSONField(default=list, blank=True)
    size = models.PositiveIntegerField(default=512)
    vary_of = models.PositiveIntegerField(null=True, blank=True)
    vary_amount = models.FloatField(default=0.0)
    morph_to = models.PositiveIntegerField(null=True, blank=True)
    morph_amount = models.FloatField(default=0.0)
    morph_type = models.CharField(max_length=20, blank=True)
    colours_of = models.PositiveIntegerField(null=True, blank=True)
    detail_of = models.PositiveIntegerField(null=True, blank=True)
    subtype = models.CharField(max_length=20, blank=True, default="")
    cloth = models.JSONField(default=dict, blank=True)
    """Of a photographed cloth, how it was cut: a ``ClothRequest`` dict, what was found, and its own ``palette``."""
    repeat = models.CharField(max_length=20, choices=[(name, name) for name in REPEATS], default="basic")
    mended = models.BooleanField(default=False)
    model = models.CharField(max_length=120, blank=True)
    colours = models.CharField(max_length=120, blank=True)
    shares = models.JSONField(default=list, blank=True)
    """How much of the cloth each ink covers, in the order of ``palette``; empty in fabrics not yet counted."""

    inks = models.FileField(max_length=255, blank=True)
    tile = models.FileField(max_length=255, blank=True)
    web = models.FileField(max_length=255, blank=True)
    large = models.FileField(max_length=255, blank=True)
    thumb = models.FileField(max_length=255, blank=True)

    fresh_until = models.DateTimeField(null=True, blank=True, db_index=True)
    """Until when a new fabric stays that nobody keeps; None once it is kept.  A discarded one has it in the past."""

    objects = PatternQuerySet.as_manager()

    called = "pattern"
    file_fields = ("inks", "tile", "web", "large", "thumb")
    main_file = "tile"
    file_caching = UNCHANGING

    class Meta(Published.Meta):
        pass

    @property
    def photographed(self) -> bool:
        """Whether it was cut from a photo: it has no seed, and nothing can make it again."""
        return self.engine == PHOTOGRAPHED

    def __str__(self) -> str:
        if self.photographed:
            return f"photographed {self.pattern_type}"
        return f"{self.subtype or self.pattern_type} {self.seed}"

    def file_title(self, name: str) -> str:
        """Type, seed, repeat and pixels, so that tile and print size do not overwrite each other where saved."""
        sized = SIZED.search(str(self.large)) if name == "large" else None
        sides = {"large": int(sized[1]) if sized else LARGE_SIZE, "thumb": THUMB_SIDE}
        kind = "-inks" if name == "inks" else ""
        number = self.pk.hex[:8] if self.photographed else self.seed
        repeat = "" if self.repeat == "basic" else f"-{self.repeat}"
        return f"toile-{self.subtype or self.pattern_type}-{number}{repeat}{kind}-{sides.get(name, self.size)}px"

    @property
    def fresh(self) -> bool:
        """Whether it still waits to be kept."""
        return self.fresh_until is not None and self.fresh_until > timezone.now()

    def keep(self) -> None:
        """It stays from now on."""
        if self.fresh_until is not None:
            Pattern.objects.filter(pk=self.pk).update(fresh_until=None)
            self.fresh_until = None

    def publish(self, public: bool) -> None:
        super().publish(public)
        if self.public:
            self.keep()

    def downloaded(self, by: Viewer) -> None:
        if by.pk == self.owner_id:
            self.keep()
        tell(DOWNLOADED, self, by.pk)

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
        values = {name: getattr(self, name) for name in alike}
        return Pattern.objects.filter(owner_id=self.owner_id, cloth=self.cloth, **values)

    @property
    def coverage(self) -> list[float]:
        """Share of the cloth (0..1) of each ink; typical of its type where it was not counted yet."""
        return self.shares or typical_shares(self.pattern_type, len(self.palette))

    @property
    def move(self) -> str:
        """What it is of two fabrics: ``blend``, ``drawing``, ``colours``, or nothing of the kind."""
        if self.morph_to is not None:
            return "blend"
        if self.detail_of is not None:
            return "drawing"
        return "colours" if self.partner_id else ""

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
            subtype=self.subtype or None,
            repeat=self.repeat,
        )

    def take(self, request: GenerateRequest) -> None:
        """Be the fabric that ``request`` makes; the other way round than :attr:`request`."""
        values = request.to_dict()
        blank = {name: values.pop(name) or "" for name in ("model", "morph_type", "subtype")}
        for name, value in {**values, **blank, "palette": values["palette"] or []}.items():
            setattr(self, name, value)

    def recipe(self) -> dict[str, Any]:
        """What the files' metadata and the item page tell: how to make it, and of nobody's rows.

        Of a photographed cloth: how it was cut, for there is no seed that makes it.
        """
        mended = {"mended": True} if self.mended else {}
        if self.photographed:
            told = {"source": PHOTOGRAPHED, "pattern_type": self.pattern_type, "size": self.size, "repeat": self.repeat}
            return {"made_with": "Toile", **self.cloth, **told, "palette": list(self.palette), **mended}
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
