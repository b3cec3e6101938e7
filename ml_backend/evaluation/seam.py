"""Seam ratio: does a tile's border look like any other line through it?"""

from __future__ import annotations

import numpy as np
from PIL import Image


def seam_ratio(image: Image.Image) -> float:
    """The larger, over both directions, of mean jump across the wrapped border / mean jump between neighbours inside.

    Jumps are absolute differences in 8-bit RGB.  1 or below: no seam to be seen; 0: the border is calm.  Where the
    inside hardly changes, one level counts as its jump.
    """
    pixels = np.asarray(image.convert("RGB"), np.float64)
    ratios = []
    for axis in (0, 1):
        inside = np.abs(np.diff(pixels, axis=axis)).mean()
        border = np.abs(np.take(pixels, 0, axis=axis) - np.take(pixels, -1, axis=axis)).mean()
        ratios.append(border / max(inside, 1.0))
    return float(max(ratios))
