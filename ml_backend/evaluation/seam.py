"""Seam ratio: does a tile's border look like any other line through it?"""

from __future__ import annotations

import numpy as np
from PIL import Image


def seam_ratio(image: Image.Image) -> float:
    """The larger, over both directions, of (mean jump across the wrapped border) / (mean jump between neighbours inside).

    Jumps are absolute differences in 8-bit RGB.  About 1 or below: no seam to be seen; 0 when nothing changes at all.  A
    direction in which the inside is constant counts a jump of less than one level as the inside's.
    """
    pixels = np.asarray(image.convert("RGB"), np.float64)
    ratios = []
    for axis in (0, 1):
        inside = np.abs(np.diff(pixels, axis=axis)).mean()
        border = np.abs(np.take(pixels, 0, axis=axis) - np.take(pixels, -1, axis=axis)).mean()
        ratios.append(border / max(inside, 1.0 if border else 1e-9))
    return float(max(ratios))
