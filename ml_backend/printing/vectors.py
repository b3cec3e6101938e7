"""A fabric as vectors: the borders of its inks, traced into paths.

The paths are those of plates with trapping (:mod:`.plates`): each ink runs on a little below the darker ones that are
painted after it, so there is no gap between neighbours, whatever draws them.  Borders are found by marching squares
with interpolation (contourpy), hence far finer than a pixel, and thinned by Douglas and Peucker's algorithm to what a
printed line of 0.05 mm could show.  An ink with half-tones is a few nested shapes, each a fifth more opaque.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

import contourpy
import numpy as np
from numpy.typing import NDArray

from ..provenance import xmp
from .painting import Design
from .plan import PrintRequest, title
from .plates import ROLES, from_dark, screens

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

TRACED_PX = 1024
"""Side of a tile in the units of the paths; borders are traced at this many pixels."""
_PAD = 4
_TOLERANCE = 0.18
"""Units that a thinned border may lie beside the traced one."""
_SPECK = 1.5
"""Square units: what is smaller is dust of the renderer's edges."""
_OVERLAP = 3
"""Units that an ink runs on below a darker one."""
_COVERED = 16
"""Of 255: see :func:`.plates.screens`; borders of the traced planes are soft, and what nearly covers is not traced."""
_STEPS = 5
"""Shapes of an ink with half-tones."""
_HALFTONES = 0.002
"""Share of the cloth from which on they are."""


def svg(design: Design, request: PrintRequest, recipe: Mapping[str, Any]) -> str:
    """One repeat, or a panel, as a document of true size with a group an ink."""
    finer = design.at(TRACED_PX)
    block = screens(finer, TRACED_PX, request.repeat if request.has_panel else "basic", _OVERLAP, covered=_COVERED)
    height, width = block[0].shape
    across, down = request.size_cm
    shown = tuple(side / request.scale_cm * TRACED_PX for side in (across, down))
    groups = "\n".join(_groups(block, design.palette))
    copies = [
        f'<use href="#repeat" x="{x:g}" y="{y:g}"/>'
        for y in np.arange(0, shown[1] - 1e-6, height)
        for x in np.arange(0, shown[0] - 1e-6, width)
    ]
    name = escape(title(design.name, request))
    packet = xmp(recipe).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:g}cm" height="{down:g}cm" '
        f'viewBox="0 0 {shown[0]:g} {shown[1]:g}">\n<title>{name}</title>\n<metadata>{_inner(packet)}</metadata>\n'
        f'<defs><g id="repeat">\n{groups}\n</g></defs>\n{"".join(copies)}\n</svg>\n'
    )


def _inner(packet: str) -> str:
    """The packet without its processing instructions, which only files of other kinds need."""
    return "\n".join(line for line in packet.splitlines() if not line.lstrip("\ufeff").startswith("<?"))


def _groups(block: Sequence[U8], palette: Sequence[str]) -> list[str]:
    """The inks from the lightest on, which lies below all others."""
    found = []
    for ink in reversed(from_dark(palette)):
        levels = np.arange(_STEPS) if has_halftones(block[ink]) else np.zeros(1, int)
        paths = []
        for level in levels:
            path = _path(rings(block[ink], 255 * (level + 0.5) / len(levels)))
            if path:
                shade = "" if len(levels) == 1 else f' fill-opacity="{1 / (len(levels) - level):.3g}"'
                paths.append(f'<path{shade} d="{path}"/>')
        role = ROLES[ink] if ink < len(ROLES) else f"ink-{ink + 1}"
        if paths:
            found.append(f'<g id="{role}" fill="{palette[ink]}" fill-rule="evenodd">{"".join(paths)}</g>')
    return found


def has_halftones(plane: U8) -> bool:
    """Whether a good part of the ink is neither full nor nothing, soft borders apart."""
    between = (plane > 255 * 0.15) & (plane < 255 * 0.85)
    inner = between.copy()
    for step in (-2, 2):
        for axis in (0, 1):
            inner &= np.roll(between, step, axis)
    return float(inner.mean()) > _HALFTONES


def rings(plane: U8, level: float = 127.5) -> list[F64]:
    """The closed borders of where a wrapping plane (H,W) is above ``level``, each (n,2) of x, y in pixels, thinned.

    What crosses an edge of the plane goes a few pixels on beyond it.
    """
    wrapped = np.pad(plane, _PAD, mode="wrap").astype(np.float32)
    traced = contourpy.contour_generator(z=wrapped, fill_type=contourpy.FillType.OuterOffset)
    found: list[F64] = []
    for outline, starts in zip(*traced.filled(level, 256.0), strict=True):
        for first, last in pairwise(starts):
            ring = np.asarray(outline[first : last - 1], np.float64) + (0.5 - _PAD)
            if len(ring) > 2 and abs(_area(ring)) >= _SPECK:
                found.append(thinned(ring))
    return found


def _area(ring: F64) -> float:
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def thinned(ring: F64, tolerance: float = _TOLERANCE) -> F64:
    """A closed ring with fewer points, none of the old ones farther than ``tolerance`` from the new line."""
    away = int(np.argmax(np.square(ring - ring[0]).sum(axis=1)))
    closed = np.concatenate([ring, ring[:1]])
    keep = np.zeros(len(closed), bool)
    keep[[0, away, len(ring)]] = True
    spans = [(0, away), (away, len(ring))]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        start, along = closed[first], closed[last] - closed[first]
        between = closed[first + 1 : last] - start
        length = float(np.hypot(*along))
        if length:
            distance = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length
        else:
            distance = np.hypot(between[:, 0], between[:, 1])
        farthest = int(distance.argmax())
        if distance[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return closed[:-1][keep[:-1]]


def _path(found: Sequence[F64]) -> str:
    """Path data in tenths of a unit, each ring by relative steps."""
    parts = []
    for ring in found:
        tenths = np.rint(ring * 10).astype(int)
        steps = np.diff(tenths, axis=0)
        steps = steps[steps.any(axis=1)]
        if len(steps) < 2:
            continue
        start = f"M{_tenth(tenths[0, 0])} {_tenth(tenths[0, 1])}"
        parts.append(start + "l" + " ".join(f"{_tenth(x)} {_tenth(y)}" for x, y in steps) + "z")
    return "".join(parts)


def _tenth(value: int) -> str:
    whole, rest = divmod(abs(int(value)), 10)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole or ('' if rest else 0)}{f'.{rest}' if rest else ''}"
