"""The life of a job; the only writer of ``Job.state``.

::

    submit ──> queued ──claim──> running ──finish──> done
                 ^  \\               |  \\──fail────> failed ──retry──> queued
                 |   \\──cancel──────┴─────────────> cancelled ─retry─> queued
                 └──────sweep (lease expired)──┘

The row is the truth and a broker message only a doorbell: a worker that hears one claims the fairest queued job of that
queue, whichever it is, so a lost or doubled message harms nothing.  Every change of state is one conditional UPDATE
whose row count says who won.  A claim is held by a lease token that a heartbeat renews; whoever lost the token (cancel,
sweep, deletion) can publish nothing, and what it wrote is deleted.  A job of several parts publishes each as soon as it
is made; those stay whatever becomes of the rest, and a retry makes only what is missing.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, QuerySet, Subquery
from django.utils import timezone

from .errors import BadInput, LibraryError, Stopped
from .models import Job, ScratchFile

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
QUEUES = ("default", "gpu", "training")
State = Job.State

Report = Callable[[float, str], None]
ShouldStop = Callable[[], bool]
Publish = Callable[[], None]
Handler = Callable[[Job, Report, ShouldStop], Publish]

GAVE_UP = "The work stopped part-way three times. Nothing of yours is lost; try again, or try a smaller picture."
TOO_LONG = "This took far longer than it should and was stopped. Nothing of yours is lost; try a smaller picture."
BROKE = "Something went wrong in the workshop. Nothing of yours is lost; please try again."
NEEDED_FAILED = "A step that this one needs did not finish. Try again to run both."

MAX_PREVIEW = 30 * 1024
"""Bytes of a preview: they live in the job's row."""
PREVIEW_PAUSE = 0.5
"""Seconds from one preview to the next."""

_NO_PREVIEW: dict[str, Any] = {"preview": b"", "shown": 0}

_handlers: dict[str, Handler] = {}
_next_preview: dict[uuid.UUID, float] = {}
"""When the claim with that lease may show its next preview."""


class TooManyJobs(BadInput):
    """The person has as many unfinished jobs as one person may have."""


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


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register a function as the one that does jobs of ``kind``."""

    def register(function: Handler) -> Handler:
        if kind in _handlers:
            raise ValueError(f"Two handlers for jobs of kind {kind!r}.")
        _handlers[kind] = function
        return function

    return register


# --- asking for work ----------------------------------------------------------------------------------------------


def submit(
    owner: AbstractBaseUser,
    kind: str,
    request: Mapping[str, Any],
    *,
    queue: str = "default",
    after: Iterable[Job | None] = (),
) -> Job:
    """Write a queued job and ring for it after commit.

    It starts only when all jobs of ``after`` are done (None and finished ones are ignored).  Raises
    :class:`TooManyJobs` above the cap per person, and :class:`BadInput` when a job it needs has failed.
    """
    if kind not in _handlers:
        raise ValueError(f"Nobody does jobs of kind {kind!r}.")
    with transaction.atomic():
        _check_cap(owner)
        job = Job.objects.create(owner_id=owner.pk, kind=kind, request=dict(request), queue=queue)
        named = [one.pk for one in after if one is not None]
        needed = list(Job.objects.select_for_update().filter(pk__in=named).exclude(state=State.DONE))
        if any(not one.active for one in needed):
            raise BadInput(NEEDED_FAILED)
        if needed:
            job.after.set(needed)
        _ring_after_commit(queue)
    return job


def _check_cap(owner: AbstractBaseUser) -> None:
    """Counted under a lock on the person, so that two tabs cannot pass the cap together."""
    get_user_model()._default_manager.select_for_update().filter(pk=owner.pk).first()
    active = Job.objects.filter(owner_id=owner.pk, state__in=(State.QUEUED, State.RUNNING)).count()
    if active >= settings.MAX_ACTIVE_JOBS:
        raise TooManyJobs(
            f"You already have {active} pieces of work under way. Wait for some to finish, or cancel them."
        )


def _ring_after_commit(queue: str, times: int = 1) -> None:
    transaction.on_commit(lambda: ring(queue, times))


def ring(queue: str, times: int = 1) -> None:
    """Tell the workers of ``queue`` that work waits.

    A broker that does not answer is only logged: the sweeper rings again.
    """
    from .tasks import work

    # Past its limit a job is asked to stop; a process that does not hear even that is killed a minute later.
    limit = None if queue == "training" else settings.JOB_MAX_SECONDS + 60
    for _ in range(times):
        try:
            work.apply_async(args=[queue], queue=queue, expires=settings.JOB_RING_SECONDS * 2, time_limit=limit)
        except Exception:
            log.exception("The broker did not take a message for queue %s; the sweeper will ring again.", queue)
            return


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
    with transaction.atomic():
        won = Job.objects.filter(pk=pk, state__in=(State.QUEUED, State.RUNNING)).update(
            state=State.CANCELLED, lease=None, lease_until=None, finished_at=timezone.now(), stage="", **_NO_PREVIEW
        )
        if won:
            _fail_dependents([pk])
    return won == 1


def retry(job: Job) -> bool:
    """Queue a failed or cancelled job again, and with it whatever it needs that also ended; False if it had not."""
    with transaction.atomic():
        for needed in job.after.filter(state__in=(State.FAILED, State.CANCELLED)):
            retry(needed)
        now = timezone.now()
        won = Job.objects.filter(pk=job.pk, state__in=(State.FAILED, State.CANCELLED)).update(
            state=State.QUEUED,
            attempt=0,
            lease=None,
            lease_until=None,
            progress=0.0,
            stage="",
            message="",
            queued_at=now,
            rung_at=now,
            started_at=None,
            finished_at=None,
        )
        if won:
            _ring_after_commit(job.queue)
    job.refresh_from_db()
    return won == 1


def place(job: Job) -> int:
    """Place in the queue: 1 starts next.  0 when the job is not waiting."""
    return places([job])[job.pk]


def places(jobs: Iterable[Job]) -> dict[uuid.UUID, int]:
    """Places in the queue of all of ``jobs``, in two queries however many they are; see :func:`place`.

    People take turns, so a job with k of its owner's before it waits for at most k+1 of each other person's.
    """
    jobs = list(jobs)
    found = dict.fromkeys((job.pk for job in jobs), 0)
    parties = {(job.queue, job.owner_id) for job in jobs if job.state == State.QUEUED}
    if not parties:
        return found
    lines = _lines({queue for queue, _ in parties})
    waiting = Job.objects.filter(state=State.QUEUED, queue__in=lines, owner__in={owner for _, owner in parties})
    own: Counter[tuple[str, Any]] = Counter()
    for queue, owner, pk in waiting.order_by("queued_at", "pk").values_list("queue", "owner", "pk"):
        if pk in found and owner in lines[queue]:
            found[pk] = own[queue, owner] + _ahead(lines[queue], owner, own[queue, owner]) + 1
        own[queue, owner] += 1
    return found


@dataclass(frozen=True)
class _Line:
    """One person's jobs in a queue: when their turn is, and how many wait."""

    turn: tuple[float, datetime]
    count: int


def _lines(queues: Iterable[str]) -> dict[str, dict[Any, _Line]]:
    """Queue -> person -> their line."""
    lines: dict[str, dict[Any, _Line]] = {queue: {} for queue in queues}
    queued = Job.objects.filter(queue__in=lines, state=State.QUEUED).values("queue", "owner").order_by()
    for row in queued.annotate(first=Min("queued_at"), count=Count("pk"), last=_last_start()):
        lines[row["queue"]][row["owner"]] = _Line((_turn(row["last"]), row["first"]), row["count"])
    return lines


def _ahead(line: Mapping[Any, _Line], owner: Any, own: int) -> int:
    """How many of other people's jobs start before the one that has ``own`` of its owner's before it."""
    mine = line[owner].turn
    return sum(min(other.count, own + (other.turn < mine)) for party, other in line.items() if party != owner)


def _turn(last: Any) -> float:
    """Sort key of a person's turn: who never had one comes first."""
    return last.timestamp() if last else 0.0


def _last_start() -> Subquery:
    """When the owner of the outer row last had a job of that queue started."""
    starts = Job.objects.filter(owner=OuterRef("owner"), queue=OuterRef("queue")).order_by()
    return Subquery(starts.values("owner").annotate(last=Max("started_at")).values("last"))


# --- doing work ---------------------------------------------------------------------------------------------------


def claim(queues: str | Sequence[str]) -> Claim | None:
    """Take the queued job whose owner has waited longest for a turn; None when nothing waits.

    Exactly one of several workers gets a job; a loser looks again.
    """
    names = [queues] if isinstance(queues, str) else list(queues)
    while (candidate := _fairest(names)) is not None:
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
        )
        if won == 1:
            return Claim(Job.objects.get(pk=candidate), lease)
    return None


def _fairest(queues: Sequence[str]) -> uuid.UUID | None:
    unmet = Job.after.through.objects.filter(from_job=OuterRef("pk")).exclude(to_job__state=State.DONE)
    waiting = Job.objects.filter(queue__in=queues, state=State.QUEUED).filter(~Exists(unmet))
    turns = waiting.annotate(last=_last_start()).order_by(F("last").asc(nulls_first=True), "queued_at", "pk")
    return turns.values_list("pk", flat=True).first()


def _lease_time() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def beat(claim: Claim) -> bool:
    """Renew the lease; False when the claim is lost."""
    return claim.row().update(lease_until=timezone.now() + _lease_time()) == 1


def report(claim: Claim, progress: float, stage: str) -> bool:
    """Show ``progress`` (0 to 1) and the stage in words; False when the claim is lost."""
    return claim.row().update(progress=min(max(progress, 0.0), 1.0), stage=stage[:120]) == 1


def should_stop(claim: Claim) -> bool:
    """Whether the claim is lost."""
    return not claim.row().exists()


def show(job: Job, picture: bytes | Callable[[], bytes]) -> bool:
    """Show its owner what the picture in work looks like so far; True if it was shown.

    ``picture`` is a small WebP or JPEG, or makes one when it is asked for; what comes faster than twice a second, is
    larger than :data:`MAX_PREVIEW` or from a lost claim is not shown.
    """
    if job.lease is None:
        raise ValueError("Only a claimed job shows previews.")
    now = time.monotonic()
    if now < _next_preview.get(job.lease, 0.0):
        return False
    _next_preview[job.lease] = now + PREVIEW_PAUSE
    data = picture if isinstance(picture, bytes) else picture()
    if len(data) > MAX_PREVIEW:
        return False
    return Claim(job, job.lease).row().update(preview=data, shown=F("shown") + 1) == 1


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
        _discard(files)
        raise


def finish(claim: Claim, publish: Publish) -> None:
    """End as done and publish the results in the same transaction.  Raises :class:`LostClaim` and publishes nothing."""
    with transaction.atomic():
        ended = claim.row().update(
            state=State.DONE,
            lease=None,
            lease_until=None,
            progress=1.0,
            stage="",
            finished_at=timezone.now(),
            **_NO_PREVIEW,
        )
        if ended != 1:
            raise LostClaim
        publish()
        ScratchFile.objects.filter(lease=claim.lease).delete()
        for queue in Job.objects.filter(after=claim.job.pk, state=State.QUEUED).values_list("queue", flat=True):
            _ring_after_commit(queue)


def fail(claim: Claim, message: str) -> bool:
    """End as failed with a sentence for the owner; False when the claim was already lost."""
    with transaction.atomic():
        ended = claim.row().update(
            state=State.FAILED,
            lease=None,
            lease_until=None,
            message=message,
            stage="",
            finished_at=timezone.now(),
            **_NO_PREVIEW,
        )
        if ended:
            _fail_dependents([claim.job.pk])
    return ended == 1


def _fail_dependents(pks: Sequence[uuid.UUID]) -> None:
    """What waits for an ended job can never start: say so, all the way down."""
    waiting = list(Job.objects.filter(after__in=pks, state=State.QUEUED).values_list("pk", flat=True))
    if not waiting:
        return
    Job.objects.filter(pk__in=waiting, state=State.QUEUED).update(
        state=State.FAILED, message=NEEDED_FAILED, finished_at=timezone.now()
    )
    _fail_dependents(waiting)


def save(job: Job, folder: str, name: str, data: bytes) -> str:
    """Write ``data`` to storage under a key of this attempt and return it.

    Deleted again unless the claim finishes or :func:`publish_part` keeps it.
    """
    return default_storage.save(job.scratch(job.key(folder, name)), ContentFile(data))


def run(claim: Claim, *, beating: bool = True) -> None:
    """Do a claimed job to its end, whichever that is.  Never raises for what the handler does.

    ``beating`` False runs without the heartbeat thread, for callers that hold an open transaction.
    """
    job = claim.job
    heart: Heart | None = Heart(claim) if beating else None
    watch: AbstractContextManager[object] = heart or nullcontext()
    try:
        with watch:
            publish = _handlers[job.kind](job, _Reporter(claim), heart.stopped if heart else lambda: should_stop(claim))
            finish(claim, publish)
    except LostClaim:
        log.info("%s: the claim was lost, its result is dropped.", job)
    except Stopped:
        if heart is not None and heart.overdue:
            fail(claim, TOO_LONG)
        claim.row().update(
            state=State.CANCELLED, lease=None, lease_until=None, stage="", finished_at=timezone.now(), **_NO_PREVIEW
        )
    except LibraryError as error:
        fail(claim, str(error))
    except Exception:
        log.exception("%s broke.", job)
        fail(claim, BROKE)
    finally:
        _next_preview.pop(claim.lease, None)
        _discard(ScratchFile.objects.filter(lease=claim.lease))


def work_off(queues: str | Sequence[str], *, beating: bool = True, most: int | None = None) -> int:
    """Claim and run until nothing waits (or ``most`` are done); returns how many were run."""
    count = 0
    while (most is None or count < most) and (claimed := claim(queues)) is not None:
        run(claimed, beating=beating)
        count += 1
    return count


class _Reporter:
    """Progress to the row, at most four times a second, a new stage at once."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.stage = ""
        self.next = 0.0

    def __call__(self, progress: float, stage: str) -> None:
        now = time.monotonic()
        if stage == self.stage and now < self.next:
            return
        self.stage, self.next = stage, now + 0.25
        report(self.claim, progress, stage)


class Heart(AbstractContextManager["Heart"]):
    """A thread that renews a claim's lease on its own database connection and notices when it is taken away.

    It looks every second (a cancel is noticed by then) and renews four times per lease time.  A job past its time limit
    is no longer renewed, so the sweeper takes it back from a worker that hangs.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.overdue = False
        self._lost = threading.Event()
        self._over = threading.Event()
        self._deadline = time.monotonic() + settings.JOB_MAX_SECONDS if claim.job.queue != "training" else float("inf")
        self._thread = threading.Thread(target=self._run, name=f"heart {claim.job.pk}", daemon=True)

    def stopped(self) -> bool:
        """Whether the work should stop."""
        return self._lost.is_set()

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        renew = settings.JOB_LEASE_SECONDS / 4
        look = min(1.0, renew)
        next_beat = time.monotonic() + renew
        try:
            while not self._over.wait(look):
                if time.monotonic() > self._deadline:
                    self.overdue = True
                    self._lost.set()
                    return
                if time.monotonic() >= next_beat:
                    next_beat = time.monotonic() + renew
                    held = self._ask(lambda: beat(self.claim))
                else:
                    held = self._ask(lambda: not should_stop(self.claim))
                if not held:
                    self._lost.set()
                    return
        finally:
            connection.close()

    def _ask(self, question: Callable[[], bool]) -> bool:
        """A database that does not answer for a moment is no reason to drop the work."""
        try:
            return question()
        except Exception:
            log.exception("Heartbeat of %s missed.", self.claim.job)
            connection.close()
            return True


# --- keeping house ------------------------------------------------------------------------------------------------


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
    now = timezone.now()
    requeued = failed = 0
    expired = Job.objects.filter(state=State.RUNNING, lease_until__lt=now)
    for pk, lease, attempt, queue in expired.values_list("pk", "lease", "attempt", "queue"):
        held = Job.objects.filter(pk=pk, lease=lease, state=State.RUNNING, lease_until__lt=now)
        with transaction.atomic():
            if attempt >= MAX_ATTEMPTS:
                ended = held.update(
                    state=State.FAILED,
                    lease=None,
                    lease_until=None,
                    message=GAVE_UP,
                    stage="",
                    finished_at=now,
                    **_NO_PREVIEW,
                )
                if ended:
                    _fail_dependents([pk])
                failed += ended
                continue
            back = held.update(
                state=State.QUEUED, lease=None, lease_until=None, progress=0.0, stage="", rung_at=now, **_NO_PREVIEW
            )
            if back:
                _ring_after_commit(queue)
            requeued += back
    return Swept(requeued, failed, _ring_again(), _discard_lost())


def _ring_again() -> int:
    """Ring for jobs that have waited long since the last ring; each sweep claims the ringing of a job only once."""
    now = timezone.now()
    late = now - timedelta(seconds=settings.JOB_RING_SECONDS)
    total = 0
    for queue in QUEUES:
        count = Job.objects.filter(queue=queue, state=State.QUEUED, rung_at__lt=late).update(rung_at=now)
        ring(queue, count)
        total += count
    return total


def _discard_lost() -> int:
    """Files whose claim is long gone; the delay leaves time to a worker that is still cleaning up after itself."""
    old = timezone.now() - timedelta(seconds=settings.JOB_LEASE_SECONDS * 2)
    held = Job.objects.filter(lease=OuterRef("lease"))
    return _discard(ScratchFile.objects.filter(~Exists(held), created_at__lt=old))


def _discard(files: QuerySet[ScratchFile]) -> int:
    """Delete scratch files, then their rows; the count.  A storage error leaves the row for the next sweep."""
    count = 0
    for pk, key in list(files.values_list("pk", "key")):
        try:
            default_storage.delete(key)
        except Exception:  # botocore's errors are no OSErrors
            log.exception("Could not delete %s; the sweeper will try again.", key)
            continue
        ScratchFile.objects.filter(pk=pk).delete()
        count += 1
    return count


def purge_old() -> int:
    """Delete the rows of jobs that ended long ago; their results stay."""
    old = timezone.now() - timedelta(days=settings.JOB_KEEP_DAYS)
    ended = (State.DONE, State.FAILED, State.CANCELLED)
    return Job.objects.filter(state__in=ended, finished_at__lt=old).delete()[1].get("ml_backend.Job", 0)
