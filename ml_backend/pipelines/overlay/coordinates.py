"""Where each point of worn cloth lies on the flat fabric, in centimetres: the Jacobian of the surface, integrated.

The steps from each node of a grid to its neighbours are known from the Jacobian; the coordinates whose steps come
closest to them, in the sense of least squares, solve a sparse system, as in surface from gradients (Frankot and
Chellappa 1988) and seamless cloning (Perez et al. 2003).  It is cut where the garment changes and loosened where the
surface turns abruptly, as between an arm and the chest behind it: there the fabric may jump.

Estimated Jacobians are noisy and sometimes wrong.  They are kept within what cloth does (no mirroring, no squeezing
beyond :data:`MOST_SQUEEZED`, a scale near the garment's own), smoothed, and smoothed more where the result would still
fold over itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

from .maps import blur

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
C64 = npt.NDArray[np.complex64]

SOLVE_SIDE = 288
"""Longest side, in nodes, of the grid on which coordinates are found; on a person that is some six millimetres."""

MOST_SQUEEZED = 4.0
"""Largest ratio of the two scales of cloth at a point: what turns away further is seen too narrow to show a print."""

_SCALES = (0.45, 2.6)
"""Smallest and largest scale, as shares of the garment's median."""

_TURN, _KINK = 0.7, 0.6
"""Change of the Jacobian (as a share of its scale) and of the normal, from node to node, at which cloth tears loose."""

_TORN = 0.002
"""Weight of a step across such a place: nearly nothing, yet enough to hold the pieces of a garment together."""

_MISFIT = 0.35
"""Misfit of a step, as a share of its length, from which it is doubted."""

_HOME = 1e-7
"""Pull towards the flat fabric, which sets the origin of each connected piece and nothing else."""

_FIRM = 0.3
"""Smallest determinant of the found coordinates, as a share of the median, before a place is smoothed again."""

_CALMING = (0.02, 0.06)
"""Radii, as shares of the grid, over which places that fold over are smoothed, one after the other."""

_AGREED = (0.35, 0.65)
"""Length of the mean of neighbouring directions at which they begin to be, and are, believed."""

_REACH = 3.0
"""Nodes beyond the cloth up to which coordinates go on growing."""


@dataclass(frozen=True)
class Coordinates:
    """On one grid (h, w) of nodes.

    ``place`` (2, h, w): u along the weft and v along the warp, centimetres, continued a little beyond the cloth.
    ``jacobian`` (2, 2, h, w): centimetres a *photo* pixel, the settled one.  ``pieces`` (h, w): the garment each node
    belongs to, that of the nearest cloth where there is none.  ``px_per_cm``: photo pixels a centimetre of cloth that
    faces the camera.
    """

    place: F32
    jacobian: F32
    pieces: U8
    px_per_cm: float


def coordinates(jacobian: F32, normal: F32, cover: F32, pieces: U8, step: tuple[float, float]) -> Coordinates:
    """Integrate ``jacobian`` (2, 2, h, w), centimetres a photo pixel.

    ``normal`` (3, h, w); ``cover`` (h, w) 0..1 of cloth; ``pieces`` (h, w) a number a garment; ``step`` photo pixels
    from node to node, (x, y).
    """
    cloth = cover > 0.5
    if not cloth.any():
        flat = np.zeros((2, 2, *cover.shape), np.float32)
        flat[0, 0] = flat[1, 1] = 1.0
        return Coordinates(np.zeros((2, *cover.shape), np.float32), flat, pieces, 1.0)
    nearest = ndimage.distance_transform_edt(~cloth, return_distances=False, return_indices=True)
    owner = pieces[tuple(nearest)]
    settled = _settle(jacobian, cover, cloth, owner)
    scale = _facing(settled, normal, cloth)
    place, settled = _integrate(settled, normal, cloth, owner, step, scale)
    place, settled = _extend(place, settled, nearest, step)
    return Coordinates(place, settled, np.asarray(owner, np.uint8), 1.0 / scale)


def determinant(jacobian: F32) -> F32:
    """(2, 2, ...) -> (...)."""
    return np.asarray(jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0], np.float32)


def broken(place: F32, jacobian: F32, step: tuple[float, float]) -> tuple[Bools, Bools]:
    """Which pairs of neighbours, (h, w-1) side by side and (h-1, w) one above the other, are not one cloth."""
    result = []
    for axis, stride in ((2, step[0]), (1, step[1])):
        slope = jacobian[:, 2 - axis] * np.float32(stride)
        told = 0.5 * (_head(slope, axis) + _tail(slope, axis))
        off = np.hypot(*(np.diff(place, axis=axis) - told))
        result.append(np.asarray(off > 0.6 * np.hypot(*told) + 1e-3, np.bool_))
    return result[0], result[1]


def _head(values: F32, axis: int) -> F32:
    return values[:, :, 1:] if axis == 2 else values[:, 1:]


def _tail(values: F32, axis: int) -> F32:
    return values[:, :, :-1] if axis == 2 else values[:, :-1]


def _parts(jacobian: F32) -> tuple[C64, C64]:
    """The similarity a and the rest b of a linear map: z -> a z + b conj(z); its scales are |a| + |b| and |a| - |b|."""
    a = (jacobian[0, 0] + jacobian[1, 1]) + 1j * (jacobian[1, 0] - jacobian[0, 1])
    b = (jacobian[0, 0] - jacobian[1, 1]) + 1j * (jacobian[1, 0] + jacobian[0, 1])
    return np.asarray(a / 2, np.complex64), np.asarray(b / 2, np.complex64)


def _whole(a: C64, b: C64) -> F32:
    rows = [[a.real + b.real, b.imag - a.imag], [a.imag + b.imag, a.real - b.real]]
    return np.asarray(rows, np.float32)


def _settle(jacobian: F32, cover: F32, cloth: Bools, owner: U8) -> F32:
    """The Jacobian kept within what cloth does; the garment's median off the cloth."""
    upright = jacobian.copy()
    sign = np.where(cloth, np.sign(determinant(jacobian)), 0.0).astype(np.float32)
    around = ndimage.gaussian_filter(sign, 0.03 * max(cloth.shape))
    # a back is woven like a front: its weft is only counted the other way
    upright[0] *= np.where(around < 0, -1.0, 1.0)
    a, b = _parts(upright)
    for piece in np.unique(owner[cloth]):
        here = cloth & (owner == piece)
        middle = float(np.median(np.abs(a[here])))
        a[here], b[here] = _limited(a[here], b[here], max(middle, 1e-6))
    radius = max(0.6, 0.004 * max(cloth.shape))
    weight = np.where(cloth, cover, 0.0).astype(np.float32)
    return _whole(*_coherent(a, b, weight, radius, owner))


def _coherent(a: C64, b: C64, weight: F32, radius: float, owner: U8) -> tuple[C64, C64]:
    """Blurred; where neighbours point everywhere nothing is known, and cloth lies as the garment does on average."""
    soft = _soft_complex(a, weight, radius, owner)
    size = _soft(np.abs(a), weight, radius, owner)
    around = _soft_complex(a, weight, 4.0 * radius, owner)
    agreed = np.abs(around) / np.maximum(_soft(np.abs(a), weight, 4.0 * radius, owner), 1e-9)
    heard = np.clip((agreed - _AGREED[0]) / (_AGREED[1] - _AGREED[0]), 0.0, 1.0)
    usual = np.ones_like(a)
    for piece in np.unique(owner):
        here = owner == piece
        mean = (a[here] * weight[here]).sum()
        # cloth hangs: an average that points nowhere is no reason to turn the print
        usual[here] = mean / abs(mean) if abs(mean) > 0.3 * np.abs(a[here] * weight[here]).sum() else 1.0
    turned = heard * soft / np.maximum(np.abs(soft), 1e-9) + (1.0 - heard) * usual
    similarity = turned / np.maximum(np.abs(turned), 1e-9) * size
    others = _soft_complex(b, weight, radius, owner) * heard
    return _squeezed(np.asarray(similarity, np.complex64), np.asarray(others, np.complex64))


def _soft_complex(plane: C64, weight: F32, radius: float, owner: U8) -> C64:
    real, imaginary = (_soft(part.astype(np.float32), weight, radius, owner) for part in (plane.real, plane.imag))
    return np.asarray(real + 1j * imaginary, np.complex64)


def _soft(plane: F32, weight: F32, radius: float, owner: U8) -> F32:
    """Blurred within each garment."""
    result = plane.copy()
    for piece in np.unique(owner[weight > 0]):
        here = owner == piece
        result[here] = blur(plane, weight * here, radius)[here]
    return np.where(weight > 0, result, plane)


def _limited(a: C64, b: C64, middle: float) -> tuple[C64, C64]:
    """Scale and squeeze bounded."""
    size = np.maximum(np.abs(a), 1e-9)
    return _squeezed(np.asarray(a * (np.clip(size, _SCALES[0] * middle, _SCALES[1] * middle) / size), np.complex64), b)


def _squeezed(a: C64, b: C64) -> tuple[C64, C64]:
    """The rest kept well shorter than the similarity: as long as that it would mirror the cloth."""
    most = (MOST_SQUEEZED - 1.0) / (MOST_SQUEEZED + 1.0) * np.abs(a)
    return a, np.asarray(b * np.minimum(1.0, most / np.maximum(np.abs(b), 1e-9)), np.complex64)


def _facing(jacobian: F32, normal: F32, cloth: Bools) -> float:
    """Centimetres a photo pixel of the cloth that faces the camera most: there nothing is foreshortened."""
    towards = normal[2][cloth]
    sizes = np.sqrt(np.maximum(determinant(jacobian)[cloth], 1e-12))
    front = towards >= np.quantile(towards, 0.6)
    return float(np.median(sizes[front] * np.sqrt(np.clip(towards[front], 0.3, 1.0))))


@dataclass(frozen=True)
class _Steps:
    """Pairs of neighbouring cloth nodes by their numbers, the weight of each, and the way it runs (0: x, 1: y)."""

    head: I64
    tail: I64
    weight: F64
    along: I64


def _integrate(
    jacobian: F32, normal: F32, cloth: Bools, owner: U8, step: tuple[float, float], scale: float
) -> tuple[F32, F32]:
    number = np.full(cloth.shape, -1, np.int64)
    number[cloth] = np.arange(int(cloth.sum()))
    steps = _steps(jacobian, normal, number, owner, scale)
    home = _flat(cloth, owner, step, scale)[:, cloth].T
    wanted = _wanted(jacobian, cloth, steps, step)
    solve = _solver(steps, home)
    solved = solve(wanted)
    steps = replace(steps, weight=_reweighted(steps, solved, wanted))
    solve = _solver(steps, home)
    place = np.zeros((2, *cloth.shape), np.float32)
    place[:, cloth] = solve(wanted).T
    for radius in _CALMING:
        folded = _folded(place, cloth, steps, step, scale)
        if not folded.any():
            break
        jacobian = _calmed(jacobian, folded, cloth, owner, radius * max(cloth.shape))
        place[:, cloth] = solve(_wanted(jacobian, cloth, steps, step)).T
    return place, jacobian


def _solver(steps: _Steps, home: F32) -> Callable[[F64], F64]:
    """Gives the coordinates (nodes, 2) whose steps come closest to those wanted (edges, 2)."""
    edges = np.arange(steps.head.size)
    sign = np.concatenate([np.ones(edges.size), -np.ones(edges.size)])
    ends = np.concatenate([steps.head, steps.tail])
    difference = sparse.csr_matrix((sign, (np.tile(edges, 2), ends)), shape=(edges.size, len(home)))
    weighted = (difference.T @ sparse.diags(steps.weight)).tocsr()
    normal_matrix = (weighted @ difference + _HOME * sparse.identity(len(home))).tocsc()
    factor = splu(normal_matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return lambda wanted: np.asarray(factor.solve(np.ascontiguousarray(weighted @ wanted + _HOME * home)))


def _reweighted(steps: _Steps, solved: F64, wanted: F64) -> F64:
    """Steps that the others contradict count for less (Geman and McClure): a misfit is one tear, not a slow warp."""
    off = solved[steps.head] - solved[steps.tail] - wanted
    share = np.hypot(*off.T) / np.maximum(np.hypot(*wanted.T), 1e-9)
    return np.asarray(np.maximum(steps.weight / np.square(1.0 + np.square(share / _MISFIT)), _TORN), np.float64)


def _steps(jacobian: F32, normal: F32, number: I64, owner: U8, scale: float) -> _Steps:
    heads, tails, weights, ways = [], [], [], []
    for way in (0, 1):
        cut = (slice(None), slice(1, None)) if way == 0 else (slice(1, None), slice(None))
        keep = (slice(None), slice(None, -1)) if way == 0 else (slice(None, -1), slice(None))
        both = (number[cut] >= 0) & (number[keep] >= 0) & (owner[cut] == owner[keep])
        change = np.sqrt(np.square(jacobian[(..., *cut)] - jacobian[(..., *keep)]).sum((0, 1))) / scale
        kink = np.sqrt(np.square(normal[(..., *cut)] - normal[(..., *keep)]).sum(0))
        weight = np.exp(-np.square(change / _TURN) - np.square(kink / _KINK))
        heads.append(number[cut][both])
        tails.append(number[keep][both])
        weights.append(np.maximum(weight, _TORN)[both].astype(np.float64))
        ways.append(np.full(int(both.sum()), way))
    return _Steps(np.concatenate(heads), np.concatenate(tails), np.concatenate(weights), np.concatenate(ways))


def _wanted(jacobian: F32, cloth: Bools, steps: _Steps, step: tuple[float, float]) -> F64:
    """(edges, 2): how far u and v go along each step."""
    nodes = jacobian[:, :, cloth]
    mean = 0.5 * (nodes[..., steps.head] + nodes[..., steps.tail])
    chosen = np.where(steps.along == 0, mean[:, 0] * step[0], mean[:, 1] * step[1])
    return np.asarray(chosen.T, np.float64)


def _flat(cloth: Bools, owner: U8, step: tuple[float, float], scale: float) -> F32:
    """The fabric laid flat over the picture (2, h, w): the middle of each garment is the pattern's origin."""
    height, width = cloth.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    flat = np.stack([x * step[0], y * step[1]]) * np.float32(scale)
    for piece in np.unique(owner[cloth]):
        here = cloth & (owner == piece)
        flat[:, here] -= np.median(flat[:, here], axis=1, keepdims=True)
    return np.asarray(flat, np.float32)


def _folded(place: F32, cloth: Bools, steps: _Steps, step: tuple[float, float], scale: float) -> Bools:
    """Where the coordinates found turn over or nearly so."""
    slope_x = np.diff(place, axis=2, append=place[:, :, -1:]) / step[0]
    slope_y = np.diff(place, axis=1, append=place[:, -1:]) / step[1]
    inner = ndimage.binary_erosion(cloth)
    area = slope_x[0] * slope_y[1] - slope_y[0] * slope_x[1]
    loose = np.zeros(int(cloth.sum()), bool)
    torn = steps.weight <= 0.2
    loose[steps.head[torn]] = loose[steps.tail[torn]] = True
    tight = np.zeros_like(cloth)
    tight[cloth] = ~loose
    return np.asarray(inner & tight & (area < _FIRM * scale**2 * 0.5), np.bool_)


def _calmed(jacobian: F32, folded: Bools, cloth: Bools, owner: U8, radius: float) -> F32:
    """Blended into its own surroundings around the places marked."""
    share = np.clip(3.0 * ndimage.gaussian_filter(folded.astype(np.float32), max(1.0, radius / 2)), 0.0, 1.0)
    weight = np.where(cloth, 1.0 - 0.9 * share, 0.0).astype(np.float32)
    planes = [_soft(plane, weight, radius, owner) for plane in jacobian.reshape(4, *cloth.shape)]
    return np.asarray(jacobian + share * (np.stack(planes).reshape(jacobian.shape) - jacobian), np.float32)


def _extend(place: F32, jacobian: F32, nearest: I64, step: tuple[float, float]) -> tuple[F32, F32]:
    """Off the cloth: as the nearest cloth goes on, for a few nodes."""
    rows, columns = nearest
    height, width = place.shape[1:]
    away = np.mgrid[:height, :width] - nearest
    length = np.maximum(np.hypot(*away), 1e-6)
    away = away * np.minimum(1.0, _REACH / length)
    slopes = jacobian[:, :, rows, columns]
    grown = place[:, rows, columns] + slopes[:, 0] * (away[1] * step[0]) + slopes[:, 1] * (away[0] * step[1])
    return np.asarray(grown, np.float32), np.asarray(slopes, np.float32)
