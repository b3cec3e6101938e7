"""Abstracts: brushstrokes, marbling, terrazzo, memphis, cut-outs, contours, overlapping rounds and pebbles."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from .drawing import shapes
from .drawing.cells import voronoi
from .drawing.cloth import Bands, Cloth
from .drawing.layout import packed, spread, tossed
from .drawing.noise import smooth
from .drawing.pattern_type import PatternType, Subtype


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_brushstrokes, _marbled, _terrazzo, _memphis, _cutouts, _contours, _rounds, _pebbles)
    families[rng.integers(len(families))](cloth, rng)


def _brushstrokes(cloth: Cloth, rng: np.random.Generator) -> None:
    """Short, broad strokes with bristle marks, laid roughly one way or crossing."""
    lattice = cloth.follow()
    count = int(rng.integers(9, 20))
    main_turn = float(rng.uniform(0, math.pi))
    loose = float(rng.choice([0.15, 0.4, 1.5]))
    scale = 1 / math.sqrt(count)
    for spot in spread(rng, count, lattice=lattice):
        role = int(rng.choice([1, 1, 2, 2, 3, 4]))
        length, width = scale * float(rng.uniform(0.45, 0.7)), scale * float(rng.uniform(0.13, 0.24))
        turn, bend = main_turn + float(rng.normal(0, loose)), float(rng.normal(0, 0.35))
        bristles = rng.uniform(0, 1, 9)
        for patch in cloth.window(spot.x, spot.y, length + width):
            u, v = patch.turned(turn)
            v = v - np.float32(bend) * u * u / np.float32(length)
            across = np.clip((v / width + 1) * 4, 0, 7.999)
            low = np.floor(across).astype(np.intp)
            ragged = bristles[low] + (bristles[low + 1] - bristles[low]) * (across - low)
            end = length * (0.72 + 0.28 * ragged)
            stroke = np.maximum(np.abs(v) - width * (1 + 0.08 * np.sin(u / width * 2)), np.abs(u) - end)
            dry = np.clip((u / length - 0.1) * 0.9, 0, 0.6) * ragged
            patch.paint(role, stroke, 1 - dry)


def _marbled(cloth: Cloth, rng: np.random.Generator, veined: bool = False) -> None:
    """Marbled paper: veins of colour, pulled about by a swirling bath; ``veined``: too many to look like camouflage."""
    lattice = cloth.follow()
    roles = [(0, 1, 0, 2, 4), (0, 1, 2, 0, 3), (0, 1, 4, 1), (0, 2, 1, 2)][rng.integers(4)]
    bands = Bands.of(*((float(rng.choice([0.4, 1.0, 1.5])), role) for role in roles))
    kx, ky = ((0, 1), (1, 0), (1, 1), (1, -1))[rng.integers(4)]
    push = [smooth(rng, 1, 3.2, 0.6, 14, lattice=lattice) for _ in range(4)]
    first, second = float(rng.uniform(0.06, 0.1)), float(rng.uniform(0.1, 0.2))
    turns = max(int(rng.integers(1, 3)), 2 if veined else 1)
    across_x, down_y = (k / turns for k in lattice.wave(turns * kx, turns * ky))
    for patch in cloth.strips():
        x = patch.x + first * push[0](patch.x, patch.y)
        y = patch.y + first * push[1](patch.x, patch.y)
        swirl = push[2](x, y) + 0.6 * push[3](patch.x, patch.y)
        phase = turns * (across_x * patch.x + down_y * patch.y + 1.6 * second * swirl)
        down, across = np.gradient(phase)
        patch.bands(bands, phase, np.maximum(np.hypot(down, across) / cloth.px, 1e-3))


def _tie_dye(cloth: Cloth, rng: np.random.Generator) -> None:
    """Rings of dye that bled about a few knots, crossed by the pleats of the binding."""
    knots = spread(rng, int(rng.integers(1, 4)), rounds=20)
    xs, ys = np.array([s.x for s in knots], np.float32), np.array([s.y for s in knots], np.float32)
    reach = 0.5 / math.sqrt(len(knots))
    roles = [(0, 1, 2, 4), (0, 1, 0, 2), (0, 2, 1, 4, 1)][rng.integers(3)]
    bands = Bands.of(*((float(rng.uniform(0.7, 1.4)), role) for role in roles))
    rings, pleats = float(rng.uniform(0.9, 1.5)), int(rng.integers(9, 16))
    bleed, crease = smooth(rng, 3, 9, 0.6), smooth(rng, 8, 16, 0.4)
    phase = rng.uniform(0, 2 * math.pi, len(knots)).astype(np.float32)
    for patch in cloth.strips():
        border, near, index = voronoi(patch.x, patch.y, xs, ys)
        dx, dy = patch.x - xs[index], patch.y - ys[index]
        angle = np.arctan2(dy - np.round(dy), dx - np.round(dx))
        inside = np.clip(border / (0.3 * reach), 0, 1)  # pleats of two knots do not meet, so they fade before
        fold = np.sin(pleats * angle + phase[index] + 1.5 * crease(patch.x, patch.y)) * inside
        value = rings * near / reach + 0.07 * bleed(patch.x, patch.y) + 0.05 * fold
        patch.bands(bands, value, 0.16 / cloth.px)
        patch.cover(0, np.clip(0.5 * fold - 0.18, 0, 0.45) * inside)


def _terrazzo(cloth: Cloth, rng: np.random.Generator) -> None:
    """Stone chips: convex shards of many sizes, none overlapping."""
    lattice = cloth.follow()
    largest = float(rng.uniform(0.07, 0.14))
    round_chips = bool(rng.random() < 0.3)
    sizes = [(largest, 50), (largest * 0.6, 150), (largest * 0.33, 300)]
    for spot in packed(rng, sizes, None, -largest * 0.04, lattice):
        size = spot.size
        role = int(rng.choice([1, 1, 2, 3, 4]))
        corners = int(rng.integers(4, 8))
        angles = np.sort((np.arange(corners) + rng.uniform(-0.32, 0.32, corners)) * 2 * math.pi / corners)
        turn = float(rng.uniform(0, 6.28))
        reach = size * rng.uniform(0.75, 1.0, corners)
        points = [(float(r * math.cos(a)), float(r * math.sin(a))) for a, r in zip(angles, reach, strict=True)]
        for patch in cloth.window(spot.x, spot.y, size):
            u, v = patch.turned(turn)
            if round_chips:
                patch.paint(role, shapes.wobble(u, v, size * 0.8, [(2, 0.12, 0.0), (3, 0.1, turn)]))
            else:
                patch.paint(role, shapes.polygon(u, v, points))


def _memphis(cloth: Cloth, rng: np.random.Generator) -> None:
    """Squiggles, triangles, rings, crosses and sticks, tossed."""
    lattice = cloth.follow()
    count = int(rng.integers(10, 20))
    size = 0.4 / math.sqrt(count)
    for spot in spread(rng, count, rounds=20, lattice=lattice):
        kind, role = int(rng.integers(6)), int(rng.choice([1, 1, 2, 3, 4]))
        thick = size * 0.2
        for patch in cloth.window(spot.x, spot.y, size * 1.3):
            u, v = patch.turned(spot.turn)
            if kind == 0:
                points = [(size * 1.1 * (k / 3 - 1), size * 0.36 * (-1) ** k) for k in range(7)]
                patch.paint(role, shapes.path(u, v, points, [thick * 0.75] * 7))
            elif kind == 1:
                corners = [(size * math.cos(a), size * math.sin(a)) for a in (0, 2.094, 4.189)]
                patch.paint(role, shapes.polygon(u, v, corners))
            elif kind == 2:
                patch.line(role, shapes.disc(u, v, size * 0.7), thick * 1.6)
            elif kind == 3:
                cross = np.minimum(shapes.box(u, v, size * 0.85, thick), shapes.box(u, v, thick, size * 0.85))
                patch.paint(role, cross)
            elif kind == 4:
                patch.paint(role, np.maximum(shapes.disc(u, v, size * 0.85), v))
            else:
                patch.paint(role, shapes.disc(u, v, size * 0.62))
                patch.paint(4 if role != 4 else 1, np.maximum(shapes.disc(u, v, size * 0.62), u))
    if rng.random() < 0.5:
        for spot in tossed(rng, 0.08, lattice=lattice):
            for patch in cloth.window(spot.x, spot.y, 0.01):
                bare = patch.planes[0] > 0.999
                patch.paint(1, shapes.disc(patch.x, patch.y, 0.009), bare.astype(np.float32))


def _cutouts(cloth: Cloth, rng: np.random.Generator) -> None:
    """Paper cut-outs: fronds and pods on patches of colour."""
    n = int(rng.integers(2, 4))
    for j in range(n):
        for i in range(n):
            ground = int(rng.choice([0, 0, 2, 4, 3]))
            figure = int(rng.choice([r for r in (1, 2, 4, 0) if r != ground]))
            lobes, turn = int(rng.integers(3, 6)), float(rng.choice([0, 0.5, -0.5, 1.57]))
            kind = int(rng.integers(3))
            half = 0.5 / n
            for patch in cloth.window((i + 0.5) / n, (j + 0.5) / n, half * 1.02):
                if ground:
                    patch.paint(ground, shapes.box(patch.x, patch.y, half * 1.001, half * 1.001))
                u, v = patch.turned(turn, half)
                if kind == 0:
                    frond = shapes.path(u, v, [(0, 0.7), (0.06, 0), (0, -0.7)], [0.1, 0.09, 0.05])
                    for k in range(lobes):
                        y = 0.5 - k * 1.1 / lobes
                        for side in (-1, 1):
                            arm = shapes.drop(u, v, (0.0, y), (side * 0.5 * (1 - 0.1 * k), y - 0.3), 0.1, 0.13)
                            frond = np.minimum(frond, arm)
                    patch.paint(figure, frond * half)
                elif kind == 1:
                    patch.paint(figure, shapes.wobble(u, v, 0.55, [(lobes, 0.28, 0.4), (2, 0.12, 1.0)]) * half)
                    patch.paint(ground, shapes.wobble(u, v, 0.18, [(3, 0.15, 1.0)]) * half)
                else:
                    pod = shapes.lens(v, u, 0.75, 0.36)
                    patch.paint(figure, pod * half)
                    bars = np.abs(v * 4 - np.round(v * 4)) - 0.2
                    patch.paint(ground, np.maximum(np.maximum(bars / 4, pod + 0.1), -np.abs(u) + 0.03) * half)


def _contours(cloth: Cloth, rng: np.random.Generator) -> None:
    """Contour lines of a landscape, the hills tinted."""
    lattice = cloth.follow()
    field = smooth(rng, 1, 2.6, 0.9, lattice=lattice)
    steps = float(rng.uniform(1.3, 2.4))
    roles = ((0, 1), (0, 1, 0, 2), (0, 2, 1, 4), (0, 1, 2))[rng.integers(4)]
    widths = [1.0 if role == 0 or len(set(roles)) > 2 else 0.35 for role in roles]
    bands = Bands.of(*zip(widths, roles, strict=True))
    for patch in cloth.strips():
        phase = field(patch.x, patch.y) * steps * 2 / len(roles)
        down, across = np.gradient(phase)
        patch.bands(bands, phase, np.maximum(np.hypot(down, across) / cloth.px, 1e-3))


def _rounds(cloth: Cloth, rng: np.random.Generator) -> None:
    """Overlapping discs and arches, translucent where they cross."""
    lattice = cloth.follow()
    count = int(rng.integers(6, 12))
    strength = float(rng.uniform(0.7, 1.0))
    arcs = bool(rng.random() < 0.5)
    for spot in spread(rng, count, lattice=lattice):
        size = float(rng.uniform(0.3, 0.6)) / math.sqrt(count)
        role = int(rng.choice([1, 2, 3, 4]))
        half, rings = bool(rng.random() < 0.5), int(rng.integers(1, 4))
        for patch in cloth.window(spot.x, spot.y, size):
            u, v = patch.turned(spot.turn)
            cut = v if half and arcs else np.full((1, 1), -1, np.float32)
            away = np.hypot(u, v)
            for k in range(rings):
                middle, thick = size * (1 - (k + 0.3) / rings), size * 0.3 / rings
                ring = np.abs(away - middle) - thick if k < rings - 1 else away - middle - thick
                patch.paint(role, np.maximum(ring, cut), strength)


def _pebbles(cloth: Cloth, rng: np.random.Generator) -> None:
    """Pebbles or stained glass: rounded cells of every colour with grout between."""
    lattice = cloth.follow()
    spots = spread(rng, int(rng.integers(10, 24)), rounds=3, lattice=lattice)
    xs, ys = np.array([s.x for s in spots], np.float32), np.array([s.y for s in spots], np.float32)
    colours = np.array([1, 2, 3, 4, 1, 2, 0])[rng.integers(0, 7, len(spots))]
    gap = float(rng.uniform(0.03, 0.07)) / math.sqrt(len(xs))
    rings = bool(rng.random() < 0.5)
    for patch in cloth.strips():
        border, _, index = voronoi(patch.x, patch.y, xs, ys, lattice=lattice)
        role = colours[index]
        for colour in np.unique(role):
            if colour:
                patch.paint(int(colour), gap - border, np.equal(role, colour))
        if rings:
            patch.paint(0, np.abs(border - gap * 3.4) - gap * 0.6)


TYPE = PatternType(
    label=9,
    draw=draw,
    side_cm=44.0,
    turnable=True,
    coverage=(0.57, 0.15, 0.10, 0.08, 0.10),
    sample_seed=2,
    words=(
        *("abstract", "marbled", "watercolour", "tie dye", "tie dyed", "marble", "brushstrokes", "splashes"),
        *("painted", "paint splatter", "swirls", "swirly", "psychedelic", "artistic", "batik", "shibori"),
        *("galaxy", "clouds", "painterly", "ombre", "splatter", "cloudy", "artsy", "blotches", "graffiti"),
        *("cosmic", "expressionist"),
    ),
    adjectives=("abstract", "marbled", "abstract print"),
    nouns=("an abstract pattern", "abstract shapes"),
    subtypes=(
        Subtype(
            name="marble", draw=partial(_marbled, veined=True), words=("marble", "marbled", "marbling", "marbled paper")
        ),
        Subtype(name="terrazzo", draw=_terrazzo, words=("terrazzo", "stone chips")),
        Subtype(name="memphis", draw=_memphis, words=("memphis", "memphis style", "squiggles")),
        Subtype(
            name="brushstroke",
            draw=_brushstrokes,
            words=("brushstrokes", "brushstroke", "brush strokes", "brush stroke"),
        ),
        Subtype(name="tie-dye", draw=_tie_dye, words=("tie dye", "tie dyed", "tie dyes")),
    ),
    near=(
        *("watercolour", "splashes", "paint splatter", "psychedelic", "batik", "shibori", "galaxy", "clouds", "ombre"),
        *("splatter", "cloudy", "graffiti", "cosmic"),
    ),
    usual=6,
)
