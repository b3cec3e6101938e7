"""How a pattern looks on a photo or garment."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from ml_backend.requests import OutfitRequest, OverlayRequest
from patterns.made import Published, PublishedQuerySet
from patterns.models import Pattern

from ..photos.models import Garment, Photo

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


NAMED = 3
"""Fabrics of an outfit that the name of its file tells."""


class LookQuerySet(PublishedQuerySet["Look"]):
    def with_parts(self) -> LookQuerySet:
        """Together with what is worn, in two queries whatever their number."""
        return self.prefetch_related(models.Prefetch("parts", LookPart.objects.select_related("pattern")))


class Look(Published):
    """A photo or garment wearing an outfit, rendered at the photo's full size.

    What is worn stands in its ``parts``; ``recipe`` also keeps that of the patterns, which may be deleted later.
    """

    class Format(models.TextChoices):
        PNG = "png", "PNG"
        JPEG = "jpeg", "JPEG"

    photo = models.ForeignKey(Photo, models.CASCADE, null=True, blank=True, related_name="looks")
    garment = models.ForeignKey(Garment, models.CASCADE, null=True, blank=True, related_name="looks")

    recipe = models.JSONField(default=dict, blank=True)
    format = models.CharField(max_length=4, choices=Format.choices, default=Format.PNG)
    file = models.FileField(max_length=255, blank=True)
    thumb = models.FileField(max_length=255, blank=True)

    objects = LookQuerySet.as_manager()

    called = "look"

    class Meta(Published.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(photo__isnull=False, garment__isnull=True) | Q(photo__isnull=True, garment__isnull=False),
                name="look_wears_on_one_thing",
            )
        ]

    if TYPE_CHECKING:
        parts: RelatedManager[LookPart]

    def file_title(self, name: str) -> str:  # noqa: ARG002
        return "toile-look" + "".join(f"-{pattern.pattern_type}-{pattern.seed}" for pattern in self.patterns[:NAMED])

    def twins(self) -> LookQuerySet:
        """The same fabrics on the same thing, whichever garment wears which and however they lie."""
        there = {"look__owner": self.owner_id, "look__photo": self.photo_id, "look__garment": self.garment_id}
        fabrics: dict[uuid.UUID, set[uuid.UUID | None]] = {self.pk: set()}
        for look, pattern in LookPart.objects.filter(**there).values_list("look", "pattern"):
            fabrics.setdefault(look, set()).add(pattern)
        return Look.objects.filter(pk__in=[pk for pk, worn in fabrics.items() if worn == fabrics[self.pk]])

    @property
    def wearable(self) -> Photo | Garment:
        worn = self.photo or self.garment
        assert worn is not None  # the check constraint holds
        return worn

    @property
    def outfit(self) -> OutfitRequest:
        return OutfitRequest(tuple(part.request for part in self.parts.all()))

    @property
    def patterns(self) -> list[Pattern]:
        """The patterns worn that are still there, each once."""
        return list({part.pattern.pk: part.pattern for part in self.parts.all() if part.pattern}.values())


class LookPart(models.Model):
    """A pattern, and the garments of the look that wear it.

    ``params`` is an :class:`OverlayRequest` dict.  A pattern that is deleted leaves its part behind without one: a look
    that is rendered stays as it is, one that is not cannot be rendered any more and says so.
    """

    look = models.ForeignKey(Look, models.CASCADE, related_name="parts")
    place = models.PositiveSmallIntegerField(default=0)
    """0, 1, ... in the order of the outfit."""
    pattern = models.ForeignKey(Pattern, models.SET_NULL, null=True, related_name="look_parts")
    params = models.JSONField(default=dict)

    class Meta:
        ordering = ["place"]
        constraints = [models.UniqueConstraint(fields=["look", "place"], name="look_part_place")]

    def __str__(self) -> str:
        return f"part {self.place} of {self.look_id}"

    @property
    def request(self) -> OverlayRequest:
        return OverlayRequest.from_dict(self.params)
