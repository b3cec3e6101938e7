"""Paisleys: true boteh, a bent teardrop with nested borders, an inner spray and a frill of beads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..lattices import Lattice
from .drawing import shapes
from .drawing.cloth import F32, F64, Cloth, Patch
from .drawing.harmonies import botanical
from .drawing.layout import Circle, Spot, clearance, grid, packed
from .drawing.pattern_type import PatternType, Subtype
from .drawing.shapes import Point


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_rows, _half_drop, _pairs, _tossed, _rows, _tossed)
    families[rng.integers(len(families))](cloth, rng)


_STEPS = 18
_FLOWER, _ECHO, _ROSETTE, _LEAF = range(4)
_PLAIN, _BEADS, _SCALLOPS, _RAYS = range(4)


@dataclass(frozen=True)
class Boteh:
    """A boteh in its own frame: it fits the box of half-height 1 and half-width ``broad`` about the origin.

    ``spine`` runs from the bulb's centre to the curled tip, ``radii`` along it; ``rings`` are (inset, role) from the
    outside in, insets in the unit of the frame.
    """

    spine: tuple[Point, ...]
    radii: tuple[float, ...]
    broad: float
    rings: tuple[tuple[float, int], ...]
    edge: int
    edge_role: int
    beads: tuple[Point, ...]
    bead: float
    heart: int
    petals: int
    seeds: bool


def _boteh(rng: np.random.Generator) -> Boteh:
    curl, length, power = (float(rng.uniform(*span)) for span in ((1.5, 3.3), (1.15, 1.4), (1.5, 2.0)))
    spine, radii, broad = _spine(curl, length, power)
    bulb = radii[0]
    sequences = (
        ((0.0, 1), (0.28, 0), (0.4, 2)),
        ((0.0, 1), (0.24, 4), (0.38, 1)),
        ((0.0, 2), (0.2, 1), (0.62, 0)),
        ((0.0, 1), (0.34, 2), (0.5, 0)),
        ((0.0, 4), (0.16, 0), (0.3, 1)),
        ((0.0, 1), (0.2, 0), (0.3, 1), (0.52, 2)),
        ((0.0, 3), (0.2, 0), (0.32, 1)),
    )
    rings = tuple((inset * bulb, role) for inset, role in sequences[rng.integers(len(sequences))])
    edge = int(rng.choice([_PLAIN, _BEADS, _BEADS, _SCALLOPS, _SCALLOPS, _RAYS]))
    count = int(rng.integers(28, 34)) if edge == _SCALLOPS else int(rng.integers(20, 29))
    out = (0.0, 0.14, 0.0, 0.13)[edge]
    beads = tuple(_outline(spine, radii, count, out)) if edge != _PLAIN else ()
    role = rings[0][1] if edge == _SCALLOPS else int(rng.choice([1, 2, 4, 3]))
    bead = {_PLAIN: 0.0, _BEADS: 0.055, _SCALLOPS: 0.1, _RAYS: 0.04}[edge]
    heart, petals, seeds = int(rng.integers(4)), int(rng.integers(5, 9)), bool(rng.random() < 0.6)
    return Boteh(spine, radii, broad, rings, edge, role, beads, bead, heart, petals, seeds)


def _spine(curl: float, length: float, power: float) -> tuple[tuple[Point, ...], tuple[float, ...], float]:
    """The spine turns slowly at the bulb and ever faster to the tip, as a comma does; scaled to half-height 1."""
    x = y = 0.0
    points: list[Point] = []
    radii: list[float] = []
    for i in range(_STEPS + 1):
        t = i / _STEPS
        points.append((x, y))
        radii.append(0.43 * (1 - t) ** 0.95 * (1 + 0.9 * t * (1 - t)) * (1 - 0.25 * t) + 0.024)
        heading = -math.pi / 2 - 0.35 + (0.35 + curl) * t**power
        x, y = x + length / _STEPS * math.cos(heading), y + length / _STEPS * math.sin(heading)
    left = min(p[0] - r for p, r in zip(points, radii, strict=True))
    right = max(p[0] + r for p, r in zip(points, radii, strict=True))
    top = min(p[1] - r for p, r in zip(points, radii, strict=True))
    bottom = max(p[1] + r for p, r in zip(points, radii, strict=True))
    scale, mx, my = 2 / (bottom - top), (left + right) / 2, (top + bottom) / 2
    scaled = tuple(((px - mx) * scale, (py - my) * scale) for px, py in points)
    return scaled, tuple(r * scale for r in radii), (right - left) / 2 * scale


def _outline(spine: tuple[Point, ...], radii: tuple[float, ...], count: int, out: float) -> list[Point]:
    """About ``count`` points spaced evenly along the edge, ``out`` outside it; none where the curl would hide them."""
    left: list[Point] = []
    right: list[Point] = []
    for i, ((x, y), radius) in enumerate(zip(spine, radii, strict=True)):
        j = min(i, len(spine) - 2)
        heading = math.atan2(spine[j + 1][1] - spine[j][1], spine[j + 1][0] - spine[j][0])
        r = radius + out
        left.append((x + r * math.sin(heading), y - r * math.cos(heading)))
        right.append((x - r * math.sin(heading), y + r * math.cos(heading)))
    (x0, y0), (x1, y1) = spine[0], spine[1]
    back, r = math.atan2(y0 - y1, x0 - x1), radii[0] + out
    around = np.linspace(-math.pi / 2, math.pi / 2, 13)[1:-1]
    cap = [(x0 + r * math.cos(back + a), y0 + r * math.sin(back + a)) for a in around]
    points = np.array([*reversed(left), *cap, *right])
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = (np.arange(count) + 0.5) / count * lengths[-1]
    xs, ys = np.interp(at, lengths, points[:, 0]), np.interp(at, lengths, points[:, 1])
    away = shapes.path(xs, ys, spine, radii)
    return [(float(x), float(y)) for x, y, d in zip(xs, ys, away, strict=True) if d > out * 0.75 - 0.03]


def _room(boteh: Boteh, spot: Spot, size: float, flip: bool, margin: float) -> list[Circle]:
    """The circles that a printed boteh takes up on the tile."""
    cos, sin = math.cos(spot.turn), math.sin(spot.turn)
    circles = []
    for (x, y), r in zip(boteh.spine, boteh.radii, strict=True):
        x = -x if flip else x
        circles.append((spot.x + (x * cos - y * sin) * size, spot.y + (x * sin + y * cos) * size, (r + margin) * size))
    return circles


def _print(cloth: Cloth, boteh: Boteh, spot: Spot, size: float, flip: bool = False) -> list[Circle]:
    """Print one boteh of height 2 * size; returns the room that it takes."""
    frill = 0.0 if boteh.edge == _PLAIN else 0.22
    reach = size * (math.hypot(1.0, boteh.broad) * 0.92 + frill)
    for patch in cloth.window(spot.x, spot.y, reach):
        u, v = patch.turned(spot.turn, size)
        _draw(patch, boteh, -u if flip else u, v, size)
    return _room(boteh, spot, size, flip, frill + 0.06)


def _beads(u: F32, v: F32, points: tuple[Point, ...] | list[Point]) -> F32:
    """Distance to the nearest of many points."""
    nearest = np.full(u.shape, 9, np.float32)
    for x, y in points:
        dx, dy = u - np.float32(x), v - np.float32(y)
        np.minimum(nearest, dx * dx + dy * dy, out=nearest)
    root: F32 = np.sqrt(nearest)
    return root


def _draw(patch: Patch, boteh: Boteh, u: F32, v: F32, size: float) -> None:
    body = shapes.path(u, v, boteh.spine, boteh.radii)
    if boteh.edge == _RAYS:
        rays = _beads(u, v, boteh.beads) - np.float32(boteh.bead)
        cord = np.abs(body - np.float32(0.13)) - np.float32(0.018)
        patch.paint(boteh.edge_role, np.minimum(cord, rays - np.float32(0.02)) * size)
    elif boteh.edge != _PLAIN:
        patch.paint(boteh.edge_role, (_beads(u, v, boteh.beads) - np.float32(boteh.bead)) * size)
    for inset, role in boteh.rings:
        patch.paint(role, (body + np.float32(inset)) * size)
    if boteh.edge == _SCALLOPS:
        eyes = _beads(u, v, boteh.beads) - np.float32(boteh.bead * 0.36)
        patch.paint(4 if boteh.edge_role != 4 else 0, eyes * size)
    inset, inner = boteh.rings[-1]
    _heart(patch, boteh, u, v, size, inner)
    if boteh.seeds and boteh.heart != _ECHO:  # seeds up the spine, smaller and smaller
        seeds = np.full(u.shape, 9, np.float32)
        for k in range(8 if boteh.heart == _LEAF else 6, 15, 2):
            (x, y), r = boteh.spine[k], max(0.0, boteh.radii[k] - inset) * 0.36
            np.minimum(seeds, np.hypot(u - np.float32(x), v - np.float32(y)) - np.float32(r), out=seeds)
        patch.paint(4 if inner != 4 else 0, seeds * size)


def _heart(patch: Patch, boteh: Boteh, u: F32, v: F32, size: float, inner: int) -> None:
    """The ornament in the bulb: a flower, an echo of the boteh, a rosette or a leaf."""
    role, other = [r for r in (4, 1, 2, 0) if r != inner][:2]
    x0, y0 = boteh.spine[0]
    u, v = u - np.float32(x0), v - np.float32(y0)
    room = boteh.radii[0] - boteh.rings[-1][0]
    if boteh.heart == _FLOWER:
        fx, fy = shapes.fold(u, v, boteh.petals, 0.3)
        reach = room * 0.86
        fat = reach * 0.42 * math.sin(math.pi / boteh.petals) * 1.5
        patch.paint(role, shapes.drop(fx, fy, (reach * 0.35, 0), (reach - fat, 0), fat * 0.35, fat) * size)
        patch.paint(other, (np.hypot(u, v) - room * 0.24) * size)
    elif boteh.heart == _ECHO:
        u, v = u + np.float32(x0), v + np.float32(y0)
        inset = boteh.rings[-1][0]
        body = shapes.path(u, v, boteh.spine[:11], [max(0.02, (r - inset) * 0.55) for r in boteh.radii[:11]])
        patch.paint(role, body * size)
        patch.paint(other, (body + room * 0.22) * size)
    elif boteh.heart == _ROSETTE:
        patch.paint(role, (np.hypot(u, v) - room * 0.66) * size)
        fx, fy = shapes.fold(u, v, boteh.petals)
        patch.paint(other, (np.hypot(fx - room * 0.42, fy) - room * 0.13) * size)
        patch.paint(other, (np.hypot(u, v) - room * 0.2) * size)
    else:
        heading = math.atan2(boteh.spine[3][1] - y0, boteh.spine[3][0] - x0)
        cos, sin = np.float32(math.cos(heading)), np.float32(math.sin(heading))
        along, across = u * cos + v * sin - np.float32(room * 0.35), v * cos - u * sin
        leaf = shapes.lens(along, across, room * 1.1, room * 0.44)
        patch.paint(role, leaf * size)
        veins = np.abs(np.abs(across) * 1.2 - along * 0.9 + room * 9)
        comb = np.abs(veins / (room * 0.4) - np.round(veins / (room * 0.4))) * room * 0.4
        lines = np.minimum(np.abs(across) - room * 0.06, comb - room * 0.05)
        patch.paint(other, np.maximum(lines, leaf + room * 0.1) * size)


def _bandana(cloth: Cloth, rng: np.random.Generator) -> None:
    """One kerchief a tile: a round of petals, four botehs pointing at it, a double border with dots."""
    boteh, petals = _boteh(rng), int(rng.choice([8, 10, 12]))
    for patch in cloth.strips():
        edge = np.minimum(*(0.5 - np.abs(t - np.floor(t) - 0.5) for t in np.broadcast_arrays(patch.x, patch.y)))
        patch.line(1, edge - 0.035, 0.011)
        patch.line(1, edge - 0.105, 0.011)
    beads = 14
    for k in range(beads):
        t = 0.07 + 0.86 * k / (beads - 1)
        for x, y in ((t, 0.07), (t, 0.93), (0.07, t), (0.93, t)):
            for patch in cloth.window(x, y, 0.02):
                patch.paint(1, shapes.disc(patch.x, patch.y, 0.017))
    for patch in cloth.window(0.5, 0.5, 0.19):
        fx, fy = shapes.fold(patch.x, patch.y, petals)
        patch.paint(1, shapes.lens(fx - 0.115, fy, 0.062, 0.03))
        patch.paint(1, shapes.disc(patch.x, patch.y, 0.045))
        patch.paint(2, shapes.disc(patch.x, patch.y, 0.02))
        fx, fy = shapes.fold(patch.x, patch.y, petals, math.pi / petals)
        patch.paint(1, shapes.disc(fx - 0.172, fy, 0.011))
    taken: list[Circle] = [(0.5, 0.5, 0.2)]
    size = min(0.15, 0.105 / boteh.broad)
    for k in range(4):
        angle = math.pi / 4 + k * math.pi / 2
        spot = Spot(0.5 + 0.345 * math.cos(angle), 0.5 + 0.345 * math.sin(angle), angle - math.pi / 2)
        taken += _print(cloth, boteh, spot, size)
    taken += [circle for t in np.linspace(0, 1, 16) for circle in ((float(t), 0.0, 0.1), (0.0, float(t), 0.1))]
    for spot in packed(rng, [(0.022, 160), (0.012, 160)], taken, 0.012):
        for patch in cloth.window(spot.x, spot.y, spot.size):
            patch.paint(1, shapes.disc(patch.x, patch.y, spot.size * 0.7))


def _inked_once(rng: np.random.Generator) -> F64:
    """White and a little black on one strong ground, as bandanas are."""
    hue = float(rng.choice([25, 25, 262, 262, 150, 320, 60]))
    ground = (float(rng.uniform(0.36, 0.5)), float(rng.uniform(0.12, 0.18)), hue)
    white, black = (0.97, 0.008, 90), (0.2, 0.02, hue)
    return np.array([ground, white, black, white, black, white], np.float64)


def _filler(cloth: Cloth, rng: np.random.Generator, taken: list[Circle], size: float) -> None:
    """Flowers, then seeds, in the room that the botehs leave."""
    kind = int(rng.integers(3))
    petals = int(rng.integers(4, 7))
    role = int(rng.choice([2, 3, 1]))
    sizes = [(size, 160), (size * 0.62, 220), (size * 0.26, 300)]
    for spot in packed(rng, sizes, taken, size * 0.16, cloth.lattice):
        r = spot.size
        for patch in cloth.window(spot.x, spot.y, r):
            if r < size * 0.4 or kind == 2:
                patch.paint(role if r < size * 0.4 else 2, shapes.disc(patch.x, patch.y, r * 0.9))
                if r > size * 0.4:
                    patch.paint(4, shapes.disc(patch.x, patch.y, r * 0.45))
                continue
            fx, fy = shapes.fold(patch.x, patch.y, petals, spot.turn)
            if kind == 0:
                patch.paint(role, shapes.drop(fx, fy, (r * 0.3, 0), (r * 0.68, 0), 0, r * 0.3))
            else:
                patch.paint(role, shapes.lens(fx - r * 0.56, fy, r * 0.44, r * 0.2))
            patch.paint(4, shapes.disc(patch.x, patch.y, r * 0.3))


def _rows(cloth: Cloth, rng: np.random.Generator) -> None:
    """Rows of botehs, every other row facing back."""
    columns, rows = ((2, 2), (3, 2), (4, 2), (3, 3))[rng.integers(4)]
    boteh, other = _boteh(rng), _boteh(rng)
    lean = float(rng.uniform(-0.3, 0.3))
    size = min(0.44 / rows, 0.44 / columns / boteh.broad * 1.05)
    mixed = bool(rng.random() < 0.4) and rows == 2
    taken: list[Circle] = []
    for j in range(rows):
        flip = j % 2 == 1 and rows % 2 == 0
        kind = other if mixed and j % 2 else boteh
        for i in range(columns):
            x, y = (i + 0.3 + (0.5 if flip else 0.0)) / columns, (j + 0.5) / rows
            taken += _print(cloth, kind, Spot(x, y, -lean if flip else lean), size, flip)
    _filler(cloth, rng, taken, size * 0.22)


def _half_drop(cloth: Cloth, rng: np.random.Generator) -> None:
    """Large botehs in a half drop, small ones turned back between them."""
    large, small = _boteh(rng), _boteh(rng)
    lean = float(rng.uniform(-0.35, 0.35))
    size = min(0.34, 0.235 / large.broad)
    taken: list[Circle] = []
    for spot in grid(2, 1, drop=True):
        flip = spot.n % 2 == 1
        taken += _print(cloth, large, Spot(spot.x, spot.y, -lean if flip else lean), size, flip)
    if size < 0.33:
        for spot in grid(2, 1, drop=True):
            little = Spot(spot.x, spot.y + 0.5, lean + 1.57)
            taken += _print(cloth, small, little, (1 - 2.1 * size) * 0.42 / small.broad * 0.8, spot.n % 2 == 0)
    _filler(cloth, rng, taken, size * 0.2)


def _pairs(cloth: Cloth, rng: np.random.Generator) -> None:
    """Yin and yang: two botehs turned about each other, and another pair across."""
    boteh, other = _boteh(rng), _boteh(rng)
    turn = float(rng.uniform(0, 2 * math.pi))
    taken: list[Circle] = []
    for centre, kind in ((Spot(0.25, 0.25), boteh), (Spot(0.75, 0.75), other)):
        size = 0.25 * min(1.0, 0.66 / kind.broad)
        away = size * (kind.broad + (0.2 if kind.edge != _PLAIN else 0.05))
        for k in (0, 1):
            angle = turn + k * math.pi
            spot = Spot(centre.x + away * math.cos(angle), centre.y + away * math.sin(angle), angle)
            taken += _print(cloth, kind, spot, size)
        turn += math.pi / 2
    _filler(cloth, rng, taken, 0.055)


def _tossed(cloth: Cloth, rng: np.random.Generator) -> None:
    """Botehs turned every way, large and small, each put where there is most room."""
    lattice = cloth.follow()
    kinds = [_boteh(rng), _boteh(rng)]
    count = int(rng.integers(4, 9))
    large = 0.54 / math.sqrt(count)
    taken: list[Circle] = []
    for k in range(count):
        size = large * (1.0 if k < count * 0.6 else 0.72)
        placed = _roomiest(rng, kinds[k % 2], size, taken, lattice)
        if placed is not None:
            taken += _print(cloth, kinds[k % 2], placed[0], size, placed[1])
    _filler(cloth, rng, taken, large * 0.2)


def _roomiest(
    rng: np.random.Generator, boteh: Boteh, size: float, taken: list[Circle], lattice: Lattice
) -> tuple[Spot, bool] | None:
    """Of forty random places the one farthest from everything printed; None where all would overlap."""
    held = np.array(taken or [(0.0, 0.0, -9.0)], np.float64)
    best: tuple[Spot, bool] | None = None
    most = -0.015
    for _ in range(40):
        x, y = rng.random(2) * (float(lattice.width), float(lattice.height))
        spot, flip = Spot(float(x), float(y), float(rng.uniform(0, 2 * math.pi))), bool(rng.random() < 0.5)
        if not taken:
            return spot, flip
        own = np.array(_room(boteh, spot, size, flip, 0.12)[::2], np.float64)
        room = float(np.min(clearance(own[:, 0], own[:, 1], held, lattice) - own[:, 2]))
        if room > most:
            best, most = (spot, flip), room
    return best


TYPE = PatternType(
    label=7,
    draw=draw,
    side_cm=28.0,
    turnable=False,
    motifs=True,
    coverage=(0.57, 0.22, 0.11, 0.02, 0.08),
    sample_seed=3,
    words=(
        *("paisley", "boteh", "paisleys", "bandana print", "bandana", "kashmiri", "cashmere pattern"),
        *("persian", "teardrops", "indian print", "block print", "henna"),
    ),
    adjectives=("paisley",),
    nouns=("a paisley pattern", "paisleys"),
    subtypes=(
        Subtype(
            name="bandana",
            draw=_bandana,
            words=("bandana", "bandana print", "bandana paisley", "bandanas", "paisley bandana"),
            harmony=_inked_once,
        ),
    ),
    near=("persian", "block print", "henna", "indian print"),
    usual=7,
    palettes=(
        *("Oxblood", "Madder and chalk", "Saffron market", "Indigo bath", "Peacock", "Night garden"),
        *("Porcelain",),
    ),
    harmony=botanical,
)
