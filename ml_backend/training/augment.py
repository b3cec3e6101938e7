"""Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020.

Real and generated images pass the same random changes before the discriminator sees them, and gradients flow back
through them.  Translation wraps around here: a fabric has no border, so every shift of a tile is the same fabric and
the generator need not learn where a motif sits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..errors import BadInput
from ..networks.wrap import roll_each

Change = Callable[[Tensor, torch.Generator], Tensor]


def shift(images: Tensor, random: torch.Generator) -> Tensor:
    """Each image by any number of pixels, wrapping around."""
    count, _, height, width = images.shape
    dy = torch.randint(height, (count,), generator=random).to(images.device)
    dx = torch.randint(width, (count,), generator=random).to(images.device)
    return roll_each(images, dy, dx)


def flip(images: Tensor, random: torch.Generator) -> Tensor:
    """Mirrored left to right, top to bottom, both or neither."""
    return _where(_half(images, random), images.flip(2), _where(_half(images, random), images.flip(3), images))


def turn(images: Tensor, random: torch.Generator) -> Tensor:
    """Half of them transposed; with ``flip``, all eight ways to lay a square tile."""
    return _where(_half(images, random), images.transpose(2, 3), images)


def colour(images: Tensor, random: torch.Generator) -> Tensor:
    """Brightness by up to 0.5, then contrast by a factor of 0.5 to 1.5, as in the paper; images are in -1..1."""
    images = images + _uniform(images, random, -0.5, 0.5)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * _uniform(images, random, 0.5, 1.5) + mean


CHANGES: dict[str, Change] = {"shift": shift, "flip": flip, "turn": turn, "colour": colour}


def augment(images: Tensor, policy: Sequence[str], random: torch.Generator) -> Tensor:
    """Apply the named changes in order to (N, C, H, W), each image its own draw.  Raises :class:`BadInput`."""
    for name in policy:
        if name not in CHANGES:
            raise BadInput(f"Unknown augmentation {name!r}; known: {', '.join(CHANGES)}.")
        images = CHANGES[name](images, random)
    return images


def _half(images: Tensor, random: torch.Generator) -> Tensor:
    return (torch.rand(images.shape[0], generator=random) < 0.5).to(images.device)


def _where(chosen: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], yes, no)


def _uniform(images: Tensor, random: torch.Generator, low: float, high: float) -> Tensor:
    drawn = torch.rand(images.shape[0], 1, 1, 1, generator=random)
    return (drawn * (high - low) + low).to(images.device)
