"""Small line and bar charts as SVG, drawn by hand: three charts need no library.

Lines differ in colour and, when colours run out, in dashes; each bears its name at its end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 860, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 230, 44, 52
INK, FAINT = "#26241f", "#d9d5cc"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#7a1f2b", "#5b5ea6", "#4d4d4d")
"""Told apart by most eyes that see colours otherwise (after Okabe and Ito 2008)."""
DASHES = ("", "7 4", "2 3", "10 3 2 3")


def lines(
    title: str, across: str, up: str, series: Mapping[str, Points], level: tuple[str, float] | None = None
) -> str:
    """A line for each of the ``series`` by name; ``level`` is a named value to compare with, drawn right across."""
    everything = [point for points in series.values() for point in points]
    values = [y for _, y in everything] + ([level[1]] if level else [])
    x_axis, y_axis = _axis([x for x, _ in everything]), _axis(values)
    drawn = [_grid(x_axis, y_axis, across, up)]
    ends = _apart([points[-1][1] for points in series.values() if points], y_axis)
    if level:
        y = _y(level[1], y_axis)
        drawn.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{INK}" stroke-dasharray="3 5"/>'
        )
        drawn.append(_text(LEFT + 4, y - 5, level[0], size=11))
    for number, (name, points) in enumerate((name, points) for name, points in series.items() if points):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
        places = [(_x(x, x_axis), _y(y, y_axis)) for x, y in points]
        path = " ".join(f"{x},{y}" for x, y in places)
        style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        drawn.append(f'<polyline points="{path}" {style}/>')
        drawn += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places]
        drawn.append(_text(WIDTH - RIGHT + 10, ends[number] + 4, name, colour=colour, size=12))
    return _page(title, drawn)


def bars(
    title: str, up: str, values: Mapping[str, tuple[float, float | None]], level: tuple[str, float] | None = None
) -> str:
    """A bar for each name: its value, and a whisker of one deviation where that is known."""
    reach = [value + sign * (spread or 0) for value, spread in values.values() for sign in (-1, 1)]
    axis = _axis([0.0, *reach, *([level[1]] if level else [])])
    row = (HEIGHT - TOP - BOTTOM) / max(1, len(values))
    left, right = LEFT + 150, WIDTH - 40

    def place(value: float) -> float:
        return round(left + (value - axis[0]) / (axis[-1] - axis[0]) * (right - left), 1)

    drawn = []
    for mark in axis:
        x = place(mark)
        drawn.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{FAINT}"/>')
        drawn.append(_text(x, HEIGHT - BOTTOM + 18, f"{mark:g}", anchor="middle", size=11))
    for number, (name, (value, spread)) in enumerate(values.items()):
        middle, zero = TOP + (number + 0.5) * row, place(0.0)
        start, end = sorted((zero, place(value)))
        colour = COLOURS[number % len(COLOURS)]
        height = round(row * 0.6, 1)
        drawn.append(
            f'<rect x="{start}" y="{round(middle - height / 2, 1)}" width="{round(max(1, end - start), 1)}" '
            f'height="{height}" fill="{colour}"/>'
        )
        if spread is not None:
            low, high, y = place(value - spread), place(value + spread), round(middle, 1)
            drawn.append(f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{INK}" stroke-width="1.5"/>')
        drawn.append(_text(left - 8, middle + 4, name, anchor="end", size=12))
    if level:
        x = place(level[1])
        drawn.append(
            f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{INK}" stroke-dasharray="3 5"/>'
        )
        drawn.append(_text(x, TOP - 6, level[0], anchor="middle", size=11))
    drawn.append(_text((left + right) / 2, HEIGHT - 12, up, anchor="middle", size=12))
    return _page(title, drawn)


def _axis(values: Sequence[float]) -> list[float]:
    """Four to eight round marks, the first and the last around all the values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _grid(x_axis: Sequence[float], y_axis: Sequence[float], across: str, up: str) -> str:
    parts = []
    for mark in y_axis:
        y = _y(mark, y_axis)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{FAINT}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{mark:g}", anchor="end", size=11))
    for mark in x_axis:
        parts.append(_text(_x(mark, x_axis), HEIGHT - BOTTOM + 18, f"{mark:g}", anchor="middle", size=11))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, across, anchor="middle", size=12))
    parts.append(_text(LEFT - 60, TOP - 10, up, size=12))
    return "".join(parts)


def _x(value: float, axis: Sequence[float]) -> float:
    return round(LEFT + (value - axis[0]) / (axis[-1] - axis[0]) * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, axis: Sequence[float]) -> float:
    return round(HEIGHT - BOTTOM - (value - axis[0]) / (axis[-1] - axis[0]) * (HEIGHT - TOP - BOTTOM), 1)


def _apart(values: Sequence[float], axis: Sequence[float], least: float = 15.0) -> list[float]:
    """Where the names of lines stand: at their ends, but never on each other."""
    order = sorted(range(len(values)), key=lambda number: -values[number])
    places = [0.0] * len(values)
    free = float(TOP - 10)
    for number in order:
        places[number] = free = max(free, _y(values[number], axis))
        free += least
    surplus = max(0.0, free - least - (HEIGHT - 16))
    return [round(place - surplus, 1) for place in places]


def _text(x: float, y: float, said: str, *, colour: str = INK, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{round(x, 1)}" y="{round(y, 1)}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(said)}</text>"
    )


def _page(title: str, drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{_text(LEFT, 22, title, size=15)}'
        f"{''.join(drawn)}</svg>\n"
    )
