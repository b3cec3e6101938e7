"""Imagine: pictures of garments from words alone.

Two engines, called alike: :class:`.fabric.FabricImagine` (words choose one of our own garments and its cloth) and
:class:`.diffusion.DiffusionImagine` (a model paints what the words say)::

    engine(requests, progress=..., should_stop=..., preview=..., on_image=...) -> list[Imagined]

One square picture a request, in order; the requests may differ in their seeds only.  Import the engines from their
modules: this one stays free of torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from PIL import Image

from ...requests import ImagineRequest
from ..base import Preview, Progress, ShouldStop, Watch, gathered
from ..diffusion.settings import check_batch


@dataclass(frozen=True)
class Imagined:
    """One picture; the fields mean what they mean in :class:`..restyle.Restyled`."""

    image: Image.Image | None
    request: ImagineRequest
    notes: tuple[str, ...] = ()
    refused: str = ""


OnImage = Callable[[int, Imagined], None]
"""Called with the number of a request and its picture as soon as that is finished."""


class ImagineEngine(ABC):
    """An engine says in :meth:`paint` how it makes the pictures."""

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
        :class:`BadPackage` for a model that fails, ``Stopped`` when asked.
        """
        check_batch(requests)
        return gathered(self.paint(requests, Watch(progress, should_stop, preview)), on_image)

    @abstractmethod
    def paint(self, requests: Sequence[ImagineRequest], watch: Watch) -> Generator[tuple[int, Imagined]]:
        """Each picture with the number of its request."""


__all__ = ["ImagineEngine", "Imagined", "OnImage"]
