"""Camouflage: woodland, digital, tiger stripe, splinter, flecktarn, brushstroke and desert chip; four tones."""

from __future__ import annotations

import numpy as np

from ..lattices import Lattice
from .drawing import shapes
from .drawing.cells import nearest
from .drawing.cloth import F64, Cloth, Floats, Labels
from .drawing.layout import spread, tossed
from .drawing.noise import Noise, smooth, streaks
from .drawing.pattern_type import PatternType, Subtype


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_woodland, _woodland, _woodland, _digital, _digital, _tiger, _splinter, _flecktarn, _brush, _desert)
    families[rng.integers(len(families))](cloth, rng)


def _tones(rng: np.random.Generator) -> list[tuple[int, float]]:
    """Role and share of every tone over the ground, the darkest last."""
    return [
        (2, float(rng.uniform(0.38, 0.5))),
        (3, float(rng.uniform(0.26, 0.36))),
        (1, float(rng.uniform(0.16, 0.26))),
        *([(4, float(rng.uniform(0.05, 0.1)))] if rng.random() < 0.4 else []),
    ]


class _Warped:
    """Noise read at displaced points, which curls its blobs; ``level`` makes it cover a share of the tile."""

    def __init__(self, rng: np.random.Generator, field: Noise, amount: float, high: float, lattice: Lattice) -> None:
        self.field, self.amount = field, np.float32(amount)
        self.push = smooth(rng, 1, high, lattice=lattice), smooth(rng, 1, high, lattice=lattice)

    def __call__(self, x: Floats, y: Floats) -> Floats:
        dx, dy = self.push[0](x, y), self.push[1](x, y)
        return self.field(x + self.amount * dx, y + self.amount * dy)

    def level(self, share: float) -> float:
        grid = ((np.arange(64) + 0.5) / 64).astype(np.float32)
        return float(np.quantile(self(grid[None, :], grid[:, None]), 1 - share))


def _woodland(cloth: Cloth, rng: np.random.Generator) -> None:
    lattice = cloth.follow()
    scale = float(rng.uniform(2.4, 4.6))
    amount = float(rng.uniform(0.03, 0.09))
    stretch = bool(rng.random() < 0.5)
    for role, share in _tones(rng):
        if stretch:
            base = streaks(rng, (0, round(scale)), 1.4, 20, lattice)
        else:
            base = smooth(rng, 1.5, scale, 0.3, 20, lattice=lattice)
        field = _Warped(rng, base, amount, 4, lattice)
        level = field.level(share)
        for patch in cloth.strips():
            patch.level(role, level - field(patch.x, patch.y))


def _digital(cloth: Cloth, rng: np.random.Generator) -> None:
    """Pixels: warped noise read on a coarse lattice."""
    cells = int(rng.choice([16, 20, 24, 32]))
    centres = ((np.arange(cells) + 0.5) / cells).astype(np.float32)
    table = np.zeros((cells, cells), np.intp)
    for role, share in _tones(rng):
        field = smooth(rng, 1, cells / 4, 0.7, 40)(centres[None, :], centres[:, None])
        field += rng.normal(0, 0.18, field.shape).astype(np.float32)
        table[field > np.quantile(field, 1 - share)] = role

    def roles(x: Floats, y: Floats) -> Labels:
        i, j = np.floor(x * cells).astype(np.intp) % cells, np.floor(y * cells).astype(np.intp) % cells
        found: Labels = table[j, i]
        return found

    for patch in cloth.strips():
        patch.sampled(roles)


def _tiger(cloth: Cloth, rng: np.random.Generator) -> None:
    """Vietnam tiger stripe: long horizontal licks with ragged ends, over softer blobs."""
    lattice = cloth.follow()
    under = smooth(rng, 1, 3, 0.5, lattice=lattice)
    level = under.threshold(0.45)
    licks = streaks(rng, (0, int(rng.integers(4, 7))), float(rng.uniform(0.9, 1.3)), lattice=lattice)
    other = streaks(rng, (0, int(rng.integers(4, 7))), float(rng.uniform(0.9, 1.3)), lattice=lattice)
    rag = smooth(rng, 5, 11, 0.4, lattice=lattice)
    shares = licks.threshold(float(rng.uniform(0.24, 0.34))), other.threshold(0.2)
    for patch in cloth.strips():
        ragged = 0.1 * rag(patch.x, patch.y)
        patch.level(2, level - under(patch.x, patch.y))
        patch.level(3, shares[1] - other(patch.x, patch.y) - ragged)
        patch.level(1, shares[0] - licks(patch.x, patch.y) - ragged)


def _splinter(cloth: Cloth, rng: np.random.Generator) -> None:
    """Angular shards."""
    lattice = cloth.follow()
    layers = []
    for _ in range(2):
        spots = spread(rng, int(rng.integers(10, 18)), rounds=2, lattice=lattice)
        xs, ys = np.array([s.x for s in spots], np.float32), np.array([s.y for s in spots], np.float32)
        layers.append((xs, ys, rng.permutation(np.resize([0, 2, 3, 1], len(xs)))))
    rain = bool(rng.random() < 0.3)

    def roles(x: Floats, y: Floats) -> Labels:
        a, b = nearest(x, y, *layers[0][:2], lattice=lattice), nearest(x, y, *layers[1][:2], lattice=lattice)
        upper = layers[1][2][b]
        return np.where((upper == 1) | (upper == 3), upper, layers[0][2][a])

    for patch in cloth.strips():
        patch.sampled(roles)
    if rain:
        for spot in tossed(rng, 0.09, lattice=lattice):
            for patch in cloth.window(spot.x, spot.y, 0.04):
                patch.paint(4, shapes.box(patch.x, patch.y, 0.006, 0.034))


def _flecktarn(cloth: Cloth, rng: np.random.Generator) -> None:
    """Clusters of dots of four tones, on a lattice of their own each."""
    n = 2 * int(rng.integers(5, 8))
    row, column = np.mgrid[0:n, 0:n]
    x, y = (column + 0.5 * (row % 2)) / n, row / n
    for role, share in _tones(rng):
        field = smooth(rng, 1, 4.5, 0.5)
        shift = rng.uniform(0, 1, 2)
        value = field(x + shift[0], y + shift[1])
        level = field.threshold(share)
        radii = np.where(value > level + 0.25, 0.62, 0.42) / n * rng.uniform(0.8, 1.2, (n, n))
        radii = np.where(value > level, radii, -1.0)
        for patch in cloth.strips():
            patch.paint(role, _dots(patch.x - np.float32(shift[0]), patch.y - np.float32(shift[1]), radii))


def _dots(x: Floats, y: Floats, radii: Floats) -> Floats:
    """Distance to a union of discs on an n x n half-brick lattice; discs reach into neighbouring cells at most."""
    n = len(radii)
    row = np.round(y * n).astype(np.intp)
    nearest = np.full(np.broadcast_shapes(x.shape, y.shape), 9, np.float32)
    for down in (-1, 0, 1):
        j = row + down
        column = np.round(x * n - 0.5 * (j % 2)).astype(np.intp)
        for across in (-1, 0, 1):
            i = column + across
            dx, dy = x - (i + 0.5 * (j % 2)) / n, y - j / n
            away = np.hypot(dx, dy) - radii[j % n, i % n]
            np.minimum(nearest, away, out=nearest, casting="unsafe")
    return nearest


def _brush(cloth: Cloth, rng: np.random.Generator) -> None:
    """Brushstroke (lizard): broad strokes with dry ends, two or three colours."""
    lattice = cloth.follow()
    for role, count in ((2, 7), (3, 6), (1, 7)):
        for spot in spread(rng, count, lattice=lattice):
            length, width = float(rng.uniform(0.16, 0.3)), float(rng.uniform(0.03, 0.06))
            turn = float(rng.normal(0.2, 0.5))
            bend = float(rng.normal(0, 0.5))
            dry = [(float(rng.uniform(-1, 1)), float(rng.uniform(0.5, 1.0))) for _ in range(4)]
            for patch in cloth.window(spot.x, spot.y, length + width):
                u, v = patch.turned(turn)
                v = v - np.float32(bend) * u * u / np.float32(length)
                taper = width * (1 - 0.75 * (u / length) ** 4)
                stroke = np.maximum(np.abs(v) - taper, np.abs(u) - length)
                for offset, start in dry:
                    gap = np.maximum(np.abs(v - offset * width) - width * 0.09, length * start * 0.6 - u)
                    stroke = np.maximum(stroke, -gap)
                patch.paint(role, stroke)


def _desert(cloth: Cloth, rng: np.random.Generator) -> None:
    """Chocolate chip: broad soft blobs and scattered pebbles with a highlight."""
    lattice = cloth.follow()
    for role, share in ((2, 0.45), (3, 0.25)):
        field = _Warped(rng, smooth(rng, 1, 3, 0.4, 20, lattice=lattice), 0.05, 3, lattice)
        level = field.level(share)
        for patch in cloth.strips():
            patch.level(role, level - field(patch.x, patch.y))
    for spot in tossed(rng, float(rng.uniform(0.13, 0.2)), lattice=lattice):
        size = float(rng.uniform(0.022, 0.042))
        waves = [(k, float(rng.uniform(0.05, 0.3)) / k, float(rng.uniform(0, 6.28))) for k in (2, 3, 4)]
        for patch in cloth.window(spot.x, spot.y, size * 1.8):
            patch.paint(1, shapes.wobble(patch.x, patch.y, size, waves))
            patch.paint(4, shapes.wobble(patch.x + size * 0.25, patch.y + size * 0.3, size * 0.6, waves))


def _near_tones(rng: np.random.Generator) -> F64:
    """Four near tones, mostly of earth and leaf, sometimes of sea, night, or something nobody expects."""
    hue, chroma = ((110, 0.05), (95, 0.05), (75, 0.055), (130, 0.05), (245, 0.05), (0, 0.11), (300, 0.1), (200, 0.08))[
        int(rng.choice(8, p=[0.24, 0.2, 0.16, 0.14, 0.1, 0.06, 0.05, 0.05]))
    ]
    spread = 40 if chroma < 0.07 else 22
    hues = hue + rng.normal(0, spread / 2, 6)
    lightness = (rng.uniform(0.72, 0.85), rng.uniform(0.24, 0.34), 0.6, 0.45, 0.9 if rng.random() < 0.5 else 0.16, 0.52)
    lights = np.array(lightness) + rng.normal(0, 0.02, 6)
    return np.stack([lights, chroma * rng.uniform(0.6, 1.3, 6), hues], axis=1)


TYPE = PatternType(
    label=8,
    draw=draw,
    side_cm=40.0,
    turnable=True,
    patches=True,
    coverage=(0.30, 0.23, 0.21, 0.24, 0.02),
    sample_seed=2,
    words=(
        *("camouflage", "camo", "army print", "military print", "camouflaged", "woodland camo"),
        *("army pattern", "military pattern", "hunting print"),
    ),
    adjectives=("camouflage", "camo"),
    nouns=("a camouflage pattern", "camo"),
    subtypes=(
        Subtype(name="woodland-camo", draw=_woodland, words=("woodland camo", "woodland camouflage")),
        Subtype(
            name="digital-camo",
            draw=_digital,
            words=("digital camo", "digital camouflage", "pixel camo", "pixelated camo", "pixel camouflage"),
        ),
        Subtype(name="flecktarn", draw=_flecktarn, words=("flecktarn",)),
    ),
    short="camo",
    palettes=("Lichen", "Sahara", "Charcoal and bone", "Highland", "Terracotta"),
    harmony=_near_tones,
)
