"""Pictures with what is said of them, as people hand them in: Hugging Face's *imagefolder* layout.

::

    FOLDER/images/x.png        PNG, JPEG or WebP
    FOLDER/masks/x.png         perhaps: white where the words apply
    FOLDER/metadata.jsonl      {"file_name": "images/x.png", "text": "a plaid skirt", "mask": "masks/x.png"}

Public: :class:`Captioned` is the record that every reader of pictures with words yields; :func:`read` reads one such
folder, :func:`write_metadata` writes its ``metadata.jsonl``, :func:`records` reads a folder of any layout that is known
(:data:`READERS`), :func:`split` sets some of the records aside, by a seed.

Imports no torch: the site writes these folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadInput
from .folder import SUFFIXES

METADATA = "metadata.jsonl"

READERS = {METADATA: "captioned_folder"}
"""The file by which a layout is known -> the module beside this one whose ``read(folder)`` reads it."""


@dataclass(frozen=True)
class Captioned:
    """A picture's file, what is said of it ("" where nothing is), and perhaps the mask of the region that is meant."""

    path: Path
    text: str = ""
    mask: Path | None = None


def records(folder: Path | str) -> list[Captioned]:
    """The pictures of a folder of a layout of :data:`READERS`, else all pictures in it or in its ``images``, unsaid.

    Raises :class:`BadInput` for a folder that is missing, broken or without pictures.
    """
    folder = Path(folder)
    for name, module in READERS.items():
        if (folder / name).is_file():
            found: list[Captioned] = import_module(f".{module}", __package__).read(folder)
            return found
    return _bare(folder)


def read(folder: Path | str) -> list[Captioned]:
    """The pictures of ``metadata.jsonl``, in its order.

    Raises :class:`BadInput` for a folder without one, for lines that say nothing, and for files that are missing or lie
    outside of the folder.
    """
    folder = Path(folder)
    try:
        lines = (folder / METADATA).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{folder} has no {METADATA} that can be read.") from error
    found = [_record(folder, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise BadInput(f"{folder / METADATA} names no pictures.")
    return found


def write_metadata(folder: Path | str, pictures: Iterable[Captioned]) -> None:
    """Write ``metadata.jsonl`` for pictures (and masks) that lie in ``folder``; :func:`read` gives them back."""
    folder = Path(folder)
    lines = []
    for picture in pictures:
        line = {"file_name": picture.path.relative_to(folder).as_posix(), "text": picture.text}
        if picture.mask is not None:
            line["mask"] = picture.mask.relative_to(folder).as_posix()
        lines.append(json.dumps(line, ensure_ascii=False))
    (folder / METADATA).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def split(pictures: Sequence[Captioned], share: float, seed: int) -> tuple[list[Captioned], list[Captioned]]:
    """(to learn from, set aside): ``share`` of the pictures is set aside, at least one of two or more if it is not 0.

    Which ones depends on the seed and on their order alone.
    """
    if share <= 0 or len(pictures) < 2:
        return list(pictures), []
    count = min(max(1, round(share * len(pictures))), len(pictures) - 1)
    aside = set(np.random.default_rng([seed, 0x5B117]).permutation(len(pictures))[:count].tolist())
    kept = [picture for index, picture in enumerate(pictures) if index not in aside]
    return kept, [picture for index, picture in enumerate(pictures) if index in aside]


def _record(folder: Path, number: int, line: str) -> Captioned:
    where = f"Line {number} of {folder / METADATA}"
    try:
        data = json.loads(line)
    except ValueError as error:
        raise BadInput(f"{where} is no JSON.") from error
    if not isinstance(data, dict) or not isinstance(data.get("file_name"), str):
        raise BadInput(f'{where} names no picture; it should say {{"file_name": "images/x.png", "text": "..."}}.')
    text = data.get("text") or ""
    if not isinstance(text, str):
        raise BadInput(f"{where} has a caption that is no text.")
    mask = data.get("mask")
    return Captioned(
        _inside(folder, data["file_name"], where),
        " ".join(text.split()),
        _inside(folder, mask, where) if mask else None,
    )


def _inside(folder: Path, name: Any, where: str) -> Path:
    path = folder / str(name)
    if not path.resolve().is_relative_to(folder.resolve()) or path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{where} names {str(name)[:80]!r}, which is no picture of this folder.")
    if not path.is_file():
        raise BadInput(f"{where} names {str(name)[:80]!r}, which is missing.")
    return path


def _bare(folder: Path) -> list[Captioned]:
    inside = folder / "images" if (folder / "images").is_dir() else folder
    if not inside.is_dir():
        raise BadInput(f"{folder} is not a folder.")
    found = [Captioned(path) for path in sorted(inside.iterdir()) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise BadInput(f"{folder} holds no pictures: PNG, JPEG or WebP, in it or in its folder images.")
    return found
