"""The nearest of a few sites on the torus: polygons, plates, pebbles."""

from __future__ import annotations

import numpy as np

from ...lattices import BASIC, Lattice
from .cloth import F32, Floats, Labels

_FAR = 0.6
"""No point of the cloth is farther from the nearest site, in tile sides."""


def voronoi(x: Floats, y: Floats, xs: F32, ys: F32, lattice: Lattice = BASIC) -> tuple[F32, F32, Labels]:
    """Distance to the border between the nearest two sites (about), to the nearest, and the nearest's index."""
    if not lattice.plain:
        return _among_copies(x, y, xs, ys, lattice)
    shape = np.broadcast_shapes(x.shape, y.shape)
    first, second = np.full(shape, 9, np.float32), np.full(shape, 9, np.float32)
    index = np.zeros(shape, np.intp)
    for i, (sx, sy) in enumerate(zip(xs, ys, strict=True)):
        dx, dy = x - sx, y - sy
        dx, dy = dx - np.round(dx), dy - np.round(dy)
        away = np.hypot(dx, dy)
        np.minimum(second, np.maximum(first, away), out=second)
        index[away < first] = i
        np.minimum(first, away, out=first)
    border: F32 = (second - first) * np.float32(0.5)
    return border, first, index


def _among_copies(x: Floats, y: Floats, xs: F32, ys: F32, lattice: Lattice) -> tuple[F32, F32, Labels]:
    """The same with the sites' copies on the lattice, which may be nearer than they are."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    first, second = np.full(shape, 9, np.float32), np.full(shape, 9, np.float32)
    index = np.zeros(shape, np.intp)
    left, right = float(x.min()) - _FAR, float(x.max()) + _FAR
    top, bottom = float(y.min()) - _FAR, float(y.max()) + _FAR
    for copy_x, copy_y in zip(*lattice.copies(xs.astype(np.float64), ys.astype(np.float64), 1 + _FAR), strict=True):
        for i, (sx, sy) in enumerate(zip(copy_x.tolist(), copy_y.tolist(), strict=True)):
            if not (left < sx < right and top < sy < bottom):
                continue
            away = np.hypot(x - np.float32(sx), y - np.float32(sy))
            np.minimum(second, np.maximum(first, away), out=second)
            index[away < first] = i
            np.minimum(first, away, out=first)
    border: F32 = (second - first) * np.float32(0.5)
    return border, first, index


def nearest(x: Floats, y: Floats, xs: F32, ys: F32, lattice: Lattice = BASIC) -> Labels:
    """The index of the nearest site on the torus."""
    if not lattice.plain:
        return _among_copies(x, y, xs, ys, lattice)[2]
    shape = np.broadcast_shapes(x.shape, y.shape)
    least = np.full(shape, 9, np.float32)
    index = np.zeros(shape, np.intp)
    for i, (sx, sy) in enumerate(zip(xs, ys, strict=True)):
        dx, dy = x - sx, y - sy
        dx, dy = dx - np.round(dx), dy - np.round(dy)
        away = dx * dx + dy * dy  # of a row and a column: the squares are cheap
        nearer = away < least
        index[nearer] = i
        np.minimum(least, away, out=least)
    return index
