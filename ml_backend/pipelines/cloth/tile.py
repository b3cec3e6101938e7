"""Cut one repeat of a cloth and make it join itself.

Every whole repeat in the picture is read, laid over the first one, and their median kept: what differs from one to the
next is noise, folds and dirt.  A cloth without a repeat gives a square piece whose edges are joined where they differ
least (minimum error boundary cut: Efros and Freeman 2001, "Image quilting for texture synthesis and transfer").  What
step remains at the edges is spread over the whole tile (periodic plus smooth decomposition: Moisan 2011).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from .repeat import Repeat

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MOST_CELLS = 12
MOST_ACROSS = 6
"""Repeats that lie side by side in one tile, so that it becomes square."""
_NEAR = 0.12
"""Share of a repeat by which one may lie off its place: cloth is never quite flat."""


def how_many(repeat: Repeat) -> tuple[int, int]:
    """Repeats across and down that make a tile nearly square, as few as can be."""
    width, height = repeat.size
    counts = [(n, m) for n in range(1, MOST_ACROSS + 1) for m in range(1, MOST_ACROSS + 1)]
    return min(counts, key=lambda c: 6 * abs(math.log(c[0] * width / (c[1] * height))) + 0.1 * (c[0] * c[1] - 1))


def mean_repeat(rgb: F32, repeat: Repeat, sides: tuple[int, int]) -> tuple[F32, int]:
    """One repeat of ``rgb`` (H, W, 3) as ``sides`` (height, width) pixels, and of how many it is the median."""
    places = origins(rgb.shape[:2], repeat)
    first = _read(rgb, places[0], repeat, sides)
    cells = [first]
    for origin in places[1:MOST_CELLS]:
        cell = _read(rgb, origin, repeat, sides)
        dy, dx = _offset(first, cell)
        shift = np.array(repeat.across) * (dx / sides[1]) + np.array(repeat.down) * (dy / sides[0])
        cell = _read(rgb, (origin[0] + shift[0], origin[1] + shift[1]), repeat, sides)
        cells.append(cell)
    alike = np.array([_alike(first, cell) for cell in cells])
    good = [cell for cell, value in zip(cells, alike, strict=True) if value >= 0.75 * float(np.median(alike))]
    stacked = np.stack(good)
    kept = np.median(stacked, axis=0) if len(good) > 4 else stacked.mean(axis=0)
    return np.asarray(kept, np.float32), len(good)


def origins(shape: tuple[int, int], repeat: Repeat) -> list[tuple[float, float]]:
    """Where whole repeats begin (x, y), the one nearest to the middle first; at least one, which may reach out."""
    (ax, ay), (bx, by) = repeat.across, repeat.down
    height, width = shape
    middle = np.array(((width - ax - bx) / 2, (height - ay - by) / 2))
    reach = range(-12, 13)
    found = []
    for i in reach:
        for j in reach:
            x, y = middle[0] + i * ax + j * bx, middle[1] + i * ay + j * by
            xs, ys = (x, x + ax, x + bx, x + ax + bx), (y, y + ay, y + by, y + ay + by)
            if min(xs) >= -1 and min(ys) >= -1 and max(xs) <= width and max(ys) <= height:
                found.append((float(x), float(y)))
    found.sort(key=lambda p: math.hypot(p[0] - middle[0], p[1] - middle[1]))
    return found or [(float(middle[0]), float(middle[1]))]


def _read(rgb: F32, origin: tuple[float, float], repeat: Repeat, sides: tuple[int, int]) -> F32:
    """One repeat from ``origin`` on; beyond the picture it is mirrored."""
    t, s = np.meshgrid((np.arange(sides[0]) + 0.5) / sides[0], (np.arange(sides[1]) + 0.5) / sides[1], indexing="ij")
    x = origin[0] + s * repeat.across[0] + t * repeat.down[0] - 0.5
    y = origin[1] + s * repeat.across[1] + t * repeat.down[1] - 0.5
    planes = [map_coordinates(rgb[..., k], [y, x], order=1, mode="reflect") for k in range(rgb.shape[2])]
    return np.stack(planes, -1).astype(np.float32)


def _offset(first: F32, cell: F32) -> tuple[float, float]:
    """How many pixels (down, across) the content of ``cell`` lies beyond its place, a small way only."""
    one, other = (np.fft.rfft2(_grey(each)) for each in (first, cell))
    alike = np.fft.irfft2(np.conj(one) * other, first.shape[:2])
    near = [max(1, round(_NEAR * side)) for side in first.shape[:2]]
    rows, columns = (np.arange(-reach, reach + 1) for reach in near)
    local = alike[np.ix_(rows, columns)]
    row, column = np.unravel_index(int(local.argmax()), local.shape)
    return float(rows[row]), float(columns[column])


def _grey(cell: F32) -> F32:
    grey = cell.mean(axis=2)
    return np.asarray(grey - grey.mean(), np.float32)


def _alike(first: F32, cell: F32) -> float:
    one, other = _grey(first), _grey(cell)
    return float((one * other).sum() / max(1e-6, math.sqrt(float((one**2).sum() * (other**2).sum()))))


def joined(piece: F32, side: int) -> F32:
    """A tile of ``side`` px of a square piece that is larger: what is beyond the tile goes over its beginning, and the
    cut between both runs where they differ least.
    """
    across = _lapped(piece, side)
    return _lapped(across.transpose(1, 0, 2), side).transpose(1, 0, 2)


def _lapped(piece: F32, side: int) -> F32:
    lap = piece.shape[1] - side
    slow = gaussian_filter(piece, (lap / 5, lap / 5, 0), mode="nearest")
    fine = piece - slow
    cut = cheapest_cut(np.square(fine[:, :lap] - fine[:, side:]).sum(axis=2))
    # left of the cut the cloth goes on from the tile's other end, right of it the tile has begun; what changes slowly
    # goes over evenly, or the cut would show as an edge of light
    sharp = np.clip((np.arange(lap)[None, :] - cut[:, None]) / 4 + 0.5, 0, 1)[..., None]
    even = ((np.arange(lap) + 0.5) / lap)[None, :, None]
    tile = piece[:, :side].copy()
    tile[:, :lap] = _between(slow, even, side) + _between(fine, sharp, side)
    return np.asarray(tile, np.float32)


def _between(piece: F32, share: F64, side: int) -> F64:
    """Of the lap: what is begun by ``share``, and what is beyond by the rest."""
    lap = piece.shape[1] - side
    return np.asarray(piece[:, :lap] * share + piece[:, side:] * (1 - share), np.float64)


def cheapest_cut(cost: F32) -> NDArray[np.intp]:
    """The column (H,) of each row through which the cheapest path from top to bottom of ``cost`` (H, W) runs."""
    total = cost.astype(np.float64)
    for row in range(1, len(total)):
        above = total[row - 1]
        left, right = np.append(np.inf, above[:-1]), np.append(above[1:], np.inf)
        total[row] += np.minimum(above, np.minimum(left, right))
    path = np.empty(len(total), np.intp)
    path[-1] = int(total[-1].argmin())
    for row in range(len(total) - 2, -1, -1):
        low = max(0, path[row + 1] - 1)
        path[row] = low + int(total[row, low : path[row + 1] + 2].argmin())
    return path


def calmly_cut(tile: F32) -> F32:
    """The tile (H, W, 3) rolled round so that its border runs where it changes least: the same cloth, cut well."""
    for axis in (0, 1):
        jumps = np.abs(tile - np.roll(tile, 1, axis=axis)).sum(axis=2).mean(axis=1 - axis)
        tile = np.roll(tile, -int(jumps.argmin()), axis=axis)
    return tile


def repair(planes: F32) -> F32:
    """Planes (K, H, W) without the step at their edges, which is spread smoothly over all of them: Moisan's periodic
    component, ``u - s`` with the Laplacian of ``s`` that of the step.
    """
    height, width = planes.shape[1:]
    edges = np.zeros(planes.shape, np.float64)
    rows, columns = planes[:, 0] - planes[:, -1], planes[:, :, 0] - planes[:, :, -1]
    edges[:, 0] += rows
    edges[:, -1] -= rows
    edges[:, :, 0] += columns
    edges[:, :, -1] -= columns
    waves = (2 * np.cos(2 * np.pi * np.fft.fftfreq(n)) for n in (height, width))
    down, across = waves
    laplacian = down[:, None] + across[None, : width // 2 + 1] - 4
    laplacian[0, 0] = 1
    spectrum = np.fft.rfft2(edges) / laplacian
    spectrum[:, 0, 0] = 0
    return np.asarray(planes + np.fft.irfft2(spectrum, (height, width)), np.float32)
