"""The programs in ``script/``."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def processes_of(group: int) -> list[int]:
    """Those of a process group that are alive, zombies apart."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(entry.name))
    return found


def wait_until(condition, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s until {what}"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_nothing_outlives_the_server_program_however_it_ends(tmp_path):
    """Killed without warning, it leaves neither the web server nor the worker, its pool and its scheduler."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TOILE_DATA_DIR": str(tmp_path), "TOILE_WARM_UP": "0"}
    for name in ("DATABASE_URL", "TOILE_BROKER_URL"):
        environment.pop(name, None)
    with (tmp_path / "log").open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "script/serve.py", "--port", str(port)], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    groups: list[int] = []
    try:
        wait_until(lambda: b"is open at" in (tmp_path / "log").read_bytes(), 120, "the site is open")
        groups = [int(pid) for pid in children.read_text().split()]
        assert len(groups) == 4, "web server, worker, the worker that trains, warden"
        wait_until(lambda: sum(len(processes_of(group)) for group in groups) >= 7, 60, "the workers have their pools")
        server.send_signal(signal.SIGKILL)
        server.wait()
        wait_until(lambda: not any(processes_of(group) for group in groups), 15, "all are gone")
    finally:
        server.kill()
        for group in groups:
            for pid in processes_of(group):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("stamped", "asked", "installs"),
    [
        ("requirements-dev.txt", "requirements.txt", False),
        ("requirements-dev.txt", "requirements-dev.txt", False),
        ("requirements.txt", "requirements.txt", False),
        ("requirements.txt", "requirements-dev.txt", True),
        (None, "requirements.txt", True),
    ],
)
def test_what_is_installed_is_not_installed_again(tmp_path, stamped, asked, installs):
    """The packages of the tests include those of the application."""
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "setup.sh").write_text((ROOT / "script" / "setup.sh").read_text())
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    bin = tmp_path / ".venv" / "bin"
    bin.mkdir(parents=True)
    (bin / "python").write_text('#!/bin/sh\necho "$@" >> asked-of-python\n')
    (bin / "python").chmod(0o755)

    def set_up(wanted: str) -> str:
        (tmp_path / "asked-of-python").unlink(missing_ok=True)
        subprocess.run(["bash", "-c", f"source script/setup.sh; set_up {wanted}"], cwd=tmp_path, check=True, text=True)
        said = tmp_path / "asked-of-python"
        return said.read_text() if said.exists() else ""

    if stamped:
        assert f"install --quiet --disable-pip-version-check -r {stamped}" in set_up(stamped)
    assert ("install" in set_up(asked)) == installs
