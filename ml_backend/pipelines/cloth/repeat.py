"""Find the repeat of a cloth: two steps across it after which it looks the same again.

A cloth that repeats is like itself when shifted by its repeat, so its autocorrelation has peaks on a lattice (Lin et
al. 1997, "Extracting periodicity of a regular texture based on autocorrelation functions").  Each shift is compared by
what overlaps, so that a long step counts as much as a short one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

from ...colour import lab

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Step = tuple[float, float]
Kind = Literal["repeat", "stripes", "none"]

WORKING_SIDE = 384
"""Pixels of the longer side at which a repeat is looked for."""
REACH = 0.62
"""Share of the picture that a step may be long: each repeat must be seen about one and a half times."""
LEAST_STEP = 7.0
_THREADS = 1.7
"""Pixels over which the picture is smoothed: threads repeat too, and are not what is meant."""
LEAST_LIKENESS = 0.3
"""Autocorrelation below which a cloth is taken for one without a repeat."""
_BETTER = 0.05
"""How much more alike a multiple of a step must be for the step to be a part of the repeat only."""
_NEARLY = 0.72
"""Share of the best likeness that a shorter step needs."""
_LEAST_KEPT = 0.6
"""Share of a step's likeness that its multiples need; cloth that is not flat loses some of it on the way."""
_SURE = 0.75


@dataclass(frozen=True)
class Repeat:
    """Steps (x, y) in pixels of the picture: ``across`` is nearer to its x axis, ``down`` to its y axis.

    ``confidence`` 0..1.  ``kind``: both steps were found, or the one across stripes only (the other is as long), or
    none, and the steps are a square piece of the picture.
    """

    across: Step
    down: Step
    confidence: float
    kind: Kind

    @property
    def size(self) -> tuple[float, float]:
        return math.hypot(*self.across), math.hypot(*self.down)

    def scaled(self, factor: float) -> Repeat:
        (ax, ay), (bx, by) = self.across, self.down
        return Repeat((ax * factor, ay * factor), (bx * factor, by * factor), self.confidence, self.kind)


def find_repeat(rgb: F32) -> Repeat:
    """Of sRGB float32 (H, W, 3) in 0..255, evenly lit; the picture shows each repeat about one and a half times.

    Meant for pictures of about :data:`WORKING_SIDE`: larger ones tell no more and take long.
    """
    likeness = Likeness(_features(rgb))
    return _of_stripes(likeness) or _of_lattice(likeness) or a_piece(rgb)


def a_piece(rgb: F32) -> Repeat:
    """For a cloth without a repeat: a square of most of the picture."""
    side = 0.8 * min(rgb.shape[:2])
    return Repeat((side, 0.0), (0.0, side), 0.0, "none")


class Likeness:
    """How alike a picture is to itself when shifted: ``likeness(x, y)`` in -1..1, interpolated between pixels."""

    def __init__(self, planes: F32) -> None:
        """``planes`` float32 (C, H, W), each of mean 0."""
        self.height, self.width = planes.shape[1:]
        padded = (_quick(2 * self.height), _quick(2 * self.width))
        spectra = np.fft.rfft2(planes, padded)
        alike = np.fft.irfft2((np.abs(spectra) ** 2).sum(axis=0), padded)
        power = np.fft.rfft2(np.square(planes).sum(axis=0), padded)
        whole = np.fft.rfft2(np.ones(planes.shape[1:], np.float32), padded)
        one, other = (np.fft.irfft2(a * np.conj(b), padded) for a, b in ((power, whole), (whole, power)))
        scale = np.sqrt(np.maximum(one, 0) * np.maximum(other, 0))
        self.reach = int(REACH * self.height), int(REACH * self.width)
        rows, columns = (np.arange(-reach, reach + 1) for reach in self.reach)
        at = np.ix_(rows, columns)
        floor = 1e-3 * float(scale.max()) + 1e-9
        self.map: F32 = (alike[at] / np.maximum(scale[at], floor)).astype(np.float32)

    def at(self, step: Sequence[float] | F64) -> float:
        """Of one shift."""
        return float(self(np.array([step[0]]), np.array([step[1]]))[0])

    def __call__(self, x: F64, y: F64) -> F64:
        rows, columns = np.asarray(y) + self.reach[0], np.asarray(x) + self.reach[1]
        return np.asarray(map_coordinates(self.map, [rows, columns], order=1, mode="constant", cval=-1.0), np.float64)

    def holds(self, step: Step) -> bool:
        return abs(step[0]) <= self.reach[1] - 1 and abs(step[1]) <= self.reach[0] - 1

    def peaks(self, most: int = 60) -> list[Step]:
        """Shifts after which it is more alike than after any near them, the most alike first; one of each pair +-."""
        size = max(5, 2 * round(LEAST_STEP / 2) + 1)
        top = (maximum_filter(self.map, size) == self.map) & (self.map > 0)
        rows, columns = np.nonzero(top)
        steps = np.stack([columns - self.reach[1], rows - self.reach[0]], axis=1)
        kept = (np.hypot(*steps.T) >= LEAST_STEP) & ((steps[:, 0] > 0) | ((steps[:, 0] == 0) & (steps[:, 1] > 0)))
        inside = np.abs(steps) <= (self.reach[1] - 2, self.reach[0] - 2)
        steps = steps[kept & inside.all(axis=1)]
        order = np.argsort(-self(steps[:, 0].astype(float), steps[:, 1].astype(float)), kind="stable")[:most]
        return [(float(x), float(y)) for x, y in steps[order]]

    def refined(self, step: Step) -> Step:
        """The step measured on its farthest multiple that can be seen: there a small error shows most."""
        x, y = step
        for times in range(1, 9):
            wanted = x * times, y * times
            if not self.holds((wanted[0] + 3, wanted[1] + 3)) or not self.holds((wanted[0] - 3, wanted[1] - 3)):
                break
            top = self._top_near(wanted, 2.0 + 0.04 * math.hypot(*wanted))
            if self.at(top) < 0.5 * self.at((x, y)):
                break
            x, y = top[0] / times, top[1] / times
        return x, y

    def _top_near(self, step: Step, radius: float) -> Step:
        reach = np.arange(-radius, radius + 0.25, 0.5)
        dx, dy = np.meshgrid(reach, reach)
        values = self(step[0] + dx, step[1] + dy)
        weights = np.clip(values - (values.max() - 0.04), 0, None)
        total = float(weights.sum()) or 1.0
        return step[0] + float((weights * dx).sum()) / total, step[1] + float((weights * dy).sum()) / total


def _of_lattice(likeness: Likeness) -> Repeat | None:
    """The shortest two steps after which it is alike, and no more alike after twice or thrice as many."""
    tops = likeness.peaks()
    if not tops:
        return None
    best = likeness.at(tops[0])
    if best < LEAST_LIKENESS:
        return None
    whole = [step for step in tops if _is_whole(likeness, step) and likeness.at(step) >= _NEARLY * best]
    whole.sort(key=lambda step: math.hypot(*step))
    for i, first in enumerate(whole):
        for second in whole[:i]:
            if abs(_cross(first, second)) > 0.3 * math.hypot(*first) * math.hypot(*second):
                return _squared(likeness, likeness.refined(second), likeness.refined(first))
    return None


def _is_whole(likeness: Likeness, step: Step) -> bool:
    multiples = [(step[0] * n, step[1] * n) for n in (2, 3, 4)]
    return _goes_on(likeness.at(step), [likeness.at(each) for each in multiples if likeness.holds(each)])


def _goes_on(own: float, multiples: Sequence[float]) -> bool:
    """Whether after twice and thrice a step a cloth is about as alike as after one: more so, and the step is a part of
    the repeat; much less, and it only leads from one motif to its neighbour.
    """
    return all(_LEAST_KEPT * own <= each <= own + _BETTER for each in multiples)


def _squared(likeness: Likeness, a: Step, b: Step) -> Repeat:
    """The smallest steps of the lattice that stand nearly upright on each other: a half drop repeats after two."""
    counts = [(i, j) for i in range(-3, 4) for j in range(-3, 4) if (i, j) != (0, 0)]
    steps = np.array([(i * a[0] + j * b[0], i * a[1] + j * b[1]) for i, j in counts])
    cell = abs(_cross(a, b))
    best: tuple[float, Step, Step] | None = None
    for u in steps:
        if u[0] <= 0 or abs(u[1]) > u[0]:
            continue
        for v in steps:
            area = _cross(u, v)
            if area < 0.5 * cell or abs(v[0]) > abs(v[1]) or not likeness.holds((v[0], v[1])):
                continue
            upright = abs(float(u @ v)) / (float(np.hypot(*u)) * float(np.hypot(*v)))
            leaning = abs(u[1]) / u[0] + abs(v[0]) / abs(v[1])
            cost = area / cell * (1 + 25 * max(0.0, upright - 0.03) + 0.4 * leaning)
            cost *= 1 + 0.02 * (float(np.hypot(*u)) + float(np.hypot(*v))) / math.sqrt(cell)
            if best is None or cost < best[0]:
                best = cost, (float(u[0]), float(u[1])), (float(v[0]), float(v[1]))
    across, down = (best[1], best[2]) if best else (a, b)
    alike = np.mean([likeness.at(step) for step in (across, down) if likeness.holds(step)])
    return Repeat(across, down, _confidence(float(alike)), "repeat")


def _of_stripes(likeness: Likeness) -> Repeat | None:
    """Where it stays alike all along one direction, only the step across it means anything."""
    far = 0.8 * min(likeness.reach)
    along = np.arange(LEAST_STEP, far)
    angles = np.linspace(0, math.pi, 181)[:-1]
    least = [float(np.quantile(likeness(along * math.cos(t), along * math.sin(t)), 0.1)) for t in angles]
    turn = float(angles[int(np.argmax(least))])
    if max(least) < 0.5:
        return None
    normal = (-math.sin(turn), math.cos(turn))
    reach = [
        r for r in np.arange(0.0, math.hypot(*likeness.reach), 0.5) if likeness.holds((r * normal[0], r * normal[1]))
    ]
    profile = likeness(*(np.array(reach) * part for part in normal))
    step = _first_whole(reach, profile, max(least))
    if step is None:
        return None
    x, y = likeness.refined((step * normal[0], step * normal[1]))
    x, y = _along(x, y, normal)
    across, down = ((x, y), (-y, x)) if abs(x) >= abs(y) else ((y, -x), (x, y))
    if across[0] < 0:
        across = -across[0], -across[1]
    if down[1] < 0:
        down = -down[0], -down[1]
    return Repeat(across, down, _confidence(likeness.at((x, y))), "stripes")


def _along(x: float, y: float, normal: Step) -> Step:
    """Only what of a step crosses the stripes."""
    length = x * normal[0] + y * normal[1]
    return length * normal[0], length * normal[1]


def _first_whole(reach: Sequence[float], profile: F64, along: float) -> float | None:
    """The first peak of a profile that no multiple beats and that is nearly as alike as along the stripes."""
    best = max((float(value) for r, value in zip(reach, profile, strict=True) if r >= LEAST_STEP), default=0.0)
    for i in range(1, len(profile) - 1):
        r, value = reach[i], float(profile[i])
        if (
            r < LEAST_STEP
            or value < max(0.3 * along, min(_NEARLY * best, 0.6))
            or value < profile[i - 1]
            or value < profile[i + 1]
        ):
            continue
        multiples = [float(np.interp(r * n, reach, profile)) for n in (2, 3, 4) if r * n <= reach[-1]]
        if _goes_on(value, multiples) and float(profile[:i].min()) < value - 0.1:
            return float(r)
    return None


def _cross(a: Sequence[float] | F64, b: Sequence[float] | F64) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _confidence(alike: float) -> float:
    return float(np.clip((alike - LEAST_LIKENESS) / (_SURE - LEAST_LIKENESS), 0.0, 1.0))


def _features(rgb: F32) -> F32:
    """CIELAB without slow changes, float32 (3, H, W); colour counts more than lightness, which light spoils."""
    planes = np.moveaxis(gaussian_filter(lab(rgb), (_THREADS, _THREADS, 0)), 2, 0)
    slow = np.stack([gaussian_filter(plane, 0.25 * min(plane.shape), mode="nearest") for plane in planes])
    weighed: F32 = (planes - slow) * np.array([1.0, 1.4, 1.4], np.float32)[:, None, None]
    return np.asarray(weighed - weighed.mean(axis=(1, 2), keepdims=True), np.float32)


def _quick(side: int) -> int:
    """The next side whose transform is quick."""
    return int(next_fast_len(side, real=True))
