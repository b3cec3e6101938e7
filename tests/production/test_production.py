"""Each server of production in a run of its own, with the environment of a deployment."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.production import servers

pytestmark = [pytest.mark.production, pytest.mark.slow]

HERE = Path(__file__).parent
SECONDS = 400
"""Far more than a run takes; a hung one ends here."""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    try:
        with servers.postgresql() as url:
            yield url
    except servers.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def broker() -> str:
    """Where the Redis server of the run will be."""
    try:
        servers.redis_program()
    except servers.Unavailable as error:
        pytest.skip(str(error))
    return f"redis://{servers.HOST}:{servers.free_ports(1)[0]}/0"


def test_on_postgresql(postgresql: str, tmp_path: Path) -> None:
    """The races of ``on_postgresql.py`` and the whole life of a job, its parts and previews too."""
    own = ["tests/production/on_postgresql.py", "tests/jobs/test_jobs.py", "tests/jobs/test_parts.py"]
    inside(own, tmp_path, DATABASE_URL=postgresql)


def test_no_text_breaks_postgresql(postgresql: str, tmp_path: Path) -> None:
    """It cannot keep what SQLite keeps without a word."""
    inside(["tests/site/test_outside.py"], tmp_path, seconds=3 * SECONDS, DATABASE_URL=postgresql)


def test_with_redis(broker: str, postgresql: str, tmp_path: Path) -> None:
    inside(["tests/production/with_redis.py"], tmp_path, DATABASE_URL=postgresql, TOILE_BROKER_URL=broker)


def test_nothing_is_lost_doubled_stuck_or_failed_whatever_breaks(broker: str, tmp_path: Path) -> None:
    """The fault drill, a small one: each kind of fault once, and kills."""
    try:
        servers.swift_folder(tmp_path).rmdir()
        servers.postgresql_programs()
    except servers.Unavailable as error:
        pytest.skip(str(error))
    few = ["--jobs", "12", "--every", "2", "--away", "5", "--minutes", "5"]
    command = [sys.executable, "-m", "script.benchmarks", "faults", "--json", *few]
    # Not in the test's own folder: PostgreSQL runs as another user, who may not look inside.
    drill = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert drill.returncode == 0, f"{drill.stdout}\n{drill.stderr[-3000:]}"
    (row,) = json.loads(drill.stdout)
    assert (row["jobs"], row["done"]) == (12, 12)
    assert row["store outages"] >= 1
    assert row["child kills"] + row["worker kills"] >= 1


def test_pages_while_postgresql_is_away_or_says_nothing(tmp_path: Path) -> None:
    """503, a sentence, and within seconds: for a page, a script on it, and a program; and all is well afterwards."""
    try:
        with servers.postgresql_server() as server:
            _ask_around(server, tmp_path)
    except servers.Unavailable as error:
        pytest.skip(str(error))


def _ask_around(server: servers.PostgreSQL, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fashion_site.settings",
        "DATABASE_URL": server.url,
        "TOILE_DATA_DIR": str(tmp_path / "data"),
        "TOILE_ALLOWED_HOSTS": "testserver",
        "TOILE_HTTPS": "0",
    }
    python = sys.executable
    subprocess.run([python, "manage.py", "migrate", "-v0"], cwd=servers.ROOT, env=environment, check=True)
    site = subprocess.Popen(
        [python, "-m", "tests.production.database_away"],
        cwd=servers.ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with site:
        assert site.stdin
        assert site.stdout

        def ask(what: str) -> list[str]:
            assert site.stdin
            assert site.stdout
            site.stdin.write(f"{what}\n")
            site.stdin.flush()
            return site.stdout.readline().split()

        paths = ["/gallery/", "/gallery/ htmx", "/api/v1/patterns"]
        assert [ask(path)[0] for path in paths] == ["200", "200", "401"]
        assert server.server
        with server.server.frozen():
            _all_said([ask(path) for path in paths], 10)
        assert ask(paths[0])[0] == "200"
        server.stop()
        _all_said([ask(path) for path in paths], 5)
        server.restart()
        assert ask(paths[0])[0] == "200"
        site.stdin.close()


def _all_said(answers: list[list[str]], seconds: float) -> None:
    for status, took, again, told in answers:
        assert (status, told) == ("503", "told"), answers
        assert float(took) < seconds
        assert int(again) > 0


def test_with_s3(tmp_path: Path) -> None:
    try:
        servers.swift_folder(tmp_path).rmdir()
    except servers.Unavailable as error:
        pytest.skip(str(error))
    inside(
        ["tests/production/with_s3.py"],
        tmp_path,
        TOILE_S3_BUCKET="toile-files",
        TOILE_S3_ENDPOINT=f"http://{servers.HOST}:{servers.free_ports(1)[0]}",
        TOILE_S3_REGION="us-east-1",
        TOILE_S3_ADDRESSING="path",
        TOILE_S3_ACCESS_KEY=servers.S3_ACCESS_KEY,
        TOILE_S3_SECRET_KEY=secrets.token_hex(16),
    )


def inside(paths: list[str], tmp_path: Path, *, seconds: float = SECONDS, **deployment: str) -> None:
    """Run pytest on ``paths`` in the environment ``deployment``; nothing may fail, and nothing be skipped."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TOILE_", "DATABASE_URL"))}
    environment = {**ours, "TOILE_DATA_DIR": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1", **deployment}
    options = ["-q", "-p", "no:cacheprovider", "--color=no", "--durations=5", f"--basetemp={tmp_path / 'inside'}"]
    run = servers.start(
        "the tests", [sys.executable, "-m", "pytest", *options, *paths], tmp_path / "tests.log", env=environment
    )
    try:
        status = run.process.wait(seconds)
    except subprocess.TimeoutExpired:
        run.stop()
        status = None
    finally:
        run.kill()
    said = run.log.read_text("utf-8", "replace")
    if status != 0:
        pytest.fail(f"{'It hung' if status is None else 'It failed'}:\n{said}", pytrace=False)
    assert re.search(r"\d+ passed", said)
    assert not re.search(r"\d+ (skipped|deselected)", said)
