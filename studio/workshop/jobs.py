"""The jobs of the workshop: look at the pictures of a data set, train, make a candidate of a checkpoint."""

from __future__ import annotations

import hashlib
import logging
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from ml_backend.errors import BadInput, Stopped
from ml_backend.images import encoded
from ml_backend.models import Job, TrainingRun
from ml_backend.serving import jobs, loading, training
from patterns.made import still_wanted, wanted

from ..account.models import User
from . import runs, services
from .models import DataSet, TrainingPicture

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


def _data_set(job: Job) -> DataSet:
    return wanted(DataSet.objects.filter(job=job, sha256=""), "These pictures are no longer wanted.")


@jobs.handler("look-at-pictures", possible=_data_set)
def look_at_pictures(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Squares each picture of the data set that is not square yet, and suggests a caption; each is kept at once."""
    data_set = _data_set(job)
    describe = loading.pipeline("describe")
    for done, picture in enumerate(_waiting(data_set)):
        if should_stop():
            raise Stopped("These pictures are no longer wanted.")
        report(done / max(1, data_set.pictures.count()), f"Looking at picture {picture.number}")
        _look_at(job, data_set, picture, describe)

    def publish() -> None:
        for again in DataSet.objects.filter(pk=data_set.pk).select_related("owner", "job"):
            try:
                services.look(again)  # what came in since the last look found somebody at work, and did not ask
            except BadInput as error:
                log.info("%s waits to be looked at: %s", again.pk, error)

    return publish


def _waiting(data_set: DataSet) -> Iterator[TrainingPicture]:
    """Those that are not square, also those that come while the others are looked at."""
    seen: set[Any] = set()
    while (picture := data_set.pictures.filter(file="").exclude(pk__in=seen).first()) is not None:
        seen.add(picture.pk)
        yield picture


def _look_at(job: Job, data_set: DataSet, picture: TrainingPicture, describe: Any) -> None:
    from .. import pictures

    image = square(pictures.load(str(picture.image), "RGB"), data_set.shape, data_set.side)
    seen = describe(image)
    contents = {"file": encoded(image, format="PNG", compress_level=6)}
    if seen.mask is not None:
        contents["mask"] = encoded(Image.fromarray(np.rint(seen.mask * 255).astype(np.uint8)), format="PNG")
    keys = {name: jobs.save(job, picture.folder, f"{name}.png", content) for name, content in contents.items()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    fields = {**keys, "sha256": hashes["file"], "mask_sha256": hashes.get("mask", ""), "suggestion": seen.caption}

    def publish() -> None:
        as_it_was = {"data_set__shape": data_set.shape, "data_set__side": data_set.side, "file": ""}
        still_wanted(TrainingPicture.objects.filter(pk=picture.pk, **as_it_was).update(**fields))
        TrainingPicture.objects.filter(pk=picture.pk, caption="").update(caption=seen.caption)

    try:
        jobs.publish_part(job, publish, keys.values())
    except Stopped:  # taken out meanwhile, or to be squared otherwise
        return


def square(image: Image.Image, shape: str, side: int) -> Image.Image:
    """The middle of ``image``, or all of it on the mean colour of its edge, as a square of ``side`` pixels."""
    if shape == DataSet.Shape.CROP:
        return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    return ImageOps.pad(image, (side, side), Image.Resampling.LANCZOS, color=_edge(image))


def _edge(image: Image.Image) -> tuple[int, ...]:
    """The mean colour along the long sides of the picture, which the margin continues."""
    rgb = np.asarray(image)
    ends = (rgb[0], rgb[-1]) if image.width > image.height else (rgb[:, 0], rgb[:, -1])
    return tuple(int(value) for value in np.concatenate(ends).mean(axis=0).round())


def _run(job: Job) -> TrainingRun:
    return wanted(
        TrainingRun.objects.select_related("base", "made_for", "job").filter(job=job), "This run is no longer wanted."
    )


def _can_go_on(job: Job) -> None:
    runs.data_set_of(_run(job))


@jobs.handler(runs.TRAIN, possible=_can_go_on)
def train(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Trains the run in a child process, from its checkpoint if it has one."""
    run = _run(job)
    report(0.0, "Laying out the pictures")
    recipe = runs.prepare(run)
    steps = int(run.config.get("steps") or 1)
    reached, _ = training.stands(training.folder_of(run), steps)

    def progress(share: float, stage: str) -> None:
        nonlocal reached
        report(share, stage)
        if share > reached:  # further than any worker before: those that died at it had not worked in vain
            jobs.forgive(job)
            reached = 1.0

    try:
        training.attend(run, recipe, progress=progress, should_stop=should_stop, steps=steps)
    finally:
        # The pictures are their owner's: they lie here no longer than they are learned from.
        shutil.rmtree(training.folder_of(run) / training.DATA, ignore_errors=True)

    def publish() -> None:
        still_wanted(TrainingRun.objects.filter(pk=run.pk).update(paused=False))

    return publish


def _kept(job: Job) -> TrainingRun:
    return wanted(
        TrainingRun.objects.select_related("base", "made_for").filter(pk=job.request["run"]),
        "This run is no longer there.",
    )


@jobs.handler(runs.KEEP, possible=_kept)
def keep_checkpoint(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:  # noqa: ARG001
    """Makes a candidate of one checkpoint of a run."""
    runs.keep(_kept(job), User.objects.get(pk=job.owner_id), int(job.request["step"]), report)
    return lambda: None
