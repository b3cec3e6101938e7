"""A loose shirt dress to the knee: collar, placket to the hem, long sleeves."""

from __future__ import annotations

from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..picture import Camera
from ..shirts import Shirt

BLOCK = Shirt(chest=26.0, side=31.0, hem=50.0, tail=4.0, pocket=False, buttons=11.0, tip=(-20.4, 141.9), cuff=13.0)

DESIGN = Design(
    slug="shirt-dress",
    name="Shirt dress",
    garment_class="dress",
    order=11,
    alt="Loose knee-length shirt dress with a collar and long sleeves on an invisible mannequin",
    back_alt="The back of a loose knee-length shirt dress with a yoke on an invisible mannequin",
    wearer="women",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=17.0, right_arm=20.0, arm_length=60.5, elbow=6.0),
    cloth=Cloth(weight=0.015, bend=26.0, pressure=1.0),
    look=Look(wrinkle=0.07),
    camera=Camera(fill=(0.86, 0.88)),
    spacing=1.7,
    steps=(2600, 700),
    seed=35,
    tighten=BLOCK.tighten,
    stiffen=BLOCK.stiffen,
    finish=BLOCK.collar,
    parting=-1.2,
)
