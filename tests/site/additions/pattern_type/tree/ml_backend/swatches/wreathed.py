"""Wreaths in one colour, tossed on a pale ground.  The eleventh type of a test."""

from __future__ import annotations

import numpy as np

from .drawing import shapes
from .drawing.cloth import Cloth
from .drawing.layout import spread
from .drawing.pattern_type import PatternType


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    radius = float(rng.uniform(0.06, 0.12))
    for spot in spread(rng, int(rng.integers(8, 15))):
        role = int(rng.choice([1, 1, 2]))
        for patch in cloth.window(spot.x, spot.y, radius * 1.3):
            patch.paint(role, np.abs(shapes.disc(patch.x, patch.y, radius)) - np.float32(0.25 * radius))


TYPE = PatternType(
    label=10,
    draw=draw,
    side_cm=30.0,
    turnable=True,
    coverage=(0.70, 0.20, 0.10, 0.0, 0.0),
    sample_seed=1,
    words=("wreathed", "tossed wreaths", "wreaths"),
    adjectives=("wreathed", "wreath print"),
    nouns=("wreaths", "a wreath pattern"),
)
