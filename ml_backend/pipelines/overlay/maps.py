"""Small tools for float maps that are only known inside a mask: resizing, normalised blur, filling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

F32 = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]


def resize(plane: F32, width: int, height: int, how: Image.Resampling, box: Box | None = None) -> F32:
    """A float plane (h,w) resampled to (height,width); ``box`` (left, top, right, bottom) may be fractional."""
    image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(image.resize((width, height), how, box=box), np.float32)


def blur(values: F32, weight: F32, sigma: float) -> F32:
    """Normalised Gaussian convolution (Knutsson and Westin 1993): the weighted mean around each pixel.

    ``values`` (h,w), ``weight`` (h,w) >= 0.  Where no weight is near, the result tends to 0.
    """
    total = ndimage.gaussian_filter(weight, sigma, truncate=3.0)
    return np.asarray(ndimage.gaussian_filter(values * weight, sigma, truncate=3.0) / (total + 1e-6), np.float32)


def fill(values: F32, weight: F32) -> F32:
    """Extend (h,w) or (h,w,c) ``values`` from where ``weight`` is 1 to where it is 0 (push-pull, Gortler 1996)."""
    height, width = weight.shape
    if height <= 1 or width <= 1 or float(weight.min()) >= 1.0:
        total = max(float(weight.sum()), 1e-6)
        mean = (values * _spread(weight, values)).sum(axis=(0, 1)) / total
        return np.asarray(np.where(_spread(weight, values) > 0, values, mean), np.float32)
    pad = [(0, height % 2), (0, width % 2)]
    heavy = np.pad(weight, pad)
    product = np.pad(values * _spread(weight, values), pad + [(0, 0)] * (values.ndim - 2))
    mass, total_values = _halve(heavy), _halve(product)
    coarse = np.asarray(total_values / np.maximum(_spread(mass, values), 1e-6), np.float32)
    below = fill(coarse, np.minimum(mass * 4.0, 1.0).astype(np.float32))
    raised = _enlarge(below, height, width)
    share = _spread(weight, values)
    return np.asarray(values * share + raised * (1.0 - share), np.float32)


def _spread(weight: F32, values: F32) -> F32:
    return weight if values.ndim == 2 else weight[..., None]


def _halve(plane: F32) -> F32:
    return np.asarray((plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) * 0.25, np.float32)


def _enlarge(plane: F32, height: int, width: int) -> F32:
    box = (0.0, 0.0, min(width / 2, plane.shape[1]), min(height / 2, plane.shape[0]))
    if plane.ndim == 2:
        return resize(plane, width, height, Image.Resampling.BILINEAR, box)
    return np.stack([resize(p, width, height, Image.Resampling.BILINEAR, box) for p in np.moveaxis(plane, -1, 0)], -1)
