"""Write a garment's picture as files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml_backend.requests import GARMENT_CLASSES

from .design import Design
from .picture import Picture


def label_map(cover: NDArray[np.uint8], garment_class: str) -> NDArray[np.uint8]:
    """The garment's class wherever at least half a pixel is garment, background elsewhere."""
    return np.where(cover >= 128, GARMENT_CLASSES.index(garment_class), 0).astype(np.uint8)


def write(design: Design, picture: Picture, folder: Path) -> None:
    """photo.webp, mask.png, labels.png, light.webp, bend.png and meta.json into ``folder``, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.photo).save(folder / "photo.webp", quality=93, method=6)
    Image.fromarray(picture.mask).save(folder / "mask.png", optimize=True)
    Image.fromarray(label_map(picture.cover, design.garment_class)).save(folder / "labels.png", optimize=True)
    Image.fromarray(picture.light).convert("RGB").save(folder / "light.webp", quality=95, method=6)
    Image.fromarray(picture.bend).save(folder / "bend.png", optimize=True)
    height, width = picture.mask.shape
    meta = {
        "name": design.name,
        "slug": design.slug,
        "class": design.garment_class,
        "px_per_cm": round(picture.px_per_cm, 3),
        "order": design.order,
        "alt": design.alt,
        "width": width,
        "height": height,
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
