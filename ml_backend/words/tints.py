"""Colours made lighter, deeper or quieter without becoming another colour.

Changes are made in CIELCh; :func:`modified` steps back until the basic name is kept, so "dark yellow" is a yellow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour import PROTOTYPES, from_lab, lab_of, name_of, rgb_of

F32 = NDArray[np.float32]

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
        found = from_lab(start + share * (goal - start))
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
    return from_lab(start + share * (lab_of(second) - start))


def apart(first: str, second: str) -> float:
    """Distance in CIELAB; black to white is 100."""
    return float(np.linalg.norm(lab_of(first) - lab_of(second)))


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
