"""A bank of drawn designs, made once and mixed with fresh palettes at every step.

Drawing a design takes milliseconds, which is too slow inside a training loop on a small machine; colouring a stored one
does not.  Seeds below ``HELD_OUT_SEED`` are for training, those from it upward for measuring.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...inks import palette_from_seed
from ...networks.dcgan import compose
from ...requests import PATTERN_TYPES
from .swatches import draw_inks

HELD_OUT_SEED = 1_000_000
PALETTES = 400
"""Palettes per pattern type."""


@dataclass(frozen=True)
class Bank:
    """``inks`` uint8 (T, N, K, S, S), coverage 0..255; ``palettes`` float32 (T, P, K, 3), sRGB 0..1; T pattern types."""

    inks: NDArray[np.uint8]
    palettes: NDArray[np.float32]

    def colour(self, labels: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """For each label a random design in a random palette: RGB (N, 3, S, S) in -1..1 and the palettes (N, K, 3)."""
        designs = self.inks[labels, rng.integers(0, self.inks.shape[1], len(labels))]
        palettes = torch.from_numpy(self.palettes[labels, rng.integers(0, self.palettes.shape[1], len(labels))])
        return compose(torch.from_numpy(designs).float() / 255, palettes), palettes


def draw_bank(count: int, size: int, inks: int, *, first_seed: int = 0, cache: Path | None = None) -> Bank:
    """``count`` designs of every pattern type at ``size`` px; ``cache`` is a .npy file to read from or to leave behind."""
    palettes = np.stack([palette_bank(pattern_type, inks, first_seed) for pattern_type in PATTERN_TYPES])
    if cache is not None and cache.exists():
        return Bank(np.load(cache), palettes)
    drawn = np.empty((len(PATTERN_TYPES), count, inks, size, size), np.uint8)
    for label, pattern_type in enumerate(PATTERN_TYPES):
        for index in range(count):
            coverage = draw_inks(pattern_type, first_seed + index, size, inks=inks)
            drawn[label, index] = np.rint(coverage * 255).astype(np.uint8)
    if cache is not None:
        np.save(cache, drawn)
    return Bank(drawn, palettes)


def palette_bank(pattern_type: str, inks: int, first_seed: int) -> NDArray[np.float32]:
    """(PALETTES, inks, 3) float32 in 0..1: the palettes that seeds of this type choose."""
    return np.stack([rgb(palette_from_seed(pattern_type, first_seed + index, inks)) for index in range(PALETTES)])


def rgb(palette: tuple[str, ...]) -> NDArray[np.float32]:
    """Hex colours -> (K, 3) float32 in 0..1."""
    values = [[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for colour in palette]
    return np.asarray(values, np.float32) / 255
