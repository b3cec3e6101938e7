"""Florals: ditsy, daisies, gardens, peonies, poppies, folk, vines, sprigs, blossom, tropics, meadows, medallions."""

from __future__ import annotations

import math

import numpy as np

from .drawing import shapes
from .drawing.cloth import Cloth
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
from .drawing.harmonies import botanical
from .drawing.layout import Circle, Spot, grid, packed, spread
from .drawing.pattern_type import PatternType


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


def _daisies(cloth: Cloth, rng: np.random.Generator) -> None:
    """One flower in a lattice, a small one in every gap."""
    n = int(rng.choice([2, 3, 4]))
    flower = Flower(rng, int(rng.choice([1, 1, 2])), (DAISY, DAHLIA, SIMPLE, ANEMONE))
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
    usual=1,
    palettes=(
        *("Kyoto spring", "Night garden", "Provence", "Madder and chalk", "Sorbet", "Lavender hill"),
        *("Peacock", "Porcelain"),
    ),
    harmony=botanical,
)
