"""How many photo pixels make a centimetre of cloth.

Nothing in a photo says so; people's proportions do, nearly.  An upper garment gives three independent guesses: its
breadth across the chest (largest circle that fits inside), its extent across the shoulders, and its length.  Their
median outvotes one that a pose, a shawl or a missing piece has spoilt; the usual length then has a third of the say.
Skirts and trousers are measured across the hips, long trousers by their length too.  All is kept within the lengths
that such garments have.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ...requests import GARMENT_CLASSES

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

# Breadths of the cloth of a person whose shoulders are as wide as `repeats.SHOULDER_CM`; dresses sit closer.
_CHEST_CM, _EXTENT_CM, _HIPS_CM = 46.0, 47.0, 40.0
_DRESS_CM = 42.0

# Shortest, usual and longest garments, collar or waistband to hem, in centimetres.
_LENGTHS = {
    "top": (45.0, 62.0, 85.0),
    "outerwear": (55.0, 85.0, 130.0),
    "dress": (75.0, 105.0, 155.0),
    "skirt": (35.0, 60.0, 110.0),
    "trousers": (28.0, 98.0, 115.0),
}
_ANY_LENGTH = (45.0, 90.0, 155.0)
_UPPER = ("top", "outerwear", "dress")
_LOWER = ("skirt", "trousers")

_LONG = 1.8
"""Trousers longer than this many hip breadths are no shorts."""

_MIN_SHARE = 0.08
"""Share of all cloth below which a garment is too little to measure."""


def px_per_cm(mask: F32, labels: U8 | None) -> float:
    """Pixels a centimetre in a (h,w) soft cloth mask with class map, for a person with 40 cm shoulders; above zero."""
    cloth = mask > 0.5
    if not cloth.any():
        return max(float(max(mask.shape)) / 170.0, 1e-3)
    upper, name = _part(cloth, labels, _UPPER)
    if name is not None:
        return _upper(upper, _LENGTHS[name], (_DRESS_CM, _DRESS_CM) if name == "dress" else (_CHEST_CM, _EXTENT_CM))
    lower, name = _part(cloth, labels, _LOWER)
    if name is not None:
        return _lower(lower, _LENGTHS[name], name)
    return _upper(cloth, _ANY_LENGTH, (_CHEST_CM, _EXTENT_CM))


def _part(cloth: Bools, labels: U8 | None, names: tuple[str, ...]) -> tuple[Bools, str | None]:
    """The cloth of these classes, and the largest of them or None where they are too little to measure."""
    if labels is None:
        return cloth, None
    areas = {name: int((cloth & (labels == GARMENT_CLASSES.index(name))).sum()) for name in names}
    largest = max(areas, key=lambda name: areas[name])
    if areas[largest] < _MIN_SHARE * int(cloth.sum()):
        return cloth, None
    return cloth & np.isin(labels, [GARMENT_CLASSES.index(name) for name in names]), largest


def _upper(part: Bools, lengths: tuple[float, float, float], widths: tuple[float, float]) -> float:
    top, height = _span(part)
    upper = part[top : top + max(1, round(0.6 * height))]
    guesses = [_breadth(upper) / widths[0], _extent(part, top, height, 65) / widths[1]]
    by_length = height / lengths[1]
    if _cut_off(part, top, height):
        return _within(math.sqrt(guesses[0] * guesses[1]), height, lengths)
    middle = float(np.median([*guesses, by_length]))
    return _within(middle ** (2 / 3) * by_length ** (1 / 3), height, lengths)


def _lower(part: Bools, lengths: tuple[float, float, float], name: str) -> float:
    top, height = _span(part)
    hips = _extent(part, top, height, 50)
    value = hips / _HIPS_CM
    if name == "trousers" and height > _LONG * hips and not _cut_off(part, top, height):
        value = math.sqrt(value * height / lengths[1])
    return _within(value, height, lengths)


def _cut_off(part: Bools, top: int, height: int) -> bool:
    """Whether the picture ends before the garment does."""
    return bool(top + height >= part.shape[0] - 1)


def _span(part: Bools) -> tuple[int, int]:
    """First row and height of the part, stray threads left out."""
    counts = part.sum(axis=1)
    rows = np.flatnonzero(counts > 0.1 * counts.max())
    return int(rows[0]), int(rows[-1] - rows[0] + 1)


def _breadth(part: Bools) -> float:
    """Diameter of the largest circle inside the part, straps and hair across it bridged."""
    bridge = max(1, round(0.02 * part.shape[0]))
    margin = 2 * bridge + 1
    closed = ndimage.binary_closing(np.pad(part, margin), iterations=bridge)
    return 2.0 * float(ndimage.distance_transform_edt(ndimage.binary_fill_holes(closed)).max())


def _extent(part: Bools, top: int, height: int, percentile: float) -> float:
    """A percentile of the distance from the first to the last pixel of the rows between 10 % and 40 % of the height."""
    band = part[top + int(0.1 * height) : top + int(0.4 * height) + 1]
    band = band[band.any(axis=1)]
    if not len(band):
        return float(part.any(axis=0).sum())
    first, last = band.argmax(axis=1), band.shape[1] - 1 - band[:, ::-1].argmax(axis=1)
    return float(np.percentile(last - first + 1, percentile))


def _within(value: float, height: int, lengths: tuple[float, float, float]) -> float:
    return float(np.clip(value, height / lengths[2], height / lengths[0]))
