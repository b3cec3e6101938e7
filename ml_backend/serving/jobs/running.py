"""Doing work: a claimed job is run to its end, whichever that is, under a heart that beats."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from django.conf import settings
from django.db import connection
from django.db.models import F

from ...errors import LibraryError, Stopped
from ...models import Job, ScratchFile
from .. import faults, registry
from . import kinds, states
from .scratch import discard
from .states import Claim, LostClaim

log = logging.getLogger(__name__)

TOO_LONG = "This took far longer than it should and was stopped. Nothing of yours is lost; try a smaller picture."
BROKE = "Something went wrong in the workshop. Nothing of yours is lost; please try again."
WORKER_REPLACED = "The worker had to be started afresh."
STAYED_AWAY = "{what} did not answer for {minutes} minutes. Nothing of yours is lost; please try again later."

MAX_PREVIEW = 30 * 1024
"""Bytes of a preview: they live in the job's row."""
PREVIEW_PAUSE = 0.5
"""Seconds from one preview to the next."""

_next_preview: dict[uuid.UUID, float] = {}
"""When the claim with that lease may show its next preview."""


def work_off(queues: str | Sequence[str], *, beating: bool = True, most: int | None = None) -> int:
    """Claim and run until nothing waits (or ``most`` are done); returns how many were run."""
    count = 0
    while (most is None or count < most) and (claimed := states.claim(queues)) is not None:
        count += 1
        if not run(claimed, beating=beating):
            break
    return count


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
        with watch, registry.heard(_Versions(claim)):
            should_stop = heart.stopped if heart else partial(states.should_stop, claim)
            publish = kinds.handlers[job.kind](job, _Reporter(claim), should_stop)
            _insist(lambda: states.finish(claim, publish))
    except LostClaim:
        log.info("%s: the claim was lost, its result is dropped.", job)
    except Exception as error:
        fit = not faults.breaks_process(error)
        overdue = heart is not None and heart.overdue
        _settle(partial(_end_unfinished, claim, error, overdue))
    finally:
        _next_preview.pop(claim.lease, None)
        _settle(lambda: discard(ScratchFile.objects.filter(lease=claim.lease)))
    return fit


def _end_unfinished(claim: Claim, error: Exception, overdue: bool) -> None:
    """What becomes of a job whose handler raised ``error``."""
    if isinstance(error, Stopped):
        if overdue:
            states.fail(claim, TOO_LONG)
        else:
            states.end(claim.row(), claim.job.pk, Job.State.CANCELLED)
        return
    if faults.breaks_process(error):
        log.error("%s met a broken process; it is put back, and the process ends.", claim.job, exc_info=error)
        states.put_back(claim, WORKER_REPLACED, BROKE, at_once=True)
        return
    away = faults.outage(error)
    if away is not None:
        log.error("%s is put back. %s", claim.job, away.sentence, exc_info=error)
        minutes = round(settings.JOB_OUTAGE_SECONDS / 60)
        states.put_back(claim, away.sentence, STAYED_AWAY.format(what=away.value, minutes=minutes))
        return
    if isinstance(error, LibraryError):
        states.fail(claim, str(error))
        return
    log.error("%s broke.", claim.job, exc_info=error)
    states.fail(claim, BROKE)


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


def report(claim: Claim, progress: float, stage: str) -> bool:
    """Show ``progress`` (0 to 1) and the stage in words; False when the claim is lost."""
    return claim.row().update(progress=min(max(progress, 0.0), 1.0), stage=stage[:120]) == 1


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


class _Versions:
    """Writes down which models the job runs with, those of its earlier attempts among them."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.references = claim.job.version.splitlines()

    def __call__(self, reference: str) -> None:
        if reference in self.references:
            return
        self.references.append(reference)
        self.claim.job.version = "\n".join(self.references)
        self.claim.row().update(version=self.claim.job.version)


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
                    held = self._ask(lambda: states.beat(self.claim))
                else:
                    held = self._ask(lambda: not states.should_stop(self.claim))
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
