"""Stand-ins for the pipelines that look at a photo: one finds a square for any words, one fills a mask with colour."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from PIL import Image

from ml_backend.errors import Stopped

MODEL = "needle@0123456789ab"


@dataclasses.dataclass(frozen=True)
class Phrase:
    text: str
    subtract: bool
    confidence: float
    known: bool = True


@dataclasses.dataclass(frozen=True)
class Found:
    mask: np.ndarray
    phrases: tuple[Phrase, ...]


class Finder:
    """Finds every word in the middle of the photo, "unicorn" nowhere, and was never taught "banana".

    ``seen`` is what the segmentation was said to see of the photo last.
    """

    seen: object = None

    def __call__(self, photo, request, progress=None, should_stop=None, cloth=None) -> Found:
        progress(0.5, "Looking for the words")
        mask = np.zeros((photo.height, photo.width), np.float32)
        Finder.seen = cloth() if cloth else None
        if "banana" in request.prompt:
            return Found(mask, (Phrase(request.prompt, False, 0.0, known=False),))
        hopeless = "unicorn" in request.prompt
        if not hopeless:
            mask[photo.height // 4 : -photo.height // 4, photo.width // 4 : -photo.width // 4] = 0.9
        return Found(mask, (Phrase(request.prompt, False, 0.1 if hopeless else 0.93),))


@dataclasses.dataclass(frozen=True)
class Restyled:
    image: Image.Image | None
    request: object
    notes: tuple[str, ...] = ()
    refused: str = ""


class Needle:
    """Fills the mask with a grey of the seed's own; ``asked`` lists the seeds it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.before: Callable[[int], object] = lambda number: None
        """Called before each picture with its place among those asked for."""
        self.one_by_one = True
        self.refuses: set[int] = set()
        self.forgets = 0
        """How many pictures at the end it does not make."""

    def __call__(self, photo, mask, requests, *, progress, should_stop, preview, on_image) -> list[Restyled]:
        made = []
        for number, request in enumerate(requests[: len(requests) - self.forgets]):
            self.before(number)
            if should_stop():
                raise Stopped("Stopped as asked.")
            self.asked.append(request.seed)
            progress(number / len(requests), "Painting")
            preview(photo.resize((64, 64)))
            made.append(self._paint(photo, mask, request))
            if self.one_by_one:
                on_image(number, made[-1])
        return made

    def _paint(self, photo, mask, request) -> Restyled:
        used = dataclasses.replace(request, model=MODEL)
        if request.seed in self.refuses:
            return Restyled(None, used, refused="This picture was not shown: it may be unsuitable.")
        painted = np.asarray(photo).copy()
        painted[mask > 0.5] = request.seed % 256
        return Restyled(Image.fromarray(painted), used, ("The cut could not be changed.",))
