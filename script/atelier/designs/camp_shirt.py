"""A boxy summer shirt with short sleeves and a straight hem."""

from __future__ import annotations

from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..picture import Camera
from ..shirts import Shirt

BLOCK = Shirt(sleeve=25.0, cuff=19.0, cuffed=0.0, chest=27.4, side=27.0, hem=75.0, tail=0.0, buttons=9.8)

DESIGN = Design(
    slug="short-sleeved-shirt",
    name="Short-sleeved shirt",
    garment_class="top",
    order=16,
    alt="Boxy shirt with a collar, chest pocket and short sleeves on an invisible mannequin",
    back_alt="The back of a boxy shirt with a yoke and short sleeves on an invisible mannequin",
    wearer="men",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=20.0, right_arm=23.0),
    cloth=Cloth(weight=0.015, bend=34.0, pressure=2.0),
    look=Look(wrinkle=0.09),
    camera=Camera(fill=(0.84, 0.82)),
    spacing=1.5,
    steps=(2600, 700),
    seed=31,
    tighten=BLOCK.tighten,
    stiffen=BLOCK.stiffen,
    finish=BLOCK.collar,
    parting=-1.2,
)
