"""Patterns and whose favourites they are."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from ml_backend.models import Job
from ml_backend.requests import ENGINES, PATTERN_TYPES, GenerateRequest

from .moderation import Moderated

Viewer = AbstractBaseUser | AnonymousUser


class PatternQuerySet(models.QuerySet["Pattern"]):
    def of(self, person: Viewer) -> PatternQuerySet:
        """Everything of one person's, whatever its state; nothing for an anonymous visitor."""
        return self.filter(owner_id=person.pk) if person.pk else self.none()

    def ready(self) -> PatternQuerySet:
        return self.exclude(tile="")

    def public(self) -> PatternQuerySet:
        return self.filter(public=True).ready()

    def visible_to(self, person: Viewer) -> PatternQuerySet:
        """One's own, and what others have published."""
        mine = Q(owner_id=person.pk) if person.pk else Q(pk__in=[])
        return self.filter(mine | (Q(public=True) & ~Q(tile="")))

    def coloured(self, bucket: str) -> PatternQuerySet:
        """Those in which a colour of :data:`patterns.colours.BUCKETS` covers a good part."""
        return self.filter(colours__contains=f"|{bucket}|")


class Pattern(Moderated):
    """One generated fabric.

    ``inks`` holds the coverage maps (``ml_backend.inks.inks_to_png``), ``tile`` the 512 px repeat with its recipe in
    the PNG text, ``web`` the same pixels as pages load them (half the bytes; patterns of before it was there have
    none), ``large`` the print-size tile once asked for, ``thumb`` a 256 px WebP.  All are empty until the job
    is done.  ``parent`` is the pattern this one is a colourway or remix of, ``partner`` the second one of a mix of two.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="patterns")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="patterns")
    large_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="large_patterns")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    partner = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="partners")

    pattern_type = models.CharField(max_length=20, choices=[(name, name) for name in PATTERN_TYPES])
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
    model = models.CharField(max_length=120, blank=True)
    colours = models.CharField(max_length=120, blank=True)

    inks = models.FileField(max_length=255, blank=True)
    tile = models.FileField(max_length=255, blank=True)
    web = models.FileField(max_length=255, blank=True)
    large = models.FileField(max_length=255, blank=True)
    thumb = models.FileField(max_length=255, blank=True)

    created_at = models.DateTimeField(default=timezone.now)

    objects = PatternQuerySet.as_manager()

    file_fields = ("inks", "tile", "web", "large", "thumb")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="pattern_mine"),
            models.Index(fields=["public", "-created_at"], name="pattern_gallery"),
        ]

    def __str__(self) -> str:
        return f"{self.pattern_type} {self.seed}"

    def is_visible_to(self, person: Viewer) -> bool:
        """Whether :meth:`PatternQuerySet.visible_to` has it."""
        return self.owner_id == person.pk or (self.public and self.ready)

    @property
    def folder(self) -> str:
        return f"patterns/{self.pk}"

    def twins(self) -> PatternQuerySet:
        """The same drawing in whatever colours and size."""
        apart = ("palette", "size", "model")
        alike = [name for name in self.request.to_dict() if name not in apart]
        return Pattern.objects.filter(owner_id=self.owner_id, **{name: getattr(self, name) for name in alike})

    @property
    def state(self) -> str:
        """The job's state; a pattern that needs no job (colourway, sample) is done once it has a tile."""
        if self.tile:
            return Job.State.DONE
        return self.job.state if self.job else Job.State.FAILED

    @property
    def ready(self) -> bool:
        return bool(self.tile)

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
        )

    def take(self, request: GenerateRequest) -> None:
        """Be the fabric that ``request`` makes; the other way round than :attr:`request`."""
        values = request.to_dict()
        blank = {name: values.pop(name) or "" for name in ("model", "morph_type")}
        for name, value in {**values, **blank, "palette": values["palette"] or []}.items():
            setattr(self, name, value)

    def recipe(self) -> dict[str, Any]:
        """What the files' metadata and the item page tell: how to make it, and of nobody's rows."""
        return {"made_with": "Toile", **self.request.to_dict()}

    @property
    def tile_url(self) -> str:
        return reverse("pattern-file", args=[self.pk, "tile"])

    @property
    def web_url(self) -> str:
        """The tile for a page to show; :attr:`tile_url` is the one to keep."""
        return reverse("pattern-file", args=[self.pk, "web"]) if self.web else self.tile_url

    @property
    def thumb_url(self) -> str:
        return reverse("pattern-file", args=[self.pk, "thumb"])

    @property
    def inks_url(self) -> str:
        return reverse("pattern-file", args=[self.pk, "inks"])

    @property
    def large_url(self) -> str:
        """Empty until the print-size tile is there."""
        return reverse("pattern-file", args=[self.pk, "large"]) if self.large else ""


class Favourite(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites")
    pattern = models.ForeignKey(Pattern, models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "pattern"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.pattern_id}"
