"""The diffusion engine: an inpainting model repaints the masked region from words.

Works on windows around the mask only (:mod:`.crop`), whatever the photo's size.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from ...requests import RestyleRequest
from ..base import Given, Preview, Watch
from ..diffusion.engine import DiffusionEngine
from ..diffusion.preview import SIDE, side_by_side
from ..diffusion.sampling import Canvas, Painted, Run, paint
from ..diffusion.settings import check_batch
from . import F32, Restyled, RestyleEngine
from .crop import Window, check_mask, cut, put_back
from .sketch import filled_in, is_sketched, notes_of, sketches


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
            request, why_not = filled_in(requests[0], self.package.manifest, model.own_size)
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
                begin=sketches(photo, mask, windows, requests, watch) if is_sketched(request) else None,
                notes=why_not,
            )
            for number, painted in paint(run, [each.seed for each in requests]):
                filled = replace(request, seed=requests[number].seed)
                notes = (*run.notes, *notes_of(filled))
                yield number, self._finish(photo, windows, painted, filled, notes)

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
