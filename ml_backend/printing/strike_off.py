"""A strike-off sheet: the fabric in several scales and colourways, true to size, to be printed on the cloth first.

Rows are sizes of the repeat, columns colourways; each field is a piece of the laid fabric, not a shrunken repeat.  The
fields are pictures at the asked resolution, words and rules are type and lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ..colour import lab_of
from ..pipelines.base import Progress, ShouldStop, check, tell
from .painting import Design, laid, lattice, painted, pasted
from .plan import PrintRequest, pixels

FIELD_CM = 12.0
"""Side of a field of cloth."""
GAP_CM = 0.8
EDGE_CM = 1.5
HEAD_CM = 3.0
CM = 72 / 2.54


@dataclass(frozen=True)
class Colourway:
    """A name and its colours in ink order."""

    name: str
    palette: tuple[str, ...]


def write_strike_off(
    path: Path,
    design: Design,
    request: PrintRequest,
    colourways: Sequence[Colourway],
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Mapping[str, Any]:
    """The sheet as PDF; its size is what the fields need.  Says how large it is, in centimetres."""
    ways = list(colourways) or [Colourway("as designed", design.palette)]
    sizes = request.sample_scales
    width = 2 * EDGE_CM + len(ways) * FIELD_CM + (len(ways) - 1) * GAP_CM
    row = FIELD_CM + 1.1
    height = HEAD_CM + EDGE_CM + len(sizes) * row + 2.2
    canvas = Canvas(str(path), (width * CM, height * CM), pageCompression=1, invariant=1)
    canvas.setTitle(f"Strike-off {design.name}")
    canvas.setProducer("Toile")
    _head(canvas, design, request, height)
    for column, way in enumerate(ways):
        _colours(canvas, way, EDGE_CM + column * (FIELD_CM + GAP_CM), height - HEAD_CM - 1.3)
    top = height - HEAD_CM - 1.9
    for number, scale in enumerate(sizes):
        for column, way in enumerate(ways):
            check(should_stop)
            field = cloth(replace(design, palette=way.palette), replace(request, scale_cm=scale), FIELD_CM, FIELD_CM)
            x, y = EDGE_CM + column * (FIELD_CM + GAP_CM), top - number * row - FIELD_CM
            canvas.drawImage(_exactly(field), x * CM, y * CM, FIELD_CM * CM, FIELD_CM * CM)
            canvas.setFont("Helvetica", 7.5)
            canvas.setFillGray(0.25)
            canvas.drawString(x * CM, (y - 0.4) * CM, f"{request.repeat}, repeat {scale:g} cm")
            canvas.drawRightString((x + FIELD_CM) * CM, (y - 0.4) * CM, way.name)
            done = number * len(ways) + column + 1
            tell(progress, done / (len(sizes) * len(ways)), "Printing the fields")
    canvas.save()
    return {"width_cm": round(width, 1), "height_cm": round(height, 1), "fields": len(sizes) * len(ways)}


def cloth(design: Design, request: PrintRequest, width_cm: float, height_cm: float) -> Image.Image:
    """A piece of the laid fabric at the request's repeat, size and dpi."""
    side = request.repeat_px
    tile = painted(design.at(side), side, woven_cm=request.scale_cm if request.weave else 0.0)
    size = (pixels(width_cm, request.dpi), pixels(height_cm, request.dpi))
    return Image.fromarray(pasted(laid(lattice(tile, request.repeat), *size)))


def _exactly(picture: Image.Image) -> ImageReader:
    """For a page of reportlab, which packs it without loss."""
    target = BytesIO()
    picture.save(target, "PNG", compress_level=1)
    target.seek(0)
    return ImageReader(target)


def _head(canvas: Canvas, design: Design, request: PrintRequest, height: float) -> None:
    canvas.setFillGray(0.1)
    canvas.setFont("Times-Roman", 22)
    canvas.drawString(EDGE_CM * CM, (height - EDGE_CM - 0.7) * CM, f"Strike-off: {design.name.replace('-', ' ')}")
    canvas.setFont("Helvetica", 8.5)
    canvas.setFillGray(0.35)
    told = f"{request.repeat} repeat, fields of {FIELD_CM:g} x {FIELD_CM:g} cm true to size, {request.dpi} dpi, sRGB"
    canvas.drawString(EDGE_CM * CM, (height - EDGE_CM - 1.3) * CM, told)


def _colours(canvas: Canvas, way: Colourway, x: float, y: float) -> None:
    """The colourway's name, and each ink as a chip with its code."""
    canvas.setFillGray(0.1)
    canvas.setFont("Times-Italic", 11)
    canvas.drawString(x * CM, (y + 0.85) * CM, way.name)
    step = FIELD_CM / max(len(way.palette), 1)
    for number, colour in enumerate(way.palette):
        canvas.setFillColor(colour)
        canvas.rect((x + number * step) * CM, (y + 0.2) * CM, (step - 0.15) * CM, 0.45 * CM, stroke=0, fill=1)
        canvas.setFillGray(0.35)
        canvas.setFont("Helvetica", 5.5)
        light, a, b = lab_of(colour)
        canvas.drawString((x + number * step) * CM, (y - 0.05) * CM, f"{colour}  L {light:.0f} a {a:.0f} b {b:.0f}")
