"""The fabric engine: the words choose one of our own garments, a fabric is woven for it, and the garment wears it.

It needs no large model and answers in seconds, with the same cut and the same light every time; what it cannot honour,
it says in the notes.  Folds and light are those that the garment's renderer knows, not estimates.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from ... import garments
from ...requests import ImagineRequest
from ...words.choices import choose_pattern, notes_of
from ...words.wardrobe import choose_form, without_scene
from ..base import Given, ShouldStop, Watch, check, tell
from ..overlay import Fit, garment
from ..restyle.fabric import FabricRestyle, evenly_lit, small
from . import Imagined, ImagineEngine

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

SIZE = 1024
"""Side of a picture in pixels where the request names none."""

KEPT = 3
"""Garments kept measured; each takes about 40 MB."""


def build(given: Given) -> FabricImagine:
    """It weaves and dresses with restyle's."""
    return FabricImagine(given.other("restyle-fabric"))


class FabricImagine(ImagineEngine):
    """``FabricImagine(restyle)(requests)``: ``restyle`` weaves and dresses."""

    def __init__(self, restyle: FabricRestyle) -> None:
        self.restyle = restyle

    def paint(self, requests: Sequence[ImagineRequest], watch: Watch) -> Generator[tuple[int, Imagined]]:
        for number, request in enumerate(requests):
            tell(watch.progress, number / len(requests), f"Weaving picture {number + 1} of {len(requests)}")
            check(watch.should_stop)
            imagined = self._imagine(request, watch.should_stop)
            if watch.preview is not None and imagined.image is not None:
                watch.preview(small(imagined.image))
            yield number, imagined
        tell(watch.progress, 1.0, "Done")

    def _imagine(self, request: ImagineRequest, should_stop: ShouldStop | None) -> Imagined:
        words, scene = without_scene(request.prompt)
        reading = self.restyle.understand(words)
        pattern = choose_pattern(reading, request.seed)
        form, why = choose_form(reading, request.seed)
        photo, fitted, light = _garment(form.slug)
        asked = replace(reading, pattern=pattern)
        dressed = self.restyle.dress(photo, fitted, light, asked, request.seed, should_stop)
        size = request.size or SIZE
        used = replace(request, engine="fabric", size=size, model=dressed.model)
        notes = (*([why] if why else []), *notes_of(reading, pattern, sewn=True), *_of_scene(scene))
        return Imagined(_square(dressed.image, size), used, notes)


def _of_scene(phrases: Sequence[str]) -> tuple[str, ...]:
    if not phrases:
        return ()
    said = ", ".join(f"“{phrase}”" for phrase in phrases)
    return (f"Our garments are photographed from the front on pale paper; left out: {said}.",)


@lru_cache(maxsize=KEPT)
def _garment(slug: str) -> tuple[Image.Image, Fit, F32]:
    """Its photo, measured and evenly lit, and samples of its light."""
    photo, own = garment(garments.ROOT / slug)
    return photo, *evenly_lit(own)


def _square(photo: Image.Image, size: int) -> Image.Image:
    """The photo in the middle of a square of ``size``; its pale ground goes on at the sides."""
    pixels = np.asarray(photo)
    room = photo.height - photo.width
    left, right = _ground(pixels[:, :16], room // 2), _ground(pixels[:, -16:], room - room // 2)
    wide = np.concatenate([left, pixels, right], axis=1)
    return Image.fromarray(wide).resize((size, size), Image.Resampling.LANCZOS)


def _ground(edge: U8, width: int) -> U8:
    """More of the ground at an edge (H, w, 3): its grain repeated would be streaks, so it is evened and dithered."""
    smooth = gaussian_filter1d(edge.mean(axis=1), 24.0, axis=0, mode="nearest")
    dither = np.random.default_rng(0).random((len(edge), width, 1))
    return np.asarray(smooth[:, None] + dither, np.uint8)
