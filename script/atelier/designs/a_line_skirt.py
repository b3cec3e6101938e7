"""A short A-line skirt in a firm cloth, the one that shows a plaid best."""

from __future__ import annotations

import numpy as np

from ..blocks import Flare
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..mesh import F
from ..picture import Camera
from ..skirts import Skirt


def _waves(turn: F) -> F:
    return 0.03 * np.cos(4 * turn + 0.6)


BLOCK = Skirt(Flare(waist=35.5, length=47.0, spread=0.50, top=108.5), _waves)

DESIGN = Design(
    slug="a-line-skirt",
    name="A-line skirt",
    garment_class="skirt",
    order=12,
    alt="Short A-line skirt with a waistband on an invisible mannequin",
    back_alt="The back of a short A-line skirt with a waistband on an invisible mannequin",
    wearer="women",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    arms=False,
    cloth=Cloth(weight=0.028, bend=70.0, friction=0.35, pressure=0.6),
    look=Look(wrinkle=0.05),
    camera=Camera(fill=(0.72, 0.66), rise=12.0),
    spacing=1.6,
    steps=(2600, 700),
    seed=41,
    tighten=BLOCK.tighten,
    stiffen=BLOCK.stiffen,
    hold=BLOCK.hold,
)
