"""Fabrics in the order of how near they are to a colour, page by page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from django.db.models import Model, QuerySet, TextField
from django.db.models.functions import Cast

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
    def _order(self) -> list[str]:
        """Keys as text.  All palettes are parsed at once, which is quicker than as a field of each row."""
        words = {name: Cast(name, TextField()) for name in ("pk", "palette", "shares")}
        known = list(
            self._rows.annotate(**{f"{name}_text": word for name, word in words.items()}).values_list(
                "pk_text", "pattern_type", "palette_text", "shares_text"
            )
        )
        palettes, shares = (json.loads(f"[{','.join(row[column] for row in known)}]") for column in (2, 3))
        fabrics = [
            (palette, share or typical_shares(kind, len(palette)))
            for (_, kind, _, _), palette, share in zip(known, palettes, shares, strict=True)
        ]
        return [known[place][0] for place in np.argsort(distances(fabrics, self._colour), kind="stable")]

    def count(self) -> int:
        return len(self._order)

    __len__ = count

    def __getitem__(self, part: slice) -> Sequence[M]:
        keys = [uuid.UUID(key) for key in self._order[part]]
        found = self._rows.in_bulk(keys)
        return [found[key] for key in keys if key in found]
