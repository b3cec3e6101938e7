"""The state of a job; the only writer of ``Job.state``.

::

    submit ──> queued ──claim──> running ──finish──> done
                 ^  \\               |  \\──fail────> failed ──retry──> queued
                 |   \\──cancel──────┴─────────────> cancelled ─retry─> queued
                 ├──────sweep (lease expired)──┤
                 └──put_back (store away ...)──┘

Every change of state is one conditional UPDATE whose row count says who won.  Every end, of whatever kind, goes through
:func:`end`, which also ends what waited for the job.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from ...models import Job, ScratchFile
from . import turns
from .doorbell import ring_after_commit
from .kinds import Publish
from .scratch import discard

MAX_ATTEMPTS = 6
"""Workers that one job may see die.  Most deaths are not its doing: an update, a restart, a machine shut off."""
FIRST_PAUSE = 5.0
MOST_PAUSE = 60.0
"""Seconds that a job waits after it met something that is away, the first time and at most; it doubles in between."""

GAVE_UP = "The work stopped part-way six times. Nothing of yours is lost; try again, or try a smaller picture."
NEEDED_FAILED = "A step that this one needs did not finish. Try again to run both."

State = Job.State
ACTIVE = (State.QUEUED, State.RUNNING)
BADLY = (State.FAILED, State.CANCELLED)
"""Ends of jobs that can be tried again."""

_NOT_RUNNING: dict[str, Any] = {"lease": None, "lease_until": None, "stage": "", "preview": b"", "shown": 0}


class LostClaim(Exception):
    """The claim no longer holds: cancelled, swept or deleted."""


@dataclass(frozen=True)
class Claim:
    """The right to write one job's row, until ``lease`` is taken away."""

    job: Job
    lease: uuid.UUID

    def row(self) -> QuerySet[Job]:
        """The job's row as long as this claim holds, else nothing."""
        return Job.objects.filter(pk=self.job.pk, lease=self.lease, state=State.RUNNING)


def claim(queues: str | Sequence[str]) -> Claim | None:
    """Take the queued job whose turn was longest ago; None when nothing waits.

    Exactly one of several workers gets a job; a loser looks again.
    """
    names = [queues] if isinstance(queues, str) else list(queues)
    while (candidate := turns.fairest(names)) is not None:
        lease, now = uuid.uuid4(), timezone.now()
        won = Job.objects.filter(pk=candidate, state=State.QUEUED).update(
            state=State.RUNNING,
            lease=lease,
            lease_until=now + _lease_time(),
            attempt=F("attempt") + 1,
            started_at=now,
            progress=0.0,
            stage="",
            message="",
            not_before=None,
        )
        if won == 1:
            return Claim(Job.objects.get(pk=candidate), lease)
    return None


def beat(claim: Claim) -> bool:
    """Renew the lease; False when the claim is lost."""
    return claim.row().update(lease_until=timezone.now() + _lease_time()) == 1


def should_stop(claim: Claim) -> bool:
    """Whether the claim is lost."""
    return not claim.row().exists()


def _lease_time() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def cancel(job: Job) -> bool:
    """Stop a queued or running job, at once for its owner; False when it had already ended.

    A running worker loses its lease with this very update and learns of it from its heartbeat.
    """
    won = cancel_by_id(job.pk)
    job.refresh_from_db()
    return won


def cancel_by_id(pk: uuid.UUID | None) -> bool:
    """:func:`cancel` for a job that may be gone already."""
    if pk is None:
        return False
    return end(Job.objects.filter(pk=pk, state__in=ACTIVE), pk, State.CANCELLED)


def forgive(job: Job) -> None:
    """Workers that died at the job before count no longer: what they did was kept, and this one has come further."""
    if job.lease is None:
        raise ValueError("Only a claimed job is forgiven.")
    Claim(job, job.lease).row().update(attempt=1, pauses=0)


def publish_part(job: Job, publish: Publish, keys: Iterable[str]) -> None:
    """Publish one finished part of a job that goes on, in one transaction, and keep its files ``keys``.

    What is published stays when the job is cancelled, fails or is taken back later: a handler makes only what is still
    missing.  Raises :class:`LostClaim` once the claim is lost, and whatever ``publish`` raises; then nothing is
    published and the files are deleted.
    """
    if job.lease is None:
        raise ValueError("Only a claimed job publishes.")
    files = ScratchFile.objects.filter(lease=job.lease, key__in=list(keys))
    try:
        with transaction.atomic():
            # A conditional update rather than a look: nobody can take the claim away before this has committed.
            if Claim(job, job.lease).row().update(lease_until=timezone.now() + _lease_time()) != 1:
                raise LostClaim
            publish()
            files.delete()
    except Exception:
        discard(files)
        raise


def finish(claim: Claim, publish: Publish) -> None:
    """End as done and publish the results in the same transaction.  Raises :class:`LostClaim` and publishes nothing."""
    with transaction.atomic():
        if not end(claim.row(), claim.job.pk, State.DONE):
            raise LostClaim
        publish()
        ScratchFile.objects.filter(lease=claim.lease).delete()


def fail(claim: Claim, message: str) -> bool:
    """End as failed with a sentence for the owner; False when the claim was already lost."""
    return end(claim.row(), claim.job.pk, State.FAILED, message)


def end(rows: QuerySet[Job], pk: uuid.UUID, state: State, message: str = "") -> bool:
    """The one way in which a job ends; False when ``rows``, its row as far as the caller may end it, is empty.

    What waits for a job that is done may start now; what waits for one that ended otherwise never can, so it ends too,
    all the way down.
    """
    with transaction.atomic():
        progress: dict[str, Any] = {"progress": 1.0} if state == State.DONE else {}
        won = rows.update(
            state=state,
            not_before=None,
            message=message,
            finished_at=timezone.now(),
            **progress,
            **_NOT_RUNNING,
        )
        if not won:
            return False
        for dependent, queue in Job.objects.filter(after=pk, state=State.QUEUED).values_list("pk", "queue"):
            if state == State.DONE:
                ring_after_commit(queue)
            else:
                end(Job.objects.filter(pk=dependent, state=State.QUEUED), dependent, State.FAILED, NEEDED_FAILED)
    return True


@receiver(pre_delete, sender=Job)
def _end_deleted(instance: Job, **_: Any) -> None:
    """A job whose row goes, with its owner say, ends first: what waits for it ends too, or it would start without."""
    cancel_by_id(instance.pk)


def take_back_expired() -> tuple[int, int]:
    """Queue again the jobs whose lease ran out, and end those that were taken back too often; how many of each."""
    now = timezone.now()
    requeued = failed = 0
    expired = Job.objects.filter(state=State.RUNNING, lease_until__lt=now)
    for pk, lease, attempt, queue in expired.values_list("pk", "lease", "attempt", "queue"):
        held = expired.filter(pk=pk, lease=lease)
        if attempt >= MAX_ATTEMPTS:
            failed += end(held, pk, State.FAILED, GAVE_UP)
            continue
        with transaction.atomic():
            back = held.update(state=State.QUEUED, progress=0.0, rung_at=now, **_NOT_RUNNING)
            if back:
                ring_after_commit(queue)
        requeued += back
    return requeued, failed


def end_hopeless() -> int:
    """Jobs that wait for one that ended badly, by whatever way they came there; the count."""
    waiting = Job.objects.filter(state=State.QUEUED, after__state__in=BADLY).values_list("pk", flat=True).distinct()
    return sum(
        end(Job.objects.filter(pk=pk, state=State.QUEUED, after__state__in=BADLY), pk, State.FAILED, NEEDED_FAILED)
        for pk in list(waiting)
    )


def put_back(claim: Claim, why: str, gave_up: str, *, at_once: bool = False) -> bool:
    """Queue the job again after a pause, for what stopped it was no fault of its own; this attempt does not count.

    ``why`` is what its owner reads meanwhile.  Pauses grow; when they come to ``JOB_OUTAGE_SECONDS`` altogether the job
    fails with ``gave_up``.  With ``at_once`` the first one is left out.  False when the claim was already lost.
    """
    pauses = claim.job.pauses
    if sum(map(pause_after, range(pauses))) >= settings.JOB_OUTAGE_SECONDS:
        return fail(claim, gave_up)
    pause = 0.0 if at_once and pauses == 0 else pause_after(pauses)
    due = timezone.now() + timedelta(seconds=pause)
    with transaction.atomic():
        back = claim.row().update(
            state=State.QUEUED,
            attempt=F("attempt") - 1,
            pauses=pauses + 1,
            not_before=due,
            # As if it had been rung for just so long ago that it is due to be rung for again when the pause is over.
            rung_at=due - timedelta(seconds=settings.JOB_RING_SECONDS),
            progress=0.0,
            message=why,
            **_NOT_RUNNING,
        )
        if back and not pause:
            ring_after_commit(claim.job.queue)
    return back == 1


def pause_after(pauses: int) -> float:
    """Seconds that a job waits when it has waited so often before."""
    return min(FIRST_PAUSE * 2.0 ** min(pauses, 16), MOST_PAUSE)


def queue_again(job: Job) -> None:
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        state=State.QUEUED,
        attempt=0,
        pauses=0,
        not_before=None,
        progress=0.0,
        message="",
        queued_at=now,
        rung_at=now,
        started_at=None,
        finished_at=None,
        **_NOT_RUNNING,
    )
    ring_after_commit(job.queue)
