"""Celery's side of the jobs: hear the doorbell, keep house."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

from celery import shared_task
from celery.signals import worker_process_init, worker_ready
from django.conf import settings
from django.db import close_old_connections, connection

from . import jobs, registry

log = logging.getLogger(__name__)

_next_sweep = 0.0


@shared_task(name="ml_backend.tasks.work")  # type: ignore[untyped-decorator]
def work(queue: str) -> None:
    """Do the fairest waiting job of ``queue``; nothing when another worker was faster."""
    close_old_connections()
    _sweep_when_due()
    claimed = jobs.claim(queue)
    if claimed is not None:
        jobs.run(claimed)


@shared_task(name="ml_backend.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """What the beat schedule runs every few seconds."""
    close_old_connections()
    _sweep_when_due()


def _sweep_when_due() -> None:
    """Also asked between jobs: on a busy worker the schedule's own message waits behind every doorbell."""
    global _next_sweep
    if time.monotonic() < _next_sweep:
        return
    _next_sweep = time.monotonic() + settings.JOB_SWEEP_SECONDS * 0.9
    swept = jobs.sweep()
    if swept.requeued or swept.failed or swept.files:
        log.info("Swept: %s", swept)
    purge_broker()


@worker_ready.connect  # type: ignore[untyped-decorator]
def sweep_at_start(**_: object) -> None:
    """A worker that starts after a crash looks at once for what was left."""
    sweep.apply_async(expires=60)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def warm_up(**_: object) -> None:
    """Load the pipelines while nobody waits yet; in a thread, for a process that starts slowly is taken for dead."""
    if settings.WORKER_WARM_UP:
        threading.Thread(target=_load_pipelines, name="warm-up", daemon=True).start()


def _load_pipelines() -> None:
    try:
        for capability in ("generate", "segment", "surface", "text-mask"):
            if registry.serves(capability):
                registry.pipeline(capability)
    except Exception:
        log.warning("Not warmed up; the first job that needs a model will say why.", exc_info=True)
    finally:
        connection.close()


def purge_broker() -> int:
    """Delete delivered messages, which the embedded broker only hides; the count."""
    scheme, _, path = settings.BROKER_URL.partition(":///")
    if scheme != "sqla+sqlite":
        return 0
    with sqlite3.connect(path, timeout=30) as database:
        return database.execute("DELETE FROM kombu_message WHERE visible = 0").rowcount
