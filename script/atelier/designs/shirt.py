"""A classic button-up shirt in poplin: collar, placket, chest pocket, cuffs, shirt tail."""

from __future__ import annotations

from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..picture import Camera
from ..shirts import Shirt

BLOCK = Shirt()

DESIGN = Design(
    slug="shirt",
    name="Shirt",
    garment_class="top",
    order=4,
    alt="Button-up shirt with a collar, chest pocket and long sleeves on an invisible mannequin",
    back_alt="The back of a button-up shirt with a yoke and long sleeves on an invisible mannequin",
    wearer="men",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=17.0, right_arm=20.0, arm_length=60.5, elbow=6.0),
    cloth=Cloth(weight=0.013, bend=34.0, pressure=2.2),
    look=Look(crumple=0.012, wrinkle=0.12),
    camera=Camera(fill=(0.88, 0.86)),
    spacing=1.5,
    steps=(2600, 700),
    seed=3,
    tighten=BLOCK.tighten,
    stiffen=BLOCK.stiffen,
    finish=BLOCK.collar,
    parting=-1.2,
)
