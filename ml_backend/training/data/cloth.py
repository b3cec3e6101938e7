"""Photos with garment classes for the cloth U-Net: labelled street photos and single garments with mattes.

Two folder layouts are read:

* street photos: ``photos/NAME.jpg`` with ``labels/NAME.png`` (pixel value = index into ``labels.txt``, lines of
  ``index name``), the layout of Clothing Co-Parsing (Yang, Luo, Lin, CVPR 2014);
* single garments: ``photos/CLASS/NAME.jpg`` with ``mattes/CLASS/NAME.png`` (white = the garment).

Every photo is kept in memory at a fixed working size, letterboxed; its name alone decides whether it is held out.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ...errors import BadInput
from ...requests import CLOTH_CLASSES, GARMENT_CLASSES

IGNORE = 255
"""Label of pixels that nothing is known about (the letterbox); the loss skips them."""

AGREEMENT = 0.8
"""IoU of a matte with the teacher's mask below which the matte is taken to be wrong."""

Teacher = Callable[[Image.Image], NDArray[np.float32]]
"""Photo -> mask (H, W) in 0..1, how much each pixel is cloth."""

CLOTH_LABELS = tuple(GARMENT_CLASSES.index(name) for name in CLOTH_CLASSES)

STREET_CLASSES: dict[str, tuple[str, ...]] = {
    "top": ("blouse", "bodysuit", "shirt", "sweater", "sweatshirt", "t-shirt", "top", "jumper", "hoodie"),
    "outerwear": ("blazer", "cape", "cardigan", "coat", "jacket", "vest", "suit"),
    "dress": ("dress", "romper"),
    "skirt": ("skirt",),
    "trousers": ("jeans", "leggings", "pants", "shorts"),
    "other": (*("bra", "intimate", "panties", "swimwear", "gloves", "scarf", "socks", "stockings", "tie", "tights"),),
    "skin": ("skin", "hair"),
}
"""Garment class -> labels of the street photos; every other label (shoes, bags, hats, jewellery) is background."""

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


def read_garments(
    photos: Path, mattes: Path, size: tuple[int, int], *, validation: bool, teacher: Teacher | None = None
) -> ClothPhotos:
    """Single garments that have a matte, the held-out ones or the rest; ``size`` is (height, width).

    With a ``teacher``, photos without a matte come too and wear its word (self-training), and so do those whose matte
    it finds to be wrong: a few per cent of automatic mattes are.
    """
    pairs = []
    for folder, garment in GARMENT_FOLDERS.items():
        label = GARMENT_CLASSES.index(garment)
        for path in sorted((photos / folder).glob("*.jpg")):
            matte_path = mattes / folder / f"{path.stem}.png"
            if held_out(path.stem) != validation or not (matte_path.exists() or teacher):
                continue
            photo = Image.open(path).convert("RGB")
            labels = None
            if matte_path.exists():
                matte = Image.open(matte_path).convert("L").resize(photo.size, Image.Resampling.NEAREST)
                labels = np.where(np.asarray(matte) > 127, label, 0).astype(np.uint8)
            if teacher is not None:
                labels = corrected(labels, teacher(photo), label)
            if labels is not None:
                pairs.append(letterbox(photo, labels, size))
    return _stack(pairs, mattes)


def corrected(labels: NDArray[np.uint8] | None, found: NDArray[np.float32], label: int) -> NDArray[np.uint8] | None:
    """The labels of a single garment, its matte heeded where the teacher by and large agrees.

    ``found`` (H, W) is the teacher's mask in 0..1.  Else the teacher's word counts where it is sure (below 0.15, above
    0.85) and the rest is :data:`IGNORE`; a photo that it is mostly unsure of is None.
    """
    if labels is not None:
        cloth, matte = found > 0.5, labels == label
        if (cloth & matte).sum() >= AGREEMENT * (cloth | matte).sum():
            return labels
    unsure = (found > 0.15) & (found < 0.85)
    sure = found >= 0.85
    if unsure.sum() > 0.25 * sure.sum():
        return None
    return np.where(unsure, IGNORE, np.where(sure, label, 0)).astype(np.uint8)


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
    return relight(rgb, rng), classes[:, 0].round().long()


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


def dye(
    rgb: Tensor, labels: Tensor, rng: np.random.Generator, share: float, dyed: Sequence[int] = CLOTH_LABELS
) -> Tensor:
    """Dye ``share`` of the garments: (N, 3, H, W) in 0..1 keeps its light and shade, but not what colour it was.

    ``labels`` (N, H, W) int64; a garment is where one of the labels ``dyed`` is.
    """
    count = len(rgb)
    garments = np.isin(np.arange(256), dyed)
    mix = (rng.random((count, 256)) < share) * garments * rng.uniform(0.4, 1.0, (count, 256))
    colours = rng.uniform(0.2, 1.6, (count, 256, 1)) * rng.uniform(0.5, 1.5, (count, 256, 3))
    rows = torch.arange(count)[:, None, None]
    how_much = torch.from_numpy(mix.astype(np.float32))[rows, labels][:, None]
    colour = torch.from_numpy(colours.astype(np.float32))[rows, labels].permute(0, 3, 1, 2)
    grey = rgb.mean(dim=1, keepdim=True)
    return (rgb * (1 - how_much) + (grey * colour) * how_much).clamp(0, 1)


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


def relight(rgb: Tensor, rng: np.random.Generator) -> Tensor:
    """(N, 3, H, W) in 0..1 with other brightness, contrast, saturation, tint and noise."""

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (len(rgb), channels, 1, 1)).astype(np.float32))

    mean = rgb.mean(dim=(1, 2, 3), keepdim=True)
    rgb = (rgb - mean) * draw(0.65, 1.35) + mean
    grey = rgb.mean(dim=1, keepdim=True)
    rgb = grey + (rgb - grey) * draw(0.3, 1.5)
    rgb = rgb * draw(0.75, 1.25) * draw(0.92, 1.08, 3) + draw(-0.06, 0.06)
    noise = torch.from_numpy(rng.standard_normal(rgb.shape, dtype=np.float32)) * draw(0.0, 0.03)
    return (rgb + noise).clamp(0, 1)


def street_labels(path: Path) -> dict[int, str]:
    """Label index -> name, from a ``labels.txt``."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise BadInput(f"{path} cannot be read; street photos need their labels.txt.") from error
    named = (line.partition(" ") for line in filter(None, lines))
    return {int(index): name.strip() for index, _, name in named}


def street_table(path: Path) -> NDArray[np.uint8]:
    """Lookup from street label index to garment class index."""
    garment_of = {label: garment for garment, labels in STREET_CLASSES.items() for label in labels}
    table = np.zeros(256, np.uint8)
    for index, name in street_labels(path).items():
        table[index] = GARMENT_CLASSES.index(garment_of.get(name, "background"))
    return table


def _stack(pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]], folder: Path) -> ClothPhotos:
    if not pairs:
        raise BadInput(f"No photos were found in {folder}.")
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2).contiguous()
    return ClothPhotos(images, torch.from_numpy(np.stack([labels for _, labels in pairs])))
