"""Sampling a repeating tile at any scale without aliasing.

The tile is filtered once, in linear light and wrapping around, to about one texel a photo pixel; bilinear reads of
that are then sharp and free of moire.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...errors import BadInput
from .colour import to_linear
from .maps import resize
from .repeats import repeat_cell

F32 = npt.NDArray[np.float32]

MIN_TEXELS, MAX_TEXELS = 2, 2048
"""Bounds of the filtered tile's side."""


class Fabric:
    """A tile made ready for one size on the photo."""

    def __init__(self, tile: Image.Image, side_px: float, repeat: str) -> None:
        """``side_px``: how many photo pixels one tile side covers."""
        if min(tile.size) < 1:
            raise BadInput("The pattern tile is empty.")
        pixels = to_linear(np.asarray(tile.convert("RGB")))
        cell = repeat_cell(_resample(pixels, _texels(side_px, max(tile.size))), repeat)
        self._texels = cell.shape[0] if repeat in ("basic", "half-drop", "mirror") else cell.shape[1]
        self._rows, self._columns = cell.shape[:2]
        self._flat = np.ascontiguousarray(cell.reshape(-1, 3))

    def __call__(self, u: F32, v: F32) -> F32:
        """Tile coordinates (n,), in tile sides -> linear light (n,3), bilinear and wrapping."""
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


def _taps(position: F32, texels: int, period: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], F32]:
    place = position * np.float32(texels) - np.float32(0.5)
    base = np.floor(place)
    share = (place - base)[:, None]
    first = np.mod(base, np.float32(period)).astype(np.int32)
    second = first + 1
    second[second == period] = 0
    return first, second, np.asarray(share, np.float32)


def _texels(side_px: float, given: int) -> int:
    """An even number of texels near the tile's side on the photo, and no more than four times what the tile holds."""
    wanted = min(max(round(side_px), MIN_TEXELS), MAX_TEXELS, 4 * given)
    return max(MIN_TEXELS, 2 * round(wanted / 2))


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
    return int(np.ceil(3 * max(1.0, given / wanted)))
