"""A Celery app with a few kinds of jobs for the tests that need a worker: quick ones, broken ones, some with a model.

``celery -A tests.jobs.kill_app worker`` works; ``python -m tests.jobs.kill_app USERNAME COUNT`` submits.
"""

from __future__ import annotations

import os
import sys
import time

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402

from fashion_site.celery import app  # noqa: E402
from ml_backend.serving import jobs, registry  # noqa: E402
from patterns.models import Pattern  # noqa: E402

__all__ = ["app"]


@jobs.handler("quick")
def quick(job, report, should_stop):
    """A third of a second of work, one file, one published row."""
    for step in range(6):
        report(step / 6, "working")
        time.sleep(0.05)
    key = jobs.save(job, "quick", "result.txt", str(job.pk).encode())

    def publish():
        Pattern.objects.create(owner_id=job.owner_id, pattern_type="dotted", seed=job.request["n"], job=job, tile=key)

    return publish


@jobs.handler("breaks")
def breaks(job, report, should_stop):
    """The first process that tries is beyond repair; the next one says which it is."""
    seen = settings.DATA_DIR / "pids"
    seen.open("a").write(f"{os.getpid()}\n")
    if len(seen.read_text().split()) == 1:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    return lambda: None


@jobs.handler("segments")
def segments(job, report, should_stop):
    """Asks for the model that serves, or the very one that the request names, and keeps which one that was."""
    named = job.request["model"]
    package = registry.find(named) if named else registry.serving("segment")

    def publish():
        Pattern.objects.create(
            owner_id=job.owner_id, pattern_type="dotted", seed=1, job=job, model=package.manifest.reference
        )

    return publish


if __name__ == "__main__":
    owner = get_user_model().objects.get(username=sys.argv[1])
    for n in range(int(sys.argv[2])):
        jobs.submit(owner, "quick", {"n": n})
