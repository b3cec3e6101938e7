"""The gallery's colour filter: which plain colours a fabric is made of."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

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
"""Name -> the swatch that stands for it on the page."""

ENOUGH = 0.12
"""Share of the cloth that a bucket must cover to count."""

_HUES = ((16, "red"), (42, "orange"), (68, "yellow"), (160, "green"), (195, "teal"), (255, "blue"), (292, "purple"))
"""Upper end of each hue range in degrees; pinkish reds follow."""


def bucket_of(colour: str) -> str:
    """The bucket of a hex colour."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    degrees = hue * 360
    chroma = saturation * (1 - abs(2 * lightness - 1))
    if lightness < 0.14:
        return "black"
    if lightness > 0.86 and chroma < 0.17:
        return "white"
    if chroma < 0.09:
        return "grey"
    name = next((name for end, name in _HUES if degrees < end), "pink" if degrees < 342 else "red")
    if name in ("red", "pink") and lightness > 0.6:
        return "pink"
    if name in ("red", "orange", "yellow") and (lightness < 0.42 and chroma < 0.42):
        return "brown"
    return name


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
