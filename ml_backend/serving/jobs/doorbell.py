"""The doorbell: a message that says no more than "there is work in this queue"."""

from __future__ import annotations

import logging
import time

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

WORK = "ml_backend.tasks.work"
"""Name of the task that hears it."""
QUEUES = ("default", "gpu", "training")
QUIET_SECONDS = 3.0
"""A broker that did not take a message is left alone for so long: a press that rings for ten jobs waits once."""

_quiet_until = 0.0


def ring_after_commit(queue: str) -> None:
    """:func:`ring` once the transaction has committed; not at all if it does not."""
    transaction.on_commit(lambda: ring(queue))


def ring(queue: str, times: int = 1) -> None:
    """Tell the workers of ``queue`` that work waits.

    A broker that does not answer is only logged, and left alone for a moment: the sweeper rings again.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        log.info("Queue %s is not rung for, the broker did not answer just now; the sweeper will ring.", queue)
        return

    # Past its limit a job is asked to stop; a process that does not hear even that is killed a minute later.
    limit = None if queue == "training" else settings.JOB_MAX_SECONDS + 60
    expires = settings.JOB_RING_SECONDS * 2
    for _ in range(times):
        try:
            current_app.send_task(WORK, [queue], queue=queue, expires=expires, time_limit=limit)
        except Exception:
            log.exception("The broker did not take a message for queue %s; the sweeper will ring again.", queue)
            _quiet_until = time.monotonic() + QUIET_SECONDS
            return
