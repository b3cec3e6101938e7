"""A Celery worker on Redis and PostgreSQL; run by ``test_production.py``."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image

from fashion_site.celery import app, transport_options
from ml_backend.images import read_recipe
from ml_backend.models import Job, ScratchFile
from ml_backend.requests import GenerateRequest
from ml_backend.serving import jobs
from patterns import services
from patterns.models import Pattern
from studio.models import User
from tests.production import servers

COUNT = 14
QUEUES = "default,gpu,training"


@pytest.fixture(scope="session")
def pool():
    """One pool of connections for all tests, as in one web process."""
    yield
    app.pool.force_close_all()


@pytest.fixture
def broker(redis, pool, settings):
    """This process rings over Redis, as the web server does."""
    settings.BROKER_URL = redis.url
    app.conf.update(broker_url=redis.url, broker_transport_options=transport_options(redis.url))
    jobs._quiet_until = 0.0
    return redis


@pytest.fixture
def deployment(transactional_db, tmp_path) -> dict[str, str]:
    """The environment of a worker on this test's database and files."""
    settings = connection.settings_dict
    address = f"{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}"
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{address}/{settings['NAME']}",
        "TOILE_DATA_DIR": str(tmp_path),
        "TOILE_LEASE_SECONDS": "4",
        "TOILE_SWEEP_SECONDS": "1",
        "TOILE_RING_SECONDS": "2",
        "TOILE_WARM_UP": "0",
    }


@pytest.fixture
def start_worker(deployment, tmp_path):
    """``start_worker(app)``: a worker that ends with the test."""
    workers: list[servers.Server] = []

    def start(celery_app: str = "fashion_site") -> servers.Server:
        command = [sys.executable, "-m", "celery", "-A", celery_app, "worker", "-B", "-Q", QUEUES, "-l", "info"]
        workers.append(servers.start("the worker", command, tmp_path / f"worker-{len(workers)}.log", env=deployment))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()


def until(condition, worker: servers.Server, seconds: float = 120.0) -> None:
    def look() -> bool:
        assert worker.process.poll() is None, f"the worker ended by itself:\n{worker.said()}"
        return condition()

    try:
        servers.wait_until(look, "the worker", seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; jobs: {states()}\n{worker.said()}") from error


def states() -> dict[str, int]:
    return dict(Counter(Job.objects.values_list("state", flat=True)))


def ask(owner: User, seed: int) -> Pattern:
    return services.ask(owner, GenerateRequest("dotted", seed, size=64, engine="drawn"))


def test_a_pattern_is_drawn_and_an_outage_of_redis_only_delays(broker, start_worker):
    ana = User.objects.create_user("ana")
    pattern = ask(ana, 1)
    worker = start_worker()
    until(lambda: states() == {"done": 1}, worker)
    pattern.refresh_from_db()
    assert pattern.ready
    with default_storage.open(str(pattern.tile)) as file, Image.open(file) as tile:
        assert tile.size == (64, 64)
        assert read_recipe(tile)["seed"] == 1

    broker.stop()
    asked = time.monotonic()
    ask(ana, 2)
    assert time.monotonic() - asked < 15, "a visitor does not wait for a broker that is away"
    assert states() == {"done": 1, "queued": 1}
    broker.start()
    until(lambda: states() == {"done": 2}, worker)


def test_a_visitor_does_not_wait_for_a_redis_that_takes_calls_but_does_not_answer(broker, transactional_db):
    ana = User.objects.create_user("ana")
    ask(ana, 1)
    with broker.frozen():
        asked = time.monotonic()
        ask(ana, 2)
        assert 0.9 < time.monotonic() - asked < 6, "it tried, and gave up"
        asked = time.monotonic()
        for seed in range(10):
            ask(ana, 3 + seed)
        assert time.monotonic() - asked < 6, "a press that orders ten waits once"
    assert states() == {"queued": 12}


def test_every_ring_is_heard(broker, transactional_db, caplog):
    """The sweeper makes up for lost messages; here none is lost, a restart of Redis apart."""
    ana = User.objects.create_user("ana")
    for seed in range(3):
        ask(ana, seed)
    broker.stop()
    broker.start()
    for seed in range(3):
        ask(ana, seed)
    assert "broker did not take a message" not in caplog.text
    with app.connection_for_read() as connection:
        assert connection.default_channel.client.llen("default") == 3


def test_a_killed_worker_loses_nothing_and_doubles_nothing(broker, start_worker, tmp_path: Path):
    from tests.jobs import kill_app

    ana = User.objects.create_user("ana")
    for number in range(COUNT):
        kill_app.jobs.submit(ana, "quick", {"n": number})

    first = start_worker("tests.jobs.kill_app")
    until(lambda: done() >= 4 and "running" in states(), first)
    first.kill()
    assert 4 <= done() < COUNT
    assert states().get("running") == 1, "it was killed in the middle of a job"

    second = start_worker("tests.jobs.kill_app")
    until(lambda: done() == COUNT, second)
    until(lambda: not ScratchFile.objects.exists(), second)
    assert Counter(Pattern.objects.values_list("seed", flat=True)) == Counter(range(COUNT))
    kept = {f"quick/{path.name}" for path in (tmp_path / "files" / "quick").iterdir()}
    assert kept == set(Pattern.objects.values_list("tile", flat=True))
    assert max(Job.objects.values_list("attempt", flat=True)) >= 2


def done() -> int:
    return Job.objects.filter(state="done").count()
