"""The diffusion engine: pictures from words alone, by the model of a diffusers folder.

A folder made for inpainting serves too: it paints on an empty canvas, all of it masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...requests import ImagineRequest
from ..base import Given, Preview, Progress, ShouldStop
from ..diffusion.engine import DiffusionEngine
from ..diffusion.preview import side_by_side
from ..diffusion.sampling import Canvas, Run, paint
from ..diffusion.settings import check_batch, fill_in
from . import Imagined, OnImage


def build(given: Given) -> DiffusionImagine:
    assert given.package is not None, "its entry names a model"
    return DiffusionImagine(given.package, given.device(), loras=given.loras)


class DiffusionImagine(DiffusionEngine):
    """``DiffusionImagine(package)(requests)``; see :class:`DiffusionEngine` for the options."""

    def __call__(
        self,
        requests: Sequence[ImagineRequest],
        *,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
        preview: Preview | None = None,
        on_image: OnImage | None = None,
    ) -> list[Imagined]:
        """One square picture a request, in order; ``on_image`` gets each as soon as it is finished.

        The requests may differ in their seeds only.  Raises :class:`BadInput` for an unusable LoRA or batch,
        :class:`BadPackage` for a model that fails, ``Stopped``.
        """
        check_batch(requests)
        results: dict[int, Imagined] = {}
        with self.loaded() as model:
            request = fill_in(requests[0], self.package.manifest, model.own_size)
            model.mix_in(request.loras, self._loras)
            assert request.size is not None
            run = Run(
                model=model,
                request=request,
                canvases=[Canvas((request.size, request.size))],
                batch=self.batch_of(len(requests)),
                progress=progress,
                should_stop=should_stop,
                preview=None if preview is None else lambda _numbers, _canvas, seen: preview(side_by_side(seen)),
            )
            for number, (painted,) in paint(run, [each.seed for each in requests]):
                refused = self.verdict([painted], painted.picture, request.prompt)
                filled = replace(request, seed=requests[number].seed)
                results[number] = Imagined(None if refused else painted.picture, filled, tuple(run.notes), refused)
                if on_image is not None:
                    on_image(number, results[number])
        return [results[number] for number in range(len(requests))]
