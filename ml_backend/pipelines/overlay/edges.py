"""The borders of what is dressed: soft, and without a rim of the old cloth.

A pixel on a border mixes old cloth F and what lies beyond it, B: I = a F + (1 - a) B.  Both are estimated from their
clean surroundings, mended by the pixel itself (fast foreground estimation, Forte 2021; Germer et al. 2020), and only
(1 - a) B goes into the look.  Where the two colours differ clearly the pixel also tells its own share a, for a mask is
seldom right to the pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ...colour import to_linear
from .grids import Window
from .maps import fill, resize

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

FEATHER = 0.9
"""Gaussian sigma, in photo pixels, that rounds hard borders."""

MARGIN = 2
"""Pixels that the rounding reaches."""

SIDE = 960
"""Longest side of the grid of clean colours."""

_APART = (0.02, 0.08)
"""Squared distance of the two colours, in gamma-coded light, from which a pixel's own share is heard and believed."""


def shares(mask: F32, labels: U8 | None, chosen: Sequence[U8 | None]) -> list[F32]:
    """How much of each pixel (h,w) each garment takes, at most the mask together; rounded at the borders.

    ``chosen``: for each garment the classes it covers as a table of 256 zeros and ones, None for all.  The outermost
    :data:`MARGIN` pixels of what is given are not to be used, unless the photo ends there.
    """
    soft = _round(mask)
    whole = np.minimum(mask, soft)
    if labels is None or (len(chosen) == 1 and chosen[0] is None):
        return [whole] * len(chosen)
    result = []
    for table in chosen:
        part = mask if table is None else mask * table[labels]
        result.append(np.asarray(whole * np.minimum(1.0, _round(part) / np.maximum(soft, 1e-6)), np.float32))
    return result


def _round(plane: F32) -> F32:
    return np.asarray(ndimage.gaussian_filter(plane, FEATHER, truncate=MARGIN / FEATHER, mode="nearest"), np.float32)


@dataclass(frozen=True)
class Colours:
    """Clean colours on a grid (h, w, 3) in linear light: of the old cloth, and of what is around and behind it."""

    box: Box
    cloth: F32
    ground: F32

    @classmethod
    def of(cls, photo: Image.Image, share: F32, box: Box) -> Colours:
        """``share`` (h, w) at any resolution, of what is to be dressed in ``box`` of the photo."""
        width, height = box[2] - box[0], box[3] - box[1]
        factor = min(1.0, SIDE / max(width, height))
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        linear = to_linear(np.asarray(photo.resize(size, Image.Resampling.BOX, box=box)))
        part = resize(share, *size, Image.Resampling.BOX)
        around = ndimage.maximum_filter(part, 3) < 0.02
        within = ndimage.minimum_filter(part, 3) > 0.98
        return cls(box, _clean(linear, within, part), _clean(linear, around, 1.0 - part))

    def behind(
        self, pixels: F32, share: F32, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], strip: Box
    ) -> tuple[F32, F32]:
        """Pixels (n, 3) in linear light on the border and their share (n,) -> mended share, light behind the cloth.

        ``rows`` and ``columns`` count within ``strip``.
        """
        window = Window.of(
            np.arange(strip[1], strip[3], dtype=np.float32) + 0.5,
            np.arange(strip[0], strip[2], dtype=np.float32) + 0.5,
            self.box,
            self.cloth.shape[:2],
        )
        cloth, ground = window.at(self.cloth, rows, columns), window.at(self.ground, rows, columns)
        old, back, seen = (np.sqrt(np.maximum(plane, 0.0)) for plane in (cloth, ground, pixels))
        apart = np.square(old - back).sum(-1)
        own = np.clip(((seen - back) * (old - back)).sum(-1) / np.maximum(apart, 1e-6), 0.0, 1.0)
        heard = np.clip((apart - _APART[0]) / (_APART[1] - _APART[0]), 0.0, 1.0)
        mended = share + 0.8 * heard * (np.maximum(own, share) - share)
        left = (1.0 - mended)[:, None]
        behind = ground + left * (pixels - mended[:, None] * cloth - left * ground)
        return np.asarray(mended, np.float32), np.asarray(np.clip(behind, 0.0, 1.0), np.float32)


def _clean(linear: F32, sure: npt.NDArray[np.bool_], part: F32) -> F32:
    if not sure.any():
        sure = part >= float(part.max(initial=0.0))
    return fill(linear, sure.astype(np.float32))
