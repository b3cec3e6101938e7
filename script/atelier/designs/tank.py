"""A tank top in jersey, bound at neck and armholes."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..blocks import Top, both, line, same
from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..mesh import F, bezier, mirrored
from ..picture import Camera
from ..trims import Hem, Rib, Seam, Trim

NECK_FRONT = both(bezier((-9.2, 146.0), (-9.4, 137.0), (-6.4, 131.6), (0.0, 131.4)))
NECK_BACK = both(bezier((-9.2, 146.0), (-8.0, 141.4), (-4.0, 139.8), (0.0, 139.8)))
BLOCK = Top(
    neck_front=NECK_FRONT,
    neck_back=NECK_BACK,
    shoulder=line((-14.6, 143.7), (-9.2, 146.0)),
    armhole=bezier((-14.6, 143.7), (-14.0, 134.0), (-14.6, 124.0), (-22.6, 121.0)),
    side=bezier((-22.6, 121.0), (-22.0, 108.0), (-22.4, 95.0), (-23.4, 77.0)),
    hem=bezier((-23.4, 77.0), (-10.0, 76.4), (10.0, 76.4), (23.4, 77.0)),
    hem_back=bezier((-23.4, 77.0), (-10.0, 76.4), (10.0, 76.4), (23.4, 77.0)),
)
EDGES = cKDTree(np.concatenate([NECK_FRONT, NECK_BACK, BLOCK.armhole, mirrored(BLOCK.armhole)]))


def tighten(_name: str, uv: F) -> F:
    """The bindings are cut short so that they lie flat."""
    return np.where(EDGES.query(uv)[0] < 1.4, 0.975, 1.0)


def stiffen(_name: str, uv: F) -> F:
    return np.where(EDGES.query(uv)[0] < 1.4, 10.0, np.where(uv[:, 1] < 79.0, 3.0, 1.0))


def trims() -> list[Trim]:
    both_sides = ("front-torso", "back-torso")
    out: list[Trim] = [
        Rib(("front-torso",), NECK_FRONT, 1.3, pitch=0.26, height=0.010, name="neckband"),
        Rib(("back-torso",), NECK_BACK, 1.3, pitch=0.26, height=0.010, name="neckband"),
        Rib(("back-torso",), NECK_BACK, 1.3, pitch=0.26, height=0.010, inner=True, name="neckband"),
        Hem(both_sides, BLOCK.hem, 2.4, double=True),
    ]
    for turn, side in ((same, "l"), (mirrored, "r")):
        binding = Rib(both_sides, turn(BLOCK.armhole), 1.3, pitch=0.26, height=0.010, name=f"binding-{side}")
        out += [binding, Seam(both_sides, turn(BLOCK.shoulder))]
    return out


DESIGN = Design(
    slug="tank-top",
    name="Tank top",
    garment_class="top",
    order=14,
    alt="Sleeveless tank top with a scooped neck on an invisible mannequin",
    back_alt="The back of a sleeveless tank top on an invisible mannequin",
    wearer="everybody",
    panels=BLOCK.panels,
    trims=trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=21.0, right_arm=24.0),
    arms=False,
    cloth=Cloth(weight=0.020, bend=15.0, pressure=1.6),
    look=Look(wrinkle=0.06),
    camera=Camera(fill=(0.76, 0.82)),
    tighten=tighten,
    stiffen=stiffen,
    seed=43,
    parting=-1.0,
)
