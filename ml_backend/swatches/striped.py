"""Stripes: awning, breton, pinstripe, ticking, regimental, ombre, barcode, ribbon and hand-painted."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from .drawing.cloth import Bands, Cloth
from .drawing.harmonies import on_white, steady
from .drawing.noise import brushed
from .drawing.pattern_type import PatternType, Subtype

_STRAIGHT = ((1, 0), (0, 1))
_SLANTED = ((1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2))


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    family = (_awning, _breton, _pinstripe, _ticking, _regimental, _ombre, _barcode, _ribbon, _painted)[rng.integers(9)]
    family(cloth, rng)


def _direction(rng: np.random.Generator, slanted: float) -> tuple[int, int]:
    """Whole wave numbers of the stripes' phase; ``slanted`` is the chance of a diagonal."""
    choices = _SLANTED if rng.random() < slanted else _STRAIGHT
    return choices[rng.integers(len(choices))]


def _lay(cloth: Cloth, bands: Bands, wave: tuple[int, int], repeats: int) -> None:
    kx, ky = cloth.follow().wave(wave[0] * repeats, wave[1] * repeats, straight=True)
    for patch in cloth.strips():
        patch.bands(bands, kx * patch.x + ky * patch.y, math.hypot(kx, ky))


def _repeats(rng: np.random.Generator, wave: tuple[int, int], low: int, high: int) -> int:
    """A slanted (2, 1) stripe is already twice as dense."""
    return max(1, round(int(rng.integers(low, high + 1)) / math.hypot(*wave)))


def _awning(cloth: Cloth, rng: np.random.Generator) -> None:
    wave = _direction(rng, 0.25)
    balance = rng.uniform(0.7, 1.3)
    roles = [0, 1] if rng.random() < 0.5 else [0, 1, 0, 2]
    parts = [(balance if role == 0 else 1.0, role) for role in roles]
    if rng.random() < 0.4:
        parts = [piece for width, role in parts for piece in _edged(width, role, 4)]
    _lay(cloth, Bands.of(*parts), wave, _repeats(rng, wave, 2, 7) if len(roles) == 2 else _repeats(rng, wave, 2, 4))


def _even(cloth: Cloth, rng: np.random.Generator, least: int, most: int) -> None:
    """Upright bands about as wide as the ground between them, ``least`` to ``most`` of them."""
    ground = float(rng.uniform(0.85, 1.15))
    _lay(cloth, Bands.of((ground, 0), (1.0, 1)), (1, 0), int(rng.integers(least, most + 1)))


def _edged(width: float, role: int, line: int) -> list[tuple[float, int]]:
    """A band, or for a printed band the same with a fine line set off on both sides."""
    if role == 0:
        return [(width, role)]
    return [(0.08, line), (0.1, 0), (width * 0.7, role), (0.1, 0), (0.08, line)]


def _breton(cloth: Cloth, rng: np.random.Generator, level: bool = False) -> None:
    """Bands on wider ground; ``level``: across, of one colour."""
    wave = (0, 1) if rng.random() < 0.8 or level else (1, 0)
    ground = rng.uniform(1.2, 2.6)
    parts = [(ground, 0), (1.0, 1)]
    repeats = int(rng.integers(5, 11))
    if rng.random() < 0.35 and not level:
        parts = [(ground, 0), (1.0, 1), (ground, 0), (1.0, 2)]
        repeats = max(3, repeats // 2)
    _lay(cloth, Bands.of(*parts), wave, repeats)


def _pinstripe(cloth: Cloth, rng: np.random.Generator, upright: bool = False) -> None:
    """Lines on bare ground; ``upright``: as they run down a suit."""
    wave = (1, 0) if rng.random() < 0.75 or upright else _direction(rng, 0.7)
    line = rng.uniform(0.09, 0.2)
    parts = [(1.0, 0), (line, 1)]
    if rng.random() < 0.6:
        parts += [(1.0, 0), (line * rng.uniform(1.0, 2.0), 2 if rng.random() < 0.5 else 4)]
    if rng.random() < 0.3:
        parts += [(line, 0), (line, 1)]
    _lay(cloth, Bands.of(*parts), wave, _repeats(rng, wave, 4, 9) if len(parts) == 2 else _repeats(rng, wave, 3, 5))


def _ticking(cloth: Cloth, rng: np.random.Generator) -> None:
    """A group of lines about a wide one, as on mattress ticking."""
    wave = (1, 0) if rng.random() < 0.75 else (0, 1)
    gap = rng.uniform(0.4, 0.7)
    lines = int(rng.integers(1, 4))
    side = [piece for i in range(lines) for piece in ((gap, 0), (0.5 / (1 + 0.5 * i), 2 if i % 2 else 1))]
    parts = [(rng.uniform(1.0, 2.0), 1), *side, (rng.uniform(1.6, 3.2), 0), *reversed(side)]
    if rng.random() < 0.4:
        parts[len(parts) // 2 : len(parts) // 2] = [(0.3, 4)]
    _lay(cloth, Bands.of(*parts), wave, int(rng.integers(2, 5)))


def _regimental(cloth: Cloth, rng: np.random.Generator) -> None:
    wave = ((1, 1), (1, -1), (1, 1), (1, -1), (1, 2), (1, -2))[rng.integers(6)]
    thin = rng.uniform(0.12, 0.3)
    parts = [(rng.uniform(1.5, 2.5), 0), (thin, 4), (rng.uniform(0.6, 1.4), 1), (thin, 4)]
    if rng.random() < 0.7:
        parts += [(rng.uniform(0.8, 1.6), 0), (rng.uniform(0.4, 1.0), 2)]
    if rng.random() < 0.4:
        parts += [(thin, 0), (thin, 3)]
    _lay(cloth, Bands.of(*parts), wave, _repeats(rng, wave, 2, 4))


def _ombre(cloth: Cloth, rng: np.random.Generator) -> None:
    """Bands whose widths swell and shrink, or colours that melt into the next."""
    wave = _direction(rng, 0.2)
    if rng.random() < 0.5:
        steps = int(rng.integers(5, 8))
        swell = [(i + 1) / steps for i in range(steps)]
        parts = [piece for s in swell for piece in ((0.35 + 0.65 * s, 1), (1.35 - 0.65 * s - 0.3, 0))]
        if rng.random() < 0.5:
            parts += list(reversed(parts))
            _lay(cloth, Bands.of(*parts), wave, 1)
            return
        _lay(cloth, Bands.of(*parts), wave, int(rng.integers(1, 3)))
        return
    roles = [0, 1, 2, 1] if rng.random() < 0.5 else [0, 1, 4, 2]
    repeats = _repeats(rng, wave, 1, 3)
    sharp = rng.random() < 0.6  # melts on one side, breaks on the other
    kx, ky = wave[0] * repeats * len(roles), wave[1] * repeats * len(roles)
    for patch in cloth.strips():
        phase = kx * patch.x + ky * patch.y
        part = phase - np.floor(phase)
        here = np.floor(phase).astype(np.intp) % len(roles)
        melt = part if sharp else part * part * (3 - 2 * part)
        patch.planes[...] = 0
        for i, role in enumerate(roles):
            after = 0 if sharp else roles[(i + 1) % len(roles)]
            share = np.equal(here, i).astype(np.float32)
            patch.planes[cloth.ink(role)] += share * (1 - melt)
            patch.planes[cloth.ink(after)] += share * melt


def _barcode(cloth: Cloth, rng: np.random.Generator, slanted: float = 0.3) -> None:
    """Deck-chair stripes: many widths, many colours, no two neighbours alike; ``slanted``: the chance of a diagonal."""
    wave = _direction(rng, slanted)
    count = int(rng.integers(7, 14))
    widths = rng.choice([0.4, 0.4, 1.0, 1.0, 1.8, 3.0], count)
    roles: list[int] = []
    for _ in range(count):
        free = [role for role in (0, 0, 1, 1, 2, 3, 4) if not roles or role != roles[-1]]
        roles.append(int(rng.choice(free)))
    if roles[0] == roles[-1]:
        roles[-1] = next(role for role in (0, 1, 2) if role not in (roles[0], roles[-2]))
    parts = [(float(w), r) for w, r in zip(widths, roles, strict=True)]
    _lay(cloth, Bands.of(*parts), wave, 1 if max(map(abs, wave)) > 1 or count > 9 else int(rng.integers(1, 3)))


def _ribbon(cloth: Cloth, rng: np.random.Generator) -> None:
    """Wide bands that carry a row of diamonds, dots or a twist between fine lines."""
    across = bool(rng.random() < 0.5)
    repeats = int(rng.integers(2, 4))
    band = rng.uniform(0.34, 0.5)
    fine = rng.uniform(0.03, 0.05)
    gap = (1 - band) / 2
    bands = Bands.of((gap - 2 * fine, 0), (fine, 2), (fine, 0), (band, 1), (fine, 0), (fine, 2), (gap - 2 * fine, 0))
    beads = int(rng.integers(2, 4)) * repeats
    kind = rng.integers(3)
    for patch in cloth.strips():
        s, t = (patch.x, patch.y) if across else (patch.y, patch.x)
        patch.bands(bands, t * repeats, repeats)
        v = (t * repeats - np.floor(t * repeats) - 0.5) / repeats
        u = (s * beads - np.floor(s * beads) - 0.5) / beads
        reach = 0.36 * band / repeats
        if kind == 0:
            patch.paint(4, (np.abs(u) + np.abs(v) - reach) * 0.707)
            patch.paint(1, (np.abs(u) + np.abs(v) - reach * 0.4) * 0.707)
        elif kind == 1:
            patch.paint(4, np.hypot(u, v) - reach * 0.8)
        else:
            twist = np.sin(2 * math.pi * beads / 2 * s) * reach
            patch.line(4, (v - twist) * 0.5, reach * 0.3)
            patch.line(0, (v + twist) * 0.5, reach * 0.3)


def _painted(cloth: Cloth, rng: np.random.Generator) -> None:
    """Brushed stripes: edges that wander, bristle marks where the ink ran thin."""
    across = bool(rng.random() < 0.6)
    roles = [[0, 1], [0, 1, 0, 2], [0, 1, 0, 2, 0, 4]][rng.integers(3)]
    repeats = max(1, round(float(rng.uniform(6, 12)) / len(roles)))
    bands = Bands.of(*((rng.uniform(0.7, 1.4), role) for role in roles))
    sway, edge = brushed(rng, 4, 3), brushed(rng, 9, 11)
    bristle = brushed(rng, 26, 2)
    amount = rng.uniform(0.06, 0.14) / (repeats * len(roles))
    for patch in cloth.strips():
        s, t = (patch.x, patch.y) if across else (patch.y, patch.x)
        field = amount * sway(t, s) + amount * 0.35 * edge(t, s)
        patch.bands(bands, repeats * (t + field), repeats)
        kept = 1 - np.clip(0.3 * bristle(t, s) - 0.18, 0, 0.5)
        lost = patch.planes[1:].sum(axis=0) * (1 - kept)
        patch.planes[1:] *= kept
        patch.planes[0] += lost


TYPE = PatternType(
    label=1,
    draw=draw,
    side_cm=22.0,
    turnable=True,
    coverage=(0.50, 0.31, 0.08, 0.01, 0.10),
    sample_seed=2,
    words=(
        *("striped", "stripes", "stripy", "stripe", "pinstripes", "pinstriped", "candy stripes", "breton"),
        *("nautical", "banded", "bands", "ticking", "barred", "awning stripes", "lines", "lined pattern"),
        *("marinière", "regimental"),
    ),
    adjectives=("striped", "stripy", "stripe"),
    nouns=("stripes",),
    subtypes=(
        Subtype(
            name="pinstripe",
            draw=partial(_pinstripe, upright=True),
            words=("pinstripe", "pinstripes", "pinstriped", "chalk stripe", "pin stripe", "pin striped"),
            harmony=steady(
                (0.28, 0.035, 265),
                (0.86, 0.01, 90),
                (0.7, 0.03, 260),
                (0.6, 0.02, 90),
                (0.78, 0.04, 60),
                (0.2, 0.02, 265),
            ),
        ),
        Subtype(
            name="breton",
            draw=partial(_breton, level=True),
            words=("breton", "marinière", "breton stripes", "breton striped", "sailor stripes"),
            harmony=steady(
                (0.965, 0.012, 90),
                (0.3, 0.07, 262),
                (0.5, 0.17, 27),
                (0.6, 0.05, 250),
                (0.5, 0.17, 27),
                (0.25, 0.05, 262),
            ),
        ),
        Subtype(
            name="awning",
            draw=partial(_even, least=2, most=4),
            words=("awning stripes", "awning stripe", "awning striped", "cabana stripes", "cabana striped", "awning"),
        ),
        Subtype(
            name="candy-stripe",
            draw=partial(_even, least=8, most=12),
            words=("candy stripes", "candy stripe", "candy striped", "bengal stripes", "bengal striped"),
            harmony=on_white,
        ),
        Subtype(
            name="ticking", draw=_ticking, words=("ticking", "ticking stripes", "ticking stripe", "mattress ticking")
        ),
        Subtype(
            name="regimental",
            draw=_regimental,
            words=("regimental", "regimental stripes", "regimental stripe", "repp stripe", "club stripes"),
        ),
        Subtype(
            name="deckchair",
            draw=partial(_barcode, slanted=0.0),
            words=("deckchair stripes", "deck chair stripes", "deckchair", "barcode stripes", "multi stripes"),
        ),
    ),
    usual=2,
    palettes=("Indigo bath", "Riviera", "Madder and chalk", "Porcelain", "Provence", "Charcoal and bone", "Sorbet"),
)
