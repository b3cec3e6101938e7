"""Convolutions on a torus: what leaves the image on one side enters on the other.

A network built of these and of pointwise layers commutes with wrap-around shifts at its stride, so its output tiles
without a seam whatever its weights are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: ARG002
        """(N, inputs, h, w) -> (N, outputs, 2h, 2w); ``output_size`` is the parent's and has no meaning here."""
        wrapped = F.pad(x, (1, 1, 1, 1), mode="circular")
        return F.conv_transpose2d(wrapped, self.weight, self.bias, stride=2, padding=3)


def roll_each(images: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
    """Shift each image of (N, C, H, W) by its own whole number of pixels ``dy``, ``dx`` (N,), wrapping around."""
    count, channels, height, width = images.shape
    rows = (torch.arange(height, device=images.device) - dy[:, None]) % height
    columns = (torch.arange(width, device=images.device) - dx[:, None]) % width
    moved = images.gather(2, rows[:, None, :, None].expand(count, channels, height, width))
    return moved.gather(3, columns[:, None, None, :].expand(count, channels, height, width))
