"""High-waisted straight trousers with a fly, slant pockets and a pressed crease."""

from __future__ import annotations

from ..body import Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..legs import Legs
from ..picture import Camera

BLOCK = Legs()

DESIGN = Design(
    slug="trousers",
    name="Trousers",
    garment_class="trousers",
    order=6,
    alt="High-waisted straight trousers with a pressed crease on an invisible mannequin",
    back_alt="The back of high-waisted straight trousers with welt pockets on an invisible mannequin",
    wearer="women",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    pose=Pose(stance=BLOCK.stance),
    arms=False,
    cloth=Cloth(weight=0.026, bend=70.0, friction=0.3, pressure=1.2),
    look=Look(wrinkle=0.10),
    camera=Camera(fill=(0.80, 0.88), rise=6.0),
    stiffen=BLOCK.stiffen,
    hold=BLOCK.hold,
    spacing=1.6,
    steps=(2600, 700),
    seed=9,
)
