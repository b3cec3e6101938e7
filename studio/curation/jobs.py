"""The jobs of curation: two versions answer the same questions, and an uploaded model is taken in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.storage import default_storage

from ml_backend.errors import BadInput, LibraryError, Stopped
from ml_backend.images import encoded
from ml_backend.models import Job, ModelVersion
from ml_backend.serving import curation, jobs, loading, registry
from patterns.made import still_wanted, wanted

from ..photos.models import Garment
from . import comparing, uploading
from .comparing import Question
from .models import SIDES, ComparedPicture, Comparison, ModelUpload

if TYPE_CHECKING:
    from PIL.Image import Image

Painter = Callable[[Question], tuple["Image | None", str]]
"""A picture, or why there is none."""

SIDE = 512
"""Pixels that a picture of a comparison may have on its longer side."""


def _comparison(job: Job) -> Comparison:
    return wanted(Comparison.objects.filter(job=job), "This comparison is no longer wanted.")


@jobs.handler("compare", possible=_comparison)
def compare(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Has each side answer the questions that it has not answered yet; every picture is there as soon as it is made."""
    comparison = _comparison(job)
    questions = comparing.asked_of(comparison)
    known = set(comparison.cells.values_list("number", "side"))
    missing = [(side, one) for side in SIDES for one in questions if (one.number, side) not in known]
    for side in SIDES:
        with ExitStack() as stack:
            mine = [one for where, one in missing if where == side]
            paint = _painter(comparison, side, should_stop, stack) if mine else None
            for question in mine:
                report(len(known) / (2 * len(questions)), f"{question}")
                if should_stop():
                    raise Stopped("Stopped as asked.")
                assert paint is not None  # there is something to answer
                _keep(job, comparison, question, side, *paint(question))
                known.add((question.number, side))
    return lambda: None


def _painter(comparison: Comparison, side: str, should_stop: jobs.ShouldStop, stack: ExitStack) -> Painter:
    """What answers questions for that side, its model loaded; a LoRA is lent to the model that serves."""
    reference = comparison.one if side == "one" else comparison.other
    row = comparing.version_of(reference)
    base = comparing.version_of(comparison.one)
    loras: list[ModelVersion] = [row] if row is not None and row.capability == "lora" else []
    alone = base is not None and base.capability == "lora"
    stack.enter_context(registry.lending(loras))
    work = comparison.work
    pipeline = loading.pipeline(work if work == "generate" else f"{work}-diffusion", None if alone else reference)

    def paint(question: Question) -> tuple[Image | None, str]:
        request = comparing.request_of(work, question, [lora.name for lora in loras])
        if work == "generate":
            return pipeline(request, should_stop=should_stop).image, ""
        given = _garment(question.garment) if work == "restyle" else ()
        made = pipeline(*given, [request], should_stop=should_stop)[0]
        return made.image, made.refused

    return paint


def _garment(slug: str) -> tuple[Any, Any]:
    """Photograph and cloth of a garment of the house.  Raises :class:`BadInput`."""
    from .. import pictures

    garment = Garment.objects.filter(slug=slug).first()
    if garment is None:
        raise BadInput(f"The garment {slug} is no longer here.")
    return pictures.load(str(garment.image), "RGB"), pictures.load_mask(str(garment.mask))


def _keep(job: Job, comparison: Comparison, question: Question, side: str, image: Image | None, refused: str) -> None:
    cell = ComparedPicture(comparison=comparison, number=question.number, side=side, refused=refused)
    if image is not None and not refused:
        small = image.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        cell.file = jobs.save(job, cell.folder, f"{cell.pk}.webp", encoded(small, format="WEBP", quality=90))

    def publish() -> None:
        still_wanted(Comparison.objects.filter(pk=comparison.pk).update(job=job))
        cell.save()

    jobs.publish_part(job, publish, [str(cell.file)] if cell.file else [])


def _upload(job: Job) -> ModelUpload:
    upload = wanted(ModelUpload.objects.filter(job=job), "This upload is no longer wanted.")
    if not upload.parts:
        raise BadInput(uploading.GONE)
    return upload


@jobs.handler("take-model", possible=_upload)
def take_model(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Puts the parts of an upload together and keeps the model as a draft, checked as one that is pulled.

    A file that is no model is deleted at once, and whoever sent it reads why.
    """
    upload = _upload(job)
    downloads: Path = settings.DATA_DIR / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads) as fresh:
        path = Path(fresh) / upload.name
        _join(upload, path, report, should_stop)
        try:
            version = curation.pull(
                str(path),
                descent=curation.Descent(origin=curation.Origin.UPLOADED),
                status=curation.Status.DRAFT,
                by=upload.owner,
                progress=lambda done, stage: report(0.5 + done / 2, stage),
            )
        except Stopped:
            raise
        except LibraryError:
            uploading.forget_parts(upload)
            raise

    def publish() -> None:
        still_wanted(ModelUpload.objects.filter(pk=upload.pk).update(version=version))
        uploading.forget_parts(upload)

    return publish


def _join(upload: ModelUpload, path: Path, report: jobs.Report, should_stop: jobs.ShouldStop) -> None:
    """Raises :class:`BadInput` where the parts are not the file that was promised."""
    with path.open("wb") as whole:
        for number, key in enumerate(upload.parts):
            report(number / len(upload.parts) / 2, "Putting the parts together")
            if should_stop():
                raise Stopped("Stopped as asked.")
            try:
                with default_storage.open(key) as part:
                    shutil.copyfileobj(part, whole)
            except FileNotFoundError as error:
                raise BadInput(uploading.GONE) from error
    if path.stat().st_size != upload.size:
        raise BadInput(uploading.GONE)
