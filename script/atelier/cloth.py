"""How each piece lies on the cloth before it is cut out: its grain line, and where it is placed on the pattern.

Fabric coordinates are centimetres, u along the weft to the right and v along the warp downwards, as one looks at the
right side of the cloth.  A print that stands upright on the bolt runs along v.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import F


@dataclass(frozen=True)
class Grain:
    """The grain line of a piece, in the pattern space of its panel.

    ``down``: the way along which the warp runs, down the cloth.  ``at``: a point whose place on the cloth is given,
    ``cloth``: that place (u, v).  Two pieces whose places agree along a seam match there.
    """

    down: tuple[float, float] = (0.0, -1.0)
    at: tuple[float, float] = (0.0, 0.0)
    cloth: tuple[float, float] = (0.0, 0.0)

    def lay(self, uv: F, *, from_behind: bool) -> F:
        """Pattern points (n, 2) -> fabric coordinates (n, 2).

        Panels are drawn as seen from the front of the wearer; those seen ``from_behind`` have their right side turned
        away from that, and are counted the other way across.
        """
        down = np.asarray(self.down) / np.hypot(*self.down)
        right = np.array([-down[1], down[0]]) * (-1.0 if from_behind else 1.0)
        d = uv - np.asarray(self.at)
        return np.stack([self.cloth[0] + d @ right, self.cloth[1] + d @ down], axis=1)


UPRIGHT = Grain(at=(0.0, 140.0))
"""Straight on the centre line: u = 0 there, v = 0 at chest height, the same on every piece, so that fronts, backs,
pockets and plackets match one another."""

ACROSS = Grain(down=(1.0, 0.0), at=(0.0, 140.0))
"""The cloth turned by a quarter: bands, yokes and collars are cut along the warp, which then runs round the body."""


def along(start: F, end: F, notch: F) -> Grain:
    """A sleeve's: the warp runs down the arm from ``start`` to ``end``, its middle line; what crosses it meets the body
    at the ``notch``, a point of the armhole."""
    way = (end - start) / np.linalg.norm(end - start)
    meets = 140.0 - notch[1] - (notch - start) @ way
    return Grain((float(way[0]), float(way[1])), (float(start[0]), float(start[1])), (0.0, float(meets)))
