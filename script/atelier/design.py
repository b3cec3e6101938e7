"""A design: what is cut, how it is sewn and worn, and how it is photographed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from .body import Body, Pose
from .charts import Look
from .cloth import UPRIGHT, Grain
from .drape import Cloth, Constraints, Pull, constraints, drape
from .mesh import F, I, Mesh, Panel, sew
from .picture import Camera, Picture, shoot
from .trims import Trim

SEAM_PLAY = 1.4
"""How far (cm) side and sleeve seams may wander to the front or back."""

Rule = Callable[[str, F], F]
"""(panel name, uv (n, 2)) -> a factor (n,)."""


@dataclass(frozen=True)
class Design:
    """Everything needed to make one garment's picture again."""

    slug: str
    name: str
    garment_class: str
    order: int
    alt: str
    back_alt: str
    wearer: str
    panels: Callable[[Body], list[Panel]]
    trims: Callable[[], list[Trim]]
    grain: Callable[[str], Grain] = lambda _: UPRIGHT
    pose: Pose = field(default_factory=Pose)
    legs: bool = True
    arms: bool = True
    cloth: Cloth = field(default_factory=Cloth)
    look: Look = field(default_factory=Look)
    camera: Camera = field(default_factory=Camera)
    tighten: Rule | None = None
    stiffen: Rule | None = None
    hold: Callable[[Mesh], Pull] | None = None
    finish: Callable[[Mesh, Body], Mesh] | None = None
    spacing: float = 1.4
    steps: tuple[int, int] = (2400, 600)
    seed: int = 1
    lift: float = 0.0
    parting: float | None = None


def make(design: Design, *, spacing: float | None = None, effort: float = 1.0) -> Mesh:
    """Cut, sew, drape and finish; ``effort`` scales the number of steps."""
    mesh = hang(design, spacing=spacing, effort=effort)
    return design.finish(mesh, Body(design.pose, legs=design.legs, arms=design.arms)) if design.finish else mesh


def hang(design: Design, *, spacing: float | None = None, effort: float = 1.0) -> Mesh:
    """The sewn panels draped on the mannequin, before collars and cords."""
    first, *way = _poses(design)
    body = Body(first, legs=design.legs, arms=design.arms, cell=1.2 if way else 0.8)
    mesh = sew(design.panels(body), spacing or design.spacing, design.seed)
    _ruffle(mesh, design.seed)
    coarse = _held(mesh, design)
    hold = _pull(mesh, design)
    steps = round(design.steps[0] * effort / (len(way) / 2 + 1))
    drape(mesh, body, design.cloth, coarse, steps // 2 if way else steps, 1 / 1200, hold)
    for k, pose in enumerate(way, 1):
        body = Body(pose, legs=design.legs, arms=design.arms, cell=0.8 if k == len(way) else 1.2)
        drape(mesh, body, design.cloth, coarse, steps if k == len(way) else steps // 2, 1 / 1200, hold)
    mesh = mesh.subdivide()
    fine = replace(_held(mesh, design), strings=(coarse.pairs, [rest * 1.01 for rest in coarse.rest]))
    hold = _pull(mesh, design)
    drape(mesh, body, design.cloth, fine, round(design.steps[1] * effort), 1 / 1600, hold)
    return mesh.smooth()


def picture(
    design: Design, mesh: Mesh, *, back: bool = False, small: float = 1.0, samples: int = 12, threads: int = 0
) -> Picture:
    """Photograph a draped mesh, ``small`` times as large as the design says."""
    camera = design.camera
    camera = replace(camera, width=round(camera.width * small), height=round(camera.height * small))
    return shoot(
        mesh, design.trims(), design.grain, design.look, camera, back=back, samples=samples,
        threads=threads,
    )  # fmt: skip


def _poses(design: Design) -> list[Pose]:
    """The arms come down from ``lift`` degrees higher and the elbows bend, so that folds gather as on a person."""
    if not design.lift:
        return [design.pose]
    pose, stages = design.pose, 4
    out = []
    for up in np.linspace(1.0, 0.0, stages + 1):
        left, right = pose.left_arm + design.lift * up, pose.right_arm + design.lift * up
        out.append(replace(pose, left_arm=left, right_arm=right, elbow=pose.elbow * (1 - up) + 3.0 * up))
    return out


def _pull(mesh: Mesh, design: Design) -> Pull | None:
    """The design's own hold, and front and back kept to their sides of the plane z = ``parting``."""
    hold = design.hold(mesh) if design.hold else None
    if design.parting is None:
        return hold
    plane = design.parting
    front = np.array([name.startswith("front") for name in mesh.names])[mesh.panel]
    ahead, behind = np.zeros(len(mesh.x), dtype=bool), np.zeros(len(mesh.x), dtype=bool)
    ahead[mesh.faces[front].ravel()] = True
    behind[mesh.faces[~front].ravel()] = True
    only_front, only_back = np.flatnonzero(ahead & ~behind), np.flatnonzero(behind & ~ahead)
    seams = np.flatnonzero(ahead & behind)

    def pull(x: F) -> None:
        x[only_front, 2] = np.maximum(x[only_front, 2], plane + 0.05)
        x[only_back, 2] = np.minimum(x[only_back, 2], plane - 0.05)
        x[seams, 2] = np.clip(x[seams, 2], plane - SEAM_PLAY, plane + SEAM_PLAY)
        if hold is not None:
            hold(x)

    return pull


def _ruffle(mesh: Mesh, seed: int) -> None:
    """No garment hangs in perfect symmetry: nudge each vertex so that folds form where they like."""
    mesh.x += np.random.default_rng(seed + 100).normal(0, 0.05, mesh.x.shape)


def _held(mesh: Mesh, design: Design) -> Constraints:
    return constraints(mesh, design.cloth, _factor(mesh, design.tighten), _factor(mesh, design.stiffen))


def _factor(mesh: Mesh, rule: Rule | None) -> F | None:
    if rule is None:
        return None
    out = np.ones(len(mesh.faces))
    centre = mesh.uv.mean(axis=1)
    for number, name in enumerate(mesh.names):
        rows: I = np.flatnonzero(mesh.panel == number)
        out[rows] = rule(name, centre[rows])
    return out
