"""Latents shown as a picture by a linear map: 4 numbers and a constant to red, green and blue.

Good enough to see colours and shapes while the sampler works, and free of cost: decoding would take as long as a
few steps.  The map is fitted once for each autoencoder, by least squares over coloured blocks that it encodes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SIDE = 192
"""Side of the picture that is encoded, in pixels, and longest side of a preview."""
BLOCKS = 12
"""Coloured blocks along a side of that picture."""


def fit(encode: Callable[[Tensor], Tensor], factor: int) -> Tensor:
    """The map (5, 3) of an autoencoder; ``encode`` takes (1, 3, H, W) from -1 to 1 and gives (1, 4, H/f, W/f)."""
    side = factor * BLOCKS * max(1, SIDE // (factor * BLOCKS))
    blocks = torch.rand(1, 3, BLOCKS, BLOCKS, generator=torch.Generator().manual_seed(0)) * 2 - 1
    picture = torch.nn.functional.interpolate(blocks, size=(side, side), mode="bilinear")
    latents = encode(picture).float().cpu()
    seen = torch.nn.functional.interpolate(picture, size=latents.shape[-2:], mode="area")
    wanted = seen[0].flatten(1).T
    solution: Tensor = torch.linalg.lstsq(_with_constant(latents[0]), wanted).solution
    return solution


def show(latents: Tensor, matrix: Tensor) -> list[Image.Image]:
    """(N, 4, h, w) latents of clean pictures -> N pictures of at most :data:`SIDE` pixels a side."""
    pictures = []
    for each in latents.float().cpu():
        height, width = each.shape[-2:]
        flat = torch.nan_to_num(_with_constant(each) @ matrix).clamp(-1, 1)
        pixels = ((flat.reshape(height, width, 3) + 1) * 127.5).round().to(torch.uint8).numpy()
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        scale = SIDE / max(picture.size)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pictures.append(picture.resize(size, Image.Resampling.BICUBIC))
    return pictures


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """One picture of all, in a row."""
    row = Image.new("RGB", (sum(each.width for each in pictures), max(each.height for each in pictures)))
    left = 0
    for each in pictures:
        row.paste(each, (left, 0))
        left += each.width
    return row


def _with_constant(latents: Tensor) -> Tensor:
    """(4, h, w) -> (h*w, 5)."""
    flat = latents.flatten(1).T
    return torch.cat([flat, torch.ones(len(flat), 1)], dim=1)
