"""Photographs of cloth as designs: squares that wrap around, sorted by pattern type.

A photo's border does not meet itself on the other side, and a discriminator that sees a photo shifted around would find
that line at once.  So photos are made periodic: Moisan, "Periodic plus Smooth Image Decomposition", 2011.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import BadInput
from ...requests import PATTERN_TYPES
from .bank import Bank
from .folder import FolderImage, list_images, read_rgb

F32 = NDArray[np.float32]
FITS = ("crop", "pad")


def read_photos(root: Path | str, count: int, side: int, fit: str = "crop", shares: tuple[float, ...] = ()) -> Bank:
    """``count`` photos of every pattern type from the training side of ``root/TYPE/NAME.jpg``, as a bank of RGB planes.

    ``fit`` makes them square: ``crop`` cuts the middle out, ``pad`` adds mirrored cloth.  Too few photos are repeated.
    Raises :class:`BadInput` for a type without photos whose share is not 0.
    """
    found = list_images(root, "train")
    planes = np.zeros((len(PATTERN_TYPES), count, 3, side, side), np.uint8)
    for label, pattern_type in enumerate(PATTERN_TYPES):
        if shares and not shares[label]:
            continue
        photos = [image for image in found if image.label == pattern_type]
        if not photos:
            raise BadInput(f"{root} holds no photos of the type {pattern_type!r}; add some or give it a share of 0.")
        for index in range(count):
            planes[label, index] = _planes(photos[index % len(photos)], side, fit)
    return Bank(planes, np.zeros((len(PATTERN_TYPES), 1, 3, 3), np.float32))


def square_pad(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) -> a square as wide as the longer side, the photo in the middle and mirrored beyond its border."""
    height, width = image.shape[:2]
    missing = [max(height, width) - length for length in (height, width)]
    margins = [(length // 2, length - length // 2) for length in missing]
    return np.pad(image, [*margins, (0, 0)], mode="symmetric")


def periodic(image: F32) -> F32:
    """(H, W, C) without the smooth part that makes its borders differ (Moisan 2011, equations 7 and 11)."""
    height, width = image.shape[:2]
    jumps = np.zeros_like(image, dtype=np.float64)
    down, across = image[-1] - image[0], image[:, -1] - image[:, 0]
    jumps[0] += down
    jumps[-1] -= down
    jumps[:, 0] += across
    jumps[:, -1] -= across
    rows, columns = (2 * np.cos(2 * np.pi * np.arange(length) / length) for length in (height, width))
    laplacian = rows[:, None] + columns - 4
    laplacian[0, 0] = 1  # the mean is periodic: it stays with the image
    spectrum = np.fft.fft2(jumps, axes=(0, 1)) / laplacian[:, :, None]
    spectrum[0, 0] = 0
    smooth = np.fft.ifft2(spectrum, axes=(0, 1)).real
    return (image - smooth).astype(np.float32)


def _planes(photo: FolderImage, side: int, fit: str) -> NDArray[np.uint8]:
    """uint8 (3, side, side)."""
    if fit == "pad":
        squared = Image.fromarray(square_pad(read_rgb(photo.path))).resize((side, side), Image.Resampling.LANCZOS)
        image = np.asarray(squared, np.uint8)
    else:
        image = read_rgb(photo.path, side)
    wrapped = periodic(image.astype(np.float32))
    planes: NDArray[np.uint8] = np.rint(wrapped.clip(0, 255)).astype(np.uint8).transpose(2, 0, 1)
    return planes
