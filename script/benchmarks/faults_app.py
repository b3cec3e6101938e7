"""The worker of the fault drill: Toile's Celery app with one kind of job, quick and easy to check.

``celery -A script.benchmarks.faults_app worker -B``; see :mod:`script.benchmarks.faults`.
"""

from __future__ import annotations

import time
from functools import partial

import django

django.setup()

from django.core.files.storage import default_storage  # noqa: E402

from fashion_site.celery import app  # noqa: E402
from ml_backend.errors import Stopped  # noqa: E402
from ml_backend.models import Job  # noqa: E402
from ml_backend.serving import jobs  # noqa: E402
from patterns.models import Pattern  # noqa: E402

__all__ = ["FOLDER", "KIND", "app"]

KIND = "fault-drill"
FOLDER = "fault-drill"
STEPS = 4
STEP_SECONDS = 0.05


@jobs.handler(KIND)
def drill(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: ``{"parts": n}``.  Each part is a moment of work, a file that is read again, and a published row."""
    parts = job.request["parts"]
    made = set(Pattern.objects.filter(job=job).values_list("seed", flat=True))
    for part in range(parts):
        if part in made:
            continue
        for step in range(STEPS):
            report((part + step / STEPS) / parts, f"Part {part + 1}")
            time.sleep(STEP_SECONDS)
            if should_stop():
                raise Stopped("The claim is gone.")
        content = f"{job.pk} {part}".encode()
        key = jobs.save(job, FOLDER, f"{part}.txt", content)
        with default_storage.open(key) as file:
            assert file.read() == content
        publish = partial(_publish, job, part, key)
        if parts == 1:
            return publish
        jobs.publish_part(job, publish, [key])
    return lambda: None


def _publish(job: Job, part: int, key: str) -> None:
    """Nothing keeps this from happening twice but the jobs themselves."""
    Pattern.objects.create(owner_id=job.owner_id, pattern_type="dotted", seed=part, job=job, tile=key)
