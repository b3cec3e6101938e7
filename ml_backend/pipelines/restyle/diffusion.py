"""The diffusion engine: an inpainting model repaints the masked region from words.

Works on windows around the mask only (:mod:`.crop`), whatever the photo's size.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image

from ...requests import RestyleRequest
from ...words.choices import sketch_notes
from ...words.reading import read
from ..base import Given, Preview, Watch, tell
from ..diffusion.engine import DiffusionEngine
from ..diffusion.preview import SIDE, side_by_side
from ..diffusion.sampling import Canvas, Painted, Run, paint
from ..diffusion.settings import check_batch, fill_in
from . import F32, Restyled, RestyleEngine
from .crop import Window, check_mask, cut, put_back
from .sketch import FABRIC, Sketcher, undrawable


def build(given: Given) -> DiffusionRestyle:
    assert given.package is not None, "its entry names a model"
    return DiffusionRestyle(given.package, given.device(), loras=given.loras)


class DiffusionRestyle(DiffusionEngine, RestyleEngine):
    """``DiffusionRestyle(package)(photo, mask, requests)``; see :class:`DiffusionEngine` for the options."""

    def paint(
        self, photo: Image.Image, mask: F32, requests: Sequence[RestyleRequest], watch: Watch
    ) -> Generator[tuple[int, Restyled]]:
        check_batch(requests)
        mask = check_mask(photo, mask)
        with self.loaded() as model:
            request, why_not = self._filled(requests[0], model.own_size)
            model.mix_in(request.loras, self._loras)
            assert request.size is not None
            windows = cut(photo, mask, request.size, model.multiple, rim=model.factor)
            run = Run(
                model=model,
                request=request,
                canvases=[Canvas(window.size, window.picture, window.mask) for window in windows],
                batch=self.batch_of(len(requests)),
                progress=watch.progress,
                should_stop=watch.should_stop,
                preview=None if watch.preview is None else _in_place(photo, windows, watch.preview),
                begin=_sketches(photo, mask, windows, requests, watch) if _sketched(request) else None,
                notes=why_not,
            )
            for number, painted in paint(run, [each.seed for each in requests]):
                filled = replace(request, seed=requests[number].seed)
                notes = (*run.notes, *_notes(filled))
                yield number, self._finish(photo, windows, painted, filled, notes)

    def _filled(self, request: RestyleRequest, own_size: int) -> tuple[RestyleRequest, list[str]]:
        """The request with nothing left open, and why it does not begin from the sketch that was wanted."""
        filled = fill_in(request, self.package.manifest, own_size)
        why_not = undrawable(read(filled.prompt), filled.strength) if _sketched(filled) else ""
        if not why_not:
            return filled, []
        return fill_in(replace(request, sketch="none"), self.package.manifest, own_size), [why_not]

    def _finish(
        self,
        photo: Image.Image,
        windows: list[Window],
        painted: list[Painted],
        request: RestyleRequest,
        notes: tuple[str, ...],
    ) -> Restyled:
        pairs = [(window, each.picture) for window, each in zip(windows, painted, strict=True)]
        picture = put_back(photo, pairs)
        refused = self.verdict(painted, picture, request.prompt)
        return Restyled(None if refused else picture, request, notes, refused)


def _sketched(request: RestyleRequest) -> bool:
    return request.sketch == FABRIC


def _notes(request: RestyleRequest) -> tuple[str, ...]:
    """What of the words the sketch of this seed could not show, and what was chosen for it."""
    return sketch_notes(read(request.prompt), request.seed) if _sketched(request) else ()


def _sketches(
    photo: Image.Image, mask: F32, windows: list[Window], requests: Sequence[RestyleRequest], watch: Watch
) -> Callable[[int], list[Image.Image]]:
    """What the picture of each number begins from; drawn when it is its turn, kept should its batch be tried again."""
    sketcher = Sketcher(photo, mask, windows, requests[0].prompt, watch.should_stop)

    @cache
    def begin(number: int) -> list[Image.Image]:
        tell(watch.progress, number / len(requests), "Drawing the fabric to begin from")
        return sketcher(requests[number].seed)

    return begin


def _in_place(
    photo: Image.Image, windows: list[Window], preview: Preview
) -> Callable[[Sequence[int], int, list[Image.Image]], None]:
    """Previews of one window, shown where it lies in a small version of the photo."""
    scale = min(1.0, SIDE / max(photo.size))
    small = photo.resize((max(1, round(photo.width * scale)), max(1, round(photo.height * scale))))

    def show(numbers: Sequence[int], index: int, pictures: list[Image.Image]) -> None:
        del numbers
        left, top, right, bottom = (round(edge * scale) for edge in windows[index].box)
        size = (max(1, right - left), max(1, bottom - top))
        opacity = Image.fromarray((windows[index].alpha * 255).astype(np.uint8)).resize(size)
        placed = []
        for picture in pictures:
            whole = small.copy()
            whole.paste(picture.resize(size), (left, top), opacity)
            placed.append(whole)
        preview(side_by_side(placed))

    return show
