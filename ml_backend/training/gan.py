"""What the recipes of generators have in common: plans of batches, losses, contact sheets."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..requests import PATTERN_TYPES

SHEET_ROWS = 8

PROOF = ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.8, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0))
"""The palette of colour proofs: far-apart colours, in which every ink can be seen."""


def draw_types(batch: int, group: int, shares: tuple[float, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """(batch,) pattern types in runs of ``group``, each type as often as its share says (systematic sampling).

    No shares: all alike.
    """
    weights = np.asarray(shares or (1.0,) * len(PATTERN_TYPES))
    groups = batch // group
    points = (rng.random() + np.arange(groups)) / groups
    types = np.searchsorted(np.cumsum(weights / weights.sum()), points, side="right")
    return np.repeat(np.minimum(types, len(PATTERN_TYPES) - 1), group).astype(np.int64)


def cross_entropy_of_inks(painted: Tensor, target: Tensor) -> Tensor:
    """Of soft inks (N, K, H, W) against real ones, the mean over pixels."""
    return -(target * (painted + 1e-5).log()).sum(dim=1).mean()


def logistic(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of logits against all-real or all-generated (Goodfellow et al. 2014, non-saturating)."""
    return F.softplus(-logits if real else logits).mean()


def gradient_penalty(images: Tensor, logits: Tensor) -> Tensor:
    """R1: the mean squared norm of the discriminator's gradient at real images (Mescheder et al. 2018)."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def contact_sheet(columns: list[Tensor]) -> Image.Image:
    """One column of RGB tiles (N, 3, S, S) in -1..1 a pattern type, each tile repeated 2x2."""
    tall = [torch.cat(list(F.pad(rgb.repeat(1, 1, 2, 2), (2, 2, 2, 2), value=1.0)), dim=1) for rgb in columns]
    pixels = (torch.cat(tall, dim=2) * 127.5 + 127.5).round().clamp(0, 255).byte()
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
