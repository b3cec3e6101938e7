"""How much was asked for lately."""

from __future__ import annotations

from django.db import models


class Counter(models.Model):
    """A count towards a limit; see :mod:`studio.counting`."""

    key = models.CharField(max_length=200, unique=True)
    count = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)
    """When it begins anew."""

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
