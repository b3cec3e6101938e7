"""High-waisted straight trousers with a fly, slant pockets and a pressed crease."""

from __future__ import annotations

import numpy as np

from ..blocks import line, same
from ..body import Body, Pose
from ..design import Design
from ..drape import Cloth, Pull
from ..mesh import Edge, F, Mesh, Panel, Place, bezier, mirrored
from ..picture import Camera, Look
from ..trims import Button, Crease, Hem, Patch, Seam, Topstitch, Trim

WAIST, CROTCH, HEM, BAND = 106.0, 76.0, 4.5, 3.8
STANCE = 6.0

# The viewer's left leg; x = 0 is the centre front or back line.
OUT = np.concatenate(
    [
        bezier((-18.2, WAIST), (-20.4, 99.0), (-24.2, 92.0), (-24.4, 84.0)),
        bezier((-24.4, 84.0), (-24.6, 74.0), (-24.2, 60.0), (-24.0, 48.0))[1:],
        bezier((-24.0, 48.0), (-24.0, 30.0), (-23.8, 15.0), (-23.6, HEM))[1:],
    ]
)


def _rise(reach: float) -> F:
    """Centre line from the waist to the crotch point, ``reach`` cm past the centre."""
    turn = CROTCH + 9.0
    curve = bezier((0.0, turn), (0.1, CROTCH + 2.5), (reach * 0.45, CROTCH), (reach, CROTCH))
    return np.concatenate([line((-0.2, WAIST), (0.0, turn)), curve[1:]])


def _inseam(reach: float) -> F:
    thigh = bezier((reach, CROTCH), (1.4, 66.0), (0.6, 58.0), (0.3, 48.0))
    return np.concatenate([thigh, line((0.3, 48.0), (-0.2, HEM))[1:]])


FRONT_RISE, BACK_RISE = _rise(4.6), _rise(8.2)
FRONT_IN, BACK_IN = _inseam(4.6), _inseam(8.2)
WAISTLINE = line((-18.2, WAIST), (-0.2, WAIST))
HEMLINE = line((-23.6, HEM), (-0.2, HEM))


def _place(front: bool, left: bool) -> Place:
    rise, inner = (FRONT_RISE, FRONT_IN) if front else (BACK_RISE, BACK_IN)
    edge = np.concatenate([rise, inner[1:]])

    def place(uv: F) -> F:
        p = uv if left else uv * np.array([-1.0, 1.0])
        y = p[:, 1]
        low = np.interp(y, OUT[::-1, 1], OUT[::-1, 0])
        high = np.interp(y, edge[::-1, 1], edge[::-1, 0])
        t = np.clip((p[:, 0] - low) / (high - low), 0.0, 1.0)
        sign = 1.0 if front else -1.0
        down = np.maximum(CROTCH - y, 0.0)
        centre = -(10.2 + np.sin(np.deg2rad(STANCE)) * 0.75 * down)
        leg_x = centre - 9.8 * np.cos(np.pi * t)
        leg_z = sign * 10.0 * np.sin(np.pi * t)
        hip = np.interp(y, [CROTCH, 88.0, 98.0, WAIST], [20.5, 19.0, 16.8, 13.4])
        hip_x = -hip * np.cos(np.pi / 2 * t)
        hip_z = sign * (0.62 * hip + 1.0) * np.sin(np.pi / 2 * t)
        s = np.clip((y - CROTCH) / 9.0, 0.0, 1.0)
        s = s * s * (3 - 2 * s)
        x = leg_x * (1 - s) + hip_x * s
        z = leg_z * (1 - s) + hip_z * s
        return np.column_stack([x if left else -x, y, z - 0.4])

    return place


def panels(_body: Body) -> list[Panel]:
    out = []
    for layer, rise, inner in (("front", FRONT_RISE, FRONT_IN), ("back", BACK_RISE, BACK_IN)):
        for side in ("l", "r"):
            turn = same if side == "l" else mirrored
            edges = (
                Edge(f"out-{side}", turn(OUT)),
                Edge(f"hem-{side}-{layer}", turn(HEMLINE)),
                Edge(f"in-{side}", turn(inner)[::-1], True),
                Edge(f"rise-{layer}", turn(rise)[::-1], True),
                Edge(f"waist-{side}-{layer}", turn(WAISTLINE)[::-1], True),
            )
            out.append(Panel(f"{layer}-leg-{side}", edges, _place(layer == "front", side == "l")))
    return out


def hold(mesh: Mesh) -> Pull:
    names = [name for name in mesh.loops if name.startswith("waist")]
    rim = np.unique(np.concatenate([mesh.loops[name] for name in names]))
    level = WAIST - 0.04 * mesh.x[rim, 2]

    def pull(x: F) -> None:
        x[rim, 1] = level

    return pull


def stiffen(_name: str, uv: F) -> F:
    return np.where(uv[:, 1] > WAIST - BAND, 25.0, np.where(uv[:, 1] < HEM + 3.5, 2.5, 1.0))


def _loop(x: float) -> F:
    top, low = WAIST + 0.3, WAIST - BAND - 0.7
    return line((x - 0.6, top), (x + 0.6, top), (x + 0.6, low), (x - 0.6, low))


def trims() -> list[Trim]:
    front = ("front-leg",)
    seam = line((-18.6, WAIST - BAND), (0.3, WAIST - BAND))
    band = line((-20.5, WAIST + 1), (-20.5, WAIST - BAND), (20.5, WAIST - BAND), (20.5, WAIST + 1))
    pocket = bezier((-13.6, WAIST - BAND), (-15.6, 95.0), (-21.8, 87.5))
    thigh = bezier((-10.6, WAIST - BAND - 2), (-11.4, 80.0), (-11.9, 48.0))
    crease = np.concatenate([thigh, line((-11.9, 48.0), (-11.9, HEM))[1:]])
    bend = bezier((3.1, 94.0), (3.1, 90.5), (1.6, 89.4), (0.1, 89.0))
    fly = np.concatenate([line((3.1, WAIST - BAND), (3.1, 94.0)), bend[1:]])
    out: list[Trim] = []
    for side, turn in (("l", same), ("r", mirrored)):
        leg = (f"front-leg-{side}", f"back-leg-{side}")
        out += [
            Seam(front, turn(seam), 0.05),
            Seam(front, turn(pocket), 0.06, 0.02),
            Topstitch(front, turn(pocket), 0.6),
            Crease(front, turn(crease), 0.22, 0.55),
            Seam(("front", "back"), turn(OUT), 0.03),
            Hem(leg, turn(HEMLINE), 3.2, roll=0.06),
        ]
    out += [
        Seam(("front-leg-l",), FRONT_RISE, 0.06),
        Seam(("front-leg-r",), mirrored(FRONT_RISE), 0.06),
        Patch(front, band, 0.09, None),
        Topstitch(("front-leg-r",), fly, 0.0),
        Hem(front, line((-20, WAIST), (20, WAIST)), 0.25, roll=0.07),
        Button(front, (0.6, WAIST - BAND / 2), 0.75),
    ]
    for x in (-9.4, 9.4):
        out.append(Patch(front, _loop(x), 0.12, 0.14))
    return out


DESIGN = Design(
    slug="trousers",
    name="Trousers",
    garment_class="trousers",
    order=6,
    alt="High-waisted straight trousers with a pressed crease on an invisible mannequin",
    panels=panels,
    trims=trims,
    pose=Pose(stance=STANCE),
    arms=False,
    cloth=Cloth(weight=0.026, bend=70.0, friction=0.3, pressure=1.2),
    look=Look(weave=0.07, tooth=0.009, wrinkle=0.12),
    camera=Camera(fill=(0.80, 0.88), rise=6.0),
    stiffen=stiffen,
    hold=hold,
    spacing=1.6,
    steps=(2600, 700),
    seed=9,
)
