"""The block that trousers and shorts are cut from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .blocks import line, same
from .body import Body
from .cloth import ACROSS
from .drape import Pull
from .mesh import Edge, F, Mesh, Panel, Place, bezier, mirrored
from .trims import Button, Crease, Hem, Patch, Seam, Topstitch, Trim

BAND = 3.8


@dataclass(frozen=True)
class Legs:
    """The viewer's left leg in body centimetres; x = 0 is the centre front and back line, where the halves match.

    ``waist``, ``crotch``, ``hem``: heights.  ``rim``: half the waist of the front.  ``thigh``, ``knee``, ``ankle``: how
    far out the outer seam lies there, at the crotch, half way down, at the hem; ``inner``: the same of the inner seam
    at knee and hem.  ``stance``: degrees; ``round_``: radius of the tube that a leg begins as.  ``crease``: pressed.
    """

    waist: float = 106.0
    crotch: float = 76.0
    hem: float = 4.5
    rim: float = 18.2
    thigh: float = 24.4
    knee: float = 24.0
    ankle: float = 23.6
    inner: tuple[float, float] = (0.3, -0.2)
    stance: float = 6.0
    round_: float = 9.8
    crease: bool = True
    turned_up: float = 3.2

    @property
    def middle(self) -> float:
        """Height of the knee, or of what is half way down a short leg."""
        return max(48.0, (self.crotch + self.hem) / 2) if self.hem < 40.0 else (self.crotch + self.hem) / 2

    @property
    def outer(self) -> F:
        w, c, m = self.waist, self.crotch + 8.0, self.middle
        return np.concatenate(
            [
                bezier((-self.rim, w), (-self.rim - 2.2, w - 7.0), (-self.thigh + 0.2, w - 14.0), (-self.thigh, c)),
                bezier((-self.thigh, c), (-self.thigh - 0.2, c - 10.0), (-self.knee - 0.2, m + 12.0), (-self.knee, m))[
                    1:
                ],
                line((-self.knee, m), (-self.ankle, self.hem))[1:],
            ]
        )

    def rise(self, reach: float) -> F:
        """Centre line from the waist to the crotch point, ``reach`` cm past the centre."""
        turn = self.crotch + 9.0
        curve = bezier((0.0, turn), (0.1, self.crotch + 2.5), (reach * 0.45, self.crotch), (reach, self.crotch))
        return np.concatenate([line((-0.2, self.waist), (0.0, turn)), curve[1:]])

    def inseam(self, reach: float) -> F:
        knee, ankle = self.inner
        m = self.middle
        thigh = bezier((reach, self.crotch), (1.1 + knee, self.crotch - 10.0), (knee + 0.3, m + 10.0), (knee, m))
        return np.concatenate([thigh, line((knee, m), (ankle, self.hem))[1:]])

    @property
    def waistline(self) -> F:
        return line((-self.rim, self.waist), (-0.2, self.waist))

    @property
    def hemline(self) -> F:
        return line((-self.ankle, self.hem), (self.inner[1], self.hem))

    def _place(self, front: bool, left: bool) -> Place:
        reach = FRONT if front else BACK
        edge = np.concatenate([self.rise(reach), self.inseam(reach)[1:]])
        out = self.outer

        def place(uv: F) -> F:
            p = uv if left else uv * np.array([-1.0, 1.0])
            y = p[:, 1]
            low = np.interp(y, out[::-1, 1], out[::-1, 0])
            high = np.interp(y, edge[::-1, 1], edge[::-1, 0])
            t = np.clip((p[:, 0] - low) / (high - low), 0.0, 1.0)
            sign = 1.0 if front else -1.0
            down = np.maximum(self.crotch - y, 0.0)
            centre = -(self.round_ + 0.4 + np.sin(np.deg2rad(self.stance)) * 0.75 * down)
            leg_x = centre - self.round_ * np.cos(np.pi * t)
            leg_z = sign * (self.round_ + 0.2) * np.sin(np.pi * t)
            heights = [self.crotch, 88.0, 98.0, max(self.waist, 102.0)]
            hip = np.interp(y, heights, [20.5, 19.0, 16.8, self.rim - 4.8])
            hip_x = -hip * np.cos(np.pi / 2 * t)
            hip_z = sign * (0.62 * hip + 1.0) * np.sin(np.pi / 2 * t)
            s = np.clip((y - self.crotch) / 9.0, 0.0, 1.0)
            s = s * s * (3 - 2 * s)
            x = leg_x * (1 - s) + hip_x * s
            z = leg_z * (1 - s) + hip_z * s
            return np.column_stack([x if left else -x, y, z - 0.4])

        return place

    def panels(self, _body: Body) -> list[Panel]:
        out = []
        for layer, reach in (("front", FRONT), ("back", BACK)):
            for side in ("l", "r"):
                turn = same if side == "l" else mirrored
                edges = (
                    Edge(f"out-{side}", turn(self.outer)),
                    Edge(f"hem-{side}-{layer}", turn(self.hemline)),
                    Edge(f"in-{side}", turn(self.inseam(reach))[::-1], True),
                    Edge(f"rise-{layer}", turn(self.rise(reach))[::-1], True),
                    Edge(f"waist-{side}-{layer}", turn(self.waistline)[::-1], True),
                )
                out.append(Panel(f"{layer}-leg-{side}", edges, self._place(layer == "front", side == "l")))
        return out

    def hold(self, mesh: Mesh) -> Pull:
        """The waistband stays at the waist."""
        names = [name for name in mesh.loops if name.startswith("waist")]
        rim = np.unique(np.concatenate([mesh.loops[name] for name in names]))
        level = self.waist - 0.04 * mesh.x[rim, 2]

        def pull(x: F) -> None:
            x[rim, 1] = level

        return pull

    def stiffen(self, _name: str, uv: F) -> F:
        return np.where(uv[:, 1] > self.waist - BAND, 25.0, np.where(uv[:, 1] < self.hem + 3.5, 2.5, 1.0))

    def _loop(self, x: float) -> F:
        top, low = self.waist + 0.3, self.waist - BAND - 0.7
        return line((x - 0.6, top), (x + 0.6, top), (x + 0.6, low), (x - 0.6, low))

    def trims(self) -> list[Trim]:
        w = self.waist
        front, back, both = ("front-leg",), ("back-leg",), ("front-leg", "back-leg")
        wide = self.rim + 3.0
        seam = line((-wide, w - BAND), (0.3, w - BAND))
        band = line((-wide, w + 1), (-wide, w - BAND), (wide, w - BAND), (wide, w + 1))
        pocket = bezier((-0.75 * self.rim, w - BAND), (-0.86 * self.rim, w - 11.0), (-self.thigh + 2.6, w - 18.5))
        middle = (self.inner[0] - self.knee) / 2
        hem = (self.inner[1] - self.ankle) / 2
        thigh = bezier((middle + 1.3, w - BAND - 2), (middle + 0.5, self.crotch + 4.0), (middle, self.middle))
        crease = np.concatenate([thigh, line((middle, self.middle), (hem, self.hem))[1:]])
        fly = np.concatenate(
            [
                line((3.1, w - BAND), (3.1, w - 12.0)),
                bezier((3.1, w - 12.0), (3.1, w - 15.5), (1.6, w - 16.6), (0.1, w - 17.0))[1:],
            ]
        )
        welt = line((-14.2, w - 9.2), (-4.0, w - 9.2), (-4.0, w - 10.5), (-14.2, w - 10.5))
        out: list[Trim] = []
        for side, turn in (("l", same), ("r", mirrored)):
            leg = (f"front-leg-{side}", f"back-leg-{side}")
            out += [
                Seam(both, turn(seam), 0.05),
                Seam(front, turn(pocket), 0.06, 0.02),
                Topstitch(front, turn(pocket), 0.6),
                Patch(back, turn(welt), 0.06, 0.12),
                Seam(both, turn(self.outer), 0.03),
                Hem(leg, turn(self.hemline), self.turned_up, roll=0.06),
            ]
            if self.crease:
                out.append(Crease(both, turn(crease), 0.22, 0.55))
        out += [
            Seam(("front-leg-l",), self.rise(FRONT), 0.06),
            Seam(("back-leg-l",), self.rise(BACK), 0.06),
            Seam(("back-leg-r",), mirrored(self.rise(BACK)), 0.06),
            Patch(both, band, 0.09, None, grain=ACROSS, name="waistband"),
            Topstitch(("front-leg-r",), fly, 0.0),
            Hem(both, line((-wide, w), (wide, w)), 0.25, roll=0.07),
            Button(front, (0.6, w - BAND / 2), 0.75),
        ]
        for x in (-0.52 * self.rim, 0.52 * self.rim):
            out.append(Patch(both, self._loop(x), 0.12, 0.14))
        return out


FRONT, BACK = 4.6, 8.2
"""How far past the centre front and back the crotch reaches."""
