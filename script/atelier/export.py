"""Write a garment's picture as files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml_backend.garments import PLACE_CODE
from ml_backend.requests import GARMENT_CLASSES

from .design import Design
from .mesh import F
from .picture import Picture


def label_map(cover: NDArray[np.uint8], garment_class: str) -> NDArray[np.uint8]:
    """The garment's class wherever at least half a pixel is garment, background elsewhere."""
    return np.where(cover >= 128, GARMENT_CLASSES.index(garment_class), 0).astype(np.uint8)


def coded(place: F) -> NDArray[np.uint16]:
    """(2, h, w) centimetres, NaN where there is no cloth -> (2 h, w), u above v."""
    steps = np.where(np.isnan(place), 0, np.clip(np.rint(np.nan_to_num(place) * PLACE_CODE) + 32768, 1, 65535))
    return steps.astype(np.uint16).reshape(-1, place.shape[2])


def write(design: Design, picture: Picture, folder: Path, *, back: bool = False) -> None:
    """One side's photo.webp, mask.png, labels.png, light.webp, place.png, pieces.png and meta.json into ``folder``,
    which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.photo).save(folder / "photo.webp", quality=92, method=6)
    Image.fromarray(picture.mask).save(folder / "mask.png", optimize=True)
    Image.fromarray(label_map(picture.cover, design.garment_class)).save(folder / "labels.png", optimize=True)
    Image.fromarray(picture.light).convert("RGB").save(folder / "light.webp", quality=93, method=6)
    Image.fromarray(coded(picture.place)).save(folder / "place.png", optimize=True)
    Image.fromarray(picture.number).save(folder / "pieces.png", optimize=True)
    height, width = picture.mask.shape
    meta = {
        "name": f"{design.name}, back" if back else design.name,
        "slug": folder.name,
        "cut": design.slug,
        "side": "back" if back else "front",
        "wearer": design.wearer,
        "class": design.garment_class,
        "px_per_cm": round(picture.px_per_cm, 3),
        "order": design.order,
        "alt": design.back_alt if back else design.alt,
        "width": width,
        "height": height,
        "licence": "CC0-1.0",
        "pieces": [{"name": one.name, **({"pair": True} if one.pair else {})} for one in picture.pieces],
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
