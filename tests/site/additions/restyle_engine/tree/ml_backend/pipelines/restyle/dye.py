"""The dye engine of a test: what is marked takes one colour, which the seed chooses."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from ...requests import RestyleRequest
from ..base import Given
from . import OnImage, Restyled


def build(given: Given) -> Dye:
    del given
    return Dye()


class Dye:
    def __call__(
        self,
        photo: Image.Image,
        mask: Any,
        requests: Sequence[RestyleRequest],
        *,
        on_image: OnImage | None = None,
        **_: Any,
    ) -> list[Restyled]:
        made = [self._dyed(photo, mask[..., None], request) for request in requests]
        for number, restyled in enumerate(made):
            if on_image is not None:
                on_image(number, restyled)
        return made

    def _dyed(self, photo: Image.Image, share: Any, request: RestyleRequest) -> Restyled:
        colour = np.random.default_rng(request.seed).uniform(0, 255, 3)
        pixels = np.asarray(photo, np.float32) * (1 - share) + colour * share
        used = dataclasses.replace(request, engine="dye", strength=request.strength or 1.0)
        return Restyled(Image.fromarray(np.rint(pixels).astype(np.uint8)), used)
