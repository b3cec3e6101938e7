"""An archive as a stream -> its pictures, still encoded, one by one.

Shards may come from anywhere, so nothing in them is believed: names are never paths, sizes have limits, links and
devices are refused.  No member is ever written to a disk.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ....errors import BadInput
from ....packaging.files import is_safe_path
from ..folder import SUFFIXES
from .access import Access, Stream, shown
from .index import Shard

MAX_PICTURE_BYTES = 64 * 1024**2
MAX_TEXT_BYTES = 1024**2
MAX_HEADER_BYTES = 1024**2
"""Of the headers before one member; tarfile would read any amount of them into memory."""
MAX_PIXELS = 64_000_000
_BLOCK = tarfile.RECORDSIZE
_FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True)
class Encoded:
    """A picture's file and what is known of it; ``place`` says where it came from."""

    data: bytes
    label: str
    place: str


def read_shard(shard: Shard, access: Access, skip: int = 0) -> Iterator[Encoded]:
    """The pictures of a shard after the first ``skip``.

    Raises :class:`BadInput` for a broken or hostile archive, and when it does not hold what the index says.
    """
    stream = access.open(shard.address, shard.size, shard.sha256)
    count = 0
    try:
        for encoded in _pictures(_Metered(stream), shown(shard.address), skip):
            count += 1
            if count > shard.samples:
                break
            if encoded is not None:
                yield encoded
        while count <= shard.samples and stream.read(1024**2):
            pass  # the padding behind the last member: only a stream that was read to its end is checked and kept
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadInput(f"{shown(shard.address)} is not a whole tar archive: {error}.") from error
    finally:
        stream.close()
    if count != shard.samples:
        more = "more" if count > shard.samples else f"only {count}"
        raise BadInput(f"{shown(shard.address)} holds {more} pictures, but its index says {shard.samples}.")


def decode(encoded: Encoded) -> NDArray[np.uint8]:
    """(H, W, 3), orientation applied.  Raises :class:`BadInput` for what is no picture of at most 64 megapixels."""
    try:
        with Image.open(io.BytesIO(encoded.data), formats=_FORMATS) as file:
            if file.width * file.height > MAX_PIXELS:
                raise BadInput(f"{encoded.place} has {file.width}x{file.height} pixels, more than {MAX_PIXELS:,}.")
            return np.asarray(ImageOps.exif_transpose(file).convert("RGB"), np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadInput(f"{encoded.place} is not a readable picture.") from error


class _Metered:
    """The file that tarfile sees: it gives no more than was allowed since the last member."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.left = 0
        self.allow(0)

    def allow(self, size: int) -> None:
        self.left = size + MAX_HEADER_BYTES + 2 * _BLOCK

    def read(self, count: int) -> bytes:
        if count > self.left:
            raise BadInput("A shard has headers of more than a megabyte; it is refused.")
        self.left -= count
        parts = []
        while count > 0:  # tarfile takes a short read for the end
            data = self.stream.read(count)
            if not data:
                break
            parts.append(data)
            count -= len(data)
        return b"".join(parts)


def _pictures(stream: _Metered, place: str, skip: int) -> Iterator[Encoded | None]:
    """Each picture with its label; None for each of the first ``skip``, whose bytes are passed over."""
    key, picture, label, number = "", b"", "", -1
    with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]  # only read is called
        while (member := _next(tar, stream)) is not None:
            _check(member, place)
            path = PurePosixPath(member.name)
            stem = f"{path.parent}/{path.name.split('.')[0]}"
            if stem != key:
                if key:
                    yield _made(picture, label, f"{place}:{key.removeprefix('./')}", passed=number < skip)
                key, picture, label, number = stem, b"", "", number + 1
            is_picture = path.suffix.lower() in SUFFIXES
            if number < skip:
                picture = picture or (b"-" if is_picture else b"")
            elif is_picture:
                picture = _content(tar, member)
            elif path.suffix.lower() == ".json":
                label = _label(_content(tar, member), f"{place}:{member.name}")
        if key:
            yield _made(picture, label, f"{place}:{key.removeprefix('./')}", passed=number < skip)


def _made(picture: bytes, label: str, place: str, *, passed: bool) -> Encoded | None:
    if not picture:
        raise BadInput(f"{place} has no picture.")
    return None if passed else Encoded(picture, label, place)


def _next(tar: tarfile.TarFile, stream: _Metered) -> tarfile.TarInfo | None:
    member = tar.next()
    tar.members = []  # type: ignore[attr-defined]  # it would remember every one of them
    if member is not None:
        stream.allow(member.size)
    return member


def _check(member: tarfile.TarInfo, place: str) -> None:
    name = member.name
    if not member.isreg() or member.issparse():
        raise BadInput(f"{place} holds {name[:100]!r}, which is no plain file; a shard has nothing else.")
    if not is_safe_path(name):
        raise BadInput(f"{place} holds {name[:100]!r}, a name that is not plain.")
    limit = MAX_PICTURE_BYTES if PurePosixPath(name).suffix.lower() in SUFFIXES else MAX_TEXT_BYTES
    if member.size > limit:
        raise BadInput(f"{place} holds {name!r} of {member.size:,} bytes; at most {limit:,} are read.")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    data = b"" if file is None else file.read()
    if len(data) != member.size:
        raise tarfile.ReadError(f"{member.name} is cut short")
    return data


def _label(data: bytes, place: str) -> str:
    try:
        described = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place} is not JSON.") from error
    label = described.get("label", "") if isinstance(described, dict) else ""
    return label if isinstance(label, str) and len(label) <= 100 else ""
