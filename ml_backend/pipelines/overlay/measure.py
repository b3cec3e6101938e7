"""How many photo pixels make a centimetre of cloth.

Nothing in a photo says so; people's shoulders do, nearly.  Upper garments are measured across shoulder and chest,
skirts and trousers across the hips, and either is kept within the lengths such garments have.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...requests import GARMENT_CLASSES

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

SHOULDER_CM = 40.0
"""The shoulder width that :attr:`Fit.px_per_cm` assumes."""

# Typical widths as multiples of the shoulder width: chest with the sleeves hanging or flat, and hips.
_CHEST, _HIPS = 1.2, 0.95

# Shortest and longest plausible garments, collar or waistband to hem, in centimetres.
_LENGTHS = {
    "top": (48.0, 80.0),
    "outerwear": (55.0, 125.0),
    "dress": (75.0, 150.0),
    "skirt": (35.0, 105.0),
    "trousers": (30.0, 112.0),
}
_ANY_LENGTH = (55.0, 150.0)
_UPPER = ("top", "outerwear", "dress")
_LOWER = ("skirt", "trousers")
_MIN_SHARE = 0.08


def px_per_cm(mask: F32, labels: U8 | None) -> float:
    """Pixels a centimetre of a (h,w) soft cloth mask, for a person with 40 cm shoulders; never zero."""
    cloth = mask > 0.5
    if not cloth.any():
        return max(max(mask.shape) / 170.0, 1e-3)
    for names, span in ((_UPPER, _CHEST), (_LOWER, _HIPS)):
        part, name = _part(cloth, labels, names)
        if name is not None:
            return _within(_across(part, span), part, _LENGTHS[name])
    return _within(_across(cloth, _CHEST), cloth, _ANY_LENGTH)


def _part(
    cloth: npt.NDArray[np.bool_], labels: U8 | None, names: tuple[str, ...]
) -> tuple[npt.NDArray[np.bool_], str | None]:
    """The cloth of these classes and the largest of them, or None where they are too little to measure."""
    if labels is None:
        return cloth, None
    areas = {name: int((cloth & (labels == GARMENT_CLASSES.index(name))).sum()) for name in names}
    largest = max(areas, key=lambda name: areas[name])
    if areas[largest] < _MIN_SHARE * int(cloth.sum()):
        return cloth, None
    return cloth & np.isin(labels, [GARMENT_CLASSES.index(name) for name in names]), largest


def _across(part: npt.NDArray[np.bool_], span: float) -> float:
    """Median width of the part between 15 % and 45 % of its height; robust to collars, hems and sleeves."""
    rows = np.flatnonzero(part.any(axis=1))
    top, height = rows[0], rows[-1] - rows[0] + 1
    band = part[top + int(0.15 * height) : top + int(0.45 * height) + 1]
    widths = band.sum(axis=1)
    return float(np.median(widths[widths > 0])) / (span * SHOULDER_CM) if (widths > 0).any() else height / 100.0


def _within(value: float, part: npt.NDArray[np.bool_], lengths: tuple[float, float]) -> float:
    rows = np.flatnonzero(part.sum(axis=1) > 0.1 * part.sum(axis=1).max())
    height = float(rows[-1] - rows[0] + 1)
    shortest, longest = lengths
    return float(np.clip(value, height / longest, height / shortest))
