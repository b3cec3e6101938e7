"""Convolutions on a torus: what leaves the image on one side enters on the other.

A network built of these and of pointwise layers commutes with wrap-around shifts at its stride, so its output tiles
without a seam whatever its weights are.  Where what leaves at the right enters at the left half a tile lower, the same
weights make a tile without a seam in a half drop: layers that are called with a lattice wrap around that.
"""

from __future__ import annotations

from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..lattices import BASIC, Lattice


class WrapConv2d(nn.Conv2d):
    """``nn.Conv2d`` with circular padding.

    ``stride`` 1 takes odd kernels, ``stride`` 2 even ones; the output side is the input side divided by the stride.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, bias: bool = True) -> None:
        if (kernel - stride) % 2:
            raise ValueError(f"A kernel of {kernel} cannot be centred at stride {stride}.")
        super().__init__(
            inputs, outputs, kernel, stride, padding=(kernel - stride) // 2, padding_mode="circular", bias=bias
        )


class WrapConvTranspose2d(nn.ConvTranspose2d):
    """A transposed 4x4 convolution of stride 2 that doubles the side and wraps around.

    ``nn.ConvTranspose2d`` knows only zero padding, so the input is wrapped by one pixel a side and the three output
    pixels a side that came of it are cropped (torch's ``padding`` of a transposed convolution is that crop).
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, kernel_size=4, stride=2, padding=3, bias=bias)

    def forward(
        self,
        x: Tensor,
        output_size: list[int] | None = None,  # noqa: ARG002
        lattice: Lattice = BASIC,
    ) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, 2h, 2w); ``output_size`` is the parent's and has no meaning here."""
        wrapped = surrounded(x, 1, lattice)
        return F.conv_transpose2d(wrapped, self.weight, self.bias, stride=2, padding=3)


def surrounded(x: Tensor, margin: int, lattice: Lattice = BASIC) -> Tensor:
    """The cells (N, C, h, w) of a lattice among their neighbours: (N, C, h + 2m, w + 2m), m at most a side."""
    if not margin:
        return x
    if lattice.plain:
        return F.pad(x, (margin,) * 4, mode="circular")
    if lattice.mirrored:
        wide = torch.cat((x[..., :margin].flip(-1), x, x[..., -margin:].flip(-1)), dim=-1)
        return torch.cat((wide[..., :margin, :].flip(-2), wide, wide[..., -margin:, :].flip(-2)), dim=-2)
    if lattice.slide:
        return surrounded(x.transpose(-1, -2), margin, lattice.transposed()).transpose(-1, -2)
    drop = lattice.drop / lattice.height * x.shape[-2]
    left, right = _lowered(x[..., -margin:], -drop), _lowered(x[..., :margin], drop)
    wide = torch.cat((left, x, right), dim=-1)
    return torch.cat((wide[..., -margin:, :], wide, wide[..., :margin, :]), dim=-2)


def _lowered(x: Tensor, rows: Fraction) -> Tensor:
    """Rolled down; between two pixels where that is no whole number of them."""
    whole, rest = divmod(rows, 1)
    here = x.roll(int(whole), -2)
    return torch.lerp(here, here.roll(1, -2), float(rest)) if rest else here


def first_cell(x: Tensor, lattice: Lattice) -> Tensor:
    """The first maps of a network (N, C, s, s) -> those of a lattice's cell, whose sides meet their neighbours'."""
    if lattice.plain:
        return x
    height, width = (int(lattice.fitted(x.shape[2]) * part) for part in (lattice.height, lattice.width))
    rows, columns = torch.arange(height) % x.shape[2], torch.arange(width) % x.shape[3]
    return x[:, :, rows][..., columns]


def roll_each(images: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
    """Shift each image of (N, C, H, W) by its own whole number of pixels ``dy``, ``dx`` (N,), wrapping around."""
    count, channels, height, width = images.shape
    rows = (torch.arange(height, device=images.device) - dy[:, None]) % height
    columns = (torch.arange(width, device=images.device) - dx[:, None]) % width
    moved = images.gather(2, rows[:, None, :, None].expand(count, channels, height, width))
    return moved.gather(3, columns[:, None, None, :].expand(count, channels, height, width))
