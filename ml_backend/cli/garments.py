"""The garments of the house: which there are, and a tile worn on one of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import images
from ..errors import BadInput
from ..requests import REPEATS, OutfitRequest, OverlayRequest
from .common import Answer, Command, bar

SIDES = ("front", "back")


def add_commands(command: Command) -> None:
    command("garments", run_garments, "The garments of the house: slug, side, who wears it, class, name.")
    wear = command("wear", run_wear, "Wear a tile on a garment of the house, from the front or the back.")
    wear.add_argument("--garment", required=True, metavar="SLUG", help="see the command garments")
    wear.add_argument("--side", choices=SIDES, default=SIDES[0])
    wear.add_argument("--pattern", type=Path, required=True, metavar="TILE")
    wear.add_argument("--scale-cm", type=float, default=18.0, help="side of a tile on the cloth")
    wear.add_argument("--rotate", type=float, default=0.0, help="degrees counter-clockwise")
    wear.add_argument("--offset-x", type=float, default=0.0, help="shift in tile sides")
    wear.add_argument("--offset-y", type=float, default=0.0, help="shift in tile sides")
    wear.add_argument("--repeat", choices=REPEATS, default="basic")
    wear.add_argument("--mirrored", action="store_true", help="cut the sleeves as a mirrored pair")
    wear.add_argument("--out", type=Path, required=True, metavar="FILE")


def run_garments(options: argparse.Namespace) -> Answer:
    del options
    from ..garments import assets

    names = ("slug", "cut", "side", "wearer", "garment_class", "name", "px_per_cm")
    found = assets()
    rows = [{name: getattr(one, name) for name in names} for one in found]
    lines = [f"{one.slug:26} {one.side:6} {one.wearer:10} {one.garment_class:9} {one.name}" for one in found]
    return {"garments": rows, "lines": lines}


def run_wear(options: argparse.Namespace) -> Answer:
    from ..garments import assets
    from ..pipelines.overlay import dress, garment

    there = {(asset.cut, asset.side): asset for asset in assets()}
    chosen = there.get((options.garment.removesuffix("-back"), options.side))
    if chosen is None:
        known = ", ".join(sorted({cut for cut, _ in there}))
        raise BadInput(f"There is no garment {options.garment!r}; there are {known}.")
    names = ("scale_cm", "rotate", "offset_x", "offset_y", "repeat", "mirrored")
    request = OverlayRequest(**{name: getattr(options, name) for name in names})
    tile = images.open_picture(options.pattern)
    with bar("Wearing") as progress:
        look = dress(*garment(chosen.folder), [tile], OutfitRequest((request,)), progress)
    recipe = {"overlay": request.to_dict(), "garment": chosen.slug, "pattern": images.read_recipe(tile)}
    images.save_picture(look, options.out, recipe)
    return {"file": str(options.out), "garment": chosen.slug, **request.to_dict(), "lines": [str(options.out)]}
