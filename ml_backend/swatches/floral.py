"""Florals: ditsy, daisies, gardens, peonies, poppies, folk, vines, sprigs, blossom, tropics, meadows, medallions."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from .drawing import shapes
from .drawing.cloth import Cloth, Floats, Patch
from .drawing.flowers import (
    ANEMONE,
    DAHLIA,
    DAISY,
    HIBISCUS,
    LAYERED,
    PRIMROSE,
    ROSE,
    SIMPLE,
    SUZANI,
    Flower,
    frond,
    leaf,
    monstera,
    stem,
)
from .drawing.harmonies import botanical, one_ink, tone_on_tone
from .drawing.layout import Circle, Spot, grid, packed, spread
from .drawing.pattern_type import PatternType, Subtype
from .drawing.shapes import Point


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    _FAMILIES[rng.integers(len(_FAMILIES))](cloth, rng)


def _turn(rng: np.random.Generator) -> float:
    return float(rng.uniform(0, 2 * math.pi))


def _at(spot: Spot, angle: float, away: float) -> tuple[float, float]:
    return spot.x + away * math.cos(angle), spot.y + away * math.sin(angle)


def _fill(cloth: Cloth, rng: np.random.Generator, taken: list[Circle], size: float, role: int = 2) -> None:
    """Small flowers, leaf pairs and dots in the room that is left."""
    size = max(size, 0.034)  # smaller would be specks on a small tile
    small = Flower(rng, role, (SIMPLE, PRIMROSE, DAISY))
    sizes = [(size, 200), (size * 0.62, 200), (size * 0.32, 200)]
    for spot in packed(rng, sizes, taken, size * 0.2, cloth.lattice):
        if spot.size > size * 0.75:
            small.print(cloth, spot, spot.size)
        elif spot.size > size * 0.4:
            for side in (-1, 1):
                leaf(cloth, spot.x, spot.y, spot.turn + side * 0.9, spot.size * 1.1, broad=0.26, shade=0)
        else:
            for patch in cloth.window(spot.x, spot.y, spot.size):
                patch.paint(4, shapes.disc(patch.x, patch.y, spot.size * 0.9))


def _ditsy(cloth: Cloth, rng: np.random.Generator) -> None:
    """Small flowers and leaves scattered close, all ways up."""
    lattice = cloth.follow()
    size = float(rng.uniform(0.075, 0.11))
    flowers = [Flower(rng, 1, (SIMPLE, PRIMROSE, ANEMONE)), Flower(rng, 2, (SIMPLE, DAISY, PRIMROSE))]
    taken: list[Circle] = []
    for spot in packed(rng, [(size, 300)], None, size * 0.5, lattice=lattice):
        for k in range(2):
            angle = spot.turn + k * 2.2
            taken += leaf(cloth, *_at(spot, angle, spot.size * 0.7), angle, spot.size * 0.95, broad=0.24)
        taken.append(flowers[int(rng.random() < 0.35)].print(cloth, spot, spot.size))
    _fill(cloth, rng, taken, size * 0.4, 4)


def _daisies(cloth: Cloth, rng: np.random.Generator, kinds: tuple[int, ...] = (DAISY, DAHLIA, SIMPLE, ANEMONE)) -> None:
    """One flower in a lattice, a small one in every gap."""
    n = int(rng.choice([2, 3, 4]))
    flower = Flower(rng, int(rng.choice([1, 1, 2])), kinds)
    spots = grid(n, n, drop=n % 2 == 0)
    size = float(rng.uniform(0.38, 0.46)) / n
    small = Flower(rng, 2 if flower.main == 1 else 1, (SIMPLE, PRIMROSE, DAISY))
    leafy = bool(rng.random() < 0.5)
    for spot in spots:
        turn = _turn(rng)
        gap = Spot(spot.x + 0.5 / n, spot.y + (0.0 if n % 2 == 0 else 0.5 / n), turn)
        for k in range(4 if leafy else 0):
            angle = math.pi / 4 + k * math.pi / 2
            leaf(cloth, *_at(gap, angle, 0.04 / n), angle, 0.27 / n, broad=0.26)
        flower.print(cloth, Spot(spot.x, spot.y, turn), size)
        small.print(cloth, gap, 0.12 / n if leafy else 0.15 / n)


def _garden(cloth: Cloth, rng: np.random.Generator) -> None:
    """Liberty style: leaves first, then large, middle and small flowers over them, hardly any ground left."""
    lattice = cloth.follow()
    count = int(rng.integers(5, 10))
    size = 0.42 / math.sqrt(count)
    spots = spread(rng, count, rounds=20, lattice=lattice)
    taken: list[Circle] = []
    for spot in spots:
        for k in range(6):
            angle = spot.turn + k * math.pi / 3
            taken += leaf(cloth, *_at(spot, angle, size * 0.6), angle, size * 0.95)
    kinds = [Flower(rng, 1), Flower(rng, 2), Flower(rng, 1)]
    for spot in spots:
        taken.append(kinds[spot.n % 3].print(cloth, spot, size * float(rng.uniform(0.82, 1.05))))
    _fill(cloth, rng, taken, size * 0.34, 4)


def _peonies(cloth: Cloth, rng: np.random.Generator) -> None:
    """A few large blooms with leaves behind."""
    lattice = cloth.follow()
    count = int(rng.integers(3, 6))
    size = 0.42 / math.sqrt(count)
    taken: list[Circle] = []
    spots = spread(rng, count, rounds=40, lattice=lattice)
    for spot in spots:
        for k in range(5):
            angle = spot.turn + k * 2 * math.pi / 5 + float(rng.normal(0, 0.15))
            taken += leaf(cloth, *_at(spot, angle, size * 0.72), angle, size * 0.95)
    kinds = [Flower(rng, 1, (ROSE,)), Flower(rng, 2, (ROSE, LAYERED, DAHLIA))]
    for spot in spots:
        taken.append(kinds[spot.n % 2].print(cloth, spot, size * float(rng.uniform(0.9, 1.1))))
    _fill(cloth, rng, taken, size * 0.22, int(rng.choice([2, 4])))


def _roses(cloth: Cloth, rng: np.random.Generator) -> None:
    """Roses of two sizes and colours, tossed, each with its leaves."""
    size = float(rng.uniform(0.13, 0.18))
    roses = [Flower(rng, role, (ROSE,)) for role in (1, 2)]
    for rose in roses:
        rose.petals = 5
    spots = packed(rng, [(size, 80), (size * 0.7, 120)], None, size * 0.22)
    taken: list[Circle] = []
    for spot in spots:
        for k in range(3):
            angle = spot.turn + k * 2.1
            taken += leaf(cloth, *_at(spot, angle, spot.size * 0.75), angle, spot.size * 0.75, broad=0.27)
    for number, spot in enumerate(spots):
        taken.append(roses[number % 3 == 2].print(cloth, spot, spot.size * 0.92))


def _engraved(patch: Patch, shape: Floats, lines: float, lean: float) -> None:
    """A shape outlined and hatched, as a copper plate prints it."""
    u, _ = patch.turned(lean)
    hatch = np.abs(u * lines - np.round(u * lines)) / np.float32(lines) - np.float32(0.18 / lines)
    patch.paint(2, np.maximum(shape, hatch))
    patch.line(1, shape, 0.006)


def _toile(cloth: Cloth, rng: np.random.Generator) -> None:
    """Toile de Jouy: islands with a tree and an urn or a temple, engraved in one ink; birds and sprigs between."""
    temple = bool(rng.random() < 0.5)
    taken: list[Circle] = []
    for spot in grid(2, 1, drop=True):
        side = 1 if spot.n % 2 else -1
        _island(cloth, rng, spot, side, temple if side > 0 else not temple)
        taken += [(spot.x, spot.y + 0.02, 0.22), (spot.x, spot.y - 0.14, 0.16)]
    for spot in packed(rng, [(0.075, 200), (0.045, 200)], taken, 0.01):
        if spot.size > 0.055:
            _bird(cloth, spot.x, spot.y, spot.size, 1 if rng.random() < 0.5 else -1)
        else:
            for k in range(3):
                leaf(cloth, spot.x, spot.y, -math.pi / 2 + (k - 1) * 0.8, spot.size * 1.2, role=1, broad=0.2, shade=0.5)


def _island(cloth: Cloth, rng: np.random.Generator, spot: Spot, side: int, temple: bool) -> None:
    """A mound with a tree on one side and a building on the other; about 0.4 tiles wide."""
    foot = spot.y + 0.14
    for patch in cloth.window(spot.x, foot, 0.24):
        _engraved(patch, shapes.ellipse(patch.x, patch.y, 0.215, 0.034), 70, 0.5)
        _engraved(patch, shapes.ellipse(patch.x - side * 0.06, patch.y + 0.022, 0.12, 0.024), 80, -0.5)
    x = spot.x - side * 0.075
    trunk = shapes.bezier((x, foot - 0.02), (x + side * 0.035, foot - 0.13), (x - side * 0.01, foot - 0.25), 6)
    stem(cloth, trunk, 0.021, 1)
    stem(cloth, trunk, 0.009, 0)
    for k in range(5):
        turn = -math.pi / 2 + (k - 2) * 0.62 + float(rng.normal(0, 0.1))
        start = trunk[3 + k % 3]
        tip = start[0] + 0.11 * math.cos(turn), start[1] + 0.1 * math.sin(turn)
        stem(cloth, [start, tip], 0.008, 1)
        for n in range(14):
            angle, away = float(rng.uniform(0, 2 * math.pi)), 0.052 * math.sqrt(float(rng.uniform(0, 1)))
            where = tip[0] + away * math.cos(angle) * 1.25, tip[1] + away * math.sin(angle) * 0.8
            leaf(cloth, *where, float(rng.normal(angle, 0.4)), 0.034, role=1 if n % 3 else 2, broad=0.26, shade=0.4)
    (_temple if temple else _urn)(cloth, spot.x + side * 0.09, foot - 0.03)


def _temple(cloth: Cloth, x: float, foot: float) -> None:
    """A round temple of four columns under a dome."""
    for patch in cloth.window(x, foot - 0.07, 0.13):
        _engraved(patch, shapes.box(patch.x, patch.y - 0.065, 0.078, 0.008), 90, 0.0)
        for k in range(4):
            _engraved(patch, shapes.box(patch.x - (k - 1.5) * 0.04, patch.y - 0.015, 0.009, 0.042), 160, 0.0)
        _engraved(patch, shapes.box(patch.x, patch.y + 0.032, 0.072, 0.008), 90, 0.0)
        dome = np.maximum(shapes.ellipse(patch.x, patch.y + 0.04, 0.062, 0.06), patch.y + 0.04)
        _engraved(patch, dome, 70, 0.3)
        patch.paint(1, shapes.disc(patch.x, patch.y + 0.106, 0.009))


def _urn(cloth: Cloth, x: float, foot: float) -> None:
    """An urn on its plinth, flowers in it."""
    for patch in cloth.window(x, foot - 0.06, 0.14):
        _engraved(patch, shapes.box(patch.x, patch.y - 0.05, 0.045, 0.018), 90, 0.0)
        _engraved(patch, shapes.drop(patch.x, patch.y, (0.0, 0.02), (0.0, -0.03), 0.014, 0.042), 80, 0.4)
        _engraved(patch, shapes.box(patch.x, patch.y + 0.062, 0.05, 0.007), 90, 0.0)
        for k in range(5):
            angle = -math.pi / 2 + (k - 2) * 0.55
            fx, fy = patch.x - 0.055 * math.cos(angle), patch.y + 0.07 - 0.05 * math.sin(angle)
            petals, _ = shapes.fold(fx, fy, 6)
            patch.paint(1, shapes.disc(fx, fy, 0.019) + 0.004 * np.cos(petals * 200))
            patch.paint(0, shapes.disc(fx, fy, 0.008))


def _bird(cloth: Cloth, x: float, y: float, size: float, side: int) -> None:
    """A bird on the wing."""
    for patch in cloth.window(x, y, size * 1.2):
        u, v = patch.x * np.float32(side / size), patch.y / np.float32(size)
        patch.paint(1, shapes.drop(u, v, (-0.5, 0.12), (0.45, -0.05), 0.06, 0.17) * size)
        patch.paint(1, (np.hypot(u - 0.55, v + 0.14) - 0.13) * size)
        patch.paint(1, shapes.drop(u, v, (0.62, -0.15), (0.85, -0.1), 0.05, 0.0) * size)
        for turn, length in ((-2.2, 0.85), (-1.3, 0.75)):
            a, b = u * math.cos(turn) + v * math.sin(turn), v * math.cos(turn) - u * math.sin(turn)
            wing = shapes.lens(a - length / 2, b, length / 2, 0.17)
            patch.paint(1, wing * size)
            patch.paint(0, np.maximum(np.abs(b) - 0.03, wing + 0.06) * size)


def _damask(cloth: Cloth, rng: np.random.Generator) -> None:
    """Mirrored ornaments in a half drop: a palmette over curling leaves, framed by an ogee of leaves."""
    petals, lower = int(rng.choice([5, 7])), int(rng.integers(2, 4))
    size, fan = 0.235, float(rng.uniform(0.3, 0.42))
    for spot in grid(2, 1, drop=True):
        for patch in cloth.window(spot.x, spot.y, size * 1.95):
            u, v = np.broadcast_arrays(np.abs(patch.x) / np.float32(size), patch.y / np.float32(size * 1.45))
            for k in range(petals // 2 + 1):
                _blade(patch, u, v, (0.0, 0.05), -math.pi / 2 + k * fan, 1.25 - 0.2 * k, 0.17, size)
            for k in range(lower):
                _blade(patch, u, v, (0.06, 0.2 + 0.24 * k), -0.15 + 0.42 * k, 0.82 - 0.13 * k, 0.15, size)
                curl = np.hypot(u - 0.74 + 0.12 * k, v - 0.02 - 0.42 * k) - 0.1
                patch.paint(1, (np.abs(curl) - 0.035) * size)
            _blade(patch, u, v, (0.0, 0.5), math.pi / 2, 0.75, 0.13, size)
            patch.paint(0, shapes.lens(v + 0.02, u, 0.42, 0.21) * size)
            patch.paint(1, shapes.lens(v + 0.02, u, 0.34, 0.15) * size)
            patch.paint(0, (np.hypot(u, v + 0.02) - 0.06) * size)
            patch.paint(1, (np.hypot(u - 0.2, v - 0.42) - 0.07) * size)
    for column in range(2):
        for step in range(10):
            t = (step + 0.5) / 10
            for side in (-1, 1):  # the frame waves between the ornaments, mirrored
                x = column / 2 + 0.25 * side * (0.5 - 0.5 * math.cos(2 * math.pi * (t - 0.25 - 0.5 * column)))
                leaf(cloth, 0.125 + x, t, -math.pi / 2 + side * 0.5 * (-1) ** step, 0.1, role=2, broad=0.26, shade=0)


def _blade(
    patch: Patch,
    u: Floats,
    v: Floats,
    start: Point,
    turn: float,
    length: float,
    broad: float,
    size: float,
) -> None:
    """A leaf of the ornament with a bare vein."""
    a = (u - start[0]) * math.cos(turn) + (v - start[1]) * math.sin(turn) - length / 2
    b = (v - start[1]) * math.cos(turn) - (u - start[0]) * math.sin(turn)
    blade = shapes.lens(a, b, length / 2, length * broad)
    patch.paint(0, (blade - 0.03) * size)
    patch.paint(1, blade * size)
    patch.paint(0, np.maximum(np.abs(b) - 0.014, blade + 0.07) * size)


def _poppies(cloth: Cloth, rng: np.random.Generator) -> None:
    """Huge uneven blooms in flat colour with a dark heart, after the great Finnish prints."""
    lattice = cloth.follow()
    count = int(rng.integers(3, 6))
    size = 0.4 / math.sqrt(count)
    spots = spread(rng, count, rounds=60, lattice=lattice)
    for spot in spots:
        low = spot.x + float(rng.normal(0, 0.12)), spot.y + size * 2.2
        stem(cloth, shapes.bezier((spot.x, spot.y), (spot.x + float(rng.normal(0, 0.1)), spot.y + size), low), 0.018)
    for spot in spots:
        role, streak = ((1, 2), (2, 1))[spot.n % 2]
        scale = size * float(rng.uniform(0.85, 1.1))
        outer = [(k, float(rng.uniform(0.02, 0.05)), _turn(rng)) for k in (2, 3, 4, 5, 7)]
        inner = [(k, float(rng.uniform(0.05, 0.12)), _turn(rng)) for k in (3, 5, 8)]
        for patch in cloth.window(spot.x, spot.y, scale * 1.35):
            patch.paint(role, shapes.wobble(patch.x, patch.y, scale, outer))
            fx, fy = shapes.fold(patch.x, patch.y, 9, spot.turn)
            patch.paint(streak, shapes.lens(fx - scale * 0.6, fy, scale * 0.26, scale * 0.03), 0.8)
            patch.paint(3, shapes.wobble(patch.x, patch.y, scale * 0.36, inner))
            fx, fy = shapes.fold(patch.x, patch.y, 12, spot.turn)
            patch.paint(4, shapes.disc(fx - scale * 0.3, fy, scale * 0.035))
            patch.paint(4, shapes.wobble(patch.x, patch.y, scale * 0.17, inner[::-1]))


def _folk(cloth: Cloth, rng: np.random.Generator) -> None:
    """Scandinavian folk: mirrored tulips on stems in a half drop, small things between."""
    columns = 2 if rng.random() < 0.6 else 4
    rows = 1 if columns == 2 else 2
    size = 0.36 / rows
    petals, leaves, crown = int(rng.choice([3, 5])), int(rng.integers(2, 4)), bool(rng.random() < 0.6)
    turned = bool(rng.random() < 0.4)
    roles = [1, 2] if rng.random() < 0.6 else [1, 1]
    taken: list[Circle] = []
    for spot in grid(columns, rows, drop=True):
        up = -1.0 if turned and spot.n % 2 else 1.0
        taken += _tulip(cloth, spot, size, up, petals, leaves, crown, roles[spot.n % 2])
    _fill(cloth, rng, taken, size * 0.17, 2)


def _tulip(
    cloth: Cloth, spot: Spot, size: float, up: float, petals: int, leaves: int, crown: bool, main: int
) -> list[Circle]:
    """A tulip of height about 2.4 * size; ``up`` of -1 hangs it."""
    foot = spot.y + up * size * 1.05
    stem(cloth, [(spot.x, spot.y - up * size * 0.2), (spot.x, foot)], size * 0.07)
    taken: list[Circle] = [(spot.x, spot.y + up * size * t, size * 0.3) for t in (0.3, 0.65, 1.0)]
    for k in range(leaves):
        y = spot.y + up * size * (1.0 - 0.3 * k)
        for side in (-1, 1):
            angle = -math.pi / 2 + side * (1.05 - 0.15 * k)
            taken += leaf(cloth, spot.x, y, angle * up, size * (0.72 - 0.13 * k), broad=0.23)
    for patch in cloth.window(spot.x, spot.y - up * size * 0.4, size * 0.95):
        u, v = patch.x / np.float32(size), patch.y / np.float32(size * up)
        order = sorted(range(petals), key=lambda k: -abs(k - (petals - 1) / 2))
        for k in order:
            angle = -math.pi / 2 + (k - (petals - 1) / 2) * 2.1 / petals
            end = (0.55 * math.cos(angle), 0.36 + 0.8 * math.sin(angle))
            inner = abs(k - (petals - 1) / 2) < 0.6
            petal = shapes.drop(u, v, (0, 0.36), end, 0.1, 0.19)
            patch.paint(0, (petal - 0.035) * size)
            patch.paint(main if not inner else 3 - main, petal * size)
            mark = shapes.drop(u, v, (end[0] * 0.75, end[1] * 0.75 + 0.09), end, 0.025, 0.06)
            patch.paint(4 if inner else 0, mark * size)
        patch.paint(4, (np.hypot(u, v - 0.3) - 0.17) * size)
        if crown:
            patch.paint(4, (np.hypot(u, v + 0.82) - 0.08) * size)
            patch.paint(3 - main, (np.hypot(np.abs(u) - 0.36, v + 0.74) - 0.06) * size)
    return [*taken, (spot.x, spot.y - up * size * 0.35, size * 0.72)]


def _vine(cloth: Cloth, rng: np.random.Generator) -> None:
    """A waving stem climbs the cloth with leaves on both sides and a flower in every bend."""
    stems = int(rng.integers(1, 4))
    waves = 1 if stems == 1 else int(rng.integers(1, stems + 1))
    sway = (0.2, 0.1, 0.07)[stems - 1]
    flowers = [Flower(rng, 1), Flower(rng, 2)]
    size = min(0.34 / stems, 0.25 / waves) * 0.62
    taken: list[Circle] = []
    blooms: list[Spot] = []
    for s in range(stems):
        shift, x0 = 0.5 * (s % 2), (s + 0.5) / stems

        def along(t: float, x0: float = x0, shift: float = shift) -> tuple[float, float]:
            return x0 + sway * math.sin(2 * math.pi * (waves * t + shift)), t

        stem(cloth, [along(t) for t in np.linspace(0, 1, 16 * waves + 1)], 0.016)
        count = 8 * waves
        for k in range(count):
            t = (k + 0.5) / count
            (xa, ya), (xb, yb) = along(t - 0.01), along(t + 0.01)
            heading = math.atan2(ya - yb, xa - xb)
            taken += leaf(cloth, *along(t), heading + (0.85 if k % 2 else -0.85), size * 1.1, broad=0.24)
        for k in range(2 * waves):
            t = (k + 0.5) / (2 * waves) - shift / waves
            x, y = along(t)
            inward = -1 if math.sin(2 * math.pi * (waves * t + shift)) > 0 else 1
            tip = x + inward * size * 1.15
            stem(cloth, shapes.bezier((x, y), (x, y - size * 0.7), (tip, y - size * 0.2), 4), 0.012)
            blooms.append(Spot(tip, y, _turn(rng), n=k + s))
    for bloom in blooms:
        taken.append(flowers[bloom.n % 2].print(cloth, bloom, size))
    _fill(cloth, rng, taken, size * 0.3, 4)


def _sprigs(cloth: Cloth, rng: np.random.Generator) -> None:
    """Botanical sprigs: a curved stem with paired leaves and a flower at the top."""
    lattice = cloth.follow()
    count = int(rng.integers(5, 10))
    length = 0.82 / math.sqrt(count)
    upright = bool(rng.random() < 0.5)
    pairs = int(rng.integers(3, 6))
    flower, bud = Flower(rng, int(rng.choice([1, 2]))), bool(rng.random() < 0.3)
    role = int(rng.choice([3, 3, 3, 1]))
    taken: list[Circle] = []
    for spot in spread(rng, count, rounds=30, lattice=lattice):
        turn = -math.pi / 2 + float(rng.normal(0, 0.25)) if upright else spot.turn
        bend = float(rng.normal(0, 0.22)) * length
        cos, sin = math.cos(turn), math.sin(turn)
        start, end = _at(spot, turn, -length / 2), _at(spot, turn, length / 2)
        points = shapes.bezier(start, (spot.x - sin * bend, spot.y + cos * bend), end, 8)
        stem(cloth, points, length * 0.035, role)
        for k in range(pairs):
            x, y = points[1 + round(k * 5.5 / pairs)]
            for side in (-1, 1):
                taken += leaf(cloth, x, y, turn + side * 0.85, length * (0.42 - 0.04 * k), role, 0.22)
        if bud:
            taken += leaf(cloth, *end, turn, length * 0.3, role)
        else:
            taken.append(flower.print(cloth, Spot(*end, turn), length * 0.27))
    _fill(cloth, rng, taken, length * 0.1, 2 if flower.main == 1 else 1)


def _blossom(cloth: Cloth, rng: np.random.Generator) -> None:
    """Cherry blossom: crooked branches across the tile, five-petalled flowers and buds on them."""
    flower = Flower(rng, 1 if rng.random() < 0.7 else 2, (PRIMROSE, SIMPLE, ANEMONE))
    flower.petals = 5
    branches = int(rng.integers(2, 4))
    rise = int(rng.choice([0, 1]))
    taken: list[Circle] = []
    blooms: list[tuple[float, float, float]] = []
    offset = float(rng.uniform(0, 1))
    for b in range(branches):
        y0 = offset + b / branches
        jags = rng.normal(0, 0.03, 6)
        ys = y0 - rise * np.linspace(0, 1, 7) + np.append(jags, jags[0])
        points = [(float(x) + b * 0.29, float(y)) for x, y in zip(np.linspace(0, 1, 7), ys, strict=True)]
        stem(cloth, points, 0.02)
        for k in range(6):
            x, y = points[k]
            side = 1 if (k + b) % 2 else -1
            tip = (x + 0.08, y + side * float(rng.uniform(0.3, 0.42)) / branches)
            stem(cloth, [points[k], tip], 0.011)
            blooms += [(*tip, 0.18), (x + 0.05, y + side * 0.02, 0.21 if k % 2 else 0.11)]
            taken += [(x, y, 0.03), (x + 0.08, y, 0.03)]
    for x, y, size in blooms:
        scale = size * float(rng.uniform(0.9, 1.1)) / branches
        taken.append(flower.print(cloth, Spot(x, y, _turn(rng)), scale))
    for spot in packed(rng, [(0.016, 120)], taken, 0.05):
        for patch in cloth.window(spot.x, spot.y, 0.03):
            u, v = patch.turned(spot.turn)
            patch.paint(2, shapes.lens(u, v, 0.024, 0.012))


def _tropics(cloth: Cloth, rng: np.random.Generator) -> None:
    """Palm fronds and cut leaves, hibiscus among them."""
    lattice = cloth.follow()
    count = int(rng.integers(5, 8))
    size = 0.56 / math.sqrt(count)
    spots = spread(rng, count, rounds=30, lattice=lattice)
    roles = [3, 1] if rng.random() < 0.4 else [3, 3]
    taken: list[Circle] = []
    for spot in spots:
        start = _at(spot, spot.turn, -size * 0.55)
        grow = frond if spot.n % 2 or rng.random() < 0.3 else monstera
        taken += grow(cloth, *start, spot.turn, size * 1.25, roles[spot.n % 2])
    flower = Flower(rng, 2 if roles[1] == 1 else 1, (HIBISCUS,))
    if rng.random() < 0.8:
        for spot in spots[:: 2 if count > 5 else 1]:
            where = _at(spot, spot.turn + 2.5, size * 0.55)
            taken.append(flower.print(cloth, Spot(*where, spot.turn), size * 0.5))
    _fill(cloth, rng, taken, size * 0.18, 2)


def _meadow(cloth: Cloth, rng: np.random.Generator) -> None:
    """Flowers of several kinds standing on their stems in rows."""
    rows = 2
    columns = int(rng.integers(3, 6))
    kinds = [Flower(rng, role) for role in (1, 2, 1, 2)]
    heights = rng.uniform(0.6, 1.0, rows * columns)
    height = 0.36
    taken: list[Circle] = []
    heads: list[tuple[Flower, Spot, float]] = []
    for j in range(rows):
        for i in range(columns):
            x = (i + (0.5 if j % 2 else 0.0) + float(rng.normal(0, 0.06))) / columns
            foot, tall = j / rows, height * float(heights[j * columns + i])
            sway = float(rng.normal(0, 0.03))
            top = (x + sway, foot - tall)
            points = shapes.bezier((x, foot), (x, foot - tall / 2), top, 6)
            stem(cloth, points, 0.014)
            for k in range(2):
                for side in (-1, 1):
                    turn = -math.pi / 2 + side * 0.7
                    taken += leaf(cloth, *points[1 + 2 * k], turn, 0.36 / columns * (1 - 0.3 * k), broad=0.19)
            kind = kinds[(i + j) % 4 if columns != 4 else (i + 2 * j) % 4]
            heads.append((kind, Spot(*top, _turn(rng)), min(0.4 / columns, 0.115)))
            taken.append((x, foot - tall / 2, 0.04))
    for flower, spot, size in heads:
        taken.append(flower.print(cloth, spot, size))
    _fill(cloth, rng, taken, 0.035, 4)


def _medallions(cloth: Cloth, rng: np.random.Generator) -> None:
    """Suzani: embroidered medallions in a half drop, ringed with leaves."""
    n = int(rng.choice([1, 2, 2]))
    flowers = [Flower(rng, 1, (SUZANI, SUZANI, DAHLIA)), Flower(rng, 2, (SUZANI, DAHLIA, ANEMONE))]
    spots = [Spot(s.x, s.y, n=0) for s in grid(n, n)] + [Spot(s.x + 0.5 / n, s.y + 0.5 / n, n=1) for s in grid(n, n)]
    sizes = (0.29 / n, 0.21 / n)
    around = int(rng.choice([8, 10, 12]))
    taken: list[Circle] = []
    for spot in spots:
        size = sizes[spot.n]
        for k in range(around if spot.n == 0 else 0):
            angle = (k + 0.5) * 2 * math.pi / around
            taken += leaf(cloth, *_at(spot, angle, size * 0.98), angle, size * 0.36, broad=0.28, shade=0)
        taken.append(flowers[spot.n].print(cloth, Spot(spot.x, spot.y, 0.0), size))
    _fill(cloth, rng, taken, 0.06 / n, 4)


_FAMILIES = (
    _ditsy,
    _daisies,
    _garden,
    _peonies,
    _poppies,
    _folk,
    _vine,
    _sprigs,
    _blossom,
    _tropics,
    _meadow,
    _medallions,
)


TYPE = PatternType(
    label=0,
    draw=draw,
    side_cm=26.0,
    turnable=False,
    motifs=True,
    coverage=(0.58, 0.14, 0.12, 0.11, 0.05),
    sample_seed=2,
    words=(
        *("floral", "flowers", "flowery", "flowered", "roses", "botanical", "blossoms", "daisies", "tulips"),
        *("peonies", "leaves", "leafy", "foliage", "tropical", "hibiscus", "poppies", "bouquets", "petals"),
        *("garden print", "ferns", "palm leaves", "palms", "hawaiian", "liberty print", "sunflowers"),
        *("cherry blossoms", "ditsy", "vines", "blooms", "blooming", "jungle", "chintz", "lilies", "orchids"),
        *("sakura", "plants"),
    ),
    adjectives=("floral", "flowery", "flower print", "botanical"),
    nouns=("flowers", "a floral print", "roses"),
    subtypes=(
        Subtype(name="ditsy", draw=_ditsy, words=("ditsy", "ditsy floral", "ditsy print", "ditsy flowers", "ditsies")),
        Subtype(
            name="daisy",
            draw=partial(_daisies, kinds=(DAISY,)),
            words=("daisies", "daisy", "daisy print", "marguerites"),
        ),
        Subtype(
            name="rose", draw=_roses, words=("roses", "tossed roses", "rose print", "rose pattern", "cabbage roses")
        ),
        Subtype(
            name="tropical",
            draw=_tropics,
            words=("tropical", "hawaiian", "palm leaves", "palms", "jungle", "hibiscus", "monstera", "tropical leaves"),
        ),
        Subtype(
            name="blossom",
            draw=_blossom,
            words=("cherry blossoms", "sakura", "cherry blossom", "blossom branches", "almond blossom"),
        ),
        Subtype(name="poppy", draw=_poppies, words=("poppies", "poppy print", "poppy pattern")),
        Subtype(name="vine", draw=_vine, words=("vines", "vine", "climbing flowers", "trailing vines")),
        Subtype(
            name="toile",
            draw=_toile,
            words=("toile", "toile de jouy", "toile print", "toiles"),
            harmony=one_ink,
        ),
        Subtype(name="damask", draw=_damask, words=("damask", "damasks", "brocade", "jacquard"), harmony=tone_on_tone),
    ),
    near=("tulips", "peonies", "sunflowers", "lilies", "orchids", "ferns", "chintz", "liberty print"),
    usual=1,
    palettes=(
        *("Kyoto spring", "Night garden", "Provence", "Madder and chalk", "Sorbet", "Lavender hill"),
        *("Peacock", "Porcelain"),
    ),
    harmony=botanical,
)
