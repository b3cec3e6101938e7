"""The default garments: cut, sewn and draped as patterns by ``script/garments``, photographed by Blender's Cycles.

Each folder beside this file holds one side of one garment: ``photo.webp``, ``mask.png`` (8-bit share of fabric),
``labels.png`` (class map, values are indices into ``GARMENT_CLASSES``), ``light.webp``, ``place.png`` and
``pieces.png`` (what the renderer knows of it, see :func:`known`) and ``meta.json``.  They are free for everybody
(CC0, see ``LICENCE.md``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import BadInput

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
ROOT = Path(__file__).resolve().parent

PLACE_CODE = 25.0
"""Steps of ``place.png`` in a centimetre; 0 cm is step 32768, and step 0 is no cloth."""

LIGHT_CODE = 1.6
"""Largest light that ``light.webp`` can carry: S = 1.6 (r/255)^2."""

FILES = ("photo.webp", "mask.png", "labels.png", "light.webp", "place.png", "pieces.png", "meta.json")

SIDES = ("front", "back")
WEARERS = ("women", "men", "everybody")


@dataclass(frozen=True)
class Piece:
    """A piece of cloth that was cut out; ``pair``: the second of two that may be cut as a mirrored pair."""

    name: str
    pair: bool = False


@dataclass(frozen=True)
class Asset:
    """One side of a garment on disk; ``cut`` is the slug of its front, ``px_per_cm`` the scale of the photo."""

    slug: str
    cut: str
    side: str
    wearer: str
    name: str
    garment_class: str
    order: int
    alt: str
    px_per_cm: float
    width: int
    height: int
    pieces: tuple[Piece, ...]
    folder: Path

    @property
    def photo(self) -> Path:
        return self.folder / "photo.webp"

    @property
    def mask(self) -> Path:
        return self.folder / "mask.png"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.png"


@dataclass(frozen=True)
class Known:
    """What the renderer knows of a garment.

    ``light`` float32 (H, W): S of white cloth.  ``place`` float32 (2, h, w): u along the weft and v along the warp in
    centimetres on the cloth, on a grid over the photo; 0 far from the cloth.  ``pieces`` uint8 (H, W): the piece of
    cloth that each pixel shows, 0 for none.  ``paired``: the numbers of those that mirrored pairs turn over.
    """

    light: F32
    place: F32
    pieces: U8
    paired: tuple[int, ...]
    px_per_cm: float


def read(folder: Path) -> Asset:
    """The asset in ``folder``; raises OSError, KeyError or ValueError when it is not one."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return Asset(
        slug=meta["slug"],
        cut=meta.get("cut", meta["slug"]),
        side=meta.get("side", SIDES[0]),
        wearer=meta.get("wearer", WEARERS[-1]),
        name=meta["name"],
        garment_class=meta["class"],
        order=int(meta["order"]),
        alt=meta["alt"],
        px_per_cm=float(meta["px_per_cm"]),
        width=int(meta["width"]),
        height=int(meta["height"]),
        pieces=tuple(Piece(str(one["name"]), bool(one.get("pair"))) for one in meta.get("pieces", ())),
        folder=folder,
    )


def assets(root: Path = ROOT) -> list[Asset]:
    """All garments on disk, both sides of each, in the order they are shown."""
    folders = (path.parent for path in root.glob("*/meta.json"))
    return sorted((read(folder) for folder in folders), key=lambda one: (one.order, one.cut, one.side != SIDES[0]))


def known(folder: Path) -> Known | None:
    """What the renderer knows of the garment in ``folder``; None where it has no coordinates.

    Raises :class:`BadInput` where its files do not belong together.
    """
    if not (folder / "place.png").exists():
        return None
    try:
        asset = read(folder)
        with Image.open(folder / "light.webp") as image:
            light = np.asarray(image.convert("RGB"), np.float32)[..., 1] / np.float32(255)
        with Image.open(folder / "place.png") as image:
            steps = np.asarray(image).astype(np.int64)
        with Image.open(folder / "pieces.png") as image:
            pieces = np.asarray(image.convert("L"))
    except (OSError, KeyError, ValueError, TypeError) as bad:
        raise BadInput(f"The garment {folder.name} cannot be read: {bad}.") from bad
    size = (asset.height, asset.width)
    if light.shape != size or pieces.shape != size or steps.ndim != 2 or steps.shape[0] % 2 or not steps.any():
        raise BadInput(f"The maps of the garment {folder.name} do not fit its photo.")
    if int(pieces.max(initial=0)) > len(asset.pieces):
        raise BadInput(f"The garment {folder.name} has pieces of cloth that its meta.json does not name.")
    cloth = steps.reshape(2, -1, steps.shape[1])
    place = np.where(cloth > 0, (cloth - 32768) / PLACE_CODE, 0.0)
    paired = tuple(number for number, piece in enumerate(asset.pieces, 1) if piece.pair)
    return Known(
        np.float32(LIGHT_CODE) * np.square(light), np.asarray(place, np.float32), pieces, paired, asset.px_per_cm
    )
