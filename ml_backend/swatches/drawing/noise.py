"""Smooth random fields that are periodic on the tile: sums of Fourier modes with whole wave numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...lattices import BASIC, Lattice
from .cloth import F32, F64, Floats

_TAU = 2 * math.pi


@dataclass(frozen=True)
class Noise:
    """About unit variance: ``sum_m amount_m * cos(2 pi (kx_m x + ky_m y) + phase_m)``."""

    kx: F32
    ky: F32
    amount: F32
    phase: F32

    def __call__(self, x: Floats, y: Floats) -> F32:
        """The field at x, y (broadcast).  A plain grid, x (1, w) and y (h, 1), takes the quick separable road."""
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
        if x.ndim == y.ndim == 2 and x.shape[1] == 1 and y.shape[0] == 1:
            return Noise(self.ky, self.kx, self.amount, self.phase)(y, x)
        if x.ndim == y.ndim == 2 and x.shape[0] == 1 and y.shape[1] == 1:
            across = np.float32(_TAU) * x[0] * self.kx[:, None]
            down = np.float32(_TAU) * y[:, 0] * self.ky[:, None] + self.phase[:, None]
            # cos(a + b) = cos a cos b - sin a sin b; einsum, for a threaded matrix product this small costs more
            left = np.concatenate([self.amount[:, None] * np.cos(down), -self.amount[:, None] * np.sin(down)])
            right = np.concatenate([np.cos(across), np.sin(across)])
            waves: F32 = np.einsum("mh,mw->hw", left, right)
            return waves
        field = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
        for kx, ky, amount, phase in zip(self.kx, self.ky, self.amount, self.phase, strict=True):
            field += amount * np.cos(np.float32(_TAU * kx) * x + (np.float32(_TAU * ky) * y + phase))
        return field

    def threshold(self, share: float) -> float:
        """The value that the field exceeds on ``share`` of the tile."""
        grid = ((np.arange(96) + 0.5) / 96).astype(np.float32)
        return float(np.quantile(self(grid[None, :], grid[:, None]), 1 - share))


def _noise(rng: np.random.Generator, waves: F64, weights: F64, lattice: Lattice = BASIC) -> Noise:
    amount = weights * rng.uniform(0.5, 1.0, len(weights))
    amount = amount * math.sqrt(2.0 / float(np.sum(amount**2)))
    phase = rng.uniform(0, _TAU, len(weights))
    if not lattice.plain:
        waves = np.array([lattice.wave(int(kx), int(ky)) for kx, ky in waves], np.float64)
    kx, ky = waves[:, 0].astype(np.float32), waves[:, 1].astype(np.float32)
    return Noise(kx, ky, amount.astype(np.float32), phase.astype(np.float32))


def smooth(
    rng: np.random.Generator,
    low: float,
    high: float,
    fall: float = 1.0,
    modes: int = 24,
    lattice: Lattice = BASIC,
) -> Noise:
    """Isotropic noise of wave numbers ``low``..``high`` a tile, weights falling as ``k ** -fall``.

    On a ``lattice`` the waves are the nearest that repeat as it does; so with the others here.
    """
    reach = math.ceil(high)
    grid = np.array([(i, j) for i in range(reach + 1) for j in range(-reach, reach + 1) if i > 0 or j > 0], np.float64)
    size = np.hypot(grid[:, 0], grid[:, 1])
    inside = (size >= low) & (size <= high)
    grid, size = grid[inside], size[inside]
    chosen = rng.permutation(len(grid))[:modes]
    return _noise(rng, grid[chosen], size[chosen] ** -fall, lattice)


def streaks(
    rng: np.random.Generator, wave: tuple[int, int], spread: float, modes: int = 24, lattice: Lattice = BASIC
) -> Noise:
    """Noise whose waves gather about one wave vector: stripes that wander, fork and end, as a zebra's do."""
    grid = np.round(rng.normal(np.array(wave, np.float64), spread, (modes * 2, 2)))
    centre = np.hypot(*wave)
    size = np.hypot(grid[:, 0], grid[:, 1])
    grid = np.unique(grid[(size > 0.55 * centre) & (size < 1.6 * centre)], axis=0)
    away = np.hypot(grid[:, 0] - wave[0], grid[:, 1] - wave[1])
    chosen = rng.permutation(len(grid))[:modes]
    return _noise(rng, grid[chosen], np.exp(-((away[chosen] / (2 * spread)) ** 2)), lattice)


def brushed(rng: np.random.Generator, fine: int, slow: int, modes: int = 24) -> Noise:
    """Bristle marks: wave numbers up to ``fine`` along x and up to ``slow`` along y."""
    kx, ky = rng.integers(0, fine + 1, modes * 2), rng.integers(-slow, slow + 1, modes * 2)
    waves = np.unique(np.stack([kx, ky], axis=1), axis=0).astype(np.float64)
    waves = waves[(waves != 0).any(axis=1)]
    chosen = waves[rng.permutation(len(waves))[:modes]]
    return _noise(rng, chosen, np.ones(len(chosen)))
