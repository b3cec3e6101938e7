"""How a fabric lies on a photo: worked out once, and kept for the next look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml_backend import garments
from ml_backend.serving import loading

from .models import Garment, Wearable

if TYPE_CHECKING:
    from ml_backend.pipelines.overlay import Fit


_fits: dict[str, Fit] = {}
"""The fit of the photo used last, by its mask's key: a person tries several looks on one photo."""


def fitted(wearable: Wearable) -> tuple[Any, Fit]:
    """The picture at full size, and how a fabric lies on it."""
    from ml_backend.pipelines import overlay

    from .. import pictures

    photo = pictures.load(str(wearable.image), "RGB")
    key = str(wearable.mask)
    if key not in _fits:
        labels = pictures.load_labels(str(wearable.labels)) if wearable.labels else None
        mask, found = pictures.load_mask(key), None
        if isinstance(wearable, Garment):
            found = overlay.known(garments.ROOT / wearable.slug, mask, labels)
        if found is None:
            found = fit(photo, mask, labels)
        if isinstance(wearable, Garment):
            # The preview was laid out by the stored scale, which for a garment of ours is known rather than guessed.
            found = found.scaled(wearable.fit.get(pictures.FULL_SCALE, found.px_per_cm))
        remember(key, found)
    return photo, _fits[key]


def fit(photo: Any, mask: Any, labels: Any) -> Fit:
    """The fit as it will be read back: the mask at the 8 bits it is stored with, so a look is the same either way."""
    from ml_backend.pipelines import overlay

    stored = np.rint(mask * 255).astype(np.float32) / np.float32(255)
    read = loading.surface_reader()
    return overlay.fit(photo, stored, labels, read(photo, stored, labels) if read else None)


def remember(key: str, found: Fit) -> None:
    """Keep the fit of the photo whose mask has that key, and forget the one before."""
    _fits.clear()
    _fits[key] = found
