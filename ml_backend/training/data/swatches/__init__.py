"""Swatches: endless fabric drawn by rule, one file per pattern type.

``draw_inks`` is the whole interface.  Every design is a function of (pattern type, seed) alone: it wraps around
exactly, and the same seed at 64 and at 2048 pixels is the same design, only finer.  It is the engine "drawn" and what
the DCGAN learns from.  Pure NumPy.

A pattern type is a module with ``draw(cloth, rng)``; it draws in roles (0 ground, 1 main, 2 second, 3 third, often
the leaves, 4 accent, 5 extra), which become the inks that there are.
"""

from __future__ import annotations

import numpy as np

from ....errors import BadInput
from ....requests import MAX_INKS, MAX_SEED, MAX_SIZE, MIN_INKS, PATTERN_TYPES
from . import abstract, animal, camouflage, dotted, floral, geometric, paisley, plaid, striped, zigzag
from .cloth import F32, Cloth

DRAW = {
    "floral": floral.draw,
    "striped": striped.draw,
    "plaid": plaid.draw,
    "dotted": dotted.draw,
    "zigzag": zigzag.draw,
    "geometric": geometric.draw,
    "animal": animal.draw,
    "paisley": paisley.draw,
    "camouflage": camouflage.draw,
    "abstract": abstract.draw,
}
"""Pattern type -> its drawing function."""

_FINE = 128  # small tiles are drawn at this many pixels or more, then averaged


def draw_inks(pattern_type: str, seed: int, size: int, inks: int = 5) -> F32:
    """Ink coverage of a drawn tile: float32 (inks, size, size), each pixel summing to 1, ink 0 the ground.

    ``size`` is 8 to 4096 pixels, ``inks`` 4 to 6.  Raises :class:`BadInput`.
    """
    _check(pattern_type, seed, size, inks)
    fine = max(1, -(-_FINE // size))
    cloth = Cloth(size * fine, inks, fine)
    DRAW[pattern_type](cloth, np.random.default_rng((PATTERN_TYPES.index(pattern_type), seed)))
    planes = np.clip(cloth.planes, 0, 1)
    if fine > 1:
        planes = planes.reshape(inks, size, fine, size, fine).mean(axis=(2, 4))
    planes /= planes.sum(axis=0)
    return planes


def _check(pattern_type: str, seed: int, size: int, inks: int) -> None:
    if pattern_type not in DRAW:
        raise BadInput(f"{pattern_type!r} is not a pattern type; choose one of {', '.join(DRAW)}.")
    for what, value, low, high in (
        ("seed", seed, 0, MAX_SEED),
        ("size", size, 8, MAX_SIZE),
        ("number of inks", inks, MIN_INKS, MAX_INKS),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise BadInput(f"The {what} must be a whole number from {low} to {high}, not {value!r}.")
