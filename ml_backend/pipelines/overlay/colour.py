"""sRGB bytes to linear light and back, and the soft highlight shoulder (IEC 61966-2-1 transfer curves)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

_STEPS = 1 << 14
_KNEE = 0.8


def _decode(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _encode(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * np.maximum(value, 1e-9) ** (1 / 2.4) - 0.055)


_TO_LINEAR: F32 = _decode(np.arange(256) / 255.0).astype(np.float32)
_TO_SRGB: U8 = np.rint(_encode(np.arange(_STEPS) / (_STEPS - 1)) * 255.0).astype(np.uint8)


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
    """(..., 3) linear Rec. 709 RGB -> (...) relative luminance Y."""
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)


def shoulder(linear: F32) -> F32:
    """Compress what lies above 0.8 so that it nears 1 without ever clipping hard; below 0.8 nothing changes."""
    over = np.maximum(linear - np.float32(_KNEE), 0.0)
    room = np.float32(1.0 - _KNEE)
    return np.asarray(np.minimum(linear, np.float32(_KNEE)) + room * (1.0 - np.exp(-over / room)), np.float32)
