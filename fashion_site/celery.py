"""The Celery app.  A message is only a doorbell (see ml_backend.serving.jobs); the Job row is the truth.

Queues: ``default`` (CPU work), ``gpu`` (networks, where a GPU worker listens), ``training`` (hours long).
Run ``celery -A fashion_site worker -Q default,gpu -B`` and, beside it, one of its own that trains:
``celery -A fashion_site worker -Q training -n training@%h``.
"""

import contextlib
import os
from pathlib import Path

from celery import Celery
from celery.signals import worker_init
from django.conf import settings
from kombu.entity import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashion_site.settings")

app = Celery("toile")

QUEUES = ("default", "gpu", "training")
EXCHANGE = Exchange("toile", "direct")  # type: ignore[no-untyped-call]
EMBEDDED = settings.BROKER_URL.startswith(("sqla+", "sqlalchemy+"))


@worker_init.connect  # type: ignore[untyped-decorator]
def look_often(**_: object) -> None:
    """Look for messages five times a second.

    kombu hands every transport option to the database engine, so the pause between looks can only be set here.
    """
    app.conf.broker_transport_options = transport_options(settings.BROKER_URL, patient=True)
    if EMBEDDED:
        from kombu.transport.sqlalchemy import Transport

        from .embedded import keep_forks_out

        Transport.polling_interval = 0.2
        keep_forks_out()


@worker_init.connect  # type: ignore[untyped-decorator]
def step_back(**_: object) -> None:
    """On a machine that also answers pages a page goes first: nobody waits for one because fabrics are being made."""
    with contextlib.suppress(OSError):
        os.nice(settings.WORKER_NICE)
    if settings.WORKER_NICE > 0 and hasattr(os, "SCHED_IDLE"):
        # A nice process still finishes its slice of some milliseconds before a page's may run; an idle one does not.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if os.getsid(0) != os.getpid():
        return
    # Linux weighs sessions against each other first: within one of its own a worker's niceness counts for nothing.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(settings.WORKER_NICE), encoding="ascii")


def transport_options(url: str, *, patient: bool = False) -> dict[str, object]:
    """How patient to be with the broker: a worker has nothing else to wait for, but a visitor must not wait.

    One that takes calls and says nothing holds a press for about three times ``socket_timeout``.  A bell that is not
    rung is rung by the sweeper.
    """
    if url.startswith("sqla+sqlite"):
        return {"connect_args": {"timeout": 30 if patient else 3}}
    if url.startswith(("redis", "valkey")):
        connect, answer = (3, 5) if patient else (1, 1)
        return {"socket_connect_timeout": connect, "socket_timeout": answer, "socket_keepalive": True}
    return {}


app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # for ever: a worker that gave up would have to be started by hand
    broker_transport_options=transport_options(settings.BROKER_URL),
    # One more try, for a connection that went stale in the pool; after that the sweeper rings.
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0},
    task_ignore_result=True,
    task_default_queue="default",
    task_queues=[Queue(name, EXCHANGE, routing_key=name) for name in QUEUES],  # type: ignore[no-untyped-call]
    task_default_exchange="toile",
    task_default_routing_key="default",
    # A doorbell is acknowledged when it is heard: a job that outlives a broker's patience must not be rung twice, and
    # the sweeper finds what a killed worker leaves.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_concurrency=1,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    timezone="UTC",
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
    beat_schedule={
        "retention": {
            "task": "studio.tasks.retention",
            "schedule": 6 * 3600.0,
            "options": {"expires": 3600.0},
        },
    },
)
app.autodiscover_tasks()
