"""Whatever the first job of a worker is, it runs, though the worker is still warming up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connection

from ml_backend import tasks
from ml_backend.models import Job
from ml_backend.requests import GenerateRequest, ImagineRequest
from patterns import services as patterns
from studio.account.models import User
from studio.imagine.services import ask_imagine

ROOT = Path(__file__).resolve().parents[2]

FRESH = """
import django
django.setup()
from ml_backend import tasks
tasks.warm_up()
{moment}
tasks.work("default")
"""
"""What a pool's process does that finds a job waiting: the warm-up has begun, and so does the job."""

MOMENTS = {"at once": "", "in the middle": "import time; time.sleep(0.7)"}


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="a fresh process opens the file of the embedded database")
@pytest.mark.parametrize(("kind", "moment"), [("imagine", "at once"), ("generate", "in the middle")])
def test_the_first_job_of_a_fresh_process_runs(transactional_db, tmp_path, kind, moment):
    ana = User.objects.create_user("ana")
    if kind == "imagine":
        ask_imagine(ana, ImagineRequest("a red dress", seed=1, engine="fabric", size=256))
    else:
        patterns.ask(ana, GenerateRequest("dotted", 1, size=64, engine="dreamed"))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fashion_site.settings",
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "TOILE_DATA_DIR": str(tmp_path),
        "TOILE_WARM_UP": "1",
    }
    environment.pop("TOILE_BROKER_URL", None)
    program = FRESH.format(moment=MOMENTS[moment])
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
    )
    job = Job.objects.get()
    assert (job.state, job.message, job.attempt) == ("done", "", 1), run.stderr[-3000:]
    assert run.returncode == 0, run.stderr[-3000:]


def test_the_warm_up_gives_way_to_jobs():
    """No step of it while a job is under way; and a job waits for one step, not for all."""
    turns = tasks.Turns()
    done: list[str] = []
    in_step, go_on = threading.Event(), threading.Event()

    def warm_up() -> None:
        for number in range(3):
            with turns.step():
                in_step.set()
                assert go_on.wait(10)
                done.append(f"step {number}")

    def work() -> None:
        with turns.job():
            done.append("job")

    warming = threading.Thread(target=warm_up)
    warming.start()
    assert in_step.wait(10)
    working = threading.Thread(target=work)
    working.start()
    while turns._no_job.is_set():
        pass
    go_on.set()
    working.join(10)
    warming.join(10)
    assert sorted(done) == ["job", "step 0", "step 1", "step 2"]
    assert done.index("job") == 1
