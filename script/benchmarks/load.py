"""A hundred people at once: how fast pages are while the workers have nothing to do, and while they have too much.

Starts Toile as ``script/server`` does, on a free loopback port and in a folder of its own, and sends it the same
requests twice: with idle workers, then with more fabrics asked for than they can make.  Each person comes from a
loopback address of their own, looks at pages, follows their fabrics and fetches pictures, at set times whether or not
the last answer was quick; a time is counted from when the request was due.  Bounded in people, requests and seconds.

``web MiB`` is the memory of the web server before, between and after the two parts.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import math
import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
MOST_PEOPLE, MOST_RATE, MOST_SECONDS = 250, 100, 600
START_SECONDS = 900.0
"""The first start of a folder makes its database and copies the samples: seconds, or minutes on a crowded machine."""
QUIET_SECONDS = 600.0
"""How long the fabrics that people begin with may take."""
TIMEOUT = 30.0
QUEUE_SECONDS = 120.0
"""Four fabrics of each of a hundred people keep the workers busy for longer than this."""

TURNS = (
    "studio",
    "cells",
    "gallery",
    "picture",
    "imagine",
    "cells",
    "restyle",
    "picture",
    "looks",
    "cells",
    "fabric",
    "account",
)
"""What a person does, in turn; everybody begins at another place."""
FILES = ("picture",)
"""What is no page."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=100, help=f"at most {MOST_PEOPLE}")
    parser.add_argument(
        "--rate", type=float, default=27.0, help=f"requests a second of all together, at most {MOST_RATE}"
    )
    parser.add_argument(
        "--seconds", type=float, default=120.0, help=f"of each of the two parts, at most {MOST_SECONDS}"
    )
    parser.add_argument("--log", type=Path, help="keep what the servers say in this file")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    people = min(max(options.people, 1), MOST_PEOPLE)
    rate, seconds = min(options.rate, MOST_RATE), min(options.seconds, MOST_SECONDS)
    with tempfile.TemporaryDirectory(prefix="toile-load-") as folder, _toile(Path(folder), options.log) as site:
        crowd = [Person(number, site.port) for number in range(people)]
        for person in crowd:
            person.arrive()
        site.wait_for_quiet()
        _look(crowd, rate, min(10.0, seconds))  # whatever is looked up once and remembered
        parts: dict[str, Part] = {}
        for name in ("idle", "busy"):
            if name == "busy":
                _press(crowd, times=math.ceil(seconds / QUEUE_SECONDS))
            parts[name] = Part(begun=site.memory(), done=site.done())
            _look(crowd, rate, seconds, parts[name])
            parts[name].ended, parts[name].done = site.memory(), site.done() - parts[name].done
        waiting = site.active()
        for person in crowd:
            person.leave()
    return _rows(parts, waiting)


@dataclass
class Part:
    """What was measured in one part: seconds by kind of request, errors, MiB of the web server, jobs done."""

    begun: float
    done: int
    ended: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)


def _rows(parts: dict[str, Part], waiting: int) -> list[dict[str, Any]]:
    idle, busy = parts["idle"], parts["busy"]
    kinds = {kind: (kind,) for kind in dict.fromkeys(TURNS)}
    kinds["all pages"] = tuple(kind for kind in kinds if kind not in FILES)
    rows = []
    for name, members in kinds.items():
        times = [[one for kind in members for one in part.seconds[kind]] for part in (idle, busy)]
        p95 = [_share(each, 0.95) for each in times]
        rows.append(
            {
                "requests": name,
                "count": sum(map(len, times)),
                "idle p50 ms": round(_share(times[0], 0.5) * 1000),
                "idle p95 ms": round(p95[0] * 1000),
                "busy p50 ms": round(_share(times[1], 0.5) * 1000),
                "busy p95 ms": round(p95[1] * 1000),
                "p95 ratio": round(p95[1] / p95[0], 2) if p95[0] else 0.0,
                "errors": "",
                "web MiB": "",
                "jobs done": "",
                "left waiting": "",
            }
        )
    errors = [*idle.errors, *busy.errors]
    for error in errors[:5]:
        print(error, file=sys.stderr)
    memory = f"{idle.begun:.0f} {idle.ended:.0f} {busy.ended:.0f}"
    rows[-1] |= {"errors": len(errors), "web MiB": memory, "jobs done": busy.done, "left waiting": waiting}
    return rows


def _share(times: list[float], share: float) -> float:
    """The time that ``share`` of the requests did not pass."""
    if len(times) < 2:
        return times[0] if times else 0.0
    return statistics.quantiles(times, n=100, method="inclusive")[round(share * 100) - 1]


# --- people -------------------------------------------------------------------------------------------------------


class Person:
    """A guest with a browser: one connection, cookies, and some fabrics."""

    def __init__(self, number: int, port: int) -> None:
        self.turn = itertools.islice(itertools.cycle(TURNS), number % len(TURNS), None)
        self.address = f"127.0.1.{number + 1}"
        self.port = port
        self.cookies: dict[str, str] = {}
        self.fabrics: list[str] = []
        self.connection: http.client.HTTPConnection | None = None
        self.lock = threading.Lock()

    def arrive(self) -> None:
        """The studio, and a first fabric, which makes a guest of a visitor."""
        self.ask("GET", "/")
        self.press("drawn", 1)

    def press(self, engine: str, count: int) -> int:
        """Ask for fabrics; the status.  On a fresh connection: what asks for work is not sent twice."""
        self.leave()
        fields = {"pattern_type": "floral", "engine": engine, "count": count}
        status, page = self.ask(
            "POST", "/fabrics/", {**fields, "csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}
        )
        self.fabrics = [*re.findall(r'id="cell-([0-9a-f-]{36})"', page), *self.fabrics][:12]
        return status

    def path(self, kind: str) -> str:
        newest = self.fabrics[0] if self.fabrics else ""
        oldest = self.fabrics[-1] if self.fabrics else ""
        paths = {
            "studio": f"/?pattern={newest}",
            "cells": "/fabrics/cells/?" + urlencode([("id", fabric) for fabric in self.fabrics]),
            "gallery": "/gallery/",
            "imagine": "/imagine/",
            "restyle": "/restyle/",
            "looks": "/gallery/looks/",
            "fabric": f"/gallery/{oldest}/",
            "account": "/account/",
            "picture": f"/files/patterns/{oldest}/thumb",
        }
        return paths[kind]

    def ask(self, method: str, path: str, form: dict[str, Any] | None = None) -> tuple[int, str]:
        """Status and text; once more where the server had closed the connection meanwhile."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = urlencode(form) if form else None
        if form:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(
                    HOST, self.port, timeout=TIMEOUT, source_address=(self.address, 0)
                )
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                text = answer.read().decode("utf-8", "replace")
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.leave()
                if attempt == 2 or method == "POST":
                    raise
                continue
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, rest = cookie.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            return answer.status, text
        raise AssertionError("unreachable")

    def leave(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def _look(crowd: list[Person], rate: float, seconds: float, part: Part | None = None) -> None:
    """Everybody looks around for ``seconds``, ``rate`` requests a second together, each at its due time."""
    begun = time.perf_counter() + 0.5
    guard = threading.Lock()

    def looks(number: int, person: Person) -> None:
        for turn in itertools.count():
            due = (number + turn * len(crowd)) / rate
            if due >= seconds:
                return
            time.sleep(max(0.0, begun + due - time.perf_counter()))
            kind = next(person.turn)
            error = _failure(person, kind)
            took = time.perf_counter() - begun - due
            if part is not None:
                with guard:
                    part.seconds[kind].append(took)
                    part.errors += [error] if error else []

    threads = [threading.Thread(target=looks, args=pair, daemon=True) for pair in enumerate(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 2 * TIMEOUT + 10)


def _failure(person: Person, kind: str) -> str:
    """What went wrong with one request; empty when nothing did."""
    path = person.path(kind)
    try:
        status, _ = person.ask("GET", path)
    except (OSError, http.client.HTTPException) as error:
        person.leave()
        return f"{kind} {path}: {error!r}"
    return "" if status < 400 else f"{kind} {path}: {status}"


def _press(crowd: list[Person], times: int) -> None:
    """More fabrics than the workers can make while they are looked at."""
    for _ in range(times):
        for person in crowd:
            person.press("dreamed", 4)


# --- the servers --------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """Toile as ``script/server`` runs it."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    def memory(self) -> float:
        """MiB that the processes of the web server hold together; 0 where the machine does not tell."""
        told = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                told[entry.name] = (entry / "status").read_text(), (entry / "cmdline").read_bytes().split(b"\0")
        web = {pid for pid, (_, command) in told.items() if {b"uvicorn", str(self.port).encode()} <= {*command}}
        web |= {pid for pid, (status, _) in told.items() if _of("PPid", status) in web}
        return sum(int(_of("VmRSS", told[pid][0]) or 0) for pid in web) / 1024

    def _jobs(self, *states: str) -> int:
        marks = ", ".join("?" for _ in states)
        with contextlib.closing(sqlite3.connect(self.folder / "toile.sqlite3", timeout=20)) as database:
            query = f"SELECT count(*) FROM ml_backend_job WHERE state IN ({marks})"
            return int(database.execute(query, states).fetchone()[0])

    def active(self) -> int:
        return self._jobs("queued", "running")

    def done(self) -> int:
        return self._jobs("done")

    def wait_for_quiet(self) -> None:
        end = time.monotonic() + QUIET_SECONDS
        while self.active():
            if time.monotonic() > end:
                raise SystemExit("The workers did not finish the first fabrics; see --log.")
            time.sleep(1)


def _of(name: str, status: str) -> str:
    """A line of ``/proc/<pid>/status``: its first word after the name."""
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return found[1] if found else ""


@contextlib.contextmanager
def _toile(folder: Path, log: Path | None) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TOILE_", "DATABASE_URL"))}
    environment = {**ours, "TOILE_DATA_DIR": str(folder), "TOILE_LOG_LEVEL": "WARNING"}
    command = [sys.executable, str(ROOT / "script/serve.py"), "--port", str(port)]
    with (log or folder / "servers.log").open("ab") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
        try:
            _wait_until_open(process, port)
            yield Site(process, port, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def _wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit("Toile did not start; see --log.")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.5)
    raise SystemExit("Toile did not open in time; see --log.")
