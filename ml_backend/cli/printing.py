"""The command that makes print files: print."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .. import images
from ..errors import BadInput
from ..packaging.starter import GENERATOR, package_of
from ..printing.plan import CM_PER_INCH, DPI, FORMATS, INTENTS, KINDS, PrintRequest, title
from ..requests import REPEATS, GenerateRequest, parse_palette
from ..swatches import MAX_SIZE
from .common import Answer, Command, bar

_LENGTH = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(cm|mm|in|inch|\")?\s*")


def add_commands(command: Command) -> None:
    sub = command(
        "print", run_print, "Make a print file of true size: one repeat, a panel, plates, a strike-off sheet."
    )
    sub.add_argument("tile", type=Path, metavar="TILE", help="a tile of Toile; with its recipe inside it is made anew")
    sub.add_argument("--kind", choices=KINDS, default="tile")
    sub.add_argument("--format", choices=FORMATS, default="tiff")
    sub.add_argument("--repeat", choices=REPEATS, help="default: the one that the tile is made for")
    sub.add_argument("--scale", type=length, default=24.0, metavar="LENGTH", help="side of a repeat: 24cm, 9in")
    sub.add_argument("--dpi", type=int, choices=DPI, default=300)
    sub.add_argument("--panel", type=_panel, metavar="WxH", help="size of a panel, 150x100cm or 60x40in")
    sub.add_argument("--count", type=_count, metavar="AxB", help="a panel of so many repeats, 6x4")
    sub.add_argument("--trap-mm", type=float, default=0.0, help="how far lighter inks run on below darker ones")
    sub.add_argument("--weave", action="store_true", help="light the threads of the cloth")
    sub.add_argument("--profile", type=Path, metavar="ICC", help="CMYK profile of the printer, for TIFF and PDF")
    sub.add_argument("--intent", choices=INTENTS, default="relative")
    sub.add_argument("--colourway", type=_colours, action="append", default=[], help="of a strike-off")
    sub.add_argument("--name", help="what files are called after (default: as the recipe says)")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")


def run_print(options: argparse.Namespace) -> Answer:
    from ..printing.making import make
    from ..printing.strike_off import Colourway

    design, recipe = design_of(options.tile, options.repeat, options.device)
    panel = options.panel or (None, None)
    count = options.count or (None, None)
    request = PrintRequest(
        kind="panel" if options.kind == "tile" and (options.panel or options.count) else options.kind,
        format=options.format,
        repeat=design.repeat,
        scale_cm=options.scale,
        dpi=options.dpi,
        width_cm=panel[0],
        height_cm=panel[1],
        across=count[0],
        down=count[1],
        trap_mm=options.trap_mm,
        weave=options.weave,
        intent=options.intent,
    )
    profile = _read(options.profile) if options.profile else None
    if options.name:
        design = replace(design, name=options.name)
    ways = [Colourway(f"colourway {number}", palette) for number, palette in enumerate(options.colourway, 1)]
    path = options.out / f"{title(design.name, request)}.{request.suffix}"
    options.out.mkdir(parents=True, exist_ok=True)
    with bar("Printing") as progress:
        facts = make(design, request, path, recipe, profile=profile, colourways=ways, progress=progress)
    said = [str(path), *(text for text in (facts["warning"], facts.get("gamut", "")) if text)]
    return {"file": str(path), **facts, "request": request.to_dict(), "lines": said}


def design_of(tile: Path, repeat: str | None = None, device: str = "cpu") -> tuple[Any, dict[str, Any]]:
    """The design of a tile and its recipe: drawn again where the renderer made it, dreamed again by its model.

    It lies in ``repeat``, or as its recipe says.  A picture without a recipe that makes it is split into five inks,
    and for another repeat than basic its seams are mended.
    """
    from ..lattices import lattice_of
    from ..pipelines.generate import GeneratePipeline, draw, split_into_inks
    from ..printing.painting import Design
    from ..repair import repair

    picture = images.open_picture(tile)
    recipe = {key: value for key, value in (_recipe(tile) or {}).items() if key not in ("made_with", "print")}
    if not recipe or "source" in recipe or recipe.pop("mended", False):
        if picture.width != picture.height:
            raise BadInput(f"A tile is square; {tile} has {picture.width}x{picture.height} pixels.")
        rgb = np.asarray(picture, np.float32) / np.float32(255)
        palette = _palette_of(picture)
        made_for = str(recipe.get("repeat", "basic"))
        inks = split_into_inks(rgb, len(palette))
        if repeat not in (None, made_for):
            inks = repair(inks, lattice_of(str(repeat)))
        return Design(inks, palette, tile.stem, repeat=repeat or made_for), {"made_with": "Toile", **recipe}
    request = GenerateRequest.from_dict({**recipe, "repeat": repeat or recipe.get("repeat", "basic")})
    name = f"{request.subtype or request.pattern_type}-{request.seed}"
    drawn = request.engine == "drawn"
    chosen = None if drawn else package_of(None, GENERATOR)
    fabric = GeneratePipeline(chosen, _upscaler(device) if chosen else None, device)(request)
    again = None
    if drawn:

        def again(side: int) -> Any:
            return draw(replace(request, size=side))

    made = Design(fabric.inks, fabric.palette, name, again, MAX_SIZE if drawn else 0, request.repeat)
    return made, {"made_with": "Toile", **fabric.request.to_dict()}


def _palette_of(picture: Image.Image) -> tuple[str, ...]:
    """The colours that :func:`split_into_inks` splits by, the most common first."""
    indexed = picture.quantize(5, Image.Quantize.MEDIANCUT)
    colours = np.asarray((indexed.getpalette() or [])[:15], np.uint8).reshape(-1, 3)
    common = np.bincount(np.asarray(indexed).ravel(), minlength=len(colours)).argsort(kind="stable")[::-1]
    found = np.resize(colours[common[: len(colours)]], (5, 3))
    return tuple("#" + bytes(colour).hex() for colour in found)


def _recipe(tile: Path) -> dict[str, Any] | None:
    with Image.open(tile) as picture:
        return images.read_recipe(picture)


def _upscaler(device: str) -> Any:
    from ..pipelines.upscale import UpscalePipeline

    return UpscalePipeline(package_of(None, "srgan-x8-starter"), device)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error


def length(text: str) -> float:
    """``24``, ``24cm`` or ``9.5in`` in centimetres."""
    found = _LENGTH.fullmatch(text.lower())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a length; write 24cm or 9.5in")
    scale = {"mm": 0.1, "in": CM_PER_INCH, "inch": CM_PER_INCH, '"': CM_PER_INCH}.get(found[2] or "cm", 1.0)
    return float(found[1]) * scale


def _panel(text: str) -> tuple[float, float]:
    width, _, height = text.lower().partition("x")
    unit = re.sub(r"[0-9.\s]", "", height)
    return length(width if re.search(r"[a-z\"]", width) else width + unit), length(height)


def _count(text: str) -> tuple[int, int]:
    try:
        across, down = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a count of repeats; write 6x4") from error
    return across, down


def _colours(text: str) -> tuple[str, ...]:
    try:
        return parse_palette(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error
