"""Drape a sewn mesh on the mannequin: extended position-based dynamics with small steps.

Stretch: Macklin, Mueller, Chentanez, "XPBD" (MIG 2016) and "Small steps in physics simulation" (SCA 2019).
Bending: the quadratic hinge energy of Bergou et al., "A quadratic bending model for inextensible surfaces" (SGP 2006).
Units: centimetre, gram, second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .body import Body
from .mesh import F, I, Mesh

GRAVITY = 981.0
Pull = Callable[[F], None]


@dataclass(frozen=True)
class Cloth:
    """``weight`` g/cm^2; ``bend`` dyn cm (linen about 100, jersey 20); ``stretch`` compliance; ``friction`` 0..1;
    ``pressure`` dyn/cm^2 is the stuffing that keeps a garment without a wearer from falling in."""

    weight: float = 0.018
    bend: float = 60.0
    stretch: float = 2e-6
    friction: float = 0.45
    thickness: float = 0.35
    damping: float = 2.5
    pressure: float = 2.5


@dataclass(frozen=True)
class Constraints:
    """Edges and hinges of a mesh, each sorted into colours whose members share no vertex.

    ``strings`` are longer edges, of the mesh before it was subdivided, that must not get longer: they carry weight
    across many small triangles at once.
    """

    pairs: list[I]
    rest: list[F]
    slack: list[F]
    hinges: list[I]
    weights: list[F]
    soft: list[F]
    inverse_mass: F
    strings: tuple[list[I], list[F]] = field(default_factory=lambda: ([], []))


def constraints(mesh: Mesh, cloth: Cloth, tighten: F | None = None, stiffen: F | None = None) -> Constraints:
    """``tighten`` (T,) scales the rest lengths of triangles (ribbing), ``stiffen`` (T,) their bending."""
    lengths = _rest_lengths(mesh, tighten)
    stiff = np.ones(len(mesh.faces)) if stiffen is None else stiffen
    corners = mesh.faces[:, [[1, 2], [2, 0], [0, 1]]].reshape(-1, 2)
    pairs, index, uses = np.unique(np.sort(corners, axis=1), axis=0, return_inverse=True, return_counts=True)
    flat = index.reshape(-1)
    rest = np.full(len(pairs), np.inf)
    np.minimum.at(rest, flat, lengths.reshape(-1))
    area = _area(lengths)
    mass = sum(np.bincount(mesh.faces[:, k], area / 3, len(mesh.x)) for k in range(3)) * cloth.weight
    inverse = 1.0 / np.maximum(mass, 1e-9)
    order = np.argsort(flat, kind="stable")
    starts = np.concatenate([[0], np.cumsum(uses)])[:-1]
    inner = uses == 2
    one, two = order[starts[inner]], order[starts[inner] + 1]
    hinge = np.stack([pairs[inner, 0], pairs[inner, 1], _far(mesh, one), _far(mesh, two)], axis=1)
    weights, k = _hinge(mesh, lengths, area, one, two, pairs[inner])
    soft = 1.0 / (cloth.bend * k * np.minimum(stiff[one // 3], stiff[two // 3]))
    c_pairs, c_hinges = _colours(pairs, len(mesh.x)), _colours(hinge, len(mesh.x))
    slack = np.full(len(pairs), cloth.stretch)
    return Constraints(
        [pairs[c] for c in c_pairs], [rest[c] for c in c_pairs], [slack[c] for c in c_pairs],
        [hinge[c] for c in c_hinges], [weights[c] for c in c_hinges], [soft[c] for c in c_hinges], inverse,
    )  # fmt: skip


def _rest_lengths(mesh: Mesh, tighten: F | None) -> F:
    """(T, 3) rest length of the edge opposite each corner."""
    p, q, r = (mesh.uv[:, k] for k in range(3))
    sides = np.stack([np.linalg.norm(r - q, axis=1), np.linalg.norm(p - r, axis=1), np.linalg.norm(q - p, axis=1)], 1)
    return sides if tighten is None else sides * tighten[:, None]


def _area(lengths: F) -> F:
    a, b, c = lengths.T
    s = lengths.sum(axis=1) / 2
    return np.asarray(np.sqrt(np.maximum(s * (s - a) * (s - b) * (s - c), 1e-10)))


def _far(mesh: Mesh, half: I) -> I:
    return mesh.faces[half // 3, half % 3]


def _hinge(mesh: Mesh, lengths: F, area: F, one: I, two: I, pairs: I) -> tuple[F, F]:
    """Bergou's vector K over (edge start, edge end, far vertex one, far vertex two) and 3 / (A0 + A1)."""

    def cotangents(half: I) -> tuple[F, F]:
        tri, far = half // 3, half % 3
        opposite = lengths[tri, far]
        out = []
        for end in (0, 1):
            hit = mesh.faces[tri] == pairs[:, [end]]
            corner = hit.argmax(axis=1)
            facing = lengths[tri, corner]
            other = lengths[tri, 3 - corner - far]
            out.append((opposite**2 + other**2 - facing**2) / (4 * area[tri]))
        return out[0], out[1]

    a0, a1 = cotangents(one)
    b0, b1 = cotangents(two)
    weights = np.stack([a1 + b1, a0 + b0, -(a0 + a1), -(b0 + b1)], axis=1)
    return weights, 3.0 / (area[one // 3] + area[two // 3])


def _colours(groups: I, count: int) -> list[I]:
    """Greedy colouring by rounds: each round takes a set of groups no two of which share a vertex."""
    left = np.arange(len(groups))
    rng = np.random.default_rng(5)
    priority = rng.permutation(len(groups))
    out: list[I] = []
    while len(left):
        taken = np.zeros(len(left), dtype=bool)
        free = np.ones(len(left), dtype=bool)
        for _ in range(4):
            rows = left[free]
            best = np.full(count, len(groups), dtype=np.int64)
            for k in range(groups.shape[1]):
                np.minimum.at(best, groups[rows, k], priority[rows])
            wins = (best[groups[rows]] == priority[rows, None]).all(axis=1)
            taken[np.flatnonzero(free)[wins]] = True
            used = np.zeros(count, dtype=bool)
            used[groups[left[taken]].ravel()] = True
            free = np.logical_not(used[groups[left]].any(axis=1))
            if not free.any():
                break
        out.append(left[taken])
        left = left[~taken]
    return out


def drape(
    mesh: Mesh, body: Body, cloth: Cloth, held: Constraints, steps: int, dt: float = 1 / 1200, pull: Pull | None = None
) -> None:
    """Move ``mesh.x`` in place for ``steps`` small steps; ``pull(x)`` may move vertices by hand after each."""
    x, velocity = mesh.x, np.zeros_like(mesh.x)
    inverse = held.inverse_mass
    distance, way = body.distance(x)
    keep = 1.0 - cloth.damping * dt
    push = np.zeros_like(x)
    for step in range(steps):
        if step % 8 == 0:
            push = mesh.normals() * (cloth.pressure / cloth.weight * dt)
        velocity += push
        velocity[:, 1] -= GRAVITY * dt
        velocity *= keep
        move = np.clip(velocity * dt, -0.15, 0.15)
        p = x + move
        for pair, rest in zip(*held.strings, strict=True):
            _string(p, pair, rest)
        for pair, rest, slack in zip(held.pairs, held.rest, held.slack, strict=True):
            _stretch(p, inverse, pair, rest, slack / dt**2)
        if step % 2 == 0:
            for hinge, weights, soft in zip(held.hinges, held.weights, held.soft, strict=True):
                _bend(p, inverse, hinge, weights, soft / (4 * dt**2))
        if step % 2 == 0:
            distance, way = body.distance(p)
            seen = p.copy()
        reach = distance + ((p - seen) * way).sum(axis=1)
        _rest_on(p, x, reach, way, cloth)
        if pull is not None:
            pull(p)
        velocity = (p - x) / dt
        x[:] = p


def _stretch(p: F, inverse: F, pair: I, rest: F, slack: F) -> None:
    i, j = pair[:, 0], pair[:, 1]
    d = p[i] - p[j]
    length = np.sqrt((d * d).sum(axis=1))
    wi, wj = inverse[i], inverse[j]
    factor = (length - rest) / ((wi + wj + slack) * np.maximum(length, 1e-9))
    d *= factor[:, None]
    p[i] -= wi[:, None] * d
    p[j] += wj[:, None] * d


def _string(p: F, pair: I, rest: F) -> None:
    i, j = pair[:, 0], pair[:, 1]
    d = p[i] - p[j]
    length = np.sqrt((d * d).sum(axis=1))
    d *= (np.maximum(length - rest, 0.0) / (2 * np.maximum(length, 1e-9)))[:, None]
    p[i] -= d
    p[j] += d


def _bend(p: F, inverse: F, hinge: I, weights: F, soft: F) -> None:
    curl = np.einsum("nk,nkd->nd", weights, p[hinge])
    w = inverse[hinge] * weights
    scale = 1.0 / ((w * weights).sum(axis=1) + soft)
    p[hinge] -= (w * scale[:, None])[:, :, None] * curl[:, None, :]


def _rest_on(p: F, x: F, distance: F, way: F, cloth: Cloth) -> None:
    near = np.flatnonzero(distance < cloth.thickness)
    if not len(near):
        return
    depth = np.minimum(cloth.thickness - distance[near], 0.6)
    n = way[near]
    p[near] += n * depth[:, None]
    slide = p[near] - x[near]
    slide -= (slide * n).sum(axis=1, keepdims=True) * n
    length = np.linalg.norm(slide, axis=1)
    held = np.minimum(1.0, cloth.friction * (depth + 0.02) / np.maximum(length, 1e-9))
    p[near] -= slide * held[:, None]
