"""The weft of a test: one linear layer from latent and class to coarse ink maps.  No paper has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .generator import FabricConfig
from .latents import LatentSampler

COARSE = 8


@dataclass(frozen=True, kw_only=True)
class WeftConfig(FabricConfig):
    size: int = 256


class Weft(LatentSampler, nn.Module):
    config: WeftConfig
    detail_layer = 1

    def __init__(self, config: WeftConfig) -> None:
        super().__init__()
        self.config = config
        self.codes = None
        self.embedding = nn.Embedding(config.classes, config.embedding)
        self.paint = nn.Linear(config.latent + config.embedding, config.channels * COARSE * COARSE)

    def styles(self, z: Tensor, labels: Tensor) -> Tensor:
        return torch.cat([z, self.embedding(labels)], dim=1)[:, None]

    def between(self, start: Tensor, end: Tensor, amount: float) -> Tensor:
        return torch.lerp(start, end, amount)

    def synthesise(self, styles: Tensor, seeds: Sequence[int] | None = None) -> Tensor:
        del seeds
        coarse = self.paint(styles[:, 0]).unflatten(1, (self.config.channels, COARSE, COARSE))  # (N, K, 8, 8)
        times = self.config.size // COARSE
        return coarse.softmax(1).repeat_interleave(times, 2).repeat_interleave(times, 3)
