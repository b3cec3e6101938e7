"""Run web server and workers side by side: the program behind ``script/server``.

Only the standard library is imported here.  A process that ends unasked is said and started again, a few times; Ctrl-C
(or TERM) stops them all, gently first.  If this program itself is killed, ``script/warden.py`` ends them.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
GRACE = 12.0
"""Seconds that a process gets between being asked to stop and being killed."""
MAX_CRASHES = 5
CRASH_WINDOW = 60.0
WARDEN = Path(__file__).with_name("warden.py")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Child:
    """One supervised process, in a group of its own so that Ctrl-C reaches it through us, once.

    ``apart``: in a session of its own too.  Linux shares processors out among sessions first; within one, a page that
    comes to be computed puts idle work aside at once.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    """What it is told besides."""
    apart: bool = False
    process: subprocess.Popen[bytes] | None = None
    crashes: list[float] = field(default_factory=list)

    def start(self) -> None:
        environment = {**os.environ, **self.environment}
        own: dict[str, Any] = {"start_new_session": True} if self.apart else {"process_group": 0}
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, preexec_fn=_ends_with_us(), **own
        )

    @property
    def status(self) -> int | None:
        """Exit status, or None while it runs."""
        return self.process.poll() if self.process else None

    def may_restart(self) -> bool:
        """Whether it crashed rarely enough to be worth starting again."""
        now = time.monotonic()
        self.crashes = [moment for moment in self.crashes if now - moment < CRASH_WINDOW] + [now]
        return len(self.crashes) < MAX_CRASHES

    def signal_group(self, number: int) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def ask_to_stop(self) -> None:
        """TERM to the leader: it stops its own children in order."""
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def wait_or_kill(self, deadline: float) -> None:
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        self.signal_group(signal.SIGKILL)
        self.process.wait()


class Warden:
    """The process that outlives us by a moment if we are killed, to end what we started."""

    def __init__(self) -> None:
        command = [PYTHON, str(WARDEN)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def watch(self, children: list[Child]) -> None:
        """Tell it who is to be ended; nobody, when all is closed."""
        groups = [str(child.process.pid) for child in children if child.process]
        with contextlib.suppress(OSError):
            assert self.process.stdin
            self.process.stdin.write(" ".join(groups) + "\n")
            self.process.stdin.flush()

    def dismiss(self) -> None:
        self.watch([])
        with contextlib.suppress(OSError):
            assert self.process.stdin
            self.process.stdin.close()
        self.process.wait()


class Supervisor:
    """Starts, watches and stops the children; ``stopping`` is set by a signal."""

    def __init__(self, children: list[Child], url: str) -> None:
        self.children = children
        self.url = url
        self.stopping = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def run(self) -> int:
        warden = Warden()
        for child in self.children:
            child.start()
            warden.watch(self.children)
        announced = False
        status = 0
        while not self.stopping and status == 0:
            if not announced and _answers(self.url):
                announced = True
                print(f"\n  Toile is open at {self.url}\n  Ctrl-C closes it.\n", flush=True)
            status = self._watch(warden)
            time.sleep(0.2)
        print("\nClosing ..." if status == 0 else "Giving up.", flush=True)
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + GRACE
        for child in self.children:
            child.wait_or_kill(deadline)
        warden.dismiss()
        return status

    def _watch(self, warden: Warden) -> int:
        """Say and mend what crashed; non-zero when it crashes too often to go on."""
        for child in self.children:
            if child.status is None or self.stopping:
                continue
            child.signal_group(signal.SIGKILL)  # a dead leader may leave orphans that hold a lock or a port
            print(f"The {child.name} stopped unexpectedly ({_reason(child.status)}).", file=sys.stderr, flush=True)
            if not child.may_restart():
                print(f"The {child.name} keeps stopping; see the lines above.", file=sys.stderr, flush=True)
                return 1
            print(f"Starting the {child.name} again.", file=sys.stderr, flush=True)
            child.start()
            warden.watch(self.children)
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/server", description="Run Toile: web server and worker together.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    options = parser.parse_args()
    if not _free(options.host, options.port):
        print(f"Port {options.port} of {options.host} is taken or not ours; try --port.", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashion_site.settings")
    # Two cores are soon crowded by thread pools that spin; the worker's children get what there is, no more.
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    if options.host not in LOOPBACK and "TOILE_ALLOWED_HOSTS" not in os.environ:
        # Who asks to be reached means the network at hand: answer to the names of this machine, to no others.
        os.environ["TOILE_ALLOWED_HOSTS"] = ",".join(_own_names(options.host))
        os.environ.setdefault("TOILE_HTTPS", "0")
    for command in (["migrate", "--verbosity", "0"], ["load_starters"]):
        if subprocess.run([PYTHON, "manage.py", *command], cwd=ROOT).returncode:
            return 1
    web = [
        PYTHON,
        "-m",
        "uvicorn",
        "fashion_site.asgi:application",
        "--host",
        options.host,
        "--port",
        str(options.port),
    ]
    # One process computes one page at a time; a second answers while the first is at a long one.
    processes = ["--workers", str(min(2, os.cpu_count() or 1))]
    celery = [PYTHON, "-m", "celery", "--quiet", "-A", "fashion_site", "worker", "--loglevel", "WARNING"]
    # Training takes hours: it has a worker of its own, so that nothing else waits behind it, and goes last.
    trainer = [*celery, "-Q", "training", "-n", "training@%h"]
    behind = {"TOILE_WARM_UP": "0", "TOILE_WORKER_NICE": os.environ.get("TOILE_TRAINING_NICE", "19")}
    shown = "localhost" if options.host in ("127.0.0.1", "0.0.0.0", "::") else options.host
    children = [
        Child("web server", [*web, *processes, "--log-level", "warning", "--lifespan", "off", "--no-proxy-headers"]),
        Child("worker", [*celery, "-B", "-Q", "default,gpu"]),
        Child("worker that trains", trainer, behind, apart=True),
    ]
    return Supervisor(children, f"http://{shown}:{options.port}/").run()


def _ends_with_us() -> Callable[[], object] | None:
    """What a child runs first so that the kernel asks it to stop when we die (Linux; elsewhere the warden does)."""
    if not sys.platform.startswith("linux"):
        return None
    set_death_signal, prctl = 1, ctypes.CDLL(None).prctl
    return lambda: prctl(set_death_signal, int(signal.SIGTERM))


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _own_names(host: str) -> list[str]:
    """Names and addresses by which this machine may be asked for."""
    name = socket.gethostname()
    names = {"localhost", "127.0.0.1", "[::1]", name, f"{name}.local"}
    addresses = {host} - {"0.0.0.0", "::"}
    with contextlib.suppress(OSError):
        addresses |= {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    # The address of the way out: no packet is sent by connecting a datagram socket.
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        addresses.add(str(probe.getsockname()[0]))
    return sorted(names | {f"[{address}]" if ":" in address else address for address in addresses})


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def _reason(status: int | None) -> str:
    if status is not None and status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


if __name__ == "__main__":
    sys.exit(main())
