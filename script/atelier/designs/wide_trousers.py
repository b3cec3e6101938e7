"""Wide trousers that fall from the hips: viscose, high in the waist, nearly to the floor."""

from __future__ import annotations

from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..legs import Legs
from ..picture import Camera

BLOCK = Legs(
    hem=2.5,
    rim=17.8,
    thigh=25.6,
    knee=28.6,
    ankle=32.0,
    inner=(3.2, 6.4),
    stance=8.0,
    round_=11.6,
    crease=False,
    turned_up=2.6,
)

DESIGN = Design(
    slug="wide-trousers",
    name="Wide trousers",
    garment_class="trousers",
    order=13,
    alt="Wide high-waisted trousers that fall in folds on an invisible mannequin",
    back_alt="The back of wide high-waisted trousers on an invisible mannequin",
    wearer="women",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    pose=Pose(stance=BLOCK.stance),
    arms=False,
    cloth=Cloth(weight=0.024, bend=30.0, friction=0.3, pressure=0.4),
    look=Look(wrinkle=0.05),
    camera=Camera(fill=(0.82, 0.88), rise=6.0),
    stiffen=BLOCK.stiffen,
    hold=BLOCK.hold,
    spacing=1.7,
    steps=(2800, 700),
    seed=21,
)
