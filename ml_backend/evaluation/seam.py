"""Seam ratio: does a tile's border look like any other line through it?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..images import read_recipe
from ..lattices import LATTICES, lattice_of


def seam_ratio(image: Image.Image, repeat: str = "basic") -> float:
    """The larger, over both directions, of mean jump across the border / mean jump between neighbours inside.

    Jumps are absolute differences in 8-bit RGB.  1 or below: no seam to be seen; 0: the border is calm.  Where the
    inside hardly changes, one level counts as its jump.  Across the border lies what ``repeat`` lays there; raises
    :class:`BadInput` for what is not a repeat.
    """
    lattice = lattice_of(repeat)
    image = image.convert("RGB")
    fitted = lattice.fitted(image.width), lattice.fitted(image.height)
    # a third of 512 pixels is no pixel: neighbours would be compared between two of them
    pixels = np.asarray(image if image.size == fitted else image.resize(fitted, Image.Resampling.BICUBIC), np.float64)
    cell = lattice.cell(pixels.transpose(2, 0, 1))  # type: ignore[arg-type]
    around = lattice.surround(cell, 1)
    right, below = around[:, 1:-1, -1], around[:, -1, 1:-1]
    borders = np.abs(below - cell[:, -1]).mean(), np.abs(right - cell[:, :, -1]).mean()
    insides = (np.abs(np.diff(pixels, axis=axis)).mean() for axis in (0, 1))
    return float(max(border / max(inside, 1.0) for border, inside in zip(borders, insides, strict=True)))


def made_for(path: Path) -> str:
    """The repeat that a tile's own recipe names; basic for one that tells of none."""
    with Image.open(path) as image:
        repeat = (read_recipe(image) or {}).get("repeat")
    return repeat if repeat in LATTICES else "basic"
