"""Coarse maps brought to the photo's own edges at full resolution.

The fast guided filter (He and Sun 2015, "Fast Guided Filter") with a colour guide (He, Sun and Tang 2013): in each
window the map is a linear function of the photo's colours, q = a . I + b.  The coefficients are found on a reduced
photo and enlarged; only q is computed at full size, and only near the map's own borders: elsewhere the coarse map is
sure, and cloth whose print looks like the background stays whole.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ..errors import BadInput

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

GUIDE_SIDE = 1024
"""Longest side, in pixels, of the photo on which the coefficients are found."""

_REACH = 1.1
"""Window radius in pixels of the coarse map: how far a border may move."""

_EPSILON = 6e-4
"""Variance of colour (0..1 squared) below which the photo shows no edge."""

_CONTRAST = 1.8
"""The linear model greys what lies between two similar colours; this takes the grey back."""

_MIDDLE = 0.46
"""Value that becomes one half at full size: a shade below it, so that a border keeps no thread of the old cloth."""

_TILE = 256


def refine(photo: U8, coarse: F32) -> F32:
    """Photo uint8 (H,W,3) and maps float32 (C,h,w) or (h,w) in 0..1 -> float32 (C,H,W) or (H,W) in 0..1.

    Each map is refined on its own; the answer is always a fresh array that may be written to.  Raises
    :class:`BadInput` for other shapes.
    """
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise BadInput("The photo to refine by must be 8-bit RGB.")
    if coarse.ndim not in (2, 3) or 0 in coarse.shape:
        raise BadInput("The map to refine must have the shape (classes, height, width).")
    if coarse.ndim == 2:
        return _refine_one(photo, coarse)
    return np.stack([_refine_one(photo, plane) for plane in coarse])


def _refine_one(photo: U8, coarse: F32) -> F32:
    height, width = photo.shape[:2]
    factor = min(1.0, GUIDE_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    guide = np.asarray(
        Image.fromarray(photo).resize(size, Image.Resampling.BOX, reducing_gap=2.0), np.float32
    ) / np.float32(255)
    start = np.clip(_resize(coarse.astype(np.float32), *size), np.float32(0), np.float32(1))
    radius = max(2, round(_REACH * max(size) / max(coarse.shape)))
    low, high = _sure(start, radius)
    if not bool((high > low).any()):
        return _resize(start, width, height)
    finer = np.zeros((4, *start.shape), np.float32)
    window = _undecided(low, high, 2 * radius + 3)
    finer[:, *window] = _followed(guide[window], start[window], low[window], high[window], radius)
    return _full(photo, finer, low, high)


def _undecided(low: F32, high: F32, margin: int) -> tuple[slice, slice]:
    """The rectangle that holds all pixels whose bounds differ, and ``margin`` more on each side."""
    rows, columns = (np.flatnonzero((high > low).any(axis=axis)) for axis in (1, 0))
    return tuple(slice(max(0, int(each[0]) - margin), int(each[-1]) + margin + 1) for each in (rows, columns))  # type: ignore[return-value]


def _followed(guide: F32, start: F32, low: F32, high: F32, radius: int) -> F32:
    """The final coefficients (4,h,w), in two passes: the map is brought near the edges, then onto them.

    Each pass looks twice its radius around: the window of means, and the window over which coefficients are averaged.
    """
    near = _evaluate(guide, _coefficients(guide, start, radius))
    near = np.clip(_contrast(near, 0.5), low, high)
    return _coefficients(guide, near, max(2, radius // 3))


def _sure(start: F32, radius: int) -> tuple[F32, F32]:
    """Lower and upper bounds of the answer: equal where all the map within ``radius`` agrees."""
    size = 2 * radius + 1
    least = ndimage.minimum_filter(start, size)
    most = ndimage.maximum_filter(start, size)
    low = np.where((least > 0.6) & (start > 0.85), 1.0, 0.0).astype(np.float32)
    high = np.where((most < 0.4) & (start < 0.15), 0.0, 1.0).astype(np.float32)
    return low, high


def _coefficients(guide: F32, plane: F32, radius: int) -> F32:
    """(h,w,3) guide and (h,w) map -> (4,h,w): a (3) and b of the local linear model, averaged over the windows."""
    size = 2 * radius + 1
    mean_guide = _mean(guide, size)
    mean_plane = _mean(plane, size)
    shared = _mean(guide * plane[..., None], size) - mean_guide * mean_plane[..., None]
    products = [guide[..., i] * guide[..., j] for i, j in _PAIRS]
    spread = [
        _mean(p, size) - mean_guide[..., i] * mean_guide[..., j] for p, (i, j) in zip(products, _PAIRS, strict=True)
    ]
    slope = _solve_symmetric(spread, shared)
    offset = mean_plane - (slope * mean_guide).sum(-1)
    return np.stack([_mean(p, size) for p in (*np.moveaxis(slope, -1, 0), offset)])


_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def _mean(plane: F32, size: int) -> F32:
    sizes = (size, size) if plane.ndim == 2 else (size, size, 1)
    return np.asarray(ndimage.uniform_filter(plane, sizes, mode="nearest"), np.float32)


def _solve_symmetric(spread: list[F32], right: F32) -> F32:
    """Solve (covariance + epsilon) a = right for every pixel by cofactors; six (h,w) planes, (h,w,3) -> (h,w,3)."""
    rr, rg, rb, gg, gb, bb = spread
    rr, gg, bb = rr + _EPSILON, gg + _EPSILON, bb + _EPSILON
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = np.maximum(rr * c_rr + rg * c_rg + rb * c_rb, np.float32(_EPSILON**3))
    r, g, b = right[..., 0], right[..., 1], right[..., 2]
    rows = [c_rr * r + c_rg * g + c_rb * b, c_rg * r + c_gg * g + c_gb * b, c_rb * r + c_gb * g + c_bb * b]
    return np.asarray(np.stack(rows, -1) / determinant[..., None], np.float32)


def _evaluate(guide: F32, coefficients: F32) -> F32:
    return np.asarray((coefficients[:3] * np.moveaxis(guide, -1, 0)).sum(0) + coefficients[3], np.float32)


def _contrast(plane: F32, middle: float) -> F32:
    return np.asarray(np.clip((plane - middle) * _CONTRAST + 0.5, 0.0, 1.0), np.float32)


def _full(photo: U8, coefficients: F32, low: F32, high: F32) -> F32:
    """Apply the coefficients at full size, tile by tile, where the bounds leave a choice."""
    height, width = photo.shape[:2]
    rows, columns = low.shape
    result = np.empty((height, width), np.float32)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(height, top + _TILE), min(width, left + _TILE)
            box = (left * columns / width, top * rows / height, right * columns / width, bottom * rows / height)
            reach = (
                slice(max(0, int(box[1]) - 1), int(np.ceil(box[3])) + 1),
                slice(max(0, int(box[0]) - 1), int(np.ceil(box[2])) + 1),
            )
            target = result[top:bottom, left:right]
            if bool((low[reach] == high[reach]).all()) and np.ptp(low[reach]) == 0:
                target[:] = low[reach].flat[0]
                continue
            size = (right - left, bottom - top)
            local = np.stack([_resize(plane, *size, box) for plane in coefficients])
            colours = photo[top:bottom, left:right].astype(np.float32) / np.float32(255)
            value = _contrast(_evaluate(colours, local), _MIDDLE)
            np.clip(value, _resize(low, *size, box), _resize(high, *size, box), out=target)
    return result


def _resize(plane: F32, width: int, height: int, box: tuple[float, float, float, float] | None = None) -> F32:
    """A copy of one's own: what NumPy sees of a Pillow picture without copying can only be read."""
    how = Image.Resampling.BILINEAR
    return np.array(Image.fromarray(np.ascontiguousarray(plane)).resize((width, height), how, box=box), np.float32)
