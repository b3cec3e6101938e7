"""Taps as a network is told them: planes of small disks, and where the next tap of a patient person would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

RADIUS = 3.0
"""Of a tap's disk, in pixels of the half working size."""

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Tap:
    """A place (x right, y down, in pixels) that is ``on`` the garment or, ``on`` False, is not."""

    x: float
    y: float
    on: bool = True


def disks(taps: Sequence[Tap], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(2, h, w): 1 within :data:`RADIUS` of a tap on the garment, and of a tap off it."""
    planes = np.zeros((2, *shape), np.float32)
    reach = int(RADIUS) + 2
    for tap in taps:
        left, top = max(0, int(tap.x) - reach), max(0, int(tap.y) - reach)
        stop = max(0, int(tap.y) + reach + 1), max(0, int(tap.x) + reach + 1)
        window = planes[0 if tap.on else 1, top : stop[0], left : stop[1]]
        rows, columns = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
        window[(rows + 0.5 - tap.y) ** 2 + (columns + 0.5 - tap.x) ** 2 <= RADIUS**2] = 1
    return planes


def next_tap(found: Bits, truth: Bits, known: Bits | None = None, rng: np.random.Generator | None = None) -> Tap | None:
    """Where a person who wants ``truth`` taps when the mask is ``found``, (h, w): the middle of the largest mistake.

    Without ``rng`` the deepest pixel of it, as the figures are measured; with one, any pixel at least half as deep.
    None where nothing is wrong.  What is not ``known`` is neither right nor wrong.
    """
    known = np.ones_like(truth) if known is None else known
    depths = [_depth(mistake & known) for mistake in (truth & ~found, found & ~truth)]
    missing, surplus = (float(depth.max(initial=0)) for depth in depths)
    if missing == surplus == 0:
        return None
    on = missing >= surplus
    depth = depths[0 if on else 1]
    place = int(depth.argmax() if rng is None else rng.choice(np.flatnonzero(depth >= 0.5 * depth.max())))
    row, column = divmod(place, truth.shape[1])
    return Tap(column + 0.5, row + 0.5, on)


def _depth(mask: Bits) -> NDArray[np.float64]:
    """How far inside the mask each pixel is, the picture's frame being outside."""
    if not mask.any():
        return np.zeros(mask.shape)
    return np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1])
