"""Fabrics in the order of how near they are to a colour, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from django.db.models import Model, QuerySet

from ml_backend.palettes.nearness import distances
from ml_backend.swatches import TYPES

M = TypeVar("M", bound=Model)


def typical_shares(pattern_type: str, inks: int) -> list[float]:
    """How much of the cloth each of so many inks covers in most fabrics of a type, 0..1."""
    usual = TYPES[pattern_type].coverage if pattern_type in TYPES else (1 / max(inks, 1),) * inks
    return [*usual, *[0.0] * inks][:inks]


class Ranked(Generic[M]):
    """The rows of a queryset, the nearest to ``colour`` first; of two equally near ones in the queryset's own order.

    It counts and can be sliced, which is what pages need.  All palettes are looked at, rows only for the slice.
    """

    def __init__(self, rows: QuerySet[M], colour: str) -> None:
        self._rows = rows
        self._colour = colour

    @cached_property
    def _order(self) -> list[Any]:
        known = list(self._rows.values_list("pk", "pattern_type", "palette", "shares"))
        fabrics = [(palette, shares or typical_shares(kind, len(palette))) for _, kind, palette, shares in known]
        return [known[place][0] for place in np.argsort(distances(fabrics, self._colour), kind="stable")]

    def count(self) -> int:
        return len(self._order)

    __len__ = count

    def __getitem__(self, part: slice) -> Sequence[M]:
        keys = self._order[part]
        found = self._rows.in_bulk(keys)
        return [found[key] for key in keys if key in found]
