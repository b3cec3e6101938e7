"""Cut flat panels, mesh them and sew them into one cloth mesh.

A panel is a closed outline in pattern centimetres made of named edges.  Edges of the same name, in whatever panels,
are one seam: their sample points become the same vertices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741
Place = Callable[[F], F]


def bezier(*points: tuple[float, float], count: int = 64) -> F:
    """A Bezier curve of any degree through its first and last control point -> (count, 2)."""
    layer = np.repeat(np.asarray(points, dtype=np.float64)[None], count, axis=0)
    t = np.linspace(0.0, 1.0, count)[:, None, None]
    while layer.shape[1] > 1:
        layer = layer[:, :-1] * (1 - t) + layer[:, 1:] * t
    return layer[:, 0]


def resample(curve: F, count: int) -> F:
    """``count`` + 1 points evenly spaced by arc length along a polyline (n, 2 or 3)."""
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, length[-1], count + 1)
    return np.stack([np.interp(at, length, curve[:, k]) for k in range(curve.shape[1])], axis=1)


def mirrored(curve: F) -> F:
    """The curve reflected in the centre line x = 0, its direction kept."""
    return np.asarray(curve * np.array([-1.0, 1.0]))


def inside(points: F, polygon: F) -> NDArray[np.bool_]:
    """Even-odd test of (n, 2) points against a closed polygon (m, 2)."""
    result = np.zeros(len(points), dtype=bool)
    x, y = points[:, 0], points[:, 1]
    ax, ay = polygon[:, 0], polygon[:, 1]
    bx, by = np.roll(ax, -1), np.roll(ay, -1)
    for k in range(len(polygon)):
        if ay[k] == by[k]:
            continue
        crosses = (ay[k] > y) != (by[k] > y)
        result ^= crosses & (x < (bx[k] - ax[k]) * (y - ay[k]) / (by[k] - ay[k]) + ax[k])
    return result


@dataclass(frozen=True)
class Edge:
    """One side of a panel: its seam name and its curve; ``flip`` when the seam runs against the outline."""

    name: str
    curve: F
    flip: bool = False


@dataclass(frozen=True)
class Panel:
    """A piece of cloth: ``edges`` go round the outline; ``place`` puts pattern points (n, 2) into space (n, 3)."""

    name: str
    edges: tuple[Edge, ...]
    place: Place


@dataclass
class Mesh:
    """A sewn cloth mesh.

    x (V, 3) positions in cm; faces (T, 3); uv (T, 3, 2) pattern position of each corner; panel (T,) index into names.
    """

    x: F
    faces: I
    uv: F
    panel: I
    names: tuple[str, ...]
    loops: dict[str, I]

    def subdivide(self) -> Mesh:
        """Each triangle becomes four; new vertices lie on the middles of the edges."""
        pairs = np.sort(self.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        edges, index = np.unique(pairs, axis=0, return_inverse=True)
        middle = index.reshape(-1, 3) + len(self.x)
        x = np.concatenate([self.x, self.x[edges].mean(axis=1)])
        a, b, c = self.faces.T
        ab, bc, ca = middle.T
        faces = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
        ua, ub, uc = (self.uv[:, k] for k in range(3))
        uab, ubc, uca = (ua + ub) / 2, (ub + uc) / 2, (uc + ua) / 2
        corners = ((ua, uab, uca), (uab, ub, ubc), (uca, ubc, uc), (uab, ubc, uca))
        uv = np.concatenate([np.stack(t, 1) for t in corners])
        table = {(int(p), int(q)): k + len(self.x) for k, (p, q) in enumerate(edges)}
        loops = {name: _split(loop, table) for name, loop in self.loops.items()}
        return Mesh(x, faces, uv, np.tile(self.panel, 4), self.names, loops)

    def normals(self) -> F:
        """Area-weighted unit vertex normals (V, 3)."""
        p, q, r = (self.x[self.faces[:, k]] for k in range(3))
        face = np.cross(q - p, r - p)
        out = np.stack([_scatter(self.faces, face[:, k], len(self.x)) for k in range(3)], axis=1)
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))

    def smooth(self) -> Mesh:
        """One Loop subdivision: smooth inside, smooth along open borders."""
        fine = self.subdivide()
        old, count = len(self.x), len(fine.x)
        pairs = np.sort(self.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        edges, index, uses = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        opposite = np.zeros((len(edges), 3))
        flat = index.reshape(-1)
        across = self.x[self.faces[:, [2, 0, 1]].reshape(-1)]
        for k in range(3):
            opposite[:, k] = np.bincount(flat, across[:, k], len(edges))
        border = uses == 1
        middle = self.x[edges].sum(axis=1)
        fine.x[old:] = np.where(border[:, None], middle / 2, middle * 3 / 8 + opposite / 8)
        fine.x[:old] = self._loop_even(edges, border)
        assert count == old + len(edges)
        return fine

    def _loop_even(self, edges: I, border: NDArray[np.bool_]) -> F:
        count = len(self.x)
        on_border = np.zeros(count, dtype=bool)
        on_border[edges[border].ravel()] = True
        out = np.empty_like(self.x)
        for rim in (False, True):
            chosen = edges[border] if rim else edges
            ends = np.concatenate([chosen, chosen[:, ::-1]])
            degree = np.bincount(ends[:, 0], minlength=count)
            total = np.stack([np.bincount(ends[:, 0], self.x[ends[:, 1], k], count) for k in range(3)], axis=1)
            n = np.maximum(degree, 1)[:, None]
            beta = 0.25 if rim else (5 / 8 - (3 / 8 + np.cos(2 * np.pi / n) / 4) ** 2)
            rows = (on_border & (degree == 2)) if rim else ~on_border
            out[rows] = (self.x * (1 - beta) + total / n * beta)[rows]
            if rim:
                corner = on_border & (degree != 2)
                out[corner] = self.x[corner]
        return out


def _split(loop: I, table: dict[tuple[int, int], int]) -> I:
    out = [int(loop[0])]
    for p, q in pairwise(loop):
        out += [table[(int(min(p, q)), int(max(p, q)))], int(q)]
    return np.asarray(out, dtype=np.int64)


def _scatter(faces: I, value: F, count: int) -> F:
    out = np.zeros(count)
    for k in range(3):
        out += np.bincount(faces[:, k], value, count)
    return out


def sew(panels: Sequence[Panel], spacing: float, seed: int) -> Mesh:
    """Mesh every panel at about ``spacing`` cm and join edges of one name; vertices on seams are placed by the mean."""
    rng = np.random.default_rng(seed)
    counts = _seam_counts(panels, spacing)
    pieces = [_cut(panel, counts, spacing, rng) for panel in panels]
    parent = list(range(sum(len(uv) for uv, _, _ in pieces)))

    def find(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    seams: dict[str, list[int]] = {}
    start = 0
    for panel, (uv, _, rim) in zip(panels, pieces, strict=True):
        at = 0
        for edge in panel.edges:
            n = counts[edge.name]
            ids = [start + (at + k) % rim for k in range(n + 1)]
            at += n
            ids = ids[::-1] if edge.flip else ids
            first = seams.setdefault(edge.name, ids)
            for p, q in zip(first, ids, strict=True):
                parent[find(q)] = find(p)
        start += len(uv)
    roots = np.array([find(k) for k in range(len(parent))])
    _, vertex = np.unique(roots, return_inverse=True)
    placed = np.concatenate([panel.place(uv) for panel, (uv, _, _) in zip(panels, pieces, strict=True)])
    weight = np.bincount(vertex)
    x = np.stack([np.bincount(vertex, placed[:, k]) / weight for k in range(3)], axis=1)
    faces, corner, owner, start = [], [], [], 0
    for number, (uv, tri, _) in enumerate(pieces):
        faces.append(vertex[tri + start])
        corner.append(uv[tri])
        owner.append(np.full(len(tri), number))
        start += len(uv)
    loops = {name: vertex[np.asarray(ids)] for name, ids in seams.items()}
    names = tuple(panel.name for panel in panels)
    mesh = Mesh(x, np.concatenate(faces), np.concatenate(corner), np.concatenate(owner), names, loops)
    return _one_way_round(mesh)


def _one_way_round(mesh: Mesh) -> Mesh:
    """Back panels are cut like front panels; turn their triangles so that normals point out of the garment."""
    turn = np.array([name.startswith("back") for name in mesh.names])[mesh.panel]
    mesh.faces[turn] = mesh.faces[turn][:, ::-1]
    mesh.uv[turn] = mesh.uv[turn][:, ::-1]
    return mesh


def _seam_counts(panels: Sequence[Panel], spacing: float) -> dict[str, int]:
    counts: dict[str, int] = {}
    for panel in panels:
        for edge in panel.edges:
            length = float(np.linalg.norm(np.diff(edge.curve, axis=0), axis=1).sum())
            counts[edge.name] = max(counts.get(edge.name, 0), max(2, round(length / spacing)))
    return counts


def _cut(panel: Panel, counts: dict[str, int], spacing: float, rng: np.random.Generator) -> tuple[F, I, int]:
    """One panel -> uv (n, 2) with its rim first, triangles (m, 3) counter-clockwise, number of rim points."""
    rim = np.concatenate([resample(edge.curve, counts[edge.name])[:-1] for edge in panel.edges])
    low, high = rim.min(0), rim.max(0)
    rows = np.arange(low[1], high[1], spacing * 0.866)
    columns = np.arange(low[0] - spacing, high[0] + spacing, spacing)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    grid[1::2, :, 0] += spacing / 2
    points = grid.reshape(-1, 2) + rng.normal(0, 0.12 * spacing, (grid.shape[0] * grid.shape[1], 2))
    points = points[inside(points, rim)]
    dense = resample(np.concatenate([rim, rim[:1]]), len(rim) * 6)
    points = points[cKDTree(dense).query(points)[0] > 0.62 * spacing]
    uv = np.concatenate([rim, points])
    tri = Delaunay(uv).simplices.astype(np.int64)
    tri = tri[inside(uv[tri].mean(axis=1), rim)]
    p, q, r = (uv[tri[:, k]] for k in range(3))
    area = (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])
    tri = tri[np.abs(area) > 1e-3 * spacing**2]
    area = area[np.abs(area) > 1e-3 * spacing**2]
    tri[area < 0] = tri[area < 0][:, ::-1]
    return uv, tri, len(rim)
