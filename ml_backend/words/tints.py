"""Colours made lighter, deeper or quieter without becoming another colour.

Changes are made in CIELCh; :func:`modified` steps back until the basic name is kept, so "dark yellow" is a yellow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .colours import PROTOTYPES, lab, name_of, rgb_of

F32 = NDArray[np.float32]

_TO_RGB = np.linalg.inv(
    np.array(((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041)))
)
_WHITE = np.array((0.95047, 1.0, 1.08883))

CHANGES: dict[str, tuple[float, float]] = {
    "light": (0.38, 0.8),
    "pale": (0.6, 0.55),
    "pastel": (0.55, 0.65),
    "dark": (-0.5, 0.85),
    "deep": (-0.28, 1.1),
    "bright": (0.12, 1.3),
    "neon": (0.2, 1.6),
    "muted": (0.08, 0.5),
    "warm": (0.0, 1.05),
    "cool": (0.0, 0.9),
}
"""Modifier -> share of the way to white (negative: to black) in L*, and factor of the chroma."""

_LEAN = {"warm": "#e8771a", "cool": "#2456b4"}


def modified(colour: str, modifier: str) -> str:
    """``colour`` as the modifier (a key of :data:`CHANGES`) has it, still called by the same basic name."""
    lift, chroma = CHANGES[modifier]
    goal = _moved(_towards_own_kind(colour, lift), lift, chroma)
    if modifier in _LEAN:
        goal = goal + 0.18 * (lab_of(_LEAN[modifier]) - goal)
    return kept(colour, goal)


def leaned(colour: str, towards: str) -> str:
    """``colour`` a third of the way to another one, or as far as its name holds."""
    return kept(colour, lab_of(colour) + 0.34 * (lab_of(towards) - lab_of(colour)))


def kept(colour: str, goal: F32) -> str:
    """The colour nearest to CIELAB ``goal``, on the way from ``colour``, that bears the same basic name."""
    start, name = lab_of(colour), name_of(rgb_of(colour))
    for share in (1.0, 0.8, 0.6, 0.45, 0.3, 0.15):
        found = hex_of(start + share * (goal - start))
        if name_of(rgb_of(found)) == name:
            return found
    return colour


def family(colour: str) -> tuple[str, str, str]:
    """(darker, the colour, lighter): as far apart in lightness as its basic name allows, clearly inside it."""
    start = lab_of(colour)
    darker = kept(colour, _moved(start, -0.5, 0.95))
    lighter = kept(colour, _moved(start, 0.5, 0.9))
    return darker, colour, lighter


def mixed(first: str, second: str, share: float) -> str:
    """``first`` moved by ``share`` towards ``second`` in CIELAB."""
    start = lab_of(first)
    return hex_of(start + share * (lab_of(second) - start))


def apart(first: str, second: str) -> float:
    """Distance in CIELAB; black to white is 100."""
    return float(np.linalg.norm(lab_of(first) - lab_of(second)))


def lab_of(colour: str) -> F32:
    return lab(np.array(rgb_of(colour), np.float32))


def hex_of(value: F32) -> str:
    """CIELAB -> ``#rrggbb``; a chroma that no screen shows is lowered until one can."""
    light, a, b = (float(part) for part in value)
    light = min(max(light, 0.0), 100.0)
    for _ in range(40):
        linear = _linear(light, a, b)
        if linear.min() >= -1e-4 and linear.max() <= 1 + 1e-4:
            break
        a, b = a * 0.94, b * 0.94
    linear = np.clip(linear, 0, 1)
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in rgb)


def _linear(light: float, a: float, b: float) -> NDArray[np.float64]:
    y = (light + 16) / 116
    f = np.array((y + a / 500, y, y - b / 200))
    xyz = np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787) * _WHITE
    linear: NDArray[np.float64] = _TO_RGB @ xyz
    return linear


def _towards_own_kind(colour: str, lift: float) -> F32:
    """Half way to the lightest (or darkest) prototype of its name: blue grows light as the sky does, not violet."""
    start, kind = lab_of(colour), PROTOTYPES[name_of(rgb_of(colour))]
    if abs(lift) < 0.3:
        return start
    extreme = (max if lift > 0 else min)((lab_of(other) for other in kind), key=lambda value: float(value[0]))
    further = (extreme[0] - start[0]) * lift > 0
    return np.asarray(start + 0.5 * (extreme - start) if further else start, np.float32)


def _moved(value: F32, lift: float, chroma: float) -> F32:
    light = value[0] + (lift * (100 - value[0]) if lift > 0 else lift * value[0])
    return np.array((light, value[1] * chroma, value[2] * chroma), np.float32)
