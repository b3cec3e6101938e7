"""The palettes that a person keeps by name."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from ml_backend.palettes.held import MAX_NAME, Held
from patterns.made import Viewer


class SavedPaletteQuerySet(models.QuerySet["SavedPalette"]):
    def of(self, person: Viewer) -> Self:
        """One's own; nothing for an anonymous visitor.  A palette is never anybody else's to see."""
        return self.filter(owner_id=person.pk) if person.pk else self.none()


class SavedPalette(models.Model):
    """2 to 12 colours (``#rrggbb``) in ink order and what each is called; one of each name a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="palettes")
    name = models.CharField(max_length=MAX_NAME)
    colours = models.JSONField(default=list)
    names = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedPaletteQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="palette_mine")]

    def __str__(self) -> str:
        return self.name

    @property
    def held(self) -> Held:
        return Held(self.name, tuple(self.colours), tuple(self.names))
