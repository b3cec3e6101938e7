"""The servers that production uses, each started for the tests alone.

All listen on free loopback ports, keep their files in a temporary folder, and end with the test run: they are stopped
when their context is left, and (on Linux) told to stop by the kernel if the test run itself is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_SECONDS = 120.0
"""A crowded machine takes its time; a free one starts each server in a second or two."""


class Unavailable(Exception):
    """This machine cannot run the server; the text says what is missing."""


def free_ports(count: int) -> list[int]:
    """Distinct loopback ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Look every 50 ms until ``condition`` holds; AssertionError after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


# --- processes ----------------------------------------------------------------------------------------------------


def ends_with_us(number: int = signal.SIGTERM) -> Callable[[], None] | None:
    """What a child runs first, so that it gets signal ``number`` when its parent dies however suddenly (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, set_death_signal = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(set_death_signal, int(number))


@dataclass
class Server:
    """A child process and the log it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace")[-3000:]

    def wait_ready(self, ready: Callable[[], bool]) -> None:
        def up() -> bool:
            assert self.process.poll() is None, f"{self.name} ended by itself:\n{self.said()}"
            return ready()

        wait_until(up, f"{self.name} to answer")

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It and its children still take connections, in the kernel's queue, and say nothing."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM, grace: float = 20.0) -> None:
        """Ask it to stop, wait, and kill what is left of its process group."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group, without warning."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(
    name: str,
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Server:
    """Start a child in a process group of its own, as ``user`` if given."""
    account = pwd.getpwnam(user) if user else None
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd="/" if user else ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=ends_with_us(),
        )
    return Server(name, process, log)


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


@dataclass
class PostgreSQL:
    """A throw-away cluster that can be stopped and started again at the same address."""

    url: str
    command: list[str | Path]
    log: Path
    environment: dict[str, str]
    user: str | None
    server: Server | None = None

    def start(self, ready: Callable[[], bool]) -> None:
        self.server = start("PostgreSQL", self.command, self.log, env=self.environment, user=self.user)
        self.server.wait_ready(ready)

    def restart(self) -> None:
        """Every connection is cut, and for a moment nobody answers."""
        self.stop()
        self.start(lambda: _connects(self.url))

    def stop(self) -> None:
        if self.server:
            self.server.stop(signal.SIGINT)  # "fast": does not wait for clients to leave
        self.server = None


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A throw-away cluster with an empty database; yields its ``DATABASE_URL``.  Raises :class:`Unavailable`."""
    with postgresql_server() as server:
        yield server.url


@contextlib.contextmanager
def postgresql_server() -> Iterator[PostgreSQL]:
    """:func:`postgresql`, to be stopped and started.  Raises :class:`Unavailable`."""
    initdb, postgres = postgresql_programs()
    user = _unprivileged_user() if os.getuid() == 0 else None
    password, (port,) = secrets.token_hex(16), free_ports(1)
    # Not under pytest's own temporary folder: that one is closed to the other user.
    folder = Path(tempfile.mkdtemp(prefix="toile-postgresql-"))
    try:
        secret = folder / "password"
        secret.write_text(password)
        if user:
            for path in (folder, secret):
                shutil.chown(path, user)
        cluster, environment = folder / "cluster", {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        options = ["--encoding=UTF8", "--locale=C", "--no-sync", "--username=toile"]
        access = ["--auth=scram-sha-256", f"--pwfile={secret}"]
        made = start(
            "initdb", [initdb, "-D", cluster, *options, *access], folder / "initdb.log", env=environment, user=user
        )
        try:
            assert made.process.wait(START_SECONDS) == 0, made.said()
        finally:
            made.kill()
        settings = {"listen_addresses": HOST, "port": port, "unix_socket_directories": "", "fsync": "off"}
        command: list[str | Path] = [postgres, "-D", cluster]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        address = f"postgresql://toile:{password}@{HOST}:{port}"
        server = PostgreSQL(f"{address}/toile", command, folder / "postgres.log", environment, user)
        try:
            server.start(lambda: _made_database(f"{address}/postgres"))
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _connects(address: str) -> bool:
    import psycopg

    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _made_database(address: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            connection.execute("CREATE DATABASE toile")
    except psycopg.OperationalError:
        return False
    return True


def postgresql_programs() -> tuple[Path, Path]:
    """``initdb`` and ``postgres``.  Raises :class:`Unavailable`."""
    return _postgresql_program("initdb"), _postgresql_program("postgres")


def _postgresql_program(name: str) -> Path:
    """From PATH, else the newest of Debian's versions, which are not in it."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    if found := shutil.which(name):
        return Path(found)
    if versions:
        return versions[-1]
    raise Unavailable(f"PostgreSQL's {name} is not installed (Debian: apt-get install postgresql)")


def _unprivileged_user() -> str:
    """PostgreSQL refuses to run as root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise Unavailable("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


# --- Redis --------------------------------------------------------------------------------------------------------


@dataclass
class Redis:
    """A Redis server that can be stopped and started again at the same address."""

    folder: Path
    port: int
    server: Server | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        options = {"--port": self.port, "--bind": HOST, "--dir": self.folder, "--save": "", "--appendonly": "no"}
        command = [redis_program(), *(str(part) for option in options.items() for part in option)]
        self.server = start("Redis", command, self.folder / "redis.log")
        self.server.wait_ready(lambda: answers(self.port))

    def frozen(self) -> contextlib.AbstractContextManager[None]:
        assert self.server
        return self.server.frozen()

    def stop(self) -> None:
        """Stop without keeping anything: messages in it are lost."""
        if self.server:
            self.server.stop()
        self.server = None


def redis_program() -> str:
    """Redis, or its free continuation.  Raises :class:`Unavailable`."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise Unavailable("redis-server is not installed (Debian: apt-get install redis-server)")
    return program


# --- S3 -----------------------------------------------------------------------------------------------------------

SWIFT_SERVERS = {"account": "swift.account", "container": "swift.container", "object": "swift.obj"}
S3_ACCESS_KEY, S3_VISITOR = "toile:shop", "toile:visitor"
"""Account and user, as Swift's built-in user list names them; the visitor has no rights of its own."""

_SWIFT_COMMON = """
[DEFAULT]
bind_ip = {host}
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/nodes
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
db_preallocation = off
"""

_SWIFT_STORAGE = """
[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""

_SWIFT_PROXY = """
[pipeline:main]
pipeline = s3api tempauth proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:tempauth]
use = egg:swift#tempauth
user_{access} = {secret} .admin
user_{visitor} = {secret}

[filter:s3api]
use = egg:swift#s3api
auth_pipeline_check = false
s3_acl = false
"""


@dataclass
class Swift:
    """OpenStack Swift behind its S3 interface, on one folder.

    Chosen because it checks signatures, their expiry and their scope as Amazon's service does; the usual fakes accept
    any.
    ``stop`` and ``start`` of the proxy are an outage: what was stored stays.
    """

    folder: Path
    port: int
    secret: str
    ports: dict[str, int] = field(default_factory=lambda: dict(zip(SWIFT_SERVERS, free_ports(3), strict=True)))
    storage: list[Server] = field(default_factory=list)
    proxy: Server | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def open(self) -> None:
        """Write the configuration and start all four servers."""
        self._write_configuration()
        for kind in self.ports:
            self.storage.append(self._start(kind))
        for server, port in zip(self.storage, self.ports.values(), strict=True):
            server.wait_ready(partial(answers, port))
        self.start()

    def start(self) -> None:
        self.proxy = self._start("proxy")
        self.proxy.wait_ready(self._answers)

    def stop(self) -> None:
        """The outage."""
        if self.proxy:
            self.proxy.stop()
        self.proxy = None

    def close(self) -> None:
        self.stop()
        for server in self.storage:
            server.stop()
        self.storage.clear()

    def _start(self, kind: str) -> Server:
        package = SWIFT_SERVERS.get(kind, "swift.proxy")
        program = f"import sys; from {package}.server import main; sys.exit(main())"
        return start(
            f"Swift's {kind} server",
            [sys.executable, "-c", program, self.folder / f"{kind}.conf"],
            self.folder / f"{kind}.log",
        )

    def _answers(self) -> bool:
        """A listing without a signature is refused by name, or found wrong by a server that is still starting."""
        try:
            with urllib.request.urlopen(self.endpoint + "/", timeout=10):
                return True
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    def _write_configuration(self) -> None:
        (self.folder / "nodes" / "disk").mkdir(parents=True)
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = toile\n")
        places = {"host": HOST, "folder": self.folder, "user": pwd.getpwuid(os.getuid()).pw_name}
        for kind, port in self.ports.items():
            text = _SWIFT_COMMON.format(port=port, **places) + _SWIFT_STORAGE.format(kind=kind)
            (self.folder / f"{kind}.conf").write_text(text)
        access, visitor = (key.replace(":", "_") for key in (S3_ACCESS_KEY, S3_VISITOR))
        text = _SWIFT_PROXY.format(access=access, visitor=visitor, secret=self.secret)
        (self.folder / "proxy.conf").write_text(_SWIFT_COMMON.format(port=self.port, **places) + text)
        rings = Path(__file__).with_name("swift_rings.py")
        arguments = [f"{kind}={port}" for kind, port in self.ports.items()]
        subprocess.run([sys.executable, rings, self.folder, *arguments], check=True, capture_output=True, timeout=120)


def swift_folder(parent: Path) -> Path:
    """A fresh folder that Swift can keep objects in.  Raises :class:`Unavailable`."""
    if importlib.util.find_spec("swift") is None:
        raise Unavailable("OpenStack Swift, the S3 server of these tests, is not installed (it runs on Linux only)")
    folder = Path(tempfile.mkdtemp(prefix="swift-", dir=parent))
    try:
        os.setxattr(folder, "user.toile", b"1")
    except OSError as error:
        raise Unavailable(f"the file system of {parent} keeps no extended attributes, which Swift needs") from error
    return folder
