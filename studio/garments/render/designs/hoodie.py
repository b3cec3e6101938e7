"""A relaxed hoodie in brushed fleece: kangaroo pocket, ribbed cuffs and hem, hood down, drawstrings."""

from __future__ import annotations

import numpy as np

from ..blocks import Top, both, line
from ..body import Body, Pose
from ..design import Design
from ..drape import Cloth
from ..mesh import F, Mesh, bezier, mirrored
from ..picture import Camera, Look
from ..pieces import clear, join, neckline, outward, sheet, tube
from ..trims import Patch, Plain, Rib, Seam, Topstitch, Trim, noise, smoothstep

NECK_FRONT = both(bezier((-10.0, 147.0), (-10.0, 140.0), (-5.0, 136.6), (0.0, 136.6)))
NECK_BACK = both(bezier((-10.0, 147.0), (-7.0, 145.2), (-3.0, 144.8), (0.0, 144.8)))
ALONG, INWARD = np.array([-0.70, -0.714]), np.array([0.714, -0.70])
TIP = np.array([-24.0, 140.6])
CUFF_TOP = TIP + ALONG * 60.0
CUFF_UNDER = CUFF_TOP + INWARD * 13.0
UNDERARM = np.array([-28.6, 118.0])
CUFF_DEPTH, HEM_DEPTH, HEM_Y = 7.0, 6.5, 79.0


def _pt(p: F) -> tuple[float, float]:
    return float(p[0]), float(p[1])


BLOCK = Top(
    neck_front=NECK_FRONT,
    neck_back=NECK_BACK,
    shoulder=line(_pt(TIP), (-10.0, 147.0)),
    armhole=bezier(_pt(TIP), (-22.6, 132.0), (-23.6, 122.0), _pt(UNDERARM)),
    side=bezier(_pt(UNDERARM), (-28.0, 108.0), (-28.0, 95.0), (-27.6, HEM_Y)),
    hem=line((-27.6, HEM_Y), (27.6, HEM_Y)),
    hem_back=line((-27.6, HEM_Y), (27.6, HEM_Y)),
    sleeve_top=bezier(_pt(TIP), _pt(TIP + ALONG * 30 + [-2.2, 2.0]), _pt(CUFF_TOP)),
    cuff=np.stack([CUFF_TOP, CUFF_UNDER]),
    sleeve_under=bezier(_pt(CUFF_UNDER), _pt((CUFF_UNDER + UNDERARM) / 2 + [-1.5, -2.0]), _pt(UNDERARM)),
    drop=(25.0, 22.0),
    pivot=(19.0, 138.5),
)


def from_cuff(uv: F) -> F:
    p = np.column_stack([-np.abs(uv[:, 0]), uv[:, 1]])
    return np.asarray((CUFF_TOP - p) @ ALONG)


def tighten(name: str, uv: F) -> F:
    if "sleeve" in name:
        return np.where(from_cuff(uv) < CUFF_DEPTH, 0.74, 1.0)
    return np.where(uv[:, 1] < HEM_Y + HEM_DEPTH, 0.86, 1.0)


def stiffen(name: str, uv: F) -> F:
    if "sleeve" in name:
        return np.where(from_cuff(uv) < CUFF_DEPTH, 3.0, 1.0)
    return np.where(uv[:, 1] < HEM_Y + HEM_DEPTH, 3.0, 1.0)


def hood(mesh: Mesh, body: Body) -> Mesh:
    """The hood lies back: it rises round the neck, rolls over and rests on the shoulders."""
    count, deep = 260, 60
    ring = neckline(mesh, count)
    s = np.linspace(0.0, 1.0, count + 1)
    back = smoothstep(0.0, 1.0, np.minimum(s, 1 - s) * 2)
    out = outward(ring)
    rise = 4.2 + 6.0 * back
    lean = 1.2 + 1.6 * back
    fall = 3.0 + 10.0 * back
    width = 1.9 + 1.2 * back
    length = np.cumsum(np.concatenate([[0.0], np.linalg.norm(np.diff(ring, axis=0), axis=1)]))
    rows, flats = [], []
    for u in np.linspace(0.0, 1.0, deep):
        climb = np.clip(u / 0.42, 0, 1)
        turn = np.pi * np.clip((u - 0.42) / 0.20, 0, 1)
        drop = np.clip((u - 0.62) / 0.38, 0, 1)
        y = rise * climb + width * 0.55 * np.sin(turn) - fall * drop
        o = lean * climb**1.5 + width * (1 - np.cos(turn)) / 2 * 1.1 + fall * drop * 0.42
        at = np.stack([s * 60, np.full_like(s, u * 14)], axis=1)
        wave = noise(at, (7.0, 6.0), 61) * 0.55 * np.sin(np.pi * min(u * 1.1, 1.0)) * (0.3 + back)
        x = ring + out * (o + wave)[:, None]
        x[:, 1] += y + 0.5 * wave
        over = (1 - smoothstep(0.0, 0.10, np.minimum(s, 1 - s) * 2)) * climb
        x[:, 0] += np.where(s < 0.5, -1.0, 1.0) * over * (0.4 + 1.1 * u)
        x[:, 2] += np.where(s < 0.5, 0.35, 0.0) * over
        rows.append(x)
        flats.append(np.stack([length, np.full_like(s, 300.0) + u * (rise.mean() + fall.mean() + 3)], axis=1))
    shape = clear(np.stack(rows), body, 0.9)
    return join(mesh, sheet("hood", shape, np.stack(flats)), *_cords(body))


def _cords(body: Body) -> list[Mesh]:
    cords = []
    for side, length, sway in ((-1.0, 25.0, 0.5), (1.0, 22.0, -0.3)):
        t = np.linspace(0.0, 1.0, 90)
        x = side * (3.0 + 1.0 * t) + sway * np.sin(3.0 * t)
        y = 137.5 - length * t
        z = body.surface(np.column_stack([x, y]), True) + 2.2
        radius = 0.33 + 0.22 * np.exp(-(((t - 0.94) / 0.025) ** 2))
        cords.append(tube(f"cord{side:+.0f}", np.column_stack([x, y, z]), radius))
    return cords


def trims() -> list[Trim]:
    b = BLOCK
    assert b.sleeve_top is not None and b.cuff is not None
    torso = ("front-torso", "back-torso")
    front = ("front-torso",)
    y = HEM_Y + HEM_DEPTH
    pocket = line((-8.6, y + 19), (8.6, y + 19), (16.6, y + 7.5), (16.6, y - 0.5), (-16.6, y - 0.5), (-16.6, y + 7.5))
    out: list[Trim] = [
        Patch(front, pocket, 0.14, 0.25, soft=0.12),
        Rib(torso, b.hem, HEM_DEPTH, pitch=0.42, height=0.03),
        Plain(("cord",), None, (1.04, 1.03, 1.0), 0.0),
    ]
    for turn, side in (((lambda c: c), "l"), (mirrored, "r")):
        sleeve = (f"front-sleeve-{side}", f"back-sleeve-{side}")
        mouth = turn(line((-8.6, y + 19), (-16.6, y + 7.5)))
        out += [
            Topstitch(front, mouth, 1.6),
            Seam(torso, turn(b.armhole), 0.05, 0.02),
            Topstitch(torso, turn(b.armhole), 0.35),
            Seam(torso, turn(b.shoulder), 0.04),
            Rib(sleeve, turn(b.cuff), CUFF_DEPTH, pitch=0.42, height=0.03),
        ]
    return out


DESIGN = Design(
    slug="hoodie",
    name="Hoodie",
    garment_class="top",
    order=5,
    alt="Hoodie with a kangaroo pocket and drawstrings on an invisible mannequin",
    panels=BLOCK.panels,
    trims=trims,
    pose=Pose(left_arm=19.0, right_arm=22.0, arm_length=55.0),
    cloth=Cloth(weight=0.034, bend=190.0, thickness=0.6, pressure=4.0),
    look=Look(weave=0.09, tooth=0.008, crumple=0.016, sheen=0.08),
    camera=Camera(fill=(0.88, 0.86)),
    tighten=tighten,
    stiffen=stiffen,
    finish=hood,
    spacing=1.6,
    steps=(2600, 600),
    seed=6,
)
