"""The gallery's colour filter: which plain colours a fabric is made of."""

from __future__ import annotations

from collections.abc import Sequence

from ml_backend.colour import PROTOTYPES, Namer, lab_of

BUCKETS: dict[str, str] = {
    "red": "#b3262e",
    "pink": "#d98aa0",
    "orange": "#d9762b",
    "yellow": "#dcb93c",
    "green": "#4f7d4a",
    "teal": "#2f8583",
    "blue": "#34599c",
    "purple": "#6d4a8f",
    "brown": "#7a5238",
    "white": "#f4efe6",
    "grey": "#8b8a86",
    "black": "#1d1c1b",
}
"""Name -> the swatch that stands for it on the page: the basic colours, and teal, of which fabrics have much."""

ENOUGH = 0.12
"""Share of the cloth that a bucket must cover to count."""

_MORE = {
    "teal": ("#075862", "#0e4648", "#186f86", "#46c0a6", "#86d8d8"),
    "blue": ("#c3d4ec", "#a8bfce", "#37506a"),
}
"""Shades that a person who looks for fabrics means too."""

_NAMER = Namer({name: (swatch, *PROTOTYPES.get(name, ()), *_MORE.get(name, ())) for name, swatch in BUCKETS.items()})


def bucket_of(colour: str) -> str:
    """The bucket of a hex colour."""
    return _NAMER.of_lab(lab_of(colour))


def colours_of(palette: Sequence[str], shares: Sequence[float]) -> str:
    """``'|blue|white|'``: buckets that cover at least ``ENOUGH`` of the cloth; the largest one in any case.

    ``shares`` is how much of the cloth each colour of ``palette`` covers, summing to 1.
    """
    totals: dict[str, float] = {}
    for colour, share in zip(palette, shares, strict=True):
        name = bucket_of(colour)
        totals[name] = totals.get(name, 0.0) + share
    largest = max(totals, key=lambda name: totals[name])
    kept = [name for name in BUCKETS if totals.get(name, 0.0) >= ENOUGH or name == largest]
    return f"|{'|'.join(kept)}|"
