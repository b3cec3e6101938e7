"""The files of a pattern, cut from its inks: tile, thumbnail, and the inks themselves.  No network, no torch."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.files.storage import default_storage
from PIL import Image

from ml_backend.images import EXACT, encoded, save_picture
from ml_backend.inks import compose, inks_from_png, inks_to_png
from ml_backend.lattices import lattice_of
from ml_backend.serving import loading

from .colours import colours_of
from .models import THUMB_SIDE, Pattern

SUFFIXES = {"inks": "png", "tile": "png", "web": "webp", "thumb": "webp"}


@dataclass(frozen=True)
class Cut:
    """Encoded files by field name (those of :data:`SUFFIXES`), colours for the gallery's filter, shares of inks."""

    files: dict[str, bytes]
    colours: str
    shares: list[float]


def cut(inks: npt.NDArray[np.float32], palette: Sequence[str], recipe: Mapping[str, Any]) -> Cut:
    """``inks`` (K,H,W) painted with K colours; the tile carries ``recipe``."""
    tile = Image.fromarray(compose(inks, palette))
    files = {"inks": inks_to_png(inks), "tile": png(tile, recipe), "web": encoded(tile, **EXACT), "thumb": thumb(tile)}
    shares = shares_of(inks)
    return Cut(files, colours_of(palette, shares), shares)


def shares_of(inks: npt.NDArray[np.float32]) -> list[float]:
    """How much of the cloth each of the inks (K,H,W) covers, 0..1, to four places."""
    return [round(float(share), 4) for share in inks.mean(axis=(1, 2), dtype=np.float64)]


def stored_inks(pattern: Pattern) -> npt.NDArray[np.float32]:
    """Coverage maps (K,H,W) of a finished pattern."""
    with default_storage.open(str(pattern.inks)) as file:
        return inks_from_png(file.read())


def enlarged(pattern: Pattern, size: int) -> Image.Image:
    """A finished pattern at ``size`` pixels a side, from its stored inks; borders stay sharp."""
    with loading.alone():
        from ml_backend.pipelines.generate import enlarge_softly, resize

    inks, lattice = stored_inks(pattern), lattice_of(pattern.repeat)
    factor = -(-size // inks.shape[1])
    if factor > 1:
        inks = lattice.tile(enlarge_softly(lattice.cell(inks), factor, lattice))
    return Image.fromarray(compose(resize(inks, size), pattern.palette))


def png(image: Image.Image, recipe: Mapping[str, Any]) -> bytes:
    target = io.BytesIO()
    save_picture(image, target, recipe, format="PNG")
    return target.getvalue()


def thumb(tile: Image.Image) -> bytes:
    """A small WebP of one repeat."""
    small = tile.resize((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return encoded(small, format="WEBP", quality=75, method=6)
