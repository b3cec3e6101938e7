"""What is said of one colour: its name, its numbers, and the nearest colours of an open system.

The system is the grid of the CIELAB HLC colour atlas (freieFarbe e. V., DIN SPEC 16699): hue in steps of 10 degrees,
lightness and chroma in steps of 5, counted in CIELAB under D50.  Its colours are computed, not copied from anybody's
table, so it needs no licence, and its codes say the colour themselves: ``H030_L045_C055``.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..colour import Namer, from_lab_d50, lab_d50, lab_of
from ..words.shades import SHADES

F64 = NDArray[np.float64]

HUE_STEP, LIGHT_STEP, CHROMA_STEP = 10, 5, 5

_NAMER = Namer({name: (colour,) for shades in SHADES.values() for name, colour in shades.items()})


@dataclass(frozen=True)
class SystemColour:
    """One colour of the open system; ``away`` is the CIE76 difference from the colour that was asked about."""

    code: str
    colour: str
    away: float


@dataclass(frozen=True)
class Facts:
    """``lab`` and ``lch`` (degrees) are CIELAB under D50; ``nearest`` are the nearest of the system, nearest first."""

    colour: str
    name: str
    lab: tuple[float, float, float]
    lch: tuple[float, float, float]
    nearest: tuple[SystemColour, ...]


@lru_cache(maxsize=4096)
def facts(colour: str) -> Facts:
    """All that is said of ``#rrggbb``.  Raises :class:`ml_backend.errors.BadInput`."""
    light, a, b = (float(part) for part in lab_d50(colour))
    lch = (light, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)
    return Facts(colour, called(colour), (light, a, b), lch, nearest(colour))


def called(colour: str) -> str:
    """The everyday name of the nearest shade that people's words know: ``rust``, ``navy``."""
    return _NAMER.of_lab(lab_of(colour))


def nearest(colour: str, count: int = 3) -> tuple[SystemColour, ...]:
    """The ``count`` nearest colours of the system that a screen shows; at the rim of what it shows, greyer ones."""
    lab = lab_d50(colour)
    chroma, hue = math.hypot(lab[1], lab[2]), math.degrees(math.atan2(lab[2], lab[1])) % 360
    lights, hues = _steps(lab[0], LIGHT_STEP, 0, 100), _steps(hue, HUE_STEP, -HUE_STEP, 360 + HUE_STEP)
    found: dict[str, SystemColour] = {}
    while len(found) < count and chroma > -CHROMA_STEP:
        for place in itertools.product(lights, _steps(max(chroma, 0), CHROMA_STEP, 0, 200), hues):
            one = _of_system(*place, lab)
            if one is not None:
                found[one.code] = one
        chroma -= CHROMA_STEP
    return tuple(sorted(found.values(), key=lambda one: one.away)[:count])


def _of_system(light: int, chroma: int, hue: int, asked: F64) -> SystemColour | None:
    hue = hue % 360 if chroma else 0
    turn = math.radians(hue)
    lab = np.array((light, chroma * math.cos(turn), chroma * math.sin(turn)))
    colour, shown = from_lab_d50(lab)
    code = f"H{hue:03d}_L{light:03d}_C{chroma:03d}"
    return SystemColour(code, colour, float(np.linalg.norm(lab - asked))) if shown else None


def _steps(value: float, step: int, low: int, high: int) -> list[int]:
    """The steps about a value, two on each side: a neighbour may be no colour of a screen."""
    first = math.floor(value / step)
    return [at * step for at in range(first - 1, first + 3) if low <= at * step <= high]
