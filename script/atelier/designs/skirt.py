"""A flared midi skirt on a narrow waistband."""

from __future__ import annotations

import numpy as np

from ..blocks import Flare
from ..body import Body
from ..design import Design
from ..drape import Cloth, Pull
from ..mesh import F, Mesh, Panel
from ..picture import Camera, Look
from ..trims import Gathers, Hem, Patch, Seam, Trim

BLOCK = Flare(waist=35.0, length=66.0, spread=1.22, top=108.5)
BAND = 3.6


def _waves(turn: F) -> F:
    return 0.10 * np.cos(7 * turn + 0.6) + 0.05 * np.cos(4 * turn + 2.0) + 0.03 * np.cos(11 * turn)


def panels(_body: Body) -> list[Panel]:
    names = ("waist-{}", "side-l", "hem-{}", "side-r")
    out = []
    for layer in ("front", "back"):
        named = (names[0].format(layer), names[1], names[2].format(layer), names[3])
        out.append(BLOCK.panel(layer, named, BLOCK.cone((12.6, 9.0), layer == "front", _waves)))
    return out


def hold(mesh: Mesh) -> Pull:
    """The waistband stays at the waist."""
    rim = np.unique(np.concatenate([mesh.loops["waist-front"], mesh.loops["waist-back"]]))
    level = BLOCK.top - 0.035 * np.abs(mesh.x[rim, 2]) * np.sign(mesh.x[rim, 2])

    def pull(x: F) -> None:
        x[rim, 1] = level

    return pull


def band(uv: F) -> F:
    """Distance (cm) below the upper edge of the waistband."""
    return np.asarray(np.hypot(uv[:, 0], uv[:, 1] - BLOCK.radius - BLOCK.top) - BLOCK.radius)


def stiffen(_name: str, uv: F) -> F:
    return np.where(band(uv) < BAND, 20.0, np.where(band(uv) > BLOCK.length - 2.5, 3.0, 1.0))


def tighten(_name: str, uv: F) -> F:
    """The band is straight, not flared: its lower edge is no longer than its upper."""
    return np.where(band(uv) < BAND, 0.965, 1.0)


def trims() -> list[Trim]:
    top, low = BLOCK.arc(BLOCK.radius - 1.0), BLOCK.arc(BLOCK.radius + BAND)
    outline = np.concatenate([top, low[::-1]])
    hem = BLOCK.arc(BLOCK.radius + BLOCK.length)
    return [
        Seam(("front",), low, depth=0.05, pucker=0.03),
        Gathers(("front",), low, 7.0, 0.05, 1.6),
        Patch(("front",), outline, thickness=0.10, stitch=None, soft=0.08),
        Hem(("front",), BLOCK.arc(BLOCK.radius), 0.2, roll=0.07),
        Hem(("front", "back"), hem, 2.4),
    ]


DESIGN = Design(
    slug="skirt",
    name="Skirt",
    garment_class="skirt",
    order=3,
    alt="Flared midi skirt with a waistband on an invisible mannequin",
    panels=panels,
    trims=trims,
    legs=True,
    arms=False,
    cloth=Cloth(weight=0.020, bend=55.0, friction=0.35, pressure=0.6),
    look=Look(weave=0.07, tooth=0.010, wrinkle=0.06),
    camera=Camera(fill=(0.80, 0.84), rise=14.0),
    tighten=tighten,
    stiffen=stiffen,
    hold=hold,
    spacing=1.6,
    steps=(2600, 700),
    seed=7,
)
