"""Opening addresses: a path, ``http(s)://``, or any scheme that the caller brings an opener for (``s3://``).

Connections break in the middle of gigabytes.  A stream then goes on from the byte where it broke, and what arrives is
compared with the length and the SHA-256 that the index names.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from ....errors import BadInput

TRIES = 5
"""Broken connections in a row, without a byte in between, before a run gives up."""
WAIT_SECONDS = 0.5
"""Before the second try; doubled each time."""
TIMEOUT_SECONDS = 60
MAX_INDEX_BYTES = 64 * 1024**2
_FREE_BYTES = 1024**3
"""What a cache leaves free on its disk."""
_ABANDONED_SECONDS = 24 * 3600


class Stream(Protocol):
    """What an opener returns: bytes in order, ``b""`` at the end."""

    def read(self, count: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


Opener = Callable[[str, int], Stream]
"""Opens an address at a byte.  Raises :class:`BadInput` when trying again is of no use, ``OSError`` when it may be."""


def open_file(address: str, start: int) -> Stream:
    path = Path(urlsplit(address).path if address.startswith("file://") else address)
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    file.seek(start)
    return file


def open_web(address: str, start: int) -> Stream:
    """A GET over http or https, from ``start`` on by a range request."""
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310
    try:
        answer: Stream = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310  # schemes are known
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (408, 429) or error.code >= 500:
            raise OSError(f"HTTP {error.code}") from error
        raise BadInput(f"{shown(address)} cannot be read: the server answers {error.code} {error.reason}.") from error
    if start and getattr(answer, "status", 206) != 206:  # a server that knows no ranges sends all of it again
        _pass_over(answer, start)
    return answer


@dataclass(frozen=True)
class Access:
    """How to reach shards: ``openers`` by scheme besides files and http(s), and where to ``cache`` remote ones.

    The cache takes at most ``cache_bytes`` and always leaves a gigabyte free; what does not fit is streamed each time.
    """

    openers: Mapping[str, Opener] = field(default_factory=dict)
    cache: Path | None = None
    cache_bytes: int = 100 * 1024**3

    def opener(self, address: str) -> Opener:
        scheme = scheme_of(address)
        known: dict[str, Opener] = {"": open_file, "file": open_file, "http": open_web, "https": open_web}
        known.update(self.openers)
        if scheme not in known:
            example = "--opener s3=ml_backend.s3:open_object"
            raise BadInput(f"{shown(address)} needs an opener for {scheme}:// addresses, as {example} gives.")
        return known[scheme]

    def read_small(self, address: str) -> bytes:
        """The whole of an index.  Raises :class:`BadInput`."""
        try:
            stream = self.opener(address)(address, 0)
            try:
                data = stream.read(MAX_INDEX_BYTES + 1)
            finally:
                stream.close()
        except (OSError, http.client.HTTPException) as error:
            raise BadInput(f"{shown(address)} cannot be read: {error}.") from error
        if len(data) > MAX_INDEX_BYTES:
            raise BadInput(f"{shown(address)} is longer than {MAX_INDEX_BYTES} bytes; that is no index.")
        return data

    def open(self, address: str, size: int, sha256: str) -> Stream:
        """The ``size`` bytes at ``address``, from the cache if they are there; checked while they are read."""
        kept = self.cache / f"{sha256}.tar" if self.cache is not None else None
        if kept is not None and kept.is_file() and kept.stat().st_size == size:
            kept.touch()
            return Steady(open_file, str(kept), size, sha256)
        copy = kept if scheme_of(address) not in ("", "file") and self._has_room(size) else None
        return Steady(self.opener(address), address, size, sha256, copy)

    def _has_room(self, size: int) -> bool:
        if self.cache is None:
            return False
        self.cache.mkdir(parents=True, exist_ok=True)
        for path in self.cache.iterdir():
            if path.suffix != ".tar" and time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink(missing_ok=True)  # half a shard that a killed run left
        used = sum(path.stat().st_size for path in self.cache.iterdir() if path.is_file())
        return used + size <= self.cache_bytes and shutil.disk_usage(self.cache).free > size + _FREE_BYTES


class Steady:
    """A stream of known length and hash over connections that may break; ``copy`` is left behind when all was read.

    Raises :class:`BadInput` when it stays broken, or when the bytes are others than the index promised.
    """

    def __init__(self, opener: Opener, address: str, size: int, sha256: str, copy: Path | None = None) -> None:
        self.address, self.size, self.sha256 = address, size, sha256
        self.position = 0
        self._opener = opener
        self._stream: Stream | None = None
        self._digest = hashlib.sha256()
        self._copy = copy
        self._partial: IO[bytes] | None = None

    def read(self, count: int = -1, /) -> bytes:
        left = self.size - self.position
        count = left if count < 0 else min(count, left)
        if count <= 0:
            return b""
        data = self._read_on(count)
        self.position += len(data)
        self._digest.update(data)
        self._keep(data)
        if self.position == self.size:
            self._check()
        return data

    def _read_on(self, count: int) -> bytes:
        """At least one byte, over as many connections as it takes."""
        reason = "it ends too early"
        for attempt in range(TRIES):
            if attempt:
                time.sleep(WAIT_SECONDS * 2 ** (attempt - 1))
            try:
                if self._stream is None:
                    self._stream = self._opener(self.address, self.position)
                data = self._stream.read(count)
                if data:
                    return data
                reason = "it ends too early"
            except (OSError, http.client.HTTPException) as error:
                reason = str(error) or type(error).__name__
            self._hang_up()
            if scheme_of(self.address) in ("", "file"):
                break  # a file on a disk does not come back
        raise BadInput(f"{shown(self.address)} breaks off at byte {self.position} of {self.size}: {reason}.")

    def _check(self) -> None:
        if self._digest.hexdigest() != self.sha256:
            self._drop()
            raise BadInput(f"{shown(self.address)} is not the shard that its index describes: its SHA-256 differs.")
        if self._partial is not None and self._copy is not None:
            self._partial.close()
            Path(self._partial.name).replace(self._copy)
            self._partial = None

    def _keep(self, data: bytes) -> None:
        if self._copy is None:
            return
        try:
            if self._partial is None:
                self._partial = self._copy.with_suffix(f".{os.getpid()}-{id(self):x}").open("wb")
            self._partial.write(data)
        except OSError:  # a full disk is no reason to stop: go on without keeping
            self._drop()

    def _drop(self) -> None:
        self._copy = None
        if self._partial is not None:
            with suppress(OSError):
                self._partial.close()
            Path(self._partial.name).unlink(missing_ok=True)
            self._partial = None

    def _hang_up(self) -> None:
        if self._stream is not None:
            with suppress(OSError, http.client.HTTPException):
                self._stream.close()
            self._stream = None

    def close(self) -> None:
        self._hang_up()
        self._drop()


def scheme_of(address: str) -> str:
    scheme, separator, _ = address.partition("://")
    return scheme.lower() if separator else ""


def shown(address: str) -> str:
    """The address without what may be a signature or a password."""
    if scheme_of(address) in ("", "file"):
        return address
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _pass_over(stream: Stream, count: int) -> None:
    while count > 0:
        data = stream.read(min(count, 1024**2))
        if not data:
            raise OSError("it ends too early")
        count -= len(data)
