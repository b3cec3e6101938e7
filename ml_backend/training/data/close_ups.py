"""Close-ups of real cloth by the name of their folder, for telling pattern types apart.

A folder bears the name of a pattern type or another word for it; plain cloth is welcome too, as an example of none.
Folders of other names are passed over.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...errors import BadInput
from ...requests import PATTERN_TYPES
from ...swatches import TYPES
from .folder import FolderImage, Split, list_images, read_rgb
from .pairs import turn

F32 = NDArray[np.float32]

_NAMED = {called: name for name, kind in TYPES.items() for called in (name, *kind.folders)}
"""A folder's name -> the pattern type that it holds."""
PLAIN = ("solid", "plain")
"""Names of cloth without a pattern."""
SMALLEST = 0.5
"""Smallest side of a window, as a share of its picture's; a smaller one may show no motif at all."""


def type_of(image: FolderImage) -> str | None:
    """The pattern type that an image's folder names, or None."""
    return _NAMED.get(image.label)


class CloseUps:
    """The close-ups of ``folder`` that are on one side of its split.  Raises :class:`BadInput` when none is usable."""

    def __init__(self, folder: Path | str, split: Split) -> None:
        found = [image for image in list_images(folder, split) if type_of(image) or image.label in PLAIN]
        self.types = [type_of(image) for image in found]
        if not any(self.types):
            raise BadInput(f"{folder} holds no close-ups of a known pattern type on this side of its split.")
        self.pictures = [read_rgb(image.path) for image in found]
        groups = dict.fromkeys(self.types)
        self.by_type = [[at for at, name in enumerate(self.types) if name == group] for group in groups]

    def batch(self, rng: np.random.Generator, count: int, size: int) -> tuple[Tensor, Tensor]:
        """Windows (N,3,size,size) in 0..1 and shares of the types (N,T); every type equally often.

        Half of them have their colour channels exchanged: a camera's cast, or few cloths, say nothing of the pattern.
        """
        pictures, shares = [], []
        for _ in range(count):
            group = self.by_type[rng.integers(len(self.by_type))]
            at = group[rng.integers(len(group))]
            pictures.append(_window(self.pictures[at], size, rng))
            shares.append(_shares(self.types[at]))
        return torch.from_numpy(np.stack(pictures)), torch.stack(shares)

    def whole(self, size: int) -> tuple[Tensor, Tensor]:
        """Central squares (N,3,size,size) in 0..1 of all pictures of a type, and their labels (N,)."""
        known = [(picture, name) for picture, name in zip(self.pictures, self.types, strict=True) if name]
        squares = [_resized(_square(picture), size) for picture, _ in known]
        labels = [PATTERN_TYPES.index(name) for _, name in known]
        return torch.from_numpy(np.stack(squares)), torch.tensor(labels)


def _shares(name: str | None) -> Tensor:
    if name is None:
        return torch.full((len(PATTERN_TYPES),), 1 / len(PATTERN_TYPES))
    return torch.eye(len(PATTERN_TYPES))[PATTERN_TYPES.index(name)]


def _window(picture: NDArray[np.uint8], size: int, rng: np.random.Generator) -> F32:
    side = round(min(picture.shape[:2]) * rng.uniform(SMALLEST, 1.0))
    top, left = (int(rng.integers(length - side + 1)) for length in picture.shape[:2])
    window = turn(_resized(picture[top : top + side, left : left + side], size), rng)
    lit = window * np.exp(rng.normal(0, 0.2)).astype(np.float32)
    seen: F32 = (lit[rng.permutation(3)] if rng.random() < 0.5 else lit).clip(0, 1)
    return seen


def _square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def _resized(square: NDArray[np.uint8], size: int) -> F32:
    """(side,side,3) uint8 -> (3,size,size) float32 in 0..1."""
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.BOX)
    made: F32 = np.asarray(resized, np.float32).transpose(2, 0, 1) / np.float32(255)
    return made
