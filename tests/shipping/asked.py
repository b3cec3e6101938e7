"""What is asked of an endpoint."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def base64_of(image: Image.Image, format: str = "PNG") -> str:
    target = io.BytesIO()
    image.save(target, format)
    return base64.b64encode(target.getvalue()).decode()


def photo(width: int = 64, height: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8))


def mask(width: int = 64, height: int = 64) -> Image.Image:
    """White in the middle."""
    values = np.zeros((height, width), np.uint8)
    values[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    return Image.fromarray(values)


def asked(**changes: Any) -> dict[str, Any]:
    """A body with a photo and its mask, for pictures of 64 pixels; what is changed to None is left out."""
    body = {
        "inputs": "a blue dress",
        "input_img": base64_of(photo()),
        "mask_img": base64_of(mask()),
        "image_length": 64,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def picture_of(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))
