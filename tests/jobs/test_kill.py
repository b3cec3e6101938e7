"""A real worker on the embedded broker, killed in the middle: every job ends finished, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from ml_backend.models import Job, ScratchFile
from patterns.models import Pattern
from studio.account.models import User

ROOT = Path(__file__).resolve().parents[2]
COUNT = 20


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the embedded broker is tested with the embedded database")
def test_killed_worker_loses_nothing_and_doubles_nothing(transactional_db, tmp_path, settings):
    User.objects.create_user("ana")
    environment = environment_of(tmp_path)
    subprocess.run(
        [sys.executable, "-m", "tests.jobs.kill_app", "ana", str(COUNT)], cwd=ROOT, env=environment, check=True
    )
    assert Job.objects.filter(state="queued").count() == COUNT

    first = start_worker(environment, tmp_path / "first.log")
    wait_for(lambda: done() >= 5 and caught_working(first), first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert 0 < done() < COUNT
    assert Job.objects.filter(state="running").count() == 1, "it was killed in the middle of a job"

    second = start_worker(environment, tmp_path / "second.log")
    try:
        wait_for(lambda: done() == COUNT, second)
        wait_for(lambda: not ScratchFile.objects.exists(), second)
    finally:
        end(second)

    assert Counter(Pattern.objects.values_list("seed", flat=True)) == Counter(range(COUNT))
    kept = {f"quick/{path.name}" for path in (tmp_path / "files" / "quick").iterdir()}
    assert kept == set(Pattern.objects.values_list("tile", flat=True))
    assert max(Job.objects.values_list("attempt", flat=True)) == 2


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the embedded broker is tested with the embedded database")
def test_a_broken_process_is_replaced_and_its_job_done(transactional_db, tmp_path):
    ana = User.objects.create_user("ana")
    job = Job.objects.create(owner=ana, kind="breaks", rung_at=timezone.now() - timedelta(minutes=5))
    worker = start_worker(environment_of(tmp_path), tmp_path / "worker.log")
    try:
        wait_for(lambda: done() == 1, worker)
        assert worker.poll() is None, "the worker itself goes on"
    finally:
        end(worker)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.pauses) == ("done", 1, 1)
    first, second = (tmp_path / "pids").read_text().split()
    assert first != second


def environment_of(tmp_path: Path) -> dict[str, str]:
    """Of a worker on this test's database, with files and broker in its folder."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fashion_site.settings",
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "TOILE_DATA_DIR": str(tmp_path),
        "TOILE_LEASE_SECONDS": "3",
        "TOILE_SWEEP_SECONDS": "1",
        "TOILE_RING_SECONDS": "2",
        "TOILE_WARM_UP": "0",
        "TOILE_WORKER_NICE": "0",
    }
    environment.pop("TOILE_BROKER_URL", None)
    return environment


def start_worker(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.jobs.kill_app",
        "worker",
        "-B",
    ]
    with log.open("wb") as out:
        return subprocess.Popen(
            [*command, "-l", "info"], cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
        )


def end(worker: subprocess.Popen[bytes]) -> None:
    """As an operator would; whatever is still there after that is not left to the tests that follow."""
    worker.terminate()
    try:
        worker.wait(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        raise


def caught_working(worker: subprocess.Popen[bytes]) -> bool:
    """Halt the worker and its children; True if that was in the middle of a job, else they go on."""
    os.killpg(worker.pid, signal.SIGSTOP)
    if Job.objects.filter(state="running").exists():
        return True
    os.killpg(worker.pid, signal.SIGCONT)
    return False


def done() -> int:
    return Job.objects.filter(state="done").count()


def wait_for(condition, worker, seconds=90.0):
    end = time.monotonic() + seconds
    while not condition():
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < end, dict(Counter(Job.objects.values_list("state", flat=True)))
        time.sleep(0.05)
