"""The curves of a training run, from its ``log.jsonl``, as points for an inline SVG and as words beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 320.0, 120.0
MOST_POINTS = 240
"""Of a curve as it is drawn; a longer one is thinned."""
MOST_CURVES = 12
MOST_BYTES = 16 * 1024 * 1024
"""Of a log that are read, from its end."""
NO_CURVES = ("step", "seconds")

Point = tuple[int, float]


@dataclass(frozen=True)
class Curve:
    """One figure over the steps of a run."""

    name: str
    points: tuple[Point, ...]
    """(step, value), in the order of the steps; at least two, every value finite."""

    @property
    def polyline(self) -> str:
        """The points inside WIDTH x HEIGHT, as SVG writes them."""
        steps, values = [step for step, _ in self.points], [value for _, value in self.points]
        left, low = steps[0], min(values)
        across, up = max(steps[-1] - left, 1), (max(values) - low) or 1.0
        return " ".join(
            f"{(step - left) / across * WIDTH:.1f},{HEIGHT - (value - low) / up * HEIGHT:.1f}"
            for step, value in _thinned(self.points)
        )

    @property
    def said(self) -> str:
        """What the curve shows, for whoever does not see it."""
        (first_step, first), (last_step, last) = self.points[0], self.points[-1]
        least_step, least = min(self.points, key=lambda point: point[1])
        return (
            f"{self.name}: {first:.4g} at step {first_step}, {last:.4g} at step {last_step}; "
            f"least {least:.4g} at step {least_step}, most {max(value for _, value in self.points):.4g}."
        )


def of_run(folder: Path) -> list[Curve]:
    """The curves of the run in ``folder``; none where it has no log, and what is not a figure is passed over."""
    try:
        with (folder / "log.jsonl").open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MOST_BYTES))
            lines = file.read(MOST_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return []
    return of_lines(lines)


def of_lines(lines: Iterable[str]) -> list[Curve]:
    """The curves of a log's lines, each an object with ``step`` and figures by name."""
    found: dict[str, list[Point]] = {}
    for line in lines:
        for name, point in _figures(line):
            if name in found or len(found) < MOST_CURVES:
                found.setdefault(name, []).append(point)
    return [Curve(name, tuple(sorted(points))) for name, points in found.items() if len(points) > 1]


def _figures(line: str) -> list[tuple[str, Point]]:
    try:
        told = json.loads(line)
    except ValueError:
        return []
    if not isinstance(told, dict) or not isinstance(step := told.get("step"), int):
        return []
    return [
        (str(name)[:40], (step, float(value)))
        for name, value in told.items()
        if name not in NO_CURVES and isinstance(value, int | float) and math.isfinite(value)
    ]


def _thinned(points: tuple[Point, ...]) -> list[Point]:
    """Every so many-th, the last one among them."""
    every = math.ceil(len(points) / MOST_POINTS)
    return [*points[:-1:every], points[-1]]
