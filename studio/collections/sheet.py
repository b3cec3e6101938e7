"""A board in one picture and in one file: the contact sheet, and everything that is on it with its recipes."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.files.storage import default_storage
from django.utils import translation
from django.utils.text import slugify
from PIL import Image, ImageDraw, ImageFont

from ml_backend.images import encoded
from ml_backend.printing.painting import laid, lattice, pasted
from patterns.models import Pattern
from patterns.templatetags.cloth import described_look, titled

from .. import pictures
from ..looks.models import Look
from ..zipping import Entry
from .models import Board, BoardItem

ACROSS = 4
CELL, GAP, LINE = 400, 40, 26
PAPER, INK, SOFT = "#faf8f4", "#1d1a17", "#5d564d"
ENTIRE_CM = 40.0
"""What a cell of the sheet shows of a fabric, in centimetres of cloth."""


def title_of(item: BoardItem) -> str:
    """``Floral in red and white``, ``Dress in floral fabric``: in English, whose letters the sheet can draw."""
    with translation.override("en"):
        return titled(item.pattern) if item.pattern else described_look(item.look)


def entries(board: Board, items: Sequence[BoardItem]) -> list[Entry]:
    """What the archive of a board holds: tiles and looks in the board's order, recipes, notes and the contact sheet."""
    there = [item for item in items if item.thing.ready]
    files: list[Entry] = [(_name(number, item), str(_file(item))) for number, item in enumerate(there, 1)]
    told = {
        "collection": board.name,
        "notes": board.notes,
        "items": [_told(item, name) for item, (name, _) in zip(there, files, strict=True)],
    }
    recipes = json.dumps(told, indent=2, ensure_ascii=False).encode()
    return [*files, ("recipes.json", recipes), ("contact-sheet.png", contact_sheet(board, there))]


def _file(item: BoardItem) -> Any:
    """The largest tile there is, or the look itself."""
    return (item.pattern.large or item.pattern.tile) if item.pattern else item.look.file  # type: ignore[union-attr]


def _name(number: int, item: BoardItem) -> str:
    ending = str(_file(item)).rpartition(".")[2]
    if item.pattern is None:
        return f"{number:02d}-look.{ending}"
    part = item.part or "fabric"
    return f"{number:02d}-{part}-{item.pattern.pattern_type}-{item.pattern.seed}.{ending}"


def _told(item: BoardItem, name: str) -> dict[str, Any]:
    recipe = item.pattern.recipe() if item.pattern else item.look.recipe  # type: ignore[union-attr]
    shown = {"file": name, "title": title_of(item), "part": item.part, "note": item.note, "recipe": recipe}
    return {**shown, "scale_cm": item.scale_cm} if item.pattern else shown


def contact_sheet(board: Board, items: Sequence[BoardItem]) -> bytes:
    """All of them on one PNG, fabrics as so many centimetres of cloth, each with its name and its note."""
    rows = max(1, -(-len(items) // ACROSS))
    head = 2 * GAP + 56
    size = (GAP + ACROSS * (CELL + GAP), head + rows * (CELL + GAP + 3 * LINE))
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), _short(board.name, 60), INK, _font(40))
    for number, item in enumerate(items):
        row, column = divmod(number, ACROSS)
        x, y = GAP + column * (CELL + GAP), head + row * (CELL + GAP + 3 * LINE)
        picture = _picture(item)
        if picture is not None:
            sheet.paste(picture, (x + (CELL - picture.width) // 2, y + (CELL - picture.height) // 2))
        pen.text((x, y + CELL + 8), _short(title_of(item), 38), INK, _font(18))
        part = f"{item.get_part_display()}, {item.scale_cm:g} cm" if item.part and item.scale_cm else ""
        pen.text((x, y + CELL + 8 + LINE), _short(" · ".join(filter(None, (part, item.note))), 46), SOFT, _font(15))
    return encoded(sheet, format="PNG", compress_level=6)


def _picture(item: BoardItem) -> Image.Image | None:
    """What a cell shows; None where storage has lost it."""
    try:
        return _cloth(item.pattern, item.scale_cm) if item.pattern else _look(item.look)  # type: ignore[arg-type]
    except FileNotFoundError:
        return None


def _cloth(pattern: Pattern, scale_cm: float | None) -> Image.Image:
    """The repeats of a fabric that lie on a square of cloth."""
    side = max(24, round(CELL * (scale_cm or ENTIRE_CM) / ENTIRE_CM))
    tile = pictures.load(str(pattern.web or pattern.tile), "RGB").resize((side, side), Image.Resampling.LANCZOS)
    return Image.fromarray(pasted(laid(lattice(np.asarray(tile), pattern.repeat), CELL, CELL)))


def _look(look: Look) -> Image.Image:
    with default_storage.open(str(look.thumb or look.file)) as file:
        picture = Image.open(io.BytesIO(file.read())).convert("RGB")
    picture.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
    return picture


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def file_title(board: Board) -> str:
    """What the archive is called."""
    return f"toile-{slugify(board.name)[:50] or 'collection'}"
