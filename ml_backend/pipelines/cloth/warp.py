"""Rectify: the quadrilateral of a photo where a cloth lies flat, seen straight from above.

Corners are shares of the picture (0..1), x before y, clockwise from the upper left one.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import BadInput

F64 = NDArray[np.float64]

WHOLE = (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0)
LEAST_SIDE = 48
"""Pixels of the photo that a side of the quadrilateral needs."""


def homography(source: F64, target: F64) -> F64:
    """The projective map (3, 3) that takes four points (4, 2) to four others; no three of either lie on a line.

    Solved directly with the last entry set to 1 (Hartley and Zisserman 2004, section 4.1.2).
    """
    rows, wanted = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    solved = np.linalg.solve(np.array(rows, np.float64), np.array(wanted, np.float64))
    return np.append(solved, 1.0).reshape(3, 3)


def check_corners(corners: tuple[float, ...]) -> None:
    """Raises :class:`BadInput` unless they go once round a convex piece that is not a sliver."""
    if len(corners) != 8 or not all(math.isfinite(value) and -0.001 <= value <= 1.001 for value in corners):
        raise BadInput("The corners of the cloth are four points in the photo, each x and y from 0 to 1.")
    points = np.array(corners, np.float64).reshape(4, 2)
    sides = np.roll(points, -1, axis=0) - points
    turns = sides[:, 0] * np.roll(sides, -1, axis=0)[:, 1] - sides[:, 1] * np.roll(sides, -1, axis=0)[:, 0]
    if (turns <= 1e-4).any():
        raise BadInput("The corners must go round the cloth from the upper left one, clockwise, and not cross over.")


def rectified(photo: Image.Image, corners: tuple[float, ...] = WHOLE, most: int = 1024) -> Image.Image:
    """The quadrilateral as an RGB rectangle, its sides the mean lengths of opposite ones, the longer at most ``most``.

    Raises :class:`BadInput` for corners that are none, and for a quadrilateral too small to see cloth in.
    """
    check_corners(corners)
    photo = photo.convert("RGB")
    points = np.array(corners, np.float64).reshape(4, 2) * (photo.width, photo.height)
    top, right, bottom, left = (float(np.hypot(*(b - a))) for a, b in pairwise([*points, points[0]]))
    width, height = (top + bottom) / 2, (left + right) / 2
    if min(width, height) < LEAST_SIDE:
        raise BadInput(f"Mark a larger piece of the cloth: at least {LEAST_SIDE} pixels of the photo on every side.")
    scale = min(1.0, most / max(width, height))
    if scale < 1:  # made smaller before it is bent: bending looks at a few pixels only
        size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
        points *= (size[0] / photo.width, size[1] / photo.height)
        photo = photo.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    flat = max(8, round(width * scale)), max(8, round(height * scale))
    corners_of_flat = np.array([(0, 0), (flat[0], 0), (flat[0], flat[1]), (0, flat[1])], np.float64)
    back = homography(corners_of_flat, points)
    return photo.transform(
        flat, Image.Transform.PERSPECTIVE, tuple((back / back[2, 2]).ravel()[:8]), Image.Resampling.BICUBIC
    )
