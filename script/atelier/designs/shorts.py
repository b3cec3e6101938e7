"""Summer shorts to above the knee, roomy in the leg."""

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
    hem=50.0,
    rim=20.2,
    thigh=25.8,
    knee=26.4,
    ankle=27.0,
    inner=(1.2, 1.6),
    stance=8.0,
    round_=10.8,
    crease=False,
    turned_up=2.8,
)

DESIGN = Design(
    slug="shorts",
    name="Shorts",
    garment_class="trousers",
    order=19,
    alt="Roomy shorts to above the knee with slant pockets on an invisible mannequin",
    back_alt="The back of roomy shorts with welt pockets on an invisible mannequin",
    wearer="men",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    pose=Pose(stance=BLOCK.stance),
    arms=False,
    cloth=Cloth(weight=0.024, bend=65.0, friction=0.3, pressure=0.8),
    look=Look(wrinkle=0.10),
    camera=Camera(fill=(0.78, 0.70), rise=8.0),
    stiffen=BLOCK.stiffen,
    hold=BLOCK.hold,
    spacing=1.4,
    steps=(2600, 700),
    seed=25,
)
