"""A class-conditional deep convolutional GAN whose images tile without a seam.

Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks" (2016), with changes:

- every convolution wraps around (:mod:`.wrap`), so an image is seamless by construction;
- the generator paints soft ink maps (a softmax over ``inks``) instead of RGB: how much of each ink lies where.  The
  palette is mixed in afterwards (:func:`compose`), so colours are never learned and a fabric can be recoloured;
- class and latent set the gains of batch normalisation in every layer (Brock et al., "BigGAN", 2019, skip-z);
- the discriminator has no batch normalisation; it is conditioned by projection (Miyato & Koyama, 2018) on its
  flattened features and sees the deviation within groups of one class (Karras et al., 2018), against collapse.
- the latent may lie among learned codes of real designs (Bojanowski et al., "Optimizing the Latent Space of Generative
  Networks", 2018) instead of anywhere in a normal distribution.

``output="rgb"`` keeps the paper's RGB image with a tanh, ``codes=0`` its normal latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..lattices import BASIC, Lattice
from .generator import FabricConfig
from .latents import LatentSampler, make_codes, slerp
from .wrap import LAID_OUT, WrapConv2d, WrapConvTranspose2d, cell_of

BASE = 4
"""Side of the generator's first feature map and of the discriminator's last."""


@dataclass(frozen=True, kw_only=True)
class DCGANConfig(FabricConfig):
    """``maps`` is the width before the last layer."""

    size: int = 64
    maps: int = 32

    @property
    def stages(self) -> int:
        """How many times the side doubles."""
        return (self.size // BASE).bit_length() - 1


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gain and bias are a linear function of a condition vector."""

    def __init__(self, maps: int, condition: int) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(maps, affine=False)
        self.affine = nn.Linear(condition, 2 * maps)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, bias = self.affine(condition)[:, :, None, None].chunk(2, dim=1)
        changed: Tensor = self.normalise(x) * (1 + gain) + bias
        return changed


class Generator(LatentSampler, nn.Module):
    """Latent and class -> ink maps."""

    config: DCGANConfig

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        self.config = config
        condition = config.latent + config.embedding
        widths = [config.maps * 2**stage for stage in reversed(range(config.stages))]
        self.embedding = nn.Embedding(config.classes, config.embedding)
        self.project = nn.Linear(condition, widths[0] * BASE * BASE, bias=False)
        self.norms = nn.ModuleList(ConditionalBatchNorm(width, condition) for width in widths)
        self.grow = nn.ModuleList(
            WrapConvTranspose2d(width, narrower, bias=False) for width, narrower in pairwise(widths)
        )
        self.paint = WrapConvTranspose2d(widths[-1], config.channels)
        self.apply(initialise_normalised)
        self.codes = make_codes(config)

    @property
    def detail_layer(self) -> int:
        """The projection and the first half of the normalisations lay a design out."""
        return 1 + (len(self.norms) + 1) // 2

    def styles(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, latent), (N,) int64 -> (N, layers, latent + embedding): the same for the projection and every norm."""
        condition = torch.cat([z, self.embedding(labels)], dim=1)
        return condition[:, None].expand(-1, 1 + len(self.norms), -1)

    def between(self, start: Tensor, end: Tensor, amount: float) -> Tensor:
        """Straight from style to style; normal latents go along the great circle."""
        mixed = torch.lerp(start, end, amount)
        if self.codes is None:
            length = self.config.latent
            pairs = zip(start[..., :length].flatten(0, 1), end[..., :length].flatten(0, 1), strict=True)
            latents = torch.stack([slerp(one, other, amount) for one, other in pairs])
            mixed = torch.cat([latents.view_as(start[..., :length]), mixed[..., length:]], dim=2)
        return mixed

    def synthesise(
        self,
        styles: Tensor,
        seeds: Sequence[int] | None = None,  # noqa: ARG002
        lattice: Lattice = BASIC,
        cut: tuple[float, float] = (0, 0),
    ) -> Tensor:
        """(N, layers, latent + embedding) -> (N, inks, size, size), summing to 1, or (N, 3, size, size) in -1..1.

        It has no noise that ``seeds`` could choose.  Of a ``lattice`` it paints the cell that begins at ``cut``.
        """
        first, *others = styles.unbind(1)
        x = self.project(first).unflatten(1, (-1, BASE, BASE))
        around = BASIC
        for index, (norm, condition) in enumerate(zip(self.norms, others, strict=True)):
            if index:
                x = self.grow[index - 1](x, lattice=around)
            if around is not lattice and x.shape[2] == min(LAID_OUT, self.config.size // 2):
                x, around = cell_of(x, lattice, cut), lattice
            x = F.relu(norm(x, condition))
        painted: Tensor = self.paint(x, lattice=lattice)
        return painted.softmax(dim=1) if self.config.output == "inks" else painted.tanh()

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, latent), (N,) int64 -> (N, inks, size, size) that sums to 1 over inks, or (N, 3, size, size) in -1..1."""
        return self.synthesise(self.styles(z, labels))


class Discriminator(nn.Module):
    """Image and class -> logit of being real."""

    def __init__(self, config: DCGANConfig, maps: int | None = None, group: int = 4) -> None:
        super().__init__()
        self.group = group
        first = config.maps if maps is None else maps
        widths = [3, *(first * 2**stage for stage in range(config.stages))]
        self.shrink = nn.ModuleList(WrapConv2d(width, wider, kernel=4, stride=2) for width, wider in pairwise(widths))
        self.last = WrapConv2d(widths[-1] + 1, widths[-1])
        flat = widths[-1] * BASE * BASE
        self.score = nn.Linear(flat, 1)
        self.embedding = nn.Embedding(config.classes, flat)
        self.apply(initialise_unnormalised)
        nn.init.zeros_(self.embedding.weight)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(N, 3, size, size) in -1..1, (N,) int64 -> (N,) logits.

        N is a multiple of ``group``; each run of ``group`` images is of one class.
        """
        x = images
        for layer in self.shrink:
            x = F.leaky_relu(layer(x), 0.2)
        x = F.leaky_relu(self.last(with_deviation(x, self.group)), 0.2).flatten(1)
        logits: Tensor = self.score(x).squeeze(1) + (self.embedding(labels) * x).sum(dim=1)
        return logits


def with_deviation(x: Tensor, group: int) -> Tensor:
    """Append one map: the mean deviation within each run of ``group`` images (Karras et al., 2018, sec. 3)."""
    count, _, height, width = x.shape
    grouped = x.reshape(count // group, group, -1)
    deviation = (grouped.var(dim=1, unbiased=False) + 1e-8).sqrt().mean(dim=1)
    of_each = deviation.repeat_interleave(group)[:, None, None, None]
    return torch.cat([x, of_each.expand(count, 1, height, width)], dim=1)


def initialise_normalised(module: nn.Module) -> None:
    """Normal weights of deviation 0.02 as in the paper; batch normalisation sets the scale."""
    if isinstance(module, nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def initialise_unnormalised(module: nn.Module) -> None:
    """He et al. (2015) for leaky ReLU: without batch normalisation, 0.02 would let the signal die out."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def compose(painted: Tensor, palette: Tensor) -> Tensor:
    """Mix inks (N, K, H, W) with palettes (N, K, 3) in 0..1 into RGB (N, 3, H, W) in -1..1."""
    return torch.einsum("nkhw,nkc->nchw", painted, palette) * 2 - 1
