"""Flatten the light on a cloth: its slow changes of brightness go, its pattern stays.

Light multiplies what a cloth reflects, so in the logarithm it is a sum, and its slow part can be taken away (the
homomorphic filter of Oppenheim, Schafer and Stockham 1968).  A mean over exactly one repeat knows light from pattern:
the pattern has the same mean everywhere, whatever is left changes with the light.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter1d

from ...colour import decode, encode

F32 = NDArray[np.float32]

_DARKEST = 0.004
"""Linear light below which a camera saw noise only."""
_MOST = 1.6
"""How much more or less, as a logarithm, light may differ from its mean."""


def flattened(rgb: F32, period: tuple[float, float] | None = None) -> F32:
    """sRGB float32 (H, W, 3) in 0..255 -> the same under even light.

    ``period`` is the repeat (width, height) in pixels; without one, what changes slower than a fifth of the picture
    counts as light.
    """
    return evened(rgb, evening(rgb, period))


def evening(rgb: F32, period: tuple[float, float] | None = None) -> F32:
    """What linear light must be multiplied by to be even, (H, W); see :func:`flattened`."""
    seen = np.log(np.maximum(_linear(rgb) @ np.array([0.2126, 0.7152, 0.0722], np.float32), _DARKEST))
    if period is None:
        slow = gaussian_filter(seen, 0.2 * min(seen.shape), mode="nearest")
    else:
        slow = _mean_of_a_repeat(seen, period)
    return np.asarray(np.exp(np.clip(slow.mean() - slow, -_MOST, _MOST)), np.float32)


def evened(rgb: F32, gain: F32) -> F32:
    """sRGB in 0..255 (H, W, 3) under ``gain`` times the light; ``gain`` may be coarser, light changes slowly."""
    if gain.shape != rgb.shape[:2]:
        gain = np.asarray(Image.fromarray(gain).resize(rgb.shape[1::-1], Image.Resampling.BILINEAR))
    return np.asarray(encode(np.clip(_linear(rgb) * gain[..., None], 0, 1)) * 255, np.float32)


def _linear(rgb: F32) -> F32:
    return decode(np.clip(rgb, 0, 255) / np.float32(255))


def _mean_of_a_repeat(seen: F32, period: tuple[float, float]) -> F32:
    """Over windows of one repeat.  Where a window would reach out of the picture, the nearest whole one counts: half a
    repeat has another mean.  What is left is smoothed by the light's own slowness.
    """
    slow = seen
    for axis, side in ((0, period[1]), (1, period[0])):
        window = max(3, round(side))
        if seen.shape[axis] <= window + 2:
            return np.full_like(seen, seen.mean())  # no two windows to compare
        slow = uniform_filter1d(slow, window, axis=axis, mode="nearest")
        inside = [slice(None), slice(None)]
        inside[axis] = slice(window // 2, seen.shape[axis] - (window - window // 2) + 1)
        lost = [(0, 0), (0, 0)]
        lost[axis] = (window // 2, window - window // 2 - 1)
        slow = np.pad(slow[tuple(inside)], lost, mode="edge")
    return np.asarray(gaussian_filter(slow, 0.4 * max(period), mode="nearest"), np.float32)
