"""Enlarge a picture, a tile or the ink maps of a fabric with an SRGAN generator.

Small inputs go through the network whole; a tile's convolutions then wrap around, so the enlarged tile repeats as the
small one did.  Larger ones go in overlapping chunks, each with a margin of context that is thrown away and a ramp over
which neighbours are blended, so memory stays bounded and no border shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ..errors import BadInput, BadPackage
from ..lattices import BASIC, Lattice, lattice_of
from ..networks import wrap
from ..networks.srgan import MIN_SIDE, SRResNet, Wrap
from ..packaging import Package
from .base import Progress, ShouldStop, check, tell

F32 = NDArray[np.float32]

MAX_OUTPUT = 8192
"""Largest side of an enlarged picture, in pixels."""
CHUNK = 96
"""Side of a chunk's own area, in input pixels."""
RAMP = 8
"""Width over which a chunk is blended into its neighbours, in input pixels."""
CONTEXT = 12
"""Extra margin around chunk and ramp that only serves as context, in input pixels."""
SMOOTHNESS = 0.25
"""Deviation of the Gaussian that evens out ink borders before they are made crisp, in input pixels.

The network likes to put borders on the lattice of its input pixels; this takes most of the wobble out of slanted lines.
"""
CRISPNESS = 3.0
"""Exponent that draws ink borders together: coverage c becomes c**CRISPNESS, renormalised over the inks.

2 keeps shading (animal, abstract) truest, 4 looks most like print; this lies between.
"""


@dataclass(frozen=True)
class _Piece:
    """An enlarged chunk: where it goes in the output, how opaque it is there (H,W), and its pixels (N,3,H,W)."""

    rows: slice
    columns: slice
    opacity: F32
    pixels: F32


class UpscalePipeline:
    """``UpscalePipeline(package)(image)``; holds the network, call it as often as you like."""

    def __init__(self, package: Package, device: str = "cpu") -> None:
        network = package.network()
        if not isinstance(network, SRResNet):
            raise BadPackage(
                f"{package.manifest.name} does not enlarge pictures but serves {package.manifest.capability}."
            )
        self.device = torch.device(device)
        # channels last is a quarter faster on a CPU
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.scale = network.config.scale
        self.model = package.manifest.reference

    def __call__(
        self,
        image: Image.Image,
        *,
        tile: bool = False,
        repeat: str = "basic",
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Image.Image:
        """An RGB picture of ``scale`` times the sides; ``tile`` says that it wraps around, and so will the result.

        ``repeat`` is the one that a tile was made for.

        Raises :class:`BadInput` for a picture that is too small or whose result would be too large, and ``Stopped``.
        """
        lattice = lattice_of(repeat)
        if tile and not lattice.plain:
            return self._cell(image, lattice, progress, should_stop)
        pixels = np.asarray(image.convert("RGB"), np.uint8)
        lr = torch.from_numpy(pixels.astype(np.float32).transpose(2, 0, 1) / 255)[None]
        out = np.zeros((pixels.shape[0] * self.scale, pixels.shape[1] * self.scale, 3), np.uint8)
        for piece in self._pieces(lr, BASIC if tile else None, progress, should_stop):
            old = out[piece.rows, piece.columns]
            new = piece.pixels[0].transpose(1, 2, 0).clip(0, 1) * 255
            old[:] = np.round(old + piece.opacity[..., None] * (new - old))
        return Image.fromarray(out)

    def _cell(
        self, image: Image.Image, lattice: Lattice, progress: Progress | None, should_stop: ShouldStop | None
    ) -> Image.Image:
        """A tile of another repeat than basic: its cell enlarged, which fills the larger tile."""
        pixels = np.asarray(image.convert("RGB"), np.float32).transpose(2, 0, 1) / np.float32(255)
        made = self._planes(lattice.cell(pixels), lattice, progress, should_stop)
        tile = lattice.tile(made).clip(0, 1) * 255
        return Image.fromarray(np.round(tile).astype(np.uint8).transpose(1, 2, 0))

    def inks(self, inks: F32, *, lattice: Lattice = BASIC, should_stop: ShouldStop | None = None) -> F32:
        """Coverage (K,h,w) that sums to 1 -> (K,h*scale,w*scale), wrapped around, crisp at the borders, summing to 1.

        The network sees the planes three at a time, as red, green and blue.  ``inks`` are those of the lattice's cell.
        """
        if inks.ndim != 3 or not len(inks):
            raise BadInput("Ink maps are an array of (inks, height, width).")
        out = self._planes(inks, lattice, None, should_stop)
        blur = SMOOTHNESS * self.scale
        if lattice.plain:
            gaussian_filter(out, (0, blur, blur), mode="wrap", output=out)
            return crisp(out)
        margin = self.scale
        around = gaussian_filter(lattice.surround(out, margin), (0, blur, blur))
        return crisp(around[:, margin:-margin, margin:-margin])

    def _planes(self, inks: F32, lattice: Lattice, progress: Progress | None, should_stop: ShouldStop | None) -> F32:
        """Any planes (K,h,w) of a lattice's cell enlarged, three at a time."""
        count, height, width = inks.shape
        groups = -(-count // 3)
        padded = np.concatenate([inks, np.repeat(inks[-1:], 3 * groups - count, axis=0)]).astype(np.float32)
        lr = torch.from_numpy(padded.reshape(groups, 3, height, width))
        out = np.zeros((count, height * self.scale, width * self.scale), np.float32)
        for piece in self._pieces(lr, lattice, progress, should_stop):
            old = out[:, piece.rows, piece.columns]
            old += piece.opacity * (piece.pixels.reshape(-1, *piece.opacity.shape)[:count] - old)
        return out

    def _pieces(
        self, lr: Tensor, tile: Lattice | None, progress: Progress | None, should_stop: ShouldStop | None
    ) -> Iterator[_Piece]:
        height, width = lr.shape[-2:]
        if min(height, width) < 2 * MIN_SIDE:
            raise BadInput(f"A picture to enlarge must be at least {2 * MIN_SIDE} pixels wide and high.")
        if max(height, width) * self.scale > MAX_OUTPUT:
            raise BadInput(
                f"Enlarged {self.scale} times, {width} x {height} pixels would pass the limit of {MAX_OUTPUT} a side."
            )
        check(should_stop)
        if max(height, width) <= CHUNK + 2 * RAMP:
            yield _Piece(slice(None), slice(None), self._whole_opacity(lr), self._enlarge(lr, tile or False))
            tell(progress, 1.0, "enlarging")
            return
        yield from self._chunks(lr, tile, progress, should_stop)

    def _chunks(
        self, lr: Tensor, tile: Lattice | None, progress: Progress | None, should_stop: ShouldStop | None
    ) -> Iterator[_Piece]:
        """Chunks in reading order, each opaque except for a ramp on the sides where another lies already."""
        height, width = lr.shape[-2:]
        margin = RAMP + CONTEXT
        # a tile is surrounded by its repeats; elsewhere the windows end where the picture does
        surrounded, offset = (surround(lr, margin, tile), margin) if tile else (lr, 0)
        corners = [(top, left) for top in range(0, height, CHUNK) for left in range(0, width, CHUNK)]
        for done, (top, left) in enumerate(corners):
            check(should_stop)
            bottom, right = min(top + CHUNK, height), min(left + CHUNK, width)
            first_row, first_column = max(0, top + offset - margin), max(0, left + offset - margin)
            window = surrounded[..., first_row : bottom + offset + margin, first_column : right + offset + margin]
            # the ramp reaches back over the chunk before; the first row and column have none
            above, before = RAMP if top else 0, RAMP if left else 0
            pixels = self._enlarge(window, wrap=False)
            cut_top = (top - above + offset - first_row) * self.scale
            cut_left = (left - before + offset - first_column) * self.scale
            high, wide = (bottom - top + above) * self.scale, (right - left + before) * self.scale
            yield _Piece(
                slice((top - above) * self.scale, bottom * self.scale),
                slice((left - before) * self.scale, right * self.scale),
                np.outer(_rise(high, above * self.scale), _rise(wide, before * self.scale)),
                pixels[..., cut_top : cut_top + high, cut_left : cut_left + wide],
            )
            tell(progress, (done + 1) / len(corners), "enlarging")

    def _whole_opacity(self, lr: Tensor) -> F32:
        return np.ones((lr.shape[-2] * self.scale, lr.shape[-1] * self.scale), np.float32)

    @torch.inference_mode()
    def _enlarge(self, lr: Tensor, wrap: Wrap) -> F32:
        # a CPU takes them one by one: half as much memory in use at a time saves a quarter of the time
        parts = lr.chunk(len(lr)) if self.device.type == "cpu" else (lr,)
        made = [self.network(part.to(self.device, memory_format=torch.channels_last), wrap=wrap) for part in parts]
        enlarged: F32 = torch.cat(made).float().cpu().numpy()
        return enlarged


def crisp(inks: F32, crispness: float = CRISPNESS) -> F32:
    """(K,H,W) of any values -> coverage that sums to 1 everywhere, its borders drawn together by ``crispness``."""
    coverage: F32 = np.clip(inks, 1e-4, 1, dtype=np.float32)
    np.power(coverage, crispness, out=coverage)
    coverage /= coverage.sum(axis=0)
    return coverage


def surround(tile: Tensor, margin: int, lattice: Lattice = BASIC) -> Tensor:
    """(...,H,W) -> (...,H+2m,W+2m): the tile among its repeats; the margin may be larger than a basic tile."""
    if not lattice.plain:
        return wrap.surrounded(tile, margin, lattice)
    height, width = tile.shape[-2:]
    rows, columns = (torch.arange(-margin, side + margin) % side for side in (height, width))
    return tile[..., rows, :][..., columns]


def _rise(length: int, ramp: int) -> F32:
    """Opacity along one axis: from nearly 0 to 1 over ``ramp`` pixels, then 1."""
    line = np.ones(length, np.float32)
    line[:ramp] = (np.arange(ramp) + 0.5) / max(ramp, 1)
    return line
