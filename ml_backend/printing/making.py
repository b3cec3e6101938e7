"""``make`` writes what a request asks for; everything else of this room is a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..pipelines.base import Progress, ShouldStop, check, tell
from . import painting
from .painting import Design
from .plan import PrintRequest, can_press, detail, title
from .plates import write_plates
from .press import Press, Proof, proof_of
from .strike_off import Colourway, write_strike_off
from .vectors import svg
from .writers import Sheet, srgb, write_file

PROOF_PX = 1024
"""Side of the repeat at which colours are proofed."""


def make(
    design: Design,
    request: PrintRequest,
    path: Path,
    recipe: Mapping[str, Any],
    *,
    profile: bytes | None = None,
    colourways: Sequence[Colourway] = (),
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> dict[str, Any]:
    """Writes the file and says what is in it: pixels, centimetres, real detail, and of plates or a proof their figures.

    ``recipe`` is the fabric's; that of the print is added to it.  Raises :class:`BadInput` and ``Stopped``; no file is
    left then.
    """
    if profile is not None:
        can_press(request)
    check(should_stop)
    design = replace(design, repeat=request.repeat)
    told = {**recipe, "print": request.to_dict()}
    try:
        found = _written(design, request, path, told, profile, colourways, progress, should_stop)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    held = detail(request, design.holds(request.repeat_px))
    width, height = request.size_px
    across, down = request.size_cm
    facts = {"width": width, "height": height, "width_cm": across, "height_cm": down, "dpi": request.dpi}
    tell(progress, 1.0, "Done")
    return {**facts, "effective_dpi": round(held.effective), "warning": held.warning, **found}


def _written(
    design: Design,
    request: PrintRequest,
    path: Path,
    recipe: Mapping[str, Any],
    profile: bytes | None,
    colourways: Sequence[Colourway],
    progress: Progress | None,
    should_stop: ShouldStop | None,
) -> dict[str, Any]:
    if request.kind == "strike-off":
        return dict(write_strike_off(path, design, request, colourways, progress, should_stop))
    if request.kind == "plates":
        plates = write_plates(path, design, request, recipe, progress, should_stop)
        return {"plates": [asdict(plate) for plate in plates]}
    if request.format == "svg":
        path.write_text(svg(design, request, recipe), encoding="utf-8")
        return {}
    press = None if profile is None else Press(profile, request.intent)
    width, height = request.size_px
    mode, icc = ("RGB", srgb()) if profile is None else ("CMYK", profile)
    sheet = Sheet(width, height, request.dpi, mode, icc, recipe, title(design.name, request))
    rows = painting.bands_of(design, request, painting.part(progress, 0, 0.25), should_stop)
    rows = painting.watched(rows, height, painting.part(progress, 0.25, 0.98), should_stop, "Writing the file")
    write_file(path, request.format, sheet, rows, press)
    return {} if press is None else _proofed(proof(design, press))


def proof(design: Design, press: Press) -> Proof:
    """How the fabric prints, looked at on one repeat."""
    side = min(PROOF_PX, max(design.inks.shape[1], 64))
    return proof_of(press, painting.painted(design, side), design.palette)


def _proofed(found: Proof) -> dict[str, Any]:
    return {"out_of_gamut": round(found.share, 4), "gamut": found.warning}


def small(design: Design, request: PrintRequest, side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """What comes out, seen small: RGB, its longer side ``side`` pixels, at most four repeats across."""
    across, down = request.size_cm
    reach = min(max(across, down), 4 * request.scale_cm)
    tile = max(8, round(side * request.scale_cm / reach))
    seen = painting.painted(replace(design, repeat=request.repeat), tile)
    block = painting.lattice(seen, request.repeat) if request.has_panel else seen
    width = round(side * min(across / max(across, down), 1))
    height = round(side * min(down / max(across, down), 1))
    return painting.pasted(painting.laid(block, max(width, 8), max(height, 8)))
