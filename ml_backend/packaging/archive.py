"""``model.tar.gz``: unpacked member by member, each name and size looked at before a byte is written."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ..errors import BadInput, BadPackage
from .files import CARD, CODE, MANIFEST, MAX_FILES, is_model_file, is_pickle, is_safe_path

Progress = Callable[[float, str], None]
MAX_BYTES = 64 * 1024**3
MAX_TEXT_BYTES = 64 * 1024**2
MAX_HEADER_BYTES = 1024**2
"""Of the tar headers before one member; tarfile would read any amount of them into memory."""
MAX_RATIO = 50
"""Unpacked to packed: weights hardly shrink; what shrinks more is zeros made to fill a disk."""
ALLOWANCE = 16 * 1024**2
_CHUNK = 1024 * 1024


def unpack(archive: Path, into: Path, *, allow_pickle: bool = False, progress: Progress | None = None) -> None:
    """Write the model files of a ``.tar`` or ``.tar.gz`` below ``into``.

    Programs, pictures and hidden files are left behind, pickles too unless allowed.  Raises :class:`BadPackage` for
    links, devices, names that lead elsewhere, names that come twice, and archives that grow beyond the limits;
    :class:`BadInput` when it is no archive or the disk is too small.
    """
    packed = archive.stat().st_size
    limit = min(MAX_BYTES, packed * MAX_RATIO + ALLOWANCE)

    def say(name: str) -> None:
        if progress is not None:
            progress(min(raw.tell() / max(packed, 1), 1.0), f"Unpacking {name}")

    into.mkdir(parents=True, exist_ok=True)
    try:
        with archive.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = _Metered(gzip.GzipFile(fileobj=raw) if zipped else raw)
            with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]  # only read is called
                _members(tar, stream, into, limit, allow_pickle, say)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.errno is not None else error
        raise BadInput(f"{archive.name} is not a whole tar archive, or cannot be unpacked: {reason}.") from error


class _Metered:
    """A stream that gives no more than was allowed."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self.stream = stream
        self.left = MAX_HEADER_BYTES

    def allow(self, count: int) -> None:
        self.left = count

    def read(self, count: int) -> bytes:
        if count > self.left:
            raise BadPackage("The archive has headers of more than a megabyte; it is refused.")
        data = self.stream.read(count)
        self.left -= len(data)
        return data


def _members(
    tar: tarfile.TarFile,
    stream: _Metered,
    into: Path,
    limit: int,
    allow_pickle: bool,
    say: Callable[[str], None],
) -> None:
    seen: set[str] = set()
    total = 0
    while True:
        stream.allow(MAX_HEADER_BYTES)
        member = tar.next()
        if member is None:
            return
        name = member.name.removeprefix("./")
        if member.isdir():
            continue
        total += member.size
        if name.lower() in seen:
            raise BadPackage(f"The archive holds {name!r} twice.")
        seen.add(name.lower())
        _check(member, name, len(seen), total, limit)
        source = tar.extractfile(member)
        if source is None:
            raise BadPackage(f"The archive holds {name!r}, which is no plain file.")
        stream.allow(member.size + MAX_HEADER_BYTES)
        say(name)
        if _is_wanted(name, allow_pickle):
            _write(source, into / name, member.size)
        else:
            _pass_over(source)


def _is_wanted(name: str, allow_pickle: bool) -> bool:
    return (
        is_safe_path(name)
        and name not in CODE
        and (is_model_file(name) or name in (CARD, MANIFEST) or (allow_pickle and is_pickle(name)))
    )


def _check(member: tarfile.TarInfo, name: str, count: int, total: int, limit: int) -> None:
    if not member.isreg() or member.issparse():
        raise BadPackage(f"The archive holds {name!r}, which is no plain file; links and devices are not unpacked.")
    if not is_safe_path(name) and not _is_hidden(name):
        raise BadPackage(f"The archive holds {name!r}, a name that could lead out of its folder.")
    if count > MAX_FILES:
        raise BadPackage(f"The archive holds more than {MAX_FILES} files; that is no model.")
    if total > limit:
        raise BadPackage("The archive unpacks to far more than a model of its size would; it is refused.")
    if member.size > MAX_TEXT_BYTES and is_model_file(name) and not name.endswith(".safetensors"):
        raise BadPackage(f"The archive holds {name!r} of {member.size} bytes; that is no configuration.")


def _is_hidden(name: str) -> bool:
    """A hidden name that is plain otherwise (``.gitattributes``, ``.cache/x``); such files are passed over."""
    return is_safe_path("/".join(part.removeprefix(".") for part in name.split("/")))


def _write(source: IO[bytes], target: Path, size: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(target.parent).free < size:
        raise BadInput(f"The disk has no room for {target.name} of {size / 1e9:.1f} GB.")
    with target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
    if target.stat().st_size != size:
        raise BadPackage(f"{target.name} is cut short in the archive.")


def _pass_over(source: IO[bytes]) -> None:
    while source.read(_CHUNK):
        pass
