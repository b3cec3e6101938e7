"""Packages in storage under ``models/<sha256>/``, and the verified copies of them on this machine."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from ..errors import BadPackage, LibraryError
from ..packaging import Manifest, Package
from ..packaging.files import CARD, MANIFEST, is_safe_path
from ..packaging.header import strict_json
from ..packaging.package import MAX_MANIFEST_BYTES, WEIGHTS
from .storage import delete_files

log = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
CHUNK = 4 * 1024 * 1024


SAMPLES = "samples"
"""Folder of a package with pictures of what it makes.  They belong to no hash, for nothing loads them."""
SAMPLE_KINDS = (".png", ".jpg", ".jpeg", ".webp")
MOST_SAMPLES = 12
MOST_SAMPLE_BYTES = 4 * 1024 * 1024


def samples_of(folder: Path) -> list[str]:
    """Names of the pictures that a package on this disk shows of itself, the first dozen of them."""
    found = sorted((folder / SAMPLES).glob("*")) if (folder / SAMPLES).is_dir() else []
    names = [
        file.name
        for file in found
        if is_safe_path(file.name)
        and file.suffix.lower() in SAMPLE_KINDS
        and not file.is_symlink()
        and file.is_file()
        and file.stat().st_size <= MOST_SAMPLE_BYTES
    ]
    return names[:MOST_SAMPLES]


def names_of(manifest: Manifest) -> list[str]:
    """The files of a package, the manifest last: what has one is whole."""
    return [*(sorted(manifest.files) or [WEIGHTS]), CARD, MANIFEST]


def store(package: Package, folder: str, progress: Progress | None = None) -> None:
    """Write the files of ``package`` below ``folder``; when one fails, those already written are taken back."""
    pictures = [f"{SAMPLES}/{name}" for name in samples_of(package.path)]
    names = [name for name in [*pictures, *names_of(package.manifest)] if (package.path / name).is_file()]
    written: list[str] = []
    try:
        for number, name in enumerate(names):
            if progress is not None:
                progress(number / len(names), f"Storing {name}")
            key = f"{folder}/{name}"
            default_storage.delete(key)
            with (package.path / name).open("rb") as file:
                written.append(default_storage.save(key, File(file)))
            if written[-1] != key:
                raise BadPackage(f"Storage would not keep the model: {key} is taken.")
    except BaseException:
        delete_files(written, later=False)
        raise


def remove(folder: str, samples: Sequence[str] = ()) -> None:
    """Delete a stored package, with its ``samples``, and this machine's copy of it."""
    try:
        names = names_of(_stored_manifest(folder))
    except LibraryError:
        names = [WEIGHTS, CARD, MANIFEST]
    names += [f"{SAMPLES}/{name}" for name in samples]
    delete_files([f"{folder}/{name}" for name in names], later=False)
    path = _copy_of(folder.rpartition("/")[2])
    shutil.rmtree(path, ignore_errors=True)
    _stamp_of(path).unlink(missing_ok=True)


def verify(sha256: str, folder: str, progress: Progress | None = None) -> None:
    """Read every stored file and compare.  Raises :class:`BadPackage` naming the first that is damaged or missing."""
    manifest = _stored_manifest(folder)
    if manifest.sha256 != sha256:
        raise BadPackage("The stored model is not the one that was registered.")
    files = manifest.files or {WEIGHTS: sha256}
    for number, (name, expected) in enumerate(sorted(files.items())):
        if progress is not None:
            progress(number / len(files), f"Checking {name}")
        if not is_safe_path(name) or _stored_sha256(f"{folder}/{name}") != expected:
            raise BadPackage(f"{name} of {manifest.name} is damaged in storage; add or pull the model again.")


def local(sha256: str, folder: str) -> Package:
    """A verified copy on this machine; a damaged one is fetched once more.  Raises :class:`BadPackage`.

    Where files are stored on this very disk a folder package is used from there, for it may have many gigabytes.
    """
    path = _copy_of(sha256)
    stored = _stored_path(folder)
    if stored is not None and (stored / MANIFEST).is_file() and Manifest.read(stored).files:
        return _expect(sha256, Package.load(stored, stamp=_stamp_of(path)))
    if path.is_dir():
        try:
            return _expect(sha256, Package.load(path, stamp=_stamp_of(path)))
        except BadPackage as error:
            log.warning("%s It is fetched again.", error)
            shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as fresh:
        target = Path(fresh) / sha256
        _fetch(folder, target)
        _expect(sha256, Package.load(target))
        if not path.exists():
            target.rename(path)
    return _expect(sha256, Package.load(path, stamp=_stamp_of(path)))


def _expect(sha256: str, package: Package) -> Package:
    if package.manifest.sha256 != sha256:
        raise BadPackage("The stored model is not the one that was registered.")
    return package


def _fetch(folder: str, target: Path) -> None:
    target.mkdir(parents=True)
    manifest = _stored_manifest(folder)
    for name in names_of(manifest):
        key = f"{folder}/{name}"
        if not is_safe_path(name):
            raise BadPackage(f"The manifest of {manifest.name} names {name!r}, which is not a file of a package.")
        if name == CARD and not default_storage.exists(key):
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            with default_storage.open(key) as source, (target / name).open("wb") as copy:
                shutil.copyfileobj(source, copy, CHUNK)
        except FileNotFoundError as error:
            raise BadPackage(
                f"{name} of {manifest.name} is missing in storage; add or pull the model again."
            ) from error


def _stored_manifest(folder: str) -> Manifest:
    try:
        with default_storage.open(f"{folder}/{MANIFEST}") as file:
            text = file.read(MAX_MANIFEST_BYTES + 1)
        if len(text) > MAX_MANIFEST_BYTES:
            raise ValueError("it is too large")
        return Manifest.parse(strict_json(text))
    except FileNotFoundError as error:
        raise BadPackage("The model is missing in storage; add or pull it again.") from error
    except (ValueError, TypeError) as error:
        raise BadPackage(f"The stored manifest of a model cannot be read: {error}.") from error


def _stored_sha256(key: str) -> str:
    """ "" for a file that is not there."""
    digest = hashlib.sha256()
    try:
        with default_storage.open(key) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def _stored_path(folder: str) -> Path | None:
    """Where storage keeps it on this disk; None for storage elsewhere."""
    try:
        return Path(default_storage.path(folder))
    except NotImplementedError:
        return None


def _copy_of(sha256: str) -> Path:
    path: Path = settings.DATA_DIR / "models" / sha256
    return path


def _stamp_of(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.verified")
