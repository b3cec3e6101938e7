"""What all pipelines share: how they report and how they are asked to stop."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Stopped

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..packaging import Package
    from ..shipping.asking import Endpoint

T = TypeVar("T")

REFUSED = "The model's own safety checker refused this picture; try other words or another seed."

Progress = Callable[[float, str], None]
"""Called with a fraction from 0 to 1 and the stage in words."""

ShouldStop = Callable[[], bool]
"""Asked between steps; True makes the pipeline raise :class:`Stopped`."""

Preview = Callable[["Image"], None]
"""Shown now and then what the picture looks like so far: RGB, small, several variations side by side."""

SafetyCheck = Callable[["Image", str], str]
"""Looks at a finished picture and the words that asked for it: "" or the sentence why it must not be shown."""


@dataclass(frozen=True)
class Watch:
    """Who looks on while pictures are made."""

    progress: Progress | None = None
    should_stop: ShouldStop | None = None
    preview: Preview | None = None


def gathered(pictures: Generator[tuple[int, T]], on_image: Callable[[int, T], None] | None) -> list[T]:
    """Pictures that come with their numbers, in their order; ``on_image`` gets each as soon as it is there."""
    made: dict[int, T] = {}
    with closing(pictures):  # whatever fails, what they hold while they paint is let go at once
        for number, picture in pictures:
            made[number] = picture
            if on_image is not None:
                on_image(number, picture)
    return [made[number] for number in sorted(made)]


def tell(progress: Progress | None, fraction: float, stage: str) -> None:
    if progress is not None:
        progress(fraction, stage)


def check(should_stop: ShouldStop | None) -> None:
    """Raise :class:`Stopped` if the caller wants no more."""
    if should_stop is not None and should_stop():
        raise Stopped("Stopped as asked.")


@dataclass(frozen=True)
class Given:
    """What an engine of :mod:`ml_backend.engines` is built of; it takes what it needs.

    ``package`` is its model where it has one, ``loras`` says where the named ones lie, ``clip`` is the folder of a CLIP
    ("" without one).  ``surface`` gives what reads the surface of cloth, or None; ``other`` another engine, by the
    name of its pipeline.  ``endpoint`` is what runs the model where that is elsewhere.
    """

    package: Package | None = None
    device: Callable[[], str] = lambda: "cpu"
    loras: Mapping[str, Path] = field(default_factory=dict)
    clip: str = ""
    surface: Callable[[], Any] = lambda: None
    other: Callable[[str], Any] = lambda name: build(name, Given())
    endpoint: Endpoint | None = None


def build(name: str, given: Given) -> Any:
    """The engine whose pipeline is called ``restyle-NAME`` or ``imagine-NAME``, ready to be called."""
    work, _, engine = name.partition("-")
    return import_module(f".{work}.{engine}", __package__).build(given)
