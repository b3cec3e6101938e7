"""Coarse maps brought to the photo's own edges at full resolution.

The fast guided filter (He and Sun 2015, "Fast Guided Filter") with a colour guide (He, Sun and Tang 2013): in each
window the map is a linear function of the photo's colours, q = a . I + b.  The coefficients are found on a reduced
photo and enlarged; only q is computed at full size, and only near the map's own borders: elsewhere the coarse map is
sure, and cloth whose print looks like the background stays whole.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ..errors import BadInput

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

GUIDE_SIDE = 1024
"""Longest side, in pixels, of the photo on which the coefficients are found."""

_REACH = 1.6
"""How far a border may move, in pixels of the coarse map."""

_WINDOW = 9.0
"""Radius of the first pass's windows in the same pixels: colours are learnt from more than may change, so that a strap
or a bag's edge is told from cloth by what the cloth around looks like."""

_EPSILON = 1e-3
"""Variance of colour (0..1 squared) below which the photo shows no edge."""

_CONTRAST = 1.8
"""The linear model greys what lies between two similar colours; this takes the grey back."""

_MIDDLE = 0.46
"""Value that becomes one half at full size: a shade below it, so that a border keeps no thread of the old cloth."""

_TILE = 256
_THREADS = 2
"""Tiles that are worked on at a time: NumPy and Pillow let go of the interpreter while they compute."""
_WHITE = np.float32(255)


def refine(photo: U8, coarse: F32, side: int = GUIDE_SIDE) -> F32:
    """Photo uint8 (H,W,3) and maps float32 (C,h,w) or (h,w) in 0..1 -> float32 (C,H,W) or (H,W) in 0..1.

    Each map is refined on its own, by a photo reduced to ``side`` pixels; the answer is always a fresh array that may
    be written to.  Raises :class:`BadInput` for other shapes.
    """
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise BadInput("The photo to refine by must be 8-bit RGB.")
    if coarse.ndim not in (2, 3) or 0 in coarse.shape:
        raise BadInput("The map to refine must have the shape (classes, height, width).")
    if coarse.ndim == 2:
        return _refine_one(photo, coarse, side)
    return np.stack([_refine_one(photo, plane, side) for plane in coarse])


def refine_together(photo: U8, planes: F32) -> F32:
    """Maps (K,h,w) in 0..1 that part one another, as garments do, brought to the photo's edges: (K,H,W) in 0..1.

    Made for a small photo: the windows' colours are counted once for all maps, and no map is worked on at another size.
    Raises :class:`BadInput` as :func:`refine` does.
    """
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise BadInput("The photo to refine by must be 8-bit RGB.")
    if planes.ndim != 3 or 0 in planes.shape:
        raise BadInput("The maps to refine must have the shape (maps, height, width).")
    height, width = photo.shape[:2]
    guide = photo.astype(np.float32) / _WHITE
    cell = max(photo.shape) / max(planes.shape[1:])
    start = [np.clip(_resize(plane, width, height), np.float32(0), np.float32(1)) for plane in planes]
    bounds = [_sure(plane, max(2, round(_REACH * cell))) for plane in start]
    near = start
    radius = max(2, round(_WINDOW * cell))
    for window in (_Windows(guide, radius), _Windows(guide, max(2, radius // 3))):
        models = (window.coefficients(plane) for plane in near)
        near = [
            np.clip(_contrast(_evaluate(guide, model), 0.5), *pair) for model, pair in zip(models, bounds, strict=True)
        ]
    return np.stack(near)


def _refine_one(photo: U8, coarse: F32, side: int) -> F32:
    height, width = photo.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    start = np.clip(_resize(coarse.astype(np.float32), *size), np.float32(0), np.float32(1))
    cell = max(size) / max(coarse.shape)
    low, high = _sure(start, max(2, round(_REACH * cell)))
    if not bool((high > low).any()):
        return _resize(start, width, height)
    near, finer = start, start[None]
    for reduced, share in _PASSES:
        near, finer = _followed(photo, near, low, high, reduced, share * _WINDOW * cell)
    return _full(photo, finer, low, high)


_PASSES = ((4, 1.0), (2, 0.5), (2, 0.25))
"""The map is brought near the edges, nearer, then onto them: how much smaller each pass works than the bounds, and its
windows' radius as a share of the first's."""


def _followed(photo: U8, near: F32, low: F32, high: F32, reduced: int, radius: float) -> tuple[F32, F32]:
    """The map (h/r,w/r) brought nearer to the photo's edges, and the coefficients (4,h/r,w/r) that do it.

    Only where the bounds differ, and as far around as windows look: the window of means, and the window over which
    coefficients are averaged.
    """
    rows, columns = (max(1, round(side / reduced)) for side in low.shape)
    guide = _guide(photo, columns, rows)
    near, low, high = (_resize(plane, columns, rows) for plane in (near, low, high))
    reach = max(2, round(radius / reduced))
    window = _undecided(low, high, 2 * reach + 3)
    finer = np.zeros((4, rows, columns), np.float32)
    finer[:, *window] = _coefficients(guide[window], near[window], reach)
    near[window] = np.clip(_contrast(_evaluate(guide[window], finer[:, *window]), 0.5), low[window], high[window])
    return near, finer


def _guide(photo: U8, width: int, height: int) -> F32:
    """The photo in 0..1 at another size."""
    small = Image.fromarray(photo).resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small, np.float32) / _WHITE


def _undecided(low: F32, high: F32, margin: int) -> tuple[slice, slice]:
    """The rectangle that holds all pixels whose bounds differ, and ``margin`` more on each side."""
    rows, columns = (np.flatnonzero((high > low).any(axis=axis)) for axis in (1, 0))
    return tuple(slice(max(0, int(each[0]) - margin), int(each[-1]) + margin + 1) for each in (rows, columns))  # type: ignore[return-value]


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
    return _Windows(guide, radius).coefficients(plane)


class _Windows:
    """What windows of one size hold of a guide (h,w,3), for as many maps as there are."""

    def __init__(self, guide: F32, radius: int) -> None:
        self.guide, self.size = guide, 2 * radius + 1
        self.mean = _mean(guide, self.size)
        self.spread = [
            _mean(guide[..., i] * guide[..., j], self.size) - self.mean[..., i] * self.mean[..., j] for i, j in _PAIRS
        ]

    def coefficients(self, plane: F32) -> F32:
        """The local linear model of a map (h,w): (4,h,w)."""
        mean_plane = _mean(plane, self.size)
        shared = _mean(self.guide * plane[..., None], self.size) - self.mean * mean_plane[..., None]
        slope = _solve_symmetric(self.spread, shared)
        offset = mean_plane - (slope * self.mean).sum(-1)
        return np.stack([_mean(p, self.size) for p in (*np.moveaxis(slope, -1, 0), offset)])


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
    model, bounds = [_picture(plane) for plane in coefficients], [_picture(plane) for plane in (low, high)]

    def work(top: int, left: int) -> None:
        bottom, right = min(height, top + _TILE), min(width, left + _TILE)
        tile = (left / width, top / height, right / width, bottom / height)
        reach = (
            slice(max(0, int(tile[1] * rows) - 1), int(np.ceil(tile[3] * rows)) + 1),
            slice(max(0, int(tile[0] * columns) - 1), int(np.ceil(tile[2] * columns)) + 1),
        )
        target = result[top:bottom, left:right]
        if bool((low[reach] == high[reach]).all()) and np.ptp(low[reach]) == 0:
            target[:] = low[reach].flat[0]
            return
        size = (right - left, bottom - top)
        local = [_part(plane, tile, size) for plane in model]
        colours = np.ascontiguousarray(photo[top:bottom, left:right].transpose(2, 0, 1), np.float32)
        value = local[3] + sum(slope * colour for slope, colour in zip(local, colours, strict=False)) / _WHITE
        value = _contrast(value, _MIDDLE)
        np.clip(value, *(_part(plane, tile, size) for plane in bounds), out=target)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(work, *zip(*product(range(0, height, _TILE), range(0, width, _TILE)), strict=True)))
    return result


def _picture(plane: F32) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane))


def _resize(plane: F32, width: int, height: int) -> F32:
    return _part(_picture(plane), (0, 0, 1, 1), (width, height))


def _part(picture: Image.Image, part: tuple[float, float, float, float], size: tuple[int, int]) -> F32:
    """The ``part`` of a plane (left, top, right, bottom in 0..1) at another size.

    A copy of one's own: what NumPy sees of a Pillow picture without copying can only be read.
    """
    width, height = picture.size
    box = (part[0] * width, part[1] * height, part[2] * width, part[3] * height)
    return np.array(picture.resize(size, Image.Resampling.BILINEAR, box=box), np.float32)
