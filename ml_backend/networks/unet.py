"""U-Net (Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015).

The paper's contracting and expanding paths with skip connections, with what later work showed to help: residual blocks
(He et al. 2016) with batch normalisation, and a strided stem so that the widest feature maps are at half resolution.
The logits come out at half resolution and are enlarged bilinearly; edges are the refinement's work, not the network's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class UNetConfig:
    """``widths``: maps of each level, the first at half resolution; ``depths``: residual blocks of each encoder."""

    classes: int = 8
    widths: tuple[int, ...] = (24, 48, 96, 160, 224)
    depths: tuple[int, ...] = (1, 1, 2, 2, 2)

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.depths) or len(self.widths) < 2:
            raise ValueError("widths and depths need one entry per level, at least two")

    @property
    def multiple(self) -> int:
        """Height and width of an input must be multiples of this."""
        return int(2 ** len(self.widths))


class ResidualBlock(nn.Module):
    """conv-BN-ReLU-conv-BN plus the (projected) input; ``stride`` 2 halves the map."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(), nn.Conv2d(inputs, outputs, 1, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.skip(x))


class Up(nn.Module):
    """Enlarge the deep map twice, join the skip, fuse with one convolution."""

    def __init__(self, deep: int, skip: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(deep, skip, 1, bias=False)
        self.fuse = nn.Sequential(
            nn.Conv2d(2 * skip, skip, 3, padding=1, bias=False), nn.BatchNorm2d(skip), nn.ReLU(inplace=True)
        )

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        up = F.interpolate(self.narrow(deep), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.fuse(torch.cat((up, skip), dim=1)) + up  # type: ignore[no-any-return]


class UNet(nn.Module):
    """RGB (N, 3, H, W) in 0..1 -> logits (N, classes, H, W); H and W multiples of ``config.multiple``."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        widths, depths = config.widths, config.depths
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        self.encoder = nn.ModuleList()
        for level, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            first = ResidualBlock(width, width) if level == 0 else ResidualBlock(widths[level - 1], width, stride=2)
            self.encoder.append(nn.Sequential(first, *(ResidualBlock(width, width) for _ in range(depth - 1))))
        # A picture-wide summary tells the decoder what the photo shows: a person, or a garment lying flat.
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], widths[-1], 1), nn.Sigmoid())
        self.decoder = nn.ModuleList(Up(widths[level + 1], widths[level]) for level in reversed(range(len(widths) - 1)))
        self.head = nn.Conv2d(widths[0], config.classes, 1)

    def forward(self, rgb: Tensor) -> Tensor:
        x = self.stem((rgb - 0.5) / 0.25)  # (N, w0, H/2, W/2)
        skips: list[Tensor] = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        x = skips.pop()
        x = x * self.context(x)
        for up in self.decoder:
            x = up(x, skips.pop())
        logits = self.head(x)  # (N, classes, H/2, W/2)
        return F.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)
