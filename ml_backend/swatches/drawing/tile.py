"""A drawn tile: ``draw_inks`` is the whole interface of the engine "drawn", and what the generators learn from.

Every design is a function of (pattern type, seed) alone: it wraps around exactly, and the same seed at 64 and at 2048
pixels is the same design, only finer.  Pure NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import BadInput, quoted
from ...lattices import BASIC, Lattice, lattice_of
from .. import MAX_INKS, MAX_SEED, MAX_SIZE, MIN_INKS, SUBTYPES, TYPES
from .cloth import F32, Cloth, ink_of

_FINE = 128  # small tiles are drawn at this many pixels or more, then averaged
_CUT = 64  # where to cut a repeat is decided at this size
_PROOF = 96  # halves and thirds of it are whole pixels


@dataclass(frozen=True)
class Design:
    """What is drawn, whatever its size and repeat."""

    pattern_type: str
    seed: int
    subtype: str | None = None


def draw_inks(
    pattern_type: str, seed: int, size: int, inks: int = 5, repeat: str = "basic", subtype: str | None = None
) -> F32:
    """Ink coverage of a drawn tile: float32 (inks, size, size), each pixel summing to 1, ink 0 the ground.

    ``size`` is 8 to 4096 pixels, ``inks`` 4 to 6.  The repeat is cut where the design is quiet, as a printer would:
    a tile's border is calmer than its inside.  ``repeat`` is the one that it is drawn for, a name of
    :data:`ml_backend.lattices.LATTICES`; ``subtype`` draws that design of the type, None the one that the seed
    chooses.  Raises :class:`BadInput`.
    """
    _check(pattern_type, seed, size, inks)
    if subtype is not None and SUBTYPES.get(subtype, ("",))[0] != pattern_type:
        raise BadInput(f"{quoted(subtype)} is not a subtype of {pattern_type}.")
    lattice, design = lattice_of(repeat), Design(pattern_type, seed, subtype)
    if not lattice.plain:
        return _on_lattice(design, size, inks, lattice)
    proof = _printed(design, _CUT, MAX_INKS)  # always alike, so that the cut depends on nothing else
    column, row = _quiet_line(proof, 2), _quiet_line(proof, 1)
    if size == _CUT:
        return np.roll(_averaged(_folded(proof, inks), _CUT), (-row, -column), axis=(1, 2))
    return _averaged(_printed(design, size, inks, (column / _CUT, row / _CUT)), size)


def _printed(design: Design, size: int, inks: int, origin: tuple[float, float] = (0.0, 0.0)) -> F32:
    """The planes as drawn: a whole number of pixels to each of ``size``."""
    return _cloth(design, size, inks, origin).planes


def _cloth(
    design: Design, size: int, inks: int, origin: tuple[float, float] = (0.0, 0.0), lattice: Lattice = BASIC
) -> Cloth:
    fine = max(1, -(-_FINE // size))
    cloth = Cloth(size * fine, inks, fine, origin, lattice)
    kind = TYPES[design.pattern_type]
    draw = kind.draw if design.subtype is None else SUBTYPES[design.subtype][1].draw
    draw(cloth, np.random.default_rng((kind.label, design.seed)))
    return cloth


def _on_lattice(design: Design, size: int, inks: int, lattice: Lattice) -> F32:
    """Drawn for another repeat than basic.

    A design that follows the lattice in all that it draws is simply drawn on it.  One that is laid on the tile's own
    grid stays as it is where that fits the lattice by itself, as upright stripes and even checks do; else it is laid
    two or three times a side, which fits every lattice.  In a mirror a quarter of it is the cell.
    """
    proof = _cloth(design, _PROOF, MAX_INKS, lattice=lattice)
    if proof.followed:
        row, column = lattice.quiet(lattice.cell(_averaged(proof.planes, _PROOF)))
        return _averaged(_cloth(design, size, inks, (column / _PROOF, row / _PROOF), lattice).planes, size)
    if lattice.mirrored:
        return _reflected(design, size, inks, lattice)
    times = 1 if _fits(_printed(design, _PROOF, MAX_INKS), lattice) else lattice.divisor
    plain = draw_inks(design.pattern_type, design.seed, size, inks, subtype=design.subtype)
    return plain if times == 1 else _averaged(np.tile(plain, (1, times, times)), size)


def _fits(planes: F32, lattice: Lattice) -> bool:
    """Whether a basic tile looks the same from the lattice's next column and row."""
    side = planes.shape[1]
    column, row = lattice.copy(1, 0), lattice.copy(0, 1)
    for copy in (column, row):
        moved = np.roll(planes, (round(copy.y * side), round(copy.x * side)), axis=(1, 2))
        if float(np.abs(moved - planes).mean()) > 1e-4:
            return False
    return True


def _reflected(design: Design, size: int, inks: int, lattice: Lattice) -> F32:
    """The quarter of the basic tile whose four sides are the quietest, and its reflections."""
    proof = _printed(design, _CUT, MAX_INKS)
    origin = _quiet_pair(proof, 2) / _CUT, _quiet_pair(proof, 1) / _CUT
    planes = _averaged(_printed(design, size, inks, origin), size)
    return lattice.tile(planes[:, : (size + 1) // 2, : (size + 1) // 2])[:, :size, :size]


def _quiet_pair(planes: F32, axis: int) -> int:
    """Before which row or column both it and the one half a tile farther change least."""
    calm = _restless(planes, axis)
    return int(np.argmin(np.round(calm + np.roll(calm, -(len(calm) // 2)), 5)))


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
    return int(np.argmin(np.round(_restless(planes, axis), 5)))


def _restless(planes: F32, axis: int) -> F32:
    """How much the design changes before each row or column of the proof."""
    jumps = np.abs(planes - np.roll(planes, 1, axis)).mean(axis=(0, 3 - axis))
    around: F32 = jumps + 0.2 * (np.roll(jumps, 1) + np.roll(jumps, -1))
    return around[:: max(1, len(jumps) // _CUT)]


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
