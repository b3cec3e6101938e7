"""Begin from a sketch: the photo wears a drawn fabric of the same words, and the diffusion model repaints that.

Noise is added up to the request's strength and taken away again by the model (SDEdit, Meng et al. 2022,
https://arxiv.org/abs/2108.01073): colours, pattern, folds and light of the sketch stay, its surface becomes the
model's.
The fabric engine draws at the model's own scale, so that its motifs are as large as the model can keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image

from ...packaging import Manifest
from ...requests import RestyleRequest
from ...words.choices import sketch_notes
from ...words.reading import Reading, read
from ..base import ShouldStop, Watch, tell
from ..diffusion.settings import fill_in
from .crop import F32, LARGEST_ENLARGEMENT, SOLID, TOUCHED, Window
from .fabric import FabricRestyle

FABRIC = "fabric"
"""The one kind of sketch there is."""

NO_CLOTH = "The words name no colour, pattern or material, so nothing was drawn to begin from."
FROM_NOISE = "A strength of 1 leaves nothing of a drawn fabric; choose less to begin from one."


def undrawable(reading: Reading, strength: float | None) -> str:
    """Why there is nothing to begin from, as a sentence; "" where there is.

    A sketch of words that name no cloth would be a fabric of the seed's choice, which nobody asked for.
    """
    if not (reading.colours or reading.colour_sets or reading.pattern or reading.materials or reading.moods):
        return NO_CLOTH
    return FROM_NOISE if strength == 1 else ""


def is_sketched(request: RestyleRequest) -> bool:
    return request.sketch == FABRIC


def filled_in(request: RestyleRequest, manifest: Manifest, own_size: int) -> tuple[RestyleRequest, list[str]]:
    """The request with nothing left open, and why it does not begin from the sketch that was wanted."""
    filled = fill_in(request, manifest, own_size)
    why_not = undrawable(read(filled.prompt), filled.strength) if is_sketched(filled) else ""
    if not why_not:
        return filled, []
    return fill_in(replace(request, sketch="none"), manifest, own_size), [why_not]


def notes_of(request: RestyleRequest) -> tuple[str, ...]:
    """What of the words the sketch of this seed could not show, and what was chosen for it."""
    return sketch_notes(read(request.prompt), request.seed) if is_sketched(request) else ()


def sketches(
    photo: Image.Image, mask: F32, windows: list[Window], requests: Sequence[RestyleRequest], watch: Watch
) -> Callable[[int], list[Image.Image]]:
    """What the picture of each number begins from; drawn when it is its turn, kept should its batch be tried again."""
    sketcher = Sketcher(photo, mask, windows, requests[0].prompt, watch.should_stop)

    @cache
    def begin(number: int) -> list[Image.Image]:
        tell(watch.progress, number / len(requests), "Drawing the fabric to begin from")
        return sketcher(requests[number].seed)

    return begin


class Sketcher:
    """Sketches of one photo: ``sketcher(seed)`` gives one RGB picture a window, each of its window's size.

    ``mask`` is (H, W) from 0 to 1 at the photo's size.  A seed's sketch is the same whenever it is asked for.
    """

    def __init__(
        self,
        photo: Image.Image,
        mask: F32,
        windows: Sequence[Window],
        prompt: str,
        should_stop: ShouldStop | None = None,
    ) -> None:
        boxes = [window.box for window in windows]
        left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
        right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
        self.windows, self.prompt, self.should_stop = windows, prompt, should_stop
        self._corner, self._span = (left, top), (right - left, bottom - top)
        scale = min(LARGEST_ENLARGEMENT, max(each.size[0] / (each.box[2] - each.box[0]) for each in windows))
        size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
        # half-sure masks must not let the old cloth shine through, as in the crop
        solid = Image.fromarray(np.minimum(np.where(mask < TOUCHED, 0, mask) / SOLID, 1).astype(np.float32))
        self._photo = photo.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=(left, top, right, bottom))
        self._mask = np.asarray(solid.resize(size, Image.Resampling.BOX, box=(left, top, right, bottom)))

    def __call__(self, seed: int) -> list[Image.Image]:
        """Raises ``Stopped`` when asked."""
        (worn,) = _fabric()(
            self._photo, self._mask, [RestyleRequest(self.prompt, seed, "fabric")], should_stop=self.should_stop
        )
        assert worn.image is not None
        return [self._part(worn.image, window) for window in self.windows]

    def _part(self, picture: Image.Image, window: Window) -> Image.Image:
        """What of the sketch lies in a window."""
        (left, top), (width, height) = self._corner, self._span
        across, down = picture.width / width, picture.height / height
        x0, y0, x1, y1 = window.box
        box = ((x0 - left) * across, (y0 - top) * down, (x1 - left) * across, (y1 - top) * down)
        return picture.resize(window.size, Image.Resampling.LANCZOS, box=box)


@cache
def _fabric() -> FabricRestyle:
    """Draws; needs no model besides the small judge of designs."""
    return FabricRestyle()
