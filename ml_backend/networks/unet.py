"""U-Net (Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015).

The paper's contracting and expanding paths with skip connections, with what later work showed to help: residual blocks
(He et al. 2016) with batch normalisation, and a strided stem so that the widest feature maps are at half resolution.
The logits come out at half resolution and are enlarged bilinearly; edges are the refinement's work, not the network's.

Two heads are optional.  ``people`` points from each pixel to the middle of the person it belongs to (the centre
regression of Cheng et al., "Panoptic-DeepLab", 2020).  ``tap_width`` adds a small decoder that is told where a person
tapped and what the mask was before (Sofiiuk, Petrov, Konushin, "Reviving iterative training with mask guidance for
interactive segmentation", 2021); it reads what the trunk saw, so a photo is seen once and each tap costs little.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TAP_LEVELS = 4
"""Levels of the trunk that the decoder of taps reads: 1/2, 1/4, 1/8 and 1/16."""

HINTS = 3
"""Planes of what a person says: disks of taps on the garment, of taps off it, and the mask before."""

MIDDLE_UNIT = 64.0
"""Pixels of the working size that count as 1 in the way to a person's middle."""

_EMBEDDING = 16


class Levels:
    """A config's ``widths``, maps of each level, the first at half resolution, and ``depths``, residual blocks of each
    encoder."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.depths) or len(self.widths) < 2:
            raise ValueError("widths and depths need one entry per level, at least two")

    @property
    def multiple(self) -> int:
        """Height and width of an input must be multiples of this."""
        return int(2 ** len(self.widths))


@dataclass(frozen=True)
class UNetConfig(Levels):
    """``widths`` and ``depths`` as in :class:`Levels`.

    ``people``: whether there is a head for the middles of people; ``tap_width``: maps of the decoder that follows taps
    at half resolution, 0 for none.
    """

    classes: int = 8
    widths: tuple[int, ...] = (24, 48, 96, 160, 224)
    depths: tuple[int, ...] = (1, 1, 2, 2, 2)
    people: bool = False
    tap_width: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tap_width and (len(self.widths) < TAP_LEVELS or not self.people):
            raise ValueError(f"the decoder that follows taps needs {TAP_LEVELS} levels and the middles of people")


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


class Trunk(nn.Module):
    """Stem, encoder, a summary of the whole picture and decoder, of (N, ``planes``, H, W)."""

    def __init__(self, planes: int, levels: Levels, *summed: nn.Module) -> None:
        super().__init__()
        widths = levels.widths
        self.stem = nn.Sequential(
            nn.Conv2d(planes, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        self.encoder = nn.ModuleList()
        for level, (width, depth) in enumerate(zip(widths, levels.depths, strict=True)):
            first = ResidualBlock(width, width) if level == 0 else ResidualBlock(widths[level - 1], width, stride=2)
            self.encoder.append(nn.Sequential(first, *(ResidualBlock(width, width) for _ in range(depth - 1))))
        self.context = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], widths[-1], 1), *summed)
        self.decoder = nn.ModuleList(Up(widths[level + 1], widths[level]) for level in reversed(range(len(widths) - 1)))

    def encode(self, planes: Tensor) -> list[Tensor]:
        """Maps of all levels, the first at half resolution."""
        x = self.stem(planes)  # (N, w0, H/2, W/2)
        maps: list[Tensor] = []
        for stage in self.encoder:
            x = stage(x)
            maps.append(x)
        return maps


class UNet(Trunk):
    """RGB (N, 3, H, W) in 0..1 -> logits (N, classes, H, W); H and W multiples of ``config.multiple``."""

    def __init__(self, config: UNetConfig) -> None:
        # The summary tells the decoder what the photo shows: a person, or a garment lying flat.
        super().__init__(3, config, nn.Sigmoid())
        self.config = config
        self.head = nn.Conv2d(config.widths[0], config.classes, 1)
        if config.people:
            self.middle = nn.Conv2d(config.widths[0], 2, 1)
        if config.tap_width:
            self.taps = TapDecoder(config)

    def forward(self, rgb: Tensor) -> Tensor:
        return twice(self.look(rgb).logits)

    def look(self, rgb: Tensor) -> Seen:
        """All that the trunk says of the photos; :meth:`tap` can be asked about it as often as one likes."""
        skips = self.encode((rgb - 0.5) / 0.25)
        x = skips.pop()
        x = x * self.context(x)
        maps = [x]
        for up in self.decoder:
            x = up(x, skips.pop())
            maps.append(x)
        middle = self.middle(x) if self.config.people else None
        return Seen(self.head(x), middle, tuple(maps[: -TAP_LEVELS - 1 : -1]))

    def tap(self, seen: Seen, hints: Tensor) -> Tensor:
        """What the taps mean: ``hints`` (N, 3, H/2, W/2) in 0..1, see :data:`HINTS` -> logits (N, 1, H, W)."""
        return twice(self.taps(seen, hints))


@dataclass(frozen=True)
class Seen:
    """``logits`` (N, classes, H/2, W/2); ``middle`` (N, 2, H/2, W/2), the way right and down to the middle of one's
    person in units of :data:`MIDDLE_UNIT` pixels; ``maps``: the decoder's, from 1/2 to 1/16 of the photo's size."""

    logits: Tensor
    middle: Tensor | None
    maps: tuple[Tensor, ...]

    def pick(self, rows: Tensor) -> Seen:
        """These rows of the batch, any of them as often as they are named."""
        middle = None if self.middle is None else self.middle[rows]
        return Seen(self.logits[rows], middle, tuple(each[rows] for each in self.maps))

    def middles(self) -> Tensor:
        """Where each pixel's person has his middle: (N, 2, H/2, W/2), right and down, in :data:`MIDDLE_UNIT`."""
        if self.middle is None:
            raise ValueError("this network does not know the middles of people")
        rows, columns = self.middle.shape[2:]
        options = {"device": self.middle.device, "dtype": self.middle.dtype}
        down = (torch.arange(rows, **options) * 2 + 1)[:, None].expand(rows, columns)  # type: ignore[call-overload]
        right = (torch.arange(columns, **options) * 2 + 1).expand(rows, columns)  # type: ignore[call-overload]
        return self.middle + torch.stack((right, down)) / MIDDLE_UNIT


class TapDecoder(nn.Module):
    """A small U-Net over the trunk's maps and a person's hints -> logits (N, 1, H/2, W/2).

    It is shown how much each pixel is like the tapped ones, in an embedding of its own and in where the person's middle
    is: a tap on a sleeve tells at once of the other sleeve, and not of the neighbour's shirt.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        first = config.tap_width
        widths = (first, 2 * first, 4 * first, 6 * first)
        self.embedding = nn.Conv2d(config.widths[0] + config.classes, _EMBEDDING, 1)
        inputs = config.widths[0] + config.classes + HINTS + 4
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, first, 3, padding=1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        self.seen = nn.ModuleList(
            nn.Conv2d(trunk, own, 1) for trunk, own in zip(config.widths[1:TAP_LEVELS], widths[1:], strict=True)
        )
        self.down = nn.ModuleList(ResidualBlock(widths[i], widths[i + 1], stride=2) for i in range(TAP_LEVELS - 1))
        self.deepest = ResidualBlock(widths[-1], widths[-1])
        self.said = nn.Linear(2 * _EMBEDDING, 2 * widths[-1])
        self.up = nn.ModuleList(Up(widths[i + 1], widths[i]) for i in reversed(range(TAP_LEVELS - 1)))
        self.head = nn.Conv2d(first, 1, 1)

    def forward(self, seen: Seen, hints: Tensor) -> Tensor:
        return self.head(self.maps(seen, hints))  # type: ignore[no-any-return]

    def maps(self, seen: Seen, hints: Tensor) -> Tensor:
        """What the last layer sees: (N, tap_width, H/2, W/2)."""
        looks = torch.cat((seen.maps[0], seen.logits.softmax(dim=1)), dim=1)
        embedded, middles = self.embedding(looks), seen.middles()
        on, off = (_mean_under(embedded, hints[:, i : i + 1]) for i in (0, 1))
        alike = [torch.exp(-0.25 * (embedded - each).square().sum(1, keepdim=True)) for each in (on, off)]
        apart = middles - _mean_under(middles, hints[:, :1])
        x = self.stem(torch.cat((looks, hints, *alike, apart.clamp(-2, 2)), dim=1))
        skips = []
        for down, project, trunk in zip(self.down, self.seen, seen.maps[1:], strict=True):
            skips.append(x)
            x = down(x) + project(trunk)
        scale, shift = self.said(torch.cat((on, off), dim=1).flatten(1))[..., None, None].chunk(2, dim=1)
        x = self.deepest(F.relu(x * (1 + scale) + shift))
        for up in self.up:
            x = up(x, skips.pop())
        return x  # type: ignore[no-any-return]


def _mean_under(maps: Tensor, disks: Tensor) -> Tensor:
    """The mean of (N, C, h, w) under the disks (N, 1, h, w); 0 where nothing was tapped: (N, C, 1, 1)."""
    return (maps * disks).sum((2, 3), keepdim=True) / disks.sum((2, 3), keepdim=True).clamp(min=1)


def twice(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
