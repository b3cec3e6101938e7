"""The colours that a picture is made of, and how much of each ink lies where.

Colours are grouped in OKLab (Ottosson 2020) by k-means from a fixed beginning, first into more groups than were asked
for; then the two whose union costs least (Ward 1963, "Hierarchical grouping to optimize an objective function") become
one until as many are left.  Each group gives the colour at which it is densest, not its mean: an edge between two inks
is a mixture of both and neither.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..colour import U8, from_oklab, rgb_of, to_oklab, written
from ..errors import BadInput
from .held import MAX_HELD, MIN_HELD

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MOST_PIXELS = 400
"""Pixels a side that are looked at; of larger pictures every n-th."""

_GROUPS = 28
_ROUNDS = 12
_SEED = 7
_SAME = 0.02
"""OKLab distance below which two colours are one."""
_EDGE = 0.015
"""Distance from both neighbours at which a pixel between them counts half."""
_WIDTH = 0.02
"""Of the window in which a group's densest colour is sought."""
_BITS = 6
_COUNTED = 40_000
"""Pixels by which coverage is counted, or so."""
_LEAST = 0.004
"""Share of what is no edge that a colour has at least: less is where two inks meet."""


@dataclass(frozen=True)
class Extracted:
    """``colours`` by the share (0..1, summing to 1) of the picture that each makes up, largest first."""

    colours: tuple[str, ...]
    shares: tuple[float, ...]


def extract(rgb: U8, count: int, mask: NDArray[np.bool_] | None = None) -> Extracted:
    """At most ``count`` (2..12) colours of a picture (H, W, 3), or of where ``mask`` (H, W) is true.

    A picture of fewer colours gives fewer, one at least.  The same picture gives the same colours every time.  Raises
    :class:`BadInput`.
    """
    if not MIN_HELD <= count <= MAX_HELD:
        raise BadInput(f"A palette holds {MIN_HELD} to {MAX_HELD} colours, not {count}.")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise BadInput(f"A picture has the shape (height, width, 3), not {rgb.shape}.")
    step = -(-max(rgb.shape[:2]) // MOST_PIXELS)
    small = rgb[::step, ::step]
    inside = np.ones(small.shape[:2], bool) if mask is None else mask[::step, ::step]
    if not inside.any():
        raise BadInput("There is nothing in this part of the picture.")
    lab = to_oklab(small)
    points, weights = _binned(small[inside], lab[inside], _pureness(lab)[inside])
    centres = _merged(*_grouped(points, weights), count)
    colours = [_written(_densest(points, weights, centres, group)) for group in range(len(centres))]
    colours = list(dict.fromkeys(colours))
    shares = _shares(small[inside], colours)
    order = [int(place) for place in np.argsort(-shares, kind="stable") if shares[place] > 0]
    total = float(shares[order].sum())
    return Extracted(tuple(colours[at] for at in order), tuple(float(shares[at]) / total for at in order))


def separate(rgb: U8, palette: Sequence[str]) -> F32:
    """Coverage (K, H, W) of the K inks of ``palette`` in a picture (H, W, 3): each pixel is a mixture of two at most.

    Inverts :func:`ml_backend.inks.compose` where no three inks meet in one pixel.
    """
    colours = np.array([rgb_of(colour) for colour in palette], np.float32)
    picture = rgb.astype(np.float32)
    least = np.full(rgb.shape[:2], np.inf, np.float32)
    one = np.zeros(rgb.shape[:2], np.uint8)
    two, amount = one.copy(), np.zeros(rgb.shape[:2], np.float32)
    for i, j in itertools.combinations(range(len(colours)), 2):
        way = colours[j] - colours[i]
        far = np.clip((picture - colours[i]) @ way / max(float(way @ way), 1e-6), 0, 1)
        left = ((picture - colours[i] - far[..., None] * way) ** 2).sum(axis=-1)
        nearer = left < least
        least = np.where(nearer, left, least)
        one[nearer], two[nearer] = i, j
        amount = np.where(nearer, far, amount)
    inks = np.zeros((len(colours), *rgb.shape[:2]), np.float32)
    rows, columns = np.indices(rgb.shape[:2])
    inks[one, rows, columns] = 1 - amount
    inks[two, rows, columns] += amount
    return inks


def arranged(found: Extracted) -> tuple[str, ...]:
    """The colours in ink order: the largest is the ground, what stands out of it most is the main, then by share."""
    if len(found.colours) < 3:
        return found.colours
    ground, rest = found.colours[0], list(found.colours[1:])
    lab = to_oklab(np.array([rgb_of(colour) for colour in (ground, *rest)], np.float64))
    standing = np.linalg.norm(lab[1:] - lab[0], axis=1) * np.sqrt(np.array(found.shares[1:]))
    main = rest.pop(int(np.argmax(standing)))
    return ground, main, *rest


def _pureness(lab: F64) -> F64:
    """1 where a pixel is itself, near 0 where it lies between its neighbours of both sides, as on edges."""
    between = np.zeros(lab.shape[:2])
    for axis in (0, 1):
        if lab.shape[axis] < 3:
            continue
        middle = np.moveaxis(lab, axis, 0)
        before, after = (np.linalg.norm(middle[1:-1] - other, axis=-1) for other in (middle[:-2], middle[2:]))
        across = np.linalg.norm(middle[2:] - middle[:-2], axis=-1)
        found = np.minimum(before, after) * across / np.maximum(before + after, 1e-9)
        inner = np.moveaxis(between, axis, 0)[1:-1]
        np.maximum(inner, found, out=inner)
    pure: F64 = 1 / (1 + (between / _EDGE) ** 2)
    return pure


def _binned(rgb: U8, lab: F64, weights: F64) -> tuple[F64, F64]:
    """Pixels (N, 3) gathered by colour: the mean OKLab and the weight of each."""
    coarse = (rgb >> (8 - _BITS)).astype(np.int64)
    keys = (coarse[:, 0] << 2 * _BITS) | (coarse[:, 1] << _BITS) | coarse[:, 2]
    _, where = np.unique(keys, return_inverse=True)
    total = np.bincount(where, weights).astype(np.float64)
    sums = np.stack([np.bincount(where, weights * lab[:, axis]) for axis in range(3)], axis=1)
    return sums / total[:, None], total


def _grouped(points: F64, weights: F64) -> tuple[F64, F64]:
    """Centres and weights of k-means, begun as in k-means++ from a fixed seed."""
    rng = np.random.default_rng(_SEED)
    centres = points[[int(np.argmax(weights))]]
    while len(centres) < min(_GROUPS, len(points)):
        chance = weights * _away(points, centres).min(axis=1)
        if chance.sum() <= 0:
            break
        centres = np.vstack([centres, points[rng.choice(len(points), p=chance / chance.sum())]])
    for _ in range(_ROUNDS):
        nearest = _away(points, centres).argmin(axis=1)
        mass = np.bincount(nearest, weights, len(centres)).astype(np.float64)
        sums = np.stack([np.bincount(nearest, weights * points[:, axis], len(centres)) for axis in range(3)], axis=1)
        moved = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], centres)
        if np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    mass = np.bincount(_away(points, centres).argmin(axis=1), weights, len(centres)).astype(np.float64)
    return centres[mass > 0], mass[mass > 0]


def _merged(centres: F64, mass: F64, count: int) -> F64:
    """Groups that cannot be told apart become one, then those whose union costs least until ``count`` are left."""
    while len(centres) > 1:
        away = _away(centres, centres)
        cost = away * (mass[:, None] * mass[None, :]) / (mass[:, None] + mass[None, :])
        cost = np.where(away < _SAME**2, -1.0, cost)
        np.fill_diagonal(cost, np.inf)
        i, j = sorted(divmod(int(cost.argmin()), len(cost)))
        if len(centres) <= count and cost[i, j] >= 0:
            break
        centres[i] = (centres[i] * mass[i] + centres[j] * mass[j]) / (mass[i] + mass[j])
        mass[i] += mass[j]
        centres, mass = np.delete(centres, j, 0), np.delete(mass, j)
    kept: F64 = centres[mass >= _LEAST * mass.sum()]
    return kept


def _densest(points: F64, weights: F64, centres: F64, group: int) -> F64:
    """Where the colours of a group are densest (mean shift, Fukunaga and Hostetler 1975)."""
    mine = _away(points, centres).argmin(axis=1) == group
    if not mine.any():
        return np.asarray(centres[group], np.float64)
    points, weights = points[mine], weights[mine]
    top = points[np.argsort(-weights)[:64]]
    dense = (np.exp(-_away(top, points) / _WIDTH**2) * weights).sum(axis=1)
    at = top[int(dense.argmax())]
    for _ in range(8):
        near = np.exp(-((points - at) ** 2).sum(axis=1) / _WIDTH**2) * weights
        at = (points * near[:, None]).sum(axis=0) / near.sum()
    return np.asarray(at, np.float64)


def _shares(pixels: U8, colours: Sequence[str]) -> F64:
    """How much of the pixels (N, 3) each colour makes up; one between two colours counts for both."""
    if len(colours) == 1:
        return np.ones(1)
    some = pixels[:: -(-len(pixels) // _COUNTED)]
    return np.asarray(separate(some[None], colours).mean(axis=(1, 2)), np.float64)


def _away(points: F64, others: F64) -> F64:
    """Squared distances (N, M)."""
    crossed = points @ others.T
    squares = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :] - 2 * crossed
    away: F64 = np.maximum(squares, 0)
    return away


def _written(lab: F64) -> str:
    return written(from_oklab(lab) / 255)
