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


LAID_OUT = 16
"""Side of the maps at which a design is laid out and only drawn from there on."""


def cell_of(x: Tensor, lattice: Lattice, cut: tuple[float, float], side: int | None = None) -> Tensor:
    """Maps (N, C, s, s) of a basic tile -> those of a lattice's cell: the tile cut at ``cut`` and cropped.

    ``cut`` is the row and the column to begin at, in parts of a side.  A layout is made of coarse maps that only know
    tiles that wrap around; from maps of :data:`LAID_OUT` on, layers wrap around the lattice and mend what meets there.
    A side is cropped to what meets its neighbours pixel to pixel.  All this happens in whole pixels of maps of
    ``side``, which ``x`` is a multiple of.
    """
    side = side or x.shape[2]
    finer = x.shape[2] // side
    fitted = side // lattice.divisor * lattice.divisor
    x = x.roll((-round(cut[0] * side) * finer, -round(cut[1] * side) * finer), (2, 3))
    return x[:, :, : int(fitted * lattice.height) * finer, : int(fitted * lattice.width) * finer]


def roll_each(images: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
    """Shift each image of (N, C, H, W) by its own whole number of pixels ``dy``, ``dx`` (N,), wrapping around."""
    count, channels, height, width = images.shape
    rows = (torch.arange(height, device=images.device) - dy[:, None]) % height
    columns = (torch.arange(width, device=images.device) - dx[:, None]) % width
    moved = images.gather(2, rows[:, None, :, None].expand(count, channels, height, width))
    return moved.gather(3, columns[:, None, None, :].expand(count, channels, height, width))
