"""Colours that go together, composed from a seed.

A harmony is float (6, 3): OKLCH lightness 0..1, chroma 0..0.3 and hue in degrees of the ground, main, second, third
(often the leaves), accent and extra ink.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .cloth import F64

Harmony = Callable[[np.random.Generator], F64]


def _ground(rng: np.random.Generator, hue: float) -> tuple[float, float, float]:
    """Paper, tint or deep ground."""
    kind = rng.random()
    if kind < 0.5:
        return float(rng.uniform(0.92, 0.98)), float(rng.uniform(0.004, 0.03)), 80 + float(rng.normal(0, 20))
    if kind < 0.68:
        return float(rng.uniform(0.82, 0.92)), float(rng.uniform(0.03, 0.08)), hue + float(rng.normal(0, 40))
    if kind < 0.93:
        return float(rng.uniform(0.2, 0.34)), float(rng.uniform(0.02, 0.08)), hue + float(rng.normal(0, 60))
    return float(rng.uniform(0.68, 0.8)), float(rng.uniform(0.06, 0.11)), hue + 180 + float(rng.normal(0, 30))


_STEPS = ((30, -30, 180), (20, 180, 200), (150, 25, 210), (120, 240, 60), (0, 8, 180), (-40, 40, 90))
"""Hue steps from the main to the second, third and accent ink."""


def harmony(rng: np.random.Generator, leaf: float | None = None) -> F64:
    """Analogous, complementary, split or triadic; the accent stands apart, the extra ink is a deep neutral."""
    hue = float(rng.uniform(0, 360))
    second, third, accent = _STEPS[rng.integers(len(_STEPS))]
    ground = _ground(rng, hue)
    dark = ground[0] < 0.6
    rich = float(rng.uniform(0.09, 0.19))
    main = rng.uniform(0.68, 0.86) if dark else rng.uniform(0.36, 0.58)
    middle = rng.uniform(0.5, 0.66) if dark else rng.uniform(0.66, 0.8)
    rows = [
        ground,
        (main, rich, hue),
        (middle, rich * 0.8, hue + second),
        (rng.uniform(0.45, 0.62), rich * 0.55, leaf if leaf is not None else hue + third),
        (rng.uniform(0.76, 0.86) if dark or rng.random() < 0.4 else rng.uniform(0.3, 0.62), rich * 1.1, hue + accent),
        (rng.uniform(0.9, 0.95) if dark else rng.uniform(0.22, 0.32), 0.03, hue + float(rng.normal(0, 60))),
    ]
    return np.array(rows, np.float64)


def botanical(rng: np.random.Generator) -> F64:
    """A harmony whose third ink is the green of leaves."""
    return harmony(rng, leaf=float(rng.normal(135, 18)))


Row = tuple[float, float, float]


def steady(*rows: Row) -> Harmony:
    """The same colours for every seed but for a breath: what a name promises (a zebra is black and white)."""

    def composed(rng: np.random.Generator) -> F64:
        return np.array(rows, np.float64) + rng.normal(0, 1, (len(rows), 3)) * (0.012, 0.004, 5.0)

    return composed


def on_white(rng: np.random.Generator) -> F64:
    """One clear colour and its kin on white."""
    hue = float(rng.uniform(0, 360))
    light, chroma = float(rng.uniform(0.32, 0.58)), float(rng.uniform(0.1, 0.18))
    kin = ((0.7, chroma * 0.6, hue), (0.55, chroma * 0.5, hue + 25), (0.45, chroma, hue + 170), (0.25, 0.04, hue))
    return np.array([(0.98, 0.006, 90), (light, chroma, hue), *kin], np.float64)


def one_ink(rng: np.random.Generator) -> F64:
    """An engraving: one ink and its tints on cream, now and then the other way round."""
    hue = float(rng.choice([25, 255, 260, 150, 320, 20])) + float(rng.normal(0, 8))
    paper: Row = (0.955, 0.018, 85.0)
    ink: Row = (float(rng.uniform(0.36, 0.46)), float(rng.uniform(0.08, 0.14)), hue)
    if rng.random() < 0.2:
        paper, ink = (ink[0] - 0.04, ink[1], hue), (0.94, 0.02, 85.0)
    tint = tuple(0.45 * a + 0.55 * b for a, b in zip(paper[:2], ink[:2], strict=True))
    return np.array([paper, ink, (*tint, hue), ink, ink, ink], np.float64)


def tone_on_tone(rng: np.random.Generator) -> F64:
    """One hue in two lights, as a damask is woven."""
    hue, chroma = float(rng.uniform(0, 360)), float(rng.uniform(0.03, 0.11))
    low = float(rng.uniform(0.24, 0.5))
    lights = [low, low + 0.34, low + 0.2, low + 0.3, low + 0.42, low + 0.1]
    if rng.random() < 0.5:
        lights = [0.92, *(0.92 - (value - low) for value in lights[1:])]
    return np.array([(light, chroma, hue) for light in lights], np.float64)
