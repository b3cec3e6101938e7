"""``model.tar.gz`` as SageMaker unpacks it: the files of a package at its root, and what answers under ``code/``."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, BadPackage
from ..packaging import Package
from ..packaging.files import CARD, CODE, MANIFEST, sha256_of

Progress = Callable[[float, str], None]
NAME = "model.tar.gz"
_HERE = Path(__file__).resolve().parent
_COMPRESSION = 1
"""Weights hardly shrink; more than the quickest would take minutes for nothing."""


@dataclass(frozen=True)
class Shipment:
    """A packed archive: its bytes and their SHA-256."""

    path: Path
    size: int
    sha256: str


def pack(package: Package, out: Path, progress: Progress | None = None) -> Shipment:
    """Write the archive of a diffusion model to ``out``, a ``.tar.gz`` file or a folder for a ``model.tar.gz``.

    The same package always gives the same bytes.  Raises :class:`BadPackage` for other models, :class:`BadInput` where
    it cannot be written; then nothing is left behind.
    """
    if package.manifest.architecture != "diffusers":
        raise BadPackage(
            f"{package.manifest.name} is {package.manifest.architecture!r}; "
            "only diffusion models can be asked by the words of an endpoint."
        )
    path = out if out.name.endswith(".tar.gz") else out / NAME
    fresh = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fresh.open("wb") as raw:
                _write(package, raw, progress)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error
    return Shipment(path, path.stat().st_size, sha256_of(path))


def _write(package: Package, raw: io.BufferedWriter, progress: Progress | None) -> None:
    files = {name: package.path / name for name in [*package.manifest.files, CARD, MANIFEST]}
    files |= {name: _HERE / name.rpartition("/")[2] for name in CODE}
    names = sorted(name for name, file in files.items() if file.is_file())
    with (
        gzip.GzipFile("", "wb", _COMPRESSION, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for number, name in enumerate(names):
            if progress is not None:
                progress(number / len(names), f"Packing {name}")
            member = tarfile.TarInfo(name)
            member.size, member.mode = files[name].stat().st_size, 0o644
            with files[name].open("rb") as file:
                tar.addfile(member, file)
