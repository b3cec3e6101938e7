"""The life of a job.  What others may ask of it stands here; the files beside this one are its own.

The row is the truth and a broker message only a doorbell: a worker that hears one claims the fairest queued job of that
queue, whichever it is, so a lost or doubled message harms nothing.  A claim is held by a lease token that a heartbeat
renews; whoever lost the token (cancel, sweep, deletion) can publish nothing, and what it wrote is deleted.  A job of
several parts publishes each as soon as it is made; those stay whatever becomes of the rest, and a retry makes only what
is missing.  Only :mod:`.states` writes ``Job.state``, and every end, of whatever kind, is its ``end``.  What
:mod:`ml_backend.serving.faults` tells to be no fault of the job (a store or database that is away, a process that
broke) costs it no attempt: it is put back and waits a while.
"""

from .asking import TooManyJobs, asked, retry, submit
from .doorbell import QUEUES
from .kinds import Handler, Publish, Report, ShouldStop, gate, handler
from .running import BROKE, MAX_PREVIEW, TOO_LONG, report, run, show, work_off
from .scratch import save
from .states import (
    GAVE_UP,
    MAX_ATTEMPTS,
    NEEDED_FAILED,
    Claim,
    LostClaim,
    beat,
    cancel,
    cancel_by_id,
    claim,
    fail,
    finish,
    forgive,
    publish_part,
    put_back,
    should_stop,
)
from .sweeping import purge_old, sweep
from .turns import place, places, share_turn
