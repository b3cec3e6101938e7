"""Pieces that are shaped rather than draped: collars, hoods, cords."""

from __future__ import annotations

import numpy as np

from .body import Body
from .mesh import F, Mesh, resample


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
