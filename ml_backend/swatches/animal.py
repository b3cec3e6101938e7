"""Skins: leopard, cheetah, zebra, tiger, giraffe, snake, cow and tortoiseshell."""

from __future__ import annotations

import math

import numpy as np

from ..lattices import Lattice
from .drawing import shapes
from .drawing.cells import voronoi
from .drawing.cloth import F32, F64, Cloth, Floats
from .drawing.harmonies import steady
from .drawing.layout import Circle, Spot, clearance, spread, tossed
from .drawing.noise import Noise, smooth, streaks
from .drawing.pattern_type import PatternType, Subtype


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_leopard, _leopard, _zebra, _tiger, _giraffe, _snake, _cheetah, _cow, _tortoise)
    families[rng.integers(len(families))](cloth, rng)


def _waves(rng: np.random.Generator, amount: float) -> list[tuple[int, float, float]]:
    return [(k, float(rng.uniform(0.3, 1.0)) * amount / k, float(rng.uniform(0, 6.28))) for k in (2, 3, 4, 5)]


def _leopard(cloth: Cloth, rng: np.random.Generator) -> None:
    """Rosettes: a tawny heart in a broken ring of dark blotches, small blotches in between."""
    lattice = cloth.follow()
    count = int(rng.integers(7, 15))
    reach = 0.42 / math.sqrt(count)
    spots = spread(rng, count, lattice=lattice)
    flow = rng.uniform(0, math.pi)
    for spot in spots:
        size = reach * float(rng.uniform(0.82, 1.12))
        squash = float(rng.uniform(0.72, 0.95))
        turn = flow + float(rng.normal(0, 0.4))
        heart = _waves(rng, 0.14)
        pieces = int(rng.integers(3, 6))
        start = rng.uniform(0, 2 * math.pi)
        blots = []
        for k in range(pieces):
            angle = start + (k + float(rng.uniform(-0.18, 0.18))) * 2 * math.pi / pieces
            arc = 2 * math.pi / pieces * float(rng.uniform(0.28, 0.42))
            blots.append((angle, arc, size * float(rng.uniform(0.17, 0.27))))
        for patch in cloth.window(spot.x, spot.y, size * 1.35):
            u, v = patch.turned(turn)
            v = v / np.float32(squash)
            patch.paint(2, shapes.wobble(u, v, size * 0.72, heart))
            radius, angle_at = np.hypot(u, v), np.arctan2(v, u)
            for angle, arc, thick in blots:
                off = angle_at - angle
                off = off - np.round(off / (2 * math.pi)) * (2 * math.pi)
                beyond = np.maximum(np.abs(off) - arc, 0) * radius
                ring = np.hypot(beyond, radius - size * (0.78 + 0.08 * np.cos(3 * angle_at + angle)))
                patch.paint(1, ring - thick * (1.0 - 0.25 * np.cos(2 * off + angle)))
    _between(cloth, rng, spots, reach)


def _between(cloth: Cloth, rng: np.random.Generator, spots: list[Spot], reach: float) -> None:
    """Small blotches where there is room between rosettes."""
    taken = [(s.x, s.y, reach * 1.12) for s in spots]
    for x, y in rng.random((300, 2)):
        size = reach * float(rng.uniform(0.12, 0.26))
        if not _free(float(x), float(y), size * 1.25, taken, cloth.lattice):
            continue
        taken.append((float(x), float(y), size * 1.4))
        waves = _waves(rng, 0.3)
        for patch in cloth.window(float(x), float(y), size * 1.7):
            patch.paint(1, shapes.wobble(patch.x, patch.y, size, waves))


def _free(x: float, y: float, size: float, taken: list[Circle], lattice: Lattice) -> bool:
    """Whether a blotch at (x, y) has room."""
    if lattice.plain:
        return all(math.hypot(x - a - round(x - a), y - b - round(y - b)) >= r + size for a, b, r in taken)
    return float(clearance(np.array([x]), np.array([y]), np.array(taken), lattice)[0]) >= size


def _cheetah(cloth: Cloth, rng: np.random.Generator) -> None:
    """Solid, slightly oval spots, close and uneven; a lighter belly between."""
    lattice = cloth.follow()
    apart = rng.uniform(0.12, 0.2)
    flow = rng.uniform(0, math.pi)
    belly = smooth(rng, 1, 2, lattice=lattice)
    level = belly.threshold(0.35)
    if rng.random() < 0.6:
        for patch in cloth.strips():
            patch.level(2, level - belly(patch.x, patch.y), 0.55)
    for spot in tossed(rng, apart, lattice=lattice):
        size = apart * float(rng.uniform(0.26, 0.42))
        waves = _waves(rng, 0.28)
        turn = flow + float(rng.normal(0, 0.5))
        for patch in cloth.window(spot.x, spot.y, size * 1.8):
            u, v = patch.turned(turn)
            patch.paint(1, shapes.wobble(u * np.float32(0.82), v, size, waves))


def _zebra(cloth: Cloth, rng: np.random.Generator) -> None:
    lattice = cloth.follow()
    waves = ((4, 0), (5, 1), (4, 2), (0, 5), (3, 3), (6, 1), (3, -4), (5, -2))
    field = streaks(rng, waves[rng.integers(len(waves))], float(rng.uniform(0.7, 1.0)), lattice=lattice)
    edge = smooth(rng, 6, 12, 0.5, lattice=lattice)
    level = float(rng.uniform(-0.1, 0.25))
    shadow = bool(rng.random() < 0.4)
    for patch in cloth.strips():
        value = field(patch.x, patch.y) + 0.06 * edge(patch.x, patch.y)
        if shadow:  # the faint stripe between the stripes
            patch.level(2, value + 1.25)
        patch.level(1, level - value)


def _tiger(cloth: Cloth, rng: np.random.Generator) -> None:
    """Tapering stripes that run in from two flanks and end in points, on a coat shaded toward the belly."""
    field = streaks(rng, (0, int(rng.integers(4, 7))), float(rng.uniform(0.8, 1.1)))
    taper = smooth(rng, 1, 3, 0.7)
    coat = smooth(rng, 1, 2)
    upright = bool(rng.random() < 0.5)
    for patch in cloth.strips():
        x, y = (patch.x, patch.y) if upright else (patch.y.T, patch.x.T)

        def read(noise: Noise, x: Floats = x, y: Floats = y) -> F32:
            return noise(x, y) if upright else noise(x, y).T

        soft = np.clip(read(coat) * 0.5, 0, 0.8)
        patch.cover(2, soft)
        patch.level(1, 0.35 + 0.75 * read(taper) - read(field))


def _cells(rng: np.random.Generator, count: int, lattice: Lattice) -> tuple[F32, F32]:
    spots = spread(rng, count, rounds=4, lattice=lattice)
    return np.array([s.x for s in spots], np.float32), np.array([s.y for s in spots], np.float32)


def _giraffe(cloth: Cloth, rng: np.random.Generator) -> None:
    """Rounded polygons, close together, each with a lighter crack or heart."""
    lattice = cloth.follow()
    xs, ys = _cells(rng, int(rng.integers(9, 20)), lattice)
    warp_x, warp_y = smooth(rng, 2, 5, lattice=lattice), smooth(rng, 2, 5, lattice=lattice)
    amount = 0.05 / math.sqrt(len(xs))
    gap = rng.uniform(0.05, 0.09) / math.sqrt(len(xs))
    heart = bool(rng.random() < 0.5)
    second = [int(r) for r in rng.choice([1, 1, 1, 2], len(xs))]
    table = np.array(second)
    for patch in cloth.strips():
        x = patch.x + amount * warp_x(patch.x, patch.y)
        y = patch.y + amount * warp_y(patch.x, patch.y)
        border, near, index = voronoi(x, y, xs, ys, lattice=lattice)
        inside = gap - border
        patch.paint(1, inside)
        patch.paint(2, inside, np.equal(table[index], 2))
        if heart:
            glow = np.clip(1 - near / (0.34 / math.sqrt(len(xs))), 0, 1)
            patch.paint(4, inside, 0.6 * glow)


def _tortoise(cloth: Cloth, rng: np.random.Generator) -> None:
    """Tortoiseshell and crocodile: nested plates in a jittered lattice."""
    n = int(rng.integers(3, 5))
    rows = n + int(rng.integers(0, 3))
    rows += rows % 2
    row, column = np.mgrid[0:rows, 0:n]
    jitter = rng.normal(0, 0.1, (2, rows, n))
    xs = ((column + 0.5 * (row % 2) + jitter[0]) / n).astype(np.float32).ravel()
    ys = ((row + jitter[1]) / rows).astype(np.float32).ravel()
    gap = 0.045 / n
    rings = int(rng.integers(1, 3))
    for patch in cloth.strips():
        border, near, _ = voronoi(patch.x, patch.y, xs, ys)
        patch.paint(1, gap - border)
        patch.paint(2, gap * (2.6 if rings == 1 else 2.2) - border)
        if rings == 2:
            patch.paint(1, gap * 3.4 - border)
        patch.paint(4, gap * 5.2 - border, np.clip(1.2 - near * n * 3, 0, 1))


def _snake(cloth: Cloth, rng: np.random.Generator) -> None:
    """Python: a chain of lozenges along the back, over scales."""
    columns, rows = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    scales = scale_rows = 24
    warp = smooth(rng, 1, 3)
    amount = rng.uniform(0.004, 0.015)
    dark = rng.uniform(0.3, 0.4)
    spots = bool(rng.random() < 0.6)
    for patch in cloth.strips():
        # colours change from scale to scale, so the lozenge is read at the centre of its scale
        row = np.round(patch.y * scale_rows)
        shift = 0.5 * (row % 2)
        column = np.round(patch.x * scales - shift) + shift
        cx = column / scales + amount * warp(patch.x, patch.y)
        cy = np.broadcast_to(row / scale_rows, cx.shape)
        u, v = cx * columns, cy * rows
        lozenge = np.abs(u - np.round(u)) + np.abs(v - np.round(v))
        other = 1 - lozenge
        dx, dy = (patch.x - column / scales) * scales, (patch.y - row / scale_rows) * scale_rows
        patch.cover(1, np.less(np.abs(lozenge - 0.5), 0.5 - dark).astype(np.float32))
        patch.cover(2, np.less(lozenge, dark - 0.08).astype(np.float32))
        if spots:
            patch.cover(4, np.less(other, dark * 0.45).astype(np.float32))
        scale = np.abs(dx) + np.abs(dy) * 0.5
        patch.paint(0, (0.5 - 0.07 - scale) / scales, 0.75)


def _cow(cloth: Cloth, rng: np.random.Generator) -> None:
    """Large patches with uneven edges; a few satellites."""
    lattice = cloth.follow()
    field = smooth(rng, 1, float(rng.uniform(2.6, 4.2)), 0.8, lattice=lattice)
    edge = smooth(rng, 6, 12, 0.5, lattice=lattice)
    share = float(rng.uniform(0.35, 0.55))
    level = field.threshold(share)
    rim = bool(rng.random() < 0.5)
    for patch in cloth.strips():
        value = field(patch.x, patch.y) + 0.12 * edge(patch.x, patch.y)
        if rim:
            patch.level(2, level - 0.22 - value)
        patch.level(1, level - value)
        if not rim:
            patch.level(2, level + 1.0 - value)


def _pelts(rng: np.random.Generator) -> F64:
    """Tawny coats with near-black marks; one in four in a fashion colour."""
    hue = float(rng.normal(70, 10)) if rng.random() < 0.75 else float(rng.uniform(0, 360))
    pale = rng.random() < 0.6
    rows = [
        (rng.uniform(0.84, 0.94) if pale else rng.uniform(0.68, 0.78), rng.uniform(0.02, 0.1), hue + 10),
        (rng.uniform(0.2, 0.34), rng.uniform(0.01, 0.06), hue - 15),
        (rng.uniform(0.58, 0.7), rng.uniform(0.08, 0.14), hue - 8),
        (0.48, 0.07, hue - 20),
        (rng.uniform(0.72, 0.86), rng.uniform(0.06, 0.13), hue + 5),
        (0.15, 0.02, hue),
    ]
    return np.array(rows, np.float64)


TYPE = PatternType(
    label=6,
    draw=draw,
    side_cm=26.0,
    turnable=True,
    coverage=(0.47, 0.38, 0.13, 0.01, 0.01),
    sample_seed=1,
    words=(
        *("animal print", "leopard", "zebra", "tiger", "animal", "cheetah", "snake", "snakeskin", "giraffe"),
        *("python", "jaguar", "crocodile", "leopard print", "zebra print", "tiger print", "snake print"),
        *("cow print", "cow", "dalmatian", "cheetah print", "safari", "animal skin", "reptile"),
        *("animal pattern",),
    ),
    adjectives=("animal print", "leopard", "leopard print", "zebra"),
    nouns=("an animal print", "leopard spots"),
    asked="animal print",
    usual=9,
    subtypes=(
        Subtype(
            name="leopard",
            draw=_leopard,
            words=("leopard", "leopard print", "leopard spots", "jaguar"),
            harmony=steady(
                (0.8, 0.075, 78), (0.2, 0.025, 50), (0.63, 0.1, 65), (0.5, 0.07, 60), (0.85, 0.05, 80), (0.15, 0.02, 50)
            ),
        ),
        Subtype(
            name="cheetah",
            draw=_cheetah,
            words=("cheetah", "cheetah print"),
            harmony=steady(
                (0.84, 0.085, 80),
                (0.19, 0.02, 50),
                (0.92, 0.03, 85),
                (0.5, 0.07, 60),
                (0.85, 0.05, 80),
                (0.15, 0.02, 50),
            ),
        ),
        Subtype(
            name="zebra",
            draw=_zebra,
            words=("zebra", "zebra print", "zebra stripes"),
            harmony=steady(
                (0.97, 0.008, 90), (0.17, 0.006, 60), (0.8, 0.015, 80), (0.5, 0.01, 80), (0.9, 0.01, 80), (0.14, 0, 0)
            ),
        ),
        Subtype(
            name="tiger",
            draw=_tiger,
            words=("tiger", "tiger print", "tiger stripes"),
            harmony=steady(
                (0.72, 0.15, 58), (0.17, 0.02, 40), (0.9, 0.05, 80), (0.5, 0.1, 50), (0.85, 0.05, 80), (0.14, 0.01, 40)
            ),
        ),
        Subtype(
            name="giraffe",
            draw=_giraffe,
            words=("giraffe", "giraffe print"),
            harmony=steady(
                (0.9, 0.04, 85), (0.47, 0.095, 52), (0.55, 0.1, 58), (0.5, 0.07, 60), (0.6, 0.1, 62), (0.3, 0.05, 50)
            ),
        ),
        Subtype(name="snake", draw=_snake, words=("snake", "snakeskin", "snake print", "python", "python print")),
        Subtype(
            name="cow",
            draw=_cow,
            words=("cow print", "cow", "cow spots"),
            harmony=steady(
                (0.97, 0.008, 90), (0.2, 0.01, 60), (0.3, 0.015, 60), (0.5, 0.02, 80), (0.9, 0.01, 80), (0.14, 0, 0)
            ),
        ),
        Subtype(name="crocodile", draw=_tortoise, words=("crocodile", "croc print", "alligator", "tortoiseshell")),
    ),
    near=("dalmatian", "reptile"),
    palettes=("Sahara", "Charcoal and bone", "Saffron market", "Terracotta", "Oxblood"),
    harmony=_pelts,
)
