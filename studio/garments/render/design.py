"""A design: what is cut, how it is sewn and worn, and how it is photographed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from .body import Body, Pose
from .drape import Cloth, Pull, constraints, drape
from .light import Studio
from .mesh import F, I, Mesh, Panel, sew
from .picture import Camera, Look, Picture, shoot
from .trims import Trim

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
    panels: Callable[[Body], list[Panel]]
    trims: Callable[[], list[Trim]]
    pose: Pose = Pose()
    legs: bool = True
    arms: bool = True
    cloth: Cloth = Cloth()
    look: Look = Look()
    camera: Camera = Camera()
    studio: Studio = Studio()
    tighten: Rule | None = None
    stiffen: Rule | None = None
    hold: Callable[[Mesh], Pull] | None = None
    finish: Callable[[Mesh, Body], Mesh] | None = None
    spacing: float = 1.4
    steps: tuple[int, int] = (2400, 600)
    seed: int = 1
    notes: dict[str, str] = field(default_factory=dict)


def make(design: Design, *, spacing: float | None = None, effort: float = 1.0) -> Mesh:
    """Cut, sew and drape; ``effort`` scales the number of steps."""
    body = Body(design.pose, legs=design.legs, arms=design.arms)
    mesh = sew(design.panels(body), spacing or design.spacing, design.seed)
    _ruffle(mesh, design.seed)
    coarse = _held(mesh, design)
    hold = design.hold(mesh) if design.hold else None
    drape(mesh, body, design.cloth, coarse, round(design.steps[0] * effort), 1 / 1200, hold)
    mesh = mesh.subdivide()
    fine = replace(_held(mesh, design), strings=(coarse.pairs, [rest * 1.01 for rest in coarse.rest]))
    hold = design.hold(mesh) if design.hold else None
    drape(mesh, body, design.cloth, fine, round(design.steps[1] * effort), 1 / 1600, hold)
    mesh = mesh.smooth()
    return design.finish(mesh, body) if design.finish else mesh


def picture(design: Design, mesh: Mesh, *, size: tuple[int, int] | None = None, over: int = 2) -> Picture:
    """Photograph a draped mesh, at the design's size or another (width, height)."""
    camera = replace(design.camera, width=size[0], height=size[1]) if size else design.camera
    return shoot(mesh, design.trims(), design.look, camera, design.studio, over)


def _ruffle(mesh: Mesh, seed: int) -> None:
    """No garment hangs in perfect symmetry: nudge each vertex so that folds form where they like."""
    mesh.x += np.random.default_rng(seed + 100).normal(0, 0.05, mesh.x.shape)


def _held(mesh: Mesh, design: Design):  # type: ignore[no-untyped-def]
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
