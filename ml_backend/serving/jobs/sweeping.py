"""Keeping house: what workers leave that die, and what nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from ...models import Job
from . import doorbell, states
from .scratch import discard_lost


@dataclass(frozen=True)
class Swept:
    requeued: int
    failed: int
    rung: int
    files: int


def sweep() -> Swept:
    """Take back jobs of dead workers, ring for jobs that nobody started, delete files of lost claims.

    Safe to run at any time and from several processes at once.
    """
    requeued, failed = states.take_back_expired()
    failed += states.end_hopeless()
    return Swept(requeued, failed, _ring_again(), discard_lost())


MOST_RINGS = 20
"""Of one sweep in one queue: a long one needs no more bells than keep its workers busy until the next sweep."""


def _ring_again() -> int:
    """Ring for jobs that have waited long since the last ring; each sweep claims the ringing of a job only once."""
    now = timezone.now()
    late = now - timedelta(seconds=settings.JOB_RING_SECONDS)
    total = 0
    for queue in doorbell.QUEUES:
        waiting = Job.objects.filter(queue=queue, state=Job.State.QUEUED, rung_at__lt=late)
        longest = list(waiting.order_by("rung_at").values_list("pk", flat=True)[:MOST_RINGS])
        count = waiting.filter(pk__in=longest).update(rung_at=now)
        doorbell.ring(queue, count)
        total += count
    return total


def purge_old() -> int:
    """Delete the rows of jobs that ended long ago; their results stay."""
    old = timezone.now() - timedelta(days=settings.JOB_KEEP_DAYS)
    return Job.objects.exclude(state__in=states.ACTIVE).filter(finished_at__lt=old).delete()[1].get("ml_backend.Job", 0)
