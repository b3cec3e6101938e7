"""What the renderer knows and a photo only hints at: the light on the cloth, and how each piece carries a pattern.

The overlay estimates both from pictures; for a rendered garment they are written out exactly and used instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, find_objects, gaussian_filter

from ml_backend.garments import LIGHT_CODE, REACH

from .mesh import F

EVENLY_LIT = 68.0
"""The percentile of the light on a garment that counts as evenly lit, S = 1."""

MOST_STRETCH = 0.30
"""How much a pattern may be drawn out on the crest of a fold."""

I = NDArray[np.int64]  # noqa: E741


def light_map(light: F, cover: F) -> NDArray[np.uint8]:
    """Light (H, W) summed over the covered part of each pixel, and that part (H, W) -> coded S; 1 off the garment."""
    within = cover > 0.02
    level = np.where(within, light / np.maximum(cover, 0.02), 0.0)
    even = np.percentile(level[cover > 0.9], EVENLY_LIT) if (cover > 0.9).any() else 1.0
    shading = np.where(within, level / even, 1.0)
    coded: NDArray[np.uint8] = np.rint(np.sqrt(np.clip(shading / LIGHT_CODE, 0.0, 1.0)) * 255).astype(np.uint8)
    return coded


def bend_map(place: F, piece: I, longest: float, spread: float) -> NDArray[np.uint8]:
    """How each piece carries the pattern -> (h, w, 3) uint8: G, B code the displacement as the overlay's preview does.

    place (h, w, 2): where on the flat piece, in picture pixels, y down, each pixel lies.  piece (h, w): its number,
    -1 off the garment.  longest: the picture's longest side in pixels.  spread: sigma, on this grid, above which bends
    are the body's and not a fold's.  Each piece is brought to its own place by an affine map; what remains is kept
    where it varies quickly, and every piece but the largest is shifted a little, as pieces cut apart are.
    """
    height, width = piece.shape
    step = longest / max(height, width)
    y, x = np.mgrid[0:height, 0:width]
    here = np.stack([x, y], axis=-1) * step
    coded = np.zeros((height, width, 3), np.uint8)
    coded[..., 1:] = 128
    reach = REACH * longest
    numbers, sizes = np.unique(piece[piece >= 0], return_counts=True)
    for order, number in enumerate(numbers[np.argsort(-sizes, kind="stable")]):
        box = find_objects((piece == number).astype(np.int8))[0]
        rows = piece[box] == number
        apart = np.array([np.cos(2.4 * order), np.sin(2.4 * order)]) * (0.5 if order else 0.0)
        bend = _gentle(_quick(place[box], here[box], rows, spread), rows, step)
        share = apart + 0.45 * np.tanh(bend[rows] / (0.45 * reach))
        coded[..., 1:][box][rows] = np.rint(np.clip(share, -1, 1) * 127 + 128).astype(np.uint8)
    return coded


def _gentle(bend: F, rows: NDArray[np.bool_], step: float) -> F:
    """Scaled down where a crest would smear the pattern: its scale along x and y stays above ``1 - MOST_STRETCH``."""
    inner = binary_erosion(rows, iterations=3)
    if not inner.any():
        return bend
    slopes = np.stack([np.gradient(bend[..., 0], axis=1), np.gradient(bend[..., 1], axis=0)])[:, inner] / step
    steepest = -float(np.percentile(slopes, 1.0))
    return bend * min(1.0, MOST_STRETCH / max(steepest, 1e-6))


def _quick(place: F, here: F, rows: NDArray[np.bool_], spread: float) -> F:
    """The part of ``place`` on one piece that no affine map and no slow bend explains (h, w, 2)."""
    basis = np.column_stack([np.ones(int(rows.sum())), here[rows]])
    rest = np.zeros_like(place)
    if len(basis) < 30:
        return rest
    fitted, *_ = np.linalg.lstsq(basis, place[rows], rcond=None)
    rest[rows] = place[rows] - basis @ fitted
    weight = gaussian_filter(rows.astype(np.float64), spread)
    fine = gaussian_filter(rows.astype(np.float64), 2.0)
    for k in range(2):
        slow = gaussian_filter(rest[..., k], spread) / np.maximum(weight, 1e-6)
        smooth = gaussian_filter(rest[..., k], 2.0) / np.maximum(fine, 1e-6)
        rest[..., k] = (smooth - slow) * rows
    return rest
