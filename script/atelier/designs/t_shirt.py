"""A regular crew-neck T-shirt in heavy jersey."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..blocks import Top, both, line
from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..mesh import F, bezier, mirrored
from ..picture import Camera
from ..trims import Hem, Plain, Rib, Seam, Trim

NECK_FRONT = both(bezier((-8.8, 147.0), (-8.6, 140.5), (-4.6, 137.8), (0.0, 137.8)))
NECK_BACK = both(bezier((-8.8, 147.0), (-6.5, 145.0), (-3.0, 144.6), (0.0, 144.6)))
BLOCK = Top(
    neck_front=NECK_FRONT,
    neck_back=NECK_BACK,
    shoulder=line((-21.0, 142.0), (-8.8, 147.0)),
    armhole=bezier((-21.0, 142.0), (-19.2, 134.0), (-19.6, 126.5), (-25.4, 123.5)),
    side=bezier((-25.4, 123.5), (-24.8, 110.0), (-24.9, 95.0), (-25.6, 78.0)),
    hem=bezier((-25.6, 78.0), (-10.0, 77.4), (10.0, 77.4), (25.6, 78.0)),
    hem_back=bezier((-25.6, 78.0), (-10.0, 77.4), (10.0, 77.4), (25.6, 78.0)),
    sleeve_top=line((-21.0, 142.0), (-37.8, 130.6)),
    cuff=line((-37.8, 130.6), (-28.2, 116.2)),
    sleeve_under=line((-28.2, 116.2), (-25.4, 123.5)),
    drop=(3.0, 1.0),
)


def tighten(_name: str, uv: F) -> F:
    """The neck rib is cut short so that it lies flat."""
    neck = cKDTree(np.concatenate([NECK_FRONT, NECK_BACK]))
    return np.where(neck.query(uv)[0] < 2.2, 0.975, 1.0)


def stiffen(_name: str, uv: F) -> F:
    """Rib and hems are double."""
    neck = cKDTree(np.concatenate([NECK_FRONT, NECK_BACK])).query(uv)[0] < 2.4
    hem = uv[:, 1] < 80.2
    return np.where(neck, 14.0, np.where(hem, 3.0, 1.0))


def trims() -> list[Trim]:
    b = BLOCK
    assert b.sleeve_top is not None and b.cuff is not None
    everywhere = ("front", "back")
    label = line((-1.6, 142.3), (1.6, 142.3), (1.6, 139.9), (-1.6, 139.9))
    return [
        Rib(("front-torso",), NECK_FRONT, 2.0, pitch=0.26, height=0.016, name="neckband"),
        Rib(("back-torso",), NECK_BACK, 2.0, pitch=0.26, height=0.016, name="neckband"),
        Rib(("back-torso",), NECK_BACK, 2.0, pitch=0.26, height=0.016, inner=True, name="neckband"),
        Seam(everywhere, b.armhole),
        Seam(everywhere, mirrored(b.armhole)),
        Seam(everywhere, b.shoulder),
        Seam(everywhere, mirrored(b.shoulder)),
        Hem(("front-torso", "back-torso"), b.hem, 2.4, double=True),
        Hem(("front-sleeve-l", "back-sleeve-l"), b.cuff, 2.2, double=True),
        Hem(("front-sleeve-r", "back-sleeve-r"), mirrored(b.cuff), 2.2, double=True),
        Plain(("back-torso",), label, (1.06, 1.06, 1.07), inner=True),
    ]


DESIGN = Design(
    slug="t-shirt",
    name="T-shirt",
    garment_class="top",
    order=1,
    alt="Crew-neck T-shirt with short sleeves on an invisible mannequin",
    back_alt="The back of a crew-neck T-shirt with short sleeves on an invisible mannequin",
    wearer="everybody",
    panels=BLOCK.panels,
    trims=trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=21.0, right_arm=24.0),
    cloth=Cloth(weight=0.020, bend=15.0, pressure=3.0),
    look=Look(wrinkle=0.085),
    camera=Camera(fill=(0.84, 0.84)),
    tighten=tighten,
    stiffen=stiffen,
    seed=4,
    lift=24.0,
    parting=-1.0,
)
