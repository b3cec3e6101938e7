"""Pieces that are shaped rather than draped: collars, hoods, cords."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .body import Body
from .mesh import F, I, Mesh, resample
from .trims import noise, smoothstep

Rule = Callable[[F], F]


def join(mesh: Mesh, *others: Mesh) -> Mesh:
    """Lay meshes together without sewing them."""
    for other in others:
        start = len(mesh.x)
        mesh = Mesh(
            np.concatenate([mesh.x, other.x]),
            np.concatenate([mesh.faces, other.faces + start]),
            np.concatenate([mesh.uv, other.uv]),
            np.concatenate([mesh.panel, other.panel + len(mesh.names)]),
            mesh.names + other.names,
            mesh.loops,
        )
    return mesh


def sheet(name: str, x: F, uv: F, *, flip: bool = False) -> Mesh:
    """A grid of points (R, C, 3) with pattern positions (R, C, 2) as a mesh; rows run across, columns along."""
    rows, columns = x.shape[:2]
    at = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = at[:-1, :-1].ravel(), at[:-1, 1:].ravel(), at[1:, :-1].ravel(), at[1:, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    faces = faces[:, ::-1] if flip else faces
    flat = uv.reshape(-1, 2)
    return Mesh(x.reshape(-1, 3), faces, flat[faces], np.zeros(len(faces), dtype=np.int64), (name,), {})


def neckline(mesh: Mesh, count: int) -> F:
    """The neck opening (count + 1, 3): from the centre front by the viewer's left round the back to the front again."""
    front, back = mesh.x[mesh.loops["neck-front"]], mesh.x[mesh.loops["neck-back"]]
    ring = np.concatenate([front[::-1][len(front) // 2 :], back[1:-1], front[::-1][: len(front) // 2 + 1]])
    ring = resample(ring, count)
    kernel = np.hanning(9) / np.hanning(9).sum()
    padded = np.concatenate([ring[-5:-1], ring, ring[1:5]])
    return np.stack([np.convolve(padded[:, k], kernel, "valid") for k in range(3)], axis=1)


def outward(ring: F, x: float = 0.0, z: float = -1.6) -> F:
    """Horizontal unit directions away from the neck's axis at ring points (n, 3)."""
    d = ring - np.array([x, 0.0, z])
    d[:, 1] = 0.0
    return np.asarray(d / np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-9))


def clear(x: F, body: Body, gap: float) -> F:
    """Push points (..., 3) out until they lie ``gap`` cm from the mannequin."""
    flat = x.reshape(-1, 3).copy()
    for _ in range(3):
        distance, way = body.distance(flat)
        flat += way * np.maximum(gap - distance, 0.0)[:, None]
    return flat.reshape(x.shape)


def tube(name: str, line: F, radius: F, sides: int = 14) -> Mesh:
    """A round cord along a polyline (n, 3) with radii (n,)."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, np.array([0.0, 0.0, 1.0]))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    up = np.cross(side, along)
    turn = np.linspace(0, 2 * np.pi, sides)
    ring = side[:, None] * np.cos(turn)[None, :, None] + up[:, None] * np.sin(turn)[None, :, None]
    x = line[:, None] + ring * radius[:, None, None]
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(turn[None] * 0.35, length[:, None]), axis=-1)
    return sheet(name, x, uv, flip=True)


def _corners(mesh: Mesh, panel: str) -> tuple[I, F]:
    """The vertices of a panel, once for each corner of a triangle (n,), and their pattern positions (n, 2)."""
    rows = mesh.panel == mesh.names.index(panel)
    return mesh.faces[rows].ravel(), mesh.uv[rows].reshape(-1, 2)


@dataclass(frozen=True)
class Cuff:
    """The firm end of a sleeve: a knitted or interlined cuff holds its own shape, and so the cloth just above it.

    above(uv): distance (n,) in cm above the cuff's edge; across(uv): 0 at the sleeve's upper seam to 1 at the under
    seam; ``depth`` and ``radius`` of the cuff; ``ease``: cm of sleeve above it that are shaped with it; ``puff``: how
    far the sleeve falls over the cuff.
    """

    above: Rule
    across: Rule
    depth: float
    radius: float
    ease: float = 8.0
    puff: float = 0.5

    def shape(self, mesh: Mesh, side: str, seed: int) -> None:
        """Round the sleeve's end in place, along the line that the sleeve takes higher up."""
        parts = [(_corners(mesh, f"{layer}-sleeve-{side}"), sign) for layer, sign in (("front", 1.0), ("back", -1.0))]
        rows = np.concatenate([vertex for (vertex, _), _ in parts])
        high = np.concatenate([self.above(flat) for (_, flat), _ in parts])
        turn = np.concatenate([sign * np.pi * np.clip(self.across(flat), 0, 1) for (_, flat), sign in parts])
        x = mesh.x[rows]
        top = self.depth + self.ease
        begin, before = (x[np.abs(high - at) < 0.8].mean(axis=0) for at in (top, top + 13.0))
        axis = (begin - before) / np.linalg.norm(begin - before)
        collar = np.abs(high - top) < 0.8
        spread = x[collar] - begin
        wide = float(np.linalg.norm(spread - (spread @ axis)[:, None] * axis, axis=1).mean())
        first = spread[np.abs(turn[collar]) < 0.5].mean(axis=0)
        first -= (first @ axis) * axis
        first /= np.linalg.norm(first)
        second = np.cross(axis, first)
        second *= 1.0 if second[2] > 0 else -1.0
        ring = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
        shaped = begin + axis * (top - high)[:, None] + ring * self._radius(high, turn, wide, seed)[:, None]
        share = smoothstep(top, top - 0.6 * self.ease, high)[:, None]
        mesh.x[rows] = x * (1 - share) + shaped * share

    def _radius(self, high: F, turn: F, wide: float, seed: int) -> F:
        rise = np.clip((high - self.depth) / self.ease, 0.0, 1.0)
        loose = smoothstep(0.0, 0.25, rise)
        at = np.stack([6.0 * np.cos(turn) + 20.0, 6.0 * np.sin(turn) + 0.8 * high], axis=1)
        folds = 0.35 * noise(at, (3.0, 3.0), seed) * loose
        return np.asarray(
            self.radius + (wide - self.radius) * rise**0.8 * loose + self.puff * loose * (1 - rise) + folds
        )


def straight_hem(mesh: Mesh, level: float, depth: float, draw: float) -> None:
    """Let the hem rib of a top, ``depth`` cm deep above pattern height ``level``, hang straight from its seam.

    ``draw`` is the share of its width that the rib loses down to its edge.
    """
    for layer in ("front", "back"):
        rows, uv = _corners(mesh, f"{layer}-torso")
        below = level + depth - uv[:, 1]
        x = mesh.x[rows]
        seam = np.flatnonzero(np.abs(below) < 0.9)
        order = seam[np.argsort(uv[seam, 0], kind="stable")]
        at = np.linspace(uv[order, 0].min(), uv[order, 0].max(), 120)
        ring = np.stack([np.interp(at, uv[order, 0], x[order, k]) for k in range(3)], axis=1)
        ring = gaussian_filter1d(ring, 2.5, axis=0, mode="nearest")
        ring[:, 1] = gaussian_filter1d(ring[:, 1], 12.0, mode="nearest")
        top = np.stack([np.interp(uv[:, 0], at, ring[:, k]) for k in range(3)], axis=1)
        down = np.maximum(below, 0.0)[:, None]
        narrow = 1 - draw * down / depth
        shaped = np.concatenate([top[:, :1] * narrow, top[:, 1:2] - 0.97 * down, top[:, 2:] * narrow], axis=1)
        share = smoothstep(-0.3, 1.2, below)[:, None]
        mesh.x[rows] = x * (1 - share) + shaped * share
