"""Restyle: the masked region of a photo repainted from words.

Two engines, called alike: :class:`.fabric.FabricRestyle` (words choose a fabric, which is worn) and
:class:`.diffusion.DiffusionRestyle` (an inpainting model paints what the words say)::

    engine(photo, mask, requests, progress=..., should_stop=..., preview=..., on_image=...) -> list[Restyled]

``photo`` is RGB and upright, ``mask`` float32 (H, W) from 0 to 1 at the photo's size, 1 where to repaint; pixels where
it is 0 stay as they are, bit for bit.  The requests may differ in their seeds only.  Import the engines from their
modules: this one stays free of torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...requests import RestyleRequest
from ..base import Preview, Progress, ShouldStop, Watch, gathered

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Restyled:
    """One repainted photo.

    ``request`` has every None filled in with what was used, so it makes the picture again.  ``notes`` are sentences for
    the person: what could not be honoured, what was done instead.  When the safety check refuses the picture, ``image``
    is None and ``refused`` is the sentence that says why.
    """

    image: Image.Image | None
    request: RestyleRequest
    notes: tuple[str, ...] = ()
    refused: str = ""


OnImage = Callable[[int, Restyled], None]
"""Called with the number of a request and its picture as soon as that is finished."""


class RestyleEngine(ABC):
    """An engine says in :meth:`paint` how it makes the pictures."""

    def __call__(
        self,
        photo: Image.Image,
        mask: F32,
        requests: Sequence[RestyleRequest],
        *,
        progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
        preview: Preview | None = None,
        on_image: OnImage | None = None,
    ) -> list[Restyled]:
        """One :class:`Restyled` a request, in order; ``on_image`` gets each as soon as it is finished.

        Raises :class:`BadInput` for an unusable mask, LoRA or batch, :class:`BadPackage` for a model that fails,
        ``Stopped`` when asked.
        """
        watch = Watch(progress, should_stop, preview)
        return gathered(self.paint(photo.convert("RGB"), mask, requests, watch), on_image)

    @abstractmethod
    def paint(
        self, photo: Image.Image, mask: F32, requests: Sequence[RestyleRequest], watch: Watch
    ) -> Generator[tuple[int, Restyled]]:
        """Each picture with the number of its request."""


__all__ = ["OnImage", "RestyleEngine", "Restyled"]
