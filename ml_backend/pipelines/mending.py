"""A garment's mask corrected by hand: what was painted becomes the garment, what was rubbed out is no longer.

Pure NumPy and Pillow.  The hand paints on a smaller picture than the photo, so only where it changed something counts;
everywhere else the fine edge stays as it was.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import BadInput
from ..requests import CLOTH_CLASSES, GARMENT_CLASSES

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

SIDE = 2048
"""Longest side of the picture that is painted on."""

_CHANGED = np.float32(3.0 / 255.0)
"""Smaller differences are those of rounding."""

_SURE = 0.5

GONE = "Nothing of the clothes would be left. The mask is as it was."


def reduced(mask: F32) -> F32:
    """A soft mask (H,W) at the size at which it is painted on."""
    height, width = mask.shape
    ratio = min(1.0, SIDE / max(width, height))
    if ratio == 1.0:
        return mask
    return _resize(mask, max(1, round(width * ratio)), max(1, round(height * ratio)))


def of_garment(mask: F32, labels: U8, value: int) -> F32:
    """The soft mask (H,W) of the garment with this ``value`` in the class map."""
    return np.where(labels == value, mask, np.float32(0))


def mend(mask: F32, labels: U8, value: int, drawn: F32) -> tuple[F32, U8]:
    """``mask`` and ``labels`` with the garment ``value`` as it was ``drawn``; all (H,W), of the photo's size.

    Where the hand added to the garment, other garments lose their pixels to it.  Raises :class:`BadInput` where sizes
    differ or no cloth would be left.
    """
    if not mask.shape == labels.shape == drawn.shape:
        raise BadInput("The drawn mask is not of the photo's size.")
    now = of_garment(mask, labels, value)
    changed = _changed(now, drawn)
    mine = labels == value
    cloth = np.isin(labels % len(GARMENT_CLASSES), [GARMENT_CLASSES.index(name) for name in CLOTH_CLASSES])
    others = np.where(cloth & ~mine, mask, np.float32(0))
    gained = changed & ~mine & (drawn > 0) & ((drawn > _SURE) | (drawn > others))
    lost = changed & mine
    mended, told = mask.copy(), labels.copy()
    mended[gained] = np.maximum(others, drawn)[gained]
    told[gained] = value
    mended[lost] = drawn[lost]
    told[lost & (drawn == 0)] = 0
    if not (mended > _SURE).any():
        raise BadInput(GONE)
    return mended, told


def _changed(now: F32, drawn: F32) -> npt.NDArray[np.bool_]:
    """Where the hand was: ``drawn`` differs from the garment that was shown, enlarged the way a drawing is."""
    height, width = now.shape
    shown = Image.fromarray(np.rint(reduced(now) * 255).astype(np.uint8))
    if shown.size != (width, height):
        shown = shown.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(np.abs(np.asarray(shown, np.float32) / np.float32(255) - drawn) > _CHANGED)


def _resize(plane: F32, width: int, height: int) -> F32:
    return np.array(Image.fromarray(plane).resize((width, height), Image.Resampling.BOX), np.float32)
