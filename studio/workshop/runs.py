"""Training runs: begun by staff, paused, gone on with, given up; what is kept of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from ml_backend.errors import BadInput
from ml_backend.models import Job, ModelVersion, TrainingRun
from ml_backend.packaging.starter import WEIGHTS_DIR
from ml_backend.serving import curation, jobs, registry, run_copies, training
from ml_backend.training import make_recipe
from ml_backend.training.finetuning import Estimate, FineTuneRecipe, estimate

from ..account.models import User
from . import services
from .models import DataSet
from .presets import STARTER, Preset, config_of

QUEUE = "training"
TRAIN, KEEP = "train", "keep-checkpoint"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
DISK_OF_LORA = 500_000_000
"""Bytes on disk that a run of a LoRA may take: its checkpoints, packages and samples."""

UNFROZEN = "Freeze the data set first: a model learns from what can no longer change."
GONE = "The data set of this run is gone, so it cannot go on. What it has learned so far is kept."
UNNAMED = "Name it with letters, digits, dots, dashes and underscores: people type it."
UNDER_WAY = "This run is under way. Pause it first."
ENDED = "This run is not under way."
NO_PACKAGE = "There is no such checkpoint to make a candidate of yet. Wait for the next one, or go on with the run."
ELSEWHERE = "The checkpoints of this run lie on another machine, or are deleted."


def start(
    by: User, data_set: DataSet, base: ModelVersion | None, preset: Preset, name: str, asked: Mapping[str, Any]
) -> TrainingRun:
    """A run, queued.  Raises :class:`BadInput` with a sentence, also where it would not fit this machine."""
    if not data_set.frozen:
        raise BadInput(UNFROZEN)
    if not _NAME.fullmatch(name):
        raise BadInput(UNNAMED)
    config = config_of(preset, data_set, base, asked)
    if is_here():
        check_fits(make_recipe({**config, "base": str(base_path(base))}))
    with transaction.atomic():
        run = TrainingRun.objects.create(
            owner=by,
            made_for=None if data_set.owner.is_staff else data_set.owner,
            name=name,
            recipe=preset.recipe,
            config=config,
            base=base,
            data_sha256=data_set.sha256,
            data_name=data_set.name,
            job=jobs.submit(by, TRAIN, queue=QUEUE),
        )
        run.run_dir = training.new_folder(run)
        run.save(update_fields=["run_dir"])
    return run


def is_here() -> bool:
    """Whether the worker that trains is on this very machine: it is where the queue is embedded."""
    return str(settings.BROKER_URL).startswith(("sqla+", "memory:"))


def base_path(base: ModelVersion | None) -> Path:
    """The folder of a base on this machine, fetched if need be."""
    return registry.find(base.reference).path if base else WEIGHTS_DIR / STARTER


def check_fits(recipe: FineTuneRecipe) -> Estimate:
    """What it would take.  Raises :class:`BadInput` with the estimate where this machine has not got that now."""
    device = training.device_here()
    needed = estimate(recipe, device)
    free, disk = training.free_memory(device), training.free_disk()
    what = "GPU memory" if device == "cuda" else "memory"
    if needed.bytes > free:
        raise BadInput(
            f"This run would not fit: of {what} {filesizeformat(free)} are free here. {needed.sentence} "
            "Nothing was started; a smaller resolution or batch, or a LoRA, takes less."
        )
    on_disk = DISK_OF_LORA if recipe.is_lora else needed.bytes
    if on_disk > disk:
        raise BadInput(
            f"This run would not fit on the disk: it may need {filesizeformat(on_disk)} and {filesizeformat(disk)} are "
            "free. Nothing was started; delete runs or models that are no longer needed."
        )
    return needed


def prepare(run: TrainingRun) -> dict[str, Any]:
    """The recipe as its child reads it, the data set written beside it.  Raises :class:`BadInput`."""
    data = training.folder_of(run) / training.DATA
    services.write_folder(data_set_of(run), data)
    recipe = {**run.config, "base": str(base_path(run.base)), "data_dir": str(data)}
    check_fits(make_recipe(recipe))
    return recipe


def data_set_of(run: TrainingRun) -> DataSet:
    """Raises :class:`BadInput` when it is deleted."""
    found = DataSet.objects.filter(sha256=run.data_sha256).order_by("frozen_at").first()
    if found is None:
        raise BadInput(GONE)
    return found


def state_of(run: TrainingRun) -> str:
    """``paused``, or as its job stands; a job of long ago is forgotten, and had ended."""
    if run.paused:
        return "paused"
    return run.job.state if run.job is not None else Job.State.DONE


def pause(run: TrainingRun) -> None:
    """Stop it at a checkpoint, to go on later.  Raises :class:`BadInput` when it is not under way."""
    _end(run, paused=True)


def cancel(run: TrainingRun) -> None:
    """Stop it; it can still be gone on with.  Raises :class:`BadInput` when it is neither under way nor paused."""
    if run.paused:
        TrainingRun.objects.filter(pk=run.pk).update(paused=False)
        return
    _end(run, paused=False)


def _end(run: TrainingRun, *, paused: bool) -> None:
    with transaction.atomic():
        if run.job is None or not jobs.cancel(run.job):
            raise BadInput(ENDED)
        TrainingRun.objects.filter(pk=run.pk).update(paused=paused)
    run.refresh_from_db()


def resume(run: TrainingRun) -> None:
    """Go on from the checkpoint.  Raises :class:`BadInput` when it is under way, or its data set is gone."""
    with transaction.atomic():
        data_set_of(run)
        if run.job is None:
            run.job = jobs.submit(run.owner or _nobody(), TRAIN, queue=QUEUE)
        elif not jobs.retry(run.job):
            raise BadInput(UNDER_WAY if run.job.active else ENDED)
        TrainingRun.objects.filter(pk=run.pk).update(paused=False, job=run.job)
    run.refresh_from_db()


def _nobody() -> User:
    raise BadInput("Whoever started this run is gone. Start it anew.")


def ask_keep(run: TrainingRun, by: User, step: int) -> Job:
    """Have a candidate made of the checkpoint of ``step`` (0: the result).  Raises :class:`BadInput`."""
    if step not in run.checkpoints:
        raise BadInput(NO_PACKAGE)
    # Beside a run that is under way: its own queue would wait for its end.
    queue = "default" if is_here() else QUEUE
    return jobs.submit(by, KEEP, {"run": run.pk, "step": step}, queue=queue)


def keep(run: TrainingRun, by: User, step: int, progress: Any = None) -> ModelVersion:
    """Make a candidate of that checkpoint, private to whom the run was made for.  Raises :class:`BadInput`."""
    folder = training.folder_of(run)
    run_copies.fetch(run, folder)
    path = training.package_at(folder, step)
    if not (path / "manifest.json").is_file():
        raise BadInput(ELSEWHERE)
    descent = curation.Descent(
        origin=ModelVersion.Origin.TRAINED,
        owner=run.made_for,
        parent=run.base,
        data_sha256=run.data_sha256,
        data_name=run.data_name,
        recipe={**run.config, "run": run.pk, "step": step or run.config.get("steps", 0)},
    )
    version = curation.add(path, descent=descent, status=ModelVersion.Status.CANDIDATE, by=by, progress=progress)
    TrainingRun.objects.filter(pk=run.pk).update(result=version)
    return version


def forget(run: TrainingRun) -> None:
    """Delete the run with its checkpoints and samples; candidates made of it stay.  Raises :class:`BadInput`."""
    if run.job is not None and run.job.active:
        raise BadInput(UNDER_WAY)
    training.forget(run)
    run.delete()
