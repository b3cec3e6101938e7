"""``script/garments sheet FILE``: all garments, front and back, in a stripe, a plaid and a large floral."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from ml_backend.garments import ROOT, Asset, assets
from ml_backend.pipelines.generate import GeneratePipeline
from ml_backend.pipelines.overlay import garment, wear
from ml_backend.requests import GenerateRequest, OverlayRequest

FABRICS = (("striped", 2, 9.0), ("plaid", 3, 12.0), ("floral", 3, 30.0))
"""Pattern type, seed, and side of the tile in centimetres."""

WIDTH, HEIGHT, COLUMNS = 112, 140, 12


def contact_sheet(root: Path) -> Image.Image:
    """All garments in ``root``, a group of front and back in each fabric."""
    draw = GeneratePipeline(None)
    tiles = []
    for kind, seed, scale in FABRICS:
        made = draw(GenerateRequest(pattern_type=kind, seed=seed, engine="drawn", size=512))
        tiles.append((made.image, OverlayRequest(scale_cm=scale)))
    pictures = [_worn(asset, *tile) for asset in assets(root) for tile in tiles]
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * WIDTH, rows * HEIGHT))
    for number, picture in enumerate(pictures):
        row, column = divmod(number, COLUMNS)
        sheet.paste(picture, (column * WIDTH, row * HEIGHT))
    return sheet


def _worn(asset: Asset, tile: Image.Image, request: OverlayRequest) -> Image.Image:
    return wear(*garment(asset.folder), tile, request).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    contact_sheet(ROOT).save(sys.argv[1], quality=72, method=6)
