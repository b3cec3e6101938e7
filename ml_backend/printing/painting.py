"""A design painted at its printed size, band by band.

One printed repeat is made of inks and palette (``side`` pixels), the lattice makes the block of it that wraps
(:func:`lattice`), and a panel is that block laid out: every repeat is the same to the pixel, and a band of a large file
is the band of the small one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..inks import compose, weave
from ..lattices import lattice_of
from ..pipelines.base import Progress, ShouldStop, check, tell
from ..pipelines.overlay.repeats import repeat_cell
from .plan import PrintRequest

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Indices = NDArray[np.intp]

BAND = 256
"""Rows that are painted at once."""
_MARGIN = 4
"""Pixels of the design around a band that its interpolation looks at."""
THREADS_PER_CM = 18.0
"""Of a woven surface, where one is asked for: a plain cotton of medium weight."""

Bands = Iterator[U8]
"""Rows of a picture in order, (h, width, channels) or (h, width) each."""


@dataclass(frozen=True)
class Design:
    """A fabric to print: ``inks`` float32 (K,N,N) summing to 1, ``palette`` K colours, ``name`` for files; ``repeat``
    is how it lies.

    ``redraw`` draws the very same at another side, where a renderer can; ``most`` is the largest side that it draws.
    """

    inks: F32
    palette: tuple[str, ...]
    name: str = "fabric"
    redraw: Callable[[int], F32] | None = None
    most: int = 0
    repeat: str = "basic"

    def at(self, side: int) -> Design:
        """The design as finely as it is worth for ``side`` printed pixels."""
        wanted = min(side, self.most)
        if self.redraw is None or wanted <= self.inks.shape[1]:
            return self
        return replace(self, inks=self.redraw(wanted), redraw=None, most=0)

    def holds(self, side: int) -> int:
        """Pixels a side of real detail in a print of ``side``."""
        return max(int(self.inks.shape[1]), min(side, self.most) if self.redraw is not None else 0)


def lattice(tile: U8, repeat: str) -> U8:
    """The block of a printed repeat (N,N,...) that wraps as the lattice does: one tile, or the few that a drop takes.

    The one place where prints know of repeats.
    """
    return repeat_cell(tile, repeat)  # type: ignore[arg-type, return-value]


def coverage(design: Design, side: int, first: int, last: int) -> F32:
    """Rows ``first`` to ``last`` of the inks (K,N,N) at ``side`` pixels: (K, last - first, side), summing to 1.

    Enlarged they are interpolated with what lies beyond the edges in the repeat and drawn together to crisp borders, as
    :func:`ml_backend.pipelines.generate.enlarge_softly` does for the screen; made smaller they are averaged.
    """
    inks, own = design.inks, design.inks.shape[1]
    if side == own:
        return inks[:, first:last]
    top, bottom = first * own / side, last * own / side
    rows = np.arange(math.floor(top) - _MARGIN, math.ceil(bottom) + _MARGIN)
    columns = np.arange(-_MARGIN, own + _MARGIN)
    around = _around(rows, columns, own, design.repeat)
    window = (float(_MARGIN), top - rows[0], float(_MARGIN + own), bottom - rows[0])
    method = Image.Resampling.BOX if side < own else Image.Resampling.BICUBIC
    planes = np.empty((len(inks), last - first, side), np.float32)
    for plane, out in zip(inks, planes, strict=True):
        source = Image.fromarray(plane[around])
        out[:] = np.asarray(source.resize((side, last - first), method, box=window), np.float32)
    if side > own:
        np.clip(planes, 1e-4, 1, out=planes)
        planes **= 1 + 0.5 * side / own
    planes /= planes.sum(axis=0)
    return planes


def _around(rows: Indices, columns: Indices, own: int, repeat: str) -> tuple[Indices, Indices]:
    """Where the pixels of these rows and columns of the laid cloth lie in a tile of ``own`` pixels a side."""
    laid_on = lattice_of(repeat)
    if laid_on.plain or laid_on.mirrored:
        across = columns % own
        if laid_on.mirrored:  # as it is laid: every other column of tiles is reflected
            across = np.where(columns // own % 2, own - 1 - across, across)
        return (rows % own)[:, None], across[None, :]
    x, y = laid_on.fold((columns[None, :] + 0.5) / own, (rows[:, None] + 0.5) / own)
    return np.minimum(y * own, own - 1).astype(np.intp), np.minimum(x * own, own - 1).astype(np.intp)


def painted(
    design: Design,
    side: int,
    *,
    woven_cm: float = 0.0,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> U8:
    """One printed repeat, RGB (side, side, 3); ``woven_cm`` is its side on the cloth if its threads are to be lit."""
    tile = np.empty((side, side, 3), np.uint8)
    for first in range(0, side, BAND):
        check(should_stop)
        last = min(first + BAND, side)
        tile[first:last] = compose(coverage(design, side, first, last), design.palette)
        if woven_cm:
            tile[first:last] = weave(tile[first:last], THREADS_PER_CM * woven_cm, first=first, height=side)
        tell(progress, last / side, "Painting the repeat")
    return tile


def laid(block: U8, width: int, height: int, band: int = BAND) -> Bands:
    """The wrapping block (H,W,...) laid over ``height`` rows of ``width``, in bands."""
    columns = np.arange(width) % block.shape[1]
    whole = width == block.shape[1]
    for first in range(0, height, band):
        rows = np.arange(first, min(first + band, height)) % block.shape[0]
        taken = block[rows]
        yield taken if whole else np.take(taken, columns, axis=1)


def bands_of(
    design: Design,
    request: PrintRequest,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Bands:
    """The picture that a request asks for, RGB, from top to bottom."""
    finer = design.at(request.repeat_px)
    tile = painted(
        finer,
        request.repeat_px,
        woven_cm=request.scale_cm if request.weave else 0.0,
        progress=progress,
        should_stop=should_stop,
    )
    del finer
    block = lattice(tile, request.repeat) if request.has_panel else tile
    del tile
    return laid(block, *request.size_px)


def watched(bands: Bands, height: int, progress: Progress | None, should_stop: ShouldStop | None, stage: str) -> Bands:
    """The same bands; between them progress is told and it may be stopped."""
    done = 0
    for band in bands:
        check(should_stop)
        yield band
        done += len(band)
        tell(progress, done / height, stage)


def part(progress: Progress | None, first: float, last: float) -> Progress | None:
    """``progress`` of a piece of the work that goes from ``first`` to ``last`` of the whole."""
    if progress is None:
        return None
    return lambda share, stage: progress(first + share * (last - first), stage)


def pasted(bands: Sequence[Any] | Bands) -> U8:
    """All bands together, for small pictures."""
    return np.concatenate(list(bands))
