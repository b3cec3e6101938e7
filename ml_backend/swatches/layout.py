"""Where motifs sit on the torus."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

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


def tossed(rng: np.random.Generator, apart: float, most: int = 400, tries: int = 600) -> list[Spot]:
    """Dart throwing on the torus: no two spots nearer than ``apart``; turned every way, in random order."""
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


def spread(rng: np.random.Generator, count: int, rounds: int = 8) -> list[Spot]:
    """``count`` spots spread evenly but without a grid: best-candidate sampling on the torus (Mitchell 1991)."""
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


def clearance(xs: F64, ys: F64, taken: F64) -> F64:
    """From points (n,) to the nearest edge of ``taken`` circles (m, 3), the short way around the torus."""
    dx, dy = np.abs(xs[:, None] - taken[None, :, 0]) % 1.0, np.abs(ys[:, None] - taken[None, :, 1]) % 1.0
    nearest: F64 = np.min(np.hypot(np.minimum(dx, 1 - dx), np.minimum(dy, 1 - dy)) - taken[None, :, 2], axis=1)
    return nearest


def packed(
    rng: np.random.Generator, sizes: list[tuple[float, int]], taken: list[Circle] | None = None, gap: float = 0.0
) -> list[Spot]:
    """Fill the room between ``taken`` circles with discs that touch neither them nor each other.

    For every (radius, tries) in turn, that many darts are thrown; a disc that finds ``gap`` around it stays.  ``size``
    of a spot is its radius in tile units, a little uneven.
    """
    held = np.array(taken or [(0.0, 0.0, -9.0)], np.float64)
    spots: list[Spot] = []
    for radius, tries in sizes:
        darts = rng.random((tries, 2))
        radii, turns = radius * rng.uniform(0.85, 1.12, tries), rng.uniform(0, 2 * math.pi, tries)
        room = clearance(darts[:, 0], darts[:, 1], held) - gap
        while True:  # take the first dart that still fits, then tell the later ones
            fitting = np.flatnonzero(room >= radii)
            if not len(fitting):
                break
            k = fitting[0]
            spots.append(Spot(float(darts[k, 0]), float(darts[k, 1]), float(turns[k]), float(radii[k]), len(spots)))
            added = np.array([[darts[k, 0], darts[k, 1], radii[k]]])
            held = np.vstack([held, added])
            room = np.minimum(room, clearance(darts[:, 0], darts[:, 1], added) - gap)
    return spots
