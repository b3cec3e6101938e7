"""The orthonormal Haar wavelet on maps (Haar, 1910): a picture at half its side, and what that loses.

The 2x2 blocks of pixels that it looks at do not overlap, so nothing has to be padded: on a torus it is exact.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def analyse(x: Tensor) -> Tensor:
    """(N, C, H, W) of even sides -> (N, 4C, H/2, W/2).

    For each channel: the sum of a block, its difference across, down and across the diagonal, each halved, so that
    the energy stays.  :func:`synthesise` is the exact inverse.
    """
    return _mix(x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2])


def synthesise(bands: Tensor) -> Tensor:
    """(N, 4C, H, W) -> (N, C, 2H, 2W), the inverse of :func:`analyse`, which is its own transpose."""
    count, channels, height, width = bands.shape
    return F.pixel_shuffle(_mix(*bands.view(count, channels // 4, 4, height, width).unbind(2)), 2)


def _mix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """The 4x4 Hadamard matrix, halved: symmetric and its own inverse.  Four (N, C, H, W) -> (N, 4C, H, W)."""
    up, down, up_across, down_across = a + b, c + d, a - b, c - d
    mixed = torch.stack([up + down, up_across + down_across, up - down, up_across - down_across], dim=2)
    return (mixed / 2).flatten(1, 2)
