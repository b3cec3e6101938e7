"""Basic blocks that several designs are cut from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .body import Body
from .cloth import UPRIGHT, Grain, along
from .mesh import Edge, F, Panel, Place, mirrored


def line(*points: tuple[float, float]) -> F:
    """A polyline (n, 2)."""
    return np.asarray(points, dtype=np.float64)


def both(curve: F) -> F:
    """A curve that starts at the left and ends on the centre line, continued in the mirror."""
    return np.concatenate([curve, mirrored(curve)[::-1][1:]])


@dataclass(frozen=True)
class Top:
    """The viewer's left half of a top, in body centimetres; front and back differ in the neck only.

    neck_front, neck_back: from the shoulder to the other shoulder.  shoulder: tip to neck.  armhole: tip to underarm.
    side: underarm to hem.  hem: left to right.  sleeve_top: tip to cuff; cuff: top to under; sleeve_under: cuff to
    underarm.  drop: degrees by which the flat sleeve is lowered on the mannequin, viewer's left and right.
    """

    neck_front: F
    neck_back: F
    shoulder: F
    armhole: F
    side: F
    hem: F
    hem_back: F
    sleeve_top: F | None = None
    cuff: F | None = None
    sleeve_under: F | None = None
    drop: tuple[float, float] = (27.0, 25.0)
    pivot: tuple[float, float] = (18.0, 139.5)

    def panels(self, body: Body) -> list[Panel]:
        return [
            panel for layer in ("front", "back") for panel in self._layer(layer, self._place(body, layer == "front"))
        ]

    def grain(self, panel: str) -> Grain:
        """Straight down the body, and down the arm on the sleeves."""
        if "sleeve" not in panel or self.sleeve_top is None:
            return UPRIGHT
        turn = mirrored if panel.endswith("-r") else same
        top, armhole = turn(self.sleeve_top), turn(self.armhole)
        return along(top[0], top[-1], armhole[len(armhole) // 2])

    def _layer(self, layer: str, place: Place) -> list[Panel]:
        m = mirrored
        neck = self.neck_front if layer == "front" else self.neck_back
        hem = self.hem if layer == "front" else self.hem_back
        torso = Panel(
            f"{layer}-torso",
            (
                Edge(f"armhole-l-{layer}", self.armhole),
                Edge("side-l", self.side),
                Edge(f"hem-{layer}", hem),
                Edge("side-r", m(self.side)[::-1], True),
                Edge(f"armhole-r-{layer}", m(self.armhole)[::-1], True),
                Edge("shoulder-r", m(self.shoulder)),
                Edge(f"neck-{layer}", neck[::-1], True),
                Edge("shoulder-l", self.shoulder[::-1], True),
            ),
            place,
        )
        if self.sleeve_top is None or self.cuff is None or self.sleeve_under is None:
            return [torso]
        sleeves = [
            Panel(
                f"{layer}-sleeve-{side}",
                (
                    Edge(f"sleeve-top-{side}", turn(self.sleeve_top)),
                    Edge(f"cuff-{side}-{layer}", turn(self.cuff)),
                    Edge(f"sleeve-under-{side}", turn(self.sleeve_under)),
                    Edge(f"armhole-{side}-{layer}", turn(self.armhole)[::-1], True),
                ),
                place,
            )
            for side, turn in (("l", same), ("r", m))
        ]
        return [torso, *sleeves]

    def _sleeve(self, uv: F) -> F:
        """1 on the sleeves and what they are sewn to, 0 on the sides of the body below them, however wide."""
        under = self.armhole[-1]
        below = np.clip((under[1] - uv[:, 1]) / 10.0, 0.0, 1.0)
        beyond = np.abs(uv[:, 0]) > abs(under[0]) + 0.5 * (under[1] - uv[:, 1]) + 0.5
        return np.where(beyond & (self.sleeve_top is not None), 1.0, 1.0 - below)

    def _place(self, body: Body, front: bool) -> Place:
        def place(uv: F) -> F:
            flat = uv + (lower(uv, self.pivot, self.drop) - uv) * self._sleeve(uv)[:, None]
            return np.column_stack([flat, body.surface(flat, front)])

        return place


def same(curve: F) -> F:
    """The curve itself: what ``mirrored`` is to the other side."""
    return curve


def lower(uv: F, pivot: tuple[float, float], drop: tuple[float, float]) -> F:
    """Turn the sleeves of a flat top down about the shoulders."""
    out = uv.copy()
    reach = np.clip((np.abs(uv[:, 0]) - pivot[0] - 2.5) / 7.0, 0.0, 1.0)
    reach = reach * reach * (3 - 2 * reach)
    for side, degrees in ((-1.0, drop[0]), (1.0, drop[1])):
        rows = uv[:, 0] * side > 0
        turn = np.deg2rad(degrees) * reach[rows] * side
        d = uv[rows] - np.array([side * pivot[0], pivot[1]])
        out[rows, 0] = side * pivot[0] + d[:, 0] * np.cos(turn) + d[:, 1] * np.sin(turn)
        out[rows, 1] = pivot[1] - d[:, 0] * np.sin(turn) + d[:, 1] * np.cos(turn)
    return out


@dataclass(frozen=True)
class Flare:
    """A flared skirt half: a sector of a ring; ``spread`` is its angle in radians, centred below the ring's middle."""

    waist: float
    length: float
    spread: float
    top: float

    @property
    def radius(self) -> float:
        return self.waist / self.spread

    def arc(self, radius: float, count: int = 80) -> F:
        turn = np.linspace(-self.spread / 2, self.spread / 2, count)
        return np.column_stack([radius * np.sin(turn), self.radius + self.top - radius * np.cos(turn)])

    def panel(self, layer: str, names: tuple[str, str, str, str], place: Place) -> Panel:
        """``names``: waist, left side, hem, right side."""
        outer = self.radius + self.length
        waist, hem = self.arc(self.radius), self.arc(outer)
        left = np.stack([waist[0], hem[0]])
        right = np.stack([hem[-1], waist[-1]])
        edges = (
            Edge(names[1], left),
            Edge(names[2], hem),
            Edge(names[3], right, True),
            Edge(names[0], waist[::-1], True),
        )
        return Panel(f"{layer}-skirt", edges, place)

    def cone(self, size: tuple[float, float], front: bool, waves: Callable[[F], F]) -> Place:
        """Stand the sector up as half a cone round a waist of half width and half depth ``size``."""

        def place(uv: F) -> F:
            d = uv - np.array([0.0, self.radius + self.top])
            r = np.linalg.norm(d, axis=1) - self.radius
            turn = np.arctan2(d[:, 0], -d[:, 1]) / self.spread * np.pi
            slope = 2 * self.spread / (2 * np.pi)
            out = r * slope * (1 + waves(turn + (0.0 if front else np.pi)) * np.clip(r / self.length, 0, 1))
            x = np.sin(turn) * (size[0] + out)
            z = np.cos(turn) * (size[1] + out) * (1 if front else -1)
            return np.column_stack([x, self.top - r * np.sqrt(1 - min(slope, 0.95) ** 2), z])

        return place
