"""A drawn tile: ``draw_inks`` is the whole interface of the engine "drawn", and what the generators learn from.

Every design is a function of (pattern type, seed) alone: it wraps around exactly, and the same seed at 64 and at 2048
pixels is the same design, only finer.  Pure NumPy.
"""

from __future__ import annotations

import numpy as np

from ...errors import BadInput, quoted
from .. import MAX_INKS, MAX_SEED, MAX_SIZE, MIN_INKS, SUBTYPES, TYPES
from .cloth import F32, Cloth, ink_of

_FINE = 128  # small tiles are drawn at this many pixels or more, then averaged
_CUT = 64  # where to cut a repeat is decided at this size


def draw_inks(pattern_type: str, seed: int, size: int, inks: int = 5, subtype: str | None = None) -> F32:
    """Ink coverage of a drawn tile: float32 (inks, size, size), each pixel summing to 1, ink 0 the ground.

    ``size`` is 8 to 4096 pixels, ``inks`` 4 to 6.  The repeat is cut where the design is quiet, as a printer would:
    a tile's border is calmer than its inside.  ``subtype`` draws that design of the type, None the one that the seed
    chooses.  Raises :class:`BadInput`.
    """
    _check(pattern_type, seed, size, inks)
    if subtype is not None and SUBTYPES.get(subtype, ("",))[0] != pattern_type:
        raise BadInput(f"{quoted(subtype)} is not a subtype of {pattern_type}.")
    # the proof is always alike, so that the cut depends on nothing else
    proof = _printed(pattern_type, seed, _CUT, MAX_INKS, subtype=subtype)
    column, row = _quiet_line(proof, 2), _quiet_line(proof, 1)
    if size == _CUT:
        return np.roll(_averaged(_folded(proof, inks), _CUT), (-row, -column), axis=(1, 2))
    return _averaged(_printed(pattern_type, seed, size, inks, (column / _CUT, row / _CUT), subtype), size)


def _printed(
    pattern_type: str,
    seed: int,
    size: int,
    inks: int,
    origin: tuple[float, float] = (0.0, 0.0),
    subtype: str | None = None,
) -> F32:
    """The planes as drawn: a whole number of pixels to each of ``size``."""
    fine = max(1, -(-_FINE // size))
    cloth = Cloth(size * fine, inks, fine, origin)
    kind = TYPES[pattern_type]
    draw = kind.draw if subtype is None else SUBTYPES[subtype][1].draw
    draw(cloth, np.random.default_rng((kind.label, seed)))
    return cloth.planes


def _averaged(planes: F32, size: int) -> F32:
    """Down to ``size`` pixels, and rounding errors away."""
    planes = np.clip(planes, 0, 1)
    fine = planes.shape[1] // size
    if fine > 1:
        planes = planes.reshape(len(planes), size, fine, size, fine).mean(axis=(2, 4))
    planes /= planes.sum(axis=0)
    return planes


def _folded(planes: F32, inks: int) -> F32:
    """The planes that ``inks`` inks would have printed: printing is linear, so roles may share an ink afterwards."""
    folded = planes[:inks].copy()
    for role in range(inks, len(planes)):
        folded[ink_of(role, inks)] += planes[role]
    return folded


def _quiet_line(planes: F32, axis: int) -> int:
    """Before which row (axis 1) or column (axis 2) of the proof the design, lines beside it too, changes least."""
    jumps = np.abs(planes - np.roll(planes, 1, axis)).mean(axis=(0, 3 - axis))
    around = jumps + 0.2 * (np.roll(jumps, 1) + np.roll(jumps, -1))
    return int(np.argmin(np.round(around[:: len(jumps) // _CUT], 5)))


def _check(pattern_type: str, seed: int, size: int, inks: int) -> None:
    if pattern_type not in TYPES:
        raise BadInput(f"{pattern_type!r} is not a pattern type; choose one of {', '.join(TYPES)}.")
    for what, value, low, high in (
        ("seed", seed, 0, MAX_SEED),
        ("size", size, 8, MAX_SIZE),
        ("number of inks", inks, MIN_INKS, MAX_INKS),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise BadInput(f"The {what} must be a whole number from {low} to {high}, not {value!r}.")
