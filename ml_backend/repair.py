"""A tile that was not made for a repeat is mended along its seams: no motif ends at a straight line any more.

Two steps.  The *periodic plus smooth decomposition* (Moisan, "Periodic plus smooth image decomposition", 2011) takes
away what differs slowly from edge to edge, such as light that falls from one side.  Then a strip of the tile's own
inside is laid over each seam and sewn in along the two lines where it differs least from what lies under it: the
minimum error boundary cut (Efros and Freeman, "Image quilting", 2001), which runs through the ground between motifs
where there is ground.  Of many strips the one whose two lines are the least seen is taken.  Pure NumPy.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from .errors import BadInput
from .lattices import BASIC, Lattice

F32 = npt.NDArray[np.float32]
Paths = npt.NDArray[np.intp]

_PROOF = 64
"""Which strip fits is sought at about this many pixels a side."""
_REACH = 4
"""A strip reaches a quarter of the cell to either side of its seam."""
_STEP = 2
"""Strips are tried at every second pixel of the proof."""
_UNSEEN = 1.1
"""A border at which the drawing changes no more than so many times as much as elsewhere is no seam."""
_FEATHER = 1.5
"""Pixels over which a strip goes over into what it is sewn to."""
_BEGINNINGS = 8
"""So many lines of a basic tile are tried as the one that a cell begins at."""


def repair(planes: F32, lattice: Lattice = BASIC) -> F32:
    """Planes of a tile mended so that they repeat on ``lattice`` without a visible seam.

    ``planes`` float32 (K, H, W) in 0..1, both sides at least 32 pixels: the coverage of K inks, or the channels of a
    picture.  The result has the same shape and range; where the planes summed to 1 everywhere, as ink coverage does,
    they do so again.  Of ink coverage only the drawing is mended: it holds no light, and a haze would be left.  What is
    no more than a quarter of a side from a seam may be drawn over; where a seam is not seen nothing is.  Where the
    lattice's cell is a part of the tile (ogee, mirror), the upper left part of that size is mended and fills the tile.
    A mirrored cell meets its reflections by itself, so nothing is sewn.  Else the tile begins anew at its calmest
    lines.  The same planes give the same result.
    Raises :class:`BadInput` for another shape, for values that are not finite and for sides that are too small.
    """
    if planes.ndim != 3 or not len(planes) or min(planes.shape[1:]) < 32:
        raise BadInput(f"A tile to repair is planes of at least 32 x 32 pixels, not {planes.shape}.")
    if not np.isfinite(planes).all():
        raise BadInput("A tile to repair has values that are not numbers.")
    covering = bool(np.allclose(planes.sum(axis=0), 1, atol=0.01))
    height, width = planes.shape[1:]
    cell = lattice.cell(np.asarray(planes, np.float32))
    if not lattice.mirrored:
        cell = cell if covering else periodic(cell, lattice).clip(0, 1)
        cell = _sewn(cell, lattice)
        row, column = lattice.quiet(cell)
        cell = lattice.rolled(cell, -row, -column)
    return np.ascontiguousarray(lattice.tile(cell)[:, :height, :width])


def sew(tile: F32, lattice: Lattice, motifs: bool = False) -> tuple[F32, float]:
    """A basic tile (K, S, S) that wraps around -> a cell of ``lattice``, sewn where that is least seen, and how much.

    How much is the mean difference in coverage along the worse of the two lines that the strip is sewn in at: 0 where
    they run through nothing but ground.  Of several lines to begin the cell at, that is the least.  ``S`` is a multiple
    of the lattice's divisor, and the lattice is not mirrored.  ``motifs`` says that the first plane is a ground, which
    the lines keep to: two motifs of one colour that they ran through would become one.
    """
    if lattice.slide:
        cell, seen = sew(tile.swapaxes(1, 2), lattice.transposed(), motifs)
        return np.ascontiguousarray(cell.swapaxes(1, 2)), seen
    begins = range(0, tile.shape[2], max(1, tile.shape[2] // _BEGINNINGS))
    cells = (lattice.cell(np.roll(tile, -begin, axis=2)) for begin in begins)
    drop = lattice.drop / lattice.height
    return min((_sew(cell, drop, around=True, motifs=motifs) for cell in cells), key=lambda one: one[1])


def periodic(cell: F32, lattice: Lattice = BASIC) -> F32:
    """The periodic part of a cell (K, h, w) on its lattice: its own differences inside, none at its borders.

    Moisan's decomposition: the part whose Laplacian, with neighbours across the borders, is that of the cell with the
    neighbours inside alone.  Means are kept; values may leave 0..1 a little.
    """
    wanted = np.zeros(cell.shape, np.float64)
    for axis in (1, 2):
        steps = np.diff(cell.astype(np.float64), axis=axis)
        ends = [(0, 0)] * 3
        ends[axis] = (0, 1)
        wanted += np.pad(steps, ends)
        ends[axis] = (1, 0)
        wanted -= np.pad(steps, ends)
    block = lattice.block(wanted.astype(np.float32)).astype(np.float64)
    down = 2 * np.cos(2 * np.pi * np.arange(block.shape[1]) / block.shape[1])[:, None]
    across = 2 * np.cos(2 * np.pi * np.arange(block.shape[2] // 2 + 1) / block.shape[2])[None, :]
    response = down + across - 4
    response[0, 0] = 1
    spectrum = np.fft.rfft2(block) / response
    spectrum[:, 0, 0] = 0
    solved = np.fft.irfft2(spectrum, s=block.shape[1:])[:, : cell.shape[1], : cell.shape[2]]
    solved += (cell.mean(axis=(1, 2)) - solved.mean(axis=(1, 2)))[:, None, None]
    part: F32 = solved.astype(np.float32)
    return part


def _sewn(cell: F32, lattice: Lattice) -> F32:
    """A strip over the seam between rows, then one over the seam between columns, which hang lower or higher.

    The first takes no care of the cell's left and right ends: the second covers them.
    """
    if lattice.slide:
        return _sewn(cell.swapaxes(1, 2), lattice.transposed()).swapaxes(1, 2)
    rows = _mended(cell.swapaxes(1, 2), Fraction(0), around=False).swapaxes(1, 2)
    return _mended(rows, lattice.drop / lattice.height, around=True)


def _mended(cell: F32, drop: Fraction, around: bool) -> F32:
    """Sewn where the seam between the last column and the first is seen."""
    half = _half(cell)
    jumps = np.abs(np.diff(_over_seam(cell, Lattice("", drop=drop), half), axis=2)).mean(axis=(0, 1))
    return cell if jumps[half - 1] <= _UNSEEN * jumps.mean() else _sew(cell, drop, around)[0]


def _sew(cell: F32, drop: Fraction, around: bool, motifs: bool = False) -> tuple[F32, float]:
    """A strip of whole columns over the seam between the last column and the first, which hangs ``drop`` lower.

    ``around`` says that rows wrap around: a strip may then come from any height, and its edges close up.  With the cell
    comes how much the strip's edges show, as :func:`sew` says it.
    """
    hung = Lattice("", drop=drop)
    half = _half(cell)
    seam = _over_seam(cell, hung, half)
    left, lower = _best_strip(cell, hung, around, motifs)
    strip = np.roll(cell[:, :, left : left + 2 * half], lower, axis=1)
    error = _apart(strip, seam, motifs)
    halves = error[:, :half], error[:, half:]
    before, after = (_quietest_path(part[None], around)[0] for part in halves)
    edges = (
        np.take_along_axis(part, path[:, None], axis=1) for part, path in zip(halves, (before, after), strict=True)
    )
    columns = np.arange(2 * half) + 0.5
    rise = np.clip((columns - before[:, None]) / _FEATHER + 0.5, 0, 1)
    fall = np.clip((half + after[:, None] - columns) / _FEATHER + 0.5, 0, 1)
    share = (rise * fall).astype(np.float32)
    joined = seam + (strip - seam) * share
    mended = cell.copy()
    mended[:, :, :half] = joined[:, :, half:]
    mended[:, :, -half:] = hung.lowered(joined[:, :, :half], 1)
    return mended, max(float(np.sqrt(edge).mean()) for edge in edges)


def _half(cell: F32) -> int:
    """Columns that a strip reaches to either side of its seam."""
    return max(4, int(cell.shape[2]) // _REACH)


def _over_seam(cell: F32, hung: Lattice, half: int) -> F32:
    """The ``half`` columns before and after the seam, at the height of the first column."""
    return hung.surround(cell, half)[:, half:-half, : 2 * half]


def _apart(strips: F32, seam: F32, motifs: bool) -> F32:
    """How much a line joining strips (..., K, h, w) to the seam (K, h, w) would be seen at each pixel (..., h, w)."""
    apart: F32 = np.square(strips - seam).sum(axis=-3)
    return apart + (1 - strips[..., 0, :, :]) * (1 - seam[0]) if motifs else apart


def _best_strip(cell: F32, hung: Lattice, around: bool, motifs: bool) -> tuple[int, int]:
    """Where the strip begins and how much lower it is laid, in pixels: the one that can be sewn in least seen."""
    shrink = max(1, min(max(cell.shape[1:]) // _PROOF, min(cell.shape[1:]) // (_PROOF // 4)))
    rows, columns = cell.shape[1] // shrink, cell.shape[2] // shrink
    cut = cell[:, : rows * shrink, : columns * shrink]
    proof = cut.reshape(len(cell), rows, shrink, columns, shrink).mean(axis=(2, 4))
    half = max(2, columns // _REACH)
    seam = _over_seam(proof, hung, half)
    tried = [
        (left, lower)
        for left in range(0, columns - 2 * half + 1, _STEP)
        for lower in (range(0, rows, _STEP) if around else (0,))
    ]
    strips = np.stack([np.roll(proof[:, :, left : left + 2 * half], lower, axis=1) for left, lower in tried])
    errors = _apart(strips, seam, motifs)  # (tried, rows, 2 * half)
    cost = np.zeros(len(tried))
    for part in (errors[..., :half], errors[..., half:]):
        path = _quietest_path(part, around)
        cost += np.take_along_axis(part, path[..., None], axis=2).sum(axis=(1, 2))
    left, lower = tried[int(np.argmin(cost))]
    return min(left * shrink, cell.shape[2] - 2 * _half(cell)), lower * shrink


def _quietest_path(error: npt.NDArray[np.floating], around: bool) -> Paths:
    """Of errors (n, rows, columns) the column of each row (n, rows) along which their sum is least.

    From row to row a path moves by one column at most; ``around`` makes it end where it began.
    """
    paths = _cheapest(error, None)
    if not around:
        return paths
    rows = error.shape[1]
    middle = _cheapest(np.concatenate([error, error], axis=1), None)[:, rows // 2]  # far from loose ends
    rolled = np.roll(error, -(rows // 2), axis=1)
    return np.roll(_cheapest(rolled, middle), rows // 2, axis=1)


def _cheapest(error: npt.NDArray[np.floating], pinned: Paths | None) -> Paths:
    """Dynamic programming from the first row to the last; ``pinned`` (n,) is where the first and last row must be."""
    count, rows, columns = error.shape
    error = error.astype(np.float64)
    far = 1e6 * (1 + np.abs(np.arange(columns)[None] - pinned[:, None])) if pinned is not None else np.zeros((1, 1))
    cost = error[:, 0] + far
    came = np.zeros((count, rows, columns), np.intp)
    for row in range(1, rows):
        padded = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
        choices = np.stack([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]])
        best = choices.argmin(axis=0)
        came[:, row] = best - 1
        cost = np.take_along_axis(choices, best[None], axis=0)[0] + error[:, row]
    path = np.zeros((count, rows), np.intp)
    path[:, -1] = (cost + far).argmin(axis=1)
    every = np.arange(count)
    for row in range(rows - 1, 0, -1):
        path[:, row - 1] = path[:, row] + came[every, row, path[:, row]]
    return path
