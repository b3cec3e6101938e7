"""Celery's side of the jobs: hear the doorbell, keep house."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

from celery import shared_task
from celery.signals import worker_init, worker_process_init, worker_ready, worker_shutting_down
from django.conf import settings
from django.db import close_old_connections, connection

from .serving import jobs, loading, registry, training
from .serving.jobs.doorbell import WORK

log = logging.getLogger(__name__)

SWEEPER = "sweeper"
"""Name of the thread."""

_next_sweep = 0.0


@shared_task(name=WORK)  # type: ignore[untyped-decorator]
def work(queue: str) -> None:
    """Do the fairest waiting job of ``queue``; nothing when another worker was faster."""
    close_old_connections()
    _sweep_when_due()
    with _turns.job() if _turns is not None else nullcontext():
        claimed = jobs.claim(queue)
        if claimed is not None and not jobs.run(claimed):
            log.error("This process is unfit for more work and ends; the pool starts another.")
            raise SystemExit(1)


@shared_task(name="ml_backend.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """What every worker asks for every few seconds."""
    close_old_connections()
    _sweep_when_due()


def _sweep_when_due() -> None:
    """Also asked between jobs: on a busy worker the message for it waits behind every doorbell."""
    global _next_sweep
    if time.monotonic() < _next_sweep:
        return
    _next_sweep = time.monotonic() + settings.JOB_SWEEP_SECONDS * 0.9
    swept = jobs.sweep()
    if swept.requeued or swept.failed or swept.files:
        log.info("Swept: %s", swept)
    purge_broker()


@worker_ready.connect  # type: ignore[untyped-decorator]
def keep_sweeping(**_: object) -> None:
    """Every worker asks for sweeps from its own main process, at once and then every few seconds.

    So there are sweeps as long as there is a worker: the scheduler's process (``-B``) may die unnoticed.
    """
    if not any(thread.name == SWEEPER for thread in threading.enumerate()):  # ready again after a lost connection
        threading.Thread(target=_ask_for_sweeps, name=SWEEPER, daemon=True).start()


def _ask_for_sweeps() -> None:
    while True:
        try:
            sweep.apply_async(expires=max(settings.JOB_SWEEP_SECONDS, 1.0))
        except Exception as error:
            log.warning("The broker did not take the message for a sweep; the next one will be tried: %s", error)
        time.sleep(settings.JOB_SWEEP_SECONDS)


@worker_init.connect  # type: ignore[untyped-decorator]
def listen(**_: object) -> None:
    training.listen()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def leave(**_: object) -> None:
    training.leave()


@worker_process_init.connect  # type: ignore[untyped-decorator]
def warm_up(**_: object) -> None:
    """Load the pipelines while nobody waits yet; in a thread, for a process that starts slowly is taken for dead."""
    global _turns
    if settings.WORKER_WARM_UP:
        _turns = Turns()
        threading.Thread(target=_load_pipelines, args=[_turns], name="warm-up", daemon=True).start()


class Turns:
    """Jobs and the steps of the warm-up take turns in a process, jobs first.

    What a pipeline imports while it works is out of any lock's reach, and must not meet the imports of another thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._no_job = threading.Event()
        self._no_job.set()

    @contextmanager
    def job(self) -> Iterator[None]:
        """Waits for the step that is being taken, if any."""
        self._no_job.clear()
        try:
            with self._lock:
                yield
        finally:
            self._no_job.set()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Waits while a job is under way."""
        self._no_job.wait()
        with self._lock:
            yield


_turns: Turns | None = None
"""Of a process that is warmed up; others do as their pool bids."""


def _load_pipelines(turns: Turns) -> None:
    try:
        for capability in ("generate", "segment", "surface", "text-mask"):
            with turns.step():
                if registry.serves(capability):
                    loading.pipeline(capability)
    except Exception:
        log.warning("Not warmed up; the first job that needs a model will say why.", exc_info=True)
    finally:
        connection.close()


def purge_broker() -> int:
    """Delete delivered messages, which the embedded broker only hides; the count."""
    scheme, _, path = settings.BROKER_URL.partition(":///")
    if scheme != "sqla+sqlite" or not Path(path).exists():
        return 0
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        # Before the first message is sent there is no table yet.
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'kombu_message'").fetchone():
            return 0
        return database.execute("DELETE FROM kombu_message WHERE visible = 0").rowcount
