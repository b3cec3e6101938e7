"""Fault drill: jobs under random SIGKILLs, restarts of Redis and PostgreSQL, and a store that goes away.

Real servers (those of ``tests/production``) on free loopback ports, real Celery workers, and somebody who breaks one of
them every few seconds while people order.  Nothing may be lost, published twice, stuck, or failed for a reason that is
not its own; the exit status is 1 if anything is.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.production import servers

BUCKET = "fault-drill"
PEOPLE = 6
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "fashion_site.settings",
    "TOILE_LEASE_SECONDS": "6",
    "TOILE_SWEEP_SECONDS": "1",
    "TOILE_RING_SECONDS": "10",
    "TOILE_S3_SECONDS": "3",
    "TOILE_WARM_UP": "0",
    "TOILE_MAX_ACTIVE_JOBS": "100000",
    "TOILE_LOG_LEVEL": "WARNING",
}
CALM = 0.9
"""Share of the jobs that must be done before the breaking stops; and of the time that it may take, half."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=500, help="how many jobs are ordered (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="workers, each with one job at a time")
    parser.add_argument("--minutes", type=float, default=8.0, help="when what is not done counts as stuck")
    parser.add_argument("--every", type=float, default=6.0, help="seconds from one fault to the next, about")
    parser.add_argument("--away", type=float, default=20.0, help="seconds that the store is away at a time")
    parser.add_argument("--seed", type=int, default=1, help="of what is broken when")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    try:
        with tempfile.TemporaryDirectory(prefix="toile-faults-") as folder, _deployment(Path(folder)) as site:
            return [Drill(options, site).run()]
    except servers.Unavailable as error:
        sys.exit(f"The drill needs the servers of production: {error}.")


def status(rows: list[dict[str, Any]]) -> int:
    """1 when anything went wrong that must not."""
    return int(any(row[name] for row in rows for name in ("lost", "twice", "stuck", "failed", "files left")))


def _children(worker: servers.Server) -> list[int]:
    """The pool and the scheduler of a worker; none while it starts."""
    try:
        path = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]
    except OSError:
        return []


class Site:
    """The servers of one drill."""

    def __init__(
        self,
        folder: Path,
        database: servers.PostgreSQL,
        broker: servers.Redis,
        store: servers.Swift,
        env: dict[str, str],
    ) -> None:
        self.folder, self.database, self.broker, self.store, self.environment = folder, database, broker, store, env


@contextlib.contextmanager
def _deployment(folder: Path) -> Iterator[Site]:
    """All servers started, and this process set up to order from them as a web process would."""
    with servers.postgresql_server() as database, contextlib.ExitStack() as stack:
        broker = servers.Redis(folder, servers.free_ports(1)[0])
        broker.start()
        stack.callback(broker.stop)
        secret = secrets.token_hex(16)
        store = servers.Swift(servers.swift_folder(folder), servers.free_ports(1)[0], secret)
        stack.callback(store.close)
        store.open()
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("TOILE_", "DATABASE_URL"))}
        environment = {
            **ours,
            **SETTINGS,
            "DATABASE_URL": database.url,
            "TOILE_BROKER_URL": broker.url,
            "TOILE_DATA_DIR": str(folder / "data"),
            "TOILE_S3_BUCKET": BUCKET,
            "TOILE_S3_ENDPOINT": store.endpoint,
            "TOILE_S3_REGION": "us-east-1",
            "TOILE_S3_ADDRESSING": "path",
            "TOILE_S3_ACCESS_KEY": servers.S3_ACCESS_KEY,
            "TOILE_S3_SECRET_KEY": secret,
        }
        os.environ.update(environment)
        from . import faults_app  # sets Django up, with this environment

        assert faults_app.app
        from django.core.files.storage import storages
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        storages["default"].connection.create_bucket(Bucket=BUCKET)  # type: ignore[attr-defined]
        yield Site(folder, database, broker, store, environment)


class Drill:
    """One run: people order, somebody breaks things, and at the end everything is counted."""

    def __init__(self, options: argparse.Namespace, site: Site) -> None:
        self.options, self.site = options, site
        self.random = random.Random(options.seed)
        self.done_what: Counter[str] = Counter()
        self.workers: list[servers.Server] = []
        self.old: list[servers.Server] = []
        self.ordered: list[Any] = []
        self.store_back_at = 0.0
        self.calm = threading.Event()

    def run(self) -> dict[str, Any]:
        begun = time.monotonic()
        deadline = begun + self.options.minutes * 60
        ordering = threading.Thread(target=self._order, name="people")
        try:
            for number in range(self.options.workers):
                self.workers.append(self._start_worker(number))
            ordering.start()
            self._break_things(begun + self.options.minutes * 30)
            self.calm.set()
            self._mend()
            ordering.join(60)
            self._wait(deadline, lambda: len(self.ordered) == self.options.jobs and not self._unfinished())
            seconds = round(time.monotonic() - begun)
            self._wait(min(deadline, time.monotonic() + 60), lambda: not self._scratch())
            return self._count(seconds)
        finally:
            self.calm.set()
            for worker in (*self.workers, *self.old):
                worker.kill()

    # --- the people ---------------------------------------------------------------------------------------------------

    def _order(self) -> None:
        """Orders come in over a while; one that a person is told did not go through is given again."""
        from django.contrib.auth import get_user_model
        from django.db import connection

        people: list[Any] = []
        rate = random.Random(self.options.seed + 1)
        while len(self.ordered) < self.options.jobs:
            try:
                if len(people) < PEOPLE:
                    people = [get_user_model().objects.get_or_create(username=f"p{n}")[0] for n in range(PEOPLE)]
                self._order_one(people[len(self.ordered) % PEOPLE], rate)
            except Exception as error:
                from ml_backend.serving import faults

                if faults.outage(error) is None:
                    raise
                self.done_what["refusals"] += 1
                connection.close()
                time.sleep(0.5)
            if not self.calm.is_set():
                time.sleep(rate.expovariate(1 / 0.3))
        connection.close()

    def _order_one(self, person: Any, rate: random.Random) -> None:
        from django.db import transaction

        from ml_backend.serving import jobs

        from .faults_app import KIND

        # Most are single; some come in parts; some need another one.
        with transaction.atomic():
            job = jobs.submit(person, KIND, {"parts": rate.choice([1, 1, 1, 3])})
            second = None
            if len(self.ordered) + 1 < self.options.jobs and rate.random() < 0.2:
                second = jobs.submit(person, KIND, {"parts": 1}, after=[job])
        self.ordered += [one.pk for one in (job, second) if one is not None]

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def _break_things(self, until: float) -> None:
        """Something every few seconds, each kind in turn and then by chance, until nearly all is done."""
        faults: dict[str, Callable[[], None]] = {
            "child kills": self._kill_child,
            "worker kills": self._kill_worker,
            "Redis restarts": self._restart_redis,
            "PostgreSQL restarts": self._restart_postgresql,
            "store outages": self._take_store_away,
        }
        names = list(faults)
        weights = [6, 4, 1, 1, 1]
        planned = self.random.sample(names, len(names))
        while time.monotonic() < until:
            self._supervise(self.random.uniform(0.5, 1.5) * self.options.every)
            if self.store_back_at and time.monotonic() > self.store_back_at:
                self._give_store_back()
            if not planned and self._share_done() >= CALM:
                return
            name = planned.pop() if planned else self.random.choices(names, weights)[0]
            if name == "store outages" and self.store_back_at:
                continue
            faults[name]()
            if not name.endswith("kills"):  # those count what they hit
                self.done_what[name] += 1

    def _kill_child(self) -> None:
        children = _children(self.random.choice(self.workers))
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.random.choice(children), signal.SIGKILL)
            self.done_what["child kills"] += 1

    def _kill_worker(self) -> None:
        """The worker alone: what its pool is at goes on beside the worker that takes its place, for a while.

        One that is still starting is left to start, or on a crowded machine nothing would ever be done.
        """
        number = self.random.randrange(len(self.workers))
        if not _children(self.workers[number]):
            return
        for old in self.old:
            old.kill()
        self.old = [self.workers[number]]
        self.workers[number].process.kill()
        self.workers[number].process.wait()
        self.workers[number] = self._start_worker(number)
        self.done_what["worker kills"] += 1

    def _restart_redis(self) -> None:
        self.site.broker.stop()
        time.sleep(self.random.uniform(0, 3))
        self.site.broker.start()

    def _restart_postgresql(self) -> None:
        self.site.database.restart()

    def _take_store_away(self) -> None:
        """Gone the one time, silent the other."""
        self.store_back_at = time.monotonic() + self.options.away
        if self.done_what["store outages"] % 2:
            assert self.site.store.proxy
            os.killpg(self.site.store.proxy.process.pid, signal.SIGSTOP)
        else:
            self.site.store.stop()

    def _give_store_back(self) -> None:
        self.store_back_at = 0.0
        if self.site.store.proxy is None:
            self.site.store.start()
        else:
            os.killpg(self.site.store.proxy.process.pid, signal.SIGCONT)

    def _mend(self) -> None:
        """Everything is up again; what is dead stays dead, as the last worker that was killed."""
        if self.store_back_at:
            time.sleep(max(0.0, self.store_back_at - time.monotonic()))
            self._give_store_back()

    def _supervise(self, seconds: float) -> None:
        """Let so much time pass; a worker that ends by itself is started again, as wherever workers run for long."""
        end = time.monotonic() + seconds
        while True:
            for number, worker in enumerate(self.workers):
                if worker.process.poll() is not None:
                    worker.kill()
                    self.done_what["worker ends"] += 1
                    self.workers[number] = self._start_worker(number)
            if time.monotonic() >= end:
                return
            time.sleep(0.25)

    def _start_worker(self, number: int) -> servers.Server:
        starts = self.done_what["worker starts"] = self.done_what["worker starts"] + 1
        schedule = self.site.folder / f"schedule-{starts}"
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "script.benchmarks.faults_app", "worker", "-B"]
        options = ["-s", str(schedule), "-n", f"{number}-{starts}@drill", "-l", "WARNING"]
        return servers.start(
            "a worker", [*command, *options], self.site.folder / f"worker-{number}.log", env=self.site.environment
        )

    # --- the count ----------------------------------------------------------------------------------------------------

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Of the database, which may just be starting again."""
        from django.db import DatabaseError, connection

        while True:
            try:
                return question()
            except DatabaseError:
                connection.close()
                time.sleep(0.5)

    def _unfinished(self) -> int:
        from ml_backend.models import Job

        active = (Job.State.QUEUED, Job.State.RUNNING)
        return int(self._ask(lambda: Job.objects.filter(state__in=active).count()))

    def _share_done(self) -> float:
        return (len(self.ordered) - self._unfinished()) / self.options.jobs

    def _scratch(self) -> int:
        from ml_backend.models import ScratchFile

        return int(self._ask(ScratchFile.objects.count))

    def _wait(self, deadline: float, condition: Callable[[], bool]) -> None:
        while time.monotonic() < deadline and not condition():
            print(f"{len(self.ordered)} ordered, {self._unfinished()} to do", file=sys.stderr, flush=True)
            self._supervise(5)

    def _count(self, seconds: int) -> dict[str, Any]:
        from django.core.files.storage import default_storage

        from ml_backend.models import Job
        from patterns.models import Pattern

        from .faults_app import FOLDER

        rows = {job.pk: job for job in Job.objects.all()}
        published = Counter(Pattern.objects.values_list("job", "seed"))
        lost = [pk for pk in self.ordered if pk not in rows]
        lost += [
            pk
            for pk, job in rows.items()
            if job.state == Job.State.DONE and any((pk, part) not in published for part in range(job.request["parts"]))
        ]
        failed = [job for job in rows.values() if job.state in (Job.State.FAILED, Job.State.CANCELLED)]
        stuck = [job for job in rows.values() if job.active]
        for job in (*failed, *stuck):
            print(f"{job}, attempt {job.attempt}, {job.pauses} pauses: {job.message}", file=sys.stderr)
        stored = {f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]}
        left = stored ^ set(Pattern.objects.values_list("tile", flat=True))
        return {
            "jobs": len(rows),
            "done": sum(job.state == Job.State.DONE for job in rows.values()),
            "lost": len(lost) + max(0, self.options.jobs - len(self.ordered)),
            "twice": sum(count > 1 for count in published.values()),
            "stuck": len(stuck),
            "failed": len(failed),
            "files left": len(left),
            **{name: self.done_what[name] for name in ("child kills", "worker kills")},
            **{name: self.done_what[name] for name in ("Redis restarts", "PostgreSQL restarts", "store outages")},
            "put back": sum(job.pauses > 0 for job in rows.values()),
            "attempts": max((job.attempt for job in rows.values()), default=0),
            "refusals": self.done_what["refusals"],
            "seconds": seconds,
        }
