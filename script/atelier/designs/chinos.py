"""Men's chinos in twill: mid-rise, straight, with slant pockets and welts behind."""

from __future__ import annotations

from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..legs import Legs
from ..picture import Camera

BLOCK = Legs(
    waist=102.5,
    crotch=77.0,
    rim=20.2,
    thigh=25.2,
    knee=23.4,
    ankle=21.6,
    inner=(0.0, -1.2),
    crease=False,
    turned_up=2.8,
)

DESIGN = Design(
    slug="chinos",
    name="Chinos",
    garment_class="trousers",
    order=18,
    alt="Straight mid-rise chinos with slant pockets on an invisible mannequin",
    back_alt="The back of straight mid-rise chinos with welt pockets on an invisible mannequin",
    wearer="men",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    pose=Pose(stance=BLOCK.stance),
    arms=False,
    cloth=Cloth(weight=0.028, bend=80.0, friction=0.3, pressure=0.8),
    look=Look(wrinkle=0.12),
    camera=Camera(fill=(0.80, 0.88), rise=6.0),
    stiffen=BLOCK.stiffen,
    hold=BLOCK.hold,
    spacing=1.6,
    steps=(2600, 700),
    seed=23,
)
