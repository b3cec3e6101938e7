"""Commands about colours: palette, recolour."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .. import images
from ..errors import BadInput
from ..inks import compose
from ..palettes import extraction, files
from ..palettes.held import MAX_HELD, MIN_HELD, Held, held_colours, worn_by
from ..requests import MAX_INKS, MIN_INKS, parse_palette
from .common import Answer, Command, palette_of

if TYPE_CHECKING:
    from ..colour import U8


def add_commands(command: Command) -> None:
    palette = command("palette", run_palette, "Find the colours of a picture, and write them as a palette.")
    palette.add_argument("image", type=Path, metavar="IMAGE")
    palette.add_argument("--inks", type=int, default=6, help=f"how many colours, {MIN_HELD} to {MAX_HELD}")
    palette.add_argument("--name", help="what the palette is called (default: as the picture)")
    palette.add_argument("--out", type=Path, metavar="FILE", help="an .ase, .gpl or .json file")

    recolour = command("recolour", run_recolour, "Print a tile in the colours of a palette.")
    recolour.add_argument("image", type=Path, metavar="TILE")
    recolour.add_argument(
        "--palette",
        type=palette_of,
        required=True,
        help="an .ase, .gpl or .json file, or colours like '#7a1f2b,#f3e9dc'",
    )
    recolour.add_argument(
        "--inks",
        type=int,
        help=f"how many inks the tile has, {MIN_INKS} to {MAX_INKS} (default: as its recipe says, or as found)",
    )
    recolour.add_argument("--out", type=Path, required=True, metavar="FILE")


def run_palette(options: argparse.Namespace) -> Answer:
    picture = np.asarray(images.open_picture(options.image))
    found = extraction.extract(picture, options.inks)
    told = Held(options.name or options.image.stem, (*found.colours, *found.colours[:1])[: max(2, len(found.colours))])
    described = files.as_json(told)
    shares = (*found.shares, 0.0)
    colours = [{**one, "share": round(share, 4)} for one, share in zip(described["colours"], shares, strict=False)]
    lines = [f"{one['colour']}  {one['share']:6.1%}  {one['hlc']}  {one['called']}" for one in colours]
    if options.out is not None:
        _write(options.out, files.write(told, options.out.suffix.lower().removeprefix(".")))
        lines.append(str(options.out))
    return {"name": told.name, "colours": colours, "file": options.out and str(options.out), "lines": lines}


def run_recolour(options: argparse.Namespace) -> Answer:
    tile = images.open_picture(options.image)
    with Image.open(options.image) as opened:
        recipe = images.read_recipe(opened) or {}
    picture = np.asarray(tile)
    before = _inks_of(picture, recipe.get("palette"), options.inks)
    after = worn_by(options.palette, len(before))
    again = compose(extraction.separate(picture, before), after)
    images.save_picture(Image.fromarray(again), options.out, {**recipe, "palette": list(after)})
    unused = len(options.palette) - len(after)
    notes = [f"The fabric has {len(after)} inks; it wears the first {len(after)} of the palette."] if unused > 0 else []
    return {
        "file": str(options.out),
        "before": list(before),
        "palette": list(after),
        "lines": [*notes, str(options.out)],
    }


def _inks_of(picture: U8, told: object, count: int | None) -> tuple[str, ...]:
    """The colours that a tile is printed in: as its recipe tells them, else as they are found."""
    if count is None and isinstance(told, list) and MIN_INKS <= len(told) <= MAX_INKS:
        return parse_palette(told)
    if count is not None and not MIN_INKS <= count <= MAX_INKS:
        raise BadInput(f"A fabric has {MIN_INKS} to {MAX_INKS} inks, not {count}.")
    found = extraction.arranged(extraction.extract(picture, count or MAX_INKS))
    if len(found) < MIN_INKS:  # inks that cover nothing
        return worn_by(held_colours((*found, *found)[: max(2, len(found))]), MIN_INKS)
    return found


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error
