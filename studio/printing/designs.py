"""A stored fabric as something to print."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ml_backend.printing.painting import Design
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
    return Design(cutting.stored_inks(pattern), tuple(pattern.palette), name_of(pattern))


def to_print(pattern: Pattern) -> Design:
    """Drawn as finely as it is printed where the renderer made it; else from its inks.

    A renderer that was changed since would draw another fabric than the one that the person chose: then the inks that
    are kept are printed.
    """
    kept = stored(pattern)
    if pattern.engine != "drawn":
        return kept
    with loading.alone():
        from ml_backend.pipelines.generate import draw

    def again(side: int) -> NDArray[np.float32]:
        request: GenerateRequest = dataclasses.replace(pattern.request, size=side)
        return draw(request)

    drawn = again(kept.inks.shape[1])
    if drawn.shape != kept.inks.shape or float(np.abs(drawn - kept.inks).mean()) > SAME:
        return kept
    return dataclasses.replace(kept, redraw=again, most=MAX_SIZE)
