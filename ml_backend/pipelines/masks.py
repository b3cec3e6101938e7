"""What is done to soft masks, whether found by words or drawn: float32 (H, W) in 0..1, 1 is inside.

Pure NumPy and SciPy.  Distances are in pixels of the mask.  Growing and feathering large masks works on a reduced
copy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage, special

from ..errors import BadInput, quoted

F32 = npt.NDArray[np.float32]

WORKING_SIDE = 1024
"""Longest side, in pixels, of the reduced copy."""

_HAIR = np.float32(1e-4)


def normalise(logits: F32, how: str) -> F32:
    """Logits of one phrase -> 0..1.

    ``sigmoid`` is the probability, ``ndtr`` the normal distribution function of the standardised logits (how far each
    stands out from the photo's own average), ``minmax`` stretches the least to 0 and the most to 1.  A flat map gives
    0.5 by ``ndtr`` and 0 by ``minmax``.
    """
    values = logits.astype(np.float64)
    if how == "sigmoid":
        return np.asarray(special.expit(values), np.float32)
    if how == "ndtr":
        spread = float(values.std())
        return np.asarray(special.ndtr((values - values.mean()) / max(spread, 1e-9)), np.float32)
    if how == "minmax":
        low, high = float(values.min()), float(values.max())
        return ((values - low) / max(high - low, 1e-9)).astype(np.float32)
    raise BadInput(f"There is no normalisation {quoted(how)}; there are sigmoid, ndtr and minmax.")


def harden(mask: F32, threshold: float) -> F32:
    """1 where the mask is at least ``threshold``, 0 elsewhere."""
    return (mask >= threshold).astype(np.float32)


def unite(mask: F32, other: F32) -> F32:
    """What is in either mask."""
    return np.asarray(np.maximum(mask, other), np.float32)


def subtract(mask: F32, other: F32) -> F32:
    """What is in the first mask and not in the other."""
    return np.asarray(np.minimum(mask, np.float32(1) - other), np.float32)


def invert(mask: F32) -> F32:
    return np.asarray(np.float32(1) - mask, np.float32)


def grow(mask: F32, pixels: float) -> F32:
    """Move the border (where the mask is one half) outwards by ``pixels``; negative shrinks.

    By Euclidean distance, so corners become round.  Growing never lowers a value and shrinking never raises one.
    """
    if pixels < 0:
        return invert(grow(invert(mask), -pixels))
    if pixels == 0:
        return mask.copy()
    small, factor = _reduced(mask)
    inside = small > 0.5
    if not inside.any():
        return mask.copy()
    distance = ndimage.distance_transform_edt(~inside).astype(np.float32) / np.float32(factor)
    # The distance is to the middle of the nearest pixel inside; the border is half a pixel before it.
    reach = np.clip(np.float32(pixels + 0.5 / factor + 0.5) - _enlarged(distance, mask.shape), 0, 1)
    return np.asarray(np.maximum(mask, reach), np.float32)


def feather(mask: F32, pixels: float) -> F32:
    """Blend over the border with a smooth ramp that ends ``pixels`` to either side of it.

    Three box filters in a row, close to a Gaussian but ending: what is farther than ``pixels`` from the border of an
    all-or-nothing mask stays exactly 0 or 1.
    """
    if pixels <= 0:
        return mask.copy()
    small, factor = _reduced(mask)
    # Reducing, enlarging and each box reach half a pixel farther than their radius says.
    radius = int(max(pixels * factor - (2 if factor < 1 else 0), 0) // 3)
    if radius == 0:
        return mask.copy()
    for _ in range(3):
        small = ndimage.uniform_filter(small, 2 * radius + 1, mode="nearest")
    soft = _enlarged(small, mask.shape).copy()
    # Sums of many floats end a hair beside 0 and 1; pixels that are not to change must be exactly so.
    soft[soft < _HAIR] = 0
    soft[soft > 1 - _HAIR] = 1
    return soft


def box_of(mask: F32, threshold: float = 0.5) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) in pixels around all that is at least ``threshold``; None where nothing is."""
    inside = mask >= threshold
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def adjust(
    mask: F32, *, threshold: float | None = None, grow_percent: float = 0.0, feather_percent: float = 0.0
) -> F32:
    """Threshold, then grow, then feather; percentages are of the longer side."""
    longer = max(mask.shape) / 100
    if threshold is not None:
        mask = harden(mask, threshold)
    if grow_percent:
        mask = grow(mask, grow_percent * longer)
    if feather_percent:
        mask = feather(mask, feather_percent * longer)
    return mask


def _reduced(mask: F32) -> tuple[F32, float]:
    """The mask with no side above :data:`WORKING_SIDE`, and by how much it was reduced."""
    factor = min(1.0, WORKING_SIDE / max(mask.shape))
    if factor == 1:
        return mask, 1.0
    size = (max(1, round(mask.shape[1] * factor)), max(1, round(mask.shape[0] * factor)))
    reduced = Image.fromarray(np.ascontiguousarray(mask)).resize(size, Image.Resampling.BOX)
    return np.asarray(reduced, np.float32), factor


def _enlarged(plane: F32, shape: tuple[int, ...]) -> F32:
    if plane.shape == shape:
        return plane
    size = (shape[1], shape[0])
    return np.array(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR), np.float32)
