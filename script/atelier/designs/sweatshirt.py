"""A sweatshirt in loopback jersey: the hoodie's body with a ribbed crew neck."""

from __future__ import annotations

from dataclasses import replace

from ..blocks import both
from ..body import Body, Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..mesh import Mesh, bezier
from ..picture import Camera
from ..trims import Rib, Trim
from . import hoodie

NECK_FRONT = both(bezier((-8.8, 146.7), (-8.6, 140.5), (-4.8, 137.8), (0.0, 137.8)))
NECK_BACK = both(bezier((-8.8, 146.7), (-6.5, 145.0), (-3.0, 144.6), (0.0, 144.6)))
BLOCK = replace(
    hoodie.BLOCK,
    neck_front=NECK_FRONT,
    neck_back=NECK_BACK,
    shoulder=bezier((-24.0, 140.6), (-8.8, 146.7), count=2),
)


def finish(mesh: Mesh, _body: Body) -> Mesh:
    hoodie.ribbed(mesh)
    return mesh


def trims() -> list[Trim]:
    return [
        *hoodie.body_trims(),
        Rib(("front-torso",), NECK_FRONT, 2.2, pitch=0.34, height=0.02, name="neckband"),
        Rib(("back-torso",), NECK_BACK, 2.2, pitch=0.34, height=0.02, name="neckband"),
        Rib(("back-torso",), NECK_BACK, 2.2, pitch=0.34, height=0.02, inner=True, name="neckband"),
    ]


DESIGN = Design(
    slug="sweatshirt",
    name="Sweatshirt",
    garment_class="top",
    order=15,
    alt="Crew-neck sweatshirt with ribbed cuffs and hem on an invisible mannequin",
    back_alt="The back of a crew-neck sweatshirt on an invisible mannequin",
    wearer="everybody",
    panels=BLOCK.panels,
    trims=trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=19.0, right_arm=22.0, arm_length=61.5, elbow=9.0),
    cloth=Cloth(weight=0.032, bend=90.0, thickness=0.5, pressure=3.0),
    look=Look(crumple=0.014, wrinkle=0.11),
    camera=Camera(fill=(0.88, 0.80)),
    tighten=hoodie.tighten,
    stiffen=hoodie.stiffen,
    finish=finish,
    spacing=1.6,
    steps=(2600, 600),
    seed=51,
    lift=5.0,
    parting=-1.2,
)
