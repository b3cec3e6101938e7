"""XGAN: a style-based GAN in the wavelet domain whose images tile without a seam.

- Mapping network, modulated and demodulated convolutions, noise, skip synthesis, residual discriminator: Karras et al.,
  "Analyzing and Improving the Image Quality of StyleGAN" (StyleGAN2), 2020.  Truncation and style mixing: Karras et
  al., "A Style-Based Generator Architecture for GANs", 2019.
- Every stage paints wavelet bands instead of pixels, features grow by the inverse wavelet and the discriminator begins
  with the wavelet: Gal et al., "SWAGAN", 2021; Belousov, "MobileStyleGAN", 2021.  The largest maps are then half the
  side of the image.
- Every convolution wraps around and Haar wavelets need no border, so an image is seamless by construction.
- It paints soft ink maps by default, to be mixed with a palette, or plain RGB; latents may lie among learned codes of
  real designs (:mod:`.latents`).
- The discriminator is conditioned by projection (Miyato & Koyama, 2018), the mapping network by an embedding.

Weights are drawn from a unit normal and scaled at run time (Karras et al., "Progressive Growing of GANs", 2018, sec.
4.1), so that all learn at the same pace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..lattices import BASIC, Lattice
from . import wavelet
from .dcgan import with_deviation
from .generator import FabricConfig
from .latents import LatentSampler, make_codes
from .wrap import LAID_OUT, cell_of, surrounded

BASE = 4
"""Side of the first maps."""
MAPPING_RATE = 0.1
"""How much slower the mapping network learns; the paper's 0.01 would all but freeze it in a short training."""
GAIN = 2**0.5
"""What a leaky ReLU takes from the deviation, given back."""


@dataclass(frozen=True, kw_only=True)
class XGANConfig(FabricConfig):
    """``width`` is the length of a style, ``mapping`` the mapping network's layers, ``truncation`` psi when serving.

    Maps of side ``s`` number ``capacity / s``, at most ``widest``.  ``start`` is what the first maps are:
    ``"constant"`` as in the paper, or ``"projected"`` from the style, which learns layouts sooner.  Raises
    ``ValueError``.
    """

    width: int = 128
    mapping: int = 4
    capacity: int = 4096
    widest: int = 256
    start: str = "constant"
    truncation: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start not in ("constant", "projected"):
            raise ValueError(f"start is 'constant' or 'projected', not {self.start!r}")
        if not 0 <= self.truncation <= 1:
            raise ValueError(f"truncation is between 0 and 1, not {self.truncation}")

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the maps, from 4 to half the image."""
        return tuple(BASE * 2**stage for stage in range((self.size // BASE).bit_length() - 1))

    def maps(self, side: int) -> int:
        return max(4, min(self.widest, self.capacity // side))


class Linear(nn.Module):
    """A linear layer with weights scaled at run time; ``rate`` slows its learning."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.gain, self.rate = rate * inputs**-0.5, rate

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        return F.linear(x, self.weight * self.gain, self.bias * self.rate)


class Conv(nn.Module):
    """A convolution that wraps around, with weights scaled at run time; ``kernel`` is odd.

    With ``reads`` it sees the wavelet of its input at half the side, with ``writes`` its output are wavelet bands that
    are put together at twice the side.  Either is linear and so done to the kernels, which are smaller than the maps.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        bias: bool = True,
        reads: bool = False,
        writes: bool = False,
    ) -> None:
        super().__init__()
        inputs, phases = 4 * inputs if reads else inputs, 4 * outputs if writes else outputs
        self.weight = nn.Parameter(torch.randn(phases, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain, self.reads, self.writes = (inputs * kernel**2) ** -0.5, reads, writes

    def kernels(self) -> Tensor:
        """(phases, inputs, kernel, kernel) as used: on pixels, not on bands."""
        weight = self.weight * self.gain
        if self.reads:
            weight = wavelet.mix(weight, 1)
        return wavelet.mix(weight, 0) if self.writes else weight

    def phases(self, of_each: Tensor) -> Tensor:
        """One number for each output -> one for each of its four pixels, where it writes those."""
        return of_each.repeat_interleave(4) if self.writes else of_each

    def convolve(self, x: Tensor, lattice: Lattice = BASIC) -> Tensor:
        """Without bias, and what it writes not yet put together."""
        x = F.pixel_unshuffle(x, 2) if self.reads else x
        return F.conv2d(surrounded(x, self.weight.shape[-1] // 2, lattice), self.kernels())

    def joined(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(x, 2) if self.writes else x

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h, w), or at half or twice the side."""
        x = self.convolve(x)
        if self.bias is not None:
            x = x + self.phases(self.bias)[:, None, None].to(x.dtype)
        return self.joined(x)


class ModulatedConv(nn.Module):
    """A convolution whose input maps a style scales (StyleGAN2, equations 1 to 3).

    Scaling the input and then the output is the same as scaling each image's own kernels, and needs no kernel an image.
    Demodulated, the deviation is ``gain`` times that of the input, before the bias.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        kernel: int = 3,
        *,
        demodulate: bool = True,
        writes: bool = False,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.conv = Conv(inputs, outputs, kernel, bias=False, writes=writes)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = Linear(width, inputs, bias=1.0)
        self.demodulate, self.gain = demodulate, gain

    def forward(self, x: Tensor, style: Tensor, lattice: Lattice = BASIC) -> Tensor:
        """(N, inputs, h, w), (N, width) -> (N, outputs, h, w) or, where it writes wavelets, (N, outputs, 2h, 2w)."""
        conv = self.conv
        scale = self.affine(style)  # (N, inputs)
        x = conv.convolve(x * scale[:, :, None, None].to(x.dtype), lattice)
        bias = conv.phases(self.bias)[:, None, None].to(x.dtype)
        if not self.demodulate:
            return conv.joined(x + bias)
        with torch.autocast(x.device.type, enabled=False):
            power = conv.kernels().square().sum(dim=(2, 3))  # (phases, inputs)
            strength = torch.rsqrt(scale.float().square() @ power.T + 1e-8) * self.gain
        return conv.joined(torch.addcmul(bias, x, strength[:, :, None, None].to(x.dtype)))


class StyledLayer(nn.Module):
    """Modulated convolution, noise, leaky ReLU; with ``grow`` the convolution writes wavelets: the side doubles."""

    def __init__(self, inputs: int, outputs: int, width: int, grow: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, width, writes=grow, gain=GAIN)
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, style: Tensor, sources: list[torch.Generator], lattice: Lattice = BASIC) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h, w) or (N, outputs, 2h, 2w).

        ``sources`` are of noise, one an image, or empty for none.
        """
        x = self.conv(x, style, lattice)
        if sources:
            drawn = [torch.randn(1, *x.shape[2:], generator=source, device=source.device) for source in sources]
            x = x + (torch.stack(drawn).to(x.device) * self.strength).to(x.dtype)
        return F.leaky_relu(x, 0.2)


class Stage(nn.Module):
    """All of one side: the maps and the wavelet bands that they add to the image."""

    def __init__(self, inputs: int, outputs: int, config: XGANConfig, first: bool) -> None:
        super().__init__()
        width = config.width
        layers = [] if first else [StyledLayer(inputs, outputs, width, grow=True)]
        self.layers = nn.ModuleList([*layers, StyledLayer(outputs, outputs, width)])
        self.paint = ModulatedConv(outputs, config.channels, width, kernel=1, demodulate=False, writes=True)


class Mapping(nn.Module):
    """Latent and class -> style w, the latent normalised first."""

    def __init__(self, config: XGANConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.classes, config.embedding)
        widths = [config.latent + config.embedding, *(config.width,) * config.mapping]
        self.layers = nn.ModuleList(Linear(one, other, MAPPING_RATE) for one, other in pairwise(widths))

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, latent), (N,) int64 -> (N, width)."""
        w = torch.cat([normalised(z), normalised(self.embedding(labels))], dim=1)
        for layer in self.layers:
            w = F.leaky_relu(layer(w), 0.2) * GAIN
        return w


class XGAN(LatentSampler, nn.Module):
    """The generator.  Layer 0 of its styles makes the first maps, layer 1 draws on them, then two layers a stage."""

    config: XGANConfig
    centres: Tensor

    def __init__(self, config: XGANConfig) -> None:
        super().__init__()
        self.config = config
        maps = [config.maps(side) for side in config.sides]
        self.mapping = Mapping(config)
        self.constant = nn.Parameter(torch.randn(maps[0], BASE, BASE))
        self.project = Linear(config.width, maps[0] * BASE * BASE) if config.start == "projected" else None
        self.stages = nn.ModuleList(
            Stage(inputs, outputs, config, first=not index)
            for index, (inputs, outputs) in enumerate(pairwise([maps[0], *maps]))
        )
        self.codes = make_codes(config)
        self.register_buffer("centres", torch.zeros(config.classes, config.width))

    @property
    def layers(self) -> int:
        return 2 * len(self.stages)

    @property
    def detail_layer(self) -> int:
        """The first third of the stages lays a design out: of 256 px those of 4 and 8 px."""
        return 2 * max(1, (len(self.stages) + 1) // 3)

    def styles(self, z: Tensor, labels: Tensor, psi: float | None = None) -> Tensor:
        """(N, latent), (N,) int64 -> (N, layers, width), each style ``psi`` of the way from its class's mean to itself.

        ``psi`` is the config's truncation unless given.
        """
        w: Tensor = self.mapping(z, labels)
        psi = self.config.truncation if psi is None else psi
        if psi != 1:
            w = torch.lerp(self.centres[labels], w, psi)
        return w[:, None].expand(-1, self.layers, -1)

    def between(self, start: Tensor, end: Tensor, amount: float) -> Tensor:
        """Straight from style to style: the space of styles is the one that the mapping network unwarped."""
        return torch.lerp(start, end, amount)

    def synthesise(
        self,
        styles: Tensor,
        seeds: Sequence[int] | None = None,
        lattice: Lattice = BASIC,
        cut: tuple[float, float] = (0, 0),
        *,
        size: int | None = None,
        noisy: bool = True,
    ) -> Tensor:
        """(N, layers, width) -> (N, inks, size, size) that sums to 1 over inks, or (N, 3, size, size) in -1..1.

        ``seeds`` (N) choose the noise, seed 0's for every image if none are given; in evaluation it is made on the CPU
        and so the same everywhere; not ``noisy`` leaves it out.  A ``size`` below the config's stops after the stage
        that paints it.  Of a ``lattice`` it paints the cell that begins at ``cut``.
        """
        device = styles.device if self.training else torch.device("cpu")
        seeds = [0] * len(styles) if seeds is None else seeds
        sources = [torch.Generator(device).manual_seed(int(seed)) for seed in seeds] if noisy else []
        x = self._first_maps(styles[:, 0])
        around = BASIC
        image: Tensor | None = None
        for index, stage in enumerate(self.stages):
            last = 2 * index + 1
            if around is not lattice and (x.shape[2] == LAID_OUT or index == len(self.stages) - 1):
                side = x.shape[2]
                x, around = cell_of(x, lattice, cut, side), lattice
                image = None if image is None else cell_of(image, lattice, cut, side)
            own = styles[:, last + 1 - len(stage.layers) : last + 1].unbind(1)  # type: ignore[arg-type]
            for layer, style in zip(stage.layers, own, strict=True):  # type: ignore[arg-type]
                x = layer(x, style, sources, around)
            added = stage.paint(x, own[-1], around).float()  # type: ignore[operator]
            image = added if image is None else doubled(image, around) + added
            if image.shape[2] == size:
                break
        assert image is not None  # there is at least one stage
        return image.softmax(dim=1) if self.config.output == "inks" else image.tanh()

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, latent), (N,) int64 -> what :meth:`synthesise` paints."""
        return self.synthesise(self.styles(z, labels))

    def _first_maps(self, style: Tensor) -> Tensor:
        start = self.constant.expand(len(style), -1, -1, -1)
        if self.project is None:
            return start
        moved: Tensor = start + self.project(style).unflatten(1, start.shape[1:])
        return moved

    @torch.no_grad()
    def settle(self, draws: int = 1000) -> None:
        """Measure the mean style of each class, which truncation pulls towards; the same on every call."""
        device = self.centres.device
        random = torch.Generator().manual_seed(0)
        for label in range(self.config.classes):
            labels = torch.full((draws,), label)
            w = self.mapping(self.latents(labels, random).to(device), labels.to(device))
            self.centres[label] = w.mean(dim=0)


class Block(nn.Module):
    """Halves the side: a convolution, the wavelet, a convolution, beside a plain projection of the wavelet."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Conv(inputs, inputs)
        self.shrink = Conv(inputs, outputs, reads=True)
        self.skip = Conv(inputs, outputs, kernel=1, bias=False, reads=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h/2, w/2)."""
        drawn = F.leaky_relu(self.conv(x), 0.2) * GAIN
        drawn = F.leaky_relu(self.shrink(drawn), 0.2)
        summed: Tensor = drawn + self.skip(x) / GAIN
        return summed


class WaveletDiscriminator(nn.Module):
    """Image and class -> logit of being real.  Images smaller than the config's enter at a later block."""

    def __init__(self, config: XGANConfig, capacity: int | None = None, group: int = 4) -> None:
        super().__init__()
        self.group = group
        limit = config.capacity if capacity is None else capacity
        maps = [max(4, min(config.widest, limit // side)) for side in config.sides]
        self.entries = nn.ModuleList(Conv(3, count, kernel=1, reads=True) for count in maps)
        self.blocks = nn.ModuleList(Block(larger, smaller) for smaller, larger in pairwise(maps))
        self.last = Conv(maps[0] + 1, maps[0])
        self.features = Linear(maps[0] * BASE * BASE, config.width)
        self.score = Linear(config.width, 1)
        self.embedding = nn.Embedding(config.classes, config.width)
        nn.init.zeros_(self.embedding.weight)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(N, 3, s, s) in -1..1, (N,) int64 -> (N,) logits.

        N is a multiple of ``group``; each run of ``group`` images is of one class.
        """
        stage = (images.shape[2] // (2 * BASE)).bit_length() - 1
        x = F.leaky_relu(self.entries[stage](images), 0.2) * GAIN
        for block in reversed(self.blocks[:stage]):
            x = block(x)
        x = F.leaky_relu(self.last(with_deviation(x, self.group)), 0.2) * GAIN
        x = F.leaky_relu(self.features(x.flatten(1)), 0.2) * GAIN
        of_class: Tensor = (self.embedding(labels) * x).sum(dim=1) * x.shape[1] ** -0.5
        logits: Tensor = self.score(x).squeeze(1) + of_class
        return logits


def doubled(x: Tensor, lattice: Lattice = BASIC) -> Tensor:
    """(N, C, h, w) -> (N, C, 2h, 2w), bilinear and around the border."""
    larger = F.interpolate(surrounded(x, 1, lattice), scale_factor=2, mode="bilinear", align_corners=False)
    return larger[:, :, 2:-2, 2:-2]


def normalised(x: Tensor) -> Tensor:
    """Each row of (N, C) scaled to a mean square of 1."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def mixed_styles(first: Tensor, second: Tensor, crossings: Tensor) -> Tensor:
    """Style mixing (StyleGAN, section 3.1): layers from ``crossings`` (N,) on come from ``second``.

    All styles are (N, layers, width).
    """
    layers = torch.arange(first.shape[1], device=first.device)
    return torch.where((layers[None] < crossings[:, None])[:, :, None], first, second)


def path_lengths(painted: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
    """(N,) lengths of J^T y (StyleGAN2, equation 4): how far a small step of the style moves the image.

    y is ``noise``, a normal image, scaled so that the length does not grow with the side; J is the Jacobian of
    ``painted`` (N, C, H, W) in ``styles`` (N, layers, width), taken as the root of the mean square over layers.
    """
    scaled = noise / (painted.shape[2] * painted.shape[3]) ** 0.5
    (gradient,) = torch.autograd.grad((painted * scaled).sum(), styles, create_graph=True)
    lengths: Tensor = gradient.square().sum(dim=2).mean(dim=1).add(1e-12).sqrt()
    return lengths
