"""Studio light on cloth: many soft-box samples with shadow maps, gathered at the vertices.

Every sample is a direction with a strength; a vertex sees it unless some cloth lies nearer to it.  What is kept per
vertex is the irradiance of either face and its mean direction, enough for a picture and its fine bump detail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import F, I


@dataclass(frozen=True)
class Studio:
    """Strengths of the key (upper left, in front), the fill (right), the overhead box, and the room."""

    key: float = 1.15
    fill: float = 0.26
    top: float = 0.42
    room: float = 0.50


def samples(studio: Studio, count: int = 120) -> tuple[F, F]:
    """Directions to the light (count, 3) and their radiance (count,), over the sphere; x right, y up, z to camera."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    turn = np.pi * (1 + 5**0.5) * k
    flat = np.sqrt(1 - z * z)
    d = np.stack([flat * np.cos(turn), z, flat * np.sin(turn)], axis=1)
    lobes = (
        (studio.key, (-0.66, 0.50, 0.56), 14.0),
        (studio.fill, (0.80, 0.10, 0.59), 5.0),
        (studio.top, (0.1, 0.97, 0.15), 7.0),
    )
    light = studio.room * np.where(d[:, 1] > -0.2, 0.30 + 0.10 * d[:, 2], 0.22)
    for strength, towards, focus in lobes:
        axis = np.array(towards) / np.linalg.norm(towards)
        light = light + strength * focus / 3.5 * np.exp(focus * (d @ axis - 1))
    return d, light * 4 / count


@dataclass(frozen=True)
class Lit:
    """Per vertex: irradiance on the outer and inner face (V, 2), and unshadowed share of the room light (V, 2);
    ``lean`` (V, 2, 3) is the light-weighted mean direction, for bump detail."""

    irradiance: F
    open: F
    lean: F


def gather(x: F, faces: I, normals: F, studio: Studio, cell: float = 0.55, count: int = 120) -> Lit:
    """Irradiance at the vertices ``x`` (V, 3) of one or more cloth surfaces, shadows included."""
    directions, radiance = samples(studio, count)
    irradiance, open_, room = np.zeros((len(x), 2)), np.zeros((len(x), 2)), np.zeros((len(x), 2))
    lean = np.zeros((len(x), 2, 3))
    centres = np.concatenate([x, x[faces].mean(axis=1)])
    for d, light in zip(directions, radiance, strict=True):
        cos = normals @ d
        seen = _visible(x, centres, d, cell)
        for face, facing in enumerate((np.maximum(cos, 0), np.maximum(-cos, 0))):
            irradiance[:, face] += light * seen * facing
            open_[:, face] += seen * facing
            room[:, face] += facing
            lean[:, face] += (light * seen * (facing > 0))[:, None] * d
    share = open_ / np.maximum(room, 1e-9)
    return Lit(_even(faces, irradiance, 8), _even(faces, share, 8), lean)


def _even(faces: I, value: F, rounds: int) -> F:
    """Average over neighbours: shadow maps are coarser than the mesh, real penumbras softer than either."""
    count = len(value)
    degree = np.maximum(sum(np.bincount(faces[:, k], minlength=count) for k in range(3)), 1)[:, None]
    for _ in range(rounds):
        per_face = value[faces].mean(axis=1)
        columns = [
            sum(np.bincount(faces[:, k], per_face[:, c], count) for k in range(3)) for c in range(value.shape[1])
        ]
        value = np.stack(columns, axis=1) / degree
    return value


def _visible(x: F, centres: F, d: F, cell: float) -> F:
    """Soft share (V,) of the light from direction d that reaches each vertex."""
    side = np.cross(d, [0.0, 1.0, 0.0] if abs(d[1]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, d)
    u, v, w = centres @ side / cell, centres @ up / cell, centres @ d
    u0, v0 = u.min() - 1, v.min() - 1
    width, height = int(u.max() - u0) + 3, int(v.max() - v0) + 3
    near = np.full(width * height, -np.inf)
    np.maximum.at(near, (v - v0).round().astype(np.int64) * width + (u - u0).round().astype(np.int64), w)
    n = len(x)
    pu, pv = u[:n] - u0, v[:n] - v0
    iu, iv = pu.astype(np.int64), pv.astype(np.int64)
    fu, fv = pu - iu, pv - iv
    seen = np.zeros(n)
    for a, b, share in ((0, 0, (1 - fu) * (1 - fv)), (1, 0, fu * (1 - fv)), (0, 1, (1 - fu) * fv), (1, 1, fu * fv)):
        gap = near[(iv + b) * width + iu + a] - w[:n]
        seen += share * np.clip(1.8 - gap / 0.75, 0.0, 1.0)
    return seen
