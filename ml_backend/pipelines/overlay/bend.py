"""How folds and the body's roundness carry the pattern along."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .maps import blur

F32 = npt.NDArray[np.float32]

REACH = 0.02
"""Largest displacement, as a share of the photo's longest side."""

_RISE = (0.006, -0.014)
"""Slide (x, y) of the pattern for a unit of relief, in garment sizes: cloth is seen a little from above and aside."""

_DRAW = 0.00008
"""Draw of the pattern into valleys, in garment sizes squared: foreshortened slopes gather more pattern."""

_ROUND = 0.65
"""Sine of the angle to which a limb or torso turns away at its silhouette; 0 is a flat board."""


def bend(relief: F32, cover: F32) -> tuple[F32, F32]:
    """Relief of the folds (log shading) and soft mask, both (h,w) -> displacement (du, dv) in pixels of that grid.

    Bright is taken for high and dark for deep (Langer and Zucker 1994: shape from shading on a cloudy day).
    """
    size = float(max(cover.shape))
    weight = np.clip(cover, 0.0, 1.0)
    near = blur(relief, weight, max(1.0, 0.009 * size))
    folds = near - blur(relief, weight, 0.07 * size)
    inside = weight > 0.5
    folds = np.where(inside, np.clip(folds, -0.6, 0.6), 0.0).astype(np.float32)
    folds = ndimage.gaussian_filter(folds, max(1.0, 0.006 * size))
    slope_y, slope_x = np.gradient(ndimage.gaussian_filter(folds, max(1.0, 0.008 * size)))
    across = _RISE[0] * size * folds + _DRAW * size**2 * slope_x + _turn(inside)
    down = _RISE[1] * size * folds + _DRAW * size**2 * slope_y
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _turn(inside: npt.NDArray[np.bool_]) -> F32:
    """Sideways compression towards silhouettes, as on a cylinder: arc length minus its projection, outward.

    With t the relative distance from the axis and k = sin of the turning angle at the silhouette, a point at t lies
    at arc length asin(k t)/k of the half width.
    """
    padded = np.pad(inside, 1)
    distance = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]
    if float(distance.max(initial=0.0)) <= 1.0:
        return np.zeros(inside.shape, np.float32)
    reach = max(3, round(0.06 * max(inside.shape)))
    half = ndimage.maximum_filter(distance, size=2 * reach + 1)
    half = np.maximum(ndimage.gaussian_filter(half, reach / 2), 1.0)
    outward = -np.gradient(ndimage.gaussian_filter(distance, 2.0), axis=1)
    outward *= np.abs(outward)
    t = np.clip(1.0 - distance / half, 0.0, 1.0)
    extra = half * (np.arcsin(_ROUND * t) / _ROUND - t)
    return np.asarray(
        ndimage.gaussian_filter(np.where(inside, extra * np.clip(outward, -1.0, 1.0), 0.0), 1.5), np.float32
    )


def limit(du: F32, dv: F32, most: float) -> tuple[F32, F32]:
    """Bound the length of displacements softly below ``most``."""
    length = np.hypot(du, dv)
    share = most * np.tanh(length / most) / np.maximum(length, 1e-6)
    return np.asarray(du * share, np.float32), np.asarray(dv * share, np.float32)
