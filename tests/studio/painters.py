"""Stand-ins for the pipelines of both engines: they paint a plain picture at once, by the real calls."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ml_backend.errors import Stopped
from ml_backend.requests import ImagineRequest
from ml_backend.serving import registry

SIDE = 128
DEFAULTS = {"steps": 12, "guidance": 5.0, "size": SIDE, "scheduler": "euler", "model": "painter@0123456789ab"}
REFUSAL = "This picture was not shown: it may be unsuitable."


@dataclasses.dataclass(frozen=True)
class Painted:
    image: Image.Image | None
    request: ImagineRequest
    notes: tuple[str, ...] = ()
    refused: str = ""


class Painter:
    """Paints each request in a colour of its seed's own.

    Words it obeys: "forbidden" is refused, "note" leaves one, "broken" raises, "slow" waits for :meth:`go_on`.
    """

    def __init__(self) -> None:
        self._may = threading.Semaphore(0)
        self.side = SIDE
        self.asked: list[ImagineRequest] = []
        self.loaded: list[str] = []
        """Names of the pipelines that it stood in for, in their order."""
        self.after_each: Callable[[], object] = lambda: None

    def __call__(
        self,
        requests: Sequence[ImagineRequest],
        *,
        progress: Callable[[float, str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        preview: Callable[[Image.Image], None] | None = None,
        on_image: Callable[[int, Painted], None] | None = None,
    ) -> list[Any]:
        made = []
        for number, request in enumerate(requests):
            self.asked.append(request)
            if "broken" in request.prompt:
                raise RuntimeError("the brush broke")
            if preview:
                preview(colour(request.seed, SIDE // 2))
            if progress:
                progress(number / len(requests), "Painting")
            self._wait(request, should_stop)
            one = painted(request, self.side)
            if on_image:
                on_image(number, one)
                self.after_each()
            made.append(one)
        return made

    def go_on(self, pictures: int = 1) -> None:
        """Let so many slow pictures be finished."""
        self._may.release(pictures)

    def _wait(self, request: ImagineRequest, should_stop: Callable[[], bool] | None) -> None:
        while "slow" in request.prompt and not self._may.acquire(timeout=0.1):
            if should_stop and should_stop():
                raise Stopped("Stopped as asked.")


def stand_in(monkeypatch: Any, painter: Painter) -> None:
    """Let ``painter`` imagine by either engine; every other pipeline stays as it is."""
    real = registry.pipeline

    def pipeline(name: str, model: str | None = None) -> Any:
        if not name.startswith("imagine-"):
            return real(name, model)
        painter.loaded.append(name)
        return painter

    monkeypatch.setattr(registry, "pipeline", pipeline)


def painted(request: ImagineRequest, side: int = SIDE) -> Painted:
    settled = dataclasses.replace(
        request, **{name: value for name, value in DEFAULTS.items() if getattr(request, name) is None}
    )
    if "forbidden" in request.prompt:
        return Painted(None, settled, refused=REFUSAL)
    notes = ("Two pictures at a time were too many; they were made one by one.",) if "note" in request.prompt else ()
    return Painted(colour(request.seed, side), settled, notes)


def colour(seed: int, side: int) -> Image.Image:
    """A soft picture that every seed has of its own."""
    hues = np.random.default_rng(seed).uniform(40, 215, 3)
    y, x = np.mgrid[0:side, 0:side] / side
    shade = (0.75 + 0.25 * np.cos(6 * x + 4 * y))[..., None]
    return Image.fromarray((hues * shade).astype(np.uint8))
