"""Colour: sRGB and linear light, OKLab, CIELAB, and what a colour is called.

The transfer curves are those of IEC 61966-2-1, luminance weights those of ITU-R BT.709, CIELAB that of CIE 015 under
D65, OKLab that of Ottosson 2020, "A perceptual color space for image processing".  A colour is ``#rrggbb``; numbers are
0..1 unless they are bytes or said to be 0..255.  Pure NumPy; :func:`decode` and :func:`encode` take tensors as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import BadInput, quoted

if TYPE_CHECKING:
    from torch import Tensor

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Values = TypeVar("Values", F32, F64, "Tensor")

# --- sRGB and light ---

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of linear red, green and blue in relative luminance Y."""

_STEPS = 1 << 14
_KNEE = 0.8


def decode(value: Values) -> Values:
    """sRGB 0..1 of any shape -> linear light 0..1."""
    dark: Any = value <= 0.04045
    linear: Values = dark * (value / 12.92) + ~dark * (((value.clip(min=0.04045) + 0.055) / 1.055) ** 2.4)
    return linear


def encode(value: Values) -> Values:
    """Linear light of any shape -> sRGB; 0..1 both, and what is brighter than 1 stays so."""
    dark: Any = value <= 0.0031308
    srgb: Values = dark * (value * 12.92) + ~dark * (1.055 * value.clip(min=0.0031308) ** (1 / 2.4) - 0.055)
    return srgb


_TO_LINEAR: F32 = decode(np.arange(256) / 255.0).astype(np.float32)
_TO_SRGB: U8 = np.rint(encode(np.arange(_STEPS) / (_STEPS - 1)) * 255.0).astype(np.uint8)


def to_linear(image: U8) -> F32:
    """sRGB bytes of any shape -> linear light 0..1."""
    return np.take(_TO_LINEAR, image)


def to_srgb(linear: F32) -> U8:
    """Linear light of any shape, clipped to 0..1 -> sRGB bytes; inverts :func:`to_linear` exactly."""
    index = np.clip(linear, 0.0, 1.0)
    index *= _STEPS - 1
    index += 0.5
    return np.take(_TO_SRGB, index.astype(np.uint16))


def luminance(linear: F32) -> F32:
    """(..., 3) linear RGB -> (...) relative luminance Y."""
    return np.asarray(linear @ np.array(LUMINANCE, np.float32), np.float32)


def shoulder(linear: F32) -> F32:
    """Compress what lies above 0.8 so that it nears 1 without ever clipping hard; below 0.8 nothing changes."""
    over = np.maximum(linear - np.float32(_KNEE), 0.0)
    room = np.float32(1.0 - _KNEE)
    return np.asarray(np.minimum(linear, np.float32(_KNEE)) + room * (1.0 - np.exp(-over / room)), np.float32)


# --- written colours ---


def rgb_of(colour: str) -> tuple[int, int, int]:
    """``"#c01f2e"`` -> (192, 31, 46).  Raises :class:`BadInput`."""
    try:
        if len(colour) != 7 or colour[0] != "#":
            raise ValueError
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    except ValueError as error:
        raise BadInput(f"{quoted(colour)} is not a colour; write it like #7a1f2b.") from error


def srgb_of(colour: str) -> F64:
    """``"#c01f2e"`` -> sRGB (3,) in 0..1."""
    return np.array(rgb_of(colour)) / 255


def written(srgb: Sequence[float] | F64) -> str:
    """sRGB in 0..1 -> ``#rrggbb``."""
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in srgb)


def _on_screen(linear_of: Callable[[float, float], F64], a: float, b: float, step: float) -> str:
    """The colour of those two chromaticities; what no screen can show is made greyer by ``step`` until one can."""
    for _ in range(40):
        linear = linear_of(a, b)
        if linear.min() >= -1e-4 and linear.max() <= 1 + 1e-4:
            break
        a, b = a * step, b * step
    return written(encode(np.clip(linear, 0, 1)))


# --- OKLab ---

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_OKLAB = np.linalg.inv(_TO_OKLAB)
_FROM_LMS = np.linalg.inv(_TO_LMS)


def oklab(colour: str) -> F64:
    """Lightness 0..1, a and b."""
    lab: F64 = _TO_OKLAB @ np.cbrt(_TO_LMS @ decode(srgb_of(colour)))
    return lab


def to_oklab(rgb: F32 | F64 | U8) -> F64:
    """sRGB (..., 3) in 0..255 -> OKLab (..., 3)."""
    lms = decode(np.asarray(rgb, np.float64) / 255) @ _TO_LMS.T
    return np.asarray(np.cbrt(lms) @ _TO_OKLAB.T, np.float64)


def from_oklab(value: F64) -> F64:
    """OKLab (..., 3) -> sRGB (..., 3) in 0..255, clipped to what a screen shows; inverts :func:`to_oklab`."""
    linear = (value @ _FROM_OKLAB.T) ** 3 @ _FROM_LMS.T
    return np.asarray(encode(np.clip(linear, 0, 1)) * 255, np.float64)


def oklch(colour: str) -> tuple[float, float, float]:
    """Lightness 0..1, chroma 0..0.4 and hue in degrees."""
    lightness, a, b = oklab(colour)
    return float(lightness), math.hypot(a, b), math.degrees(math.atan2(b, a))


def oklch_to_oklab(lch: F64) -> F64:
    hue = math.radians(lch[2])
    return np.array([lch[0], lch[1] * math.cos(hue), lch[1] * math.sin(hue)])


def from_oklch(lch: F64) -> str:
    """The colour; a chroma that no screen can show is lowered until it can, keeping lightness and hue."""

    def linear(chroma: float, _: float) -> F64:
        shown: F64 = _FROM_LMS @ (_FROM_OKLAB @ oklch_to_oklab(np.array([lch[0], chroma, lch[2]]))) ** 3
        return shown

    return _on_screen(linear, float(lch[1]), 0.0, 0.93)


def contrast(first: str, second: str) -> float:
    """How far apart two colours look: the distance in OKLab (black to white is 1)."""
    return float(np.linalg.norm(oklab(first) - oklab(second)))


# --- CIELAB ---

_TO_XYZ = np.array(
    ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
)
_FROM_XYZ = np.linalg.inv(_TO_XYZ)
_WHITE = np.array((0.95047, 1.0, 1.08883))
_BEND = 6 / 29
_SLOPE = 1 / (3 * _BEND**2)


def lab(rgb: F32) -> F32:
    """sRGB (..., 3) in 0..255 -> CIELAB (..., 3)."""
    xyz = decode(np.clip(rgb, 0, 255) / 255) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > _BEND**3, np.cbrt(xyz), _SLOPE * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1).astype(np.float32)


def lab_of(colour: str) -> F32:
    return lab(np.array(rgb_of(colour), np.float32))


_WHITE_D50 = np.array((0.96422, 1.0, 0.82521))
_BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))
_ROUNDING = 1.2
"""Units of CIELAB that writing a colour as ``#rrggbb`` may move it, and that reading it may take away again."""
_TO_D50 = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _WHITE_D50) / (_BRADFORD @ _WHITE)) @ _BRADFORD


def lab_d50(colour: str) -> F64:
    """CIELAB (3,) under D50, as print, ICC profiles and drawing programs count it (adapted after Bradford)."""
    xyz = _TO_D50 @ _TO_XYZ @ decode(srgb_of(colour)) / _WHITE_D50
    x, y, z = np.where(xyz > _BEND**3, np.cbrt(xyz), _SLOPE * xyz + 16 / 116)
    return np.array((116 * y - 16, 500 * (x - y), 200 * (y - z)))


def from_lab_d50(value: F64) -> tuple[str, bool]:
    """The colour of CIELAB ``value`` (3,) under D50, and whether a screen shows it, but for the rounding to 8 bits.

    What none shows is clipped.
    """
    y = (value[0] + 16) / 116
    f = np.array((y + value[1] / 500, y, y - value[2] / 200))
    xyz = np.where(f > _BEND, f**3, (f - 16 / 116) / _SLOPE) * _WHITE_D50
    linear = _FROM_XYZ @ np.linalg.inv(_TO_D50) @ xyz
    colour = written(encode(np.clip(linear, 0, 1)))
    return colour, bool(np.linalg.norm(lab_d50(colour) - value) < _ROUNDING)


def from_lab(value: F32) -> str:
    """The colour of CIELAB ``value``; a chroma that no screen shows is lowered until one can."""
    light, a, b = (float(part) for part in value)
    y = (min(max(light, 0.0), 100.0) + 16) / 116

    def linear(a: float, b: float) -> F64:
        f = np.array((y + a / 500, y, y - b / 200))
        shown: F64 = _FROM_XYZ @ (np.where(f > _BEND, f**3, (f - 16 / 116) / _SLOPE) * _WHITE)
        return shown

    return _on_screen(linear, a, b, 0.94)


# --- names ---

PROTOTYPES: dict[str, tuple[str, ...]] = {
    "black": ("#16161a", "#2a2a2c"),
    "white": ("#f4f2ec", "#dddbd6"),
    "grey": ("#8a8a8c", "#5c5c60", "#b4b4b4"),
    "red": ("#c01f2e", "#8c1420", "#d8443c"),
    "orange": ("#e8771a", "#f09a48", "#c85a14"),
    "yellow": ("#f2cc2e", "#f6e27a", "#d2aa1e"),
    "green": ("#2f8a3e", "#1c4a2a", "#86b84a", "#7fb894", "#6b7a3a"),
    "blue": ("#2456b4", "#182a5a", "#78aede", "#2a8aa8"),
    "purple": ("#74359a", "#45205e", "#a884c8"),
    "pink": ("#e887ac", "#f4bccb", "#dc3f8a"),
    "brown": ("#74481f", "#4a2c18", "#a07448"),
}
"""The eleven basic colour names (Berlin and Kay 1969).

A name covers a region of colour space, so each has several prototypes; a colour is called after its nearest one in
CIELAB.  The first is what the bare word asks for.
"""

BASIC_COLOURS = tuple(PROTOTYPES)


class Namer:
    """Calls colours after the nearest of some prototypes, name -> its colours."""

    def __init__(self, prototypes: Mapping[str, Sequence[str]]) -> None:
        self._names = [name for name, colours in prototypes.items() for _ in colours]
        self._lab = np.stack([lab_of(colour) for colours in prototypes.values() for colour in colours])

    def of_lab(self, value: F32) -> str:
        return self._names[int(np.linalg.norm(self._lab - value, axis=-1).argmin())]


_BASIC = Namer(PROTOTYPES)


def name_of_lab(value: F32) -> str:
    """The basic colour name of CIELAB ``value``."""
    return _BASIC.of_lab(value)


def name_of(rgb: Sequence[float] | F32) -> str:
    """The basic colour name of an sRGB colour (three numbers, 0..255)."""
    return name_of_lab(lab(np.asarray(rgb, np.float32)))


def name_of_region(rgb: U8, mask: NDArray[np.bool_]) -> str:
    """What a masked region is called: the name of its median colour in CIELAB; ``rgb`` (H, W, 3), ``mask`` (H, W)."""
    if not mask.any():
        raise ValueError("The region is empty.")
    return name_of_lab(np.median(lab(rgb[mask].astype(np.float32)), axis=0))
