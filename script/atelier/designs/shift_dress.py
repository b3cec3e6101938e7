"""A shift dress: one panel from the shoulders to above the knee, a boat neck, no sleeves; a canvas for large prints."""

from __future__ import annotations

import numpy as np

from ..blocks import Top, both, line
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..mesh import F, bezier, mirrored
from ..picture import Camera
from ..trims import Crease, Hem, Seam, Trim

NECK_FRONT = both(bezier((-9.4, 145.7), (-8.6, 141.8), (-5.0, 138.8), (0.0, 138.8)))
NECK_BACK = both(bezier((-9.4, 145.7), (-7.6, 143.2), (-4.0, 142.4), (0.0, 142.4)))
HEM = bezier((-29.5, 56.6), (-12.0, 53.6), (12.0, 53.6), (29.5, 56.6))
BLOCK = Top(
    neck_front=NECK_FRONT,
    neck_back=NECK_BACK,
    shoulder=line((-15.9, 142.7), (-9.4, 145.7)),
    armhole=bezier((-15.9, 142.7), (-14.6, 134.5), (-14.6, 126.0), (-21.6, 124.4)),
    side=bezier((-21.6, 124.4), (-20.4, 110.0), (-23.6, 86.0), (-29.5, 56.6)),
    hem=HEM,
    hem_back=HEM,
)


def stiffen(_name: str, uv: F) -> F:
    return np.where(uv[:, 1] < 58.0, 2.5, np.where(uv[:, 1] > 124.0, 2.0, 1.0))


def trims() -> list[Trim]:
    front, back, body = ("front-torso",), ("back-torso",), ("front-torso", "back-torso")
    bust = line((-20.6, 118.0), (-11.5, 122.4))
    out: list[Trim] = [
        Hem(front, NECK_FRONT, 0.9, roll=0.08),
        Hem(back, NECK_BACK, 0.9, roll=0.08),
        Seam(back, line((0.0, 142.4), (0.0, 104.0)), 0.04, 0.012),
        Hem(body, HEM, 3.0),
    ]
    for turn in (lambda curve: curve, mirrored):
        out += [
            Hem(body, turn(BLOCK.armhole), 0.8, roll=0.08),
            Seam(body, turn(BLOCK.shoulder)),
            Seam(front, turn(bust), 0.05, 0.015),
            Crease(front, turn(bust), 0.03, 0.8),
        ]
    return out


DESIGN = Design(
    slug="shift-dress",
    name="Shift dress",
    garment_class="dress",
    order=10,
    alt="Sleeveless shift dress to above the knee with a boat neck on an invisible mannequin",
    back_alt="The back of a sleeveless shift dress with a seam down its middle on an invisible mannequin",
    wearer="women",
    panels=BLOCK.panels,
    trims=trims,
    grain=BLOCK.grain,
    arms=False,
    cloth=Cloth(weight=0.019, bend=42.0, pressure=0.8),
    look=Look(wrinkle=0.05),
    camera=Camera(fill=(0.76, 0.86), rise=9.0),
    stiffen=stiffen,
    spacing=1.6,
    steps=(2800, 700),
    seed=47,
    parting=-1.0,
)
