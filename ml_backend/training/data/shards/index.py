"""``index.json``: which shards there are, and how many pictures each holds.

::

    {"format": "toile-shards-1",
     "shards": [{"name": "000000.tar", "samples": 812, "bytes": 268431360, "sha256": "..."}]}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ....errors import BadInput
from .access import Access, scheme_of, shown

FORMAT = "toile-shards-1"
INDEX = "index.json"
MAX_SHARD_BYTES = 64 * 1024**3
MAX_SHARDS = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.tar")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Shard:
    """One archive: where it is, how many pictures it holds, its length and hash."""

    address: str
    samples: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """The shards of a set, in the order in which they were written."""

    place: str
    shards: tuple[Shard, ...]

    @property
    def samples(self) -> int:
        return sum(shard.samples for shard in self.shards)


def read_index(place: str, access: Access | None = None) -> Index:
    """The index in a folder, or below a URL; a query (a signature) is kept for every shard.

    Raises :class:`BadInput` for what is no index, and for names that could lead out of the place.
    """
    access = access or Access()
    address = below(place, INDEX)
    try:
        data = json.loads(access.read_small(address))
    except ValueError as error:
        raise BadInput(f"{shown(address)} is not JSON.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("shards"), list):
        raise BadInput(
            f"{shown(address)} is no index of shards; make one with: python -m ml_backend shards FOLDER OUT."
        )
    if not 0 < len(data["shards"]) <= MAX_SHARDS:
        raise BadInput(f"{shown(address)} names {len(data['shards'])} shards; between 1 and {MAX_SHARDS} are possible.")
    return Index(place, tuple(_shard(entry, place, address) for entry in data["shards"]))


def below(place: str, name: str) -> str:
    """The address of a file in a folder or below a URL."""
    if scheme_of(place) in ("", "file"):
        return f"{place.rstrip('/')}/{name}"
    parts = urlsplit(place)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def _shard(entry: object, place: str, address: str) -> Shard:
    if not isinstance(entry, dict):
        raise BadInput(f"{shown(address)} describes a shard by something else than an object.")
    name, sha256 = entry.get("name"), entry.get("sha256")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInput(
            f"{shown(address)} names the shard {str(name)[:100]!r}; a shard has a plain name ending in .tar."
        )
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise BadInput(f"{shown(address)} has no SHA-256 for {name}.")
    samples, size = (_count(entry.get(key), key, name, address) for key in ("samples", "bytes"))
    return Shard(below(place, name), samples, size, sha256)


def _count(value: object, key: str, name: str, address: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_SHARD_BYTES:
        raise BadInput(f"{shown(address)} says {key} {str(value)[:30]} of {name}; that cannot be.")
    return value
