"""The diffusion engine where an endpoint runs the model: only the windows around the mask leave this machine.

Cutting, sketching and putting back are done here, as for a model of our own (:mod:`.crop`, :mod:`.sketch`); each window
of each picture is one question, so that a long batch keeps what it has.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from PIL import Image

from ...packaging import Manifest
from ...requests import RestyleRequest
from ...shipping.asking import Endpoint
from ...shipping.inference import encoded
from ..base import REFUSED, Given, Watch, check, tell
from ..diffusion.settings import check_batch
from ..remote import OWN_SIZE, notes_of_remote
from . import F32, Restyled, RestyleEngine
from .crop import Window, check_mask, cut, put_back
from .sketch import filled_in, is_sketched, notes_of, sketches

MULTIPLE = 64
"""Sides of windows that pass through every Stable Diffusion unpadded."""


def build(given: Given) -> RemoteRestyle:
    assert given.package is not None and given.endpoint is not None, "whoever knows the endpoint gives both"
    return RemoteRestyle(given.package.manifest, given.endpoint)


class RemoteRestyle(RestyleEngine):
    """``RemoteRestyle(manifest, endpoint)(photo, mask, requests)``: called as its siblings are.

    Raises what :meth:`Endpoint.paint` raises besides.
    """

    def __init__(self, manifest: Manifest, endpoint: Endpoint) -> None:
        self.manifest, self.endpoint = manifest, endpoint

    def paint(
        self, photo: Image.Image, mask: F32, requests: Sequence[RestyleRequest], watch: Watch
    ) -> Generator[tuple[int, Restyled]]:
        check_batch(requests)
        mask = check_mask(photo, mask)
        request, notes = self._filled(requests[0])
        assert request.size is not None
        windows = cut(photo, mask, request.size, MULTIPLE)
        begin = sketches(photo, mask, windows, requests, watch) if is_sketched(request) else None
        for number, each in enumerate(requests):
            begun = [window.picture for window in windows] if begin is None else begin(number)
            filled = replace(request, seed=each.seed)
            painted, refused = [], False
            for index, (window, picture) in enumerate(zip(windows, begun, strict=True)):
                check(watch.should_stop)
                share = (number + index / len(windows)) / len(requests)
                tell(watch.progress, share, f"Picture {number + 1} of {len(requests)} is painted elsewhere")
                answer, flagged = self._window(window, picture, filled, watch)
                painted.append((window, answer.resize(window.size, Image.Resampling.LANCZOS)))
                refused = refused or flagged
            image = None if refused else put_back(photo, painted)
            yield number, Restyled(image, filled, (*notes, *notes_of(filled)), REFUSED if refused else "")

    def _filled(self, request: RestyleRequest) -> tuple[RestyleRequest, list[str]]:
        """The request as it will be asked, and what of it cannot be."""
        notes = notes_of_remote(request, self.endpoint)
        if not self.endpoint.extras:
            request = replace(request, sketch="none", strength=1.0, negative_prompt="")
        filled, why_not = filled_in(request, self.manifest, OWN_SIZE)
        return replace(filled, scheduler=None, loras=()), [*notes, *why_not]

    def _window(
        self, window: Window, picture: Image.Image, request: RestyleRequest, watch: Watch
    ) -> tuple[Image.Image, bool]:
        width, height = window.size
        return self.endpoint.paint(
            {
                "inputs": request.prompt,
                "input_img": encoded(picture),
                "mask_img": encoded(window.mask),
                "num_inference_steps": request.steps,
                "guidance_scale": request.guidance,
                "image_length": request.size,
            },
            {
                "seed": request.seed,
                "negative_prompt": request.negative_prompt or None,
                "strength": request.strength,
                "width": width,
                "height": height,
            },
            watch.should_stop,
        )
