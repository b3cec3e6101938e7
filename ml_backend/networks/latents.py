"""Latents of seeds: normal ones, or near learned codes of real designs.

Bojanowski et al., "Optimizing the Latent Space of Generative Networks", 2018: every design has a latent of its own that
is learned with the network.  New designs then lie between neighbours among those codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class LatentConfig:
    """With ``codes`` learned codes a class, a latent lies at most ``mix`` of the way from one of them to one of its
    ``neighbours``, plus normal noise of deviation ``noise``; with none it is normal.  ``latent`` is its length.

    Raises ``ValueError`` for more neighbours than there are other codes.
    """

    classes: int = 10
    latent: int = 64
    codes: int = 0
    neighbours: int = 6
    mix: float = 0.5
    noise: float = 0.1

    def __post_init__(self) -> None:
        if self.codes and not 0 < self.neighbours < self.codes:
            raise ValueError(f"neighbours is between 0 and the {self.codes} codes, not {self.neighbours}")


class LatentSampler:
    """The part of a generator that gives seeds their latents; ``codes`` (classes, codes, latent) are learned, or None.

    Its network sets both attributes.
    """

    config: LatentConfig
    codes: nn.Parameter | None

    def latent(self, label: int, seed: int) -> Tensor:
        """The (latent,) vector of a seed, on the CPU."""
        return latent_of_seed(self.codes, self.config, label, seed)

    def varied_latent(self, label: int, seed: int, of: int, amount: float) -> Tensor:
        """The latent of seed ``of`` moved by ``amount`` (0..1) of the way to another that ``seed`` chooses."""
        return vary(self.codes, self.config, label, seed, of, amount)

    def latents(self, labels: Tensor, random: torch.Generator) -> Tensor:
        """One latent for each of ``labels`` (N,), on the CPU."""
        return draw_latents(self.codes, self.config, labels, random)


def make_codes(config: LatentConfig) -> nn.Parameter | None:
    """(classes, codes, latent), normal; None without codes."""
    return nn.Parameter(torch.randn(config.classes, config.codes, config.latent)) if config.codes else None


@torch.no_grad()
def draw_latents(codes: Tensor | None, config: LatentConfig, labels: Tensor, random: torch.Generator) -> Tensor:
    """One latent (N, latent) for each of ``labels`` (N,), on the CPU."""
    count = len(labels)
    noise = torch.randn(count, config.latent, generator=random)
    if codes is None:
        return noise
    own = codes.cpu()[labels.cpu()]  # (N, codes, latent)
    rows = torch.arange(count)
    start = own[rows, torch.randint(config.codes, (count,), generator=random)]
    nearest = (own - start[:, None]).square().sum(dim=2).argsort(dim=1, stable=True)[:, 1 : 1 + config.neighbours]
    end = own[rows, nearest[rows, torch.randint(config.neighbours, (count,), generator=random)]]
    return torch.lerp(start, end, torch.rand(count, 1, generator=random) * config.mix) + noise * config.noise


@torch.no_grad()
def latent_of_seed(codes: Tensor | None, config: LatentConfig, label: int, seed: int) -> Tensor:
    """The (latent,) vector of a seed, made on the CPU from a generator of its own: the same in any batch."""
    return draw_latents(codes, config, torch.tensor([label]), torch.Generator().manual_seed(seed))[0]


@torch.no_grad()
def vary(codes: Tensor | None, config: LatentConfig, label: int, seed: int, of: int, amount: float) -> Tensor:
    """The latent of seed ``of`` moved by ``amount`` (0..1) of the way to another that ``seed`` chooses.

    That is the seed's own normal latent, on the great circle, or about one of the codes nearest to where it starts,
    with a little noise: two seeds that choose the same code still differ.
    """
    start = latent_of_seed(codes, config, label, of)
    if codes is None:
        return slerp(start, latent_of_seed(codes, config, label, seed), amount)
    own = codes[label].cpu()
    nearest = (own - start).square().sum(dim=1).argsort(stable=True)[1 : 1 + 2 * config.neighbours]
    random = torch.Generator().manual_seed(seed)
    end = own[nearest[torch.randint(len(nearest), (1,), generator=random)]][0]
    reach = amount * (0.6 + 0.4 * torch.rand(1, generator=random))
    return torch.lerp(start, end, reach) + 0.15 * amount * torch.randn(start.shape, generator=random)


def slerp(start: Tensor, end: Tensor, amount: float) -> Tensor:
    """Along the great circle from ``start`` (0) to ``end`` (1): what is between stays as long as a normal latent is."""
    angle = torch.arccos(torch.dot(start / start.norm(), end / end.norm()).clamp(-1, 1))
    if angle < 1e-4:
        return start + (end - start) * amount
    return (torch.sin((1 - amount) * angle) * start + torch.sin(amount * angle) * end) / torch.sin(angle)
