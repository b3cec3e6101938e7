"""The inks of a cloth: few colours, and how much of each lies where."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, maximum_filter, median_filter

from ...colour import lab, written

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bits = NDArray[np.bool_]

_SAMPLES = 6000
_ROUNDS = 14
_SOFT = 5.0
"""Distance in CIELAB by which one ink lets the next begin."""
_RIM = 0.006
"""Half of the greatest width of a rim, as a share of the tile."""
_BETWEEN = 16.0
"""Distance in CIELAB up to which a colour lies between two others."""


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
    inks = without_rims(inks, calm)
    inks = inks[np.argsort(-inks.mean(axis=(1, 2)), kind="stable")]
    return inks, tuple(written(colour) for colour in _colours(inks, rgb))


def without_rims(inks: F32, rgb: F32) -> F32:
    """``inks`` (K, H, W) without the thin rims that a lens draws: where two inks meet, their blur has a third's colour.

    What lies in a line thinner than twice :data:`_RIM` between two other inks, and has a colour between theirs in
    ``rgb`` (sRGB in 0..255), becomes so much of the one and so much of the other.  Lines of a colour of their own stay.
    """
    wide = max(1, round(_RIM * rgb.shape[0]))
    masks = [inks.argmax(axis=0) == k for k in range(len(inks))]
    bodies = [_opened(mask, wide) for mask in masks]
    near = [_grown(body, 2 * wide + 1) for body in bodies]
    colours = np.array([np.median(rgb[body], axis=0) if body.any() else (0, 0, 0) for body in bodies], np.float32)
    mended, least = inks.copy(), np.full(rgb.shape[:2], _BETWEEN**2)
    for rim in range(len(inks)):
        thin = masks[rim] & ~_grown(bodies[rim], 1)
        for one, other in combinations([k for k in range(len(inks)) if k != rim and bodies[k].any()], 2):
            place = np.nonzero(thin & near[one] & near[other])
            begin, way = colours[one], colours[other] - colours[one]
            share = np.clip((rgb[place] - begin) @ way / max(1.0, float(way @ way)), 0, 1)
            off = np.square(lab(rgb[place]) - lab((begin + share[:, None] * way).astype(np.float32))).sum(axis=1)
            better = off < least[place]
            rows, columns = place[0][better], place[1][better]
            least[rows, columns] = off[better]
            mended[:, rows, columns] = 0
            mended[one, rows, columns], mended[other, rows, columns] = 1 - share[better], share[better]
    return mended


def _opened(mask: Bits, wide: int) -> Bits:
    """Without what is thinner than ``2 * wide + 1`` pixels; the plane goes on beyond its edges."""
    pad = 2 * wide + 1
    open_ = binary_opening(np.pad(mask, pad, mode="wrap"), _disc(wide))
    return np.asarray(open_[pad:-pad, pad:-pad])


def _grown(mask: Bits, wide: int) -> Bits:
    grown = maximum_filter(mask, footprint=_disc(wide), mode="wrap")
    return np.asarray(grown)


def _disc(wide: int) -> Bits:
    y, x = np.mgrid[-wide : wide + 1, -wide : wide + 1]
    return np.asarray(x * x + y * y <= (wide + 0.5) ** 2)


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
