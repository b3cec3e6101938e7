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
    return mix(F.pixel_unshuffle(x, 2), 1)


def synthesise(bands: Tensor) -> Tensor:
    """(N, 4C, H, W) -> (N, C, 2H, 2W), the inverse of :func:`analyse`."""
    return F.pixel_shuffle(mix(bands, 1), 2)


def mix(x: Tensor, dim: int) -> Tensor:
    """Each run of four along ``dim`` times the Hadamard matrix, halved: symmetric and its own inverse.

    Between the pixels of a block and its bands.  On the kernels of a convolution that reads or writes bands, it makes
    one that reads or writes the pixels themselves.
    """
    a, b, c, d = torch.unflatten(x, dim, (-1, 4)).unbind(dim + 1)
    up, down, up_across, down_across = a + b, c + d, a - b, c - d
    mixed = torch.stack([up + down, up_across + down_across, up - down, up_across - down_across], dim=dim + 1)
    return (mixed / 2).flatten(dim, dim + 1)
