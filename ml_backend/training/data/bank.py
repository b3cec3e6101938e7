"""A bank of drawn designs, made once and mixed with fresh palettes at every step.

Drawing a design takes milliseconds, which is too slow inside a training loop on a small machine; colouring a stored one
does not.  Seeds below ``HELD_OUT_SEED`` are for training, those from it upward for measuring.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...inks import palette_from_seed
from ...networks.dcgan import compose
from ...requests import PATTERN_TYPES
from ...swatches import draw_inks

HELD_OUT_SEED = 1_000_000
PALETTES = 150
"""Palettes per pattern type."""


@dataclass(frozen=True)
class Bank:
    """Of T pattern types: ``inks`` uint8 (T, N, K, S, S), coverage 0..255; ``palettes`` float32 (T, P, K, 3), 0..1."""

    inks: NDArray[np.uint8]
    palettes: NDArray[np.float32]

    def colour(self, labels: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """For each label a random design in a random palette: RGB (N, 3, S, S) in -1..1 and the palettes (N, K, 3)."""
        palettes = torch.from_numpy(self.palettes[labels, rng.integers(0, self.palettes.shape[1], len(labels))])
        return compose(self.coverage(labels, rng.integers(0, self.inks.shape[1], len(labels))), palettes), palettes

    def coverage(self, labels: NDArray[np.int64], designs: NDArray[np.int64]) -> Tensor:
        """Ink coverage (N, K, S, S), float32 0..1, of the designs of those numbers."""
        return torch.from_numpy(self.inks[labels, designs]).float() / 255


def draw_bank(count: int, size: int, inks: int, *, first_seed: int = 0, cache: Path | None = None) -> Bank:
    """``count`` designs of every pattern type at ``size`` px; ``cache`` is a .npy file to read or to leave behind."""
    palettes = np.stack([palette_bank(pattern_type, inks, first_seed, PALETTES) for pattern_type in PATTERN_TYPES])
    if cache is not None and cache.exists():
        return Bank(np.load(cache), palettes)
    drawn = np.empty((len(PATTERN_TYPES), count, inks, size, size), np.uint8)
    for label, pattern_type in enumerate(PATTERN_TYPES):
        for index in range(count):
            coverage = draw_inks(pattern_type, first_seed + index, size, inks=inks)
            drawn[label, index] = np.rint(coverage * 255).astype(np.uint8)
    if cache is not None:
        partial = cache.with_suffix(".partial.npy")  # a kill while writing leaves no half bank behind
        np.save(partial, drawn)
        partial.replace(cache)
    return Bank(drawn, palettes)


def boldest(bank: Bank, count: int) -> Bank:
    """The ``count`` designs of each type that lose least when halved: a small tile cannot show fine lines anyway."""
    kept = []
    for designs in bank.inks:
        coverage = designs.astype(np.float32)
        halved = (coverage[..., ::2, :] + coverage[..., 1::2, :]) / 2
        halved = (halved[..., ::2] + halved[..., 1::2]) / 2
        lost = coverage - halved.repeat(2, axis=2).repeat(2, axis=3)
        share = lost.var(axis=(2, 3)).sum(axis=1) / (coverage.var(axis=(2, 3)).sum(axis=1) + 1e-6)
        kept.append(designs[np.sort(share.argsort(kind="stable")[:count])])
    return Bank(np.stack(kept), bank.palettes)


def centred(bank: Bank) -> Bank:
    """The bank with each design shifted so that its largest motif lies in the middle: like designs then look alike."""
    side = bank.inks.shape[-1]
    sigma = side / 20  # of the Gaussian that finds the middle of a motif, in pixels
    spread = np.exp(-0.5 * np.square(2 * np.pi * np.fft.fftfreq(side) * sigma))
    blur = spread[:, None] * spread[None, : side // 2 + 1]
    moved = np.empty_like(bank.inks)
    for label, designs in enumerate(bank.inks):
        for index, inks in enumerate(designs):
            printed = np.fft.irfft2(np.fft.rfft2(255.0 - inks[0]) * blur, s=(side, side))
            row, column = np.unravel_index(int(printed.argmax()), printed.shape)
            moved[label, index] = np.roll(inks, (side // 2 - int(row), side // 2 - int(column)), axis=(1, 2))
    return Bank(moved, bank.palettes)


def shrunk(bank: Bank, side: int) -> Bank:
    """The bank at ``side`` px, areas averaged; the side of its designs is a multiple of it."""
    factor = bank.inks.shape[-1] // side
    if factor == 1:
        return bank
    small = np.empty((*bank.inks.shape[:3], side, side), np.uint8)
    for label, designs in enumerate(bank.inks):
        rows = designs.reshape(*designs.shape[:2], side, factor, side, factor)
        small[label] = np.rint(rows.mean(axis=(3, 5), dtype=np.float32))
    return Bank(small, bank.palettes)


def spectral_codes(bank: Bank, length: int) -> Tensor:
    """(T, N, length) first codes: whitened principal components of each type's log spectra.

    Spectra do not care where a motif lies, so stripes of one width or dots of one grid start out as neighbours.
    ``length`` must not exceed N.
    """
    count = bank.inks.shape[1]
    codes = []
    for designs in bank.inks:
        spectra = np.abs(np.fft.rfft2(designs.astype(np.float32) / 255))[:, :, :24, :24].reshape(count, -1)
        logs = np.log1p(spectra)
        components, _, _ = np.linalg.svd(logs - logs.mean(axis=0), full_matrices=False)
        codes.append(components[:, :length] * np.sqrt(count))
    return torch.from_numpy(np.stack(codes).astype(np.float32))


@cache
def palette_bank(pattern_type: str, inks: int, first_seed: int, count: int) -> NDArray[np.float32]:
    """(count, inks, 3) float32 in 0..1: the palettes that seeds of this type choose."""
    return np.stack([rgb(palette_from_seed(pattern_type, first_seed + index, inks)) for index in range(count)])


def rgb(palette: tuple[str, ...]) -> NDArray[np.float32]:
    """Hex colours -> (K, 3) float32 in 0..1."""
    values = [[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for colour in palette]
    return np.asarray(values, np.float32) / np.float32(255)
