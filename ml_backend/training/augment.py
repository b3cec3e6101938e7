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
from .distributed import Workers, alone

Change = Callable[[Tensor, torch.Generator, Workers], Tensor]


def shift(images: Tensor, random: torch.Generator, workers: Workers) -> Tensor:
    """Each image by any number of pixels, wrapping around."""
    height, width = images.shape[2:]
    dy = (_draw(images, random, workers) * height).long()
    dx = (_draw(images, random, workers) * width).long()
    return roll_each(images, dy, dx)


def flip(images: Tensor, random: torch.Generator, workers: Workers) -> Tensor:
    """Mirrored left to right, top to bottom, both or neither."""
    mirrored = _where(_half(images, random, workers), images.flip(3), images)
    return _where(_half(images, random, workers), mirrored.flip(2), mirrored)


def turn(images: Tensor, random: torch.Generator, workers: Workers) -> Tensor:
    """Half of them transposed; with ``flip``, all eight ways to lay a square tile."""
    return _where(_half(images, random, workers), images.transpose(2, 3), images)


def colour(images: Tensor, random: torch.Generator, workers: Workers) -> Tensor:
    """Brightness by up to 0.5, then contrast by a factor of 0.5 to 1.5, as in the paper; images are in -1..1."""
    images = images + _uniform(images, random, workers, -0.5, 0.5)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * _uniform(images, random, workers, 0.5, 1.5) + mean


CHANGES: dict[str, Change] = {"shift": shift, "flip": flip, "turn": turn, "colour": colour}


def augment(images: Tensor, policy: Sequence[str], random: torch.Generator, workers: Workers | None = None) -> Tensor:
    """Apply the named changes in order to (N, C, H, W), each image its own draw.  Raises :class:`BadInput`.

    With ``workers``, ``images`` are this worker's share of a batch; each image changes as it would in the whole batch.
    """
    workers = alone() if workers is None else workers
    for name in policy:
        if name not in CHANGES:
            raise BadInput(f"Unknown augmentation {name!r}; known: {', '.join(CHANGES)}.")
        images = CHANGES[name](images, random, workers)
    return images


def _draw(images: Tensor, random: torch.Generator, workers: Workers) -> Tensor:
    """(N,) in 0..1: the whole batch is drawn for, so that it does not matter how many workers share it."""
    drawn = torch.rand(len(images) * workers.world, generator=random)
    return workers.share(drawn).to(images.device)


def _half(images: Tensor, random: torch.Generator, workers: Workers) -> Tensor:
    return _draw(images, random, workers) < 0.5


def _where(chosen: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], yes, no)


def _uniform(images: Tensor, random: torch.Generator, workers: Workers, low: float, high: float) -> Tensor:
    return (_draw(images, random, workers) * (high - low) + low)[:, None, None, None]
