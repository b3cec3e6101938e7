"""One run of a model: pictures of the same words from several seeds, together or one by one.

A seed's picture is the same alone or in a batch: its noise comes from its own generator on the CPU, and nothing else
is drawn from that.  Running out of memory halves the batch and says so; a cancelled run ends within a step.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...errors import BadInput, BadPackage
from ...requests import ImagineRequest, RestyleRequest
from ..base import Progress, ShouldStop, check, tell
from .model import DiffusionModel
from .preview import show

PREVIEW_SECONDS = 0.5
"""At least so much time between two previews."""


@dataclass(frozen=True)
class Canvas:
    """What the sampler paints on: ``size`` (width, height) and, to paint into a picture, that and its mask.

    ``picture`` is RGB and ``mask`` L of that size, 255 where to paint.
    """

    size: tuple[int, int]
    picture: Image.Image | None = None
    mask: Image.Image | None = None


@dataclass(frozen=True)
class Painted:
    """A finished canvas; ``flagged`` when the folder's own safety checker blackened it."""

    picture: Image.Image
    flagged: bool


@dataclass
class Run:
    """Everything about a run but the seeds; ``request`` is filled in.  ``notes`` collects sentences for the person.

    ``preview`` gets the numbers of the seeds at work, the canvas's number and what their pictures look like so far.
    ``begin`` gives the pictures (RGB, the canvases' sizes) that the canvases of the seed of that number begin from, in
    place of their own; they only matter below a strength of 1.
    """

    model: DiffusionModel
    request: RestyleRequest | ImagineRequest
    canvases: Sequence[Canvas]
    batch: int
    progress: Progress | None = None
    should_stop: ShouldStop | None = None
    preview: Callable[[Sequence[int], int, list[Image.Image]], None] | None = None
    begin: Callable[[int], Sequence[Image.Image]] | None = None
    notes: list[str] = field(default_factory=list)


def paint(run: Run, seeds: Sequence[int]) -> Iterator[tuple[int, list[Painted]]]:
    """For each seed its number and its canvases, painted; a batch's come as soon as the batch is finished.

    Raises :class:`BadInput` when even one picture does not fit into memory, :class:`BadPackage` when the model paints
    no numbers, and ``Stopped``.
    """
    _warn_about_words(run)
    _check_steps(run)
    waiting = list(range(len(seeds)))
    batch = max(1, run.batch)
    while waiting:
        now = waiting[:batch]
        check(run.should_stop)
        try:
            pictures = _attempt(run, now, seeds)
        except _Overflow as error:
            _widen(run, error)
            continue
        if pictures is None:
            batch = _smaller(run, len(now))
            continue
        waiting = waiting[len(now) :]
        yield from zip(now, pictures, strict=True)


class _Overflow(Exception):
    """The model's numbers left the range of its number format."""


def _attempt(run: Run, numbers: Sequence[int], seeds: Sequence[int]) -> list[list[Painted]] | None:
    """None when the memory ran out: once this has returned, nothing holds the failed run's tensors any more."""
    try:
        return _paint_together(run, numbers, len(seeds), [seeds[number] for number in numbers])
    except torch.OutOfMemoryError:
        return None


def _smaller(run: Run, batch: int) -> int:
    """How many to try next, with room made."""
    if run.model.device.type == "cuda":
        torch.cuda.empty_cache()
    if batch > 1:
        half = batch // 2
        _note(run, f"The memory did not hold {batch} pictures at once; they were made {half} at a time.")
        return half
    if run.model.device.type == "cuda" and not run.model.offloaded:
        run.model.offload()
        _note(run, "The GPU's memory did not hold the whole model; its parts took turns, which is slower.")
        return 1
    raise BadInput("The memory does not hold a picture of this size; choose a smaller one.")


def _widen(run: Run, error: _Overflow) -> None:
    if run.model.dtype != torch.float16:
        raise BadPackage(f"{run.model.package.manifest.name} paints no numbers; its weights are unusable.") from error
    run.model.widen()
    _note(run, "The model overflowed in half precision and was run in bfloat16 instead.")


def _paint_together(run: Run, numbers: Sequence[int], total: int, seeds: Sequence[int]) -> list[list[Painted]]:
    """The canvases of each seed, all seeds in one pass a canvas."""
    begun = [] if run.begin is None else [run.begin(number) for number in numbers]
    by_canvas = []
    for index in range(len(run.canvases)):
        watch = _Watch(run, numbers, index, total)
        by_canvas.append(_paint_canvas(run, index, seeds, [each[index] for each in begun], watch))
    return [list(canvases) for canvases in zip(*by_canvas, strict=True)]


@torch.inference_mode()
def _paint_canvas(
    run: Run, index: int, seeds: Sequence[int], begun: Sequence[Image.Image], watch: _Watch
) -> list[Painted]:
    model, request, canvas = run.model, run.request, run.canvases[index]
    assert request.guidance is not None
    words = model.read(request.prompt, request.negative_prompt, request.guidance > 1)
    model.tile(canvas.size)
    pipeline = model.pipeline(canvas.picture is not None)
    pipeline.scheduler = watch.listen(model.scheduler(str(request.scheduler)))
    try:
        result = pipeline(
            **{name: tensor.repeat(len(seeds), *[1] * (tensor.ndim - 1)) for name, tensor in words.items()},
            **_conditioning(model, request, canvas, begun),
            width=canvas.size[0],
            height=canvas.size[1],
            num_inference_steps=request.steps,
            guidance_scale=request.guidance,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            output_type="np",
            callback_on_step_end=watch,
            callback_on_step_end_tensor_inputs=["latents"],
        )
    finally:
        if model.offloaded:
            pipeline.maybe_free_model_hooks()
    if not np.isfinite(result.images).all():
        raise _Overflow
    flags = getattr(result, "nsfw_content_detected", None) or [False] * len(seeds)
    pixels = (result.images * 255).round().astype(np.uint8)
    return [Painted(Image.fromarray(each), bool(flag)) for each, flag in zip(pixels, flags, strict=True)]


def _conditioning(
    model: DiffusionModel, request: RestyleRequest | ImagineRequest, canvas: Canvas, begun: Sequence[Image.Image]
) -> dict[str, Tensor | float]:
    """What an inpainting pipeline wants besides words; the canvas is encoded once for the whole batch.

    ``begun`` holds what each picture of the batch begins from; empty where that is the canvas.

    Given latents in place of pictures the pipelines encode nothing and draw no random numbers for it.
    """
    if canvas.picture is None and not model.for_inpainting:
        return {}
    width, height = canvas.size
    if canvas.picture is None:
        picture, inside = torch.zeros(1, 3, height, width), torch.ones(1, 1, height, width)
    else:
        picture, inside = _tensor(canvas.picture) * 2 - 1, (_tensor(canvas.mask) > 0.5).float()
    strength = getattr(request, "strength", None) or 1.0
    hidden = model.encode(picture * (1 - inside)) if model.for_inpainting else None
    # the picture itself only matters where some of it is kept
    if begun and strength < 1:
        # one by one, so that each has the same latents alone and in a batch
        shown = torch.cat([model.encode(_tensor(each) * 2 - 1) for each in begun])
    else:
        shown = model.encode(picture) if hidden is None or strength < 1 else hidden
    return {
        "image": shown,
        "mask_image": inside,
        "masked_image_latents": shown if hidden is None else hidden,
        "strength": strength,
    }


def _tensor(picture: Image.Image | None) -> Tensor:
    """A picture as (1, C, H, W) from 0 to 1."""
    pixels = np.atleast_3d(np.asarray(picture, np.float32)) / 255
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


class _Watch:
    """Called at the end of each step: reports, previews, stops."""

    def __init__(self, run: Run, numbers: Sequence[int], canvas: int, total: int) -> None:
        self.run, self.numbers, self.canvas = run, numbers, canvas
        self.clean: Tensor | None = None
        self._total = total * len(run.canvases)
        self._done = numbers[0] * len(run.canvases) + canvas * len(numbers)
        first, last = numbers[0] + 1, numbers[-1] + 1
        which = f"{first}" if first == last else f"{first} to {last}"
        self._stage = "Painting" if total == 1 else f"Painting {which} of {total}"
        self._shown = time.monotonic()
        self._last_step: Any = None

    def listen(self, scheduler: Any) -> Any:
        """The scheduler, which from now on leaves here what it takes the finished latents to be."""
        step = scheduler.step

        @functools.wraps(step)
        def heard(*arguments: Any, **options: Any) -> Any:
            result = step(*arguments, **options)
            self.clean = result[1] if len(result) > 1 else scheduler.model_outputs[-1]
            return result

        if self.run.preview is not None:
            scheduler.step = heard
        return scheduler

    def __call__(self, pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        del timestep, tensors
        self._keep_pace()
        part = (step + 1) / pipeline.num_timesteps
        tell(self.run.progress, (self._done + part * len(self.numbers)) / self._total, self._stage)
        check(self.run.should_stop)
        if self.run.preview is not None and time.monotonic() - self._shown >= PREVIEW_SECONDS:
            assert self.clean is not None
            self.run.preview(self.numbers, self.canvas, show(self.clean, self.run.model.preview_matrix()))
            self._shown = time.monotonic()
        return {}

    def _keep_pace(self) -> None:
        """Wait until the GPU is at most one step behind: else cancelling would leave it a queue of steps to finish."""
        if self.run.model.device.type != "cuda":
            return
        if self._last_step is not None:
            self._last_step.synchronize()
        event: Any = torch.cuda.Event
        self._last_step = event()
        self._last_step.record()


def _check_steps(run: Run) -> None:
    """A weak change of a picture skips most steps; some must be left."""
    steps, strength = run.request.steps or 1, getattr(run.request, "strength", None) or 1.0
    if int(steps * strength) < 1:
        raise BadInput(f"A strength of {strength:g} leaves nothing of {steps} steps; ask for more of either.")


def _warn_about_words(run: Run) -> None:
    for what, prompt in (("words", run.request.prompt), ("words to avoid", run.request.negative_prompt)):
        lost = run.model.cut_off(prompt)
        if lost:
            _note(run, f'The model reads only so much: of the {what}, "{lost}" was left out.')


def _note(run: Run, sentence: str) -> None:
    if sentence not in run.notes:
        run.notes.append(sentence)
