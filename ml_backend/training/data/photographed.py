"""Drawn tiles as if photographed on a piece of cloth, so that what learns from drawings knows photos too.

A tile repeats over the cloth, is seen at some angle and distance, lies in soft folds that bend it and cast shade, has a
grain of threads, and the camera adds its colour cast, blur and noise.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

NEAREST, FARTHEST = 0.4, 1.6
"""Least and most of a tile's side that a picture shows."""
TILT = 0.25
"""Largest perspective: how much nearer one side of the picture is than its middle."""
FOLDS = 0.06
"""Deviation of how far folds move a point, in halves of the picture's side."""
SHADE = 0.22
"""Deviation of the logarithm of the light."""
EXPOSURE = (-0.6, 0.15)
"""Range of the logarithm of the whole picture's gain: cloth is more often taken too dark than too light."""
CAST = 0.15
"""Deviation of the logarithm of each colour channel's gain."""


def photographed(tiles: Tensor, random: torch.Generator) -> Tensor:
    """(N,3,S,S) in 0..1, each repeating without end -> pictures (N,3,S,S) in 0..1, each taken in its own way."""
    count, _, side, _ = tiles.shape
    fine = 2 * side  # drawn at twice the size and averaged, or far cloth would alias
    cloth = F.avg_pool2d(_sample(tiles, _seen(count, fine, random)), 2)
    light = _smooth(count, 1, 3, side, random) * SHADE + _smooth(count, 1, 7, side, random) * SHADE / 2
    gain = torch.randn(count, 3, 1, 1, generator=random) * CAST + _uniform(count, *EXPOSURE, random)
    threads = torch.randn(count, 1, side, side, generator=random) * _uniform(count, 0.0, 0.15, random)
    lit = cloth * (light + gain + threads).exp()
    return _taken(lit, random).clamp(0, 1)


def _seen(count: int, side: int, random: torch.Generator) -> Tensor:
    """(N,side,side,2): which point of the cloth each pixel shows; the tile spans -1..1 and repeats."""
    line = (torch.arange(side) + 0.5) * (2 / side) - 1
    down, across = torch.meshgrid(line, line, indexing="ij")
    tilt = (torch.rand(count, 2, 1, 1, generator=random) * 2 - 1) * TILT
    depth = 1 + tilt[:, 0] * across + tilt[:, 1] * down
    angle = torch.rand(count, 1, 1, generator=random) * (2 * torch.pi)
    span = _uniform(count, NEAREST, FARTHEST, random)[:, 0] / depth
    bent = _smooth(count, 2, 4, side, random) * _uniform(count, 0.0, FOLDS, random)
    x, y = across * span + bent[:, 0], down * span + bent[:, 1]
    start = torch.rand(count, 2, 1, 1, generator=random) * 2
    turned = torch.stack([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], dim=1)
    return (turned + start).permute(0, 2, 3, 1)


def _sample(tiles: Tensor, points: Tensor) -> Tensor:
    side, margin = tiles.shape[-1], 2
    surrounded = F.pad(tiles, (margin, margin, margin, margin), mode="circular")
    inside = torch.remainder(points + 1, 2) - 1
    return F.grid_sample(surrounded, inside * (side / (side + 2 * margin)), align_corners=False)


def _taken(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Out of focus by up to about a pixel, and noisy."""
    count = len(pictures)
    padded = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
    blurred = torch.lerp(pictures, F.avg_pool2d(padded, 3, stride=1), _uniform(count, 0.0, 1.0, random))
    return blurred + torch.randn(pictures.shape, generator=random) * _uniform(count, 0.0, 0.05, random)


def _smooth(count: int, channels: int, cells: int, side: int, random: torch.Generator) -> Tensor:
    """(N,channels,side,side) of deviation about 1 that changes over ``cells`` parts of the side."""
    coarse = torch.randn(count, channels, cells, cells, generator=random)
    return F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)


def _uniform(count: int, low: float, high: float, random: torch.Generator) -> Tensor:
    return torch.rand(count, 1, 1, 1, generator=random) * (high - low) + low
