"""The life of a job; the only writer of ``Job.state``.

::

    submit ──> queued ──claim──> running ──finish──> done
                 ^  \\               |  \\──fail────> failed ──retry──> queued
                 |   \\──cancel──────┴─────────────> cancelled ─retry─> queued
                 ├──────sweep (lease expired)──┤
                 └──put_back (store away ...)──┘

The row is the truth and a broker message only a doorbell: a worker that hears one claims the fairest queued job of that
queue, whichever it is, so a lost or doubled message harms nothing.  Every change of state is one conditional UPDATE
whose row count says who won.  A claim is held by a lease token that a heartbeat renews; whoever lost the token (cancel,
sweep, deletion) can publish nothing, and what it wrote is deleted.  A job of several parts publishes each as soon as it
is made; those stay whatever becomes of the rest, and a retry makes only what is missing.  Every end, of whatever kind,
goes through :func:`_end`, which also ends what waited for the job.  What :mod:`.faults` tells to be no fault of the job
(a store or database that is away, a process that broke) costs it no attempt: it is put back and waits a while.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from ..errors import BadInput, LibraryError, Stopped
from ..models import Job, ScratchFile
from . import faults
from .storage import check_room, forget, keep

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 6
"""Workers that one job may see die.  Most deaths are not its doing: an update, a restart, a machine shut off."""
FIRST_PAUSE = 5.0
MOST_PAUSE = 60.0
"""Seconds that a job waits after it met something that is away, the first time and at most; it doubles in between."""
QUIET_SECONDS = 3.0
"""A broker that did not take a message is left alone for so long: a press that rings for ten jobs waits once."""
QUEUES = ("default", "gpu", "training")
State = Job.State

Report = Callable[[float, str], None]
ShouldStop = Callable[[], bool]
Publish = Callable[[], None]
Handler = Callable[[Job, Report, ShouldStop], Publish]
Check = Callable[[Job], object]

GAVE_UP = "The work stopped part-way six times. Nothing of yours is lost; try again, or try a smaller picture."
TOO_LONG = "This took far longer than it should and was stopped. Nothing of yours is lost; try a smaller picture."
BROKE = "Something went wrong in the workshop. Nothing of yours is lost; please try again."
NEEDED_FAILED = "A step that this one needs did not finish. Try again to run both."
WORKER_REPLACED = "The worker had to be started afresh."
STAYED_AWAY = "{what} did not answer for {minutes} minutes. Nothing of yours is lost; please try again later."

MAX_PREVIEW = 30 * 1024
"""Bytes of a preview: they live in the job's row."""
PREVIEW_PAUSE = 0.5
"""Seconds from one preview to the next."""

_NO_PREVIEW: dict[str, Any] = {"preview": b"", "shown": 0}

_ENDED = (State.FAILED, State.CANCELLED)

_handlers: dict[str, Handler] = {}
_checks: dict[str, Check] = {}
_quiet_until = 0.0
_next_preview: dict[uuid.UUID, float] = {}
"""When the claim with that lease may show its next preview."""


Gate = Callable[[AbstractBaseUser], None]

_gates: list[Gate] = []


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


def handler(kind: str, possible: Check | None = None) -> Callable[[Handler], Handler]:
    """Register a function as the one that does jobs of ``kind``.

    ``possible`` looks whether what such a job works on is still there before it is tried again, and raises a
    :class:`LibraryError` whose sentence says what is gone.  It runs in web processes and must be quick.
    """

    def register(function: Handler) -> Handler:
        if kind in _handlers:
            raise ValueError(f"Two handlers for jobs of kind {kind!r}.")
        _handlers[kind] = function
        _checks[kind] = possible or _always
        return function

    return register


def _always(_: Job) -> None:
    """What such a job works on cannot go away."""


# --- asking for work ----------------------------------------------------------------------------------------------


def gate(function: Gate) -> Gate:
    """Register a function that may refuse a person's next job by raising :class:`BadInput`, whoever asks for it."""
    if function not in _gates:
        _gates.append(function)
    return function


def turn_of(owner: AbstractBaseUser) -> str:
    """Whose turn a job of ``owner`` takes: their own, unless their ``turn`` says that they share one."""
    return str(getattr(owner, "turn", "") or f"person {owner.pk}")


def share_turn(owner: AbstractBaseUser) -> None:
    """Give the jobs of ``owner`` the turn that is theirs now."""
    Job.objects.filter(owner_id=owner.pk).update(turn=turn_of(owner))


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
    :class:`TooManyJobs` above the cap per person, ``NoRoom`` without room for results, and :class:`BadInput` when a
    job it needs has failed or a gate is shut.
    """
    if kind not in _handlers:
        raise ValueError(f"Nobody does jobs of kind {kind!r}.")
    with transaction.atomic():
        _check_cap(owner.pk)
        check_room(owner)
        for allows in _gates:
            allows(owner)
        job = Job.objects.create(owner_id=owner.pk, turn=turn_of(owner), kind=kind, request=dict(request), queue=queue)
        named = [one.pk for one in after if one is not None]
        needed = list(Job.objects.select_for_update().filter(pk__in=named).exclude(state=State.DONE))
        if any(not one.active for one in needed):
            raise BadInput(NEEDED_FAILED)
        if needed:
            job.after.set(needed)
        _ring_after_commit(queue)
    return job


def _check_cap(owner: Any, more: int = 1) -> None:
    """Whether the person with that key may have ``more`` jobs; raises :class:`TooManyJobs`."""
    _lock_person(owner)
    active = Job.objects.filter(owner_id=owner, state__in=(State.QUEUED, State.RUNNING)).count()
    if active + more > settings.MAX_ACTIVE_JOBS:
        raise TooManyJobs(
            f"You already have {active} pieces of work under way. Wait for some to finish, or cancel them."
        )


def _lock_person(pk: Any) -> None:
    """Two tabs that ask together take turns, so they cannot pass the cap together."""
    get_user_model()._default_manager.select_for_update().filter(pk=pk).first()


def _ring_after_commit(queue: str, times: int = 1) -> None:
    transaction.on_commit(lambda: ring(queue, times))


def ring(queue: str, times: int = 1) -> None:
    """Tell the workers of ``queue`` that work waits.

    A broker that does not answer is only logged, and left alone for a moment: the sweeper rings again.
    """
    global _quiet_until
    from ..tasks import work

    if time.monotonic() < _quiet_until:
        log.info("Queue %s is not rung for, the broker did not answer just now; the sweeper will ring.", queue)
        return

    # Past its limit a job is asked to stop; a process that does not hear even that is killed a minute later.
    limit = None if queue == "training" else settings.JOB_MAX_SECONDS + 60
    for _ in range(times):
        try:
            work.apply_async(args=[queue], queue=queue, expires=settings.JOB_RING_SECONDS * 2, time_limit=limit)
        except Exception:
            log.exception("The broker did not take a message for queue %s; the sweeper will ring again.", queue)
            _quiet_until = time.monotonic() + QUIET_SECONDS
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
    return _end(Job.objects.filter(pk=pk, state__in=(State.QUEUED, State.RUNNING)), pk, State.CANCELLED)


def retry(job: Job) -> bool:
    """Queue a failed or cancelled job again, and with it whatever it needs that also ended; False if it had not.

    Raises :class:`TooManyJobs` above the cap per person, and :class:`BadInput` with a sentence when what one of them
    works on is gone.  Then nothing is queued.
    """
    with transaction.atomic():
        _lock_person(job.owner_id)
        again = _ended_with_needs(job.pk)
        if again:
            _check_cap(job.owner_id, len(again))
        for one in reversed(again):
            _check_possible(one)
        for one in again:
            _queue_again(one)
    job.refresh_from_db()
    return bool(again)


def _ended_with_needs(pk: uuid.UUID) -> list[Job]:
    """The job and those it needs as far as they have ended, what comes first first; empty when it has not itself.

    The rows are locked in the order in which an end goes through them, so a job that ends meanwhile is either seen
    here, or sees what is queued here.
    """
    needs = Job.after.through.objects.filter(from_job=pk).values_list("to_job", flat=True)
    found: dict[uuid.UUID, Job] = {}
    for needed in sorted(needs):
        found |= {one.pk: one for one in _ended_with_needs(needed)}
    job = Job.objects.select_for_update().filter(pk=pk).first()
    return [*found.values(), job] if job is not None and job.state in _ENDED else []


def _check_possible(job: Job) -> None:
    try:
        _checks.get(job.kind, _always)(job)
    except BadInput:
        raise
    except LibraryError as error:
        raise BadInput(str(error)) from error


def _queue_again(job: Job) -> None:
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        state=State.QUEUED,
        attempt=0,
        pauses=0,
        not_before=None,
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
    _ring_after_commit(job.queue)


def place(job: Job) -> int:
    """Place in the queue: 1 starts next.  0 when the job is not waiting, or pauses and is in no line."""
    return places([job])[job.pk]


def places(jobs: Iterable[Job]) -> dict[uuid.UUID, int]:
    """Places in the queue of all of ``jobs``, in two queries however many they are; see :func:`place`.

    People take turns, and guests of one address share one: within it they take turns again.  So a job with k of its
    owner's before it waits for at most k+1 of each other person's.
    """
    jobs = list(jobs)
    found = dict.fromkeys((job.pk for job in jobs), 0)
    waiting = [job for job in jobs if job.state == State.QUEUED and not job.paused]
    if not waiting:
        return found
    turns = _turns_of({job.queue for job in waiting})
    queued = Job.objects.filter(
        _due(), state=State.QUEUED, queue__in=turns, owner__in={job.owner_id for job in waiting}
    )
    own: Counter[tuple[str, str, Any]] = Counter()
    for queue, turn, owner, pk in queued.order_by("queued_at", "pk").values_list("queue", "turn", "owner", "pk"):
        before = own[queue, turn, owner]
        if pk in found and owner in turns[queue].people.get(turn, {}):
            inside = before + _ahead(turns[queue].people[turn], owner, before)
            found[pk] = inside + _ahead(turns[queue].shared, turn, inside) + 1
        own[queue, turn, owner] += 1
    return found


def _due() -> Q:
    """Jobs that do not pause just now."""
    return Q(not_before__isnull=True) | Q(not_before__lte=timezone.now())


@dataclass(frozen=True)
class _Waiting:
    """Those who take turns as one: how many jobs wait, and since when they have had no turn."""

    count: int
    since: tuple[float, Any]


@dataclass(frozen=True)
class _Turns:
    """Who waits in one queue: by turn, and within each turn by person."""

    shared: dict[str, _Waiting] = field(default_factory=dict)
    people: dict[str, dict[Any, _Waiting]] = field(default_factory=dict)


def _turns_of(queues: Iterable[str]) -> dict[str, _Turns]:
    """Who waits in each of ``queues``."""
    turns = {queue: _Turns() for queue in queues}
    queued = Job.objects.filter(_due(), queue__in=turns, state=State.QUEUED).values("queue", "turn", "owner")
    people = queued.annotate(
        count=Count("pk"), first=Min("queued_at"), last=_last_start("owner"), turn_last=_last_start("turn")
    )
    for row in people.order_by():
        queue, turn = turns[row["queue"]], row["turn"]
        queue.people.setdefault(turn, {})[row["owner"]] = _Waiting(row["count"], (_when(row["last"]), row["first"]))
        one = _Waiting(row["count"], (_when(row["turn_last"]), row["first"]))
        others = queue.shared.get(turn)
        queue.shared[turn] = _Waiting(one.count + others.count, min(one.since, others.since)) if others else one
    return turns


def _ahead(waiting: Mapping[Any, _Waiting], mine: Any, own: int) -> int:
    """How many jobs of the others start before the one of mine that has ``own`` of mine before it."""
    since = waiting[mine].since
    return sum(min(one.count, own + (one.since < since)) for name, one in waiting.items() if name != mine)


def _when(last: Any) -> float:
    """Sort key of a turn: who never had one comes first."""
    return last.timestamp() if last else 0.0


def _last_start(whose: str) -> Subquery:
    """When a job of the outer row's queue, and of its ``whose`` (turn or owner), was last started."""
    starts = Job.objects.filter(**{whose: OuterRef(whose)}, queue=OuterRef("queue")).order_by()
    return Subquery(starts.values(whose).annotate(last=Max("started_at")).values("last"))


# --- doing work ---------------------------------------------------------------------------------------------------


def claim(queues: str | Sequence[str]) -> Claim | None:
    """Take the queued job whose turn was longest ago; None when nothing waits.

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
            not_before=None,
        )
        if won == 1:
            return Claim(Job.objects.get(pk=candidate), lease)
    return None


def _fairest(queues: Sequence[str]) -> uuid.UUID | None:
    unmet = Job.after.through.objects.filter(from_job=OuterRef("pk")).exclude(to_job__state=State.DONE)
    waiting = Job.objects.filter(_due(), queue__in=queues, state=State.QUEUED).filter(~Exists(unmet))
    turns = waiting.annotate(last=_last_start("turn"), own_last=_last_start("owner")).order_by(
        F("last").asc(nulls_first=True), F("own_last").asc(nulls_first=True), "queued_at", "pk"
    )
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
        if not _end(claim.row(), claim.job.pk, State.DONE):
            raise LostClaim
        publish()
        ScratchFile.objects.filter(lease=claim.lease).delete()


def fail(claim: Claim, message: str) -> bool:
    """End as failed with a sentence for the owner; False when the claim was already lost."""
    return _end(claim.row(), claim.job.pk, State.FAILED, message)


def _end(rows: QuerySet[Job], pk: uuid.UUID, state: State, message: str = "") -> bool:
    """The one way in which a job ends; False when ``rows``, its row as far as the caller may end it, is empty.

    What waits for a job that is done may start now; what waits for one that ended otherwise never can, so it ends too,
    all the way down.
    """
    with transaction.atomic():
        progress: dict[str, Any] = {"progress": 1.0} if state == State.DONE else {}
        won = rows.update(
            state=state,
            lease=None,
            lease_until=None,
            not_before=None,
            message=message,
            stage="",
            finished_at=timezone.now(),
            **progress,
            **_NO_PREVIEW,
        )
        if not won:
            return False
        for dependent, queue in Job.objects.filter(after=pk, state=State.QUEUED).values_list("pk", "queue"):
            if state == State.DONE:
                _ring_after_commit(queue)
            else:
                _end(Job.objects.filter(pk=dependent, state=State.QUEUED), dependent, State.FAILED, NEEDED_FAILED)
    return True


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
            lease=None,
            lease_until=None,
            attempt=F("attempt") - 1,
            pauses=pauses + 1,
            not_before=due,
            # As if it had been rung for just so long ago that it is due to be rung for again when the pause is over.
            rung_at=due - timedelta(seconds=settings.JOB_RING_SECONDS),
            progress=0.0,
            stage="",
            message=why,
            **_NO_PREVIEW,
        )
        if back and not pause:
            _ring_after_commit(claim.job.queue)
    return back == 1


def pause_after(pauses: int) -> float:
    """Seconds that a job waits when it has waited so often before."""
    return min(FIRST_PAUSE * 2.0 ** min(pauses, 16), MOST_PAUSE)


def save(job: Job, folder: str, name: str, data: bytes) -> str:
    """Write ``data`` to storage under a key of this attempt and return it.

    Deleted again unless the claim finishes or :func:`publish_part` keeps it.  Raises :class:`NoRoom` when its owner
    has no room for it.
    """
    return keep(job.owner_id, job.scratch(job.key(folder, name)), data)


def run(claim: Claim, *, beating: bool = True) -> bool:
    """Do a claimed job to its end, whichever that is.  Never raises for what the handler does.

    False when this process is unfit for another job; the job is put back then, and the process should end.
    ``beating`` False runs without the heartbeat thread, for callers that hold an open transaction.
    """
    job = claim.job
    heart: Heart | None = Heart(claim) if beating else None
    watch: AbstractContextManager[object] = heart or nullcontext()
    fit = True
    try:
        with watch:
            publish = _handlers[job.kind](job, _Reporter(claim), heart.stopped if heart else lambda: should_stop(claim))
            _insist(lambda: finish(claim, publish))
    except LostClaim:
        log.info("%s: the claim was lost, its result is dropped.", job)
    except Exception as error:
        fit = not faults.breaks_process(error)
        overdue = heart is not None and heart.overdue
        _settle(partial(_end_unfinished, claim, error, overdue))
    finally:
        _next_preview.pop(claim.lease, None)
        _settle(lambda: _discard(ScratchFile.objects.filter(lease=claim.lease)))
    return fit


def _end_unfinished(claim: Claim, error: Exception, overdue: bool) -> None:
    """What becomes of a job whose handler raised ``error``."""
    if isinstance(error, Stopped):
        if overdue:
            fail(claim, TOO_LONG)
        else:
            _end(claim.row(), claim.job.pk, State.CANCELLED)
        return
    if faults.breaks_process(error):
        log.error("%s met a broken process; it is put back, and the process ends.", claim.job, exc_info=error)
        put_back(claim, WORKER_REPLACED, BROKE, at_once=True)
        return
    away = faults.outage(error)
    if away is not None:
        log.error("%s is put back. %s", claim.job, away.sentence, exc_info=error)
        minutes = round(settings.JOB_OUTAGE_SECONDS / 60)
        put_back(claim, away.sentence, STAYED_AWAY.format(what=away.value, minutes=minutes))
        return
    if isinstance(error, LibraryError):
        fail(claim, str(error))
        return
    log.error("%s broke.", claim.job, exc_info=error)
    fail(claim, BROKE)


def _insist(action: Callable[[], object]) -> None:
    """Do ``action`` again while the database is away, for as long as a lease lasts; then its error is raised.

    Safe for what depends on a lease: what was done unheard is not done twice.
    """
    end = time.monotonic() + settings.JOB_LEASE_SECONDS
    pause = 0.25
    while True:
        try:
            action()
        except Exception as error:
            waited = time.monotonic() + pause > end
            if waited or connection.in_atomic_block or faults.outage(error) is not faults.Outage.DATABASE:
                raise
            log.warning("The database does not answer: %s", error)
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
        else:
            return


def _settle(action: Callable[[], object]) -> None:
    """:func:`_insist`, but what a database that stays away leaves undone is left to the sweeper."""
    try:
        _insist(action)
    except Exception as error:
        if connection.in_atomic_block or faults.outage(error) is not faults.Outage.DATABASE:
            raise
        log.exception("Not written down; the sweeper will see to it.")


def work_off(queues: str | Sequence[str], *, beating: bool = True, most: int | None = None) -> int:
    """Claim and run until nothing waits (or ``most`` are done); returns how many were run."""
    count = 0
    while (most is None or count < most) and (claimed := claim(queues)) is not None:
        count += 1
        if not run(claimed, beating=beating):
            break
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
        try:
            report(self.claim, progress, stage)
        except Exception as error:
            if connection.in_atomic_block or faults.outage(error) is None:
                raise
            log.warning("Progress of %s is not shown: %s", self.claim.job, error)
            connection.close()


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
                failed += _end(held, pk, State.FAILED, GAVE_UP)
                continue
            back = held.update(
                state=State.QUEUED, lease=None, lease_until=None, progress=0.0, stage="", rung_at=now, **_NO_PREVIEW
            )
            if back:
                _ring_after_commit(queue)
            requeued += back
    failed += _end_hopeless()
    return Swept(requeued, failed, _ring_again(), _discard_lost())


def _end_hopeless() -> int:
    """Jobs that wait for one that ended badly, by whatever way they came there; the count."""
    waiting = Job.objects.filter(state=State.QUEUED, after__state__in=_ENDED).values_list("pk", flat=True).distinct()
    return sum(
        _end(Job.objects.filter(pk=pk, state=State.QUEUED, after__state__in=_ENDED), pk, State.FAILED, NEEDED_FAILED)
        for pk in list(waiting)
    )


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
        except Exception as error:  # botocore's errors are no OSErrors
            log.exception("Could not delete %s; the sweeper will try again.", key)
            if faults.outage(error):  # the others would only wait for the same time-out
                break
            continue
        forget([key])
        ScratchFile.objects.filter(pk=pk).delete()
        count += 1
    return count


def purge_old() -> int:
    """Delete the rows of jobs that ended long ago; their results stay."""
    old = timezone.now() - timedelta(days=settings.JOB_KEEP_DAYS)
    ended = (State.DONE, State.FAILED, State.CANCELLED)
    return Job.objects.filter(state__in=ended, finished_at__lt=old).delete()[1].get("ml_backend.Job", 0)
