"""A photographed cloth becomes a tile: rectified, evenly lit, one repeat of it cut, joined and parted into inks.

``cut_cloth(photo, request)`` does it all; ``look(photo, request)`` stops where the repeat is known, for a page to show.
Pure NumPy, SciPy and Pillow: no network, so a web process may look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...inks import compose
from ...requests import ClothRequest
from ..base import Progress, ShouldStop, check, tell
from .inks import separated
from .light import evened, evening, flattened
from .repeat import WORKING_SIDE, Repeat, a_piece, find_repeat
from .tile import calmly_cut, how_many, joined, mean_repeat, origins, repair
from .warp import WHOLE, homography, rectified

F32 = NDArray[np.float32]

SIDE = 1024
"""Pixels of the longer side of the rectified cloth, in which repeats are told."""
FINEST_SIDE = 3072
"""Pixels of the longer side from which a tile is read at most: phones see more of a cloth than repeats are told in."""
_SURE = 0.7
_LAP = 0.2
"""Share of a piece without a repeat that is given to join its edges."""


@dataclass(frozen=True)
class Looked:
    """``flat`` is the cloth from straight above in even light; ``repeat`` in its pixels, chosen or found."""

    flat: F32
    repeat: Repeat

    @property
    def period(self) -> tuple[float, float]:
        """Width and height of the repeat as a request tells them: in pixels of a cloth whose longer side is 1024."""
        width, height = self.repeat.size
        scale = SIDE / max(self.flat.shape[:2])
        return width * scale, height * scale

    @property
    def counts(self) -> tuple[int, int]:
        """Repeats across and down in the tile."""
        return (1, 1) if self.repeat.kind == "none" else how_many(self.repeat)


@dataclass(frozen=True)
class Cloth:
    """``inks`` float32 (K, size, size), K colours, the tile as they print it, and of how many repeats it is the mean.
    ``period`` is :attr:`Looked.period`.

    ``request`` says all that was found, so that the same photo gives the same tile.
    """

    inks: F32
    palette: tuple[str, ...]
    image: Image.Image
    repeat: Repeat
    period: tuple[float, float]
    repeats_seen: int
    request: ClothRequest


def look(photo: Image.Image, request: ClothRequest, side: int = SIDE) -> Looked:
    """The cloth rectified and lit evenly, its longer side ``side`` pixels, and its repeat.

    Raises :class:`BadInput` for corners that are none.
    """
    flat = np.asarray(rectified(photo, request.corners or WHOLE, side), np.float32)
    if request.period is not None:
        width, height = (value * max(flat.shape[:2]) / SIDE for value in request.period)
        repeat = Repeat((width, 0.0), (0.0, height), 1.0, "repeat")
    elif request.whole_piece:
        repeat = a_piece(flat)
    else:
        repeat = _found(photo, request, flat)
    return Looked(flattened(flat, None if repeat.kind == "none" else repeat.size), repeat)


def finer(photo: Image.Image, request: ClothRequest, looked: Looked) -> Looked:
    """The same, as fine as a tile of the request's size can hold, where the photo shows it so."""
    (width, height), (across, down) = looked.repeat.size, looked.counts
    longest = max(looked.flat.shape[:2])
    wanted = longest * max(request.size / (across * width), request.size / (down * height))
    corners = request.corners or WHOLE
    rough = np.asarray(rectified(photo, corners, longest), np.float32)
    fine = np.asarray(rectified(photo, corners, min(FINEST_SIDE, round(wanted))), np.float32)
    if max(fine.shape[:2]) <= longest:
        return looked
    gain = evening(rough, None if looked.repeat.kind == "none" else looked.repeat.size)
    return Looked(evened(fine, gain), looked.repeat.scaled(max(fine.shape[:2]) / longest))


def _found(photo: Image.Image, request: ClothRequest, flat: F32) -> Repeat:
    """Looked for on a small copy; where it is not sure, once more under light that the first answer has evened."""
    small = flat
    if max(flat.shape[:2]) > WORKING_SIDE:
        small = np.asarray(rectified(photo, request.corners or WHOLE, WORKING_SIDE), np.float32)
    found = find_repeat(flattened(small))
    if found.kind != "none" and found.confidence < _SURE:
        again = find_repeat(flattened(small, found.size))
        found = again if again.confidence > found.confidence else found
    return a_piece(flat) if found.kind == "none" else found.scaled(max(flat.shape[:2]) / max(small.shape[:2]))


def outlines(looked: Looked, request: ClothRequest, most: int = 3) -> list[list[tuple[float, float]]]:
    """Up to ``most`` x ``most`` repeats about the middle as they lie in the photo: four corners each, shares of it."""
    height, width = looked.flat.shape[:2]
    square = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    forth = homography(square, np.array(request.corners or WHOLE, np.float64).reshape(4, 2))
    (ax, ay), (bx, by) = looked.repeat.across, looked.repeat.down
    found = []
    for x, y in origins((height, width), looked.repeat)[: most * most]:
        corners = np.array([(x, y, 1), (x + ax, y + ay, 1), (x + ax + bx, y + ay + by, 1), (x + bx, y + by, 1)])
        seen = corners @ forth.T
        found.append([(float(u / w), float(v / w)) for u, v, w in seen])
    return found


def tile_of(looked: Looked, size: int) -> tuple[F32, int]:
    """The tile, sRGB float32 (size, size, 3) in 0..255, and how many repeats it is made of."""
    if looked.repeat.kind == "none":
        return _piece(looked, size), 1
    across, down = looked.counts
    sides = -(-size // down), -(-size // across)
    cell, seen = mean_repeat(looked.flat, looked.repeat, sides)
    planes = repair(cell.transpose(2, 0, 1))
    tile = np.tile(planes, (1, down, across)).transpose(1, 2, 0)
    if tile.shape[:2] != (size, size):
        tile = _resized(tile, size)
    return np.clip(tile, 0, 255), seen


def _piece(looked: Looked, size: int) -> F32:
    """A square out of the middle, its edges joined."""
    height, width = looked.flat.shape[:2]
    side = round(min(height, width, looked.repeat.size[0] * (1 + _LAP)))
    top, left = (height - side) // 2, (width - side) // 2
    square = looked.flat[top : top + side, left : left + side]
    inside = joined(square, round(side / (1 + _LAP)))
    return np.clip(_resized(repair(inside.transpose(2, 0, 1)).transpose(1, 2, 0), size), 0, 255)


def _resized(tile: F32, size: int) -> F32:
    """To ``size`` px a side, round the edges: what lies beyond one is what lies at the other."""
    margin = 8
    wrapped = np.pad(tile, ((margin, margin), (margin, margin), (0, 0)), mode="wrap")
    box = (margin, margin, margin + tile.shape[1], margin + tile.shape[0])
    planes = [
        Image.fromarray(np.ascontiguousarray(wrapped[..., k])).resize((size, size), Image.Resampling.BICUBIC, box=box)
        for k in range(3)
    ]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], -1)


def cut_cloth(
    photo: Image.Image,
    request: ClothRequest,
    *,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> Cloth:
    """The whole way.  Raises :class:`BadInput`, ``Stopped`` when asked."""
    tell(progress, 0.0, "Looking for the repeat")
    looked = look(photo, request)
    check(should_stop)
    tell(progress, 0.4, "Cutting one repeat")
    looked = finer(photo, request, looked)
    tile, seen = tile_of(looked, request.size)
    tile = calmly_cut(tile)
    check(should_stop)
    tell(progress, 0.7, "Parting the inks")
    inks, palette = separated(tile, request.inks)
    image = Image.fromarray(compose(inks, palette))
    tell(progress, 1.0, "Done")
    return Cloth(
        inks, palette, image, looked.repeat, looked.period, seen, replace(request, corners=request.corners or WHOLE)
    )
