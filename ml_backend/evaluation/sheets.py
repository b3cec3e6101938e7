"""Contact sheets: many fabrics on one page, because the eye is the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ..images import save_picture
from .neighbours import Neighbour

CELL = 208
"""Side of a fabric on a contact sheet, in pixels."""
GAP = 8
LABEL = 108
"""Width of the column that names the types."""
CAPTION = 18
INK, PAPER = "#26241f", "#ffffff"
QUALITIES = (80, 70, 60, 50)
"""Of sheets written as WebP or JPEG, tried until the file is small: they are looked at, not measured."""
SMALL = 390_000
"""Bytes that a sheet on a page should not pass."""


def contact_sheet(fabrics: Mapping[str, Sequence[Image.Image]], cell: int = CELL) -> Image.Image:
    """A row for each pattern type, a column for each fabric, every tile laid two by two and reduced to ``cell`` px."""
    columns = max(len(images) for images in fabrics.values())
    sheet = _page(len(fabrics), cell, columns, cell)
    for row, (name, images) in enumerate(fabrics.items()):
        top = GAP + row * (cell + GAP)
        _write(sheet, name, GAP, top + cell // 2)
        for column, image in enumerate(images):
            sheet.paste(two_by_two(image).resize((cell, cell), Image.Resampling.LANCZOS), _corner(column, cell, top))
    return sheet


def neighbour_sheet(found: Sequence[Neighbour]) -> Image.Image:
    """A row for each type: fabrics on the left of each pair, their nearest training swatches on the right.

    Below each pair its distance to that swatch, and to the nearest held-out one.
    """
    rows: dict[str, list[Neighbour]] = {}
    for each in found:
        rows.setdefault(each.pattern_type, []).append(each)
    side = found[0].fabric.shape[0]
    pair = 2 * side + GAP // 2
    sheet = _page(len(rows), side + CAPTION, max(map(len, rows.values())), pair)
    for row, (name, neighbours) in enumerate(rows.items()):
        top = GAP + row * (side + CAPTION + GAP)
        _write(sheet, name, GAP, top + side // 2)
        for column, each in enumerate(neighbours):
            left, _ = _corner(column, pair, top)
            sheet.paste(Image.fromarray(each.fabric), (left, top))
            sheet.paste(Image.fromarray(each.swatch), (left + pair - side, top))
            caption = f"trained {each.trained:.2f}   held out {each.held_out:.2f}"
            _write(sheet, caption, left, top + side + CAPTION // 2, 12)
    return sheet


def two_by_two(tile: Image.Image) -> Image.Image:
    """The tile repeated twice each way: a seam would show in the middle."""
    cloth = Image.new("RGB", (2 * tile.width, 2 * tile.height))
    for left in (0, tile.width):
        for top in (0, tile.height):
            cloth.paste(tile, (left, top))
    return cloth


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """PNG, or WebP or JPEG of at most :data:`SMALL` bytes where the lowest quality allows it, by the suffix.

    Raises :class:`BadInput` for other suffixes and for a place that cannot be written.
    """
    for quality in QUALITIES:
        save_picture(sheet, path, quality=quality)
        if path.suffix.lower() == ".png" or path.stat().st_size <= SMALL:
            return


def _page(rows: int, height: int, columns: int, width: int) -> Image.Image:
    return Image.new("RGB", (LABEL + columns * (width + GAP) + GAP, GAP + rows * (height + GAP)), PAPER)


def _corner(column: int, width: int, top: int) -> tuple[int, int]:
    return LABEL + GAP + column * (width + GAP), top


def _write(sheet: Image.Image, text: str, left: int, middle: int, size: int = 16) -> None:
    ImageDraw.Draw(sheet).text((left, middle), text, INK, ImageFont.load_default(size), anchor="lm")
