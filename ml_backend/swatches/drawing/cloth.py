"""The torus that swatches are drawn on: ink planes, windows into them, exact band filters.

Coordinates are tile units: the tile is the unit square, x to the right, y down, and wraps around at every edge.  A
shape is a signed distance in tile units, negative inside; painting turns it into coverage with a ramp one pixel wide,
so an edge is as sharp as the grid allows at any size.  Nothing here depends on the size but the width of that ramp.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...lattices import BASIC, Lattice

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Floats = NDArray[np.floating]
Labels = NDArray[np.intp]

_BAND_PIXELS = 1 << 17  # a strip of this many pixels stays in the processor's cache


class Cloth:
    """``planes`` float32 (K, size, size): the coverage of every ink; starts as bare ground (ink 0).

    ``fine`` is how many drawn pixels a side become one pixel of the result, so that sampling can be sparser where
    pixels are averaged later anyway.  ``origin`` is the point of the design where the tile's upper left corner lies:
    where the repeat is cut; (0, 0) on a mirrored ``lattice``, which ends at its mirrors.
    """

    def __init__(
        self,
        size: int,
        inks: int,
        fine: int = 1,
        origin: tuple[float, float] = (0.0, 0.0),
        lattice: Lattice = BASIC,
    ) -> None:
        self.size = size
        self.origin = origin
        self.lattice = lattice
        self.followed = lattice.plain
        self.inks = inks
        self.px = 1.0 / size
        self.samples = max(1, 4 // fine)
        self.planes: F32 = np.zeros((inks, size, size), np.float32)
        self.planes[0] = 1.0

    def ink(self, role: int) -> int:
        return ink_of(role, self.inks)

    def follow(self) -> Lattice:
        """The lattice, for a design that keeps to it in all that it draws.

        A design that never asks is laid on the tile's own grid, and is fitted to the lattice as a whole.
        """
        self.followed = True
        return self.lattice

    def strips(self) -> Iterator[Patch]:
        """The whole tile, as horizontal strips; x and y are the design's own, from ``origin`` to ``origin`` + 1."""
        rows = max(1, _BAND_PIXELS // self.size)
        centres = (np.arange(self.size) + 0.5) * self.px
        if self.lattice.mirrored:
            centres = self.lattice.fold(centres, centres)[0]
        xs, ys = (centres + self.origin[0]).astype(np.float32), (centres + self.origin[1]).astype(np.float32)
        for top in range(0, self.size, rows):
            part = ys[top : top + rows]
            yield Patch(self, self.planes[:, top : top + len(part)], xs[None, :], part[:, None])

    def window(self, x: float, y: float, radius: float) -> Iterator[Patch]:
        """The square of half-side ``radius`` about (x, y), cut where it crosses the tile's edges.

        In the patches x and y are measured from the window's centre, so a motif drawn patch by patch is whole on the
        torus however often it wraps.  On other lattices it is whole in each of its copies, reflected where they are.
        """
        if not self.lattice.plain:
            yield from self._copies(x, y, radius)
            return
        x, y = x - self.origin[0], y - self.origin[1]
        for left, right in _wrapped(x, radius, self.size):
            for top, bottom in _wrapped(y, radius, self.size):
                columns = slice(left % self.size, left % self.size + right - left)
                rows = slice(top % self.size, top % self.size + bottom - top)
                xs = ((np.arange(left, right) + 0.5) * self.px - x).astype(np.float32)
                ys = ((np.arange(top, bottom) + 0.5) * self.px - y).astype(np.float32)
                yield Patch(self, self.planes[:, rows, columns], xs[None, :], ys[:, None])

    def _copies(self, x: float, y: float, radius: float) -> Iterator[Patch]:
        at_x, at_y = np.asarray(x), np.asarray(y)
        beyond = max(0.0, -x, x - float(self.lattice.width), -y, y - float(self.lattice.height))
        for copy in self.lattice.around(radius + beyond + max(self.origin)):
            centre_x, centre_y = (float(at) for at in self.lattice.unfold(at_x, at_y, copy))
            centre_x, centre_y = centre_x - self.origin[0], centre_y - self.origin[1]
            columns, rows = _inside(centre_x, radius, self.size), _inside(centre_y, radius, self.size)
            if not columns or not rows:
                continue
            xs = ((np.arange(columns.start, columns.stop) + 0.5) * self.px - centre_x).astype(np.float32)
            ys = ((np.arange(rows.start, rows.stop) + 0.5) * self.px - centre_y).astype(np.float32)
            planes = self.planes[:, rows.start : rows.stop, columns.start : columns.stop]
            yield Patch(self, planes, (-xs if copy.flip_x else xs)[None, :], (-ys if copy.flip_y else ys)[:, None])


def _inside(centre: float, radius: float, size: int) -> range:
    """The pixels of the tile that centre +- radius covers."""
    return range(max(0, math.floor((centre - radius) * size) - 1), min(size, math.ceil((centre + radius) * size) + 1))


def ink_of(role: int, inks: int) -> int:
    """The ink of a role; roles beyond the last ink share the inks that there are, never the ground."""
    return role if role < inks else 1 + (role - 1) % (inks - 1)


def _wrapped(centre: float, radius: float, size: int) -> Iterator[tuple[int, int]]:
    """Pixel ranges [from, to) that cover centre +- radius, split at multiples of ``size``."""
    start = math.floor((centre - radius) * size) - 1
    stop = math.ceil((centre + radius) * size) + 1
    while start < stop:
        end = min(stop, (start // size + 1) * size)
        yield start, end
        start = end


@dataclass
class Patch:
    """A rectangle of the cloth: a view of its planes, x (1, w) and y (h, 1) float32 in tile units."""

    cloth: Cloth
    planes: F32
    x: F32
    y: F32

    def turned(self, angle: float, scale: float = 1.0) -> tuple[F32, F32]:
        """Coordinates of a frame turned by ``angle`` (radians) and magnified by ``scale``: arrays (h, w)."""
        cos, sin = np.float32(math.cos(angle) / scale), np.float32(math.sin(angle) / scale)
        return self.x * cos + self.y * sin, self.y * cos - self.x * sin

    def cover(self, role: int, alpha: Floats) -> None:
        """Print ``role`` over what is there with coverage ``alpha`` (0..1), broadcast to the patch."""
        alpha = np.asarray(alpha, np.float32)
        if not alpha.any():
            return
        self.planes *= 1 - alpha
        self.planes[self.cloth.ink(role)] += alpha

    def paint(self, role: int, distance: Floats, strength: float | Floats = 1.0) -> None:
        """Fill the inside of a signed distance, with an edge one pixel wide."""
        self.cover(role, ramp(distance, self.cloth.px) * strength)

    def line(self, role: int, distance: Floats, width: float, strength: float = 1.0) -> None:
        """Stroke the zero line of a signed distance; a line thinner than a pixel fades instead of breaking up."""
        self.paint(role, np.abs(distance) - width / 2, strength)

    def level(self, role: int, field: Floats, strength: float | Floats = 1.0) -> None:
        """Fill where any smooth ``field`` (h, w) is negative; its slope is measured, so it need not be a distance."""
        self.paint(role, self.as_distance(field), strength)

    def as_distance(self, field: Floats) -> Floats:
        """``field`` over its own slope: near the zero line, the distance in tile units."""
        if min(field.shape) < 2:
            return field
        down, across = np.gradient(field)
        away: Floats = field * np.float32(self.cloth.px) / np.maximum(np.hypot(down, across), 1e-6)
        return away

    def bands(self, bands: Bands, phase: Floats, slope: float | Floats, strength: float | Floats = 1.0) -> None:
        """Lay coloured bands along ``phase`` (period 1), filtered exactly over a pixel; ``slope`` is |grad phase|."""
        shares = bands.shares(phase, np.asarray(slope) * self.cloth.px)
        strength = np.asarray(strength, np.float32)
        self.planes *= 1 - strength
        for role, share in shares.items():
            self.planes[self.cloth.ink(role)] += share * strength

    def sampled(self, roles: Callable[[F32, F32], Labels]) -> None:
        """Replace the patch by a partition: ``roles(x, y)`` names the role at a point, pixels average many points."""
        side = self.cloth.samples
        offsets = ((np.arange(side) + 0.5) / side - 0.5) * self.cloth.px
        self.planes[...] = 0
        for dy in offsets:
            for dx in offsets:
                found = roles(self.x + np.float32(dx), self.y + np.float32(dy))
                for role in np.unique(found):
                    self.planes[self.cloth.ink(int(role))] += np.equal(found, role)
        self.planes /= side * side


def ramp(distance: Floats, px: float) -> F32:
    """Coverage of a pixel of side ``px`` whose centre is ``distance`` outside an edge."""
    coverage: F32 = np.clip(np.float32(0.5) - np.asarray(distance, np.float32) / np.float32(px), 0, 1)
    return coverage


@dataclass(frozen=True)
class Bands:
    """A cyclic sequence of (width, role); widths are scaled to sum to 1."""

    widths: tuple[float, ...]
    roles: tuple[int, ...]

    @classmethod
    def of(cls, *parts: tuple[float, int]) -> Bands:
        total = sum(width for width, _ in parts)
        return cls(tuple(width / total for width, _ in parts), tuple(role for _, role in parts))

    @classmethod
    def even(cls, roles: Sequence[int]) -> Bands:
        return cls.of(*((1.0, role) for role in roles))

    def mirrored(self) -> Bands:
        """The sett and its reflection, pivoting on the first and last band as a tartan does."""
        inner = list(zip(self.widths, self.roles, strict=True))
        return Bands.of(*inner, *reversed(inner[1:-1]))

    def shares(self, phase: Floats, width: float | Floats) -> dict[int, F32]:
        """Of every role, its share of the interval phase +- width / 2: exact at any resolution, summing to 1."""
        edges = np.concatenate([[0.0], np.cumsum(self.widths)])
        edges[-1] = 1.0
        width = np.maximum(np.asarray(width, np.float64), 1e-9)
        low = np.asarray(phase, np.float64) - width / 2
        high = low + width
        turns_low, turns_high = np.floor(low), np.floor(high)
        shares: dict[int, F32] = {}
        for role in dict.fromkeys(self.roles):
            lengths = np.array([w if r == role else 0.0 for w, r in zip(self.widths, self.roles, strict=True)])
            summed = np.concatenate([[0.0], np.cumsum(lengths)])
            inside = np.interp(high - turns_high, edges, summed) - np.interp(low - turns_low, edges, summed)
            inside += (turns_high - turns_low) * summed[-1]
            shares[role] = (inside / width).astype(np.float32)
        return shares
