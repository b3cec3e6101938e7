"""What is to be printed and how large: one request, planned in centimetres before a pixel is made.

A repeat is a whole number of pixels, the nearest to its size, so that every repeat on a panel is the same to the pixel
and the file of one repeat goes on repeating; that is off by half a pixel at most (0.04 mm at 300 dpi), by one
or one and a half where a drop divides it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput, quoted
from ..lattices import lattice_of
from ..requests import REPEATS, Number, OneOf, Request, Rule, Whole, ruled

CM_PER_INCH = 2.54
DPI = (150, 300)
KINDS = ("tile", "panel", "plates", "strike-off")
"""One repeat; a cut of cloth; one plate an ink of either; a sheet of the fabric in several scales and colourways."""
FORMATS = ("png", "tiff", "pdf", "svg")
SUFFIXES = {"png": "png", "tiff": "tif", "pdf": "pdf", "svg": "svg"}
INTENTS = ("relative", "perceptual")

MAX_REPEAT_PX = 8192
"""Pixels a side of one repeat: it is held in memory, and with it the few that make the block of its lattice."""
MAX_PIXELS = 420_000_000
"""Of one file: 2 m x 1.5 m at 300 dpi is as far as it goes."""
MAX_SIDE_CM = 400.0
MAX_COLOURWAYS = 6
MAX_SCALES = 4
SOFT = 0.5
"""Below this share of the printed pixels in real detail the eye sees it at arm's length."""


class Dpi(Whole):
    """One of :data:`DPI`."""

    def clean(self, value: Any) -> Any:
        if isinstance(value, bool) or value not in DPI:
            raise BadInput(f"Files are made at {' or '.join(map(str, DPI))} dpi, not {quoted(value)}.")
        return value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(DPI)}


class Scales(Rule):
    """Sizes of the repeat beside one another, in centimetres."""

    def clean(self, value: Any) -> Any:
        sizes = tuple(value)
        if len(sizes) > MAX_SCALES:
            raise BadInput(f"A strike-off sheet shows at most {MAX_SCALES} sizes of the repeat, not {len(sizes)}.")
        for size in sizes:
            SCALE.clean(size)
        return tuple(dict.fromkeys(float(size) for size in sizes))


TRAP = Number("trapping", "Millimetres by which lighter inks run on below darker.", 0.0, 2.0, 0.05)
SCALE = Number("size of the repeat", "Side of one tile, in centimetres.", 1.0, 200.0)


class YesNo(Rule):
    """True or false."""

    def clean(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise BadInput(f"The {self.what} is yes or no, not {quoted(value)}.")
        return value


@dataclass(frozen=True)
class PrintRequest(Request):
    """One print file of a fabric.

    A panel is ``width_cm`` by ``height_cm``, or ``across`` by ``down`` repeats; the other kinds are of one repeat, the
    plates also of a panel where its size is given.  Vectors (SVG) are traced and have no pixels; ``dpi`` then only says
    how finely.  A CMYK profile comes beside the request.
    """

    kind: str = ruled(
        OneOf("kind", "One repeat, a panel of many, a plate an ink, or a strike-off sheet.", KINDS), "tile"
    )
    format: str = ruled(OneOf("format", "Plates come as TIFFs in a zip, a strike-off sheet as PDF.", FORMATS), "tiff")
    repeat: str = ruled(OneOf("repeat", names=REPEATS), "basic")
    scale_cm: float = ruled(SCALE, 24.0)
    dpi: int = ruled(Dpi("resolution", "Pixels an inch.", min(DPI), max(DPI)), 300)
    width_cm: float | None = ruled(Number("width of the panel", "In centimetres.", 1.0, MAX_SIDE_CM), None)
    height_cm: float | None = ruled(Number("height of the panel", "In centimetres.", 1.0, MAX_SIDE_CM), None)
    across: int | None = ruled(Whole("number of repeats across", "In place of a width.", 1, 200), None)
    down: int | None = ruled(Whole("number of repeats down", "In place of a height.", 1, 200), None)
    trap_mm: float = ruled(TRAP, 0.0)
    weave: bool = ruled(
        YesNo("woven surface", "Light the threads of the cloth; not for cloth that is woven anyway."), False
    )
    scales: tuple[float, ...] = ruled(Scales(says="Of a strike-off sheet, in centimetres; none: around the size."), ())
    intent: str = ruled(OneOf("rendering intent", "How colours come into a CMYK profile.", INTENTS), "relative")

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (self.width_cm, self.height_cm)
        counts = (self.across, self.down)
        for pair in (sizes, counts):
            if (pair[0] is None) != (pair[1] is None):
                raise BadInput("Give both sides of the panel.")
        if sizes[0] is not None and counts[0] is not None:
            raise BadInput("Say the panel either in centimetres or in repeats, not in both.")
        if self.kind == "panel" and not self.has_panel:
            raise BadInput("Say how large the panel is: its width and height, or how many repeats across and down.")
        if self.kind in ("tile", "strike-off") and self.has_panel:
            raise BadInput(
                "Only a panel, or the plates of one, has a size of its own; one repeat is as large as it is."
            )
        if self.format == "svg" and self.weave:
            raise BadInput(
                "A woven surface is made of light on threads, which lines cannot draw; choose PNG, TIFF or PDF."
            )
        check_size(self)

    @property
    def has_panel(self) -> bool:
        return self.width_cm is not None or self.across is not None

    @property
    def repeat_px(self) -> int:
        """Side of one repeat in pixels; in a drop of halves or thirds such a part is whole pixels too."""
        parts = lattice_of(self.repeat).divisor
        return max(1, round(self.scale_cm / CM_PER_INCH * self.dpi / parts)) * parts

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the printed area; a panel in repeats holds them whole."""
        if self.across is not None and self.down is not None:
            return self.across * self.repeat_px, self.down * self.repeat_px
        if self.width_cm is not None and self.height_cm is not None:
            return pixels(self.width_cm, self.dpi), pixels(self.height_cm, self.dpi)
        return self.repeat_px, self.repeat_px

    @property
    def size_cm(self) -> tuple[float, float]:
        if self.across is not None and self.down is not None:
            return self.across * self.scale_cm, self.down * self.scale_cm
        if self.width_cm is not None and self.height_cm is not None:
            return self.width_cm, self.height_cm
        return self.scale_cm, self.scale_cm

    @property
    def sample_scales(self) -> tuple[float, ...]:
        """The sizes of the repeat that a strike-off sheet shows."""
        usual = (self.scale_cm * share for share in (0.5, 1.0, 1.5))
        return self.scales or tuple(round(min(max(size, SCALE.low), SCALE.high), 1) for size in usual)

    @property
    def suffix(self) -> str:
        """Of its file."""
        return {"plates": "zip", "strike-off": "pdf"}.get(self.kind, SUFFIXES[self.format])


def pixels(cm: float, dpi: int) -> int:
    """The whole number of pixels nearest to a length."""
    return max(1, round(cm / CM_PER_INCH * dpi))


def check_size(request: PrintRequest) -> None:
    """Raises :class:`BadInput` for what is larger than can be made."""
    side = request.repeat_px
    if side > MAX_REPEAT_PX:
        most = MAX_REPEAT_PX / request.dpi * CM_PER_INCH
        raise BadInput(
            f"A repeat of {request.scale_cm:g} cm has {side} pixels a side at {request.dpi} dpi; {most:.0f} cm is as "
            "large as it can be. Choose fewer dpi or a smaller repeat."
        )
    width, height = request.size_px
    if width * height > MAX_PIXELS and request.format != "svg":
        raise BadInput(
            f"That panel has {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} million can be made at once. "
            "Choose fewer dpi, or make it in two pieces."
        )


NO_CMYK = {
    "png": "A PNG has no CMYK; choose TIFF or PDF for the profile.",
    "svg": "An SVG has no CMYK; choose TIFF or PDF for the profile.",
}


def can_press(request: PrintRequest) -> None:
    """Raises :class:`BadInput` where what is asked for cannot be in CMYK."""
    if request.kind in ("plates", "strike-off"):
        raise BadInput(
            "A CMYK profile is for one repeat or a panel; plates are inks already, and a strike-off is in RGB."
        )
    if request.format in NO_CMYK:
        raise BadInput(NO_CMYK[request.format])


def title(name: str, request: PrintRequest) -> str:
    """What the file is called, without its ending: ``toile-floral-123-half-drop-24x24cm-300dpi``."""
    width, height = request.size_cm
    size = f"{_short(width)}x{_short(height)}cm"
    of_panel = f"{_short(request.scale_cm)}cm-panel-" if request.has_panel else ""
    apart = {"plates": "-plates", "strike-off": "-strike-off"}.get(request.kind, "")
    fine = "" if request.suffix == "svg" else f"-{request.dpi}dpi"
    return f"toile-{name}-{request.repeat}-{of_panel}{size}{fine}{apart}"


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def said(request: PrintRequest, inks: int = 0) -> str:
    """What will come out, in a sentence of words and pixels.  ``inks`` is how many there are, 0 where not known."""
    width, height = request.size_px
    across, down = (f"{_short(side)}" for side in request.size_cm)
    place = f"{across} × {down} cm at {request.dpi} dpi, {width} × {height} pixels"
    what = f"{_short(request.scale_cm)} cm {request.repeat} repeats"
    if request.kind == "strike-off":
        return f"A strike-off sheet: {what} in several scales and colourways, at {request.dpi} dpi, as PDF."
    if request.kind == "plates":
        several = f"{inks} plates" if inks else "One plate an ink"
        area = "a panel of " + what if request.has_panel else "one repeat"
        return f"{several} of {area}: {place} each and a margin for marks, grey TIFFs in a zip."
    form = {"png": "PNG", "tiff": "TIFF (LZW)", "pdf": "PDF of true size", "svg": "SVG of true size"}[request.format]
    if request.format == "svg":
        place = f"{across} × {down} cm, lines and no pixels"
    area = f"A panel of {what}" if request.has_panel else f"One repeat ({request.repeat})"
    return f"{area}: {place}, as {form}."


@dataclass(frozen=True)
class Detail:
    """How much is really there: ``pixels`` a side of the design, which the print shows at ``effective`` dpi."""

    pixels: int
    effective: float
    warning: str
    """A sentence where that is less than the file's dpi; else empty."""


def detail(request: PrintRequest, design_px: int) -> Detail:
    """How fine a print is whose design holds ``design_px`` pixels a side."""
    effective = design_px / (request.scale_cm / CM_PER_INCH)
    if request.format == "svg" and request.kind in ("tile", "panel"):
        return Detail(design_px, effective, "")
    if effective >= request.dpi - 0.5:
        return Detail(design_px, float(request.dpi), "")
    finest = request.scale_cm * 10 / design_px
    sharp = design_px / (SOFT * request.dpi) * CM_PER_INCH
    said = (
        f"Real detail: {effective:.0f} dpi. The design holds {design_px} pixels on {_short(request.scale_cm)} cm; the "
        f"file has {request.dpi} dpi with crisp borders between the inks, but nothing finer than {finest:.2g} mm."
    )
    if effective < SOFT * request.dpi:
        said += f" A repeat of {math.floor(sharp)} cm or smaller would look fine at this resolution."
    return Detail(design_px, effective, said)
