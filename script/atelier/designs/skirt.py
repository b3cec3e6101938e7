"""A flared midi skirt on a narrow waistband."""

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
    return 0.10 * np.cos(7 * turn + 0.6) + 0.05 * np.cos(4 * turn + 2.0) + 0.03 * np.cos(11 * turn)


BLOCK = Skirt(Flare(waist=35.0, length=66.0, spread=1.22, top=108.5), _waves)

DESIGN = Design(
    slug="skirt",
    name="Skirt",
    garment_class="skirt",
    order=3,
    alt="Flared midi skirt with a waistband on an invisible mannequin",
    back_alt="The back of a flared midi skirt with a waistband on an invisible mannequin",
    wearer="women",
    panels=BLOCK.panels,
    trims=BLOCK.trims,
    arms=False,
    cloth=Cloth(weight=0.020, bend=55.0, friction=0.35, pressure=0.6),
    look=Look(wrinkle=0.06),
    camera=Camera(fill=(0.80, 0.84), rise=14.0),
    spacing=1.6,
    steps=(2600, 700),
    seed=7,
    tighten=BLOCK.tighten,
    stiffen=BLOCK.stiffen,
    hold=BLOCK.hold,
)
