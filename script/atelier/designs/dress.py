"""A fit-and-flare day dress: sleeveless bodice with darts, waist seam, full gathered skirt."""

from __future__ import annotations

import numpy as np

from ..blocks import Flare, Top, both, line
from ..body import Body
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..mesh import Edge, F, Panel, bezier, mirrored
from ..picture import Camera
from ..trims import Crease, Gathers, Hem, Seam, Trim

WAIST = 106.5
NECK_FRONT = both(bezier((-9.6, 145.6), (-10.0, 136.0), (-7.5, 131.2), (0.0, 131.0)))
NECK_BACK = both(bezier((-9.6, 145.6), (-8.4, 141.6), (-4.0, 140.6), (0.0, 140.6)))
WAIST_LINE = bezier((-17.6, WAIST), (-6.0, WAIST - 0.8), (6.0, WAIST - 0.8), (17.6, WAIST))
BLOCK = Top(
    neck_front=NECK_FRONT,
    neck_back=NECK_BACK,
    shoulder=line((-15.4, 143.0), (-9.6, 145.6)),
    armhole=bezier((-15.4, 143.0), (-14.2, 134.5), (-13.6, 126.0), (-20.3, 125.0)),
    side=bezier((-20.3, 125.0), (-19.4, 118.0), (-18.0, 112.0), (-17.6, WAIST)),
    hem=WAIST_LINE,
    hem_back=WAIST_LINE,
)
ZIP = line((0.0, 140.6), (0.0, WAIST))
SKIRT = Flare(waist=50.0, length=60.0, spread=1.28, top=WAIST)


def _waves(turn: F) -> F:
    return 0.10 * np.cos(8 * turn + 0.3) + 0.06 * np.cos(5 * turn + 1.0) + 0.03 * np.cos(13 * turn)


def panels(body: Body) -> list[Panel]:
    out: list[Panel] = []
    for bodice, layer in zip(BLOCK.panels(body), ("front", "back"), strict=True):
        edges = tuple(Edge(f"waist-{layer}", e.curve, e.flip) if e.name.startswith("hem") else e for e in bodice.edges)
        out.append(Panel(bodice.name, edges, bodice.place))
        names = (f"waist-{layer}", "skirt-l", f"hem-{layer}", "skirt-r")
        out.append(_skirt(layer, names))
    return out


def _skirt(layer: str, names: tuple[str, str, str, str]) -> Panel:
    return SKIRT.panel(layer, names, SKIRT.cone((13.0, 9.6), layer == "front", _waves))


def below(uv: F) -> F:
    """Distance below the waist seam on the skirt."""
    return np.asarray(np.hypot(uv[:, 0], uv[:, 1] - SKIRT.radius - SKIRT.top) - SKIRT.radius)


def stiffen(name: str, uv: F) -> F:
    if name.endswith("skirt"):
        return np.where(below(uv) > SKIRT.length - 2.5, 3.0, 1.0)
    return np.full(len(uv), 2.5)


def trims() -> list[Trim]:
    b = BLOCK
    hem = SKIRT.arc(SKIRT.radius + SKIRT.length)
    top = SKIRT.arc(SKIRT.radius)
    dart = bezier((-8.6, WAIST), (-8.9, 113.0), (-8.4, 120.5))
    bust = line((-19.6, 119.0), (-11.0, 122.6))
    torso = ("front-torso", "back-torso")
    return [
        Hem(("front-torso",), NECK_FRONT, 0.9, roll=0.08),
        Hem(("back-torso",), NECK_BACK, 0.9, roll=0.08),
        Hem(torso, b.armhole, 0.8, roll=0.08),
        Hem(torso, mirrored(b.armhole), 0.8, roll=0.08),
        Seam(("front-torso", "back-torso"), b.shoulder),
        Seam(("front-torso", "back-torso"), mirrored(b.shoulder)),
        Seam(torso, dart, 0.05, 0.015),
        Seam(torso, mirrored(dart), 0.05, 0.015),
        Seam(("front-torso",), bust, 0.05, 0.015),
        Seam(("front-torso",), mirrored(bust), 0.05, 0.015),
        Crease(("front-torso",), bust, 0.03, 0.8),
        Seam(("back-torso",), ZIP, 0.05, 0.015),
        Seam(torso, WAIST_LINE, 0.06, 0.02),
        Seam(("front-skirt", "back-skirt"), top, 0.06, 0.04),
        Gathers(("front-skirt", "back-skirt"), top, 11.0, 0.13, 1.3),
        Hem(("front-skirt", "back-skirt"), hem, 2.4),
    ]


DESIGN = Design(
    slug="dress",
    name="Dress",
    garment_class="dress",
    order=2,
    alt="Sleeveless dress with a fitted bodice and a full midi skirt on an invisible mannequin",
    back_alt="The back of a sleeveless dress with a full midi skirt on an invisible mannequin",
    wearer="women",
    panels=panels,
    trims=trims,
    arms=False,
    cloth=Cloth(weight=0.017, bend=45.0, pressure=0.6),
    look=Look(wrinkle=0.06),
    camera=Camera(fill=(0.84, 0.87), rise=10.0),
    stiffen=stiffen,
    spacing=1.7,
    steps=(2800, 700),
    seed=5,
)
