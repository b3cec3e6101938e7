"""A real worker that trains, killed in the middle of a real run: the next one goes on from the checkpoint."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image

from ml_backend.images import encoded
from ml_backend.models import Job, TrainingRun
from ml_backend.serving import training
from studio.account.models import User
from studio.workshop import runs, services
from studio.workshop.models import TrainingPicture
from studio.workshop.presets import PRESETS

from .test_kill import ROOT, end, environment_of

STEPS = 24


@pytest.fixture
def run(transactional_db):
    staff = User.objects.create_user("staff", is_staff=True)
    data_set = services.make(staff, "Noise", "crop", 128)
    for number in range(1, 4):
        noise = np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8)
        content = encoded(Image.fromarray(noise), format="PNG")
        row = TrainingPicture(data_set=data_set, number=number, width=64, height=64, caption="noise")
        row.image = row.file = default_storage.save(f"{row.folder}/file.png", ContentFile(content))
        row.sha256 = hashlib.sha256(content).hexdigest()
        row.save()
    services.freeze(data_set)
    settings = {"steps": STEPS, "resolution": 32, "batch": 1, "rank": 1}
    started = runs.start(staff, data_set, None, PRESETS["lora"], "noise", settings)
    # no pictures on the way: only steps and checkpoints count here
    calm = {"sample_prompts": [], "save_every": 2, "log_every": 1, "validation": 0.0, "masks": "random"}
    TrainingRun.objects.filter(pk=started.pk).update(config={**started.config, **calm})
    return TrainingRun.objects.get(pk=started.pk)


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the embedded broker is tested with the embedded database")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_run_goes_on_from_its_checkpoint_when_its_worker_is_killed(run, tmp_path):
    environment = {
        **environment_of(tmp_path),
        "TOILE_WORKER_NICE": "0",
        "TOILE_TRAINING_NICE": "0",
        "OMP_NUM_THREADS": "1",
    }
    folder = training.folder_of(run)

    first = _worker(environment, tmp_path / "first.log")
    try:
        _until(lambda: _step(folder) >= 3, first, folder)
        (child,) = _trainees(folder)
        for pid in (first.pid, _parent(child)):  # not the child: nobody is left who could stop it
            os.kill(pid, signal.SIGKILL)
        first.wait()
        limit = time.monotonic() + 30
        while _trainees(folder):
            assert time.monotonic() < limit, "it does not outlive the worker that began it"
            time.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(first.pid, signal.SIGKILL)
    before = _log(folder)
    assert _step(folder) < STEPS, "it was killed in the middle"
    Job.objects.filter(pk=run.job_id).update(lease_until="2001-01-01T00:00:00Z")

    second = _worker(environment, tmp_path / "second.log")
    try:
        _until(lambda: Job.objects.get(pk=run.job_id).state == "done", second, folder)
    finally:
        end(second)
    run.refresh_from_db()
    after = [line for line in _log(folder) if "loss" in line]
    assert [line["step"] for line in after] == list(range(1, STEPS + 1)), "each step once"
    assert after[:2] == before[:2], "what its first checkpoint holds was not done again"
    assert run.curve[-1]["step"] == STEPS
    assert run.checkpoints[-1] == 0, "there is a result"
    assert not _trainees(folder)


def _parent(child: int) -> int:
    """The worker's process that a child belongs to."""
    return int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])


def _trainees(folder: Path) -> list[int]:
    """The processes that work in that run's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"ml_backend.serving.tethered" in words and str(folder).encode() in words:
            found.append(int(entry.name))
    return found


def _worker(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "celery", "-A", "fashion_site", "worker", "-Q", "training,default", "-l", "info"]
    with log.open("wb") as out:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True)


def _log(folder: Path) -> list[dict[str, float]]:
    path = folder / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _step(folder: Path) -> int:
    lines = _log(folder)
    return int(lines[-1]["step"]) if lines else 0


def _until(condition, worker, folder, seconds=240.0):
    limit = time.monotonic() + seconds
    while not condition():
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < limit, (training.tail_of(folder), list(Job.objects.values_list("state", "message")))
        time.sleep(0.05)
