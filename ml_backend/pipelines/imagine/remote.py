"""The diffusion engine where an endpoint runs the model: one question a picture."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from PIL import Image

from ...packaging import Manifest
from ...requests import ImagineRequest
from ...shipping.asking import Endpoint
from ..base import REFUSED, Given, Watch, check, tell
from ..diffusion.settings import fill_in
from ..remote import OWN_SIZE, notes_of_remote
from . import Imagined, ImagineEngine


def build(given: Given) -> RemoteImagine:
    assert given.package is not None and given.endpoint is not None, "whoever knows the endpoint gives both"
    return RemoteImagine(given.package.manifest, given.endpoint)


class RemoteImagine(ImagineEngine):
    """``RemoteImagine(manifest, endpoint)(requests)``: called as its siblings are."""

    def __init__(self, manifest: Manifest, endpoint: Endpoint) -> None:
        self.manifest, self.endpoint = manifest, endpoint

    def paint(self, requests: Sequence[ImagineRequest], watch: Watch) -> Generator[tuple[int, Imagined]]:
        notes = tuple(notes_of_remote(requests[0], self.endpoint))
        request = replace(fill_in(requests[0], self.manifest, OWN_SIZE), scheduler=None, loras=())
        assert request.size is not None
        asked = {
            "inputs": request.prompt,
            "num_inference_steps": request.steps,
            "guidance_scale": request.guidance,
            "image_length": request.size,
        }
        for number, each in enumerate(requests):
            check(watch.should_stop)
            stage = f"Picture {number + 1} of {len(requests)} is painted elsewhere"
            tell(watch.progress, number / len(requests), stage)
            extras = {"seed": each.seed, "negative_prompt": request.negative_prompt or None}
            image, flagged = self.endpoint.paint(asked, extras, watch.should_stop)
            image = image.resize((request.size, request.size), Image.Resampling.LANCZOS)
            filled = replace(request, seed=each.seed)
            yield number, Imagined(None if flagged else image, filled, notes, REFUSED if flagged else "")
