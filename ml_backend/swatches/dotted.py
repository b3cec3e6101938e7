"""Dots: polka, coin, ringed, scattered, confetti, halftone and hand-dabbed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .drawing import shapes
from .drawing.cloth import Cloth
from .drawing.layout import Spot, grid, packed, spread, tossed
from .drawing.noise import smooth
from .drawing.pattern_type import PatternType, Subtype


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    family = (_polka, _polka, _coin, _rings, _scatter, _confetti, _halftone, _dabs, _clusters)[rng.integers(9)]
    family(cloth, rng)


def _lattice(rng: np.random.Generator, low: int, high: int) -> tuple[list[Spot], float]:
    """A regular lattice and the distance between neighbours."""
    n = int(rng.integers(low, high + 1))
    kind = rng.integers(3)
    if kind == 1:  # turned by 45 degrees
        whole = [replace(s, n=0) for s in grid(n, n)]
        return whole + [Spot(s.x + 0.5 / n, s.y + 0.5 / n, n=1) for s in whole], 0.7071 / n
    n += n % 2  # so that two colours can alternate around the torus
    if kind == 0:
        return grid(n, n), 1.0 / n
    rows = n + 2 if n >= 4 else n
    return grid(n, rows, brick=True), min(1.0 / n, math.hypot(0.5 / n, 1.0 / rows))


def _polka(cloth: Cloth, rng: np.random.Generator) -> None:
    spots, apart = _lattice(rng, 2, 6)
    radius = apart * rng.uniform(0.22, 0.42)
    roles = ([1, 1], [1, 1], [1, 2], [1, 4])[rng.integers(4)]
    small = bool(rng.random() < 0.3)
    for spot in spots:
        size = radius * (0.55 if small and spot.n % 2 else 1.0)
        for patch in cloth.window(spot.x, spot.y, size):
            patch.paint(roles[spot.n % 2], shapes.disc(patch.x, patch.y, size))


def _turned_lattice(n: int) -> list[Spot]:
    return grid(n, n) + [Spot(s.x + 0.5 / n, s.y + 0.5 / n, n=1) for s in grid(n, n)]


def _pin_dots(cloth: Cloth, rng: np.random.Generator) -> None:
    """Tiny dots far apart."""
    n = int(rng.integers(6, 9))
    radius = float(rng.uniform(0.09, 0.13)) / n
    for spot in _turned_lattice(n):
        for patch in cloth.window(spot.x, spot.y, radius):
            patch.paint(1, shapes.disc(patch.x, patch.y, radius))


def _even_dots(cloth: Cloth, rng: np.random.Generator) -> None:
    """Round dots of one size and colour on a turned lattice: the polka dot that everybody means."""
    n = int(rng.integers(2, 5))
    radius = float(rng.uniform(0.17, 0.26)) / n
    for spot in _turned_lattice(n):
        for patch in cloth.window(spot.x, spot.y, radius):
            patch.paint(1, shapes.disc(patch.x, patch.y, radius))


def _coin(cloth: Cloth, rng: np.random.Generator) -> None:
    """Large dots, each with a smaller one set in or a slice of another colour."""
    spots, apart = _lattice(rng, 2, 3)
    radius = apart * rng.uniform(0.36, 0.46)
    kind = rng.integers(4)
    for i, spot in enumerate(spots):
        turn = (i % 4) * math.pi / 2 + (math.pi / 4 if kind == 3 else 0.0)
        for patch in cloth.window(spot.x, spot.y, radius):
            body = shapes.disc(patch.x, patch.y, radius)
            patch.paint(1 if kind != 1 or i % 2 else 2, body)
            u, v = patch.turned(turn)
            if kind == 0:
                patch.paint(4, shapes.disc(patch.x, patch.y, radius * 0.4))
            elif kind == 1:
                patch.paint(0, shapes.disc(u - radius * 0.22, v, radius * 0.55))
            elif kind == 2:
                patch.paint(2, np.maximum(body, u))
                patch.paint(4, shapes.disc(patch.x, patch.y, radius * 0.22))
            else:
                patch.paint(2, np.maximum(body, v))


def _rings(cloth: Cloth, rng: np.random.Generator) -> None:
    spots, apart = _lattice(rng, 2, 4)
    radius = apart * rng.uniform(0.38, 0.48)
    count = int(rng.integers(2, 4))
    roles = list(rng.permutation([1, 2, 4])) if rng.random() < 0.6 else [1, 0, 1]
    for spot in spots:
        for patch in cloth.window(spot.x, spot.y, radius):
            for ring in range(count):
                size = radius * (1 - ring / (count + 0.15))
                role = int(roles[ring % 3])
                patch.paint(role, shapes.disc(patch.x, patch.y, size))
                if role != 0 and count == 2:
                    patch.paint(0, shapes.disc(patch.x, patch.y, size * 0.78))


def _scatter(cloth: Cloth, rng: np.random.Generator) -> None:
    """Tossed dots of several sizes and colours, none touching; some carry a ring or an eye."""
    lattice = cloth.follow()
    largest = float(rng.uniform(0.06, 0.13))
    fancy = float(rng.choice([0.0, 0.0, 0.5]))
    sizes = [(largest, 30), (largest * 0.6, 80), (largest * 0.32, 220)]
    for spot in packed(rng, sizes, None, largest * 0.2, lattice):
        role = int(rng.choice([1, 1, 2, 2, 3, 4]))
        eye = rng.random() < fancy and spot.size > largest * 0.45
        for patch in cloth.window(spot.x, spot.y, spot.size):
            patch.paint(role, shapes.disc(patch.x, patch.y, spot.size))
            if eye:
                patch.paint(0, shapes.disc(patch.x, patch.y, spot.size * 0.66))
                patch.paint(4 if role != 4 else 1, shapes.disc(patch.x, patch.y, spot.size * 0.36))


def _confetti(cloth: Cloth, rng: np.random.Generator) -> None:
    """Small rounded bars and dots, thrown."""
    lattice = cloth.follow()
    apart = rng.uniform(0.12, 0.19)
    bars = rng.uniform(0.2, 0.8)
    for spot in tossed(rng, apart, lattice=lattice):
        role = int(rng.choice([1, 1, 2, 3, 4]))
        if rng.random() < bars:
            half, thick = apart * 0.46, apart * 0.2
            for patch in cloth.window(spot.x, spot.y, half):
                patch.paint(role, shapes.box(*patch.turned(spot.turn), half, thick, thick))
            continue
        size = apart * float(rng.uniform(0.2, 0.36))
        for patch in cloth.window(spot.x, spot.y, size):
            patch.paint(role, shapes.disc(patch.x, patch.y, size))


def _halftone(cloth: Cloth, rng: np.random.Generator) -> None:
    """A fine turned lattice whose dots grow and shrink across the tile."""
    n = int(rng.integers(5, 8))
    wave = smooth(rng, 1, 1.5) if rng.random() < 0.5 else None
    kx, ky = ((0, 1), (1, 0), (1, 1))[rng.integers(3)]
    accent = bool(rng.random() < 0.4)
    half = [Spot(s.x + 0.5 / n, s.y + 0.5 / n, n=1) for s in grid(n, n)]
    for spot in grid(n, n) + half:
        if wave is None:
            tone = 0.5 - 0.5 * math.cos(2 * math.pi * (kx * spot.x + ky * spot.y))
        else:
            tone = float(np.clip(0.5 + 0.4 * wave(np.array(spot.x), np.array(spot.y)), 0, 1))
        size = (0.08 + 0.25 * tone) / n
        for patch in cloth.window(spot.x, spot.y, size):
            patch.paint(4 if accent and tone > 0.7 else 1, shapes.disc(patch.x, patch.y, size))


def _dabs(cloth: Cloth, rng: np.random.Generator) -> None:
    """Brush dabs: uneven, a little transparent at the heart."""
    n = int(rng.integers(3, 5))
    n += n % 2
    apart = 1.0 / n
    roles = [1] if rng.random() < 0.5 else [1, 2]
    heart = int(rng.choice([2, 4, 1]))
    for i, spot in enumerate(grid(n, n, brick=True) if rng.random() < 0.7 else spread(rng, n * n)):
        x, y = spot.x + rng.normal(0, 0.05) * apart, spot.y + rng.normal(0, 0.05) * apart
        size = apart * float(rng.uniform(0.3, 0.4))
        waves = [(k, float(rng.uniform(0.02, 0.14 / k)), float(rng.uniform(0, 6.28))) for k in (2, 3, 4, 5)]
        for patch in cloth.window(float(x), float(y), size * 1.4):
            patch.paint(roles[i % len(roles)], shapes.wobble(patch.x, patch.y, size, waves))
            patch.paint(heart, shapes.wobble(patch.x + size * 0.1, patch.y, size * 0.45, waves[::-1]), 0.8)


def _clusters(cloth: Cloth, rng: np.random.Generator) -> None:
    """Dots gathered in rosettes: one in the middle, petals of dots around it."""
    n = int(rng.integers(2, 4))
    around = int(rng.integers(5, 9))
    spots = [replace(s, turn=0.0) for s in grid(n, n)]
    spots += [Spot(s.x + 0.5 / n, s.y + 0.5 / n, n=1) for s in grid(n, n)] if n == 2 or rng.random() < 0.5 else []
    reach = (0.24 if len(spots) > n * n else 0.32) / n
    bead = reach * math.sin(math.pi / around) * 0.82
    for spot in spots:
        for patch in cloth.window(spot.x, spot.y, reach + bead):
            fx, fy = shapes.fold(patch.x, patch.y, around)
            patch.paint(1 if spot.n % 2 == 0 else 2, shapes.disc(fx - reach, fy, bead))
            patch.paint(4, shapes.disc(patch.x, patch.y, max(reach - 1.6 * bead, reach * 0.3)))


TYPE = PatternType(
    label=3,
    draw=draw,
    side_cm=22.0,
    turnable=True,
    motifs=True,
    coverage=(0.67, 0.18, 0.07, 0.02, 0.06),
    sample_seed=4,
    words=(
        *("dotted", "polka dots", "dots", "dotty", "spotted", "spots", "polka dot", "polka", "pin dots"),
        *("bubbles", "polkadots", "polkadot", "circles", "speckled", "confetti", "spotty", "dot", "pois"),
    ),
    adjectives=("dotted", "polka dot", "spotted"),
    nouns=("dots", "polka dots"),
    subtypes=(
        Subtype(name="polka-dot", draw=_even_dots, words=("polka dots", "polka dot", "polka", "polkadots", "polkadot")),
        Subtype(name="pin-dot", draw=_pin_dots, words=("pin dots", "pin dot", "pindot", "pindots", "pin dotted")),
        Subtype(name="confetti", draw=_confetti, words=("confetti", "sprinkles")),
        Subtype(name="halftone", draw=_halftone, words=("halftone", "half tone", "halftone dots")),
    ),
    near=("bubbles", "speckled"),
    asked="polka dot",
    folders=("polka_dotted", "polka-dotted"),
    usual=3,
)
