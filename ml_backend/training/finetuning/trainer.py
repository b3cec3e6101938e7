"""The training of DreamBooth and of LoRAs: one step, its checkpoints, and what is shown on the way.

The loss is that of denoising diffusion (Ho et al. 2020) for what the base predicts: noise, velocity (Salimans and Ho
2022) or the sample.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ...errors import BadInput, LibraryError
from ...pipelines.base import Progress, ShouldStop, check, tell
from ..data.captioned_folder import Captioned, records, split
from ..data.folder import SUFFIXES
from ..distributed import Workers
from ..lr_schedule import warmup_cosine
from ..prefetch import Prefetch, prefetch_depth
from ..run import Run
from ..trainer import Trainer, train_loop
from . import run_folder
from .accelerating import DTYPES, make_accelerator, make_optimiser, precision_of
from .denoiser import Denoiser, make_denoiser
from .feed import KIND, LEARNT, MEASURED, Batch, Feed, Habits, Row, Set
from .keeping import finite, keep
from .latents import Encoder, Kept
from .loading import Base, load_base
from .masking import Mask, find_garments
from .recipe import DreamBoothRecipe, FineTuneRecipe, LoraRecipe, folder_of
from .sampling import Canvas, canvas_of, paint, sheet
from .words import Spoken, joined, speak, token_ids

GARMENT_SHARE = {"garment": 1.0, "random": 0.0, "mixed": 0.5}
PAINTED = "painted-"
"""How the names of class pictures begin that the base has painted."""
SAMPLE_SEED = 1000
"""The seed of the first picture of every prompt."""
WORDS_KEPT = 2**28


def diffusion_loss(base: Base, made: Tensor, batch: Batch, outside: float) -> Tensor:
    """Mean squared error (N,) of each picture's prediction ``made``; where nothing is hidden it weighs ``outside``."""
    kind = base.schedule.config.prediction_type
    if kind == "epsilon":
        wanted = batch.noise
    elif kind == "v_prediction":
        wanted = base.schedule.get_velocity(batch.clean, batch.noise, batch.times)
    else:
        wanted = batch.clean
    errors = (made.float() - wanted.float()).square()
    if batch.hidden is None or outside == 1:
        return errors.mean(dim=(1, 2, 3))
    weight = (outside + (1 - outside) * batch.hidden).expand_as(errors)
    return (weight * errors).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3)).clamp(min=1e-6)


class FineTuner(Trainer):
    """A base, what of it is trained, and Accelerate; ``sets`` are the pictures to learn and, perhaps, of their kind."""

    def __init__(self, config: FineTuneRecipe, base: Base, workers: Workers, prior_weight: float = 0.0) -> None:
        self.config, self.base, self.workers = config, base, workers
        self.prior_weight = prior_weight
        self.accelerator = make_accelerator(config, workers)
        self.device: torch.device = self.accelerator.device
        precision = DTYPES[precision_of(config, self.device)]
        self.denoiser: Denoiser = make_denoiser(base, config, precision)
        self.encoder = Encoder(base, config.resolution, self.device, precision)
        if not config.train_text_encoder:
            for text in base.texts.values():
                text.to(self.device, precision)
        self._said: Kept[Spoken] = Kept(WORDS_KEPT)
        weights = list(self.denoiser.learnt().values())
        optimiser = make_optimiser(config, weights, self.device)
        self.model, self.optimiser = self.accelerator.prepare(self.denoiser, optimiser)
        self.accelerator.register_save_state_pre_hook(self._save_learnt)
        self.accelerator.register_load_state_pre_hook(self._load_learnt)
        self.running = Running()
        self.accelerator.register_for_checkpointing(self.running)
        self.sets: list[Set] = []
        self.feed = Feed(base, self.encoder, Habits(False, 0, 0, 0), config.seed)
        self._rows = Prefetch(self._rows_of, prefetch_depth(self.device))

    def learn(self, feed: Feed, sets: Sequence[Set]) -> None:
        """From these pictures; the second set, if there is one, are those of the kind."""
        self.feed, self.sets = feed, list(sets)

    # -- a step --------------------------------------------------------------------------------------------------------

    def step(self, step: int) -> dict[str, Tensor | float]:
        """One update, of ``gradient_accumulation`` passes; the mean losses since the last line of the log."""
        config = self.config
        for group in self.optimiser.param_groups:
            group["lr"] = config.rate * self._pace(step)
        for number in range(step * config.gradient_accumulation, (step + 1) * config.gradient_accumulation):
            with self.accelerator.accumulate(self.model):
                loss, parts = self._pass(number)
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients and config.max_gradient_norm > 0:
                    self.accelerator.clip_grad_norm_(self.denoiser.learnt().values(), config.max_gradient_norm)
                self.optimiser.step()
                self.optimiser.zero_grad()
            self.running.add(parts)
        return self.running.means(reset=(step + 1) % config.log_every == 0)

    def _pace(self, step: int) -> float:
        if self.config.lr_schedule == "cosine":
            return warmup_cosine(step, self.config.steps, max(self.config.warmup, 1))
        return min(1.0, (step + 1) / max(self.config.warmup, 1))

    def _rows_of(self, number: int) -> list[Row]:
        """This worker's rows of that pass: of each set its share."""
        mine = range(self.config.batch)[self.workers.part(self.config.batch, what="pictures")]
        return [self.feed.row(each, number * self.config.batch + place) for each in self.sets for place in mine]

    def _pass(self, number: int) -> tuple[Tensor, dict[str, Tensor]]:
        batch = self.feed.batch(self._rows(number))
        losses = diffusion_loss(self.base, self._predict(self.model, batch), batch, self.config.outside)
        if len(self.sets) == 1:
            loss = losses.mean()
            return loss, {"loss": loss.detach()}
        ours, kind = (half.mean() for half in losses.chunk(2))
        loss = ours + self.prior_weight * kind
        return loss, {"loss": loss.detach(), "instance_loss": ours.detach(), "prior_loss": kind.detach()}

    def _predict(self, model: Any, batch: Batch) -> Tensor:
        seen = self.base.schedule.add_noise(batch.clean, batch.noise, batch.times)
        if batch.hidden is not None:
            assert batch.around is not None
            seen = torch.cat((seen, batch.hidden, batch.around), dim=1)
        made: Tensor = model(seen, batch.times, self._words(batch.texts))
        return made

    def _words(self, texts: Sequence[str]) -> Spoken | list[Tensor]:
        """What the words mean; only their tokens where it is being learnt what they mean."""
        if self.config.train_text_encoder:
            return [ids.to(self.device) for ids in token_ids(self.base.tokenizers, texts)]
        return joined([self._said.get(text, lambda text=text: self._speak(text)) for text in texts], self.device)  # type: ignore[misc]

    @torch.no_grad()
    def _speak(self, text: str) -> Spoken:
        ids = [each.to(self.device) for each in token_ids(self.base.tokenizers, [text])]
        return joined([speak(list(self.base.texts.values()), ids)], torch.device("cpu"))

    @torch.no_grad()
    def validation_loss(self, pictures: Set) -> float:
        """The mean loss on these pictures, each with the noise, time and mask that it always has."""
        self.denoiser.eval()
        total = 0.0
        for start in range(0, len(pictures), self.config.batch):
            rows = [self.feed.row(pictures, n) for n in range(start, min(start + self.config.batch, len(pictures)))]
            batch = self.feed.batch(rows)
            losses = diffusion_loss(self.base, self._predict(self.denoiser, batch), batch, self.config.outside)
            total += float(losses.sum())
        self.denoiser.train()
        return total / len(pictures)

    def keep(self, path: Path, story: Mapping[str, Any]) -> None:
        """Write what is trained as a package."""
        keep(path, self.base, self.denoiser, self.config, story)

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def save(self, run: Run, step: int) -> None:
        """Every process writes its part; the writer then puts the folder in its place and removes the one before."""
        folder = run.path / run_folder.CHECKPOINTS
        partial, whole = folder / f"{step:06d}.partial", folder / f"{step:06d}"
        if self.workers.is_writer:
            shutil.rmtree(partial, ignore_errors=True)
        self.workers.barrier()
        self.accelerator.save_state(str(partial))
        self.workers.barrier()
        if self.workers.is_writer:
            shutil.rmtree(whole, ignore_errors=True)
            partial.rename(whole)
            for other in folder.iterdir():
                if other != whole:
                    shutil.rmtree(other, ignore_errors=True)

    def load(self, run: Run) -> int | None:
        folder = run.resumed()
        if folder is None:
            return None
        self.accelerator.load_state(str(folder))
        return int(folder.name)

    def _save_learnt(self, models: list[Any], weights: list[dict[str, Tensor]], folder: str) -> None:
        """Only what is trained: the base lies elsewhere and does not change."""
        del models, folder
        learnt = {name: weight.detach().contiguous() for name, weight in self.denoiser.learnt().items()}
        weights[:] = [learnt]

    def _load_learnt(self, models: list[Any], folder: str) -> None:
        models.clear()
        stored = load_file(Path(folder) / "model.safetensors")
        learnt = self.denoiser.learnt()
        if set(stored) != set(learnt):
            raise BadInput("The checkpoint does not fit the recipe; it cannot be gone on from.")
        with torch.no_grad():
            for name, weight in learnt.items():
                weight.copy_(stored[name])


class Running:
    """Sums of losses since the last line of the log; a checkpoint keeps them."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, losses: Mapping[str, Tensor]) -> None:
        self._count += 1
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + loss.double()

    def means(self, reset: bool) -> dict[str, Tensor | float]:
        means: dict[str, Tensor | float] = {name: total / self._count for name, total in self._sums.items()}
        if reset:
            self._sums, self._count = {}, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"sums": {name: float(total) for name, total in self._sums.items()}, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sums = {name: torch.tensor(total, dtype=torch.float64) for name, total in state["sums"].items()}
        self._count = int(state["count"])


# -- the recipes -------------------------------------------------------------------------------------------------------


def fine_tune_lora(
    config: LoraRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """See :mod:`ml_backend.training.lora`."""
    pictures = records(folder_of(config.data_dir, "data_dir"))
    kept, aside = split(pictures, config.validation, config.seed)
    tuner = _tuner(config, run)
    garments = _garments(config, tuner, run, kept, progress, should_stop)
    measured = Set(aside[: config.validation_most], (), MEASURED)
    if aside:
        found = _garments(config, tuner, run, measured.pictures, progress, should_stop)
        measured = Set(measured.pictures, found, MEASURED)
    habits = Habits(config.flip, config.blank_captions, config.whole_share, GARMENT_SHARE[config.masks])
    feed = Feed(tuner.base, tuner.encoder, habits, config.seed)
    tuner.learn(feed, [Set(kept, garments, LEARNT)])
    _loop(tuner, run, {"recipe": config.recipe}, measured if aside else None, (), progress, should_stop)


def fine_tune_dreambooth(
    config: DreamBoothRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """See :mod:`ml_backend.training.dreambooth`."""
    ours = said(records(folder_of(config.data_dir, "data_dir")), config.instance_prompt)
    tuner = _tuner(config, run, config.prior_weight)
    sets = [Set(ours, _garments(config, tuner, run, ours, progress, should_stop), LEARNT)]
    if config.has_prior:
        kind = said(class_pictures(config, tuner, run, progress, should_stop), config.class_prompt)
        sets.append(Set(kind, _garments(config, tuner, run, kind, progress, should_stop), KIND))
    habits = Habits(config.flip, config.blank_captions, 0.0, GARMENT_SHARE[config.masks])
    feed = Feed(tuner.base, tuner.encoder, habits, config.seed)
    tuner.learn(feed, sets)
    canvases = _canvases(tuner, sets[0]) if tuner.base.inpaints else ()
    story = {"recipe": config.recipe, "prompt": config.instance_prompt}
    _loop(tuner, run, story, None, canvases, progress, should_stop)


def said(pictures: Sequence[Captioned], prompt: str) -> list[Captioned]:
    """The pictures, each under its own caption or else the prompt."""
    return [Captioned(picture.path, picture.text or prompt, picture.mask) for picture in pictures]


def class_pictures(
    config: DreamBoothRecipe, tuner: FineTuner, run: Run, progress: Progress | None, should_stop: ShouldStop | None
) -> list[Captioned]:
    """``class_count`` pictures of the kind: those that are given, and what lacks painted by the base, one a seed.

    The workers share the painting; what is there already is not painted again.
    """
    workers = tuner.workers
    folder = Path(config.class_dir) if config.class_dir else run.path / run_folder.CLASS_IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    given = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    given = [path for path in given if not path.name.startswith(PAINTED)]
    painted = [folder / f"{PAINTED}{number:04d}.png" for number in range(config.class_count - len(given))]
    workers.barrier()  # all have seen what is given before one adds to it
    for number, path in list(enumerate(painted))[workers.rank :: workers.world]:
        if path.exists():
            continue
        check(should_stop)
        tell(progress, number / len(painted), f"Painting class pictures, {number + 1} of {len(painted)}")
        with tuner.accelerator.autocast():
            picture = paint(tuner.base, config, config.class_prompt, [config.seed + number])[0]
        partial = path.with_suffix(".partial")
        picture.save(partial, format="PNG")
        partial.replace(path)
    workers.barrier()
    return [Captioned(path) for path in [*given, *painted][: config.class_count]]


def _tuner(config: FineTuneRecipe, run: Run, prior_weight: float = 0.0) -> FineTuner:
    run.workers.part(config.batch, what="pictures")  # said before anything is loaded
    base = load_base(config.base)
    multiple = base.factor * 2 ** (len(base.unet.config.block_out_channels) - 1)
    if config.resolution % multiple:
        raise BadInput(f"The resolution of {config.base} must be a multiple of {multiple}, not {config.resolution}.")
    return FineTuner(config, base, run.workers, prior_weight)


def _garments(
    config: FineTuneRecipe,
    tuner: FineTuner,
    run: Run,
    pictures: Sequence[Captioned],
    progress: Progress | None,
    should_stop: ShouldStop | None,
) -> list[Mask | None]:
    """The garment in each picture, where the base inpaints and garments are asked for."""
    if not tuner.base.inpaints or config.masks == "random":
        return [None] * len(pictures)
    return find_garments(
        pictures,
        config.segmenter,
        run.path / run_folder.FOUND_MASKS,
        config.resolution,
        run.workers,
        progress=progress,
        should_stop=should_stop,
    )


def _canvases(tuner: FineTuner, pictures: Set) -> list[Canvas]:
    """The first pictures in which a garment was found, to repaint it; else the first, to be painted whole."""
    found = [
        (picture, garment)
        for picture, garment in zip(pictures.pictures, pictures.garments, strict=True)
        if garment is not None
    ]
    return [canvas_of(tuner.encoder, picture.path, garment) for picture, garment in found[: tuner.config.sample_count]]


def _loop(
    tuner: FineTuner,
    run: Run,
    story: Mapping[str, Any],
    measured: Set | None,
    canvases: Sequence[Canvas],
    progress: Progress | None,
    should_stop: ShouldStop | None,
) -> None:
    """To the last step; ``story`` goes into the packages, ``measured`` are the pictures of the validation loss."""
    config = tuner.config
    epoch = config.steps_of_epoch(len(tuner.sets[0]))
    every = config.sample_every or epoch

    def after(step: int) -> None:
        if step % every and step != config.steps:
            return
        if not finite(tuner.denoiser):
            raise LibraryError("The training has left the numbers; choose a smaller learning rate.")
        _show(tuner, run, step, canvases)
        if config.is_lora:
            tuner.keep(run_folder.package_at(run.path, step), story)
        figures = {} if measured is None else {"validation_loss": tuner.validation_loss(measured)}
        run.log(step, epoch=round(step / epoch, 3), **figures)

    def publish(step: int, losses: dict[str, float]) -> None:
        del losses
        if step == config.steps:
            tuner.keep(run.path / run_folder.PACKAGE, story)

    train_loop(
        tuner,
        run,
        steps=config.steps,
        save_every=config.save_every,
        log_every=config.log_every,
        logs=True,
        publish=publish,
        after=after,
        progress=progress,
        should_stop=should_stop,
    )
    package = run.path / run_folder.PACKAGE
    if run.workers.is_writer and not package.exists():  # killed between the last checkpoint and the package
        tuner.keep(package, story)


def _show(tuner: FineTuner, run: Run, step: int, canvases: Sequence[Canvas]) -> None:
    """The pictures of the fixed prompts, one by one and as a sheet."""
    config = tuner.config
    rows = []
    for number, prompt in enumerate(config.sample_prompts):
        seeds = range(SAMPLE_SEED, SAMPLE_SEED + config.sample_count)
        with tuner.accelerator.autocast():
            rows.append(paint(tuner.base, config, prompt, seeds, canvases))
        for place, picture in enumerate(rows[-1]):
            path = run_folder.picture_at(run.path, step, number, place)
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
    if rows:
        run.samples(step, sheet(rows))
