"""What the needle leaves on the cloth: seams, topstitching, ribs, hems, pockets, buttons.

Trims live in pattern space (centimetres on the flat panel).  Each adds relief, tint or takes pixels out of the
fabric; the picture turns relief into light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from .cloth import Grain
from .mesh import F, inside, resample

B = NDArray[np.bool_]


@dataclass
class Surface:
    """The visible cloth, one row a fragment.

    uv (n, 2) cm; panel (n,) index; names of panels; inner (n,) true where the wrong side shows; relief (n,) cm;
    tint (n, 3) factor of the albedo; shade (n,) factor of the light; fabric (n,) share that is the fabric; piece (n,)
    number of the piece of cloth: a panel's face, or a patch laid on it.  ``cut``: the names of patches by their
    numbers; ``cloth`` (n, 2): where on the cloth they lie, NaN for what lies as its panel does.
    """

    uv: F
    panel: NDArray[np.int64]
    names: tuple[str, ...]
    inner: B
    relief: F = field(init=False)
    tint: F = field(init=False)
    shade: F = field(init=False)
    fabric: F = field(init=False)
    piece: NDArray[np.int64] = field(init=False)
    cut: dict[int, str] = field(init=False, default_factory=dict)
    cloth: F = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.uv)
        self.relief, self.shade, self.fabric = np.zeros(n), np.ones(n), np.ones(n)
        self.tint, self.cloth = np.ones((n, 3)), np.full((n, 2), np.nan)
        self.piece = self.panel * 2 + self.inner

    def on(self, panels: Sequence[str], inner: bool = False) -> NDArray[np.intp]:
        """Fragments of panels whose name starts with one of ``panels``."""
        chosen = np.array([any(name.startswith(p) for p in panels) for name in self.names])
        return np.flatnonzero(chosen[self.panel] & (self.inner == inner))

    def lay_on(self, rows: NDArray[np.intp], name: str, cloth: F) -> None:
        """These fragments are another piece of cloth, and lie there (n, 2) on it."""
        number = 1000 + len(self.cut)
        self.piece[rows], self.cloth[rows], self.cut[number] = number, cloth, name


class Trim(Protocol):
    """Something sewn on."""

    def apply(self, surface: Surface) -> None: ...


def smoothstep(low: float, high: float, x: F) -> F:
    """0 below ``low``, 1 above ``high``, smooth between; also for low > high."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))


def noise(points: F, scale: tuple[float, float], seed: int) -> F:
    """Smooth noise (n,), about -1 to 1, of points (n, 2) with features of about ``scale`` cm."""
    fine = _noise_grid(seed)
    at = np.stack([points[:, 1] * (FINE / scale[1]), points[:, 0] * (FINE / scale[0])])
    return np.asarray(map_coordinates(fine, at, order=1, mode="grid-wrap", output=np.float64))


FINE = 8
"""Samples of the stored noise per feature: linear look-ups in a finely interpolated grid are fast and smooth enough."""


@cache
def _noise_grid(seed: int) -> NDArray[np.float32]:
    """Periodic smooth noise (1024, 1024) with features of ``FINE`` samples."""
    coarse = np.random.default_rng(seed).normal(0, 0.62, (128, 128))
    steps = np.arange(128 * FINE) / FINE
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"))
    return np.asarray(map_coordinates(coarse, grid, order=3, mode="grid-wrap"), dtype=np.float32)


def near(points: F, curve: F, reach: float) -> tuple[NDArray[np.intp], F, F]:
    """Which points lie within ``reach`` cm of a polyline, how far from it, and how far along it."""
    low, high = curve.min(0) - reach, curve.max(0) + reach
    rows = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    length = float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())
    count = max(8, int(length / 0.04))
    dense = resample(curve, count)
    distance, index = cKDTree(dense).query(points[rows], distance_upper_bound=reach)
    hit = np.isfinite(distance)
    offset = ((points[rows[hit]] - dense[index[hit]]) * _tangent(dense)[index[hit]]).sum(axis=1)
    across = np.sqrt(np.maximum(distance[hit] ** 2 - offset**2, 0.0))
    across = np.where(np.abs(offset) > 0.1, distance[hit], across)
    return rows[hit], across, index[hit] * (length / count) + offset


def _tangent(curve: F) -> F:
    d = np.gradient(curve, axis=0)
    return np.asarray(d / np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-9))


@dataclass(frozen=True)
class Seam:
    """Two pieces joined: a groove, the allowance beneath, and a little pucker."""

    panels: tuple[str, ...]
    curve: F
    depth: float = 0.035
    pucker: float = 0.012
    inner: bool = False

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels, self.inner)
        hit, d, along = near(surface.uv[rows], self.curve, 2.4)
        rows = rows[hit]
        groove = np.exp(-((d / 0.075) ** 2))
        ridge = np.exp(-(((d - 0.28) / 0.22) ** 2))
        waves = noise(np.stack([along, d * 0.3], 1), (0.55, 1.0), 11) + noise(
            np.stack([along, d * 0.3], 1), (1.7, 2.0), 12
        )
        surface.relief[rows] += ridge * self.depth * 0.5 - groove * self.depth + waves * self.pucker * np.exp(-d / 0.8)
        surface.shade[rows] *= 1 - 0.30 * groove


@dataclass(frozen=True)
class Topstitch:
    """A line of stitches at ``offset`` cm to either side of a curve."""

    panels: tuple[str, ...]
    curve: F
    offset: float = 0.0
    pitch: float = 0.30
    dark: float = 0.13
    within: F | None = None

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels)
        if self.within is not None:
            rows = rows[inside(surface.uv[rows], self.within)]
        hit, d, along = near(surface.uv[rows], self.curve, self.offset + 1.4)
        rows = rows[hit]
        gap = np.abs(d - self.offset)
        line = np.exp(-((gap / 0.055) ** 2))
        dash = smoothstep(-0.25, 0.25, np.cos(2 * np.pi * along / self.pitch) + 0.35)
        waves = noise(np.stack([along, d * 0.2], 1), (0.7, 1.5), 21)
        sink = np.exp(-((gap / 0.16) ** 2))
        surface.relief[rows] += 0.016 * line * dash - 0.020 * sink + 0.010 * waves * np.exp(-((gap / 0.5) ** 2))
        surface.shade[rows] *= 1 - self.dark * line * (1 - 0.75 * dash)


@dataclass(frozen=True)
class Gathers:
    """Fullness drawn up on a thread: fine folds that run away from a seam and die out over ``reach`` cm."""

    panels: tuple[str, ...]
    curve: F
    reach: float = 8.0
    height: float = 0.12
    pitch: float = 1.0

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels)
        hit, d, along = near(surface.uv[rows], self.curve, self.reach)
        rows = rows[hit]
        at = np.stack([along, d * 0.12], axis=1)
        folds = noise(at, (self.pitch, 1.0), 51) + 0.5 * noise(at, (self.pitch * 0.5, 0.6), 52)
        fade = smoothstep(self.reach, 0.0, d) ** 1.5 * smoothstep(-0.1, 0.5, d)
        surface.relief[rows] += self.height * folds * fade
        surface.shade[rows] *= 1 + 0.10 * np.clip(folds, -1, 0.3) * fade


@dataclass(frozen=True)
class Hem:
    """A folded border ``width`` cm deep along an open edge, stitched once or twice."""

    panels: tuple[str, ...]
    curve: F
    width: float = 2.2
    double: bool = False
    roll: float = 0.05

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels)
        hit, d, along = near(surface.uv[rows], self.curve, self.width + 1.2)
        fold = rows[hit]
        step = smoothstep(self.width + 0.10, self.width - 0.10, d)
        edge = smoothstep(0.0, 0.22, d) - 1
        waves = noise(np.stack([along, d * 0.5], 1), (1.1, 1.6), 31) * smoothstep(self.width + 1.2, self.width * 0.6, d)
        surface.relief[fold] += 0.018 * step + self.roll * edge + 0.018 * waves
        for k in range(2 if self.double else 1):
            Topstitch(self.panels, self.curve, self.width - 0.15 - 0.55 * k, 0.28).apply(surface)


@dataclass(frozen=True)
class Rib:
    """Ribbing: fine cords at right angles to a border, from ``start`` to ``width`` cm away, ended by a seam."""

    panels: tuple[str, ...]
    curve: F
    width: float
    pitch: float = 0.34
    height: float = 0.030
    roll: float = 0.09
    inner: bool = False
    name: str = "rib"

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels, self.inner)
        hit, d, along = near(surface.uv[rows], self.curve, self.width + 0.9)
        rows = rows[hit]
        band = smoothstep(self.width, self.width - 0.08, d)
        cord = np.cos(2 * np.pi * along / self.pitch)
        groove = np.exp(-(((d - self.width) / 0.09) ** 2))
        edge = smoothstep(0.0, 0.30, d) - 1
        middle = along.max(initial=0.0) / 2
        within = d < self.width
        surface.lay_on(rows[within], self.name, np.stack([d[within], along[within] - middle], axis=1))
        surface.relief[rows] += band * (self.height * cord + 0.05) + self.roll * edge - 0.04 * groove
        surface.shade[rows] *= 1 - band * 0.10 * (0.5 - 0.5 * cord) - 0.28 * groove


@dataclass(frozen=True)
class Patch:
    """A second piece of cloth laid on and stitched round: pockets, plackets, yokes, waistbands, tabs.

    One with a ``grain`` of its own is cut apart from what lies beneath, and so is a ``band``, whose warp follows that
    curve; one without continues the pattern beneath.
    """

    panels: tuple[str, ...]
    outline: F
    thickness: float = 0.07
    stitch: float | None = 0.18
    soft: float = 0.06
    grain: Grain | None = None
    band: F | None = None
    name: str = "patch"

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels)
        ring = np.concatenate([self.outline, self.outline[:1]])
        hit, d, along = near(surface.uv[rows], ring, 1.6)
        within = np.zeros(len(rows), dtype=bool)
        box = ((surface.uv[rows] >= ring.min(0)) & (surface.uv[rows] <= ring.max(0))).all(axis=1)
        within[box] = inside(surface.uv[rows][box], self.outline)
        surface.relief[rows[within]] += self.thickness
        self._cut(surface, rows[within])
        rim = rows[hit]
        signed = np.where(within[hit], d, -d)
        step = smoothstep(-self.soft, self.soft, signed) - within[hit]
        surface.relief[rim] += self.thickness * step + 0.010 * noise(np.stack([along, d], 1), (0.9, 1.2), 41) * np.exp(
            -d
        )
        shadow = np.exp(-np.maximum(-signed, 0) / 0.16) * (signed < 0.03)
        surface.shade[rim] *= 1 - 0.30 * shadow
        if self.stitch is not None:
            line = np.exp(-(((signed - self.stitch) / 0.05) ** 2))
            dash = smoothstep(-0.25, 0.25, np.cos(2 * np.pi * along / 0.28) + 0.35)
            surface.relief[rim] += line * (0.014 * dash - 0.018)
            surface.shade[rim] *= 1 - 0.13 * line * (1 - 0.75 * dash)

    def _cut(self, surface: Surface, rows: NDArray[np.intp]) -> None:
        if self.band is not None:
            hit, across, along = near(surface.uv[rows], self.band, 40.0)
            length = float(np.linalg.norm(np.diff(self.band, axis=0), axis=1).sum())
            surface.lay_on(rows[hit], self.name, np.stack([across, along - length / 2], axis=1))
        elif self.grain is not None:
            surface.lay_on(rows, self.name, self.grain.lay(surface.uv[rows], from_behind=False))


@dataclass(frozen=True)
class Button:
    """A four-hole button; it is not fabric."""

    panels: tuple[str, ...]
    at: tuple[float, float]
    radius: float = 0.56
    tint: tuple[float, float, float] = (0.93, 0.90, 0.84)

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels)
        d = surface.uv[rows] - np.array(self.at)
        r = np.linalg.norm(d, axis=1)
        close = r < 3 * self.radius
        rows, d, r = rows[close], d[close], r[close]
        body = smoothstep(self.radius + 0.025, self.radius - 0.025, r)
        rim = np.exp(-(((r - self.radius * 0.80) / (self.radius * 0.16)) ** 2))
        holes = np.zeros(len(rows))
        for k in range(4):
            turn = np.pi / 4 + k * np.pi / 2
            centre = np.array([np.cos(turn), np.sin(turn)]) * self.radius * 0.30
            holes = np.maximum(holes, np.exp(-((np.linalg.norm(d - centre, axis=1) / (self.radius * 0.13)) ** 2)))
        cast = np.linalg.norm(d - np.array([0.10, -0.14]), axis=1)
        surface.shade[rows] *= 1 - 0.42 * smoothstep(self.radius + 0.30, self.radius - 0.10, cast) * (1 - body)
        surface.relief[rows] += body * (0.10 + 0.05 * rim - 0.05 * holes)
        surface.shade[rows] *= 1 - 0.62 * holes * body
        surface.tint[rows] *= 1 - body[:, None] * (1 - np.array(self.tint))
        surface.fabric[rows] *= 1 - body


@dataclass(frozen=True)
class Plain:
    """A part that is not the fabric (a label, a tape, a drawstring): a tint inside an outline, or the whole panel."""

    panels: tuple[str, ...]
    outline: F | None = None
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    relief: float = 0.05
    inner: bool = False

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels, self.inner)
        if self.outline is not None:
            rows = rows[inside(surface.uv[rows], self.outline)]
        surface.relief[rows] += self.relief
        surface.tint[rows] *= np.array(self.tint)
        surface.fabric[rows] = 0.0


@dataclass(frozen=True)
class Crease:
    """A pressed crease or a dart: a sharp ridge (positive height) or valley along a curve."""

    panels: tuple[str, ...]
    curve: F
    height: float = 0.05
    width: float = 0.5

    def apply(self, surface: Surface) -> None:
        rows = surface.on(self.panels)
        hit, d, along = near(surface.uv[rows], self.curve, 4 * self.width)
        length = float(np.linalg.norm(np.diff(self.curve, axis=0), axis=1).sum())
        fade = smoothstep(-0.1, 0.12 * length, along) * smoothstep(length + 0.1, 0.8 * length, along)
        surface.relief[rows[hit]] += self.height * np.exp(-d / self.width) * fade
