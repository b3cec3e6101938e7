"""Imagine: pictures of garments from words alone.

Two engines, called alike: :class:`.fabric.FabricImagine` (words choose one of our own garments and its cloth) and
:class:`.diffusion.DiffusionImagine` (a model paints what the words say)::

    engine(requests, progress=..., should_stop=..., preview=..., on_image=...) -> list[Imagined]

One square picture a request, in order; the requests may differ in their seeds only.  Import the engines from their
modules: this one stays free of torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from ...requests import ImagineRequest


@dataclass(frozen=True)
class Imagined:
    """One picture; the fields mean what they mean in :class:`..restyle.Restyled`."""

    image: Image.Image | None
    request: ImagineRequest
    notes: tuple[str, ...] = ()
    refused: str = ""


OnImage = Callable[[int, Imagined], None]
"""Called with the number of a request and its picture as soon as that is finished."""

__all__ = ["Imagined", "OnImage"]
