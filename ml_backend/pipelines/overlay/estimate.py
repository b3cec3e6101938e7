"""A surface without a network: what the outline of cloth alone tells of it.

For where no surface model is at hand: limbs and torso are taken for upright cylinders, which light from the front
leaves darker at their sides.  The photo's own light comes to plain cloth from :mod:`.light`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ..surface import Box, Surface
from .maps import resize
from .measure import px_per_cm

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_SIDE = 320
"""Longest side of the grid."""

_ROUND = 0.8
"""Sine of the angle to which a limb or torso turns away at its silhouette; 0 would be a flat board."""

_VOLUME = 0.45
"""Exponent of the Lambertian fall-off of such a cylinder's light."""


def estimate(mask: F32, labels: U8 | None, box: Box) -> Surface:
    """Soft mask and class map of a photo's size -> the surface in ``box``."""
    width, height = box[2] - box[0], box[3] - box[1]
    factor = min(1.0, _SIDE / max(width, height))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    cover = resize(mask, *size, Image.Resampling.BOX, box)
    classes = None
    if labels is not None:
        classes = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST, box=box)) % 8
    side = sides(cover)
    scale = px_per_cm(cover, classes) * height / size[1]
    away = _ROUND * side
    normal = np.stack([away, np.zeros_like(away), np.sqrt(1.0 - np.square(away))])
    jacobian = np.zeros((2, 2, *cover.shape), np.float32)
    jacobian[0, 0] = 1.0 / (scale * np.maximum(normal[2], 0.35))
    jacobian[1, 1] = 1.0 / scale
    log = _VOLUME * np.log(1.0 - 0.6 * np.square(side))
    return Surface(box, np.asarray(log, np.float32), np.asarray(normal, np.float32), jacobian)


def sides(cover: F32) -> F32:
    """-1..1 from the left silhouette of every limb over its axis, 0, to the right one (h, w): the distance from the
    edge of the soft mask against that of the axis."""
    if min(cover.shape) < 2:
        return np.zeros_like(cover)
    inside = np.pad(cover > 0.5, 1)
    distance = ndimage.distance_transform_edt(inside)[1:-1, 1:-1].astype(np.float32)
    size = max(cover.shape)
    reach = max(3, round(0.07 * size))
    half = ndimage.maximum_filter(distance, size=2 * reach + 1)
    half = np.maximum(ndimage.gaussian_filter(half, reach / 2), 1.0)
    smooth = ndimage.gaussian_filter(distance, max(1.0, 0.008 * size))
    slope = np.gradient(smooth, axis=1)
    outward = -slope / np.maximum(np.hypot(slope, np.gradient(smooth, axis=0)), 0.15)
    side = np.clip(1.0 - distance / half, 0.0, 1.0) * outward * (cover > 0.5)
    return np.asarray(np.clip(ndimage.gaussian_filter(side, max(1.0, 0.006 * size)), -1.0, 1.0), np.float32)
