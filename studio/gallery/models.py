"""What a visitor sees first."""

from __future__ import annotations

from django.db import models

from patterns.models import Pattern

from ..photos.models import Garment


class ShopWindow(models.Model):
    """The one fabric and the one garment that staff chose for the front page; either may be left open."""

    pattern = models.ForeignKey(
        Pattern, models.SET_NULL, null=True, blank=True, limit_choices_to={"public": True}, related_name="+"
    )
    garment = models.ForeignKey(Garment, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "shop window"
        verbose_name_plural = "shop window"

    def __str__(self) -> str:
        return "the shop window"
