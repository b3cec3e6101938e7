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

from ...colour import luminance
from ...requests import GARMENT_CLASSES
from .maps import blur, fill, resize

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_BLACK = 0.0015
"""Added to the luminance before its logarithm: camera noise in black cloth counts for little."""

_RIM = 0.0035
"""Share of the longest side by which light is read clear of a border."""

_EVEN = 70.0
"""Percentile of the light on a garment that counts as evenly lit."""

_LIGHTEST, _DARKEST = (0.4, 0.69), (2.4, 2.95)
"""The log of the light is as it is up to the first, and never beyond the second, brighter and darker."""

_HUE, _SHARP = (0.20, 0.30), (0.22, 0.32)
"""How far the colour of nearly all of a garment strays, and share of sharp steps in it, at which it begins and ends to
count as printed."""

_WEAVE, _DIM = 1.2, 0.02
"""Blur, in pixels of the grid, that takes the weave and the camera's noise away, and light that noise in the dark is
measured against."""

_JUMP = 0.13
"""A sharp step: the change of log luminance from pixel to pixel of the grid."""

_UNEVEN, _MIXED = (0.07, 0.14), (0.13, 0.24)
"""Local deviation of what the shading leaves of the log luminance, and of the colour, at which a place begins and ends
to count as printed."""

_OTHER = (0.9, 1.4)
"""Distance of what the shading leaves of the log luminance from the garment's own that tells another dye."""

_BANDS, _MOST_LEAKED = (0.015, 0.05, 0.15), 2.0
"""Bands, by their wider radius as a share of the garment's size, in which print is looked for in the shading, and the
largest multiple of what is left of it that is taken out."""

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
    result = np.zeros_like(log)
    owner = np.ones(cover.shape, np.uint8) if labels is None else labels
    clear = _clear(cover, cloth, owner)
    for piece in np.unique(owner[cloth]):
        window = _window(cloth & (owner == piece))
        here = (cloth & (owner == piece))[window]
        sure = here & clear[window]
        if sure.sum() <= 50:
            sure = here
        own = _own(bright[window], linear[window], log[window], here, sure)
        even = float(np.percentile(own[sure], _EVEN))
        worn = float(np.exp(np.percentile(bright[window][sure], _EVEN)))
        own += math.log(_level(card, worn)) - even
        # A border pixel mixes in what is beyond: its light is that of the cloth next to it.
        mended = np.where(sure, own, fill(own, sure.astype(np.float32)))
        result[window][here] = mended[here]
    spread = fill(result, cloth.astype(np.float32))
    return np.exp(_bound(np.where(cloth, result, spread))).astype(np.float32)


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


def _clear(cover: F32, cloth: Bools, owner: U8) -> Bools:
    """Clear of all borders, whose pixels mix in what is beyond."""
    rim = 2 * max(1, round(_RIM * max(cover.shape))) + 1
    alone = ndimage.minimum_filter(owner, rim) == ndimage.maximum_filter(np.where(cloth, owner, 0), rim)
    return np.asarray((ndimage.minimum_filter(cover, rim) > 0.95) & cloth & alone, np.bool_)


def _window(here: Bools) -> tuple[slice, slice]:
    """The rows and columns of a garment with a little air."""
    rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
    return slice(max(0, int(rows[0]) - 2), int(rows[-1]) + 3), slice(max(0, int(columns[0]) - 2), int(columns[-1]) + 3)


def _own(bright: F32, linear: F32, log: F32, here: Bools, sure: Bools) -> F32:
    """Log shading of one garment: without what is left of a print in it, with the photo's detail where none is."""
    seen, shade, colours, clear = _reduced(bright, log, linear, here, sure)
    dyed_in = _enlarged(_leaked(seen, shade, clear), log.shape)
    plain = _enlarged(_plain(seen - shade, colours, clear), log.shape)
    log = log - dyed_in
    rest = bright - log
    return np.asarray(log + plain * (rest - np.median(rest[sure])), np.float32)


def _leaked(bright: F32, log: F32, sure: Bools) -> F32:
    """The part of the shading (h, w) that goes with the dye.

    Light knows nothing of dye.  What is left of the luminance without the shading is dye; the share of it that the
    shading still follows, band by band, has leaked.
    """
    size, weight = math.sqrt(float(sure.sum())), sure.astype(np.float32)
    result = np.zeros_like(log)
    rest = bright - log
    finer: tuple[F32, F32] = (rest, log)
    for share in _BANDS:
        sigma = max(1.0, share * size)
        wider = (blur(rest, weight, sigma), blur(log, weight, sigma))
        dye, lit = finer[0] - wider[0], finer[1] - wider[1]
        follows = float((dye * lit)[sure].sum() / max(float(np.square(dye[sure]).sum()), 1e-6))
        result += np.float32(np.clip(follows, 0.0, _MOST_LEAKED)) * dye
        finer = wider
    return np.asarray(np.where(sure, result, 0.0), np.float32)


def _reduced(bright: F32, log: F32, linear: F32, here: Bools, sure: Bools) -> tuple[F32, F32, F32, Bools]:
    """On a grid of :data:`_SIDE`, on which prints are looked for."""
    factor = min(1.0, _SIDE / max(log.shape))
    height, width = max(1, round(log.shape[0] * factor)), max(1, round(log.shape[1] * factor))

    def small(plane: F32) -> F32:
        return resize(plane, width, height, Image.Resampling.BOX)

    bands = np.stack([small(linear[..., band]) for band in range(3)], -1)
    clear = small(sure.astype(np.float32)) > 0.99
    return small(bright), small(log), bands, clear if clear.any() else small(here.astype(np.float32)) > 0.5


def _enlarged(plane: F32, shape: tuple[int, ...]) -> F32:
    return resize(plane, shape[1], shape[0], Image.Resampling.BILINEAR)


def _plain(rest: F32, linear: F32, sure: Bools) -> F32:
    """How surely there is no print, 0..1 (h, w).

    A garment is plain as a whole where its colour does not stray and its luminance has few sharp steps, or where what
    the shading leaves of the luminance is even; a spot of another colour on it is none of it.
    """
    if not sure.any():
        return np.zeros_like(rest)
    hue, sharp = _unevenness(linear, sure)
    dyed = (1.0 - _rise(hue, *_HUE)) * (1.0 - _rise(sharp, *_SHARP))
    size = math.sqrt(float(sure.sum()))
    weight = sure.astype(np.float32)
    near, far = max(1.0, _NEAR * size), max(2.0, _FAR * size)
    detail = rest - blur(rest, weight, far)
    uneven = np.sqrt(np.maximum(blur(np.square(blur(detail, weight, near)), weight, far), 0.0))
    explained = _fall(uneven, *_UNEVEN)
    explained *= _rise(float(explained[sure].mean()), 0.5, 0.85)
    off = _strayed(linear, sure)
    mixed = np.sqrt(np.maximum(blur(np.square(blur(off, weight, near)), weight, far), 0.0))
    other = np.abs(blur(rest, weight, near) - np.median(rest[sure]))
    return np.asarray(np.maximum(dyed, explained) * _fall(mixed, *_MIXED) * _fall(other, *_OTHER), np.float32)


def _strayed(linear: F32, sure: Bools) -> F32:
    """How far the colour of each pixel is from the garment's own; camera noise has colour in the dark and counts less
    there."""
    gamma = np.sqrt(np.maximum(linear, 0.0))
    chroma = 3.0 * gamma / (gamma.sum(-1, keepdims=True) + 0.5)
    away = chroma - np.median(chroma[sure], axis=0)
    return np.asarray(np.abs(away - away.mean(-1, keepdims=True)).max(-1), np.float32)


def _unevenness(linear: F32, sure: Bools) -> tuple[float, float]:
    """Of a garment: how far its colour strays, and how much of it is sharp steps of luminance."""
    away = ndimage.gaussian_filter(_strayed(linear, sure), _WEAVE)
    log = np.log(np.square(ndimage.gaussian_filter(np.sqrt(np.maximum(linear, 0.0)).mean(-1), _WEAVE)) + _DIM)
    jump = np.hypot(ndimage.sobel(log, 0), ndimage.sobel(log, 1)) / 8
    return float(np.quantile(away[sure], 0.92)), float((jump[sure] > _JUMP).mean())


def _fall(value: F32, start: float, end: float) -> F32:
    return np.asarray(np.clip((end - value) / (end - start), 0.0, 1.0), np.float32)


def _rise(value: float, start: float, end: float) -> float:
    return float(np.clip((value - start) / (end - start), 0.0, 1.0))


def _bound(log: F32) -> F32:
    return np.asarray(np.where(log > 0, _within(log, *_LIGHTEST), -_within(-log, *_DARKEST)), np.float32)


def _within(value: F32, free: float, most: float) -> F32:
    room = most - free
    return np.asarray(np.minimum(value, free) + room * np.tanh(np.maximum(value - free, 0.0) / room), np.float32)
