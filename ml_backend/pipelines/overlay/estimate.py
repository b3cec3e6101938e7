"""A surface without a network: what a photo's outline and luminance alone tell of it.

Served where no surface model is at hand: limbs and torso are taken for cylinders that face the camera, and light is
told from print by its steps (:mod:`.shading`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..surface import Box, Surface
from .bend import body
from .colour import to_linear
from .maps import resize
from .measure import px_per_cm
from .shading import shading, solver_size

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_SIDE = 720
"""Longest side of the grid on which light is estimated."""

_ROUND = 0.8
"""Sine of the angle to which a limb or torso turns away at its silhouette; 0 would be a flat board."""


def estimate(photo: Image.Image, mask: F32, labels: U8 | None, box: Box) -> Surface:
    """Photo (RGB), soft mask and class map at its size -> the surface in ``box``."""
    width, height = box[2] - box[0], box[3] - box[1]
    factor = min(1.0, _SIDE / max(width, height))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    linear = to_linear(np.asarray(photo.resize(size, Image.Resampling.BOX, box=box)))
    cover = resize(mask, *size, Image.Resampling.BOX, box)
    classes = None
    if labels is not None:
        classes = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST, box=box)) % 8
    rows, columns = solver_size(*cover.shape)
    small = resize(cover, columns, rows, Image.Resampling.BOX)
    side = resize(body(small).side, *size, Image.Resampling.BILINEAR)
    log, _ = shading(linear, cover, classes, body(small).side)
    scale = px_per_cm(cover, classes) * height / size[1]
    away = _ROUND * side
    normal = np.stack([away, np.zeros_like(away), np.sqrt(1.0 - np.square(away))])
    jacobian = np.zeros((2, 2, *cover.shape), np.float32)
    jacobian[0, 0] = 1.0 / (scale * np.maximum(normal[2], 0.35))
    jacobian[1, 1] = 1.0 / scale
    return Surface(box, log, np.asarray(normal, np.float32), jacobian)
