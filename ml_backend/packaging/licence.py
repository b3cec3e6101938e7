"""The licence that a model folder states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .files import CARD, LICENCE_NAMES

MAX_CARD_BYTES = 1024 * 1024
UNKNOWN = "not stated; read the page it came from before you use its pictures"


def licence_of(folder: Path) -> str:
    """What the card's front matter says, else the first line of a licence file, else :data:`UNKNOWN`; one line."""
    front = _front_matter(_text(folder / CARD))
    names = [str(front[key]) for key in ("license_name", "license", "licence") if front.get(key)]
    if names and names[0] != "other":
        link = front.get("license_link")
        return _line(f"{names[0]} ({link})" if isinstance(link, str) and link.startswith("https://") else names[0])
    for file in sorted(folder.glob("*")):
        if file.stem.lower().split("-")[0] in LICENCE_NAMES and file.is_file():
            lines = [line.strip(" #*\t") for line in _text(file).splitlines()]
            return _line(next(filter(None, lines), UNKNOWN))
    return UNKNOWN


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_CARD_BYTES:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _front_matter(card: str) -> dict[str, Any]:
    """The YAML between the first two ``---`` lines of a model card; {} where there is none."""
    import yaml

    if not card.startswith("---"):
        return {}
    head = card.removeprefix("---").partition("\n---")[0]
    try:
        data = yaml.safe_load(head)
    except (yaml.YAMLError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
