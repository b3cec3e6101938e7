"""Geometrics: deco fans, moroccan trellis, hexagons, quilt blocks, truchet, tumbling blocks, overlapping circles."""

from __future__ import annotations

import math

import numpy as np

from .drawing import shapes
from .drawing.cloth import Cloth, Floats, Labels, ramp
from .drawing.layout import Spot, grid
from .drawing.pattern_type import PatternType, Subtype


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_fans, _trellis, _hexagons, _quilt, _truchet, _blocks, _circles, _stars, _midcentury, _basket)
    families[rng.integers(len(families))](cloth, rng)


def _fans(cloth: Cloth, rng: np.random.Generator) -> None:
    """Art-deco fans (seigaiha): overlapping scallops of concentric arcs."""
    n = int(rng.integers(2, 5))
    rows = 2 * int(rng.integers(n - 1, n + 1))
    radius = 0.5 / n
    sequences = ((1, 0, 1, 0), (1, 0, 2, 0, 4), (1, 4, 2, 0), (0, 1, 0, 1, 0, 4), (1, 0, 2, 1))
    rings = sequences[rng.integers(len(sequences))]
    rays = int(rng.choice([0, 0, 12, 16]))
    outline = 0.1 * radius
    reach = max(radius, 2.0 / rows)
    for row in range(rows):  # from the top down, so that each row lies over the one above
        for i in range(n):
            x, y = (i + (0.5 if row % 2 else 0.0) + 0.5) / n, (row + 0.5) / rows
            for patch in cloth.window(x, y, reach):
                r = np.hypot(patch.x, patch.y)
                # of every fan only what the two rows in front leave visible: nothing is order dependent on the torus
                front = np.minimum(
                    np.minimum(
                        np.hypot(patch.x - radius, patch.y - 1 / rows), np.hypot(patch.x + radius, patch.y - 1 / rows)
                    ),
                    np.hypot(patch.x, patch.y - 2 / rows),
                )
                shape = np.maximum(r - radius, radius - front)
                patch.paint(rings[0], shape - cloth.px)
                for k, role in enumerate(rings[1:], 1):
                    patch.paint(role, np.maximum(shape, r - radius * (1 - k / len(rings))))
                if rays:
                    _, fy = shapes.fold(patch.x, patch.y, rays * 2)
                    ray = np.maximum(np.abs(fy) - outline * 0.3, np.maximum(shape, r - radius * 0.9))
                    patch.paint(4, np.maximum(ray, radius * 0.3 - r))
                patch.paint(2 if 2 not in rings else 4, np.maximum(shape, radius - outline - r))


def _trellis(cloth: Cloth, rng: np.random.Generator) -> None:
    """Moroccan trellis: quatrefoils or ogees, outlined twice, a small star in each."""
    n = int(rng.integers(2, 4))
    line = rng.uniform(0.035, 0.07)
    ogee = bool(rng.random() < 0.5)
    centre = int(rng.integers(3))
    fill = bool(rng.random() < 0.4)
    bulge = rng.uniform(0.1, 0.2)
    for patch in cloth.strips():
        x, y = patch.x * n * 2 * math.pi, patch.y * n * 2 * math.pi
        if ogee:
            field = np.cos(x) + np.cos(y) + bulge * 4 * (np.cos(x) * np.cos(y))
            field = field - bulge * 1.4 * (np.cos(2 * x) + np.cos(2 * y)) * 0.5
        else:
            field = np.cos(x) + np.cos(y) + bulge * 3 * (np.cos(2 * x) + np.cos(2 * y)) * 0.5
        away = patch.as_distance(field)
        if fill:
            patch.paint(2, -away)
        patch.line(1, away, line / n * 2)
        patch.line(4, np.abs(away) - line / n * 1.9, line / n * 0.5)
    _centres(cloth, n, centre)


def _quatrefoils(cloth: Cloth, rng: np.random.Generator) -> None:
    """Moroccan trellis: four-lobed cells, outlined twice on bare ground."""
    n = int(rng.integers(2, 4))
    lobe, line = 0.25 / n, float(rng.uniform(0.05, 0.08)) / n
    second = bool(rng.random() < 0.6)
    spots = grid(n, n) + [Spot(s.x + 0.5 / n, s.y + 0.5 / n, n=1) for s in grid(n, n)]
    for spot in spots:
        for patch in cloth.window(spot.x, spot.y, 2.1 * lobe):
            x, y = np.abs(patch.x), np.abs(patch.y)
            foil = np.minimum(np.hypot(x - lobe * 0.8, y), np.hypot(x, y - lobe * 0.8)) - lobe * 0.98
            foil = np.minimum(foil, np.maximum(x, y) - lobe * 0.8)
            patch.line(1, foil + line, line)
            if second:
                patch.line(2, foil + line * 2.6, line * 0.45)
            patch.paint(4, shapes.star(patch.x, patch.y, 4, lobe * 0.34, lobe * 0.13))


def _ogee(cloth: Cloth, rng: np.random.Generator) -> None:
    """Onion shapes between waving lines that meet at their bends, each with a smaller one and a bud in it."""
    columns = 2 * int(rng.integers(1, 3))
    rows = int(rng.integers(1, 3)) if columns == 2 else 2
    line = float(rng.uniform(0.05, 0.09)) / columns
    filled, inner = bool(rng.random() < 0.6), float(rng.uniform(0.5, 0.62))
    for column in range(columns * 2):
        for row in range(rows):
            x = column / columns / 2 * 2 + (0.5 / columns if column >= columns else 0.0)
            y = (row + (0.5 if column >= columns else 0.0)) / rows
            reach = 0.5 / columns, 0.5 / rows
            for patch in cloth.window(x, y, max(reach)):
                v = np.clip(np.abs(patch.y) / np.float32(reach[1]), 0, 1)
                half = np.float32(reach[0]) * (0.5 + 0.5 * np.cos(math.pi * v))  # the ogee: out, then in to a point
                slope = np.hypot(1.0, reach[0] / reach[1] * math.pi / 2 * np.sin(math.pi * v))
                away = (np.abs(patch.x) - half) / slope
                away = np.where(np.abs(patch.y) > reach[1], np.float32(1), away)
                if filled and column >= columns:
                    patch.paint(2, away)
                patch.paint(1, np.abs(away + line / 2) - line / 2)
                small = (np.abs(patch.x) - half * inner) / slope
                patch.paint(4, np.where(v > 0.62, np.float32(1), small))
                bud = shapes.lens(patch.y, patch.x, reach[1] * 0.3, min(reach) * 0.18)
                patch.paint(1, bud)


def _harlequin(cloth: Cloth, rng: np.random.Generator) -> None:
    """Tall lozenges edge to edge, in two or three colours."""
    columns = int(rng.integers(2, 5))
    rows = max(1, columns - int(rng.integers(1, 3)))
    three = bool(rng.random() < 0.5) and columns % 2 == 0

    def roles(x: Floats, y: Floats) -> Labels:
        a, b = np.floor(x * columns + y * rows), np.floor(x * columns - y * rows)
        dark = (a + b) % 2 == 0
        other = np.where(np.floor((a + b) / 2) % 2 == 0, 1, 2) if three else 1
        found: Labels = np.where(dark, other, 0).astype(np.intp)
        return found

    for patch in cloth.strips():
        patch.sampled(roles)


def _centres(cloth: Cloth, n: int, kind: int) -> None:
    for spot in grid(n, n):
        for shift in (0.0, 0.5):
            x, y = spot.x + (-0.25 + shift) / n, spot.y + (-0.25 + shift) / n
            size = (0.17 if shift == 0.0 else 0.13) / n
            role = 4 if shift == 0.0 else 1
            for patch in cloth.window(x, y, size):
                if kind == 0:
                    patch.paint(role, shapes.star(patch.x, patch.y, 8, size, size * 0.55))
                elif kind == 1:
                    fx, fy = shapes.fold(patch.x, patch.y, 4)
                    patch.paint(role, shapes.lens(fx - size * 0.52, fy, size * 0.48, size * 0.2))
                else:
                    patch.paint(role, shapes.diamond(patch.x, patch.y, size, size))


_HEX = ((3, 4), (4, 4), (5, 6), (3, 4))


def _hexagons(cloth: Cloth, rng: np.random.Generator) -> None:
    """Honeycomb or nested hexagons, the rows coloured in turn (grandmother's garden)."""
    n, rows = _HEX[rng.integers(len(_HEX))]
    nested = int(rng.integers(1, 4))
    gap = rng.uniform(0.04, 0.1)
    colours = rng.permutation([1, 2, 1, 3, 4])
    kind = rng.integers(3)
    stretch = (rows / n) * math.sqrt(3) / 2  # the tile is square, so hexagons are squeezed by this much
    for row in range(rows):
        for i in range(n):
            x, y = (i + (0.5 if row % 2 else 0.0)) / n, row / rows
            if kind == 0:
                role = 1
            elif kind == 1:
                role = int(colours[row % 2])
            else:
                role = int(colours[rng.integers(4)])
            size = 0.5 / n
            for patch in cloth.window(x, y, size * 1.3):
                px, py = np.abs(patch.x), np.abs(patch.y) * np.float32(stretch)
                hexagon = np.maximum(px, px * 0.5 + py * np.float32(math.sqrt(3) / 2))
                for k in range(nested):
                    ring = size * (1 - gap * 2) * (1 - k / (nested + 0.35))
                    patch.paint([role, 0, 4][k], hexagon - np.float32(ring))


def _quilt(cloth: Cloth, rng: np.random.Generator) -> None:
    """Patchwork of half-square triangles: pinwheels, flying geese, broken dishes, sawtooth stars."""
    table = _block(rng)
    cells = 4 * int(rng.choice([1, 2, 2, 3]))

    def roles(x: Floats, y: Floats) -> Labels:
        i, j = np.floor(x * cells).astype(np.intp), np.floor(y * cells).astype(np.intp)
        u, v = x * cells - i, y * cells - j
        cell = table[j % 4, i % 4]
        lower = np.where(cell[..., 2] == 0, u + v > 1, v > u)
        found: Labels = np.where(lower, cell[..., 1], cell[..., 0])
        return found

    for patch in cloth.strips():
        patch.sampled(roles)


def _block(rng: np.random.Generator) -> Labels:
    """A 4x4 block of cells (role above the diagonal, role below, which diagonal), symmetrical by quarter turns."""
    corner = np.empty((2, 2, 3), np.intp)
    palette = rng.permutation([1, 2, 4])
    for j in range(2):
        for i in range(2):
            pair = [0, int(palette[0])] if rng.random() < 0.55 else list(rng.choice([0, 0, 1, 2, 4], 2))
            rng.shuffle(pair)
            corner[j, i] = (pair[0], pair[1], rng.integers(2))
    table = np.empty((4, 4, 3), np.intp)
    quarter = corner
    for turns, (row, column) in enumerate(((0, 0), (0, 2), (2, 2), (2, 0))):
        table[row : row + 2, column : column + 2] = quarter if turns == 0 else _quarter_turn(corner, turns)
    return table


def _quarter_turn(cells: Labels, turns: int) -> Labels:
    """Turn a square of half-square triangles clockwise."""
    for _ in range(turns):
        cells = np.rot90(cells, -1).copy()
        above, below, diagonal = cells[..., 0].copy(), cells[..., 1].copy(), cells[..., 2].copy()
        # '/' (0) has its first role at upper left, '\' (1) at upper right; a quarter turn takes UL -> UR -> LR
        cells[..., 0] = np.where(diagonal == 0, above, below)
        cells[..., 1] = np.where(diagonal == 0, below, above)
        cells[..., 2] = 1 - diagonal
    return cells


def _truchet(cloth: Cloth, rng: np.random.Generator) -> None:
    """Smith's tiles: two quarter arcs a cell, turned at random; the arcs join into loops."""
    n = int(rng.integers(4, 8))
    flips = rng.integers(0, 2, (n, n))
    if rng.random() < 0.4:
        half = rng.integers(0, 2, (n, n // 2 + 1))
        flips = np.concatenate([half, half[:, ::-1]], axis=1)[:, :n]
    width = rng.uniform(0.24, 0.4) / n
    echo = int(rng.integers(3))
    dots = bool(rng.random() < 0.3)
    for patch in cloth.strips():
        i, j = np.floor(patch.x * n).astype(np.intp), np.floor(patch.y * n).astype(np.intp)
        u, v = (patch.x * n - i) / n, (patch.y * n - j) / n
        u = np.where(flips[j % n, i % n] == 1, 1 / n - u, u)
        arc = np.minimum(np.abs(np.hypot(u, v) - 0.5 / n), np.abs(np.hypot(u - 1 / n, v - 1 / n) - 0.5 / n))
        patch.paint(1, arc - width / 2)
        if echo == 1:
            patch.paint(4, arc - width * 0.18)
        elif echo == 2:
            patch.paint(0, arc - width * 0.34)
            patch.paint(2, arc - width * 0.16)
        if dots:
            corner = np.hypot(u - np.round(u * n) / n, v - np.round(v * n) / n)
            patch.paint(2, corner - width * 0.35)


def _blocks(cloth: Cloth, rng: np.random.Generator) -> None:
    """Tumbling blocks: three rhombi a hexagon, light, middle and dark."""
    n, rows = ((2, 2), (3, 4), (4, 4))[rng.integers(3)]
    light, middle, dark = ((0, 2, 1), (4, 2, 1), (0, 4, 1))[rng.integers(3)]
    mixed = bool(rng.random() < 0.3)

    def roles(x: Floats, y: Floats) -> Labels:
        # hexagon cells: rows of height 1 / rows, odd rows shifted by half a hexagon
        u, v = x * n, y * rows
        best, found_x, found_y = None, None, None
        for k in (-1, 0, 1):
            row = np.round(v) + k
            shift = (row % 2) * 0.5
            dx = u - shift - np.round(u - shift)
            dy = v - row
            reach = np.maximum(np.abs(dx), np.abs(dx) * 0.5 + np.abs(dy) * 0.75)
            if best is None or found_x is None or found_y is None:
                best, found_x, found_y = reach, dx, dy
                continue
            nearer = reach < best
            best = np.where(nearer, reach, best)
            found_x, found_y = np.where(nearer, dx, found_x), np.where(nearer, dy, found_y)
        assert found_x is not None
        assert found_y is not None
        top = found_y * 1.5 < -np.abs(found_x)
        return np.where(top, light, np.where(found_x < 0, middle, dark))

    for patch in cloth.strips():
        patch.sampled(roles)
    if mixed:
        for row in range(rows):
            for i in range(n):
                x, y = (i + 0.5 * (row % 2)) / n, (row - 0.33) / rows
                for patch in cloth.window(x, y, 0.1 / n):
                    patch.paint(4 if light != 4 else 0, shapes.diamond(patch.x, patch.y, 0.16 / n, 0.1 / n))


def _circles(cloth: Cloth, rng: np.random.Generator) -> None:
    """Overlapping circles (shippo): four petals to a circle, a star left between."""
    n = int(rng.integers(2, 5))
    petal = rng.uniform(0.2, 0.29)
    second = 2 if rng.random() < 0.5 else 1
    vein = bool(rng.random() < 0.4)
    gem = int(rng.integers(3))
    for j in range(n):
        for i in range(n):
            for (dx, dy), turn, role in (((0.5, 0.0), 0.0, 1), ((0.0, 0.5), math.pi / 2, second)):
                for patch in cloth.window((i + dx) / n, (j + dy) / n, 0.5 / n):
                    u, v = patch.turned(turn)
                    patch.paint(role, shapes.lens(u, v, 0.49 / n, petal * 0.8 / n))
                    if vein:
                        patch.paint(4, shapes.lens(u, v, 0.3 / n, petal * 0.25 / n))
            size = 0.15 / n
            for patch in cloth.window((i + 0.5) / n, (j + 0.5) / n, size * 1.5):
                if gem == 0:
                    patch.paint(4, shapes.disc(patch.x, patch.y, size * 0.7))
                elif gem == 1:
                    patch.paint(4, shapes.star(patch.x, patch.y, 4, size * 1.5, size * 0.55, math.pi / 4))


def _stars(cloth: Cloth, rng: np.random.Generator) -> None:
    """Star and cross: eight-pointed stars that leave pointed crosses between them, as in Persian tilework."""
    n = int(rng.integers(2, 4))
    gap = rng.uniform(0.03, 0.06)
    inner = bool(rng.random() < 0.7)
    cross = int(rng.choice([0, 2, 3]))
    reach = 0.5 / n
    for patch in cloth.strips():
        if cross:
            patch.cover(cross, np.ones((1, 1), np.float32))
    for j in range(n):
        for i in range(n):
            for patch in cloth.window((i + 0.5) / n, (j + 0.5) / n, reach):
                u, v = patch.turned(math.pi / 4)
                side = reach * 0.7071
                star = np.minimum(shapes.box(patch.x, patch.y, side, side), shapes.box(u, v, side, side))
                patch.paint(0 if cross else 4, star)
                patch.paint(1, star + gap / n)
                if inner:
                    small = side * 0.5
                    ring = np.minimum(shapes.box(patch.x, patch.y, small, small), shapes.box(u, v, small, small))
                    patch.paint(0, ring)
                    patch.paint(4, ring + small * 0.35)
            if inner:
                for patch in cloth.window(i / n, j / n, 0.12 / n):
                    patch.paint(4 if cross else 1, shapes.diamond(patch.x, patch.y, 0.1 / n, 0.1 / n))


def _midcentury(cloth: Cloth, rng: np.random.Generator) -> None:
    """Bauhaus tiles: quarter discs, half discs, leaves and rounds, one in every cell."""
    n = int(rng.integers(3, 6))
    calm = bool(rng.random() < 0.5)
    drawn = rng.integers(0, 6, 3)
    kinds = rng.choice(drawn, (n, n)) if calm else rng.integers(0, 6, (n, n))
    turns = rng.integers(0, 4, (n, n))
    grounds = rng.choice([0, 0, 1, 2, 3, 4], (n, n))
    figures = (grounds + rng.integers(1, 5, (n, n))) % 5
    half = 0.5 / n
    for patch in cloth.strips():
        column, row = np.floor(patch.x * n).astype(np.intp), np.floor(patch.y * n).astype(np.intp)
        x, y = np.broadcast_arrays((patch.x - (column + 0.5) / n), (patch.y - (row + 0.5) / n))
        row, column = row % n, column % n
        turn = turns[row, column]
        u = np.select([turn == 0, turn == 1, turn == 2], [x, y, -x], -y)
        v = np.select([turn == 0, turn == 1, turn == 2], [y, -x, -y], x)
        ground, figure, kind = grounds[row, column], figures[row, column], kinds[row, column]
        shape = np.full(u.shape, 9.0)
        for k in np.unique(kind):
            shape = np.where(kind == k, _tile(u, v, half, int(k)), shape)
        for role in range(1, 5):
            patch.cover(role, np.equal(ground, role))
        inside = ramp(shape, cloth.px)
        for role in range(5):
            patch.cover(role, inside * np.equal(figure, role))


def _tile(u: Floats, v: Floats, half: float, kind: int) -> Floats:
    if kind == 0:
        return np.asarray(np.hypot(u + half, v + half) - 2 * half)
    if kind == 1:
        return np.asarray(np.maximum(np.hypot(u, v + half) - half, -v - half))
    if kind == 2:
        return np.asarray(np.maximum(np.hypot(u + half, v + half), np.hypot(u - half, v - half)) - 2 * half)
    if kind == 3:
        return np.asarray(np.hypot(u, v) - 0.72 * half)
    if kind == 4:
        return np.asarray((u + v) * 0.7071)
    arch = np.hypot(u + half, v + half)
    return np.asarray(np.minimum(np.abs(arch - 1.6 * half) - 0.3 * half, arch - 0.6 * half))


def _basket(cloth: Cloth, rng: np.random.Generator) -> None:
    """Basket weave: bundles of strips over and under."""
    n = 2 * int(rng.integers(1, 4))
    strips = int(rng.integers(2, 4)) if n > 2 else int(rng.integers(3, 5))
    second = 2 if rng.random() < 0.6 else 1
    gap = rng.uniform(0.1, 0.2)
    cut = bool(rng.random() < 0.4)
    for j in range(n):
        for i in range(n):
            along = (i + j) % 2 == 0
            for patch in cloth.window((i + 0.5) / n, (j + 0.5) / n, 0.5 / n):
                u, v = (patch.x, patch.y) if along else (patch.y, patch.x)
                lane = v * n * strips + strips / 2
                lane = (lane - np.floor(lane) - 0.5) / (n * strips)
                half = (0.5 - (0.5 * gap if cut else gap * 0.1)) / n
                bar = np.maximum(np.abs(lane) - (0.5 - gap) / (n * strips), np.abs(u) - half)
                cell = np.maximum(np.abs(patch.x), np.abs(patch.y)) - 0.5 / n
                patch.paint(1 if along else second, np.maximum(bar, cell))
                if cut:
                    patch.paint(4, np.maximum(bar, np.abs(u) - 0.06 / n))


TYPE = PatternType(
    label=5,
    draw=draw,
    side_cm=26.0,
    turnable=True,
    coverage=(0.34, 0.33, 0.12, 0.08, 0.13),
    sample_seed=5,
    words=(
        *("geometric", "geometrical", "triangles", "hexagons", "diamonds", "squares", "cubes", "art deco"),
        *("mosaic", "tiles", "tiled", "kaleidoscope", "lattice", "trellis", "grid", "aztec", "tribal"),
        *("triangular", "moroccan", "rhombus", "honeycomb", "bauhaus", "op art", "polygons", "harlequin"),
        *("patchwork", "azulejo", "stars"),
    ),
    adjectives=("geometric", "geometrical"),
    nouns=("geometric shapes", "a geometric pattern"),
    subtypes=(
        Subtype(
            name="trellis", draw=_quatrefoils, words=("trellis", "moroccan", "quatrefoil", "quatrefoils", "lattice")
        ),
        Subtype(name="ogee", draw=_ogee, words=("ogee", "ogees")),
        Subtype(name="harlequin", draw=_harlequin, words=("harlequin", "harlequins")),
        Subtype(name="honeycomb", draw=_hexagons, words=("honeycomb", "hexagons", "hexagonal")),
        Subtype(
            name="scallop",
            draw=_fans,
            words=("art deco", "scallop", "scallops", "fish scales", "seigaiha", "deco fans"),
        ),
        Subtype(name="tumbling-blocks", draw=_blocks, words=("tumbling blocks", "cubes", "tumbling block")),
        Subtype(name="patchwork", draw=_quilt, words=("patchwork", "patchwork quilt", "quilt blocks")),
        Subtype(name="basketweave", draw=_basket, words=("basketweave", "basket weave")),
    ),
    near=(
        *("triangles", "squares", "mosaic", "tiles", "kaleidoscope", "aztec", "tribal", "bauhaus", "op art", "azulejo"),
        *("stars", "grid", "diamonds"),
    ),
    usual=4,
)
