"""The default garments: product pictures this project cuts, sews, drapes, lights and photographs itself.

Each folder beside this file holds one garment: ``photo.webp``, ``mask.png`` (8-bit share of fabric), ``labels.png``
(class map, values are indices into ``GARMENT_CLASSES``), ``light.webp`` and ``bend.png``
(what the renderer knows of light and folds, see ``known``) and ``meta.json``.
``script/garments`` makes them again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

F32 = npt.NDArray[np.float32]
ROOT = Path(__file__).resolve().parent
REACH = 0.02
"""Largest displacement of the pattern in ``bend.png``, as a share of the longest side (the overlay's own bound)."""

LIGHT_CODE = 1.6
"""Largest light that ``light.webp`` can carry: S = 1.6 (r/255)^2."""

FILES = ("photo.webp", "mask.png", "labels.png", "light.webp", "bend.png", "meta.json")


@dataclass(frozen=True)
class Asset:
    """One garment on disk; ``px_per_cm`` is the scale of the photo."""

    slug: str
    name: str
    garment_class: str
    order: int
    alt: str
    px_per_cm: float
    width: int
    height: int
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


def read(folder: Path) -> Asset:
    """The asset in ``folder``; raises OSError, KeyError or ValueError when it is not one."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return Asset(
        slug=meta["slug"],
        name=meta["name"],
        garment_class=meta["class"],
        order=int(meta["order"]),
        alt=meta["alt"],
        px_per_cm=float(meta["px_per_cm"]),
        width=int(meta["width"]),
        height=int(meta["height"]),
        folder=folder,
    )


def assets(root: Path = ROOT) -> list[Asset]:
    """All garments on disk, in the order they are shown."""
    folders = (path.parent for path in root.glob("*/meta.json"))
    return sorted((read(folder) for folder in folders), key=lambda asset: (asset.order, asset.slug))


def known(folder: Path, width: int, height: int) -> tuple[F32, F32] | None:
    """The garment's own light (H,W) and bend (2,H,W) in photo pixels, as the renderer knows them.

    None where ``folder`` has none, or has them for a picture of another size.
    """

    light, bend = folder / "light.webp", folder / "bend.png"
    if not (light.exists() and bend.exists()):
        return None
    with Image.open(light) as image:
        coded = np.asarray(image.convert("RGB"), np.float32)[..., 1] / np.float32(255)
    if coded.shape != (height, width):
        return None
    with Image.open(bend) as image:
        steps = (np.asarray(image.convert("RGB"), np.float32)[..., 1:] - 128) / np.float32(127)
    shift = np.ascontiguousarray(steps.transpose(2, 0, 1)) * np.float32(REACH * max(width, height))
    return np.float32(LIGHT_CODE) * np.square(coded), shift
