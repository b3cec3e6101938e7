"""SRGAN (Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", 2017).

``SRResNet`` is the generator of its figure 4: a 9x9 head, residual blocks with PReLU, a long skip, x2 pixel-shuffle
stages and a 9x9 tail.  ``SRDiscriminator`` is the discriminator of the same figure.  The config's defaults are the
paper's; three departures can be asked for and one is always there:

* ``tail``: fewer maps in the upsampling stages, where almost all the work of an x8 enlargement lies.
* ``norm=False``: no batch normalisation (Lim et al., "EDSR", CVPRW 2017: it costs range and brings artefacts).
* ``residual=True``: the network draws the difference from a bicubic enlargement, so it starts from a sane picture.
* Edges repeat the border pixel, or wrap around for tiles; the paper's zeros would darken borders and break tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..lattices import Lattice
from .wrap import surrounded

SCALES = (2, 4, 8)
HEAD_KERNEL = 9
MIN_SIDE = HEAD_KERNEL // 2
"""Smallest side of an input, in pixels: wrapping cannot pad by more than the picture itself."""


@dataclass(frozen=True)
class SRGANConfig:
    """``tail`` gives the maps after each of the log2(scale) x2 stages; empty means ``maps`` everywhere, as in
    the paper.

    ``wrap`` is the padding used when a call does not choose: True treats every input as a tile.
    """

    scale: int = 4
    blocks: int = 16
    maps: int = 64
    tail: tuple[int, ...] = ()
    norm: bool = True
    residual: bool = False
    wrap: bool = False

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"scale must be one of {SCALES}, not {self.scale}")
        if self.blocks < 1 or self.maps < 1:
            raise ValueError("blocks and maps must be positive")
        if self.tail and len(self.tail) != self.stages:
            raise ValueError(f"tail must name {self.stages} widths for scale {self.scale}, not {len(self.tail)}")

    @property
    def stages(self) -> int:
        return self.scale.bit_length() - 1

    @property
    def widths(self) -> tuple[int, ...]:
        return self.tail or (self.maps,) * self.stages

    @property
    def reach(self) -> int:
        """How far, in input pixels, an output pixel can see: the context that makes a chunk exact."""
        tail = sum(1 / 2**stage for stage in range(self.stages)) + MIN_SIDE / self.scale
        return MIN_SIDE + 2 * self.blocks + 1 + int(tail + 1)


Wrap = bool | Lattice
"""Whether a picture wraps around, or around which lattice its cell does."""


def pad(x: Tensor, margin: int, *, wrap: Wrap) -> Tensor:
    """(N,C,H,W) -> (N,C,H+2m,W+2m), wrapped around or with the border pixels repeated."""
    if isinstance(wrap, Lattice) and not wrap.plain:
        return surrounded(x, margin, wrap)
    if not wrap:
        return F.pad(x, (margin, margin, margin, margin), mode="replicate")
    # F.pad's circular mode forgets that a tensor is channels last; joining keeps it, and convolutions stay fast
    x = torch.cat((x[..., -margin:, :], x, x[..., :margin, :]), dim=2)
    return torch.cat((x[..., -margin:], x, x[..., :margin]), dim=3)


class Conv(nn.Conv2d):
    """A stride-1 convolution that keeps the size and is told at each call how to pad."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel)
        nn.init.kaiming_normal_(self.weight, a=0.25)
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:  # type: ignore[override]
        padded = pad(x, self.kernel_size[0] // 2, wrap=wrap)
        made: Tensor = F.conv2d(padded, self.weight, self.bias)
        return made


class ResidualBlock(nn.Module):
    """conv, norm, PReLU, conv, norm, plus the input; starts close to the identity."""

    def __init__(self, maps: int, *, norm: bool) -> None:
        super().__init__()
        self.conv1, self.conv2 = Conv(maps, maps, 3), Conv(maps, maps, 3)
        self.norm1, self.norm2 = _norm(maps, norm), _norm(maps, norm)
        self.act = nn.PReLU()
        if not norm:
            self.conv2.weight.data.mul_(0.1)

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        y: Tensor = self.act(self.norm1(self.conv1(x, wrap)))
        y = self.norm2(self.conv2(y, wrap))
        return x + y


class UpStage(nn.Module):
    """conv, pixel shuffle x2, PReLU.

    The four sub-pixels of a map start with equal weights (ICNR, Aitken et al. 2017), so no checkerboard is there to
    unlearn.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Conv(inputs, 4 * outputs, 3)
        self.act = nn.PReLU()
        self.conv.weight.data = self.conv.weight.data[::4].repeat_interleave(4, dim=0)

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        return F.pixel_shuffle(self.unshuffled(x, wrap), 2)

    def unshuffled(self, x: Tensor, wrap: Wrap) -> Tensor:
        """(N,C,H,W) -> (N,4*out,H,W), which is (N,out,2H,2W) before the shuffle; one PReLU slope serves all maps."""
        made: Tensor = self.act(self.conv(x, wrap))
        return made


def folded(weight: Tensor) -> Tensor:
    """A (O,C,9,9) kernel for shuffled maps -> (4O,4C,5,5) for the same maps before the x2 shuffle.

    Convolving first and shuffling the four sub-pixels after is the same sum in another order.  Twelve maps of a quarter
    of the pixels suit a CPU better than three whole ones: the tail takes 0.6 of the time.
    """
    kernels = [F.pixel_unshuffle(F.pad(weight, (x, 1 - x, y, 1 - y)), 2) for y in (0, 1) for x in (0, 1)]
    return torch.stack(kernels, dim=1).flatten(0, 1)


class SRResNet(nn.Module):
    """The SRGAN generator; without the adversarial phase it is the paper's SRResNet."""

    def __init__(self, config: SRGANConfig) -> None:
        super().__init__()
        self.config = config
        self.head = Conv(3, config.maps, HEAD_KERNEL)
        self.head_act = nn.PReLU()
        self.blocks = nn.ModuleList(ResidualBlock(config.maps, norm=config.norm) for _ in range(config.blocks))
        self.trunk = Conv(config.maps, config.maps, 3)
        self.trunk_norm = _norm(config.maps, config.norm)
        widths = (config.maps, *config.widths)
        self.stages = nn.ModuleList(UpStage(a, b) for a, b in pairwise(widths))
        self.tail = Conv(widths[-1], 3, HEAD_KERNEL)
        nn.init.normal_(self.tail.weight, std=1e-3 if config.residual else 0.02)

    def forward(self, lr: Tensor, wrap: Wrap | None = None) -> Tensor:
        """(N,3,h,w) in 0..1 -> (N,3,h*scale,w*scale), nearly in 0..1: the caller clips.

        ``wrap`` overrides the config's padding.  Sides must be at least ``MIN_SIDE``.
        """
        wrap = self.config.wrap if wrap is None else wrap
        first = self.head_act(self.head(lr, wrap))
        x = first
        for block in self.blocks:
            x = block(x, wrap)
        x = first + self.trunk_norm(self.trunk(x, wrap))
        *inner, last = self.stages
        for stage in inner:
            x = stage(x, wrap)
        mirrored = isinstance(wrap, Lattice) and wrap.mirrored
        quick = wrap and not mirrored  # a reflection exchanges the sub-pixels that a shuffle lays beside each other
        y: Tensor = self._tail_of_tile(last, x, wrap) if quick else self.tail(last(x, wrap), wrap)
        return y + bicubic(lr, self.config.scale, wrap=wrap) if self.config.residual else y

    def _tail_of_tile(self, last: nn.Module, x: Tensor, wrap: Wrap) -> Tensor:
        """What the last stage and the tail make of a tile.  Only wrapping is the same before a shuffle as after it."""
        assert isinstance(last, UpStage) and self.tail.bias is not None
        maps = pad(last.unshuffled(x, wrap), MIN_SIDE // 2, wrap=wrap)
        kernel = folded(self.tail.weight).contiguous(memory_format=torch.channels_last)
        return F.pixel_shuffle(F.conv2d(maps, kernel, self.tail.bias.repeat_interleave(4)), 2)


def bicubic(x: Tensor, scale: int, *, wrap: Wrap = False) -> Tensor:
    """(N,C,h,w) -> (N,C,h*scale,w*scale); wrapping sees past the edge of a tile."""
    margin = 2
    around = pad(x, margin, wrap=wrap)
    rows, columns = (_bicubic_weights(side, scale, x) for side in around.shape[-2:])
    cut = margin * scale
    with torch.autocast(x.device.type, enabled=False):  # colours as exact as they came
        return (rows[cut:-cut] @ around) @ columns[cut:-cut].T


def _bicubic_weights(side: int, scale: int, like: Tensor) -> Tensor:
    """(side*scale,side): what each new pixel takes of each old one.

    Two products with these take a seventh of the time that ``F.interpolate`` takes for the same sums.
    """
    unit = torch.eye(side, dtype=like.dtype, device=like.device)[None, :, :, None]
    wide = F.interpolate(unit, scale_factor=(float(scale), 1.0), mode="bicubic", align_corners=False)
    return wide[0, :, :, 0].T


class SRDiscriminator(nn.Module):
    """Eight 3x3 convolutions, every second one of stride 2, from ``maps`` to 8 ``maps`` wide, and two dense layers.

    ``(N,3,patch,patch) in 0..1 -> (N,)``: logits of "this is a real picture"; ``patch`` is a multiple of 16.
    """

    def __init__(self, patch: int = 96, maps: int = 64) -> None:
        super().__init__()
        if patch % 16:
            raise ValueError(f"patch must be a multiple of 16, not {patch}")
        widths = [maps, maps, 2 * maps, 2 * maps, 4 * maps, 4 * maps, 8 * maps, 8 * maps]
        layers: list[nn.Module] = [nn.Conv2d(3, maps, 3, padding=1), nn.LeakyReLU(0.2)]
        for index, (inputs, outputs) in enumerate(pairwise(widths)):
            stride = 2 if index % 2 == 0 else 1
            layers += [
                nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.LeakyReLU(0.2),
            ]
        self.convolutions = nn.Sequential(*layers)
        self.classify = nn.Sequential(
            nn.Flatten(),
            nn.Linear(8 * maps * (patch // 16) ** 2, 16 * maps),
            nn.LeakyReLU(0.2),
            nn.Linear(16 * maps, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.classify(self.convolutions(image * 2 - 1))
        return logits.squeeze(1)


class VGGFeatures(nn.Module):
    """The paper's content space: VGG19 activations (Simonyan & Zisserman 2015) before a pooling layer.

    ``state`` has torchvision's layout (``features.0.weight`` ...).  ``depth`` 35 is the paper's VGG_5,4; features are
    divided by 12.75 as its section 2.2.1 says.  ``(N,3,H,W) in 0..1 -> [(N,512,H/16,W/16)]``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, state: dict[str, Tensor], depth: int = 35) -> None:
        super().__init__()
        from torchvision.models.vgg import cfgs, make_layers

        with torch.device("meta"):  # the weights are given; making random ones first would only take time
            network = make_layers(cfgs["E"])
        prefix = "features."
        network.load_state_dict(
            {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}, assign=True
        )
        self.layers = network[: depth + 1].eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        return [self.layers((image - self.mean) / self.std) / 12.75]


def _norm(maps: int, enabled: bool) -> nn.Module:
    return nn.BatchNorm2d(maps, momentum=0.2) if enabled else nn.Identity()
