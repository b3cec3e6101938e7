"""Flowers, leaves and stems, drawn by the florals: each in its own unit frame, all ways up, any size."""

from __future__ import annotations

import itertools
import math

import numpy as np

from . import shapes
from .cloth import F32, Cloth, Floats, Patch
from .layout import Circle, Spot
from .shapes import Point

SIMPLE, LAYERED, ANEMONE, DAISY, ROSE, DAHLIA, PRIMROSE, HIBISCUS, SUZANI = range(9)
_MANY = (DAISY, DAHLIA, SUZANI)


class Flower:
    """One kind of flower: whorls of petals, a heart, perhaps stamens.  ``main`` is the role of its petals."""

    def __init__(self, rng: np.random.Generator, main: int, kinds: tuple[int, ...] = tuple(range(8))) -> None:
        self.kind = int(rng.choice(kinds))
        self.petals = int(rng.integers(8, 14)) if self.kind in _MANY else int(rng.choice([5, 5, 5, 6, 8]))
        if self.kind in (PRIMROSE, HIBISCUS):
            self.petals = 5
        self.main = main
        self.second = int(rng.choice([r for r in (1, 2, 0) if r != main]))
        self.heart = 4 if main != 4 else 1
        self.width = float(rng.uniform(0.85, 1.08))
        self.turns = [float(t) for t in rng.uniform(0, 6.28, 5)]
        self.blush = float(rng.uniform(0.35, 0.75))
        self.streaks = bool(rng.random() < 0.6)

    def print(self, cloth: Cloth, spot: Spot, size: float) -> Circle:
        """Print it at ``spot``, ``size`` the radius in tile units; returns the room that it takes."""
        for patch in cloth.window(spot.x, spot.y, size * 1.05):
            u, v = patch.turned(spot.turn, size)
            _PETALS[self.kind](self, patch, u, v, size)
        return spot.x, spot.y, size

    def whorl(self, u: Floats, v: Floats, reach: float, turn: float, petals: int, width: float = 1.0) -> Floats:
        """A ring of rounded petals of length ``reach``, in the unit of the flower."""
        fx, fy = shapes.fold(u, v, petals, turn)
        fat = min(reach * math.sin(math.pi / petals) * width, reach * 0.45)
        return shapes.drop(fx, fy, (0.12 * reach, 0), (reach - fat, 0), 0.1 * reach, fat)


def _simple(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    whorl = f.whorl(u, v, 1.0, 0.0, f.petals, f.width) * size
    r = np.hypot(u, v)
    patch.paint(f.main, whorl)
    patch.paint(f.second, whorl, f.blush * np.clip(1.35 - 2.1 * r, 0, 1))
    if f.streaks:
        fx, fy = shapes.fold(u, v, f.petals)
        patch.paint(f.second, shapes.lens(fx - 0.46, fy, 0.24, 0.045) * size, 0.9)
    patch.paint(f.heart, (r - 0.23) * size)
    patch.paint(f.main, (r - 0.09) * size)


def _layered(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    half = math.pi / f.petals
    patch.paint(f.main, f.whorl(u, v, 1.0, 0.0, f.petals, 1.05) * size)
    patch.paint(f.second, f.whorl(u, v, 0.7, half, f.petals, 1.0) * size)
    patch.paint(f.main, f.whorl(u, v, 0.46, 0.0, f.petals, 1.0) * size)
    patch.paint(f.heart, (np.hypot(u, v) - 0.2) * size)


def _anemone(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    """Wide petals parted by fine lines; a ring of stamens about a dark eye."""
    whorl = f.whorl(u, v, 1.0, 0.0, f.petals, 1.15) * size
    r = np.hypot(u, v)
    patch.paint(f.main, whorl)
    patch.paint(f.second, whorl, f.blush * np.clip(1.2 * r - 0.5, 0, 1))
    _, fy = shapes.fold(u, v, f.petals, math.pi / f.petals)
    patch.paint(0, np.maximum(np.maximum(np.abs(fy) - 0.02, np.maximum(0.25 - r, r - 1.0)) * size, whorl))
    patch.paint(0, (r - 0.36) * size, 0.75)
    sx, sy = shapes.fold(u, v, 11)
    patch.paint(f.heart, (np.hypot(sx - 0.33, sy) - 0.055) * size)
    patch.paint(f.heart, (r - 0.19) * size)


def _daisy(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    fx, fy = shapes.fold(u, v, f.petals)
    width = 0.92 * 0.62 * math.tan(math.pi / f.petals)
    patch.paint(f.main, shapes.ellipse(fx - 0.6, fy, 0.4, min(width, 0.3)) * size)
    r = np.hypot(u, v)
    patch.paint(f.heart, (r - 0.3) * size)
    patch.paint(f.second, (r - 0.13) * size)


def _rose(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    """Rings of overlapping petals, each edged, that tighten to the heart."""
    for k, (reach, petals) in enumerate(((1.0, 6), (0.8, 5), (0.6, 5), (0.4, 3))):
        ring = f.whorl(u, v, reach, f.turns[k], petals, 1.25)
        if k:
            patch.paint(0, (ring - 0.035) * size, 0.8)
        patch.paint(f.main if k % 2 == 0 else f.second, ring * size)
    patch.paint(f.heart, (np.hypot(u - 0.03, v) - 0.15) * size)


def _dahlia(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    """Three rings of pointed petals, turned half a step each."""
    for k, reach in enumerate((1.0, 0.74, 0.5)):
        fx, fy = shapes.fold(u, v, f.petals, (k % 2) * math.pi / f.petals)
        width = reach * 0.62 * math.tan(math.pi / f.petals)
        petal = shapes.lens(fx - reach * 0.55, fy, reach * 0.47, min(width, reach * 0.3))
        if k:
            patch.paint(0, (petal - 0.03) * size, 0.7)
        patch.paint((f.main, f.second, f.main)[k], petal * size)
    patch.paint(f.heart, (np.hypot(u, v) - 0.2) * size)


def _primrose(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    """Five notched petals with a star at the eye."""
    fx, fy = shapes.fold(u, v, 5)
    petal = np.maximum(shapes.drop(fx, fy, (0.15, 0), (0.6, 0), 0.08, 0.4), 0.11 - np.hypot(fx - 1.03, fy))
    r = np.hypot(u, v)
    patch.paint(f.main, petal * size)
    patch.paint(f.second, petal * size, f.blush * np.clip(1.2 - 2.2 * r, 0, 1))
    patch.paint(f.heart, shapes.star(u, v, 5, 0.42, 0.16) * size)
    patch.paint(0 if f.second == 0 else f.second, (r - 0.08) * size)


def _hibiscus(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    """Five broad, overlapping, waved petals and a long pistil."""
    for k in range(5):
        angle = f.turns[0] + k * 2 * math.pi / 5
        cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
        a, b = u * cos + v * sin, v * cos - u * sin
        edge = 0.03 * np.sin(9 * np.arctan2(b, a - 0.3))
        petal = shapes.ellipse(a - 0.52, b, 0.47, 0.4) + edge
        patch.paint(0, (petal - 0.03) * size, 0.85)
        patch.paint(f.main, petal * size)
        patch.paint(f.second, petal * size, f.blush * np.clip(1.1 - 1.9 * a, 0, 1))
        patch.paint(f.second, np.maximum(shapes.lens(a - 0.5, b, 0.34, 0.04), petal + 0.05) * size, 0.8)
    patch.paint(f.heart, (np.hypot(u, v) - 0.14) * size)
    end = (0.62 * math.cos(f.turns[1]), 0.62 * math.sin(f.turns[1]))
    patch.paint(f.heart, shapes.drop(u, v, (0, 0), end, 0.05, 0.035) * size)
    for k in range(4):
        along, aside = 0.7 + 0.13 * k, 0.07 * (-1) ** k
        x, y = end[0] * along - end[1] * aside, end[1] * along + end[0] * aside
        patch.paint(f.heart, (np.hypot(u - x, v - y) - 0.045) * size)


def _suzani(f: Flower, patch: Patch, u: F32, v: F32, size: float) -> None:
    """An embroidered medallion: a ring of arches, a ring of petals, a wheel within."""
    r = np.hypot(u, v)
    n = f.petals
    fx, fy = shapes.fold(u, v, n)
    fat = 0.86 * math.sin(math.pi / n)
    patch.paint(f.main, np.minimum(np.hypot(fx - 0.99 + fat, fy) - fat, r - 1 + fat) * size)
    patch.paint(0, (np.hypot(fx - 0.99 + fat, fy) - fat * 0.5) * size)
    patch.paint(0, (r - 0.66) * size)
    patch.paint(f.second if f.second else f.heart, (r - 0.62) * size)
    hx, hy = shapes.fold(u, v, n, math.pi / n)
    patch.paint(f.main, shapes.lens(hx - 0.4, hy, 0.18, min(0.38 * math.tan(math.pi / n), 0.12)) * size)
    patch.paint(0, (r - 0.24) * size)
    patch.paint(f.heart, (r - 0.19) * size)


_PETALS = (_simple, _layered, _anemone, _daisy, _rose, _dahlia, _primrose, _hibiscus, _suzani)


# --- green things ---


def leaf(
    cloth: Cloth, x: float, y: float, turn: float, length: float, role: int = 3, broad: float = 0.2, shade: float = 0.3
) -> list[Circle]:
    """A pointed leaf growing from (x, y) along ``turn``, veined, one half paler; returns the room it takes."""
    cos, sin = math.cos(turn), math.sin(turn)
    for patch in cloth.window(x + length / 2 * cos, y + length / 2 * sin, length * 0.52):
        u, v = patch.turned(turn)
        blade = shapes.lens(u, v, length / 2, length * broad)
        patch.paint(role, blade)
        if shade:
            patch.paint(0, np.maximum(blade, v), shade)
        patch.paint(0, np.maximum(np.abs(v) - length * 0.016, blade + length * 0.03), 0.9)
    width = length * broad
    return [(x + length * t * cos, y + length * t * sin, width) for t in (0.3, 0.6, 0.85)]


def frond(cloth: Cloth, x: float, y: float, turn: float, length: float, role: int = 3, blades: int = 7) -> list[Circle]:
    """A palm frond: narrow blades along a curved rib, shorter to the tip."""
    cos, sin = math.cos(turn), math.sin(turn)
    reach = length * 0.62
    for patch in cloth.window(x + length / 2 * cos, y + length / 2 * sin, reach):
        u, v = patch.turned(turn)
        u = u + np.float32(length / 2)
        side = np.abs(v)
        rib = np.maximum(side - length * 0.014, np.abs(u - length / 2) - length / 2)
        shape = rib
        for k in range(blades):
            start = length * (0.1 + 0.8 * k / blades)
            size = length * (0.46 - 0.28 * abs(k / blades - 0.25))
            angle = 0.95 - 0.5 * k / blades
            a = (u - start) * math.cos(angle) + side * math.sin(angle) - size / 2
            b = side * math.cos(angle) - (u - start) * math.sin(angle)
            shape = np.minimum(shape, shapes.lens(a, b, size / 2, size * 0.12))
        patch.paint(role, shape)
        patch.paint(role, shapes.lens(u - length * 0.92, v, length * 0.1, length * 0.03))
    return [(x + length * t * cos, y + length * t * sin, length * 0.26 * (1.2 - t)) for t in (0.2, 0.45, 0.7, 0.95)]


def monstera(cloth: Cloth, x: float, y: float, turn: float, length: float, role: int = 3) -> list[Circle]:
    """A broad heart of a leaf, cut toward its rib."""
    cos, sin = math.cos(turn), math.sin(turn)
    cx, cy = x + length / 2 * cos, y + length / 2 * sin
    for patch in cloth.window(cx, cy, length * 0.62):
        u, v = patch.turned(turn, length)
        side = np.abs(v)
        heart = np.minimum(shapes.ellipse(u + 0.08, side - 0.17, 0.36, 0.27), shapes.lens(u - 0.1, v, 0.46, 0.3))
        cuts = np.full_like(u, 9)
        for k in range(4):
            start, angle = -0.26 + 0.2 * k, 1.05 - 0.1 * k
            a = (u - start) * math.cos(angle) + (side - 0.12) * math.sin(angle) - 0.22
            b = (side - 0.12) * math.cos(angle) - (u - start) * math.sin(angle)
            cuts = np.minimum(cuts, shapes.lens(a, b, 0.22, 0.035))
        patch.paint(role, np.maximum(heart, -cuts) * length)
        patch.paint(0, np.maximum(side - 0.012, heart + 0.04) * length, 0.8)
    return [(cx, cy, length * 0.42)]


def stem(cloth: Cloth, points: list[Point], width: float, role: int = 3) -> None:
    """A stroke of even width through ``points``, drawn piece by piece so that a long one costs little."""
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        for patch in cloth.window(cx, cy, max(abs(x1 - x0), abs(y1 - y0)) / 2 + width):
            line = shapes.drop(patch.x, patch.y, (x0 - cx, y0 - cy), (x1 - cx, y1 - cy), width / 2, width / 2)
            patch.paint(role, line)
