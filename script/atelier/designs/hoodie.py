"""A relaxed hoodie in brushed fleece: kangaroo pocket, ribbed cuffs and hem, drawstrings, the hood up."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from ..blocks import Top, both, line, same
from ..body import Body, Pose
from ..charts import Look
from ..design import Design
from ..drape import Cloth
from ..mesh import F, Mesh, bezier, mirrored
from ..picture import Camera
from ..pieces import Cuff, join, neckline, outward, sheet, straight_hem, tube
from ..trims import Gathers, Hem, Patch, Plain, Rib, Seam, Topstitch, Trim, noise, smoothstep

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
    sleeve_top=line(_pt(TIP), _pt(CUFF_TOP)),
    cuff=np.stack([CUFF_TOP, CUFF_UNDER]),
    sleeve_under=bezier(_pt(CUFF_UNDER), _pt((CUFF_UNDER + UNDERARM) / 2 + [-1.5, -2.0]), _pt(UNDERARM)),
    drop=(19.0, 16.0),
    pivot=(19.0, 138.5),
)


def from_cuff(uv: F) -> F:
    p = np.column_stack([-np.abs(uv[:, 0]), uv[:, 1]])
    return np.asarray((CUFF_TOP - p) @ ALONG)


def over_cuff(uv: F) -> F:
    """0 at the upper seam of the sleeve, 1 at the under seam."""
    p = np.column_stack([-np.abs(uv[:, 0]), uv[:, 1]])
    return np.asarray((p - CUFF_TOP) @ INWARD / 13.0)


def tighten(name: str, uv: F) -> F:
    if "sleeve" in name:
        return np.where(from_cuff(uv) < CUFF_DEPTH, 0.85, 1.0)
    return np.where(uv[:, 1] < HEM_Y + HEM_DEPTH, 0.84, 1.0)


def stiffen(name: str, uv: F) -> F:
    if "sleeve" in name:
        return np.where(from_cuff(uv) < CUFF_DEPTH, 6.0, 1.0)
    return np.where(uv[:, 1] < HEM_Y + HEM_DEPTH, 8.0, 1.0)


HOOD_TOP = 300.0
"""Where the hood lies in pattern space: rows go up from here, columns run back from the face edge."""

Knots = tuple[tuple[float, float, float], ...]

# The face edge, the cheek, the back of the head and the back seam, each from the neck to the crown (x, y, z in cm).
FACE: Knots = (
    (-0.5, 136.8, 7.6),
    (-4.6, 143.0, 8.6),
    (-7.6, 151.0, 8.4),
    (-8.6, 160.0, 8.2),
    (-6.6, 167.5, 7.4),
    (0.0, 170.0, 6.4),
)
CHEEK: Knots = (
    (-9.4, 141.5, 3.0),
    (-11.0, 146.5, 2.0),
    (-14.4, 153.0, 1.0),
    (-15.6, 162.0, 0.6),
    (-12.6, 170.4, 1.4),
    (0.0, 172.2, 5.2),
)
NAPE: Knots = (
    (-8.0, 145.0, -9.0),
    (-9.0, 149.0, -11.0),
    (-12.0, 154.0, -13.0),
    (-12.5, 163.0, -13.0),
    (-10.8, 171.2, -7.0),
    (0.0, 173.2, 3.8),
)
BACK: Knots = (
    (0.0, 144.5, -8.6),
    (0.0, 149.0, -11.4),
    (0.0, 155.0, -13.4),
    (0.0, 164.0, -13.0),
    (0.0, 172.2, -7.5),
    (0.0, 173.4, 3.6),
)


def _curve(points: Knots, at: F) -> F:
    return np.asarray(CubicSpline(np.linspace(0, 1, len(points)), np.array(points))(at))


def ribbed(mesh: Mesh) -> None:
    """Cuffs and hem hold their shape, in place."""
    cuff = Cuff(from_cuff, over_cuff, CUFF_DEPTH, radius=3.7, ease=9.0, puff=1.3)
    cuff.shape(mesh, "l", 81)
    cuff.shape(mesh, "r", 82)
    straight_hem(mesh, HEM_Y, HEM_DEPTH, 0.05)


def hood(mesh: Mesh, body: Body) -> Mesh:
    """The hood stands as if worn: two halves from the neck to the crown, crossing at the throat."""
    ribbed(mesh)
    rows, columns = 110, 90
    ring = neckline(mesh, 2 * (columns - 1))
    up, t = np.linspace(0.0, 1.0, rows), np.linspace(0.0, 1.0, columns)
    a, b, c, d = (_curve(points, up)[:, None] for points in (FACE, CHEEK, NAPE, BACK))
    w = t[None, :, None]
    half = a * (1 - w) ** 3 + 3 * b * w * (1 - w) ** 2 + 3 * c * w**2 * (1 - w) + d * w**3
    pieces = [
        _half(half * [1.0, 1.0, 1.0], ring[:columns], up, t, "hood-l"),
        _half(half * [-1.0, 1.0, 1.0], ring[::-1][:columns], up, t, "hood-r"),
    ]
    return join(mesh, *pieces, *_cords(body))


def _half(x: F, base: F, up: F, t: F, name: str) -> Mesh:
    """One half: pinned to the neckline, the left one laid over the right at the throat, slack everywhere else."""
    left = name == "hood-l"
    base = base + 0.75 * outward(base) - np.array([0.0, 1.1, 0.0])
    x = x + (base - x[0])[None] * ((1 - up) ** 3)[:, None, None]
    throat = ((1 - up) ** 2)[:, None] * ((1 - t) ** 6)[None]
    x[:, :, 0] += (1.5 if left else -1.5) * throat
    x[:, :, 2] += (1.4 if left else 0.5) * throat
    x += _slack(up, t, 61 if left else 71)[:, :, None] * outward(x.reshape(-1, 3), z=-2.0).reshape(x.shape)
    sag = np.sin(np.pi * t)[None] * (smoothstep(0.5, 0.8, up) * smoothstep(1.0, 0.86, up))[:, None]
    x[:, :, 1] -= 0.8 * sag
    flat = np.stack(np.broadcast_arrays(26.0 * t[None], HOOD_TOP + 40.0 * up[:, None]), axis=-1)
    return sheet(name, x, flat, flip=left)


def _slack(up: F, t: F, seed: int) -> F:
    """How far (cm) the fleece bulges or sinks: it is cut larger than a head and nothing fills it."""
    flat = np.stack(np.meshgrid(t * 26, up * 40), axis=-1).reshape(-1, 2)
    turned = flat @ np.array([[0.8, -0.6], [0.6, 0.8]])
    wave = 0.75 * noise(turned, (5.5, 11.0), seed) + 0.30 * noise(turned, (2.8, 7.0), seed + 1)
    free = np.sin(np.pi * np.clip(t * 0.92 + 0.08, 0, 1))[None] * np.sin(np.pi * up)[:, None] ** 0.6
    free = free * smoothstep(1.0, 0.78, up)[:, None]
    return np.asarray(wave.reshape(len(up), len(t)) * free)


def _cords(body: Body) -> list[Mesh]:
    cords = []
    for side, length, sway in ((-1.0, 25.0, 0.5), (1.0, 22.0, -0.3)):
        t = np.linspace(0.0, 1.0, 90)
        x = side * (3.6 + 0.8 * t) + sway * np.sin(3.0 * t)
        y = 140.0 - length * t
        z = body.surface(np.column_stack([x, y]), True) + 2.0 + 3.0 * np.exp(-t / 0.1)
        radius = 0.33 + 0.22 * np.exp(-(((t - 0.94) / 0.025) ** 2))
        cords.append(tube(f"cord{side:+.0f}", np.column_stack([x, y, z]), radius))
    return cords


def trims() -> list[Trim]:
    front = ("front-torso",)
    y = HEM_Y + HEM_DEPTH
    pocket = line((-8.6, y + 19), (8.6, y + 19), (16.6, y + 7.5), (16.6, y - 0.5), (-16.6, y - 0.5), (-16.6, y + 7.5))
    mouth = line((-8.6, y + 19), (-16.6, y + 7.5))
    return [
        Patch(front, pocket, 0.14, 0.25, soft=0.12),
        Topstitch(front, mouth, 1.6, within=pocket),
        Topstitch(front, mirrored(mouth), 1.6, within=pocket),
        Hem(("hood",), line((0.0, HOOD_TOP - 5.0), (0.0, HOOD_TOP + 45.0)), 2.6, roll=0.10),
        Seam(("hood",), line((26.0, HOOD_TOP), (26.0, HOOD_TOP + 42.0)), 0.05),
        Seam(("hood",), line((26.0, HOOD_TOP), (26.0, HOOD_TOP + 42.0)), 0.05, inner=True),
        Plain(("cord",), None, (1.04, 1.03, 1.0), 0.0),
        *body_trims(),
    ]


def body_trims() -> list[Trim]:
    """Of the body and sleeves, whatever is at the neck."""
    b = BLOCK
    assert b.cuff is not None
    torso = ("front-torso", "back-torso")
    out: list[Trim] = [
        Gathers(torso, b.hem + np.array([0.0, HEM_DEPTH]), 7.0, 0.08, 2.4),
        Rib(torso, b.hem, HEM_DEPTH, pitch=0.42, height=0.03),
    ]
    for turn, side in ((same, "l"), (mirrored, "r")):
        sleeve = (f"front-sleeve-{side}", f"back-sleeve-{side}")
        out += [
            Seam(torso, turn(b.armhole), 0.05, 0.02),
            Topstitch(torso, turn(b.armhole), 0.35),
            Seam(torso, turn(b.shoulder), 0.04),
            Gathers(sleeve, turn(b.cuff) - turn(ALONG[None]) * CUFF_DEPTH, 7.0, 0.10, 1.8),
            Rib(sleeve, turn(b.cuff), CUFF_DEPTH, pitch=0.42, height=0.03),
        ]
    return out


DESIGN = Design(
    slug="hoodie",
    name="Hoodie",
    garment_class="top",
    order=5,
    alt="Hoodie with a kangaroo pocket and drawstrings on an invisible mannequin",
    back_alt="The back of a hoodie with its hood up on an invisible mannequin",
    wearer="everybody",
    panels=BLOCK.panels,
    trims=trims,
    grain=BLOCK.grain,
    pose=Pose(left_arm=19.0, right_arm=22.0, arm_length=61.5, elbow=9.0),
    cloth=Cloth(weight=0.034, bend=120.0, thickness=0.6, pressure=4.0),
    look=Look(crumple=0.016, sheen=0.08, wrinkle=0.12),
    camera=Camera(fill=(0.88, 0.86)),
    tighten=tighten,
    stiffen=stiffen,
    finish=hood,
    spacing=1.6,
    steps=(2600, 600),
    seed=6,
    lift=5.0,
    parting=-1.2,
)
