"""The surface of the cloth in a photo: how it is lit, where it faces, and how fabric lies on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Surface:
    """Maps on one grid (h, w) that spans ``box`` (left, top, right, bottom, in photo pixels).

    ``shading`` (h, w): natural log of the linear-light multiplier that white cloth would show, 0 on evenly lit cloth.
    ``normal`` (3, h, w): unit vectors in camera space, x right, y up, z to the camera.
    ``jacobian`` (2, 2, h, w): derivatives of the fabric coordinates (u along the weft, to the wearer's left as seen
    from the front; v along the warp, downwards) in centimetres of cloth for a *photo* pixel:
    ``[[du/dx, du/dy], [dv/dx, dv/dy]]``.  Off the cloth the maps hold no meaning, but finite numbers.
    """

    box: Box
    shading: F32
    normal: F32
    jacobian: F32
