"""A tech pack: what a maker must know of a fabric, on A4 pages as an atelier would set them.

The pages: the cloth, its repeat with measures and a piece at true size, its colourways with codes, the garments that
wear it, and where it comes from.  Pictures come ready; nothing here paints but the drawing of the lattice.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import segno
from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

from ..colour import lab_of, name_of, rgb_of
from ..pipelines.base import Progress, ShouldStop, check, tell
from .painting import Design, laid, lattice, painted, pasted
from .plan import CM_PER_INCH, pixels
from .plates import ROLES

CM = 72 / CM_PER_INCH
WIDTH, HEIGHT = A4
EDGE = 1.8 * CM
INK, SOFT, FAINT, HAIR, MADDER = "#1d1a17", "#5d564d", "#857c70", "#c9c1b4", "#b8322e"
DPI = 200
SWATCH_CM = 8.0
"""Side of the piece at true size."""

DROPS = {
    "basic": "Every tile lies straight beside and below the one before.",
    "half-drop": "Every second column lies half a tile, {half} cm, lower.",
    "half-brick": "Every second row lies half a tile, {half} cm, to the side.",
    "mirror": "Every second column is reflected.",
}
"""How a repeat lies, in words; one that is not told here is named."""


@dataclass(frozen=True)
class Flat:
    """A garment wearing the fabric: what is below the picture, and the picture."""

    caption: str
    picture: Image.Image


@dataclass(frozen=True)
class Way:
    """A colourway by its name; ``shares`` is what each ink covers, 0 to 1."""

    name: str
    palette: tuple[str, ...]


@dataclass(frozen=True)
class Pack:
    """Everything that the pages tell; words are in Latin letters."""

    name: str
    line: str
    """What it is, in a few words: below the name."""
    repeat: str
    scale_cm: float
    ways: Sequence[Way]
    """The fabric's own first."""
    flats: Sequence[Flat]
    notes: str = ""
    recipe: Sequence[tuple[str, str]] = ()
    models: Sequence[tuple[str, str, str]] = ()
    """Model, what it does, licence."""
    warnings: Sequence[str] = ()
    address: str = ""
    """Where the item stands on the site; the code leads there."""
    date: str = ""
    subject: str = field(default="Tech pack")


def write_pack(
    path: Path, pack: Pack, design: Design, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> int:
    """The pages as one PDF; how many they are."""
    design = replace(design, repeat=pack.repeat)
    canvas = Canvas(str(path), A4, pageCompression=1, invariant=1)
    canvas.setTitle(f"{pack.subject}: {pack.name}")
    canvas.setProducer("Toile")
    pages: list[Callable[[Canvas, Pack, Design], None]] = [_cover, _repeat, _colours]
    pages += [_garments] if pack.flats else []
    pages += [_origin]
    for number, page in enumerate(pages, 1):
        check(should_stop)
        page(canvas, pack, design)
        _foot(canvas, pack, number, len(pages))
        canvas.showPage()
        tell(progress, number / len(pages), "Setting the pages")
    canvas.save()
    return len(pages)


# --- pages ---


def _cover(canvas: Canvas, pack: Pack, design: Design) -> None:
    shown = HEIGHT - 8.6 * CM
    cloth = _cloth(design, pack.repeat, pack.scale_cm, WIDTH / CM, shown / CM, 110)
    canvas.drawImage(_picture(cloth, 90), 0, HEIGHT - shown, WIDTH, shown)
    top = HEIGHT - shown
    step = WIDTH / len(design.palette)
    for number, colour in enumerate(design.palette):
        canvas.setFillColor(colour)
        canvas.rect(number * step, top - 0.5 * CM, step + 0.5, 0.5 * CM, stroke=0, fill=1)
    _type(canvas, "Helvetica", 8, SOFT)
    canvas.drawString(EDGE, top - 1.7 * CM, pack.subject.upper(), charSpace=1.6)
    _type(canvas, "Times-Roman", 34, INK)
    canvas.drawString(EDGE, top - 3.0 * CM, pack.name)
    _type(canvas, "Times-Italic", 13, SOFT)
    canvas.drawString(EDGE, top - 3.8 * CM, pack.line)
    _type(canvas, "Helvetica", 9, INK)
    told = f"{pack.repeat} repeat, {pack.scale_cm:g} x {pack.scale_cm:g} cm, {len(design.palette)} inks"
    canvas.drawString(EDGE, top - 4.9 * CM, told + (f", {len(pack.ways)} colourways" if len(pack.ways) > 1 else ""))
    _type(canvas, "Helvetica", 9, SOFT)
    canvas.drawString(EDGE, top - 5.45 * CM, pack.date)
    if pack.address:
        _code(canvas, pack.address, WIDTH - EDGE - 2.9 * CM, top - 4.9 * CM, 2.9 * CM)


def _repeat(canvas: Canvas, pack: Pack, design: Design) -> None:
    y = _title(canvas, "Repeat and scale", "How the cloth is laid, and a piece of it as large as it is printed.")
    side = 7.4 * CM
    tile = Image.fromarray(painted(design, pixels(side / CM, DPI)))
    x, bottom = EDGE + 0.9 * CM, y - side - 0.2 * CM
    canvas.drawImage(_picture(tile, 92), x, bottom, side, side)
    _measure(canvas, x, bottom - 0.45 * CM, x + side, bottom - 0.45 * CM, f"{pack.scale_cm:g} cm")
    _measure(canvas, x - 0.45 * CM, bottom, x - 0.45 * CM, bottom + side, f"{pack.scale_cm:g} cm")
    _caption(canvas, x, bottom - 1.25 * CM, "One tile", f"{_inches(pack.scale_cm)} x {_inches(pack.scale_cm)} in")
    right = WIDTH - EDGE - side
    canvas.drawImage(_picture(lattice_drawing(design, pack.repeat), 92), right, bottom, side, side)
    words = DROPS.get(pack.repeat, "As drawn above.").format(half=f"{pack.scale_cm / 2:g}")
    _caption(canvas, right, bottom - 1.25 * CM, pack.repeat.capitalize(), words)
    base = EDGE + 1.2 * CM
    swatch = _cloth(design, pack.repeat, pack.scale_cm, SWATCH_CM, SWATCH_CM, 300)
    canvas.drawImage(_picture(swatch, 92), EDGE, base, SWATCH_CM * CM, SWATCH_CM * CM)
    _caption(
        canvas,
        EDGE,
        base - 0.55 * CM,
        "True size",
        f"{SWATCH_CM:g} x {SWATCH_CM:g} cm of the cloth, if printed at 100 %",
    )
    _ruler(canvas, EDGE + SWATCH_CM * CM + 1.2 * CM, base, 8)
    x = EDGE + SWATCH_CM * CM + 3.2 * CM
    rows = [
        ("Tile", f"{pack.scale_cm:g} x {pack.scale_cm:g} cm"),
        ("Repeat", pack.repeat),
        ("Repeats a metre", f"{100 / pack.scale_cm:.2f}"),
        ("At 150 dpi", f"{pixels(pack.scale_cm, 150)} px a tile"),
        ("At 300 dpi", f"{pixels(pack.scale_cm, 300)} px a tile"),
        ("Inks", str(len(design.palette))),
    ]
    _table(canvas, x, base + SWATCH_CM * CM - 0.4 * CM, rows, 3.0 * CM)


def _colours(canvas: Canvas, pack: Pack, design: Design) -> None:
    y = _title(canvas, "Colourways", "Codes are sRGB and CIELAB (D65); the share is what an ink covers of the cloth.")
    shares = design.inks.mean(axis=(1, 2))
    row = min(5.6 * CM, (y - 2.2 * CM) / len(pack.ways))
    for way in pack.ways:
        dressed = replace(design, palette=way.palette)
        side = row - 0.8 * CM
        cloth = _cloth(dressed, pack.repeat, pack.scale_cm, pack.scale_cm * 1.5, pack.scale_cm * 1.5, 25)
        canvas.drawImage(_picture(cloth, 90), EDGE, y - side, side, side)
        x = EDGE + side + 0.8 * CM
        _type(canvas, "Times-Italic", 14, INK)
        canvas.drawString(x, y - 0.42 * CM, way.name)
        step = (WIDTH - EDGE - x) / len(way.palette)
        for number, colour in enumerate(way.palette):
            place = (x + number * step, y - 0.85 * CM, step - 0.25 * CM, min(side - 2.4 * CM, 1.9 * CM))
            _chip(canvas, place, colour, number, float(shares[number]))
        y -= row


def _chip(canvas: Canvas, place: tuple[float, float, float, float], colour: str, number: int, share: float) -> None:
    """An ink: ``place`` is left, top, width and height of its colour; its codes stand below."""
    x, y, wide, tall = place
    canvas.setFillColor(colour)
    canvas.setStrokeColor(HAIR)
    canvas.setLineWidth(0.4)
    canvas.rect(x, y - tall, wide, tall, stroke=1, fill=1)
    light, a, b = lab_of(colour)
    _type(canvas, "Helvetica-Bold", 7, INK)
    canvas.drawString(x, y - tall - 0.36 * CM, ROLES[number] if number < len(ROLES) else f"ink {number + 1}")
    _type(canvas, "Helvetica", 6.6, SOFT)
    told = (colour, name_of(rgb_of(colour)), f"L {light:.0f} a {a:.0f} b {b:.0f}", f"{share:.0%}")
    for line, text in enumerate(told):
        canvas.drawString(x, y - tall - (0.72 + 0.32 * line) * CM, text)


def _garments(canvas: Canvas, pack: Pack, design: Design) -> None:
    del design
    y = _title(canvas, "Worn", f"The repeat at {pack.scale_cm:g} cm, to the scale of the garments.")
    count = len(pack.flats)
    columns = 1 if count == 1 else 2 if count <= 4 else 3
    rows = -(-count // columns)
    notes = simpleSplit(pack.notes, "Times-Roman", 10.5, WIDTH - 2 * EDGE) if pack.notes else []
    kept = min(len(notes), 22) * 0.5 * CM + 1.6 * CM if notes else 0
    wide = (WIDTH - 2 * EDGE - (columns - 1) * 0.8 * CM) / columns
    tall = (y - 2.2 * CM - kept) / rows - 1.0 * CM
    for number, flat in enumerate(pack.flats):
        row, column = divmod(number, columns)
        scale = min(wide / flat.picture.width, tall / flat.picture.height)
        width, height = flat.picture.width * scale, flat.picture.height * scale
        x = EDGE + column * (wide + 0.8 * CM) + (wide - width) / 2
        top = y - row * (tall + 1.0 * CM)
        canvas.drawImage(_picture(flat.picture, 90), x, top - height, width, height)
        _type(canvas, "Helvetica", 8, SOFT)
        canvas.drawCentredString(x + width / 2, top - height - 0.45 * CM, flat.caption)
    if notes:
        top = 2.0 * CM + kept
        _type(canvas, "Helvetica", 7.5, MADDER)
        canvas.drawString(EDGE, top, "NOTES", charSpace=1.4)
        _type(canvas, "Times-Roman", 10.5, INK)
        for line, text in enumerate(notes[:22]):
            canvas.drawString(EDGE, top - (0.65 + 0.5 * line) * CM, text)


def _origin(canvas: Canvas, pack: Pack, design: Design) -> None:
    del design
    y = _title(canvas, "Origin and licence", "What makes this fabric again, and what may be done with it.")
    y = _table(canvas, EDGE, y - 0.3 * CM, pack.recipe, 3.4 * CM, WIDTH - 2 * EDGE)
    if not pack.flats and pack.notes:
        y = _table(canvas, EDGE, y - 0.6 * CM, [("Notes", pack.notes)], 3.4 * CM, WIDTH - 2 * EDGE)
    y -= 1.2 * CM
    _type(canvas, "Helvetica", 7.5, MADDER)
    canvas.drawString(EDGE, y, "LICENCE PASSPORT", charSpace=1.4)
    models = [(model, f"{does}: {licence}" if does else licence) for model, does, licence in pack.models]
    none = [("No model", "No trained model took part.")]
    y = _table(canvas, EDGE, y - 0.7 * CM, models or none, 6.2 * CM, WIDTH - 2 * EDGE)
    for warning in pack.warnings:
        _type(canvas, "Helvetica-Bold", 8.5, MADDER)
        for text in simpleSplit(warning, "Helvetica-Bold", 8.5, WIDTH - 2 * EDGE):
            y -= 0.5 * CM
            canvas.drawString(EDGE, y, text)
    if pack.address:
        _code(canvas, pack.address, EDGE, 2.6 * CM, 3.4 * CM)
        _type(canvas, "Helvetica", 8, SOFT)
        canvas.drawString(EDGE + 4.0 * CM, 4.3 * CM, "This fabric on the site")
        _type(canvas, "Helvetica", 8, INK)
        canvas.drawString(EDGE + 4.0 * CM, 3.8 * CM, pack.address)
        canvas.linkURL(pack.address, (EDGE, 2.6 * CM, WIDTH - EDGE, 6.0 * CM))


# --- pieces ---


def lattice_drawing(design: Design, repeat: str, side: int = 840) -> Image.Image:
    """Three by three repeats, pale, the borders of the tiles drawn in; laid as prints are."""
    tile = side // 3
    pale = 255 - (255 - painted(design, tile).astype(np.float32)) * 0.45
    framed = Image.fromarray(pale.astype(np.uint8))
    ImageDraw.Draw(framed).rectangle((0, 0, tile - 1, tile - 1), outline=MADDER, width=2)
    return Image.fromarray(pasted(laid(lattice(np.asarray(framed), repeat), side, side)))


def _cloth(design: Design, repeat: str, scale_cm: float, width_cm: float, height_cm: float, dpi: int) -> Image.Image:
    tile = painted(design, max(8, pixels(scale_cm, dpi)))
    return Image.fromarray(pasted(laid(lattice(tile, repeat), pixels(width_cm, dpi), pixels(height_cm, dpi))))


def _picture(picture: Image.Image, quality: int) -> ImageReader:
    target = io.BytesIO()
    picture.convert("RGB").save(target, "JPEG", quality=quality, subsampling=0)
    target.seek(0)
    return ImageReader(target)


def _type(canvas: Canvas, font: str, size: float, colour: str) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(colour)


def _title(canvas: Canvas, title: str, lede: str) -> float:
    """The head of a page; where its content may begin."""
    y = HEIGHT - EDGE - 0.9 * CM
    _type(canvas, "Times-Roman", 22, INK)
    canvas.drawString(EDGE, y, title)
    _type(canvas, "Times-Italic", 10.5, SOFT)
    canvas.drawString(EDGE, y - 0.65 * CM, lede)
    _rule(canvas, y - 1.0 * CM)
    return float(y - 1.7 * CM)


def _foot(canvas: Canvas, pack: Pack, number: int, count: int) -> None:
    _type(canvas, "Helvetica", 7, FAINT)
    canvas.drawString(EDGE, 1.1 * CM, f"Toile   {pack.name}")
    canvas.drawRightString(WIDTH - EDGE, 1.1 * CM, f"{number} / {count}")


def _rule(canvas: Canvas, y: float) -> None:
    canvas.setStrokeColor(HAIR)
    canvas.setLineWidth(0.5)
    canvas.line(EDGE, y, WIDTH - EDGE, y)


def _caption(canvas: Canvas, x: float, y: float, head: str, text: str) -> None:
    _type(canvas, "Helvetica-Bold", 8, INK)
    canvas.drawString(x, y, head)
    _type(canvas, "Helvetica", 8, SOFT)
    for line, part in enumerate(simpleSplit(text, "Helvetica", 8, 8 * CM)):
        canvas.drawString(x, y - (0.42 + 0.4 * line) * CM, part)


def _measure(canvas: Canvas, x: float, y: float, x2: float, y2: float, text: str) -> None:
    """A measured length: a line with ticks, its words in the middle."""
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(0.6)
    canvas.line(x, y, x2, y2)
    upright = x == x2
    for at in ((x, y), (x2, y2)):
        tick = (at[0] - 3, at[1], at[0] + 3, at[1]) if upright else (at[0], at[1] - 3, at[0], at[1] + 3)
        canvas.line(*tick)
    canvas.saveState()
    canvas.translate((x + x2) / 2, (y + y2) / 2)
    if upright:
        canvas.rotate(90)
    wide = canvas.stringWidth(text, "Helvetica", 8.5) + 8
    canvas.setFillColor("#ffffff")
    canvas.rect(-wide / 2, -5, wide, 10, stroke=0, fill=1)
    _type(canvas, "Helvetica", 8.5, INK)
    canvas.drawCentredString(0, -3, text)
    canvas.restoreState()


def _ruler(canvas: Canvas, x: float, y: float, length: int) -> None:
    """An upright ruler of so many centimetres at true size, from the bottom up."""
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(0.5)
    canvas.line(x, y, x, y + length * CM)
    for tenth in range(length * 10 + 1):
        reach = 8 if tenth % 10 == 0 else 5 if tenth % 5 == 0 else 3
        canvas.line(x, y + tenth * CM / 10, x + reach, y + tenth * CM / 10)
    _type(canvas, "Helvetica", 6.5, SOFT)
    for whole in range(length + 1):
        canvas.drawString(x + 11, y + whole * CM - 2, f"{whole}" if whole else "0 cm")


def _table(
    canvas: Canvas, x: float, y: float, rows: Sequence[tuple[str, str]], first: float, wide: float = 8 * CM
) -> float:
    """Rows of a word and what it is; where they end."""
    for head, text in rows:
        _type(canvas, "Helvetica", 8.5, SOFT)
        heads = simpleSplit(head, "Helvetica", 8.5, first - 6)
        for line, part in enumerate(heads):
            canvas.drawString(x, y - 0.42 * line * CM, part)
        _type(canvas, "Helvetica", 8.5, INK)
        lines = simpleSplit(text, "Helvetica", 8.5, wide - first)
        for line, part in enumerate(lines):
            canvas.drawString(x + first, y - 0.42 * line * CM, part)
        y -= (0.42 * max(len(lines), len(heads), 1) + 0.16) * CM
    return y


def _code(canvas: Canvas, address: str, x: float, y: float, side: float) -> None:
    """The QR code of an address, as squares."""
    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    step = side / len(rows)
    canvas.setFillColor(INK)
    for line, row in enumerate(rows):
        for column, dark in enumerate(row):
            if dark:
                canvas.rect(x + column * step, y + side - (line + 1) * step, step + 0.05, step + 0.05, stroke=0, fill=1)


def _inches(cm: float) -> str:
    return f"{cm / CM_PER_INCH:.2f}".rstrip("0").rstrip(".")
