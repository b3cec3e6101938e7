"""Where a point of the cloth lies on the repeating fabric.

The formula is shared with the browser's preview; (u, v) are the cloth's own coordinates in centimetres, v downwards,
and 0 in the middle of a garment:

    q = Rot(-rotate) (u, v) shoulder_cm / 40 / scale_cm - (offset_x, offset_y)    rotate: counter-clockwise, as worn

and ``q`` in tile sides goes through the repeat (:mod:`ml_backend.lattices`): *basic* wraps; *half-drop* and
*third-drop* lower each column by a half or a third of a tile more than the one before; *half-brick* shifts each row by
half a tile; *ogee* lowers columns of half a tile by half a tile.  *Mirror* reflects every odd column, as it did before
fabrics were made for it: what is made for it is its own reflection there, and a fabric that is not has no seam either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...lattices import lattice_of
from ...requests import OverlayRequest

F32 = npt.NDArray[np.float32]

SHOULDER_CM = 40.0
"""The shoulder width at which a centimetre of the fabric is one of the cloth; an old request may ask for another."""


@dataclass(frozen=True)
class Placement:
    """The affine map from centimetres of cloth to tile sides: ``q = matrix @ (u, v) - offset``."""

    matrix: tuple[tuple[float, float], tuple[float, float]]
    offset: tuple[float, float]

    @classmethod
    def of(cls, request: OverlayRequest) -> Placement:
        side = request.scale_cm * SHOULDER_CM / request.shoulder_cm
        angle = math.radians(request.rotate)
        cos, sin = math.cos(angle) / side, math.sin(angle) / side
        return cls(((cos, -sin), (sin, cos)), (request.offset_x, request.offset_y))

    def __call__(self, u: F32, v: F32) -> tuple[F32, F32]:
        """Cloth coordinates (any shape) -> tile coordinates of the same shape."""
        (a, b), (c, d) = self.matrix
        return (
            np.asarray(np.float32(a) * u + np.float32(b) * v - np.float32(self.offset[0]), np.float32),
            np.asarray(np.float32(c) * u + np.float32(d) * v - np.float32(self.offset[1]), np.float32),
        )

    def footprint(self, jacobian: F32) -> tuple[F32, F32, F32]:
        """Centimetres a pixel (2, 2, ...) -> longer and shorter side of a pixel on the tile, and the longer's angle.

        A linear map z -> a z + b conj(z) of the complex plane stretches by |a| + |b| towards (arg a + arg b) / 2.
        """
        (cos, sin), _ = self.matrix
        turn = complex(cos, -sin)
        a = ((jacobian[0, 0] + jacobian[1, 1]) + 1j * (jacobian[1, 0] - jacobian[0, 1])) * (turn / 2)
        b = ((jacobian[0, 0] - jacobian[1, 1]) + 1j * (jacobian[1, 0] + jacobian[0, 1])) * (turn / 2)
        long, short = np.abs(a), np.abs(b)
        return (
            np.asarray(long + short, np.float32),
            np.asarray(np.abs(long - short), np.float32),
            np.asarray((np.angle(a) + np.angle(b)) / 2, np.float32),
        )


def repeat_cell(tile: F32, repeat: str) -> F32:
    """The smallest block that repeats by plain wrapping: (N,N,...) -> one tile or a few; N even for the half repeats.

    Sampling the wrapped block at ``q`` equals sampling the tile through the repeat, and it also blends properly
    across the borders between neighbouring tiles.
    """
    lattice = lattice_of(repeat)
    if lattice.mirrored:
        return np.concatenate([tile, tile[:, ::-1]], axis=1)
    planes = np.moveaxis(tile, (0, 1), (-2, -1))
    return np.moveaxis(lattice.block(lattice.cell(planes)), (-2, -1), (0, 1))
