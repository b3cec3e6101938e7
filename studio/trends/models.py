"""What is liked: counts of a day and of a week, and of how many different people, but never of whom."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q


class Period(models.TextChoices):
    DAY = "day", "by day"
    WEEK = "week", "by week"


class Tally(models.Model):
    """How often something was done in one period with fabrics of one type or colour, or on one garment.

    ``people`` is how many different ones did it.  With a ``maker`` it counts fabrics of that person alone, and what
    others did with them; without one the whole site.
    """

    period = models.CharField(max_length=4, choices=Period.choices)
    start = models.DateField()
    """The day, or the Monday of the week."""
    what = models.CharField(max_length=12)
    by = models.CharField(max_length=8)
    """What ``value`` is: type, colour or garment."""
    value = models.CharField(max_length=40)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    count = models.PositiveIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["period", "start", "what", "by", "value"], condition=Q(maker=None), name="tally_of_the_site"
            ),
            models.UniqueConstraint(
                fields=["maker", "period", "start", "what", "by", "value"],
                condition=Q(maker__isnull=False),
                name="tally_of_a_maker",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.value}, {self.period} of {self.start}"


def _key() -> str:
    return secrets.token_hex(32)


class TallyKey(models.Model):
    """The key under which people are told from each other while a period lasts.  It is deleted with its end."""

    period = models.CharField(max_length=4, choices=Period.choices)
    start = models.DateField()
    key = models.CharField(max_length=64, default=_key)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["period", "start"], name="one_key_a_period")]

    def __str__(self) -> str:
        return f"key of the {self.period} of {self.start}"


class Seen(models.Model):
    """That somebody was counted in one cell already: a keyed hash of both, worth nothing once its key is gone."""

    key = models.ForeignKey(TallyKey, models.CASCADE, related_name="seen")
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name_plural = "seen"

    def __str__(self) -> str:
        return self.digest[:8]
