"""A classic button-up shirt in poplin: collar, placket, chest pocket, cuffs, shirt tail."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..blocks import Top, both, line, same
from ..body import Body, Pose
from ..design import Design
from ..drape import Cloth
from ..mesh import F, Mesh, bezier, mirrored
from ..picture import Camera, Look
from ..pieces import Cuff, clear, join, neckline, outward, sheet
from ..trims import Button, Gathers, Hem, Patch, Seam, Topstitch, Trim, smoothstep

NECK_FRONT = both(bezier((-7.4, 147.2), (-7.4, 142.0), (-4.2, 139.6), (0.0, 139.6)))
NECK_BACK = both(bezier((-7.4, 147.2), (-5.4, 146.0), (-3.0, 145.7), (0.0, 145.7)))
ALONG, INWARD = np.array([-0.68, -0.733]), np.array([0.733, -0.68])
TIP = np.array([-21.6, 141.6])
CUFF_TOP = TIP + ALONG * 60.0
CUFF_UNDER = CUFF_TOP + INWARD * 12.5
UNDERARM = np.array([-26.2, 121.5])
CUFF_DEPTH = 6.2
HEM = both(bezier((-25.6, 84.0), (-23.0, 74.5), (-15.0, 72.6), (0.0, 72.6)))
HEM_BACK = both(bezier((-25.6, 84.0), (-23.0, 73.0), (-15.0, 70.6), (0.0, 70.6)))


def _pt(p: F) -> tuple[float, float]:
    return float(p[0]), float(p[1])


BLOCK = Top(
    neck_front=NECK_FRONT,
    neck_back=NECK_BACK,
    shoulder=line(_pt(TIP), (-7.4, 147.2)),
    armhole=bezier(_pt(TIP), (-19.6, 133.0), (-20.4, 124.5), _pt(UNDERARM)),
    side=bezier(_pt(UNDERARM), (-25.2, 110.0), (-25.0, 98.0), (-25.6, 84.0)),
    hem=HEM,
    hem_back=HEM_BACK,
    sleeve_top=bezier(_pt(TIP), _pt(TIP + ALONG * 30 + [-1.6, 1.6]), _pt(CUFF_TOP)),
    cuff=np.stack([CUFF_TOP, CUFF_UNDER]),
    sleeve_under=bezier(_pt(CUFF_UNDER), _pt((CUFF_UNDER + UNDERARM) / 2 + [-1.0, -1.0]), _pt(UNDERARM)),
    drop=(24.0, 21.0),
)


def from_cuff(uv: F) -> F:
    """How far (cm) a sleeve point lies above the cuff's edge."""
    p = np.column_stack([-np.abs(uv[:, 0]), uv[:, 1]])
    return np.asarray((CUFF_TOP - p) @ ALONG)


def over_cuff(uv: F) -> F:
    """0 at the upper seam of the sleeve, 1 at the under seam."""
    p = np.column_stack([-np.abs(uv[:, 0]), uv[:, 1]])
    return np.asarray((p - CUFF_TOP) @ INWARD / 12.5)


def tighten(name: str, uv: F) -> F:
    if "sleeve" not in name:
        return np.ones(len(uv))
    return np.where(from_cuff(uv) < CUFF_DEPTH, 0.88, 1.0)


def stiffen(name: str, uv: F) -> F:
    if "sleeve" in name:
        return np.where(from_cuff(uv) < CUFF_DEPTH, 14.0, 1.0)
    placket = (np.abs(uv[:, 0]) < 1.8) & name.startswith("front")
    return np.where(placket, 6.0, 1.0)


def collar(mesh: Mesh, body: Body) -> Mesh:
    """One sheet: a stand that rises round the neck, then a leaf folded over it down to the points."""
    cuff = Cuff(from_cuff, over_cuff, CUFF_DEPTH, radius=3.5, ease=13.0, puff=0.7)
    cuff.shape(mesh, "l", 81)
    cuff.shape(mesh, "r", 82)
    count, deep = 260, 44
    ring = neckline(mesh, count)
    s = np.linspace(0.0, 1.0, count + 1)
    front = np.minimum(s, 1 - s) * 2
    out = gaussian_filter1d(outward(ring), 4.0, axis=0, mode="nearest")
    height = 2.2 + 1.3 * smoothstep(0.0, 0.7, front)
    t = np.linspace(0.0, 1.0, 9)[:, None, None]
    stand = ring[None] + out[None] * (0.15 - 0.55 * t)
    stand[:, :, 1] += (t * height[None, :, None])[:, :, 0]
    length = np.cumsum(np.concatenate([[0.0], np.linalg.norm(np.diff(ring, axis=0), axis=1)]))
    leaf, down = _leaf(stand[-1], out, front, s, deep)
    free = gaussian_filter1d(clear(leaf, body, 1.1) - leaf, 5.0, axis=1, mode="nearest")
    leaf = leaf + gaussian_filter1d(free, 2.0, axis=0, mode="nearest")
    flat_stand = np.broadcast_to(LEAF_TOP - 4 + 4 * t[:, :, 0], (len(t), count + 1))
    depth = np.concatenate([flat_stand, np.broadcast_to(LEAF_TOP + 8 * down[:, None], (deep, count + 1))[1:]])
    uv = np.stack([np.broadcast_to(length, depth.shape), depth], axis=-1)
    return join(mesh, sheet("collar", np.concatenate([stand, leaf[1:]]), uv))


LEAF_TOP = 320.0
"""Where the collar lies in pattern space: the fold, with the leaf's edge 8 further up."""


def _leaf(top: F, out: F, front: F, s: F, deep: int) -> tuple[F, F]:
    """(deep, n, 3) points from the fold to the edge, longer towards the points; and the share of the way (deep,)."""
    fall = 4.7 + 2.9 * (1 - smoothstep(0.0, 0.42, front))
    tangent = gaussian_filter1d(np.gradient(top, axis=0), 7.0, axis=0, mode="nearest")
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    away = np.where(s < 0.5, 1.0, -1.0)[:, None] * tangent
    shear = 3.6 * (1 - smoothstep(0.0, 0.6, front))
    begin = top + away * (0.35 * (1 - smoothstep(0.0, 0.06, front)))[:, None]
    share = np.linspace(0.0, 1.0, deep)
    rows = []
    for u in share:
        roll = 0.50 * (1 - np.exp(-u / 0.06))
        arch = 0.30 * np.sin(np.pi * min(u / 0.16, 1.0))
        down = max(u - 0.05, 0.0) / 0.95 * fall
        bow = 0.35 * np.sin(np.pi * u)
        x = begin + out * (roll + bow + down * (0.16 + 0.10 * front))[:, None] + away * (shear * u)[:, None]
        x[:, 1] += arch - down * 0.97
        rows.append(x)
    return np.stack(rows), share


def trims() -> list[Trim]:
    b = BLOCK
    assert b.sleeve_top is not None and b.cuff is not None
    front, torso = ("front-torso",), ("front-torso", "back-torso")
    placket = line((-1.75, 141.5), (1.75, 141.5), (1.75, 71.0), (-1.75, 71.0))
    pocket = line((5.4, 128.0), (16.0, 128.0), (16.0, 116.6), (10.7, 114.6), (5.4, 116.6))
    mouth = line((5.4, 128.0), (16.0, 128.0))
    yoke = bezier((-21.4, 138.2), (-14.0, 140.0), (-7.0, 143.6))
    out: list[Trim] = [
        Patch(front, placket, 0.07, 0.5),
        Patch(front, pocket, 0.05, 0.2),
        Topstitch(front, mouth, 2.2, within=pocket),
        Hem(front, HEM, 0.9, roll=0.05),
        Hem(("back-torso",), HEM_BACK, 0.9, roll=0.05),
    ]
    for turn, side in ((same, "l"), (mirrored, "r")):
        sleeve = (f"front-sleeve-{side}", f"back-sleeve-{side}")
        inner = np.stack([CUFF_TOP - ALONG * CUFF_DEPTH - INWARD * 6, CUFF_UNDER - ALONG * CUFF_DEPTH + INWARD * 6])
        ends = np.stack([CUFF_TOP - INWARD * 6, CUFF_UNDER + INWARD * 6])
        cuff = turn(np.concatenate([inner, (ends + ALONG * 2)[::-1]]))
        out += [
            Seam(torso, turn(b.armhole), 0.03, 0.012),
            Topstitch(torso, turn(b.armhole), 0.75),
            Seam(torso, turn(yoke), 0.03, 0.01),
            Topstitch(torso, turn(yoke), 0.2),
            Gathers(sleeve, inner, 6.0, 0.06, 2.2),
            Patch(sleeve, cuff, 0.07, 0.25),
            Hem(sleeve, turn(b.cuff), 0.5, roll=0.06),
            Button((f"front-sleeve-{side}",), _pt(turn((CUFF_TOP + INWARD * 7.5 - ALONG * 3.0)[None])[0]), 0.5),
        ]
    edge = line((-20.0, LEAF_TOP + 8.0), (80.0, LEAF_TOP + 8.0))
    out += [Topstitch(("collar",), edge, 0.65), Hem(("collar",), edge, 0.2, roll=0.05)]
    out += [Button(front, (0.0, 137.0 - 9.2 * k), 0.56) for k in range(7)]
    return out


DESIGN = Design(
    slug="shirt",
    name="Shirt",
    garment_class="top",
    order=4,
    alt="Button-up shirt with a collar, chest pocket and long sleeves on an invisible mannequin",
    panels=BLOCK.panels,
    trims=trims,
    pose=Pose(left_arm=17.0, right_arm=20.0, arm_length=60.5, elbow=6.0),
    cloth=Cloth(weight=0.013, bend=34.0, pressure=2.6),
    look=Look(weave=0.045, tooth=0.005, crumple=0.014, wrinkle=0.16),
    camera=Camera(fill=(0.88, 0.86)),
    tighten=tighten,
    stiffen=stiffen,
    finish=collar,
    spacing=1.5,
    steps=(2600, 700),
    seed=3,
    parting=-1.2,
)
