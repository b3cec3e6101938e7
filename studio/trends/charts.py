"""Lines over time, as the page draws them: inline SVG with a sentence, beside a table that tells the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .services import WHAT, Row, Trend

WIDE, TALL = 600.0, 220.0
MOST = 5
"""Lines that can be told apart; the table has them all."""
GAP = 13.0
"""Between two names at the ends of lines."""


@dataclass(frozen=True)
class Line:
    """One value: pieces between the periods that are not told, a mark for each that is, its name at its end."""

    number: int
    name: str
    pieces: tuple[str, ...]
    marks: tuple[tuple[float, float], ...]
    label_y: float


@dataclass(frozen=True)
class Chart:
    lines: tuple[Line, ...]
    most: int
    told: str


def chart(trend: Trend) -> Chart | None:
    """The few values that were liked most; None where nothing may be told."""
    rows = trend.rows[:MOST]
    if not rows:
        return None
    most = max(cell.count for row in rows for cell in row.cells if cell)
    lines = [_line(number, row, most) for number, row in enumerate(rows)]
    first = ", ".join(f"{row.value} {row.total}" for row in rows)
    return Chart(tuple(_apart(lines)), most, f"Times {WHAT[trend.what]}, {len(trend.starts)} {trend.period}s: {first}.")


def _line(number: int, row: Row, most: int) -> Line:
    step = WIDE / max(1, len(row.cells) - 1)
    points = [
        None if cell is None else (round(at * step, 1), round(TALL - TALL * cell.count / most, 1))
        for at, cell in enumerate(row.cells)
    ]
    marks = tuple(point for point in points if point)
    return Line(number, row.value, tuple(_pieces(points)), marks, marks[-1][1])


def _pieces(points: list[tuple[float, float] | None]) -> Iterator[str]:
    piece: list[str] = []
    for point in [*points, None]:
        if point is not None:
            piece.append(f"{point[0]:g},{point[1]:g}")
            continue
        if len(piece) > 1:
            yield " ".join(piece)
        piece = []


def _apart(lines: list[Line]) -> Iterator[Line]:
    """The names at the ends moved down where they would lie on each other."""
    low = -GAP
    for line in sorted(lines, key=lambda one: one.label_y):
        low = max(line.label_y, low + GAP)
        yield Line(line.number, line.name, line.pieces, line.marks, low)
