"""The files of a wearable and of a look: read from storage, encoded for it.  Pure NumPy and Pillow."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.files.storage import default_storage
from PIL import Image

from ml_backend.images import EXACT, encoded, save_picture
from ml_backend.pipelines.overlay import Fit

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

THUMB_SIDE = 480
PREVIEW_SIDE = 640
WEARABLE_SIDE = 1152

FULL_SCALE = "full_px_per_cm"
"""Key in a wearable's ``fit``: pixels a centimetre of the full-size picture, for shoulders of 40 cm."""

SUFFIXES = {
    "mask": "mask.png",
    "labels": "labels.png",
    "preview_photo": "preview_photo.webp",
    "preview_maps": "preview_maps.webp",
    "preview_mask": "preview_mask.webp",
}
"""File names of what :func:`fitted_files` returns."""


def load(key: str, mode: str) -> Image.Image:
    """A stored picture of ours, in ``mode``."""
    with default_storage.open(key) as file, Image.open(file) as image:
        return image.convert(mode)


def load_mask(key: str) -> F32:
    """A stored soft mask, float32 (H,W) 0..1."""
    return np.asarray(load(key, "L"), np.float32) / np.float32(255)


def load_labels(key: str) -> U8:
    """A stored class map, uint8 (H,W)."""
    return np.asarray(load(key, "L"))


def fitted_files(photo: Image.Image, fit: Fit, side: int = WEARABLE_SIDE) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Encoded files by wearable field, and the figures of the fit; ``side`` is the longer one of the preview."""
    preview = fit.preview(photo, side)
    labels = np.zeros_like(fit.mask, np.uint8) if fit.labels is None else fit.labels
    files = {
        "mask": _png(Image.fromarray(np.rint(fit.mask * 255).astype(np.uint8))),
        "labels": _png(Image.fromarray(labels)),
        "preview_photo": _webp(preview.photo),
        # The browser reads figures from these two.
        "preview_maps": encoded(preview.maps, **EXACT),
        "preview_mask": encoded(preview.mask, **EXACT),
    }
    return files, {**preview.data, FULL_SCALE: fit.px_per_cm}


def look_files(look: Image.Image, format: str, recipe: Mapping[str, Any]) -> dict[str, bytes]:
    """``file`` in ``format`` (png or jpeg) with its recipe inside, and ``thumb``."""
    target = io.BytesIO()
    save_picture(look, target, recipe, format=format.upper())
    return {"file": target.getvalue(), "thumb": thumb(look)}


def thumb(picture: Image.Image, side: int = THUMB_SIDE) -> bytes:
    """A small WebP in the picture's own proportions, its longer side ``side`` pixels."""
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _webp(small)


def mask_file(mask: F32) -> bytes:
    """A soft mask, float32 (H,W) 0..1, as 8-bit grey PNG."""
    return _png(Image.fromarray(np.rint(mask.clip(0, 1) * 255).astype(np.uint8)))


def small(picture: Image.Image, most: int) -> bytes:
    """A WebP of at most ``most`` bytes, as good as that allows; for a passing look only."""
    shown = picture.convert("RGB")
    side = PREVIEW_SIDE
    while True:
        shown.thumbnail((side, side), Image.Resampling.BILINEAR)
        data = encoded(shown, format="WEBP", quality=70, method=0)
        if len(data) <= most or side <= 32:
            return data
        side = max(32, side * 2 // 3)


def _png(image: Image.Image) -> bytes:
    return encoded(image, format="PNG", compress_level=3)


def _webp(image: Image.Image) -> bytes:
    return encoded(image, format="WEBP", quality=90, method=3)
