"""Florals: ditsy, daisies, peonies, poppies, folk tulips, trailing vines, sprigs and blossom."""

from __future__ import annotations

import math

import numpy as np

from . import shapes
from .cloth import Cloth, Floats, Patch
from .layout import Spot, grid, spread, tossed


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_ditsy, _daisies, _peonies, _poppies, _folk, _vine, _sprigs, _blossom, _garden)
    families[rng.integers(len(families))](cloth, rng)


class Flower:
    """A flower of one kind: layers of petals, a centre, perhaps stamens.  Draws itself in a unit frame."""

    def __init__(self, rng: np.random.Generator, main: int, kind: int | None = None) -> None:
        self.kind = int(rng.integers(5)) if kind is None else kind
        self.petals = int(rng.choice([5, 5, 6, 8])) if self.kind < 3 else int(rng.integers(9, 15))
        self.main = main
        self.second = int(rng.choice([r for r in (1, 2, 0) if r != main]))
        self.centre = 4 if main != 4 else 1
        self.notch = float(rng.uniform(0.0, 0.1))
        self.width = float(rng.uniform(0.8, 1.05))
        self.phase = float(rng.uniform(0, 6.28))

    def draw(self, patch: Patch, u: Floats, v: Floats, size: float) -> None:
        (self._simple, self._layered, self._cupped, self._daisy, self._rose)[self.kind](patch, u, v, size)

    def _ring(self, u: Floats, v: Floats, reach: float, turn: float, petals: int, width: float = 1.0) -> Floats:
        """One whorl of ``petals`` rounded petals."""
        fx, fy = shapes.fold(u, v, petals, turn)
        fat = reach * math.sin(math.pi / petals) * width
        fat = min(fat, reach * 0.45)
        return shapes.drop(fx, fy, (0.12 * reach, 0), (reach - fat, 0), 0.1 * reach, fat)

    def _simple(self, patch: Patch, u: Floats, v: Floats, size: float) -> None:
        whorl = self._ring(u, v, 1.0, 0.0, self.petals, self.width)
        patch.paint(self.main, whorl * size)
        fx, fy = shapes.fold(u, v, self.petals)
        patch.paint(self.second, shapes.lens(fx - 0.45, fy, 0.22, 0.06) * size, 0.8)
        patch.paint(self.centre, (np.hypot(u, v) - 0.24) * size)
        patch.paint(self.main, (np.hypot(u, v) - 0.09) * size)

    def _layered(self, patch: Patch, u: Floats, v: Floats, size: float) -> None:
        half = math.pi / self.petals
        patch.paint(self.main, self._ring(u, v, 1.0, 0.0, self.petals, 1.05) * size)
        patch.paint(self.second, self._ring(u, v, 0.7, half, self.petals, 1.0) * size)
        patch.paint(self.main, self._ring(u, v, 0.46, 0.0, self.petals, 1.0) * size)
        patch.paint(self.centre, (np.hypot(u, v) - 0.2) * size)

    def _cupped(self, patch: Patch, u: Floats, v: Floats, size: float) -> None:
        """Wide petals drawn apart by fine lines, with stamens."""
        whorl = self._ring(u, v, 1.0, 0.0, self.petals, 1.15)
        patch.paint(self.main, whorl * size)
        fx, fy = shapes.fold(u, v, self.petals, math.pi / self.petals)
        patch.paint(0, np.maximum(np.abs(fy) - 0.025, np.maximum(0.25 - fx, fx - 1.0)) * size)
        patch.paint(self.second, (np.hypot(u, v) - 0.34) * size)
        sx, sy = shapes.fold(u, v, 10)
        patch.paint(self.centre, (np.hypot(sx - 0.42, sy) - 0.055) * size)
        patch.paint(self.centre, (np.hypot(u, v) - 0.18) * size)

    def _daisy(self, patch: Patch, u: Floats, v: Floats, size: float) -> None:
        fx, fy = shapes.fold(u, v, self.petals)
        patch.paint(self.main, shapes.lens(fx - 0.62, fy, 0.4, 0.86 * 0.62 * math.sin(math.pi / self.petals)) * size)
        patch.paint(self.centre, (np.hypot(u, v) - 0.28) * size)
        patch.paint(self.second, (np.hypot(u, v) - 0.12) * size)

    def _rose(self, patch: Patch, u: Floats, v: Floats, size: float) -> None:
        """Rings of overlapping petals that tighten to a spiral heart."""
        for k, (reach, petals) in enumerate(((1.0, 6), (0.78, 5), (0.56, 5), (0.34, 3))):
            role = self.main if k % 2 == 0 else self.second
            patch.paint(role, self._ring(u, v, reach, self.phase * (k + 1), petals, 1.2) * size)
        patch.paint(self.centre, (np.hypot(u - 0.03, v) - 0.13) * size)


def _flower(cloth: Cloth, flower: Flower, spot: Spot, size: float) -> None:
    for patch in cloth.window(spot.x, spot.y, size * 1.02):
        u, v = patch.turned(spot.turn, size)
        flower.draw(patch, u, v, size)


def _leaf(cloth: Cloth, x: float, y: float, turn: float, length: float, role: int = 3, vein: int = 0) -> None:
    """A pointed leaf that starts at (x, y) and grows along ``turn``."""
    cx, cy = x + length / 2 * math.cos(turn), y + length / 2 * math.sin(turn)
    for patch in cloth.window(cx, cy, length / 2):
        u, v = patch.turned(turn)
        leaf = shapes.lens(u, v, length / 2, length * 0.19)
        patch.paint(role, leaf)
        patch.paint(vein, np.maximum(np.abs(v) - length * 0.018, leaf + length * 0.03), 0.9)


def _stem(cloth: Cloth, points: list[tuple[float, float]], width: float, role: int = 3) -> None:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    cx, cy = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    reach = max(max(xs) - min(xs), max(ys) - min(ys)) / 2 + width
    local = [(px - cx, py - cy) for px, py in points]
    for patch in cloth.window(cx, cy, reach):
        patch.paint(role, shapes.path(patch.x, patch.y, local, [width / 2] * len(local)))


def _ditsy(cloth: Cloth, rng: np.random.Generator) -> None:
    """Small flowers and leaves scattered close, all ways up."""
    apart = float(rng.uniform(0.17, 0.25))
    flowers = [Flower(rng, 1, 0), Flower(rng, 2, int(rng.choice([0, 3])))]
    for spot in tossed(rng, apart):
        size = apart * float(rng.uniform(0.36, 0.44))
        for k in range(2):
            turn = spot.turn + k * 2.2
            _leaf(cloth, spot.x + size * 0.7 * math.cos(turn), spot.y + size * 0.7 * math.sin(turn), turn, size * 0.85)
        _flower(cloth, flowers[int(rng.random() < 0.35)], spot, size)


def _daisies(cloth: Cloth, rng: np.random.Generator) -> None:
    n = int(rng.choice([2, 3, 4]))
    flower = Flower(rng, int(rng.choice([1, 1, 2])), 3)
    spots = grid(n, n, drop=n % 2 == 0)
    size = float(rng.uniform(0.38, 0.47)) / n
    for spot in spots:
        turn = float(rng.uniform(0, 6.28))
        _flower(cloth, flower, Spot(spot.x, spot.y, turn), size)
    small = Flower(rng, 2, 0)
    for spot in spots:
        _flower(cloth, small, Spot(spot.x + 0.5 / n, spot.y + (0.0 if n % 2 == 0 else 0.5 / n), 0.3), 0.12 / n)


def _garden(cloth: Cloth, rng: np.random.Generator) -> None:
    """Liberty style: leaves first, then large, middle and small flowers over them, hardly any ground left."""
    count = int(rng.integers(5, 9))
    spots = spread(rng, count, rounds=20)
    size = 0.42 / math.sqrt(count)
    for spot in spots:
        for k in range(6):
            turn = spot.turn + k * 1.047
            _leaf(cloth, spot.x + size * 0.6 * math.cos(turn), spot.y + size * 0.6 * math.sin(turn), turn, size * 0.95)
    kinds = [Flower(rng, 1), Flower(rng, 2), Flower(rng, 1)]
    for spot in spots:
        _flower(cloth, kinds[spot.n % 3], spot, size * float(rng.uniform(0.8, 1.05)))
    small = Flower(rng, 4, 0)
    taken = [(s.x, s.y, size * 1.25) for s in spots]
    for x, y in rng.random((200, 2)):
        if any(math.hypot(x - a - round(x - a), y - b - round(y - b)) < r for a, b, r in taken):
            continue
        taken.append((float(x), float(y), size * 0.8))
        _flower(cloth, small, Spot(float(x), float(y), float(rng.uniform(0, 6))), size * 0.3)


def _peonies(cloth: Cloth, rng: np.random.Generator) -> None:
    """A few large roses with leaves behind."""
    count = int(rng.integers(3, 6))
    size = 0.4 / math.sqrt(count)
    spots = spread(rng, count, rounds=40)
    for spot in spots:
        for k in range(5):
            turn = spot.turn + k * 1.2566 + float(rng.normal(0, 0.15))
            _leaf(cloth, spot.x + size * 0.75 * math.cos(turn), spot.y + size * 0.75 * math.sin(turn), turn, size * 0.9)
    kinds = [Flower(rng, 1, 4), Flower(rng, 2, int(rng.choice([1, 4])))]
    for spot in spots:
        _flower(cloth, kinds[spot.n % 2], spot, size * float(rng.uniform(0.9, 1.1)))


def _poppies(cloth: Cloth, rng: np.random.Generator) -> None:
    """Marimekko: huge uneven blooms, flat colour, dark heart."""
    count = int(rng.integers(2, 5))
    size = 0.46 / math.sqrt(count)
    for spot in spread(rng, count, rounds=60):
        role = (1, 2, 1)[spot.n % 3]
        scale = size * float(rng.uniform(0.85, 1.05))
        outer = [(k, float(rng.uniform(0.03, 0.12)), float(rng.uniform(0, 6.28))) for k in (2, 4, 5, 7)]
        inner = [(k, float(rng.uniform(0.05, 0.15)), float(rng.uniform(0, 6.28))) for k in (3, 5)]
        turn = float(rng.uniform(0, 6.28))
        _stem(cloth, shapes.bezier((spot.x, spot.y), (spot.x + 0.1, spot.y + 0.2), (spot.x + float(rng.normal(0, 0.1)), spot.y + 0.5)), 0.02)
        for patch in cloth.window(spot.x, spot.y, scale * 1.45):
            patch.paint(role, shapes.wobble(patch.x, patch.y, scale, outer))
            fx, fy = shapes.fold(patch.x, patch.y, 5, turn)
            petal = shapes.lens(fx - scale * 0.55, fy, scale * 0.28, scale * 0.05)
            patch.paint(3 if role == 2 else 2, petal, 0.9)
            patch.paint(4, shapes.wobble(patch.x, patch.y, scale * 0.32, inner))
            patch.paint(3, shapes.wobble(patch.x, patch.y, scale * 0.17, inner[::-1]))


def _folk(cloth: Cloth, rng: np.random.Generator) -> None:
    """Scandinavian folk: mirrored tulips on stems in a half drop."""
    n = 2
    size = 0.24
    petals = int(rng.integers(3, 6))
    leaves = int(rng.integers(2, 4))
    top = int(rng.integers(2))
    for spot in grid(n, 2 if rng.random() < 0.5 else 1, drop=True):
        down = size * 0.95
        _stem(cloth, [(spot.x, spot.y - size * 0.2), (spot.x, spot.y + down)], size * 0.07)
        for k in range(leaves):
            y = spot.y + down * (0.9 - 0.26 * k)
            for side in (-1, 1):
                turn = -math.pi / 2 + side * (1.0 - 0.15 * k)
                _leaf(cloth, spot.x, y, turn, size * (0.68 - 0.13 * k))
        for patch in cloth.window(spot.x, spot.y - size * 0.3, size):
            u, v = patch.x / size, patch.y / size
            for k in range(petals):
                angle = -math.pi / 2 + (k - (petals - 1) / 2) * 1.9 / petals
                end = (0.5 * math.cos(angle), 0.3 + 0.72 * math.sin(angle))
                role = 1 if (k - (petals - 1) // 2) % 2 == 0 or petals < 4 else 2
                patch.paint(role, shapes.drop(u, v, (0, 0.28), end, 0.1, 0.17) * size)
            patch.paint(4, (np.hypot(u, v - 0.2) - 0.16) * size)
            if top:
                patch.paint(4, (np.hypot(u, v + 0.74) - 0.09) * size)
                patch.paint(2, (np.hypot(np.abs(u) - 0.4, v + 0.62) - 0.07) * size)


def _vine(cloth: Cloth, rng: np.random.Generator) -> None:
    """A waving stem climbs the cloth with leaves on both sides and flowers in the bends."""
    stems = int(rng.integers(1, 4))
    sway = 0.11 / stems + 0.02
    waves = int(rng.choice([1, 1, 2])) if stems < 3 else 2
    flowers = [Flower(rng, 1), Flower(rng, 2)]
    size = min(0.3 / stems, 0.24 / waves) * 0.62
    for s in range(stems):
        x0 = (s + 0.5) / stems
        shift = 0.5 * (s % 2)
        ys = np.linspace(0, 1, 33)
        xs = x0 + sway * np.sin(2 * math.pi * (waves * ys + shift))
        points = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
        _stem(cloth, points, 0.014)
        count = 6 * waves
        for k in range(count):
            y = (k + 0.5) / count
            x = x0 + sway * math.sin(2 * math.pi * (waves * y + shift))
            heading = math.atan2(1.0, sway * 2 * math.pi * waves * math.cos(2 * math.pi * (waves * y + shift)))
            side = 1 if k % 2 else -1
            _leaf(cloth, x, y, heading + math.pi + side * 0.9, size * 0.9)
        for k in range(2 * waves):
            y = (k + 0.5) / (2 * waves) - shift / waves + 0.0
            bend = math.sin(2 * math.pi * (waves * y + shift))
            x = x0 + sway * bend - math.copysign(size * 0.55, bend)
            _flower(cloth, flowers[k % 2], Spot(x + math.copysign(size * 0.55, bend), y, float(rng.uniform(0, 6))), size)


def _sprigs(cloth: Cloth, rng: np.random.Generator) -> None:
    """Botanical sprigs: a curved stem with paired leaves and a bud at the top."""
    count = int(rng.integers(4, 9))
    length = 0.62 / math.sqrt(count)
    upright = bool(rng.random() < 0.5)
    pairs = int(rng.integers(3, 6))
    flower = Flower(rng, 2 if rng.random() < 0.5 else 1)
    leaf_role = int(rng.choice([3, 3, 1]))
    for spot in spread(rng, count, rounds=30):
        turn = -math.pi / 2 + float(rng.normal(0, 0.3)) if upright else spot.turn
        bend = float(rng.normal(0, 0.25)) * length
        cos, sin = math.cos(turn), math.sin(turn)
        start = (spot.x - cos * length / 2, spot.y - sin * length / 2)
        end = (spot.x + cos * length / 2, spot.y + sin * length / 2)
        points = shapes.bezier(start, (spot.x - sin * bend, spot.y + cos * bend), end)
        _stem(cloth, points, length * 0.04, leaf_role)
        for k in range(pairs):
            x, y = points[1 + round(k * 9 / pairs)]
            for side in (-1, 1):
                _leaf(cloth, x, y, turn + side * 0.85, length * (0.42 - 0.04 * k), leaf_role)
        _flower(cloth, flower, Spot(*end, turn), length * 0.27)


def _blossom(cloth: Cloth, rng: np.random.Generator) -> None:
    """Cherry blossom: crooked branches across the tile, five-petalled flowers and buds on them."""
    flower = Flower(rng, 1 if rng.random() < 0.7 else 2, int(rng.choice([0, 2])))
    flower.petals = 5
    branches = int(rng.integers(1, 3))
    rise = int(rng.choice([0, 1]))
    places: list[tuple[float, float, float]] = []
    for b in range(branches):
        y0 = (b + float(rng.uniform(0.2, 0.4))) / branches
        jags = rng.normal(0, 0.045, 6)
        xs = np.linspace(0, 1, 7)
        ys = y0 - rise * xs + np.append(jags, jags[0])
        points = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
        _stem(cloth, points, 0.022, 3)
        for k in range(6):
            x, y = points[k]
            side = 1 if k % 2 else -1
            tip = (x + 0.11, y + side * float(rng.uniform(0.1, 0.17)))
            _stem(cloth, [points[k], tip], 0.013, 3)
            places.append((*tip, 0.085))
            places.append((x + 0.05, y, 0.1 if k % 2 else 0.055))
    for x, y, size in places:
        _flower(cloth, flower, Spot(x, y, float(rng.uniform(0, 6))), size * float(rng.uniform(0.85, 1.1)) / math.sqrt(branches))
    for spot in tossed(rng, 0.16):
        if rng.random() < 0.4:
            for patch in cloth.window(spot.x, spot.y, 0.03):
                bare = (patch.planes[0] > 0.99).astype(np.float32)
                u, v = patch.turned(spot.turn)
                patch.paint(2, shapes.lens(u, v, 0.022, 0.011), bare)
