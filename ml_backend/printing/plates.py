"""Separations: one grey plate an ink, with trapping, registration marks and the ink's name.

Coverage is printed dark on light, as films are: black is full ink.  Without trapping the plates knock each other out,
``sum_k plate_k * colour_k`` is the design.  With trapping inks are printed over one another, the lightest first: where
a darker ink covers everything, the lighter ones around run on below it for the asked width, so that a screen that sits
a little beside its place shows no paper.  What the darker ink leaves open is divided among the lighter ones,
so :func:`recombined` gives the design again either way.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..colour import LUMINANCE, name_of, rgb_of, to_linear
from ..images import encoded
from ..pipelines.base import Progress, ShouldStop, check, tell
from . import painting, writers
from .painting import BAND, Bands, Design, coverage, laid, lattice
from .plan import CM_PER_INCH, PrintRequest

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

ROLES = ("ground", "main", "second", "third", "accent", "extra")
MARGIN_CM = 1.2
"""Paper around the printed area, where the marks and the name are."""
MARK_CM = 0.8
COVERED = 4
"""Of 255: where darker inks leave less open than this, a lighter one below them is not seen (1.6 % at most)."""
PROOF_SIDE = 1024


@dataclass(frozen=True)
class Plate:
    """One ink: ``number`` from 1 in the order of printing, its role and colour, how much of the cloth it covers."""

    number: int
    ink: int
    name: str
    colour: str
    called: str
    coverage: float
    """Per cent of the design, without what trapping adds."""
    file: str


def screens(
    design: Design,
    side: int,
    repeat: str,
    spread: int = 0,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
    covered: int = COVERED,
) -> list[U8]:
    """The wrapping block of each ink's plate, uint8, 255 full ink; in the order of the inks.

    ``spread`` is the trapping in pixels: below darker inks that leave less than ``covered`` of 255 open.
    """
    planes = np.empty((len(design.inks), side, side), np.uint8)
    for first in range(0, side, BAND):
        check(should_stop)
        last = min(first + BAND, side)
        band = coverage(design, side, first, last)
        planes[:, first:last] = np.rint(band * 255)
        tell(progress, last / side, "Separating the inks")
    if not spread:
        return [lattice(plane, repeat) for plane in planes]
    return _trapped(planes, from_dark(design.palette), repeat, spread, covered, should_stop)


def _trapped(
    planes: U8, order: Sequence[int], repeat: str, spread: int, covered: int, should_stop: ShouldStop | None
) -> list[U8]:
    done: dict[int, U8] = {}
    darker = np.zeros(lattice(planes[0], repeat).shape, np.uint16)
    for ink in order:
        check(should_stop)
        own = lattice(planes[ink], repeat)
        left = np.maximum(255 - darker.astype(np.int16), 0).astype(np.uint16)
        share = np.minimum(own.astype(np.uint32) * 255 // np.maximum(left, 1), 255).astype(np.uint8)
        share[left < covered] = 0
        done[ink] = np.where(left < covered, spread_by(share, spread), share)
        darker += own
    return [done[ink] for ink in range(len(planes))]


def spread_by(plane: U8, pixels: int) -> U8:
    """Grown by so many pixels around the edges; a cross and a square in turn, which grows octagons."""
    grown = plane.copy()
    for step in range(pixels):
        rows = np.maximum(np.maximum(np.roll(grown, 1, 0), np.roll(grown, -1, 0)), grown)
        from_rows = rows if step % 2 else grown
        sides = np.maximum(np.roll(from_rows, 1, 1), np.roll(from_rows, -1, 1))
        grown = np.maximum(rows, sides)
    return grown


def from_dark(palette: Sequence[str]) -> list[int]:
    """The inks from the darkest to the lightest."""
    return sorted(range(len(palette)), key=lambda ink: (_light(palette[ink]), ink))


def _light(colour: str) -> float:
    return float(to_linear(np.array(rgb_of(colour), np.uint8)) @ np.array(LUMINANCE))


def recombined(plates: Sequence[U8], palette: Sequence[str], trapped: bool) -> U8:
    """What the plates print, RGB: ``plates`` uint8 (H,W) in the order of the inks, 255 full ink; on white paper."""
    out = np.full((*plates[0].shape, 3), 255, np.float32)
    shares = [plate.astype(np.float32)[..., None] / 255 for plate in plates]
    colours = [np.array(rgb_of(colour), np.float32) for colour in palette]
    if not trapped:
        open_ = 1 - np.clip(np.sum(shares, axis=0), 0, 1)
        out = out * open_ + sum(share * colour for share, colour in zip(shares, colours, strict=True))
    else:
        for ink in reversed(from_dark(palette)):
            out = out * (1 - shares[ink]) + colours[ink] * shares[ink]
    whole: U8 = np.clip(np.rint(out), 0, 255).astype(np.uint8)
    return whole


def trap_px(request: PrintRequest) -> int:
    """Trapping in whole pixels; a width that was asked for is one at least."""
    wanted = request.trap_mm / 10 / CM_PER_INCH * request.dpi
    return max(1, round(wanted)) if request.trap_mm else 0


def plates_of(design: Design) -> list[Plate]:
    """The plates in the order of printing, lightest first."""
    order = list(reversed(from_dark(design.palette)))
    shares = design.inks.mean(axis=(1, 2))
    made = []
    for number, ink in enumerate(order, 1):
        colour = design.palette[ink]
        role = ROLES[ink] if ink < len(ROLES) else f"ink-{ink + 1}"
        file = f"{number:02}-{role}-{colour[1:]}.tif"
        made.append(Plate(number, ink, role, colour, name_of(rgb_of(colour)), round(float(shares[ink]) * 100, 1), file))
    return made


def write_plates(
    path: Path,
    design: Design,
    request: PrintRequest,
    recipe: Mapping[str, Any],
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> list[Plate]:
    """A zip of the plates as TIFFs, a proof of them all (PNG) and what they are (JSON)."""
    plates = plates_of(design)
    width, height = request.size_px
    finer = design.at(request.repeat_px)
    spread = trap_px(request)
    blocks = screens(finer, request.repeat_px, request.repeat, spread, painting.part(progress, 0, 0.3), should_stop)
    with TemporaryDirectory(dir=path.parent) as folder, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for plate in plates:
            file = Path(folder) / plate.file
            done = (plate.number - 1) / len(plates)
            step = painting.part(progress, 0.3 + 0.65 * done, 0.3 + 0.65 * (done + 1 / len(plates)))
            sheet = _sheet(plate, len(plates), request, design.name, recipe)
            bands = framed(laid(blocks[plate.ink], width, height), (width, height), margin_px(request), sheet)
            stage = f"Plate {plate.number} of {len(plates)}"
            writers.write_file(file, "tiff", sheet, painting.watched(bands, sheet.height, step, should_stop, stage))
            archive.write(file, plate.file)
            file.unlink()
        tell(progress, 0.97, "Proofing the plates")
        archive.writestr("proof.png", _proof(blocks, design.palette, bool(spread)))
        archive.writestr("plates.json", json.dumps(_told(plates, request, spread, recipe), indent=1))
    return plates


def _told(plates: Sequence[Plate], request: PrintRequest, spread: int, recipe: Mapping[str, Any]) -> dict[str, Any]:
    how = "over one another, in this order" if spread else "beside one another; the sum of the plates is the design"
    return {
        "plates": [asdict(plate) for plate in plates],
        "printed": how,
        "black": "full ink",
        "margin_px": margin_px(request),
        "trap_px": spread,
        "request": request.to_dict(),
        "recipe": dict(recipe),
    }


def _proof(blocks: Sequence[U8], palette: Sequence[str], trapped: bool) -> bytes:
    """The block recombined, at a size to look at."""
    step = max(1, blocks[0].shape[0] // PROOF_SIDE)
    seen = recombined([block[::step, ::step] for block in blocks], palette, trapped)
    return encoded(Image.fromarray(seen), format="PNG")


def margin_px(request: PrintRequest) -> int:
    return round(MARGIN_CM / CM_PER_INCH * request.dpi)


def _sheet(plate: Plate, count: int, request: PrintRequest, name: str, recipe: Mapping[str, Any]) -> writers.Sheet:
    width, height = (side + 2 * margin_px(request) for side in request.size_px)
    told = (
        f"{name}, plate {plate.number} of {count}: {plate.name} {plate.colour} ({plate.called}), {plate.coverage:g} %",
        f"{request.repeat} {request.scale_cm:g} cm, {request.dpi} dpi, trap {request.trap_mm:g} mm",
    )
    about = {**recipe, "plate": asdict(plate)}
    return writers.Sheet(width, height, request.dpi, "L", None, about, "\n".join(told))


def framed(bands: Bands, size: tuple[int, int], margin: int, sheet: writers.Sheet) -> Bands:
    """The plate with its margins: black is ink, marks in the corners and at the middle of each side."""
    width, height = size
    dpi = sheet.dpi
    yield _edge(width, margin, dpi, sheet.title)
    sides = Image.new("L", (2 * margin, height), 255)
    draw = ImageDraw.Draw(sides)
    for x in (margin // 2, margin + margin // 2):
        _mark(draw, x, height // 2, dpi)
    beside = np.asarray(sides)
    done = 0
    for band in bands:
        rows = slice(done, done + len(band))
        yield np.concatenate([beside[rows, :margin], 255 - band, beside[rows, margin:]], axis=1)
        done += len(band)
    yield _edge(width, margin, dpi, "")


def _edge(width: int, margin: int, dpi: int, told: str) -> U8:
    """The paper above or below the plate."""
    paper = Image.new("L", (width + 2 * margin, margin), 255)
    draw = ImageDraw.Draw(paper)
    for x in (margin // 2, margin + width // 2, margin + width + margin // 2):
        _mark(draw, x, margin // 2, dpi)
    if told:
        room = width // 2 - margin
        size = max(8, round(0.28 / CM_PER_INCH * dpi))
        while size > 8 and draw.multiline_textbbox((0, 0), told, ImageFont.load_default(size))[2] > room:
            size -= 1
        draw.multiline_text((margin + margin // 8, margin // 2), told, 0, ImageFont.load_default(size), anchor="lm")
    return np.asarray(paper)


def _mark(draw: ImageDraw.ImageDraw, x: int, y: int, dpi: int) -> None:
    """A circle and a cross, 8 mm, lines of a quarter of a millimetre."""
    reach, line = round(MARK_CM / 2 / CM_PER_INCH * dpi), max(1, round(0.025 / CM_PER_INCH * dpi))
    ring = reach * 5 // 8
    draw.ellipse((x - ring, y - ring, x + ring, y + ring), outline=0, width=line)
    draw.line((x - reach, y, x + reach, y), 0, line)
    draw.line((x, y - reach, x, y + reach), 0, line)
