"""The invisible mannequin: a signed distance field, in centimetres, that cloth rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

F = NDArray[np.float64]
Cone = tuple[tuple[float, float, float], tuple[float, float, float], float, float]

# Height (cm above the floor), half width, half depth, depth of the centre; a dress form of size 38.
TORSO = (
    (151.0, 5.6, 5.4, -1.6),
    (147.5, 6.6, 5.6, -1.8),
    (145.2, 9.6, 5.4, -2.0),
    (142.6, 14.0, 6.0, -1.8),
    (139.5, 16.0, 7.0, -1.4),
    (134.0, 15.6, 8.2, -0.8),
    (129.0, 14.8, 9.4, 0.1),
    (124.0, 14.2, 9.8, 0.6),
    (118.0, 13.2, 9.2, 0.3),
    (107.0, 11.8, 8.2, 0.0),
    (98.0, 14.2, 9.4, -0.2),
    (88.0, 16.4, 10.6, -0.6),
    (80.0, 16.4, 10.2, -0.6),
    (74.0, 15.4, 8.6, -0.4),
)


@dataclass(frozen=True)
class Pose:
    """Angles from the vertical, in degrees, of the arms (viewer's left, right) and legs."""

    left_arm: float = 20.0
    right_arm: float = 23.0
    elbow: float = 10.0
    stance: float = 7.5
    arm_length: float = 54.0


class Body:
    """A voxel distance field (negative inside) over a box; ``distance`` looks it up with its gradient."""

    def __init__(self, pose: Pose, *, legs: bool = True, arms: bool = True, cell: float = 0.8) -> None:
        self.low = np.array([-72.0, -4.0, -24.0])
        self.cell = cell
        counts = np.ceil((np.array([72.0, 156.0, 24.0]) - self.low) / cell).astype(int)
        axes = [self.low[k] + np.arange(counts[k]) * cell for k in range(3)]
        solid = _torso(axes)
        limbs = (_arms(pose) if arms else []) + (_legs(pose) if legs else [])
        for cone in limbs:
            solid = np.maximum(solid, _cone(axes, cone))
        full = solid > 0
        distance = distance_transform_edt(~full) - distance_transform_edt(full)
        self.field = gaussian_filter(distance * cell, 1.1 / cell)
        self.slopes = [np.gradient(self.field, cell, axis=k) for k in range(3)]
        front = np.where(full, axes[2][None, None], -np.inf).max(axis=2)
        back = np.where(full, axes[2][None, None], np.inf).min(axis=2)
        self._front = _spread(front, cell)
        self._back = -_spread(-back, cell)

    def distance(self, x: F) -> tuple[F, F]:
        """Distance (n,) and unit outward direction (n, 3) at points (n, 3)."""
        at = ((x - self.low) / self.cell).T
        value = map_coordinates(self.field, at, order=1, mode="nearest")
        slope = np.stack([map_coordinates(s, at, order=1, mode="nearest") for s in self.slopes], axis=1)
        return value, slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)

    def surface(self, xy: F, front: bool) -> F:
        """Depth z (n,) just outside the body in front of or behind the points (n, 2) of the picture plane."""
        at = ((xy - self.low[:2]) / self.cell).T
        return np.asarray(map_coordinates(self._front if front else self._back, at, order=1, mode="nearest"))


def _spread(depth: F, cell: float) -> F:
    """Fill columns that miss the body with depth 0 and let the rest fall off softly; never below the body."""
    known = np.isfinite(depth)
    base = np.where(known, depth + 1.0, 0.0)
    return np.asarray(gaussian_filter(base, 0.8 / cell))


def _torso(axes: list[F]) -> F:
    table = np.array(TORSO[::-1])
    y = axes[1]
    width, depth, centre = (np.interp(y, table[:, 0], table[:, k])[None, :, None] for k in (1, 2, 3))
    x, z = axes[0][:, None, None], axes[2][None, None, :]
    radius = (np.abs(x) / width) ** 2.2 + (np.abs(z - centre) / depth) ** 2.2
    within = (y >= table[0, 0]) & (y <= table[-1, 0])
    return np.where(within[None, :, None], 1.0 - radius, -1.0)


def _cone(axes: list[F], cone: Cone) -> F:
    a, b = np.array(cone[0]), np.array(cone[1])
    x = axes[0][:, None, None] - a[0], axes[1][None, :, None] - a[1], axes[2][None, None, :] - a[2]
    d = b - a
    t = np.clip((x[0] * d[0] + x[1] * d[1] + x[2] * d[2]) / (d @ d), 0.0, 1.0)
    gap = (x[0] - t * d[0]) ** 2 + (x[1] - t * d[1]) ** 2 + (x[2] - t * d[2]) ** 2
    return np.asarray((cone[2] + (cone[3] - cone[2]) * t) ** 2 - gap)


def _arms(pose: Pose) -> list[Cone]:
    cones: list[Cone] = []
    for side, angle in ((-1.0, pose.left_arm), (1.0, pose.right_arm)):
        shoulder = np.array([side * 15.6, 137.2, -1.4])
        elbow = shoulder + _down(side, angle) * 0.53 * pose.arm_length
        wrist = elbow + (_down(side, angle - pose.elbow) + np.array([0.0, 0.0, 0.04])) * 0.47 * pose.arm_length
        cones.append((_triple(shoulder), _triple(elbow), 4.8, 4.1))
        cones.append((_triple(elbow), _triple(wrist), 4.1, 2.5))
        hand = wrist + (wrist - elbow) / np.linalg.norm(wrist - elbow) * 9.0
        cones.append((_triple(wrist), _triple(hand), 2.5, 3.0))
    return cones


def _legs(pose: Pose) -> list[Cone]:
    cones: list[Cone] = []
    for side in (-1.0, 1.0):
        hip = np.array([side * 8.8, 80.0, -0.4])
        knee = hip + _down(side, pose.stance * 0.6) * 34.0 + [0.0, 0.0, 0.8]
        ankle = knee + _down(side, pose.stance * 0.5) * 40.0 + [0.0, 0.0, -1.6]
        cones.append((_triple(hip), _triple(knee), 8.6, 6.0))
        cones.append((_triple(knee), _triple(ankle), 6.0, 3.8))
    return cones


def _down(side: float, angle: float) -> F:
    turn = np.deg2rad(angle)
    return np.array([side * np.sin(turn), -np.cos(turn), 0.0])


def _triple(point: F) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
