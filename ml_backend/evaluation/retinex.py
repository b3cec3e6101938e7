"""Light told from print by hand-set rules: the method that the surface network took the place of, to measure it by.

A log-luminance image is the sum of log albedo (print, dye) and log shading (folds, light).  As in colour Retinex
(Land and McCann 1971; Grosse et al. 2009), each small step between neighbours is given to one of them: steps that
come with a change of chromaticity, or that are steep, belong to the print; steep means less where the cloth is busy,
so that a plain coat keeps its hardest folds while stripes and florals vanish.  The shading whose steps are closest to
the trusted ones solves a sparse least-squares problem; fine detail is added back where the cloth is not busy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

from ..colour import luminance
from ..pipelines.overlay.maps import blur, fill, resize

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

SOLVE_SIDE = 320
"""Longest side, in pixels, of the grid on which light and print are told apart."""

_BLACK = 0.009
"""Added to Y before the logarithm: camera noise in black cloth counts for little."""

_MARK_RISE, _MARK_TINT = (0.25, 0.5), (0.04, 0.09)
"""Steps of log luminance and of chromaticity, a pixel of the solver's grid, that look like a print's edge."""

_BUSY = (0.14, 0.34)
"""Share of such steps nearby at which cloth begins and ends to count as busy."""

_UNEVEN, _MIXED = (0.5, 0.75), (0.065, 0.105)
"""Local deviation of log luminance, and of chromaticity, at which cloth begins and ends to count as busy."""

_COLOURFUL, _EVEN = (0.05, 0.1), (0.03, 0.05)
"""Distance of chromaticity from grey, and local deviation of it, at which strongly coloured cloth of one dye begins and
ends: there steep steps are pleats, for a print would change the colour."""

_PRINTED = (0.3, 0.55)
"""Busy share of a garment at which all of it begins and ends to count as busy."""

_DOUBT = 0.03
"""Weight of a step that is not trusted at all: below 1 the surroundings' mean light has more say across prints."""

_DYE_LOG, _DYE_CHROMA = 1.5, 0.06
"""How far the log luminance, and the chromaticity, of one dye may be from its mean."""

_MOST_DYES = 8

_STEEP, _TINTED = (0.8, 0.12), (0.035, 0.015)
"""Steps that are half trusted as light, on plain and on busy cloth."""

_ANCHOR = 1e-3
"""Pull towards the mean light of the surroundings: holds over 1/sqrt(_ANCHOR) pixels of the solver's grid."""

_SURROUND = 0.06
"""Radius of these surroundings, as a share of the cloth's size."""

_VOLUME = 0.45
"""Exponent of the Lambertian fall-off lent to round cloth where its own shading cannot be told from its print."""

_LIGHTEST, _DARKEST = 0.3, 2.3
"""Soft bounds of the log shading: S stays within exp(-2.3) = 0.10 and exp(0.3) = 1.35."""


@dataclass(frozen=True)
class Grain:
    """The cloth at one resolution: ``log`` (h,w) log luminance, ``chroma`` (h,w,2), ``cover`` (h,w) 0..1 of cloth."""

    log: F32
    chroma: F32
    cover: F32


def solver_size(height: int, width: int) -> tuple[int, int]:
    """(rows, columns) of the solver's grid for a (height, width) map."""
    factor = min(1.0, SOLVE_SIDE / max(height, width))
    return max(2, round(height * factor)), max(2, round(width * factor))


def shading(linear: F32, mask: F32, labels: U8 | None, side: F32) -> F32:
    """Linear photo (h,w,3), soft mask and class map (h,w) -> log shading (h,w).

    It is 0 on evenly lit cloth, bounded, and extends smoothly past the mask.  ``side`` on the solver's grid, -1..1 from
    a limb's left silhouette to its right one, lends roundness to cloth whose print hides its light.
    """
    height, width = mask.shape
    small = solver_size(height, width)
    fine = _grain(linear, mask, (height, width))
    coarse = _grain(linear, mask, small)
    classes = None if labels is None else _nearest(labels, small)
    cloth = coarse.cover > 0.5
    if not cloth.any():
        return np.zeros((height, width), np.float32)
    busy = _agree(_busy(coarse), cloth, classes)
    solved = _solve(coarse, cloth, busy, classes)
    solved = _calm(solved, cloth, busy)
    detail = _detail(fine, coarse, busy)
    level = _level(solved, coarse, cloth)
    known = cloth.astype(np.float32)
    rounded = level + _VOLUME * busy * np.log(1.0 - 0.6 * np.square(side))
    whole = resize(fill(rounded, known), width, height, Image.Resampling.BICUBIC) + detail
    return _bound(whole)


def _grain(linear: F32, mask: F32, size: tuple[int, int]) -> Grain:
    height, width = size
    cover = resize(mask, width, height, Image.Resampling.BOX)
    sure = np.square(mask)
    weight = resize(sure, width, height, Image.Resampling.BOX)
    planes = [resize(linear[..., c] * sure, width, height, Image.Resampling.BOX) for c in range(3)]
    mixed = np.asarray(np.stack(planes, -1) / np.maximum(weight, 1e-4)[..., None], np.float32)
    colour = fill(mixed, (weight > 0.05).astype(np.float32))
    total = colour.sum(-1) + 0.04
    chroma = np.stack([colour[..., 0] / total, colour[..., 2] / total], -1)
    return Grain(np.log(luminance(colour) + np.float32(_BLACK)), chroma.astype(np.float32), cover)


def _nearest(labels: U8, size: tuple[int, int]) -> U8:
    return np.asarray(Image.fromarray(labels).resize((size[1], size[0]), Image.Resampling.NEAREST))


def _ramp(value: F32, low: float, high: float) -> F32:
    """Smoothstep: 0 below ``low``, 1 above ``high``."""
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def _steps(plane: F32, axis: int) -> F32:
    return np.diff(plane, axis=axis)


def _busy(grain: Grain) -> F32:
    """0 on plain cloth to 1 on printed or woven patterns: the share of steep or coloured steps nearby."""
    inner = ndimage.binary_erosion(grain.cover > 0.9, iterations=1).astype(np.float32)
    rise = np.zeros_like(grain.log)
    tint = np.zeros_like(grain.log)
    for axis in (0, 1):
        rise = np.maximum(rise, np.abs(np.gradient(grain.log, axis=axis)))
        tint = np.maximum(tint, np.abs(np.gradient(grain.chroma, axis=axis)).max(-1))
    sigma = max(3.0, 0.03 * max(grain.log.shape))
    spread = np.maximum(*(_deviation(grain.chroma[..., i], inner, sigma) for i in (0, 1)))
    strong = np.maximum(*(np.abs(blur(grain.chroma[..., i], inner, sigma) - 1.0 / 3.0) for i in (0, 1)))
    one_dye = _ramp(strong, *_COLOURFUL) * (1.0 - _ramp(spread, *_EVEN))
    marked = np.maximum(_ramp(rise, *_MARK_RISE) * (1.0 - one_dye), _ramp(tint, *_MARK_TINT))
    edges = _ramp(blur(marked, inner, sigma), *_BUSY)
    uneven = _ramp(_deviation(grain.log, inner, sigma), *_UNEVEN) * (1.0 - one_dye)
    return np.maximum(edges, np.maximum(uneven, _ramp(spread, *_MIXED)))


def _agree(busy: F32, cloth: Bools, classes: U8 | None) -> F32:
    """A garment is printed all over or not at all: where much of one is busy, the calm gaps in its print are too."""
    result = busy.copy()
    for index in [None] if classes is None else np.unique(classes[cloth]):
        here = cloth if index is None else cloth & (classes == index)
        result[here] = np.maximum(busy[here], _ramp(busy[here].mean(keepdims=True), *_PRINTED))
    return result


def _deviation(plane: F32, weight: F32, sigma: float) -> F32:
    """Local standard deviation around the local mean."""
    return np.sqrt(np.maximum(blur(np.square(plane - blur(plane, weight, sigma)), weight, sigma), 0.0))


def _trust(grain: Grain, busy: F32, classes: U8 | None, axis: int) -> F32:
    """How much of each step along ``axis`` is light: 1 for gentle, colourless steps, 0 for the print's edges."""
    calm = _pair(busy, axis)
    steep = _STEEP[0] + (_STEEP[1] - _STEEP[0]) * calm
    tinted = _TINTED[0] + (_TINTED[1] - _TINTED[0]) * calm
    if classes is not None:
        other = _steps(classes.astype(np.float32), axis) != 0
        steep = np.where(other, 0.08, steep)
    rise = np.abs(_steps(grain.log, axis)) / steep
    tint = np.abs(_steps(grain.chroma, axis)).max(-1) / tinted
    return np.asarray(1.0 / ((1.0 + rise**4) * (1.0 + tint**4)), np.float32)


def _pair(plane: F32, axis: int) -> F32:
    """The larger of each two neighbours."""
    ahead = plane[1:] if axis == 0 else plane[:, 1:]
    behind = plane[:-1] if axis == 0 else plane[:, :-1]
    return np.maximum(ahead, behind)


def _solve(grain: Grain, cloth: Bools, busy: F32, classes: U8 | None) -> F32:
    """Log shading whose steps come closest to the trusted steps of the log luminance, (h,w); 0 outside the cloth."""
    number = np.full(cloth.shape, -1, np.int64)
    count = int(cloth.sum())
    number[cloth] = np.arange(count)
    inner = ndimage.binary_erosion(grain.cover > 0.9, iterations=1)
    heads, tails, targets, weights = [], [], [], []
    for axis in (0, 1):
        first = number[:-1] if axis == 0 else number[:, :-1]
        second = number[1:] if axis == 0 else number[:, 1:]
        known = inner[:-1] & inner[1:] if axis == 0 else inner[:, :-1] & inner[:, 1:]
        both = (first >= 0) & (second >= 0)
        trust = _trust(grain, busy, classes, axis)
        heads.append(second[both])
        tails.append(first[both])
        targets.append((_steps(grain.log, axis) * trust * known)[both])
        weights.append(np.where(known, _DOUBT + (1.0 - _DOUBT) * trust, 0.25)[both])
    head, tail = np.concatenate(heads), np.concatenate(tails)
    target, weight = np.concatenate(targets).astype(np.float64), np.concatenate(weights)
    mean = blur(_undyed(grain, cloth), inner.astype(np.float32) + 1e-4 * cloth, _SURROUND * max(cloth.shape))
    return _least_squares(head, tail, target, weight, cloth, mean - mean[cloth].mean())


def _undyed(grain: Grain, cloth: Bools) -> F32:
    """Log luminance less that of the dye: pixels of about one colour are taken for one dye, whose median is removed.

    Dyes are found greedily, the most common first, on a coarse histogram of colour.
    """
    colours = np.concatenate([grain.log[cloth, None] / _DYE_LOG, grain.chroma[cloth] / _DYE_CHROMA], axis=1)
    result = grain.log.copy()
    flat = result[cloth]
    left = np.ones(len(flat), bool)
    for _ in range(_MOST_DYES):
        if left.sum() < 0.02 * len(flat):
            break
        bins, counts = np.unique(np.rint(colours[left] * 2.0), axis=0, return_counts=True)
        centre = bins[counts.argmax()] / 2.0
        for _ in range(3):
            near = left & (np.square(colours - centre).sum(-1) < 1.0)
            centre = colours[near].mean(0) if near.any() else centre
        near = left & (np.square(colours - centre).sum(-1) < 1.0)
        flat[near] -= np.median(flat[near]) if near.any() else 0.0
        left &= ~near
    flat[left] = 0.0
    result[cloth] = flat
    return result


def _least_squares(
    head: npt.NDArray[np.int64],
    tail: npt.NDArray[np.int64],
    target: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    cloth: Bools,
    anchor: F32,
) -> F32:
    """Minimise sum w (s[head] - s[tail] - target)^2 + _ANCHOR (s - anchor)^2 over the cloth."""
    count = int(cloth.sum())
    edges = np.arange(head.size)
    sign = np.concatenate([np.ones(head.size), -np.ones(head.size)])
    difference = sparse.csr_matrix((sign, (np.tile(edges, 2), np.concatenate([head, tail]))), shape=(head.size, count))
    weighted = difference.T @ sparse.diags(weight)
    normal = (weighted @ difference + sparse.identity(count) * _ANCHOR).tocsc()
    result = np.zeros(cloth.shape, np.float32)
    result[cloth] = splu(normal, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(
        weighted @ target + _ANCHOR * anchor[cloth]
    )
    return result


def _calm(solved: F32, cloth: Bools, busy: F32) -> F32:
    """Smooth what is left of a print."""
    weight = cloth.astype(np.float32)
    soft = blur(solved, weight, max(1.5, 0.012 * max(cloth.shape)))
    return np.asarray(np.where(cloth, solved + (soft - solved) * busy, 0.0), np.float32)


def _detail(fine: Grain, coarse: Grain, busy: F32) -> F32:
    """Stitches, seams and small creases: what the solver's grid is too coarse for, (H,W), soft-limited."""
    height, width = fine.log.shape
    if fine.log.shape == coarse.log.shape:
        return np.zeros_like(fine.log)
    base = resize(coarse.log, width, height, Image.Resampling.BICUBIC)
    inner = ndimage.binary_erosion(coarse.cover > 0.95, iterations=2).astype(np.float32)
    plain = resize((1.0 - busy) * ndimage.gaussian_filter(inner, 0.8), width, height, Image.Resampling.BILINEAR)
    clear = _ramp(np.exp(base), 0.0, 0.08)
    return np.asarray(0.3 * np.tanh((fine.log - base) * 0.8 / 0.3) * np.clip(plain, 0.0, 1.0) * clear, np.float32)


def _level(solved: F32, grain: Grain, cloth: Bools) -> F32:
    """Each separate piece of cloth brought to 0 where it is evenly lit, its contrast to that of mid-toned cloth."""
    pieces, count = ndimage.label(cloth)
    result = np.zeros_like(solved)
    inner = ndimage.binary_erosion(cloth, iterations=2)
    for piece in range(1, count + 1):
        here = pieces == piece
        sample = here & inner
        if int(sample.sum()) < 12:
            sample = here
        low, even, high = np.percentile(solved[sample], [8, 74, 94])
        tone = float(np.median(np.exp(grain.log[sample])))
        result[here] = (solved[here] - even) * _gain(tone, float(high - low))
    return result


def _gain(tone: float, spread: float) -> float:
    """Cameras flatten the folds of black and of blown-out white cloth; open them up, never past a usual contrast."""
    usual = 0.9
    flattened = max(0.0, 1.0 - tone / 0.06) + max(0.0, (tone - 0.6) / 0.4)
    if spread > usual:
        return max(0.6, math.sqrt(usual / spread))
    return 1.0 + 0.6 * min(1.0, flattened) * (1.0 - spread / usual)


def _bound(log: F32) -> F32:
    bright = _LIGHTEST * np.tanh(np.maximum(log, 0.0) / _LIGHTEST)
    dark = _DARKEST * np.tanh(np.minimum(log, 0.0) / _DARKEST)
    return np.asarray(bright + dark, np.float32)
