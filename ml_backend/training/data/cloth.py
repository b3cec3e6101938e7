"""Photos with garment classes for the cloth U-Net: labelled street photos and single garments with mattes.

Two folder layouts are read:

* street photos: ``photos/NAME.jpg`` with ``labels/NAME.png`` (pixel value = index into ``labels.txt``, lines of
  ``index name``), the layout of Clothing Co-Parsing (Yang, Luo, Lin, CVPR 2014);
* single garments: ``photos/CLASS/NAME.jpg`` with ``mattes/CLASS/NAME.png`` (white = the garment).

Every photo is kept in memory at a fixed working size, letterboxed; its name alone decides whether it is held out.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ...errors import BadInput
from ...requests import GARMENT_CLASSES

IGNORE = 255
"""Label of pixels that nothing is known about (the letterbox); the loss skips them."""

STREET_CLASSES: dict[str, tuple[str, ...]] = {
    "top": ("blouse", "bodysuit", "shirt", "sweater", "sweatshirt", "t-shirt", "top", "jumper", "hoodie"),
    "outerwear": ("blazer", "cape", "cardigan", "coat", "jacket", "vest", "suit"),
    "dress": ("dress", "romper"),
    "skirt": ("skirt",),
    "trousers": ("jeans", "leggings", "pants", "shorts"),
    "other": (
        *("bra", "intimate", "panties", "swimwear", "gloves", "hat", "scarf", "socks", "stockings", "tie", "tights"),
    ),
    "skin": ("skin", "hair"),
}
"""Garment class -> labels of the street photos; every other label (shoes, bags, jewellery) is background."""

GARMENT_FOLDERS = {
    "dress": "dress",
    "longsleeve": "top",
    "outwear": "outerwear",
    "pants": "trousers",
    "shirt": "top",
    "shorts": "trousers",
    "skirt": "skirt",
    "t-shirt": "top",
}
"""Folder of single-garment photos -> garment class."""


@dataclass(frozen=True)
class ClothPhotos:
    """``images`` (N, 3, H, W) uint8 and ``labels`` (N, H, W) uint8 class maps, :data:`IGNORE` outside the photo."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)


def held_out(name: str, every: int = 10) -> bool:
    """Whether the photo of that name is kept out of training: about one in ``every``, by the name alone."""
    return zlib.crc32(name.encode()) % every == 0


def read_street(folder: Path, size: tuple[int, int], *, validation: bool) -> ClothPhotos:
    """Labelled street photos, the held-out ones or the rest; ``size`` is (height, width)."""
    table = street_table(folder / "labels.txt")
    pairs = []
    for photo in sorted((folder / "photos").glob("*.jpg")):
        if held_out(photo.stem) != validation:
            continue
        labels = table[np.asarray(Image.open(folder / "labels" / f"{photo.stem}.png"))]
        pairs.append(letterbox(Image.open(photo).convert("RGB"), labels, size))
    return _stack(pairs, folder)


def read_garments(photos: Path, mattes: Path, size: tuple[int, int], *, validation: bool) -> ClothPhotos:
    """Single garments that have a matte, the held-out ones or the rest; ``size`` is (height, width)."""
    pairs = []
    for folder, garment in GARMENT_FOLDERS.items():
        for matte_path in sorted((mattes / folder).glob("*.png")):
            if held_out(matte_path.stem) != validation:
                continue
            photo = Image.open(photos / folder / f"{matte_path.stem}.jpg").convert("RGB")
            matte = Image.open(matte_path).convert("L").resize(photo.size, Image.Resampling.NEAREST)
            labels = np.where(np.asarray(matte) > 127, GARMENT_CLASSES.index(garment), 0).astype(np.uint8)
            pairs.append(letterbox(photo, labels, size))
    return _stack(pairs, mattes)


def letterbox(
    photo: Image.Image, labels: NDArray[np.uint8], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Photo and class map scaled to fit (height, width), centred; the rest is mid-grey and :data:`IGNORE`."""
    height, width = size
    scale = min(height / photo.height, width / photo.width)
    fitted = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    left, top = (width - fitted[0]) // 2, (height - fitted[1]) // 2
    image = np.full((height, width, 3), 128, np.uint8)
    classes = np.full((height, width), IGNORE, np.uint8)
    window = (slice(top, top + fitted[1]), slice(left, left + fitted[0]))
    image[window] = np.asarray(photo.resize(fitted, Image.Resampling.LANCZOS))
    classes[window] = np.asarray(Image.fromarray(labels).resize(fitted, Image.Resampling.NEAREST))
    return image, classes


def augment(
    images: Tensor,
    labels: Tensor,
    rng: np.random.Generator,
    *,
    size: tuple[int, int] | None = None,
    scale: tuple[float, float] = (0.7, 1.45),
) -> tuple[Tensor, Tensor]:
    """A batch, moved and relit: (N, 3, H, W) uint8 and (N, H, W) uint8 -> float 0..1 and int64.

    Flip, turn (15 degrees), ``scale``, shift (12 %), then brightness, contrast, saturation, tint and noise, so that
    neither a pose nor a camera's colours can be learnt by heart.  ``size`` (height, width) of the result is (H, W)
    unless given; other proportions squash the photo.
    """
    count = len(images)
    rgb, classes = images.float() / 255, labels.float()[:, None]
    theta = _affine(rng, count, rgb.shape[-2] / rgb.shape[-1], scale)
    grid = F.affine_grid(theta, [count, 3, *(size or rgb.shape[-2:])], align_corners=False)
    rgb = F.grid_sample(rgb - 0.5, grid, mode="bilinear", align_corners=False) + 0.5
    # Class indices do not interpolate; the shift makes zero padding mean IGNORE: outside the photo nothing is known.
    classes = F.grid_sample(classes - IGNORE, grid, mode="nearest", align_corners=False) + IGNORE
    return _relight(rgb, rng), classes[:, 0].round().long()


def on_plain_ground(images: Tensor, labels: Tensor, rng: np.random.Generator, share: float = 0.4) -> Tensor:
    """Some single garments (N, 3, H, W) uint8 moved onto an even ground, softly graded, half of them nearly white.

    Shop pictures look like that, and amateurs' photos hardly ever do.
    """
    height, width = images.shape[-2:]
    chosen = torch.from_numpy(rng.random(len(images)) < share)
    tone = rng.uniform(0, 255, (len(images), 3, 1, 1))
    white = rng.uniform(225, 255, (len(images), 1, 1, 1)) + rng.uniform(-6, 6, tone.shape)
    tone = np.where(rng.random((len(images), 1, 1, 1)) < 0.5, white, tone)
    slope = rng.uniform(-12, 12, (2, len(images), 1, 1, 1))
    ramp = slope[0] * np.linspace(-1, 1, height)[:, None] + slope[1] * np.linspace(-1, 1, width)
    ground = torch.from_numpy((tone + ramp).clip(0, 255).astype(np.float32))
    garment = F.avg_pool2d((labels != 0).float()[:, None], 3, stride=1, padding=1)
    moved = (images * garment + ground * (1 - garment)).round().to(torch.uint8)
    return torch.where(chosen[:, None, None, None], moved, images)


def _affine(rng: np.random.Generator, count: int, aspect: float, scale: tuple[float, float]) -> Tensor:
    """Random similarity transforms (N, 2, 3) in ``affine_grid``'s coordinates; ``aspect`` is height / width."""
    angle = np.radians(rng.uniform(-15, 15, count) * (rng.random(count) < 0.5))
    zoom = np.exp(rng.uniform(np.log(1 / scale[1]), np.log(1 / scale[0]), count))
    flip = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0, 0] = np.cos(angle) * zoom * flip
    theta[:, 0, 1] = -np.sin(angle) * zoom * aspect
    theta[:, 1, 0] = np.sin(angle) * zoom * flip / aspect
    theta[:, 1, 1] = np.cos(angle) * zoom
    theta[:, :, 2] = rng.uniform(-0.24, 0.24, (count, 2))
    return torch.from_numpy(theta)


def _relight(rgb: Tensor, rng: np.random.Generator) -> Tensor:
    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (len(rgb), channels, 1, 1)).astype(np.float32))

    mean = rgb.mean(dim=(1, 2, 3), keepdim=True)
    rgb = (rgb - mean) * draw(0.65, 1.35) + mean
    grey = rgb.mean(dim=1, keepdim=True)
    rgb = grey + (rgb - grey) * draw(0.3, 1.5)
    rgb = rgb * draw(0.75, 1.25) * draw(0.92, 1.08, 3) + draw(-0.06, 0.06)
    noise = torch.from_numpy(rng.standard_normal(rgb.shape, dtype=np.float32)) * draw(0.0, 0.03)
    return (rgb + noise).clamp(0, 1)


def street_table(path: Path) -> NDArray[np.uint8]:
    """Lookup from street label index to garment class index."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise BadInput(f"{path} cannot be read; street photos need their labels.txt.") from error
    garment_of = {label: garment for garment, labels in STREET_CLASSES.items() for label in labels}
    table = np.zeros(256, np.uint8)
    for line in filter(None, lines):
        index, _, name = line.partition(" ")
        table[int(index)] = GARMENT_CLASSES.index(garment_of.get(name.strip(), "background"))
    return table


def _stack(pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]], folder: Path) -> ClothPhotos:
    if not pairs:
        raise BadInput(f"No photos were found in {folder}.")
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2).contiguous()
    return ClothPhotos(images, torch.from_numpy(np.stack([labels for _, labels in pairs])))
