"""Maps kept on a coarse grid, read at any pixel of the photo.

A grid (h, w) spans a box of the photo; node (i, j) lies in the middle of its cell.  What is read for a pixel depends on
nothing but its own position, so a picture comes out the same in one piece or in strips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Taps:
    """Where positions along one axis lie between nodes: ``low`` (n,) and ``high`` (n,) nodes, ``share`` of the high."""

    low: I64
    high: I64
    share: F32

    @classmethod
    def of(cls, positions: F32, start: int, end: int, nodes: int) -> Taps:
        """``positions`` in photo pixels; the grid's ``nodes`` span ``start`` to ``end``."""
        at = (positions.astype(np.float64) - start) * (nodes / (end - start)) - 0.5
        base = np.floor(at)
        low = np.clip(base, 0, nodes - 1).astype(np.int64)
        return cls(low, np.minimum(low + 1, nodes - 1), np.clip(at - low, 0.0, 1.0).astype(np.float32))

    @property
    def nearest(self) -> I64:
        return np.where(self.share > 0.5, self.high, self.low)

    @property
    def cell(self) -> I64:
        """Index of the cell between two nodes; the last one counts for what lies beyond."""
        return self.low


@dataclass(frozen=True)
class Window:
    """Some rows and columns of pixels on a grid."""

    down: Taps
    across: Taps

    @classmethod
    def of(cls, rows: F32, columns: F32, box: Box, shape: tuple[int, int]) -> Window:
        """``rows`` and ``columns``: pixel centres of the photo; ``box`` and ``shape``: those of the grid."""
        left, top, right, bottom = box
        return cls(Taps.of(rows, top, bottom, shape[0]), Taps.of(columns, left, right, shape[1]))

    def read(self, plane: F32) -> F32:
        """Bilinear, (rows, columns)."""
        first, last = int(self.down.low.min(initial=0)), int(self.down.high.max(initial=0)) + 1
        band = plane[first:last]
        wide = band[:, self.across.low]
        wide += (band[:, self.across.high] - wide) * self.across.share
        upper = wide[self.down.low - first]
        upper += (wide[self.down.high - first] - upper) * self.down.share[:, None]
        return np.asarray(upper, np.float32)

    def at(self, plane: F32, rows: I64, columns: I64) -> F32:
        """Bilinear at some of the pixels, by their row and column numbers; ``plane`` (h, w, ...)."""
        top, bottom, down = self.down.low[rows], self.down.high[rows], self.down.share[rows]
        left, right, across = self.across.low[columns], self.across.high[columns], self.across.share[columns]
        if plane.ndim == 3:
            down, across = down[:, None], across[:, None]
        upper = plane[top, left] + (plane[top, right] - plane[top, left]) * across
        lower = plane[bottom, left] + (plane[bottom, right] - plane[bottom, left]) * across
        return np.asarray(upper + (lower - upper) * down, np.float32)

    def nearest(self, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return plane[np.ix_(self.down.nearest, self.across.nearest)]

    def cells(self, marked: Bools) -> tuple[I64, I64]:
        """The pixels (row and column numbers) whose cell is marked in (h, w), by its upper left node."""
        if not marked.any():
            none = np.zeros(0, np.int64)
            return none, none
        rows, columns = np.nonzero(marked[np.ix_(self.down.cell, self.across.cell)])
        return rows, columns
