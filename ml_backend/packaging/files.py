"""Which files a folder package may hold, and whether they are the files its manifest names.

The rule: weights are ``.safetensors``, everything beside them is JSON or plain text.  Pickles and programs can run code
when they are loaded, so a package never holds any.  The card (``README.md`` beside the manifest), hidden files and
pictures belong to no hash: nothing loads them.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from ..errors import BadPackage

MANIFEST = "manifest.json"
CARD = "README.md"
CODE = ("code/inference.py", "code/requirements.txt")
"""What answers at an endpoint, beside the model in its archive.  No loader looks at it, and it is never run here."""

MODEL_KINDS = frozenset({".safetensors", ".json", ".txt", ".md", ".model"})
"""What a folder package may hold; ``.model`` is a SentencePiece vocabulary, which is data."""
PICKLE_KINDS = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".dill"})
PICTURE_KINDS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg", ".mp4"})
LICENCE_NAMES = frozenset({"license", "licence", "copying", "notice"})

MAX_FILES = 2000
MAX_DEPTH = 6
_SETTLED_NS = 2_000_000_000
"""A file changed so shortly before it was checked may change again within the tick of its clock."""


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def combined_sha256(files: Mapping[str, str]) -> str:
    """SHA-256 of a folder: of its sorted ``sha256  path`` lines, as ``sha256sum ... | sort | sha256sum`` prints it."""
    lines = sorted(f"{sha256}  {path}\n" for path, sha256 in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def is_safe_path(name: object) -> bool:
    """Whether ``name`` is a plain relative path with forward slashes that stays inside its folder, nothing hidden."""
    if not isinstance(name, str) or not name or not name.isprintable() or any(sign in name for sign in '\\:"<>|?*'):
        return False
    path = PurePosixPath(name)
    if path.is_absolute() or str(path) != name or not 1 <= len(path.parts) <= MAX_DEPTH or len(name) > 200:
        return False
    return not any(part.startswith(".") or part.endswith((".", " ")) for part in path.parts)


def is_model_file(name: str) -> bool:
    """Whether a folder package may name this file."""
    path = PurePosixPath(name)
    return path.suffix.lower() in MODEL_KINDS or path.name.lower() in LICENCE_NAMES


def is_pickle(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICKLE_KINDS


def belongs_to_no_hash(name: str) -> bool:
    """The manifest itself, the card, hidden files, pictures, and the code of an archive that was shipped."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in path.parts)
    return hidden or name in (MANIFEST, CARD, *CODE) or path.suffix.lower() in PICTURE_KINDS


def listing(folder: Path) -> list[str]:
    """Relative paths of all files below ``folder``, sorted.  Raises :class:`BadPackage` for a link that leaves it."""
    inside = folder.resolve()
    names = []
    for path in _walk(folder):
        if not path.resolve().is_relative_to(inside):
            raise BadPackage(f"{folder} holds a link that leads out of it: {path.relative_to(folder).as_posix()}.")
        names.append(path.relative_to(folder).as_posix())
        if len(names) > MAX_FILES:
            raise BadPackage(f"{folder} holds more than {MAX_FILES} files; that is no model.")
    return sorted(names)


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below ``folder``; a linked folder comes as one entry, it is not entered."""
    for root, folders, names in os.walk(folder, followlinks=False):
        for name in [*names, *(name for name in folders if (Path(root) / name).is_symlink())]:
            yield Path(root) / name


def hashes_of(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that belongs to the package.  Raises :class:`BadPackage` for one that must not be there."""
    names = [name for name in listing(folder) if not belongs_to_no_hash(name)]
    for name in names:
        if not is_safe_path(name) or not is_model_file(name):
            raise BadPackage(f"{folder} holds {name}: a package has {_kinds()} files only.")
    return {name: sha256_of(folder / name) for name in names}


def check_files(folder: Path, files: Mapping[str, str], sha256: str, stamp: Path | None = None) -> None:
    """Raise :class:`BadPackage` unless ``folder`` holds exactly ``files`` with these hashes, and ``sha256`` is theirs.

    With ``stamp``, a file outside the package, the sizes and times of verified files are noted there, and files that
    have not changed since are not read again: five gigabytes take many seconds to hash.
    """
    _check_names(folder, files)
    if combined_sha256(files) != sha256:
        raise BadPackage(f"The manifest of {folder} is damaged: its SHA-256 is not that of the files it names.")
    present = {name for name in listing(folder) if not belongs_to_no_hash(name)}
    for name in sorted(present - set(files)):
        raise BadPackage(f"{folder} holds {name}, which its manifest does not name.")
    for name in sorted(set(files) - present):
        raise BadPackage(f"{folder} is incomplete: {name} is missing.")
    if stamp is not None and _stamped(stamp, folder, files):
        return
    for name, expected in files.items():
        if sha256_of(folder / name) != expected:
            raise BadPackage(f"{name} of {folder} is damaged: its SHA-256 is not the manifest's.")
    if stamp is not None:
        _write_stamp(stamp, folder, files)


def _check_names(folder: Path, files: Mapping[str, str]) -> None:
    if len({name.lower() for name in files}) != len(files):
        raise BadPackage(f"The manifest of {folder} names a file twice.")
    for name, sha256 in files.items():
        if not is_safe_path(name) or belongs_to_no_hash(name):
            raise BadPackage(f"The manifest of {folder} names {name!r}, which is not a file of a package.")
        if not is_model_file(name):
            raise BadPackage(f"The manifest of {folder} names {name}: a package has {_kinds()} files only.")
        if not isinstance(sha256, str) or len(sha256) != 64:
            raise BadPackage(f"The manifest of {folder} has no SHA-256 for {name}.")


def _kinds() -> str:
    return ", ".join(sorted(MODEL_KINDS))


def _marks(folder: Path, files: Mapping[str, str]) -> dict[str, list[int]]:
    found = {name: (folder / name).stat() for name in files}
    return {name: [at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino] for name, at in found.items()}


def _stamped(stamp: Path, folder: Path, files: Mapping[str, str]) -> bool:
    try:
        noted = json.loads(stamp.read_text(encoding="utf-8"))
        changed = [mark[2] for mark in noted["marks"].values()]
        return bool(
            noted["sha256"] == combined_sha256(files)
            and noted["marks"] == _marks(folder, files)
            and max(changed) < noted["at"] - _SETTLED_NS
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return False


def _write_stamp(stamp: Path, folder: Path, files: Mapping[str, str]) -> None:
    """Written beside and moved into place; a stamp that cannot be kept only costs the next hashing."""
    noted = {"sha256": combined_sha256(files), "at": time.time_ns(), "marks": _marks(folder, files)}
    fresh = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    try:
        fresh.write_text(json.dumps(noted), encoding="utf-8")
        fresh.replace(stamp)
    except OSError:
        fresh.unlink(missing_ok=True)
