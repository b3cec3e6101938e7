"""Where a pixel of the photo lies on the repeating fabric.

The formula is shared with the browser's preview; p is a pixel centre, d its displacement, c the photo's centre, y down:

    cm = (p + d - c) / px_per_cm
    q  = Rot(-rotate) cm / scale_cm - (offset_x, offset_y)      rotate is counter-clockwise on the screen

and ``q`` in tile sides goes through the repeat: *basic* wraps; *half-drop* lowers every odd column by half a tile
(v += 0.5 where floor(q.x) is odd); *half-brick* shifts every odd row (u += 0.5 where floor(q.y) is odd); *mirror*
reflects every odd column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, quoted
from ...requests import OverlayRequest

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """The affine map from photo pixels to tile sides: ``q = matrix @ (x, y) + shift``."""

    matrix: tuple[tuple[float, float], tuple[float, float]]
    shift: tuple[float, float]

    @classmethod
    def of(cls, request: OverlayRequest, px_per_cm: float, width: int, height: int) -> Placement:
        """``px_per_cm`` is that of the request's own shoulder width."""
        side = px_per_cm * request.scale_cm
        angle = math.radians(request.rotate)
        cos, sin = math.cos(angle) / side, math.sin(angle) / side
        x, y = width / 2, height / 2
        shift = (-cos * x + sin * y - request.offset_x, -sin * x - cos * y - request.offset_y)
        return cls(((cos, -sin), (sin, cos)), shift)

    def __call__(self, x: F32, y: F32) -> tuple[F32, F32]:
        """Pixel positions (any shape; centres lie at +0.5) -> tile coordinates of the same shape."""
        (a, b), (c, d) = self.matrix
        return (
            np.asarray(np.float32(a) * x + np.float32(b) * y + np.float32(self.shift[0]), np.float32),
            np.asarray(np.float32(c) * x + np.float32(d) * y + np.float32(self.shift[1]), np.float32),
        )


def repeat_cell(tile: F32, repeat: str) -> F32:
    """The smallest block that repeats by plain wrapping: (N,N,...) -> one or two tiles; N even for the half repeats.

    Sampling the wrapped block at ``q`` equals sampling the tile through the repeat, and it also blends properly
    across the borders between neighbouring tiles.
    """
    if repeat == "basic":
        return tile
    if repeat == "half-drop":
        return np.concatenate([tile, np.roll(tile, -(tile.shape[0] // 2), axis=0)], axis=1)
    if repeat == "half-brick":
        return np.concatenate([tile, np.roll(tile, -(tile.shape[1] // 2), axis=1)], axis=0)
    if repeat == "mirror":
        return np.concatenate([tile, tile[:, ::-1]], axis=1)
    raise BadInput(f"{quoted(repeat)} is not a repeat.")
