"""Photos of plain garments: cloth of one dye, whose luminance *is* its light.

They teach what no rendering has: seams, plackets, buttons, pockets, real folds and real cameras.  A garment is taken
for plain when neither its colour nor its luminance shows a print; the measures are strict, for a print taken for
folds would teach the wrong thing, and there are garments enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ...errors import BadInput
from .cloth import GARMENT_FOLDERS, STREET_CLASSES, held_out

F32 = NDArray[np.float32]
Bits = NDArray[np.bool_]
U8 = NDArray[np.uint8]

TALLEST = 384
"""Photos are kept at this height or less."""

LEAST_PIXELS = 1200
"""A garment smaller than this, at the height that is kept, tells little."""

_HUE = 0.09
"""How far the 97th percentile of a plain garment's chromaticity may be from its median."""

_SHARP = 0.042
"""Share of a plain garment where luminance jumps as it does at a print's edge."""


@dataclass(frozen=True)
class PlainPhoto:
    """``image`` uint8 (H, W, 3); ``garments`` uint8 (H, W), a number from 1 for each garment; ``plain`` those numbers
    that are plain."""

    image: U8
    garments: U8
    plain: tuple[int, ...]


def read_plain(*, street: str = "", photos: str = "", mattes: str = "", validation: bool) -> list[PlainPhoto]:
    """The photos with at least one plain garment, held out or not.  Raises :class:`BadInput` where there is none.

    ``street`` holds labelled street photos, ``photos`` and ``mattes`` single garments, as in :mod:`.cloth`.
    """
    found = []
    if street:
        found += list(_kept(_street(Path(street), validation)))
    if photos:
        found += list(_kept(_garments(Path(photos), Path(mattes), validation)))
    if not found:
        raise BadInput("No photo of a plain garment was found in the folders of the recipe.")
    return found


def _kept(photos: Iterator[tuple[U8, U8]]) -> Iterator[PlainPhoto]:
    for image, garments in photos:
        numbers = [int(number) for number in np.unique(garments) if number]
        plain = tuple(number for number in numbers if is_plain(image, garments == number))
        if plain:
            yield PlainPhoto(image, garments, plain)


def is_plain(image: U8, here: Bits) -> bool:
    """Whether the garment ``here`` (H, W) in an sRGB picture (H, W, 3) shows no print."""
    hue, sharp = unevenness(image, here)
    return hue < _HUE and sharp < _SHARP


def unevenness(image: U8, here: Bits) -> tuple[float, float]:
    """How far the garment's colour strays, and how much of it is sharp edges; both infinite where it is too small."""
    if here.sum() < LEAST_PIXELS:
        return float("inf"), float("inf")
    rows, columns = (np.flatnonzero(here.any(axis=axis)) for axis in (1, 0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inner = ndimage.binary_erosion(here[window], iterations=3)
    if inner.sum() < LEAST_PIXELS:
        return float("inf"), float("inf")
    rgb = ndimage.gaussian_filter(image[window].astype(np.float32) / 255, (0.8, 0.8, 0))
    # Camera noise has colour in the dark, so it counts for less there.
    chroma = 3 * rgb / (rgb.sum(axis=2, keepdims=True) + 0.25)
    away = chroma[inner] - np.median(chroma[inner], axis=0)
    away -= away.mean(axis=1, keepdims=True)
    hue = float(np.quantile(np.abs(away).max(axis=1), 0.97))
    log = np.log(np.square(rgb.mean(axis=2)) + 0.012)
    jump = np.hypot(ndimage.sobel(log, 0), ndimage.sobel(log, 1)) / 8
    return hue, float((jump[inner] > 0.13).mean())


def _street(folder: Path, validation: bool) -> Iterator[tuple[U8, U8]]:
    """Photos with a number for each kind of garment, as labelled."""
    names = {name for names in STREET_CLASSES.values() for name in names} - set(STREET_CLASSES["skin"])
    cloth = np.zeros(256, np.uint8)
    for line in (folder / "labels.txt").read_text(encoding="utf-8").splitlines():
        index, _, name = line.partition(" ")
        if name.strip() in names:
            cloth[int(index)] = int(index)
    for path in sorted((folder / "photos").glob("*.jpg")):
        if held_out(path.stem) == validation:
            labels = cloth[np.asarray(Image.open(folder / "labels" / f"{path.stem}.png"))]
            yield _fitted(Image.open(path), _renumbered(labels))


def _garments(photos: Path, mattes: Path, validation: bool) -> Iterator[tuple[U8, U8]]:
    for name in GARMENT_FOLDERS:
        for path in sorted((photos / name).glob("*.jpg")):
            matte = mattes / name / f"{path.stem}.png"
            if held_out(path.stem) == validation and matte.exists():
                yield _fitted(Image.open(path), (np.asarray(Image.open(matte).convert("L")) > 127).astype(np.uint8))


def _fitted(photo: Image.Image, garments: U8) -> tuple[U8, U8]:
    size = photo.size
    if photo.height > TALLEST:
        size = (max(1, round(photo.width * TALLEST / photo.height)), TALLEST)
    image = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BOX))
    return image, np.asarray(Image.fromarray(garments).resize(size, Image.Resampling.NEAREST))


def _renumbered(labels: U8) -> U8:
    """Labels 1, 2, 3 ... in place of those that occur."""
    present = np.unique(labels[labels > 0])
    table = np.zeros(256, np.uint8)
    table[present] = np.arange(1, len(present) + 1)
    return table[labels]
