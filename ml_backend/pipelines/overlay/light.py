"""Light of the worn cloth on a white one in its place: the network's shading, the photo's own detail, its exposure.

On plain cloth the luminance *is* the light, but for a factor; where a garment shows no print, what the network's
shading leaves of the luminance is given back to the light, so that every seam and crease stays.  The level of
each garment is set so that white cloth is as bright as a white card would be there: see :func:`exposure`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ...requests import GARMENT_CLASSES
from .colour import luminance
from .maps import blur, fill, resize

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_BLACK = 0.0015
"""Added to the luminance before its logarithm: camera noise in black cloth counts for little."""

_EVEN = 70.0
"""Percentile of the light on a garment that counts as evenly lit."""

_LIGHTEST, _DARKEST = (0.5, 0.9), (2.6, 3.6)
"""The log of the light is as it is up to the first, and never beyond the second, brighter and darker."""

_UNEVEN, _MIXED = (0.10, 0.22), (0.025, 0.06)
"""Local deviation of what the shading leaves of the log luminance, and of the chromaticity, at which cloth begins and
ends to count as printed."""

_NEAR, _FAR = 0.012, 0.05
"""Radii, as shares of the cloth's size, of a print's detail and of the surroundings in which it is looked for."""

_SIDE = 384
"""Longest side of the grid on which a print is looked for."""

_SKIN = GARMENT_CLASSES.index("skin")
_SKIN_WHITE = 0.33
"""Luminance of skin, white being 1: the middle of what people have."""

_CARD = 0.92
"""Luminance of white cloth, white being 1."""

_EXPOSURE = (0.45, 1.1)
"""Least and most light of white cloth that is believed."""


def light(linear: F32, cover: F32, labels: U8 | None, log: F32, card: float) -> F32:
    """Linear photo (h,w,3), soft mask, class map and log shading (h,w) -> light S > 0 (h,w), continued off the cloth.

    ``card``: luminance of a white card in the photo, from :func:`exposure`.
    """
    cloth = cover > 0.5
    if not cloth.any():
        return np.ones(cover.shape, np.float32)
    bright = np.log(luminance(linear) + _BLACK)
    inner = _inner(cover, cloth)
    result = np.zeros_like(log)
    owner = np.ones(cover.shape, np.uint8) if labels is None else labels
    for piece in np.unique(owner[cloth]):
        here = cloth & (owner == piece)
        sure = here & inner if (here & inner).sum() > 50 else here
        own = _own(bright, linear, log, here, sure)
        even = float(np.percentile(own[sure], _EVEN))
        worn = float(np.exp(np.percentile(bright[sure], _EVEN)))
        result[here] = own[here] - even + math.log(_level(card, worn))
    known = (cloth & inner).astype(np.float32) if (cloth & inner).any() else cloth.astype(np.float32)
    spread = fill(result, known)
    return np.exp(_bound(np.where(cloth & inner, result, spread))).astype(np.float32)


def exposure(linear: F32, cover: F32, labels: U8 | None) -> float:
    """Luminance of a white card in the photo (h,w,3): from its brightest parts and, where people show some, from skin.

    The brightest hundredth of a photo is seldom brighter than white; skin is a third as bright, give or take as much.
    """
    bright = luminance(linear)
    brightest = float(np.percentile(bright, 98.5))
    guesses = [math.log(max(brightest, 1e-3) / 0.9)]
    skin = None if labels is None else bright[(labels % len(GARMENT_CLASSES) == _SKIN) & (cover < 0.05)]
    if skin is not None and skin.size > 0.002 * bright.size:
        guesses.append(math.log(max(float(np.percentile(skin, 70)), 1e-3) / _SKIN_WHITE))
    usual = -0.1
    return math.exp((sum(guesses) + usual) / (len(guesses) + 1))


def _level(card: float, worn: float) -> float:
    """Light of white cloth in place of a garment as bright as ``worn``: no cloth is whiter than white."""
    return float(np.clip(max(card, worn / _CARD), *_EXPOSURE))


def _inner(cover: F32, cloth: Bools) -> Bools:
    """Clear of the border, whose pixels mix in what is behind."""
    rim = max(1, round(0.004 * max(cover.shape)))
    return np.asarray(ndimage.minimum_filter(cover, 2 * rim + 1) > 0.95, np.bool_) & cloth


def _own(bright: F32, linear: F32, log: F32, here: Bools, sure: Bools) -> F32:
    """Log shading of one garment with the photo's detail where no print hides it."""
    rest = bright - log
    plain = _enlarged(_plain(*_reduced(rest, linear, here, sure)), rest.shape)
    return np.asarray(log + plain * (rest - np.median(rest[sure])), np.float32)


def _reduced(rest: F32, linear: F32, here: Bools, sure: Bools) -> tuple[F32, F32, Bools, Bools]:
    """On a grid of :data:`_SIDE`, on which prints are looked for."""
    factor = min(1.0, _SIDE / max(rest.shape))
    height, width = max(1, round(rest.shape[0] * factor)), max(1, round(rest.shape[1] * factor))

    def small(plane: F32) -> F32:
        return resize(plane, width, height, Image.Resampling.BOX)

    bands = np.stack([small(linear[..., band]) for band in range(3)], -1)
    part, clear = small(here.astype(np.float32)) > 0.5, small(sure.astype(np.float32)) > 0.99
    return small(rest), bands, part, clear if (clear & part).any() else part


def _enlarged(plane: F32, shape: tuple[int, ...]) -> F32:
    return resize(plane, shape[1], shape[0], Image.Resampling.BILINEAR)


def _plain(rest: F32, linear: F32, here: Bools, sure: Bools) -> F32:
    """How surely there is no print, 0..1 (h, w): what is left of the luminance is even, and so is the colour."""
    if not sure.any():
        return np.zeros_like(rest)
    size = math.sqrt(float(here.sum()))
    weight = sure.astype(np.float32)
    detail = rest - blur(rest, weight, max(1.5, _FAR * size))
    near, far = max(1.0, _NEAR * size), max(2.0, _FAR * size)
    uneven = np.sqrt(np.maximum(blur(np.square(blur(detail, weight, near)), weight, far), 0.0))
    total = linear.sum(-1, keepdims=True) + 0.02
    chroma = linear[..., :2] / total
    mixed = np.zeros_like(rest)
    for band in (0, 1):
        off = chroma[..., band] - np.median(chroma[..., band][sure])
        mixed += blur(np.square(blur(off, weight, near)), weight, far)
    even = _fall(uneven, *_UNEVEN) * _fall(np.sqrt(np.maximum(mixed, 0.0)), *_MIXED)
    whole = float(even[sure].mean())
    return np.asarray(even * _rise(whole, 0.3, 0.7), np.float32)


def _fall(value: F32, start: float, end: float) -> F32:
    return np.asarray(np.clip((end - value) / (end - start), 0.0, 1.0), np.float32)


def _rise(value: float, start: float, end: float) -> float:
    return float(np.clip((value - start) / (end - start), 0.0, 1.0))


def _bound(log: F32) -> F32:
    return np.asarray(np.where(log > 0, _within(log, *_LIGHTEST), -_within(-log, *_DARKEST)), np.float32)


def _within(value: F32, free: float, most: float) -> F32:
    room = most - free
    return np.asarray(np.minimum(value, free) + room * np.tanh(np.maximum(value - free, 0.0) / room), np.float32)
