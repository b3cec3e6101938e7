"""Triangles to pixels with a depth buffer, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741


@dataclass(frozen=True)
class Fragments:
    """The visible surface: ``pixel`` (n,) flat index, ``triangle`` (n,), ``bary`` (n, 3), ``depth`` (n,)."""

    shape: tuple[int, int]
    pixel: I
    triangle: I
    bary: F
    depth: F

    def pick(self, faces: I, value: F) -> F:
        """Interpolate per-vertex values (V,) or (V, C) at the fragments."""
        return self.blend(value[faces[self.triangle]])

    def blend(self, corners: F) -> F:
        """Interpolate values given per fragment and corner: (n, 3) or (n, 3, C)."""
        bary = self.bary if corners.ndim == 2 else self.bary[:, :, None]
        return np.asarray((corners * bary).sum(axis=1))

    def plane(self, value: F, empty: float = 0.0) -> F:
        """Scatter fragment values to an image (H, W) or (H, W, C)."""
        out = np.full((self.shape[0] * self.shape[1], *value.shape[1:]), empty)
        out[self.pixel] = value
        return out.reshape(*self.shape, *value.shape[1:])


def rasterise(points: F, faces: I, shape: tuple[int, int], bias: F | None = None) -> Fragments:
    """``points`` (V, 3): x, y in pixels (pixel centres at .5), z nearer when larger; ``bias`` (T,) is added to z.

    Returns the nearest fragment of every covered pixel.
    """
    corners = points[faces]
    low = np.floor(corners[:, :, :2].min(axis=1) - 0.5).astype(np.int64)
    high = np.ceil(corners[:, :, :2].max(axis=1) - 0.5).astype(np.int64)
    size = (high - low + 1).max(axis=1)
    top = np.full(shape[0] * shape[1], -np.inf)
    parts: list[tuple[I, I, F, F]] = []
    previous = 0
    for side in (2, 3, 4, 6, 8, 12, 20, 40, 90):
        rows = np.flatnonzero((size > previous) & (size <= side))
        previous = side
        for chunk in np.array_split(rows, max(1, len(rows) * side * side // 2_000_000 + 1)):
            if len(chunk):
                part = _cover(corners, chunk, low, side, shape)
                if bias is not None:
                    part = (part[0], part[1], part[2], part[3] + bias[part[1]])
                np.maximum.at(top, part[0], part[3])
                parts.append(part)
    kept = []
    for pixel, triangle, bary, depth in parts:
        wins = depth >= top[pixel]
        kept.append((pixel[wins], triangle[wins], bary[wins], depth[wins]))
    pixel, triangle, bary, depth = (np.concatenate(column) for column in zip(*kept, strict=True))
    _, first = np.unique(pixel, return_index=True)
    return Fragments(shape, pixel[first], triangle[first], bary[first], depth[first])


def _cover(corners: F, rows: I, low: I, side: int, shape: tuple[int, int]) -> tuple[I, I, F, F]:
    offset = np.arange(side)
    ox, oy = np.meshgrid(offset, offset)
    px = low[rows, 0][:, None] + ox.ravel()[None]
    py = low[rows, 1][:, None] + oy.ravel()[None]
    a, b, c = (corners[rows, k] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    safe = np.where(np.abs(area) < 1e-9, np.inf, area)[:, None]
    x, y = px + 0.5, py + 0.5

    def side_of(p: F, q: F) -> F:
        d = q - p
        return np.asarray(d[:, :1] * (y - p[:, 1:2]) - d[:, 1:2] * (x - p[:, :1]))

    wa, wb = side_of(b, c) / safe, side_of(c, a) / safe
    wc = 1.0 - wa - wb
    good = (wa >= -1e-7) & (wb >= -1e-7) & (wc >= -1e-7) & np.isfinite(safe)
    good &= (px >= 0) & (px < shape[1]) & (py >= 0) & (py < shape[0])
    r, s = np.nonzero(good)
    bary = np.stack([wa[r, s], wb[r, s], wc[r, s]], axis=1)
    depth = (bary * corners[rows[r], :, 2]).sum(axis=1)
    return py[r, s] * shape[1] + px[r, s], rows[r], bary, depth
