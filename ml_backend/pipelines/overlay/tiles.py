"""Sampling a repeating tile at any scale without aliasing.

The tile is filtered in linear light, wrapping around, to a ladder of sizes a third of an octave apart.  Each pixel
reads the size of which a texel covers it, bilinearly; where the cloth turns away, several such reads along the
longer side of the pixel's footprint stand for it (Feline, McCormack et al. 1999).
"""

from __future__ import annotations

import math
from threading import Lock

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...colour import to_linear
from ...errors import BadInput
from .maps import resize
from .repeats import repeat_cell

F32 = npt.NDArray[np.float32]

MIN_TEXELS, MAX_TEXELS = 2, 2048
"""Bounds of a filtered tile's side."""

RUNGS = 3
"""Sizes an octave."""

MOST_READS = 4
"""Reads along a footprint."""


class _Rung:
    """The tile at one size, as the cell that repeats by plain wrapping."""

    def __init__(self, tile: F32, texels: int, repeat: str) -> None:
        cell = repeat_cell(_resample(tile, texels), repeat)
        self._texels = np.float32(texels)
        self._rows, self._columns = cell.shape[:2]
        self._flat = np.ascontiguousarray(cell.reshape(-1, 3))

    def __call__(self, u: F32, v: F32) -> F32:
        left, right, across = _taps(u, self._texels, self._columns)
        top, bottom, down = _taps(v, self._texels, self._rows)
        top *= self._columns
        bottom *= self._columns
        upper = self._mix(top + left, top + right, across)
        upper += (self._mix(bottom + left, bottom + right, across) - upper) * down
        return upper

    def _mix(self, first: npt.NDArray[np.int32], second: npt.NDArray[np.int32], share: F32) -> F32:
        start = np.take(self._flat, first, axis=0)
        start += (np.take(self._flat, second, axis=0) - start) * share
        return start


class Fabric:
    """A tile made ready to be read."""

    def __init__(self, tile: Image.Image, repeat: str) -> None:
        if min(tile.size) < 1:
            raise BadInput("The pattern tile is empty.")
        self._tile = to_linear(np.asarray(tile.convert("RGB")))
        self._given = max(tile.size)
        self._repeat = repeat
        self._rungs: dict[int, _Rung] = {}
        self._lock = Lock()
        repeat_cell(np.zeros((2, 2, 3), np.float32), repeat)

    def __call__(self, u: F32, v: F32, wide: F32, narrow: F32, along: F32) -> F32:
        """Tile coordinates (n,), in tile sides -> linear light (n, 3).

        ``wide`` and ``narrow`` (n,) are the sides of each pixel's footprint, in tile sides, ``along`` (n,) the angle of
        the longer one.
        """
        side = np.maximum(np.maximum(narrow, wide / MOST_READS), 1e-6)
        reads = np.clip(np.ceil(wide / side - 0.3), 1, MOST_READS).astype(np.int64)
        rungs = np.rint(-RUNGS * np.log2(side)).astype(np.int64)
        result = np.empty((u.size, 3), np.float32)
        kinds = rungs * (MOST_READS + 1) + reads
        for kind in np.unique(kinds):
            here = np.flatnonzero(kinds == kind)
            rung, count = divmod(int(kind), MOST_READS + 1)
            result[here] = self._read(self._rung(rung), count, u[here], v[here], wide[here], along[here])
        return result

    def _read(self, rung: _Rung, count: int, u: F32, v: F32, wide: F32, along: F32) -> F32:
        if count == 1:
            return rung(u, v)
        total = np.zeros((u.size, 3), np.float32)
        across, down = np.cos(along) * wide, np.sin(along) * wide
        for number in range(count):
            at = np.float32((number + 0.5) / count - 0.5)
            total += rung(u + across * at, v + down * at)
        return total / np.float32(count)

    def _rung(self, number: int) -> _Rung:
        texels = _texels(2.0 ** (number / RUNGS), self._given)
        with self._lock:
            if texels not in self._rungs:
                self._rungs[texels] = _Rung(self._tile, texels, self._repeat)
            return self._rungs[texels]


def _taps(position: F32, texels: np.float32, period: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], F32]:
    place = position * texels - np.float32(0.5)
    base = np.floor(place)
    share = (place - base)[:, None]
    first = np.mod(base, np.float32(period)).astype(np.int32)
    second = first + 1
    second[second == period] = 0
    return first, second, np.asarray(share, np.float32)


def _texels(wanted: float, given: int) -> int:
    """An even number of texels, no more than four times what the tile holds."""
    bounded = min(max(wanted, MIN_TEXELS), MAX_TEXELS, 4 * given)
    return max(MIN_TEXELS, 2 * round(bounded / 2))


def _resample(tile: F32, side: int) -> F32:
    """(h,w,3) -> (side,side,3), antialiased, as if the tile lay on an endless plane."""
    height, width = tile.shape[:2]
    if (height, width) == (side, side):
        return tile
    pad_y, pad_x = _margin(height, side), _margin(width, side)
    wide = np.pad(tile, ((pad_y, pad_y), (pad_x, pad_x), (0, 0)), mode="wrap")
    box = (float(pad_x), float(pad_y), float(pad_x + width), float(pad_y + height))
    planes = [resize(wide[..., c], side, side, Image.Resampling.BICUBIC, box) for c in range(3)]
    return np.clip(np.stack(planes, -1), 0.0, 1.0)


def _margin(given: int, wanted: int) -> int:
    """Texels that the bicubic filter can reach beyond the border."""
    return math.ceil(3 * max(1.0, given / wanted))
