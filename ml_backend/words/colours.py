"""The eleven basic colour names (Berlin and Kay 1969) and which of them a colour is called.

A name covers a region of colour space, so each has several prototypes; a colour is called after its nearest prototype
in CIELAB (CIE 1976, D65).  The first prototype is what the bare word asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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

BASIC_COLOURS = tuple(PROTOTYPES)


def name_of(rgb: Sequence[float] | NDArray[np.float32]) -> str:
    """The basic colour name of an sRGB colour (three numbers, 0..255)."""
    distances = np.linalg.norm(_LAB - lab(np.asarray(rgb, np.float32)), axis=-1)
    return _NAMES[int(distances.argmin())]


def name_of_region(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> str:
    """What a masked region is called: the name of its median colour in CIELAB; ``rgb`` (H, W, 3), ``mask`` (H, W)."""
    if not mask.any():
        raise ValueError("The region is empty.")
    middle = np.median(lab(rgb[mask].astype(np.float32)), axis=0)
    return _NAMES[int(np.linalg.norm(_LAB - middle, axis=-1).argmin())]


def lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB (..., 3) in 0..255 -> CIELAB (..., 3), D65."""
    c = np.clip(rgb, 0, 255) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1).astype(np.float32)


def rgb_of(colour: str) -> tuple[int, int, int]:
    """``"#c01f2e"`` -> (192, 31, 46)."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


_TO_XYZ = np.array(
    ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
)
_WHITE = np.array((0.95047, 1.0, 1.08883))
_NAMES = [name for name, colours in PROTOTYPES.items() for _ in colours]
_LAB = lab(np.array([rgb_of(colour) for colours in PROTOTYPES.values() for colour in colours], np.float32))
