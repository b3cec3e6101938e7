"""The block that skirts are cut from: two flared panels on a straight waistband."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .blocks import Flare
from .body import Body
from .drape import Pull
from .mesh import F, Mesh, Panel
from .trims import Gathers, Hem, Patch, Seam, Trim

BAND = 3.6
BOTH = ("front", "back")


@dataclass(frozen=True)
class Skirt:
    """``flare``: of front and back; ``waves``: the folds it begins to hang in, by the angle round the body;
    ``fullness`` of the gathers below the band, in cm."""

    flare: Flare
    waves: Callable[[F], F]
    fullness: float = 0.05

    def panels(self, _body: Body) -> list[Panel]:
        out = []
        for layer in BOTH:
            names = (f"waist-{layer}", "side-l", f"hem-{layer}", "side-r")
            out.append(self.flare.panel(layer, names, self.flare.cone((12.6, 9.0), layer == "front", self.waves)))
        return out

    def hold(self, mesh: Mesh) -> Pull:
        """The waistband stays at the waist."""
        rim = np.unique(np.concatenate([mesh.loops["waist-front"], mesh.loops["waist-back"]]))
        level = self.flare.top - 0.035 * np.abs(mesh.x[rim, 2]) * np.sign(mesh.x[rim, 2])

        def pull(x: F) -> None:
            x[rim, 1] = level

        return pull

    def below(self, uv: F) -> F:
        """Distance (cm) below the upper edge of the waistband."""
        return np.asarray(np.hypot(uv[:, 0], uv[:, 1] - self.flare.radius - self.flare.top) - self.flare.radius)

    def stiffen(self, _name: str, uv: F) -> F:
        below = self.below(uv)
        return np.where(below < BAND, 20.0, np.where(below > self.flare.length - 2.5, 3.0, 1.0))

    def tighten(self, _name: str, uv: F) -> F:
        """The band is straight, not flared: its lower edge is no longer than its upper."""
        return np.where(self.below(uv) < BAND, 0.965, 1.0)

    def trims(self) -> list[Trim]:
        arc, radius = self.flare.arc, self.flare.radius
        low = arc(radius + BAND)
        outline = np.concatenate([arc(radius - 1.0), low[::-1]])
        return [
            Seam(BOTH, low, depth=0.05, pucker=0.03),
            Gathers(BOTH, low, 7.0, self.fullness, 1.6),
            Patch(BOTH, outline, thickness=0.10, stitch=None, soft=0.08, band=arc(radius), name="waistband"),
            Hem(BOTH, arc(radius), 0.2, roll=0.07),
            Hem(BOTH, arc(radius + self.flare.length), 2.4),
        ]
