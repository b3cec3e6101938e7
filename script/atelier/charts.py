"""What the needle leaves, drawn flat: relief, shade and tint of every panel on one chart, for the renderer to wrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .mesh import F, Mesh
from .trims import Surface, Trim, noise

DENSITY = 14.0
"""Texels a centimetre."""

_MARGIN = 0.6
"""Centimetres around each panel."""

_WIDEST = 4096


@dataclass(frozen=True)
class Look:
    """The cloth before the camera: linear ``albedo``, how ``rough``, its ``sheen``; ``crumple`` and ``wrinkle`` in cm
    are what handling and wearing leave in it, finer than the drape can be."""

    albedo: tuple[float, float, float] = (0.80, 0.785, 0.757)
    rough: float = 0.85
    sheen: float = 0.12
    crumple: float = 0.008
    wrinkle: float = 0.02
    exposure: float = 1.0


@dataclass(frozen=True)
class Charts:
    """``trim`` (h, w, 3): relief in cm, factor of the light, share that is the fabric; ``tint`` (h, w, 3) factor of the
    albedo; row 0 at the bottom.  ``corners`` (2, T, 3, 2): each triangle's corners on them, 0..1, of its right side and
    of its wrong side."""

    trim: F
    tint: F
    corners: F


def bake(mesh: Mesh, trims: Sequence[Trim], look: Look, density: float = DENSITY) -> Charts:
    boxes = [_box(mesh, number) for number in range(len(mesh.names))] * 2
    sizes = [tuple(np.ceil((high - low) * density).astype(int)) for low, high in boxes]
    places, width, height = _packed(sizes)
    trim, tint = np.zeros((height, width, 3)), np.ones((height, width, 3))
    trim[..., 1:] = 1.0
    corners = np.zeros((2, len(mesh.faces), 3, 2))
    for number, ((low, _), (columns, rows), (x, y)) in enumerate(zip(boxes, sizes, places, strict=True)):
        side, panel = divmod(number, len(mesh.names))
        surface = _drawn(mesh, panel, bool(side), low, (columns, rows), density, trims, look)
        box = np.s_[y : y + rows, x : x + columns]
        trim[box] = np.stack([surface.relief, surface.shade, surface.fabric], -1).reshape(rows, columns, 3)
        tint[box] = surface.tint.reshape(rows, columns, 3)
        mine = mesh.panel == panel
        corners[side, mine] = ((mesh.uv[mine] - low) * density + [x, y]) / [width, height]
    return Charts(trim, tint, corners)


def _box(mesh: Mesh, panel: int) -> tuple[F, F]:
    uv = mesh.uv[mesh.panel == panel].reshape(-1, 2)
    return uv.min(0) - _MARGIN, uv.max(0) + _MARGIN


def _packed(sizes: Sequence[tuple[int, ...]]) -> tuple[list[tuple[int, int]], int, int]:
    """Shelves, the highest boxes first."""
    places = [(0, 0)] * len(sizes)
    x = y = shelf = widest = 0
    limit = max(_WIDEST, *(columns for columns, _ in sizes))
    for number in sorted(range(len(sizes)), key=lambda k: -sizes[k][1]):
        columns, rows = sizes[number]
        if x + columns > limit:
            x, y, shelf = 0, y + shelf, 0
        places[number] = (x, y)
        x, shelf = x + columns, max(shelf, rows)
        widest = max(widest, x)
    return places, widest, y + shelf


def _drawn(
    mesh: Mesh,
    panel: int,
    inner: bool,
    low: F,
    size: tuple[int, int],
    density: float,
    trims: Sequence[Trim],
    look: Look,
) -> Surface:
    columns, rows = size
    x, y = np.meshgrid((np.arange(columns) + 0.5) / density, (np.arange(rows) + 0.5) / density)
    uv = np.stack([x.ravel(), y.ravel()], axis=1) + low
    surface = Surface(uv, np.full(len(uv), panel), mesh.names, np.full(len(uv), inner))
    _worn(surface, look)
    for trim in trims:
        trim.apply(surface)
    return surface


def _worn(surface: Surface, look: Look) -> None:
    """The slight crumple of cloth that has been handled, and soft ridges that a garment keeps from being worn: sparse,
    mostly lengthways, crests sharper than valleys."""
    uv = surface.uv + 40.0 * surface.panel[:, None]
    handled = noise(uv, (1.6, 2.1), 3) + 0.6 * noise(uv @ np.array([[0.8, 0.6], [-0.6, 0.8]]), (0.8, 1.3), 4)
    surface.relief += look.crumple * handled
    bend = np.stack([noise(uv, (9.0, 12.0), 5), noise(uv, (11.0, 13.0), 6)], axis=1)
    for turn, size, seed in ((0.35, (3.4, 9.0), 7), (-0.55, (4.2, 10.0), 8)):
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        crest = np.exp(-((noise(uv @ axes + 3.0 * bend, size, seed) / 0.38) ** 2))
        surface.relief += look.wrinkle * crest * np.clip(noise(uv, (13.0, 15.0), seed + 40) + 0.25, 0, 1)
