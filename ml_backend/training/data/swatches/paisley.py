"""Paisleys: true boteh, a bent teardrop with nested borders, an inner spray and a frill of beads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from . import shapes
from .cloth import Cloth, Floats, Patch
from .layout import Spot, grid, spread, tossed
from .shapes import Point


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_rows, _half_drop, _pairs, _tossed)
    families[rng.integers(len(families))](cloth, rng)


@dataclass(frozen=True)
class Boteh:
    """A boteh of unit size: a spine from the bulb's centre to the curled tip, and the radius along it."""

    spine: tuple[Point, ...]
    radii: tuple[float, ...]
    rings: tuple[tuple[float, int], ...]
    beads: int
    bead_role: int
    heart: int
    petals: int
    spray: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> Boteh:
        curl = float(rng.uniform(2.0, 3.1))
        stretch = float(rng.uniform(0.95, 1.2))
        points, radii = _spine(curl, stretch)
        sequences = (
            ((0.0, 1), (0.24, 0), (0.36, 2)),
            ((0.0, 1), (0.2, 4), (0.34, 1)),
            ((0.0, 2), (0.2, 1), (0.5, 0)),
            ((0.0, 1), (0.3, 2), (0.42, 0)),
            ((0.0, 4), (0.14, 0), (0.26, 1)),
        )
        rings = sequences[rng.integers(len(sequences))]
        frill = rng.random() < 0.65
        return cls(
            points,
            radii,
            rings,
            int(rng.integers(16, 25)) if frill else 0,
            int(rng.choice([1, 2, 4, 3])),
            int(rng.integers(3)),
            int(rng.integers(5, 9)),
            bool(rng.random() < 0.6),
        )


def _spine(curl: float, stretch: float, steps: int = 18) -> tuple[tuple[Point, ...], tuple[float, ...]]:
    """The spine turns slowly at the bulb and ever faster to the tip, as a comma does."""
    x = y = 0.0
    points: list[Point] = []
    radii: list[float] = []
    for i in range(steps + 1):
        t = i / steps
        points.append((x, y))
        radii.append(0.36 * (1 - t) ** 1.15 * (1 + 0.25 * t) + 0.018)
        heading = -math.pi / 2 - 0.35 + curl * t**2.2
        step = 1.12 * stretch / steps * (1 - 0.35 * t)
        x, y = x + step * math.cos(heading), y + step * math.sin(heading)
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    mx, my = (min(xs) - 0.36 + max(xs)) / 2 + 0.12, (min(ys) + max(ys) + 0.36) / 2
    return tuple((px - mx, py - my) for px, py in points), tuple(radii)


def _outline(boteh: Boteh, count: int, out: float) -> list[tuple[float, float, float]]:
    """``count`` points spaced evenly along the boteh's edge, ``out`` outside it, with the outward angle."""
    left: list[Point] = []
    right: list[Point] = []
    for i, ((x, y), radius) in enumerate(zip(boteh.spine, boteh.radii, strict=True)):
        j = min(i, len(boteh.spine) - 2)
        (ax, ay), (bx, by) = boteh.spine[j], boteh.spine[j + 1]
        heading = math.atan2(by - ay, bx - ax)
        r = radius + out
        left.append((x + r * math.sin(heading), y - r * math.cos(heading)))
        right.append((x - r * math.sin(heading), y + r * math.cos(heading)))
    (x0, y0), (x1, y1) = boteh.spine[0], boteh.spine[1]
    back = math.atan2(y0 - y1, x0 - x1)
    r = boteh.radii[0] + out
    cap = [(x0 + r * math.cos(back + a), y0 + r * math.sin(back + a)) for a in np.linspace(math.pi / 2, -math.pi / 2, 11)[1:-1]]
    points = np.array([*reversed(right), *reversed(cap), *left] if False else [*reversed(left), *cap, *right])
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = (np.arange(count) + 0.5) / count * lengths[-1]
    xs, ys = np.interp(at, lengths, points[:, 0]), np.interp(at, lengths, points[:, 1])
    return [(float(x), float(y), 0.0) for x, y in zip(xs, ys, strict=True)]


def _stamp(cloth: Cloth, boteh: Boteh, spot: Spot, size: float, flip: bool = False) -> None:
    """Print one boteh of height about 1.6 * size."""
    reach = size * (1.15 if boteh.beads else 1.0)
    for patch in cloth.window(spot.x, spot.y, reach):
        u, v = patch.turned(spot.turn, size)
        _boteh(patch, boteh, -u if flip else u, v, size)


def _boteh(patch: Patch, boteh: Boteh, u: Floats, v: Floats, size: float) -> None:
    body = shapes.path(u, v, boteh.spine, boteh.radii)
    if boteh.beads:
        for x, y, _ in _outline(boteh, boteh.beads, 0.085):
            patch.paint(boteh.bead_role, (np.hypot(u - np.float32(x), v - np.float32(y)) - np.float32(0.043)) * size)
    for inset, role in boteh.rings:
        patch.paint(role, (body + np.float32(inset * 0.36)) * size)
    inner = boteh.rings[-1][1]
    _heart(patch, boteh, u, v, size, inner)
    if boteh.spray:  # seeds up the spine, smaller and smaller
        for k in range(5, 14, 2):
            (x, y), r = boteh.spine[k], boteh.radii[k] * 0.3
            patch.paint(4 if inner != 4 else 0, (np.hypot(u - np.float32(x), v - np.float32(y)) - np.float32(r)) * size)


def _heart(patch: Patch, boteh: Boteh, u: Floats, v: Floats, size: float, inner: int) -> None:
    """The ornament in the bulb: a flower, a teardrop or a rosette."""
    role, other = [r for r in (4, 1, 2, 0) if r != inner][:2]
    if boteh.heart == 0:
        fx, fy = shapes.fold(u, v, boteh.petals, 0.3)
        patch.paint(role, shapes.drop(fx, fy, (0.06, 0), (0.135, 0), 0.02, 0.05) * size)
        patch.paint(other, (np.hypot(u, v) - 0.05) * size)
    elif boteh.heart == 1:
        body = shapes.path(u, v, boteh.spine[:10], [r * 0.42 for r in boteh.radii[:10]])
        patch.paint(role, body * size)
        patch.paint(other, (body + 0.06) * size)
    else:
        patch.paint(role, (np.hypot(u, v) - 0.16) * size)
        fx, fy = shapes.fold(u, v, boteh.petals)
        patch.paint(other, (np.hypot(fx - 0.1, fy) - 0.03) * size)
        patch.paint(other, (np.hypot(u, v) - 0.05) * size)


def _filler(cloth: Cloth, rng: np.random.Generator, spots: list[Spot], apart: float, size: float) -> None:
    """Small flowers and seeds in the room that the botehs leave."""
    kind = rng.integers(3)
    petals = int(rng.integers(4, 7))
    taken = [(s.x, s.y, apart) for s in spots]
    for x, y in rng.random((500, 2)):
        if any(math.hypot(x - a - round(x - a), y - b - round(y - b)) < r for a, b, r in taken):
            continue
        taken.append((float(x), float(y), size * 2.4))
        turn = float(rng.uniform(0, 6.28))
        for patch in cloth.window(float(x), float(y), size):
            if kind == 0:
                patch.paint(2, shapes.disc(patch.x, patch.y, size * 0.4))
                continue
            fx, fy = shapes.fold(patch.x, patch.y, petals, turn)
            patch.paint(3 if kind == 1 else 2, shapes.drop(fx, fy, (size * 0.3, 0), (size * 0.7, 0), 0, size * 0.26))
            patch.paint(4, shapes.disc(patch.x, patch.y, size * 0.28))


def _rows(cloth: Cloth, rng: np.random.Generator) -> None:
    """Rows of botehs, every other row facing back."""
    n = int(rng.integers(2, 4))
    boteh = Boteh.random(rng)
    lean = float(rng.uniform(-0.5, 0.5))
    spots = grid(n, n, brick=n % 2 == 0)
    for spot in spots:
        row = round((spot.y - 0.25 / n) * n)
        flip = row % 2 == 1 and n % 2 == 0
        _stamp(cloth, boteh, Spot(spot.x, spot.y, -lean if flip else lean), 0.46 / n, flip)
    _filler(cloth, rng, spots, 0.46 / n, 0.07 / n * 1.5)


def _half_drop(cloth: Cloth, rng: np.random.Generator) -> None:
    """Large and small botehs in a half drop."""
    large, small = Boteh.random(rng), Boteh.random(rng)
    lean = float(rng.uniform(-0.6, 0.6))
    spots = grid(2, 2, drop=True) if rng.random() < 0.5 else grid(2, 1, drop=True)
    big = 0.25 if len(spots) == 4 else 0.36
    for spot in spots:
        _stamp(cloth, large, Spot(spot.x, spot.y, lean), big, spot.n % 2 == 1)
    gaps = [Spot(s.x, s.y + (0.25 if len(spots) == 4 else 0.5), n=s.n) for s in spots]
    if len(spots) == 2:
        for gap in gaps:
            _stamp(cloth, small, Spot(gap.x, gap.y, lean + math.pi), 0.15, gap.n % 2 == 0)
    _filler(cloth, rng, spots + (gaps if len(spots) == 2 else []), big * 0.95, big * 0.16)


def _pairs(cloth: Cloth, rng: np.random.Generator) -> None:
    """Yin and yang: two botehs turned about each other."""
    boteh = Boteh.random(rng)
    turn = float(rng.uniform(0, 2 * math.pi))
    n = int(rng.choice([1, 2]))
    size = 0.3 / n
    centres = grid(n, n)
    spots = []
    for centre in centres:
        for k in (0, 1):
            angle = turn + k * math.pi
            away = 0.25 / n
            spots.append(Spot(centre.x + away * math.cos(angle), centre.y + away * math.sin(angle), angle - math.pi / 2))
    for spot in spots:
        _stamp(cloth, boteh, spot, size)
    _filler(cloth, rng, spots, size * 0.98, size * 0.15)


def _tossed(cloth: Cloth, rng: np.random.Generator) -> None:
    """Botehs turned every way."""
    kinds = [Boteh.random(rng), Boteh.random(rng)]
    count = int(rng.integers(4, 8))
    size = 0.5 / math.sqrt(count)
    spots = spread(rng, count, rounds=30)
    for spot in spots:
        _stamp(cloth, kinds[spot.n % 2], spot, size * 0.86, bool(rng.random() < 0.5))
    _filler(cloth, rng, spots, size * 0.82, size * 0.14)
    if rng.random() < 0.3:
        for spot in tossed(rng, 0.07):
            if all(math.hypot(spot.x - s.x - round(spot.x - s.x), spot.y - s.y - round(spot.y - s.y)) > size for s in spots):
                for patch in cloth.window(spot.x, spot.y, 0.012):
                    patch.paint(4, shapes.disc(patch.x, patch.y, 0.01))
