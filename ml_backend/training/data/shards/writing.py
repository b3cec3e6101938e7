"""A folder of pictures by class -> shards."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ....errors import BadInput
from ....pipelines.base import Progress, tell
from ..folder import FolderImage, Split, list_images
from .index import FORMAT, INDEX, MAX_SHARD_BYTES, Index, read_index

SHARD_BYTES = 256 * 1000**2
_QUALITY = 95


def write_shards(
    folder: Path | str,
    out: Path | str,
    *,
    split: Split = "train",
    shard_bytes: int = SHARD_BYTES,
    longest: int | None = None,
    progress: Progress | None = None,
) -> Index:
    """Pack the pictures of ``folder/CLASS/`` into ``out/000000.tar`` and so on, each of about ``shard_bytes``.

    They are shuffled once, so that a shard shows all classes.  Files are taken as they are; with ``longest``, pictures
    with a longer side are reduced to it (JPEG, quality 95) and turned upright.  The index is written last: a folder
    with an index is whole.  Raises :class:`BadInput` for unreadable pictures and when ``out`` is not empty.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"{out} is not empty; shards get a folder of their own.")
    if not 0 < shard_bytes <= MAX_SHARD_BYTES:
        raise BadInput(f"A shard of {shard_bytes} bytes cannot be; at most {MAX_SHARD_BYTES} are possible.")
    pictures = list_images(folder, split)
    order = np.random.default_rng(0).permutation(len(pictures))
    out.mkdir(parents=True, exist_ok=True)
    samples = _samples([pictures[place] for place in order], longest, progress)
    entries = [_write(out / f"{number:06d}.tar", group) for number, group in enumerate(_groups(samples, shard_bytes))]
    (out / INDEX).write_text(json.dumps({"format": FORMAT, "shards": entries}, indent=1) + "\n", encoding="utf-8")
    return read_index(str(out))


Sample = tuple[str, bytes, bytes]
"""Name with suffix, the picture's file, the JSON beside it."""


def _samples(pictures: Sequence[FolderImage], longest: int | None, progress: Progress | None) -> Iterator[Sample]:
    for number, picture in enumerate(pictures):
        data, suffix = _encoded(picture.path, longest)
        described = json.dumps({"label": picture.label, "name": picture.path.name}).encode()
        yield f"{number:08d}{suffix}", data, described
        tell(progress, (number + 1) / len(pictures), picture.path.name)


def _encoded(path: Path, longest: int | None) -> tuple[bytes, str]:
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            if longest is None or max(image.size) <= longest:
                image.load()
                return data, path.suffix.lower()
            image.draft("RGB", (longest, longest))  # a JPEG is opened at the next larger eighth of its size
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadInput(f"{path} is not a readable picture.") from error
    upright.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    reduced = io.BytesIO()
    upright.save(reduced, "JPEG", quality=_QUALITY, subsampling=0)
    return reduced.getvalue(), ".jpg"


def _groups(samples: Iterable[Sample], shard_bytes: int) -> Iterator[list[Sample]]:
    group: list[Sample] = []
    size = 0
    for sample in samples:
        if group and size + len(sample[1]) > shard_bytes:
            yield group
            group, size = [], 0
        group.append(sample)
        size += len(sample[1])
    if group:
        yield group


def _write(path: Path, samples: Sequence[Sample]) -> dict[str, object]:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data, described in samples:
            _add(tar, name, data)
            _add(tar, f"{Path(name).stem}.json", described)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "samples": len(samples), "bytes": path.stat().st_size, "sha256": sha256}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    tar.addfile(member, io.BytesIO(data))
