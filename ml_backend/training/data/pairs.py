"""Low- and high-resolution pairs for super-resolution.

The high-resolution side is cut from a bank of drawn swatches, sharp at any size: as RGB in random colours, and as
three of their ink planes in place of red, green and blue, which is how generated fabrics are enlarged.  Close-ups of
real cloth may join.  The low-resolution side is made from it as the pipeline will meet it: by area or bicubic
reduction, sometimes softened (a generator's tiles are softer than a reduction) and with a little noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .bank import Bank
from .folder import FolderImage, read_rgb

F32 = NDArray[np.float32]


class Pairs:
    """Draws batches of pairs; every batch depends on the generator handed in alone.

    ``real_share`` of the samples are close-ups (none without ``real``); of the drawn half are RGB, half ink planes.
    """

    def __init__(self, bank: Bank, real: Sequence[FolderImage], *, scale: int, patch: int, real_share: float) -> None:
        self.scale, self.patch = scale, patch
        self.designs = bank.inks.reshape(-1, *bank.inks.shape[2:])
        self.palettes = bank.palettes.reshape(-1, *bank.palettes.shape[2:])
        self.real = [read_rgb(image.path) for image in real]
        self.real = [picture for picture in self.real if min(picture.shape[:2]) >= patch]
        self.real_share = real_share if self.real else 0.0

    def batch(self, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """(N,3,patch/scale,patch/scale) and (N,3,patch,patch) float32 in 0..1."""
        hr = torch.from_numpy(np.stack([self._sample(rng) for _ in range(count)]))
        return torch.cat([degrade(picture[None], self.scale, rng) for picture in hr]), hr

    def _sample(self, rng: np.random.Generator) -> F32:
        if rng.random() < self.real_share:
            picture = self.real[rng.integers(len(self.real))]
            top, left = (int(rng.integers(side - self.patch + 1)) for side in picture.shape[:2])
            cut = picture[top : top + self.patch, left : left + self.patch].transpose(2, 0, 1)
            return turn(cut.astype(np.float32) / np.float32(255), rng)
        inks = self._inks(rng)
        if rng.random() < 0.5:
            return turn(inks[rng.permutation(len(inks))[:3]], rng)
        painted: F32 = np.tensordot(self._palette(rng), inks, axes=(0, 0)).astype(np.float32)
        return turn(painted, rng)

    def _inks(self, rng: np.random.Generator) -> F32:
        """A window of a design, wrapped around; a third of them at half the size, for finer motifs."""
        design = self.designs[rng.integers(len(self.designs))]
        shrink = 2 if rng.random() < 0.33 else 1
        side, span = design.shape[-1], self.patch * shrink
        rows = (int(rng.integers(side)) + np.arange(span)) % side
        columns = (int(rng.integers(side)) + np.arange(span)) % side
        cut: F32 = design[:, rows][:, :, columns].astype(np.float32) / np.float32(255)
        if shrink == 1:
            return cut
        halved: F32 = cut.reshape(len(cut), self.patch, 2, self.patch, 2).mean(axis=(2, 4))
        return halved

    def _palette(self, rng: np.random.Generator) -> F32:
        """(inks,3) in 0..1: half the time a textile palette, else any colours at all."""
        if rng.random() < 0.5:
            return rng.random(self.palettes.shape[1:], dtype=np.float32)
        palette: F32 = self.palettes[rng.integers(len(self.palettes))]
        return palette


def turn(picture: F32, rng: np.random.Generator) -> F32:
    """One of the eight symmetries of the square, at random."""
    turned = np.rot90(picture, int(rng.integers(4)), axes=(1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if rng.random() < 0.5 else turned)


def degrade(hr: Tensor, scale: int, rng: np.random.Generator) -> Tensor:
    """(1,3,H,W) -> (1,3,H/scale,W/scale): area or bicubic reduction, half of them softened, a third noisy."""
    if rng.random() < 0.5:
        lr = F.avg_pool2d(hr, scale)
    else:
        lr = F.interpolate(hr, scale_factor=1 / scale, mode="bicubic", antialias=True)
    if rng.random() < 0.5:
        lr = soften(lr, rng.uniform(0.2, 1.1))
    if rng.random() < 0.33:
        noise = rng.standard_normal(tuple(lr.shape), dtype=np.float32) * rng.uniform(0, 0.02)
        lr = lr + torch.from_numpy(noise).to(lr)
    return lr.clamp(0, 1)


def soften(x: Tensor, sigma: float) -> Tensor:
    """A 5x5 Gaussian blur of ``sigma`` pixels with repeated borders."""
    offsets = torch.arange(-2, 3, dtype=x.dtype)
    line = torch.exp(-(offsets**2) / (2 * sigma**2))
    line = line / line.sum()
    kernel = (line[:, None] * line[None, :]).expand(x.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), kernel, groups=x.shape[1])
