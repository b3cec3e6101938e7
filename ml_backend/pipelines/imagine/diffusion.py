"""The diffusion engine: pictures from words alone, by the model of a diffusers folder.

A folder made for inpainting serves too: it paints on an empty canvas, all of it masked.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from ...requests import ImagineRequest
from ..base import Given, Watch
from ..diffusion.engine import DiffusionEngine
from ..diffusion.preview import side_by_side
from ..diffusion.sampling import Canvas, Run, paint
from ..diffusion.settings import fill_in
from . import Imagined, ImagineEngine


def build(given: Given) -> DiffusionImagine:
    assert given.package is not None, "its entry names a model"
    return DiffusionImagine(given.package, given.device(), loras=given.loras)


class DiffusionImagine(DiffusionEngine, ImagineEngine):
    """``DiffusionImagine(package)(requests)``; see :class:`DiffusionEngine` for the options."""

    def paint(self, requests: Sequence[ImagineRequest], watch: Watch) -> Generator[tuple[int, Imagined]]:
        preview = watch.preview
        with self.loaded() as model:
            request = fill_in(requests[0], self.package.manifest, model.own_size)
            model.mix_in(request.loras, self._loras)
            assert request.size is not None
            run = Run(
                model=model,
                request=request,
                canvases=[Canvas((request.size, request.size))],
                batch=self.batch_of(len(requests)),
                progress=watch.progress,
                should_stop=watch.should_stop,
                preview=None if preview is None else lambda _numbers, _canvas, seen: preview(side_by_side(seen)),
            )
            for number, (painted,) in paint(run, [each.seed for each in requests]):
                refused = self.verdict([painted], painted.picture, request.prompt)
                filled = replace(request, seed=requests[number].seed)
                yield number, Imagined(None if refused else painted.picture, filled, tuple(run.notes), refused)
