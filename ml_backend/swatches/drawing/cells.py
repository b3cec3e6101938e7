"""The nearest of a few sites on the torus: polygons, plates, pebbles."""

from __future__ import annotations

import numpy as np

from .cloth import F32, Floats, Labels


def voronoi(x: Floats, y: Floats, xs: F32, ys: F32) -> tuple[F32, F32, Labels]:
    """Distance to the border between the nearest two sites (about), to the nearest, and the nearest's index."""
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


def nearest(x: Floats, y: Floats, xs: F32, ys: F32) -> Labels:
    """The index of the nearest site on the torus."""
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
