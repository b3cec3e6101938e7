"""Signed distances of the shapes that motifs are built from: tile units, negative inside.

After Inigo Quilez, "2D distance functions" (iquilezles.org); curved shapes are close approximations near their edge,
which is all that printing needs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .cloth import F32, Floats

Point = tuple[float, float]


def disc(x: Floats, y: Floats, radius: float) -> Floats:
    return np.hypot(x, y) - np.float32(radius)


def ellipse(x: Floats, y: Floats, a: float, b: float) -> Floats:
    """Half-axes ``a`` along x and ``b`` along y."""
    k = np.hypot(x / np.float32(a), y / np.float32(b))
    slope = np.hypot(x / np.float32(a * a), y / np.float32(b * b))
    away: Floats = (k - 1) * k / np.maximum(slope, np.float32(1e-6))
    return away


def box(x: Floats, y: Floats, a: float, b: float, rounding: float = 0.0) -> Floats:
    """Half-sides ``a`` and ``b``, corners rounded by ``rounding``."""
    dx = np.abs(x) - np.float32(a - rounding)
    dy = np.abs(y) - np.float32(b - rounding)
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - np.float32(rounding)


def diamond(x: Floats, y: Floats, a: float, b: float) -> Floats:
    """A rhombus of half-diagonals ``a`` and ``b``."""
    away: Floats = np.abs(x) * np.float32(b) + np.abs(y) * np.float32(a) - np.float32(a * b)
    return away / np.float32(math.hypot(a, b))


def lens(x: Floats, y: Floats, length: float, width: float) -> Floats:
    """A leaf pointed at both ends: half-length along x, half-width along y (width <= length)."""
    radius = (length * length + width * width) / (2 * width)
    return np.hypot(x, np.abs(y) + np.float32(radius - width)) - np.float32(radius)


def drop(x: Floats, y: Floats, start: Point, end: Point, r0: float, r1: float) -> Floats:
    """A stroke from ``start`` to ``end`` whose radius runs from ``r0`` to ``r1``: petals, stems, boteh pieces.

    The hull of two discs: a point belongs to the disc whose edge it meets at a right angle, which leans with the taper.
    """
    ax, ay = end[0] - start[0], end[1] - start[1]
    length = max(math.hypot(ax, ay), 1e-6)
    taper = max(-0.97, min(0.97, (r1 - r0) / length))
    cos, sin = np.float32(ax / length), np.float32(ay / length)
    px, py = x - np.float32(start[0]), y - np.float32(start[1])
    along, across = px * cos + py * sin, np.abs(py * cos - px * sin)
    lean = np.float32(taper / math.sqrt(1 - taper * taper))
    centre = np.clip(along + across * lean, 0, np.float32(length))
    return np.hypot(along - centre, across) - np.float32(r0) - centre * np.float32((r1 - r0) / length)


def path(x: Floats, y: Floats, points: Sequence[Point], radii: Sequence[float]) -> Floats:
    """A polyline stroke of varying radius."""
    distance = drop(x, y, points[0], points[1], radii[0], radii[1])
    for i in range(1, len(points) - 1):
        np.minimum(distance, drop(x, y, points[i], points[i + 1], radii[i], radii[i + 1]), out=distance)
    return distance


def polygon(x: Floats, y: Floats, points: Sequence[Point]) -> Floats:
    """A convex polygon with corners in clockwise order on screen (y down); half-plane distance."""
    distance: Floats | None = None
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        dx, dy = x1 - x0, y1 - y0
        norm = math.hypot(dx, dy)
        side = ((x - np.float32(x0)) * np.float32(dy) - (y - np.float32(y0)) * np.float32(dx)) / np.float32(norm)
        distance = side if distance is None else np.maximum(distance, side)
    assert distance is not None
    return distance


def fold(x: Floats, y: Floats, n: int, turn: float = 0.0) -> tuple[F32, F32]:
    """Fold the plane into one of ``n`` sectors about +x: a petal drawn there appears ``n`` times around."""
    angle: Floats = np.arctan2(y, x) - np.float32(turn)
    step = np.float32(2 * math.pi / n)
    angle = angle - np.round(angle / step) * step
    radius = np.hypot(x, y)
    return (radius * np.cos(angle)).astype(np.float32), (radius * np.sin(angle)).astype(np.float32)


def star(x: Floats, y: Floats, n: int, outer: float, inner: float, turn: float = 0.0) -> Floats:
    """An ``n``-pointed star, its tips at ``outer`` and its notches at ``inner``."""
    fx, fy = fold(x, y, n, turn)
    tip, notch = (outer, 0.0), (inner * math.cos(math.pi / n), inner * math.sin(math.pi / n))
    dx, dy = notch[0] - tip[0], notch[1] - tip[1]
    return ((fx - np.float32(tip[0])) * np.float32(dy) - (np.abs(fy)) * np.float32(dx)) / np.float32(math.hypot(dx, dy))


def wobble(x: Floats, y: Floats, radius: float, waves: Sequence[tuple[int, float, float]]) -> Floats:
    """A hand-drawn blob: radius * (1 + sum of a * cos(n * angle + phase)) over (n, a, phase)."""
    angle = np.arctan2(y, x)
    edge: Floats = np.ones_like(angle)
    for n, amount, phase in waves:
        edge = edge + np.float32(amount) * np.cos(np.float32(n) * angle + np.float32(phase))
    away: Floats = np.hypot(x, y) - np.float32(radius) * edge
    return away


def bezier(start: Point, bend: Point, end: Point, steps: int = 12) -> list[Point]:
    """Points along a quadratic Bezier curve."""
    points = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        points.append((a * start[0] + b * bend[0] + c * end[0], a * start[1] + b * bend[1] + c * end[1]))
    return points
