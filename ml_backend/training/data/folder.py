"""Images by class: ``root/CLASS/NAME.jpg``, the layout of torchvision's ``ImageFolder``.

Which images are held out depends on names alone, so a figure measured on them stays honest between runs and machines.
Photos taken in a row often show the same cloth, so names that differ only in their last digit go to the same side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ...errors import BadInput

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
HELD_OUT = 0.15
"""Share of the groups that are held out."""

Split = Literal["all", "train", "held-out"]


@dataclass(frozen=True)
class FolderImage:
    """One file and the folder it lies in."""

    path: Path
    label: str


def list_images(root: Path | str, split: Split = "all") -> list[FolderImage]:
    """The images of every class folder, sorted by class and name.  Raises :class:`BadInput` when there is none."""
    root = Path(root)
    if not root.is_dir():
        raise BadInput(f"{root} is not a folder.")
    found = [
        FolderImage(path, folder.name)
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise BadInput(f"{root} holds no images: they belong in one folder per class, as in {root.name}/floral/1.jpg.")
    if split == "all":
        return found
    return [image for image in found if is_held_out(image) == (split == "held-out")]


def is_held_out(image: FolderImage) -> bool:
    group = f"{image.label}/{image.path.stem[:-1] if image.path.stem[-1:].isdigit() else image.path.stem}"
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32 < HELD_OUT


def labels(images: list[FolderImage]) -> list[str]:
    """The class names that occur, sorted; a class's index in it is its number."""
    return sorted({image.label for image in images})


def read_rgb(path: Path, side: int | None = None) -> NDArray[np.uint8]:
    """The picture as HxWx3, orientation applied; ``side`` crops the central square and resizes it.

    Raises :class:`BadInput` for a file that is no readable image.
    """
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise BadInput(f"{path} is not a readable image.") from error
    if side is not None:
        image = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    return np.asarray(image, np.uint8)
