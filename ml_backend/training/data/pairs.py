"""Low- and high-resolution pairs for super-resolution.

The high-resolution side is cut from a bank of drawn swatches, sharp at any size: as RGB in random colours, and as
three of their ink planes in place of red, green and blue, which is how generated fabrics are enlarged.  Close-ups of
real cloth may join, in other colours and sizes.  The low-resolution side is made from it as the pipeline will meet it:
by area or bicubic reduction, sometimes softened (a generator's tiles are softer than a reduction) and with a little
noise; some ink planes as a generator would have painted them, some pictures as a poor camera would have taken them.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from .bank import Bank
from .folder import FolderImage, read_rgb

F32 = NDArray[np.float32]


class Pairs:
    """Draws batches of pairs; every pair depends on the generator handed in and its place in the batch alone.

    ``real_share`` of the samples are close-ups, where there are any; of the drawn half are RGB, half ink planes.
    ``dream_share`` of the ink planes are :func:`dreamlike`, ``poor_share`` of all pictures are :func:`poorly_taken`;
    the others are reduced by :func:`degrade`.
    """

    def __init__(
        self,
        bank: Bank,
        real: Sequence[FolderImage],
        *,
        scale: int,
        patch: int,
        real_share: float,
        dream_share: float = 0.0,
        poor_share: float = 0.0,
    ) -> None:
        self.scale, self.patch = scale, patch
        self.designs = bank.inks.reshape(-1, *bank.inks.shape[2:])
        self.palettes = bank.palettes.reshape(-1, *bank.palettes.shape[2:])
        self.real = [read_rgb(image.path) for image in real]
        self.real = [picture for picture in self.real if min(picture.shape[:2]) >= patch]
        self.real_share = real_share
        self.dream_share, self.poor_share = dream_share, poor_share

    def batch(
        self,
        rng: np.random.Generator,
        count: int,
        part: slice = slice(None),
        pictures: Sequence[NDArray[np.uint8]] = (),
    ) -> tuple[Tensor, Tensor]:
        """Of ``count`` pairs those in ``part``: (N,3,patch/scale,patch/scale) and (N,3,patch,patch) in 0..1.

        ``pictures`` are close-ups (H,W,3) for this part, in place of those from the folder: each serves as many
        neighbouring pairs as the others.  One that is smaller than a patch serves none.
        """
        generators = rng.spawn(count)[part]
        pairs = []
        for place, own in enumerate(generators):
            picture = pictures[place * len(pictures) // len(generators)] if len(pictures) else None
            pairs.append(self._pair(own, picture))
        return torch.cat([lr for lr, _ in pairs]), torch.cat([hr for _, hr in pairs])

    def _pair(self, rng: np.random.Generator, picture: NDArray[np.uint8] | None) -> tuple[Tensor, Tensor]:
        """(1,3,p,p) and (1,3,P,P)."""
        if rng.random() < self.real_share:
            if picture is None and self.real:
                picture = self.real[rng.integers(len(self.real))]
            if picture is not None and min(picture.shape[:2]) >= self.patch:
                return self._reduced(self._close_up(picture, rng), rng)
        inks = turn(self._inks(rng), rng)
        if rng.random() < 0.5:
            painted = np.tensordot(self._palette(rng), inks, axes=(0, 0)).astype(np.float32)
            return self._reduced(painted, rng)
        three = rng.permutation(len(inks))[:3]
        hr = torch.from_numpy(inks)[None]
        if rng.random() < self.dream_share:
            return dreamlike(hr, self.scale, rng)[:, three], hr[:, three]
        return degrade(hr[:, three], self.scale, rng), hr[:, three]

    def _reduced(self, picture: F32, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        hr = torch.from_numpy(picture)[None]
        poor = rng.random() < self.poor_share
        return (poorly_taken if poor else degrade)(hr, self.scale, rng), hr

    def _close_up(self, picture: NDArray[np.uint8], rng: np.random.Generator) -> F32:
        """A window of a close-up; half of them reduced first, for finer threads, half in other colours."""
        largest = min(2.0, min(picture.shape[:2]) / self.patch)
        shrink = rng.uniform(1.0, largest) if rng.random() < 0.5 else 1.0
        span = round(self.patch * shrink)
        top, left = (int(rng.integers(side - span + 1)) for side in picture.shape[:2])
        cut = picture[top : top + span, left : left + span]
        if span != self.patch:
            whole = Image.fromarray(cut)
            cut = np.asarray(whole.resize((self.patch, self.patch), Image.Resampling.LANCZOS))
        window = turn(cut.transpose(2, 0, 1).astype(np.float32) / np.float32(255), rng)
        return window[rng.permutation(3)] if rng.random() < 0.5 else window

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
    """(1,3,H,W) -> (1,3,H/scale,W/scale): area or bicubic reduction, a third of them softened, a quarter noisy."""
    if rng.random() < 0.5:
        lr = F.avg_pool2d(hr, scale)
    else:
        lr = F.interpolate(hr, scale_factor=1 / scale, mode="bicubic", antialias=True)
    if rng.random() < 0.33:
        lr = soften(lr, rng.uniform(0.2, 1.1))
    if rng.random() < 0.25:
        noise = rng.standard_normal(tuple(lr.shape), dtype=np.float32) * rng.uniform(0, 0.02)
        lr = lr + torch.from_numpy(noise).to(lr)
    return lr.clamp(0, 1)


def poorly_taken(hr: Tensor, scale: int, rng: np.random.Generator) -> Tensor:
    """(1,3,H,W) -> (1,3,H/scale,W/scale) as from a poor camera: blurred, reduced, noisy, stored as JPEG.

    One round of the degradation of Real-ESRGAN (Wang et al. 2021), milder: restoring what a fabric's own weave may be
    does more harm than leaving a flaw.
    """
    lr = F.avg_pool2d(soften(hr, rng.uniform(0.3, 0.45) * scale), scale)
    noise = rng.standard_normal(tuple(lr.shape), dtype=np.float32) * rng.uniform(0, 0.03)
    lr = (lr + torch.from_numpy(noise)).clamp(0, 1)
    stored = BytesIO()
    pixels = (lr[0].permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(pixels).save(stored, "JPEG", quality=int(rng.integers(50, 96)))
    opened = np.asarray(Image.open(stored), np.float32).transpose(2, 0, 1) / np.float32(255)
    return torch.from_numpy(opened)[None]


def dreamlike(inks: Tensor, scale: int, rng: np.random.Generator) -> Tensor:
    """(1,K,H,W) that sums to 1 -> (1,K,H/scale,W/scale) as a generator paints it: borders astray, undecided, uneven.

    Each pixel of the reduction is taken from up to about half a pixel beside its place, and its logits, flattened or
    sharpened, carry a smooth disturbance.  What a generator meant is the straight, decided design.
    """
    lr = F.avg_pool2d(inks, scale)
    side = lr.shape[-1]
    astray = _smooth_noise(2, side, rng.uniform(0.8, 2.5), rng) * rng.uniform(0.0, 0.45) * (2 / side)
    line = (torch.arange(side) + 0.5) * (2 / side) - 1
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)[None] + astray.permute(0, 2, 3, 1)
    moved = F.grid_sample(lr, grid, mode="bilinear", padding_mode="border", align_corners=False)
    logits = moved.clamp(min=0.01).log() * rng.uniform(0.7, 1.2)
    disturbed = logits + _smooth_noise(lr.shape[1], side, rng.uniform(0.6, 2.0), rng) * rng.uniform(0.0, 0.6)
    return disturbed.softmax(dim=1)


def _smooth_noise(channels: int, side: int, sigma: float, rng: np.random.Generator) -> Tensor:
    """(1,channels,side,side) of deviation about 1, correlated over ``sigma`` pixels."""
    noise = soften(torch.from_numpy(rng.standard_normal((1, channels, side, side), dtype=np.float32)), sigma)
    return noise / noise.std().clamp(min=1e-6)


def soften(x: Tensor, sigma: float) -> Tensor:
    """A Gaussian blur of ``sigma`` pixels, cut off beyond two of them, with repeated borders."""
    reach = max(2, int(2 * sigma + 0.5))
    offsets = torch.arange(-reach, reach + 1, dtype=x.dtype)
    line = torch.exp(-(offsets**2) / (2 * sigma**2))
    line = line / line.sum()
    channels = x.shape[1]
    padded = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    down = F.conv2d(padded, line.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(down, line.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
