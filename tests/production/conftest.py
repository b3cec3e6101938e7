"""Tests on the servers of production: PostgreSQL, Redis and S3, real ones, started for the run (see ``servers.py``).

Settings come from the environment and are read once, so each group runs in a pytest of its own: ``test_production.py``
starts it with the environment a deployment would have, on the modules ``on_postgresql.py``, ``with_redis.py`` and
``with_s3.py``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.production import servers


@pytest.fixture
def at_once() -> Callable[[int, Callable[[int], object]], list[object]]:
    """``at_once(8, function)``: call ``function(0..7)`` from eight threads that start together; their results."""
    from django.db import connection

    def run(count: int, function: Callable[[int], object]) -> list[object]:
        gate = threading.Barrier(count)
        results: list[object] = [None] * count
        errors: list[BaseException] = []

        def call(number: int) -> None:
            try:
                gate.wait(30)
                results[number] = function(number)
            except BaseException as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=call, args=[number]) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads), "a thread hangs: a deadlock?"
        if errors:
            raise errors[0]
        return results

    return run


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Redis]:
    """The Redis server that ``TOILE_BROKER_URL`` names."""
    port = urlsplit(os.environ["TOILE_BROKER_URL"]).port
    assert port
    server = servers.Redis(tmp_path_factory.mktemp("redis"), port)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Swift]:
    """The S3 server that ``TOILE_S3_*`` name, with the bucket made."""
    from django.core.files.storage import storages

    port = urlsplit(os.environ["TOILE_S3_ENDPOINT"]).port
    assert port
    folder = servers.swift_folder(tmp_path_factory.getbasetemp())
    server = servers.Swift(folder, port, os.environ["TOILE_S3_SECRET_KEY"])
    try:
        server.open()
        storages["default"].connection.create_bucket(Bucket=os.environ["TOILE_S3_BUCKET"])  # type: ignore[attr-defined]
        yield server
    finally:
        server.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which groups did not run."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "production" in report.keywords]
    if not skipped:
        return
    terminalreporter.section("NOT TESTED ON THE SERVERS OF PRODUCTION", red=True, bold=True)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        terminalreporter.write_line(f"##  {report.head_line}: {reason.removeprefix('Skipped: ')}", red=True)
