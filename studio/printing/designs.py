"""A stored fabric as something to print."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ml_backend.lattices import lattice_of
from ml_backend.printing.painting import Design
from ml_backend.repair import repair
from ml_backend.requests import GenerateRequest
from ml_backend.serving import loading
from ml_backend.swatches import MAX_SIZE
from patterns import cutting
from patterns.models import Pattern

from .services import name_of

SAME = 0.02
"""Mean difference of coverage up to which a fabric that is drawn again is the one that is kept."""


def stored(pattern: Pattern) -> Design:
    """From its inks as they are kept; for a look at it in a page."""
    return Design(cutting.stored_inks(pattern), tuple(pattern.palette), name_of(pattern), repeat=pattern.repeat)


def to_print(pattern: Pattern, repeat: str) -> Design:
    """As it lies in ``repeat``, drawn as finely as it is printed where the renderer made it; else from its inks.

    A renderer that was changed since would draw another fabric than the one that the person chose: then the inks that
    are kept are printed.  In another repeat than its own it is drawn for that, or its seams are mended: no motif is
    cut.
    """
    kept = stored(pattern)
    other = repeat != pattern.repeat
    if pattern.engine == "drawn" and not pattern.mended and _draws_it(pattern, kept):

        def again(side: int) -> NDArray[np.float32]:
            return _drawn(pattern, side, repeat)

        inks = again(kept.inks.shape[1]) if other else kept.inks
        return dataclasses.replace(kept, inks=inks, redraw=again, most=MAX_SIZE, repeat=repeat)
    inks = repair(kept.inks, lattice_of(repeat)) if other else kept.inks
    return dataclasses.replace(kept, inks=inks, repeat=repeat)


def _draws_it(pattern: Pattern, kept: Design) -> bool:
    drawn = _drawn(pattern, kept.inks.shape[1], pattern.repeat)
    return drawn.shape == kept.inks.shape and float(np.abs(drawn - kept.inks).mean()) <= SAME


def _drawn(pattern: Pattern, side: int, repeat: str) -> NDArray[np.float32]:
    with loading.alone():
        from ml_backend.pipelines.generate import draw
    request: GenerateRequest = dataclasses.replace(pattern.request, size=side, repeat=repeat)
    return draw(request)
