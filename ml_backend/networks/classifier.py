"""A small convolutional classifier of pattern types; its features judge generated fabrics.

A VGG-like stack (Simonyan & Zisserman, 2015) with batch normalisation and wrap-around convolutions, so that a tile and
its shifted copies look the same to it.  ``embed`` serves KID and FID in place of Inception, whose weights carry a
licence and know photographs rather than fabrics; ``features`` serves the content loss of the SRGAN in place of VGG19.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from .wrap import WrapConv2d


@dataclass(frozen=True)
class ClassifierConfig:
    """``maps`` is the width of each stage; each stage halves the side.

    ``names`` are the classes' own where they are not the pattern types: then new ones never change what old ones mean.
    """

    classes: int = 10
    maps: tuple[int, ...] = (16, 32, 64, 128)
    names: tuple[str, ...] = ()


class Stage(nn.Module):
    """Two convolutions, the second of stride 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.see = WrapConv2d(inputs, outputs, kernel=3, bias=False)
        self.see_norm = nn.BatchNorm2d(outputs)
        self.shrink = WrapConv2d(outputs, outputs, kernel=4, stride=2, bias=False)
        self.shrink_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h/2, w/2)."""
        x = F.relu(self.see_norm(self.see(x)))
        return F.relu(self.shrink_norm(self.shrink(x)))


class PatternClassifier(nn.Module):
    """RGB tile -> logits over the pattern types; any size divisible by two to the number of stages, trained at 64."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        widths = (3, *config.maps)
        self.stages = nn.ModuleList(Stage(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(config.maps[-1], config.classes)

    def features(self, rgb: Tensor) -> list[Tensor]:
        """(N, 3, H, W) in 0..1 -> the output of every stage, (N, maps[i], H / 2**(i+1), W / 2**(i+1))."""
        x = rgb * 2 - 1
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def embed(self, rgb: Tensor) -> Tensor:
        """(N, 3, H, W) in 0..1 -> (N, maps[-1]): the last stage averaged over the tile."""
        return self.features(rgb)[-1].mean(dim=(2, 3))

    def forward(self, rgb: Tensor) -> Tensor:
        """(N, 3, H, W) in 0..1 -> (N, classes) logits."""
        logits: Tensor = self.head(self.embed(rgb))
        return logits
