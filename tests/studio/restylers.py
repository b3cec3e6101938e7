"""Stand-ins for the pipelines behind the Restyle page: they find and repaint at once, by the real calls."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ml_backend.errors import Stopped
from ml_backend.pipelines.restyle import Restyled
from ml_backend.requests import RestyleRequest, TextMaskRequest
from ml_backend.serving import loading, registry

REFUSAL = "This picture was not shown: it may be unsuitable."
NOTE = "“silk” has a sheen that a fabric cannot give; its colours are there."
MODEL = "stand-in@0123456789ab"
CONFIDENCE = {"dress": 0.93, "scarf": 0.4}
"""Of what is found; a coat and everything else is not."""


@dataclasses.dataclass(frozen=True)
class Phrase:
    text: str
    subtract: bool
    confidence: float
    known: bool = True


@dataclasses.dataclass(frozen=True)
class Found:
    mask: Any
    phrases: tuple[Phrase, ...]


def find(photo: Image.Image, request: TextMaskRequest, **_: Any) -> Found:
    """A block in the middle for "dress" or "scarf"; nothing for other words alone."""
    mask = np.zeros((photo.height, photo.width), np.float32)
    phrases = []
    for text in (part.strip() for part in request.prompt.split(",")):
        confidence = next((value for word, value in CONFIDENCE.items() if word in text), 0.04)
        phrases.append(Phrase(text, False, confidence))
        if confidence > 0.1:
            mask[photo.height // 3 : -photo.height // 4, photo.width // 4 : -photo.width // 4] = 1
    return Found(mask, tuple(phrases))


def find_no_cloth(photo: Image.Image, **_: Any) -> Found:
    """What the search for cloth finds in every photo: restyling does without it."""
    return Found(np.zeros((photo.height, photo.width), np.float32), ())


class Restyler:
    """Fills the mask with a colour of the seed's own.

    Words it obeys: "forbidden" is refused, "silk" leaves a note, "slow" takes ``pause`` seconds a picture.
    """

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.asked: list[RestyleRequest] = []
        self.masks: list[Any] = []

    def __call__(
        self,
        photo: Image.Image,
        mask: Any,
        requests: Sequence[RestyleRequest],
        *,
        progress: Callable[[float, str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        preview: Callable[[Image.Image], None] | None = None,
        on_image: Callable[[int, Restyled], None] | None = None,
    ) -> list[Restyled]:
        self.masks.append(mask)
        made = []
        for number, request in enumerate(requests):
            self.asked.append(request)
            if progress:
                progress(number / len(requests), "Painting")
            if preview:
                preview(photo.resize((48, 64)))
            self._take_time(request, should_stop)
            made.append(repainted(photo, mask, request))
            if on_image:
                on_image(number, made[-1])
        return made

    def _take_time(self, request: RestyleRequest, should_stop: Callable[[], bool] | None) -> None:
        end = time.monotonic() + (self.pause if "slow" in request.prompt else 0)
        while True:
            if should_stop and should_stop():
                raise Stopped("Stopped as asked.")
            if time.monotonic() >= end:
                return
            time.sleep(0.05)


def repainted(photo: Image.Image, mask: Any, request: RestyleRequest) -> Restyled:
    settled = dataclasses.replace(request, steps=request.steps or 12, model=MODEL)
    if "forbidden" in request.prompt:
        return Restyled(None, settled, refused=REFUSAL)
    colour = np.random.default_rng(request.seed).uniform(40, 215, 3)
    share = mask[..., None]
    pixels = np.asarray(photo, np.float32) * (1 - share) + colour * share
    return Restyled(
        Image.fromarray(np.rint(pixels).astype(np.uint8)), settled, (NOTE,) if "silk" in request.prompt else ()
    )


def stand_in(monkeypatch: Any, restyler: Restyler) -> None:
    """Let ``restyler`` and :func:`find` serve instead of models; everything else stays as it is."""
    real, names = loading.pipeline, registry.reference
    ours: dict[str, Any] = {"segment": find_no_cloth, "text-mask": find, "restyle-fabric": restyler}
    ours["restyle-diffusion"] = restyler
    monkeypatch.setattr(loading, "pipeline", lambda name, model=None: ours.get(name) or real(name, model))
    monkeypatch.setattr(registry, "reference", lambda name: MODEL if name == "text-mask" else names(name))
    monkeypatch.setattr(registry, "serves", lambda capability: True)
    monkeypatch.setattr(registry, "loras", lambda capability="imagine", person=None: {"linen": "a", "tartan": "b"})
