"""How a tile repeats: what lies beyond each of its edges, and where any point of the cloth lies in it.

A repeat is a lattice.  Its *cell* is what is drawn once; the tile, always a square of side 1 (x to the right, y down),
holds one cell, or for the finer lattices as many as fill it.  Copies of the cell stand in columns and rows: the column
to the right hangs ``drop`` lower, the row below lies ``slide`` farther right, and where the lattice is mirrored every
other column and row is the cell's reflection.  Everything that wraps around a tile (networks, the renderer, enlarging,
cutting, wearing, measuring) asks here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .errors import BadInput, quoted

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]

_NONE, _THIRD, _HALF, _ONE = Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1)


@dataclass(frozen=True)
class Copy:
    """A copy of the cell: a point (u, v) of the cell lies at (x + u, y + v), or with a flip at x + width - u."""

    x: float
    y: float
    flip_x: bool = False
    flip_y: bool = False


@dataclass(frozen=True)
class Lattice:
    """A repeat by its name in :data:`LATTICES`; lengths in tile sides.  Either ``drop`` or ``slide`` is 0."""

    name: str
    drop: Fraction = _NONE
    slide: Fraction = _NONE
    width: Fraction = _ONE
    height: Fraction = _ONE
    mirrored: bool = False

    @property
    def plain(self) -> bool:
        """Whether the tile simply stands beside itself, as everything did before there were others."""
        return not (self.drop or self.slide or self.mirrored)

    @property
    def area(self) -> float:
        """Of the cell, in tiles."""
        return float(self.width * self.height)

    @property
    def divisor(self) -> int:
        """What the side of a tile in pixels must be a multiple of for its neighbours to meet it pixel to pixel."""
        return max(self.drop.denominator, self.slide.denominator, self.width.denominator, self.height.denominator)

    def copy(self, column: int, row: int) -> Copy:
        """The copy of the cell in that column and row; (0, 0) is the cell itself."""
        return Copy(
            float(column * self.width + row * self.slide),
            float(row * self.height + column * self.drop),
            self.mirrored and column % 2 == 1,
            self.mirrored and row % 2 == 1,
        )

    def around(self, reach: float = 1.0) -> Iterator[Copy]:
        """Every copy of the cell that comes within ``reach`` tile sides of the tile."""
        columns = math.ceil((1 + 2 * reach) / float(self.width)) + 1
        rows = math.ceil((1 + 2 * reach) / float(self.height)) + 1
        for column in range(-columns, columns + 1):
            drop = math.floor(column * self.drop / self.height)
            for row in range(-rows - drop, rows - drop + 1):
                slide = math.floor(row * self.slide / self.width)
                copy = self.copy(column - slide, row)
                if -reach - self.width < copy.x < 1 + reach and -reach - self.height < copy.y < 1 + reach:
                    yield copy

    def fold(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Where points of the plane lie in the cell: 0 <= u < width, 0 <= v < height (a reflection may reach them)."""
        width, height = float(self.width), float(self.height)
        if self.mirrored:
            return width - np.abs(x % (2 * width) - width), height - np.abs(y % (2 * height) - height)
        column, row = np.floor(x / width), np.floor(y / height)
        u = (x - row * float(self.slide)) % width if self.slide else x - column * width
        v = (y - column * float(self.drop)) % height if self.drop else y - row * height
        return u, v

    def unfold(self, u: Floats, v: Floats, copy: Copy) -> tuple[Floats, Floats]:
        """Where points of the cell lie in one of its copies: undone by :meth:`fold`."""
        x = float(self.width) - u if copy.flip_x else u
        y = float(self.height) - v if copy.flip_y else v
        return x + copy.x, y + copy.y

    def wave(self, kx: float, ky: float, *, straight: bool = False) -> tuple[float, float]:
        """The wave nearest to (kx, ky), whole numbers a tile and not both 0, that repeats as the lattice does.

        ``straight`` keeps a wave along an axis along it, with as many crests as fit; else it leans a little.  Where the
        lattice is mirrored every wave does: it is folded.
        """
        if self.plain or self.mirrored:
            return kx, ky
        if self.width != 1:  # centred: crests a tile add up to an even number
            return (kx, ky) if (kx + ky) % 2 == 0 else (kx, ky + 1) if ky or not straight else (kx + 1, ky)
        if self.slide:
            across, down = replace(self, drop=self.slide, slide=_NONE).wave(ky, kx, straight=straight)
            return down, across
        if straight and not kx:
            fits = self.drop.denominator
            return kx, max(fits, round(ky / fits) * fits)
        lean = float(-Fraction(ky) * self.drop % 1)
        return kx + (lean - 1 if lean > 0.5 or (lean == 0.5 and kx < 0) else lean), ky

    def transposed(self) -> Lattice:
        """Rows for columns."""
        return replace(self, drop=self.slide, slide=self.drop, width=self.height, height=self.width)

    def reflected(self) -> Lattice:
        """Left for right."""
        return replace(self, drop=-self.drop, slide=-self.slide)

    @cached_property
    def _near(self) -> tuple[Copy, ...]:
        return tuple(self.around(1.0))

    def copies(self, xs: F64, ys: F64, reach: float | None = None) -> tuple[F64, F64]:
        """Points (n,) of the cell -> x and y (copies, n) of all their copies within ``reach`` (1) of the tile."""
        placed = [self.unfold(xs, ys, copy) for copy in (self._near if reach is None else self.around(reach))]
        return np.array([x for x, _ in placed], np.float64), np.array([y for _, y in placed], np.float64)

    def elbow(self, xs: F64, ys: F64) -> F64:
        """How far points of the cell are from their own reflection, halved; far where there is none."""
        if not self.mirrored:
            return np.full(len(xs), 9.0)
        across, down = np.minimum(xs, float(self.width) - xs), np.minimum(ys, float(self.height) - ys)
        nearest: F64 = np.minimum(across, down)
        return nearest

    def fitted(self, side: int) -> int:
        """The nearest side from ``side`` upwards that meets its neighbours pixel to pixel."""
        return -(-side // self.divisor) * self.divisor

    def cell(self, planes: F32) -> F32:
        """(..., N, N) of a tile -> its cell (..., N * height, N * width)."""
        rows, columns = planes.shape[-2] * self.height, planes.shape[-1] * self.width
        return planes[..., : int(rows), : int(columns)]

    def tile(self, cell: F32) -> F32:
        """(..., h, w) of a cell -> the square tile that it fills."""
        if self.mirrored:
            cell = np.concatenate([cell, cell[..., ::-1]], axis=-1)
            return np.concatenate([cell, cell[..., ::-1, :]], axis=-2)
        if self.width != 1:
            return np.concatenate([cell, self.lowered(cell, 1)], axis=-1)
        if self.height != 1:
            return np.concatenate([cell, self._pushed(cell, 1)], axis=-2)
        return cell

    def block(self, cell: F32) -> F32:
        """(..., h, w) of a cell -> the smallest block that repeats by plain wrapping."""
        if self.mirrored:
            return self.tile(cell)
        if self.drop:
            columns = range(self.drop.denominator)
            return np.concatenate([self.lowered(cell, column) for column in columns], axis=-1)
        if self.slide:
            return np.concatenate([self._pushed(cell, row) for row in range(self.slide.denominator)], axis=-2)
        return cell

    def surround(self, cell: F32, margin: int) -> F32:
        """(..., h, w) -> (..., h + 2m, w + 2m): the cell among its neighbours, ``margin`` at most a side of it."""
        if not margin:
            return cell
        if self.mirrored:
            left, right = cell[..., :margin][..., ::-1], cell[..., -margin:][..., ::-1]
            wide = np.concatenate([left, cell, right], axis=-1)
            above, below = wide[..., :margin, :][..., ::-1, :], wide[..., -margin:, :][..., ::-1, :]
            return np.concatenate([above, wide, below], axis=-2)
        if self.slide:
            above, below = self._pushed(cell[..., -margin:, :], -1), self._pushed(cell[..., :margin, :], 1)
            high = np.concatenate([above, cell, below], axis=-2)
            return np.concatenate([high[..., -margin:], high, high[..., :margin]], axis=-1)
        left, right = self.lowered(cell[..., -margin:], -1), self.lowered(cell[..., :margin], 1)
        wide = np.concatenate([left, cell, right], axis=-1)
        return np.concatenate([wide[..., -margin:, :], wide, wide[..., :margin, :]], axis=-2)

    def rolled(self, cell: F32, rows: int, columns: int) -> F32:
        """(..., h, w) cut elsewhere: the pixel at (0, 0) goes to (rows, columns), and what leaves comes in again.

        A mirrored cell ends at its mirrors and stays as it is.
        """
        if self.mirrored:
            return cell
        height, width = cell.shape[-2:]
        if self.slide:
            return self.transposed().rolled(cell.swapaxes(-1, -2), columns, rows).swapaxes(-1, -2)
        turns, columns = divmod(columns, width)
        wide = np.concatenate([self.lowered(cell[..., width - columns :], -1), cell[..., : width - columns]], axis=-1)
        return np.roll(wide, rows - int(turns * self.drop / self.height * height), axis=-2)

    def quiet(self, cell: F32) -> tuple[int, int]:
        """The row and the column of a cell (K, h, w) to begin a tile at: across their edges the design changes least.

        The line between columns that hang at other heights is chosen first: it moves what the other passes through.
        """
        if self.mirrored:
            return 0, 0
        if not self.slide:
            across, down = self.transposed()._quiet(cell.swapaxes(1, 2))
            return down, across
        return self._quiet(cell)

    def _quiet(self, cell: F32) -> tuple[int, int]:
        row = _calmest(cell, self.surround(cell, 1)[:, :-2, 1:-1], 1)
        cell = self.rolled(cell, -row, 0)
        return row, _calmest(cell, self.surround(cell, 1)[:, 1:-1, :-2], 2)

    def lowered(self, part: F32, columns: int) -> F32:
        """Columns of the cell, as they hang ``columns`` farther right."""
        return _moved(part, columns * self.drop / self.height, -2)

    def _pushed(self, part: F32, rows: int) -> F32:
        """Rows of the cell, as they lie ``rows`` farther down."""
        return _moved(part, rows * self.slide / self.width, -1)


def _calmest(planes: F32, before: F32, axis: int) -> int:
    """The line along ``axis`` at which (K, h, w) differs least from the line ``before`` it, lines beside it counted."""
    jumps = np.abs(planes - before).mean(axis=(0, 3 - axis))
    around = jumps + 0.2 * (np.roll(jumps, 1) + np.roll(jumps, -1))
    return int(np.argmin(np.round(around, 5)))


def _moved(part: F32, share: Fraction, axis: int) -> F32:
    """Rolled by a share of its side; between two pixels where the side cannot be so divided."""
    whole, rest = divmod(share * part.shape[axis], 1)
    here = np.roll(part, int(whole), axis)
    if not rest:
        return here
    mixed = here + (np.roll(here, 1, axis).astype(np.float32) - here) * np.float32(rest)
    moved: F32 = (np.rint(mixed) if np.issubdtype(part.dtype, np.integer) else mixed).astype(part.dtype)
    return moved


BASIC = Lattice("basic")

LATTICES: dict[str, Lattice] = {
    lattice.name: lattice
    for lattice in (
        BASIC,
        Lattice("half-drop", drop=_HALF),
        Lattice("half-brick", slide=_HALF),
        Lattice("mirror", width=_HALF, height=_HALF, mirrored=True),
        Lattice("third-drop", drop=_THIRD),
        Lattice("ogee", drop=_HALF, width=_HALF),
    )
}
"""Name -> lattice, in the order of the page.

*Ogee* (diamond) sets motifs in diamonds: columns half as wide as they are high, every other one half a tile lower.
*Mirror* is reflection in both directions: the tile is a cell and its three reflections.
"""


def lattice_of(repeat: str) -> Lattice:
    """Raises :class:`BadInput` for what is not a repeat."""
    if repeat not in LATTICES:
        raise BadInput(f"{quoted(repeat)} is not a repeat; choose one of {', '.join(LATTICES)}.")
    return LATTICES[repeat]
