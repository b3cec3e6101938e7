"""The jobs that make patterns."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.lattices import lattice_of
from ml_backend.models import Job
from ml_backend.repair import repair
from ml_backend.requests import GenerateRequest
from ml_backend.serving import jobs, loading
from ml_backend.serving.storage import delete_after_commit

from . import cutting
from .made import still_wanted, wanted
from .models import Pattern
from .services import LargeRequest

UNWANTED = "The pattern is no longer wanted."


def _pattern(job: Job) -> Pattern:
    return wanted(Pattern.objects.filter(job=job), UNWANTED)


def _small_pattern(job: Job) -> Pattern:
    return wanted(Pattern.objects.filter(large_job=job), UNWANTED)


@jobs.handler("generate", possible=_pattern)
def generate(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Fills the pattern that waits for this job."""
    pattern = _pattern(job)
    fabric = _pipeline(pattern.request)(pattern.request, progress=report, should_stop=should_stop)
    report(0.95, "Cutting the tile")
    pattern.palette, pattern.model = list(fabric.palette), fabric.model or ""
    return _filled(job, pattern, fabric.inks)


@jobs.handler("repair", possible=_pattern)
def repair_seams(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Fills the pattern that waits for this job with its parent's inks, mended for the repeat that it is to have."""
    pattern = _pattern(job)
    if pattern.parent is None or not pattern.parent.ready:
        raise BadInput("The fabric that was to be mended was deleted.")
    report(0.1, "Mending the seams")
    inks = repair(cutting.stored_inks(pattern.parent), lattice_of(pattern.repeat))
    report(0.9, "Cutting the tile")
    if should_stop():
        raise Stopped(UNWANTED)
    return _filled(job, pattern, inks)


def _filled(job: Job, pattern: Pattern, inks: npt.NDArray[np.float32]) -> jobs.Publish:
    """The files of a pattern whose palette and model are known, and what publishes them."""
    done = cutting.cut(inks, pattern.palette, pattern.recipe())
    keys = {
        name: jobs.save(job, pattern.folder, f"{name}.{cutting.SUFFIXES[name]}", data)
        for name, data in done.files.items()
    }

    def publish() -> None:
        fields = {
            "palette": pattern.palette,
            "model": pattern.model,
            "colours": done.colours,
            "shares": done.shares,
            **keys,
        }
        still_wanted(Pattern.objects.filter(pk=pattern.pk).update(**fields))

    return publish


@jobs.handler("upscale", possible=_small_pattern)
def upscale(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: a :class:`LargeRequest`.  Makes the pattern again at print size, same inks."""
    pattern = _small_pattern(job)
    request = dataclasses.replace(pattern.request, size=jobs.asked(job, LargeRequest).size)
    image = _again(pattern, request, report, should_stop)
    report(0.9, "Writing the picture")
    content = cutting.png(image, {**pattern.recipe(), "size": request.size})
    key = jobs.save(job, pattern.folder, f"large-{request.size}.png", content)

    def publish() -> None:
        for replaced in Pattern.objects.filter(pk=pattern.pk):
            delete_after_commit(replaced, ("large",))
        still_wanted(Pattern.objects.filter(pk=pattern.pk).update(large=key))

    return publish


def _again(
    pattern: Pattern, request: GenerateRequest, report: jobs.Report, should_stop: jobs.ShouldStop
) -> Image.Image:
    """The pattern at the size of ``request``: made anew, or from its stored inks once its model is no longer kept."""
    if pattern.photographed or pattern.mended:
        return cutting.enlarged(pattern, request.size)
    try:
        pipeline = _pipeline(request)
    except BadPackage:
        return cutting.enlarged(pattern, request.size)
    image: Image.Image = pipeline(request, progress=report, should_stop=should_stop).image
    return image


def _pipeline(request: GenerateRequest) -> Any:
    """The very model the request names, else the one that serves now; a drawn fabric needs none.

    Whether a named one serves was asked when the work was: here its files need only be kept.
    """
    if request.engine == "drawn":
        return loading.pipeline("draw")
    return loading.pipeline("generate", request.model)
