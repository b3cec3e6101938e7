"""A blouse with a band collar and bishop sleeves gathered into narrow cuffs."""

from __future__ import annotations

from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..picture import Camera
from ..shirts import Shirt

BLOCK = Shirt(
    sleeve=58.0,
    cuff=19.5,
    cuffed=4.6,
    puff=2.4,
    wrist=3.1,
    chest=24.6,
    side=24.2,
    hem=88.0,
    tail=5.0,
    leaf=False,
    pocket=False,
    buttons=7.0,
    tip=(-20.0, 142.0),
    neck=140.4,
    yoke=False,
)

DESIGN = Design(
    slug="blouse",
    name="Blouse",
    garment_class="top",
    order=9,
    alt="Blouse with a band collar and full sleeves gathered into cuffs on an invisible mannequin",
    back_alt="The back of a blouse with a band collar and full sleeves on an invisible mannequin",
    wearer="women",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=17.0, right_arm=20.0, arm_length=60.5, elbow=6.0),
    cloth=Cloth(weight=0.012, bend=16.0, pressure=1.8),
    look=Look(wrinkle=0.07),
    camera=Camera(fill=(0.88, 0.84)),
    spacing=1.5,
    steps=(2600, 700),
    seed=33,
    tighten=BLOCK.tighten,
    stiffen=BLOCK.stiffen,
    finish=BLOCK.collar,
    parting=-1.2,
)
