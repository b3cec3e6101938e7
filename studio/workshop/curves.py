"""The curves of a run as lines of a drawing, laid out here so that a page needs no script for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 200
"""Units of the drawing."""
NAMES = {
    "loss": "loss",
    "instance_loss": "loss on the thing",
    "prior_loss": "loss on its kind",
    "validation_loss": "validation loss",
}
"""Figures that are drawn -> what they are called."""


@dataclass(frozen=True)
class Line:
    """``points`` is what an SVG polyline takes; ``first`` and ``last`` are its ends."""

    slug: str
    name: str
    points: str
    first: float
    last: float


@dataclass(frozen=True)
class Drawing:
    lines: tuple[Line, ...]
    low: float
    high: float
    steps: int

    @property
    def told(self) -> str:
        """The curves in words, for who does not see them."""
        parts = [f"{line.name} from {line.first:.3g} to {line.last:.3g}" for line in self.lines]
        return f"{', '.join(parts)} over {self.steps} steps".capitalize()


def drawn(curve: Sequence[Mapping[str, float]], steps: int) -> Drawing | None:
    """The curves up to now on an axis of ``steps``; None while there are less than two points of any."""
    series = {name: _points(curve, name) for name in NAMES}
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return None
    values = [value for points in series.values() for _, value in points]
    low, high = min(values), max(values)
    span, along = (high - low) or 1.0, max(steps, max(int(points[-1][0]) for points in series.values()), 1)

    def line(name: str, points: list[tuple[float, float]]) -> Line:
        placed = (
            f"{WIDTH * step / along:.1f},{HEIGHT * (1 - (value - low) / span):.1f}" for step, value in _smoothed(points)
        )
        return Line(name.replace("_", "-"), NAMES[name], " ".join(placed), points[0][1], points[-1][1])

    last = max(int(points[-1][0]) for points in series.values())
    return Drawing(tuple(line(name, points) for name, points in series.items()), low, high, last)


def _points(curve: Sequence[Mapping[str, float]], name: str) -> list[tuple[float, float]]:
    return [(one["step"], one[name]) for one in curve if name in one and math.isfinite(one[name])]


def _smoothed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The mean of each point and its neighbours where there are many: what one batch happens to lose is no news."""
    reach = len(points) // 40
    if not reach:
        return points
    kept = []
    for at, (step, _) in enumerate(points):
        near = [value for _, value in points[max(0, at - reach) : at + reach + 1]]
        kept.append((step, sum(near) / len(near)))
    return kept
