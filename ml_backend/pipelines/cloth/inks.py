"""The inks of a cloth: few colours, and how much of each lies where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ...colour import lab, written

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_SAMPLES = 6000
_ROUNDS = 14
_SOFT = 5.0
"""Distance in CIELAB by which one ink lets the next begin."""


def separated(rgb: F32, count: int) -> tuple[F32, tuple[str, ...]]:
    """sRGB float32 (H, W, 3) in 0..255 -> coverage (count, H, W), each pixel summing to 1, and ``count`` hex colours.

    Colours are the centres of k-means in CIELAB, then moved so that coverage times colour comes nearest to the picture.
    The commonest is the ground and comes first, as palettes have it.
    """
    calm = median_filter(rgb, (3, 3, 1), mode="wrap")
    values = lab(calm)
    centres = _centres(values.reshape(-1, 3), count)
    away = np.square(values[None] - centres[:, None, None]).sum(axis=3)
    near = np.exp(-(away - away.min(axis=0)) / (2 * _SOFT**2))
    inks = (near / near.sum(axis=0)).astype(np.float32)
    inks = inks[np.argsort(-inks.mean(axis=(1, 2)), kind="stable")]
    return inks, tuple(written(colour) for colour in _colours(inks, rgb))


def _colours(inks: F32, rgb: F32) -> F64:
    """sRGB in 0..1 (K, 3): least squares of coverage times colour against the picture, held near each ink's mean."""
    flat, seen = inks.reshape(len(inks), -1).astype(np.float64), rgb.reshape(-1, 3).astype(np.float64) / 255
    weight = flat.sum(axis=1)
    means = flat @ seen / np.maximum(weight, 1e-9)[:, None]
    hold = 0.05 * np.diag(weight + 1.0)
    return np.clip(np.linalg.solve(flat @ flat.T + hold, flat @ seen + hold @ means), 0, 1)


def _centres(values: F32, count: int) -> F32:
    """k-means begun with the colours farthest apart (k-means++ without its chance), on evenly taken samples."""
    taken = values[:: max(1, len(values) // _SAMPLES)].astype(np.float64)
    centres = [np.median(taken, axis=0)]
    away = np.square(taken - centres[0]).sum(axis=1)
    while len(centres) < count:
        # the far tail is noise: a centre begins where a good number of samples lie
        centres.append(taken[int(np.argsort(away)[int(0.985 * (len(away) - 1))])])
        away = np.minimum(away, np.square(taken - centres[-1]).sum(axis=1))
    found = np.array(centres)
    for _ in range(_ROUNDS):
        nearest = np.square(taken[:, None] - found[None]).sum(axis=2).argmin(axis=1)
        for k in range(count):
            own = taken[nearest == k]
            if len(own):
                found[k] = own.mean(axis=0)
    return found.astype(np.float32)
