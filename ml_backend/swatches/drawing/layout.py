"""Where motifs sit on the torus."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...lattices import BASIC, Lattice
from .cloth import F64


@dataclass(frozen=True)
class Spot:
    """A place for a motif: tile coordinates, its turn in radians, its size relative to the design's, and a number."""

    x: float
    y: float
    turn: float = 0.0
    size: float = 1.0
    n: int = 0


def grid(columns: int, rows: int, drop: bool = False, brick: bool = False) -> list[Spot]:
    """A straight, half-drop (even ``columns``) or half-brick (even ``rows``) lattice; ``n`` is column + row."""
    spots = []
    for j in range(rows):
        for i in range(columns):
            x = (i + 0.25 + (0.5 if brick and j % 2 else 0.0)) / columns
            y = (j + 0.25 + (0.5 if drop and i % 2 else 0.0)) / rows
            spots.append(Spot(x, y, n=i + j))
    return spots


def tossed(
    rng: np.random.Generator, apart: float, most: int = 400, tries: int = 600, lattice: Lattice = BASIC
) -> list[Spot]:
    """Dart throwing on the torus: no two spots nearer than ``apart``; turned every way, in random order."""
    if not lattice.plain:
        return _tossed(rng, apart, most, tries, lattice)
    taken = np.empty((0, 2))
    spots: list[Spot] = []
    for x, y in rng.random((tries, 2)):
        away = np.abs(taken - (x, y))
        away = np.minimum(away, 1 - away)
        if len(taken) and float(np.min(np.sum(away**2, axis=1))) < apart * apart:
            continue
        taken = np.vstack([taken, (x, y)])
        spots.append(Spot(float(x), float(y), float(rng.uniform(0, 2 * math.pi)), n=len(spots)))
        if len(spots) == most:
            break
    return spots


def _in_cell(rng: np.random.Generator, count: int, lattice: Lattice) -> F64:
    """(count, 2) places anywhere in the lattice's cell."""
    return rng.random((count, 2)) * (float(lattice.width), float(lattice.height))


def _apart(places: F64, taken: F64, lattice: Lattice) -> F64:
    """From places (n, 2) of the cell to the nearest copy of ``taken`` (m, 2), or of themselves in a mirror."""
    nearest = 2 * lattice.elbow(places[:, 0], places[:, 1])
    if len(taken):
        xs, ys = lattice.copies(taken[:, 0], taken[:, 1])
        away = np.hypot(places[:, 0, None] - xs.ravel(), places[:, 1, None] - ys.ravel())
        nearest = np.minimum(nearest, away.min(axis=1))
    return nearest


def _tossed(rng: np.random.Generator, apart: float, most: int, tries: int, lattice: Lattice) -> list[Spot]:
    taken = np.empty((0, 2))
    for place in _in_cell(rng, math.ceil(tries * lattice.area), lattice):
        if len(taken) < most and float(_apart(place[None], taken, lattice)[0]) >= apart:
            taken = np.vstack([taken, place])
    turns = rng.uniform(0, 2 * math.pi, len(taken))
    return [Spot(float(x), float(y), float(t), n=i) for i, ((x, y), t) in enumerate(zip(taken, turns, strict=True))]


def _spread(rng: np.random.Generator, count: int, rounds: int, lattice: Lattice) -> list[Spot]:
    taken = np.empty((0, 2))
    for _ in range(max(1, round(count * lattice.area))):
        candidates = _in_cell(rng, rounds * (1 + len(taken)), lattice)
        best = candidates[int(np.argmax(_apart(candidates, taken, lattice)))]
        taken = np.vstack([taken, best])
    turns = rng.uniform(0, 2 * math.pi, len(taken))
    return [Spot(float(x), float(y), float(t), n=i) for i, ((x, y), t) in enumerate(zip(taken, turns, strict=True))]


def spread(rng: np.random.Generator, count: int, rounds: int = 8, lattice: Lattice = BASIC) -> list[Spot]:
    """``count`` spots spread evenly but without a grid: best-candidate sampling on the torus (Mitchell 1991).

    On a ``lattice`` whose cell is less than the tile there are as many fewer; their copies fill it.
    """
    if not lattice.plain:
        return _spread(rng, count, rounds, lattice)
    taken = rng.random((1, 2))
    while len(taken) < count:
        candidates = rng.random((rounds * (1 + len(taken)), 2))
        away = np.abs(candidates[:, None] - taken[None])
        away = np.minimum(away, 1 - away)
        nearest = np.min(np.sum(away**2, axis=2), axis=1)
        taken = np.vstack([taken, candidates[int(np.argmax(nearest))]])
    turns = rng.uniform(0, 2 * math.pi, count)
    return [Spot(float(x), float(y), float(t), n=i) for i, ((x, y), t) in enumerate(zip(taken, turns, strict=True))]


Circle = tuple[float, float, float]
"""x, y and radius on the tile."""


def clearance(xs: F64, ys: F64, taken: F64, lattice: Lattice = BASIC) -> F64:
    """From points (n,) to the nearest edge of ``taken`` circles (m, 3), the short way around the torus."""
    if not lattice.plain:
        at_x, at_y = lattice.copies(taken[:, 0], taken[:, 1])
        away = np.hypot(xs[:, None] - at_x.ravel(), ys[:, None] - at_y.ravel()) - np.tile(taken[:, 2], len(at_x))
        room: F64 = np.minimum(away.min(axis=1), lattice.elbow(xs, ys))
        return room
    dx, dy = np.abs(xs[:, None] - taken[None, :, 0]) % 1.0, np.abs(ys[:, None] - taken[None, :, 1]) % 1.0
    nearest: F64 = np.min(np.hypot(np.minimum(dx, 1 - dx), np.minimum(dy, 1 - dy)) - taken[None, :, 2], axis=1)
    return nearest


def packed(
    rng: np.random.Generator,
    sizes: list[tuple[float, int]],
    taken: list[Circle] | None = None,
    gap: float = 0.0,
    lattice: Lattice = BASIC,
) -> list[Spot]:
    """Fill the room between ``taken`` circles with discs that touch neither them nor each other.

    For every (radius, tries) in turn, that many darts are thrown; a disc that finds ``gap`` around it stays.  ``size``
    of a spot is its radius in tile units, a little uneven.
    """
    held = np.array(taken or [(0.0, 0.0, -9.0)], np.float64)
    spots: list[Spot] = []
    for radius, tries in sizes:
        darts = rng.random((tries, 2)) if lattice.plain else _in_cell(rng, tries, lattice)
        radii, turns = radius * rng.uniform(0.85, 1.12, tries), rng.uniform(0, 2 * math.pi, tries)
        room = clearance(darts[:, 0], darts[:, 1], held, lattice) - gap
        while True:  # take the first dart that still fits, then tell the later ones
            fitting = np.flatnonzero(room >= radii)
            if not len(fitting):
                break
            k = fitting[0]
            spots.append(Spot(float(darts[k, 0]), float(darts[k, 1]), float(turns[k]), float(radii[k]), len(spots)))
            added = np.array([[darts[k, 0], darts[k, 1], radii[k]]])
            held = np.vstack([held, added])
            room = np.minimum(room, clearance(darts[:, 0], darts[:, 1], added, lattice) - gap)
    return spots
