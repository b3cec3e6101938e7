"""The job of the Imagine page: make pictures from nothing."""

from __future__ import annotations

from typing import Any

from ml_backend.models import Job
from ml_backend.serving import jobs

from ..painting import Batch, missing, nothing
from .models import Imagining


def _imaginings(job: Job) -> list[Imagining]:
    return missing(Imagining.objects.all(), job)


@jobs.handler("imagine", possible=_imaginings)
def imagine(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Makes each picture of the batch that is not made yet."""
    rows = _imaginings(job)
    if not rows:
        return nothing
    report(0.01, "Reading the words")
    batch = Batch(job, rows, lambda _, request: imagine_recipe(request.to_dict()))
    return batch.paint("imagine", report, should_stop)


def imagine_recipe(request: dict[str, Any]) -> dict[str, Any]:
    """What makes this picture again."""
    return {"made_with": "Toile", "imagine": request}
