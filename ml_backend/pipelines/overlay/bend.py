"""How folds and the body's roundness carry the pattern along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .maps import blur

F32 = npt.NDArray[np.float32]

REACH = 0.02
"""Largest displacement, as a share of the photo's longest side."""

_RISE = (0.008, -0.018)
"""Slide (x, y) of the pattern for a unit of relief, in garment sizes: cloth is seen a little from above and aside."""

_DRAW = 0.00008
"""Draw of the pattern into valleys, in garment sizes squared: foreshortened slopes gather more pattern."""

_ROUND = 0.8
"""Sine of the angle to which a limb or torso turns away at its silhouette; 0 would be a flat board."""

_STOOP = 0.28
"""Tangent of the angle at which a hem is seen from above when the camera stands at chest height three metres away."""

_CHEST = 0.2
"""Where that chest is, as a share of the clothed height from the top."""


@dataclass(frozen=True)
class Body:
    """Cloth as limbs and a torso of round section: ``half`` (h,w) half width in pixels, ``side`` (h,w) -1..1 from the
    left silhouette over the axis, 0, to the right one."""

    half: F32
    side: F32


def body(cover: F32) -> Body:
    """Read the section of every limb off the soft mask (h,w): distance from the edge against that of the axis."""
    inside = np.pad(cover > 0.5, 1)
    distance = ndimage.distance_transform_edt(inside)[1:-1, 1:-1].astype(np.float32)
    size = max(cover.shape)
    reach = max(3, round(0.07 * size))
    half = ndimage.maximum_filter(distance, size=2 * reach + 1)
    half = np.maximum(ndimage.gaussian_filter(half, reach / 2), 1.0)
    smooth = ndimage.gaussian_filter(distance, max(1.0, 0.008 * size))
    slope = np.gradient(smooth, axis=1)
    outward = -slope / np.maximum(np.hypot(slope, np.gradient(smooth, axis=0)), 0.15)
    side = np.clip(1.0 - distance / half, 0.0, 1.0) * outward * (cover > 0.5)
    return Body(half, np.clip(ndimage.gaussian_filter(side, max(1.0, 0.006 * size)), -1.0, 1.0))


def bend(relief: F32, cover: F32, shape: Body, standing: bool) -> tuple[F32, F32]:
    """Relief of the folds (log shading) and soft mask, both (h,w) -> displacement (du, dv) in pixels of that grid.

    Bright is taken for high and dark for deep (Langer and Zucker 1994: shape from shading on a cloudy day).  Towards a
    silhouette the pattern is compressed sideways as on a cylinder; on a ``standing`` person, rounds below the chest
    are seen from above, so that stripes sag in the middle.  Cloth that lies flat has a third of the roundness.
    """
    size = float(max(cover.shape))
    weight = np.clip(cover, 0.0, 1.0)
    near = blur(relief, weight, max(1.0, 0.009 * size))
    folds = near - blur(relief, weight, 0.07 * size)
    folds = np.where(weight > 0.5, np.clip(folds, -0.6, 0.6), 0.0).astype(np.float32)
    folds = ndimage.gaussian_filter(folds, max(1.0, 0.006 * size))
    slope_y, slope_x = np.gradient(ndimage.gaussian_filter(folds, max(1.0, 0.008 * size)))
    turn_x, turn_y = _turn(shape, cover, standing)
    across = _RISE[0] * size * folds + _DRAW * size**2 * slope_x + turn_x
    down = _RISE[1] * size * folds + _DRAW * size**2 * slope_y + turn_y
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _turn(shape: Body, cover: F32, standing: bool) -> tuple[F32, F32]:
    """Displacement by roundness: with t = ``side`` and k = _ROUND a point lies at arc length asin(k t)/k of the half
    width, and its depth sqrt(1 - (k t)^2) sinks below the axis by the tangent of the view from above."""
    bent = _ROUND * shape.side
    across = shape.half * (np.arcsin(bent) / _ROUND - shape.side)
    if not standing:
        return np.asarray(across / 3.0, np.float32), np.zeros_like(across)
    rows = np.flatnonzero((cover > 0.5).any(axis=1))
    top, height = (rows[0], rows[-1] - rows[0] + 1) if rows.size else (0, 1)
    below = (np.arange(cover.shape[0], dtype=np.float32) - top) / height - _CHEST
    stoop = _STOOP * np.clip(below, -_CHEST, 1.0)[:, None]
    down = -stoop * shape.half / _ROUND * (np.sqrt(1.0 - bent**2) - 1.0 + 0.5 * (1.0 - np.sqrt(1.0 - _ROUND**2)))
    return np.asarray(across, np.float32), np.asarray(down * (cover > 0.3), np.float32)


def limit(du: F32, dv: F32, most: float) -> tuple[F32, F32]:
    """Bound the length of displacements softly below ``most``."""
    length = np.hypot(du, dv)
    share = most * np.tanh(length / most) / np.maximum(length, 1e-6)
    return np.asarray(du * share, np.float32), np.asarray(dv * share, np.float32)
