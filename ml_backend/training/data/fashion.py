"""The layout of *Fashion Product Images* (Aggarwal 2019): ``styles.csv`` beside ``images/ID.jpg``, with captions.

A caption is the sentence that Imagine's builder makes (:mod:`ml_backend.words.builder`), "an image of a 2011 Casual
Fall White Men's Sweater", of what the table knows; parts that are missing, "None" or "NA" are dropped.  The table has
its articles in the plural ("Tshirts"); the caption speaks of as many as the picture shows, which is one unless the
product's name says "pack of three".

The public table has rows with a comma too many, rows without a picture and rows cut short.  A row that cannot be read
never takes another one along; what was left out is counted by reason.  A row's id is only looked up among the names of
the pictures that are there, so no id leads out of the folder.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import BadInput
from ...words.builder import GENDERS, OPENING, PLURALS, determiner
from .captioned_folder import Captioned
from .folder import SUFFIXES

TABLE, PICTURES = "styles.csv", "images"

PARTS = ("year", "usage", "season", "baseColour", "gender", "articleType")
"""Columns of a caption, in its order."""
NEEDED = ("id", "masterCategory", "articleType")
NAME = "productDisplayName"

CLOTHING = ("Apparel",)
"""Master categories that are worn as cloth; the others are shoes, bags, scents and the like."""
NOT_CLOTHING = frozenset({"Belts", "Suspenders", "Ties"})
"""Articles that the table counts among clothing although no cloth is to be seen on them."""

MISSING = frozenset({"", "na", "n/a", "nan", "none", "null"})
PAIRS = frozenset(word.split()[-1].lower() for word in PLURALS) | frozenset(
    {"boxers", "briefs", "jeggings", "pants", "stockings", "suspenders", "tights"}
)
"""Last words of articles of which one is said in the plural too."""
SPELT = {"Tshirt": "T-shirt"}
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

_COUNT = re.compile(rf"\b(?:pack|set|combo)s? of (\d{{1,2}}|{'|'.join(NUMBERS)})\b", re.IGNORECASE)
_YEAR = re.compile(r"((?:19|20)\d\d)(?:\.0)?")

Style = dict[str, str]
"""A row of the table by its column's name, without the parts that are missing."""


@dataclass(frozen=True)
class Found:
    """``pictures`` in the order of their ids, and how many rows were left out, by reason."""

    pictures: tuple[Captioned, ...]
    left_out: dict[str, int]


def read(folder: Path | str) -> list[Captioned]:
    """The pictures of :func:`read_fashion` alone: how recipes read any folder of pictures with captions."""
    return list(read_fashion(folder).pictures)


def read_fashion(folder: Path | str) -> Found:
    """Every picture of clothing with its caption.  Raises :class:`BadInput` where there is none or no such table."""
    folder = Path(folder)
    there = _pictures(folder / PICTURES)
    left_out: Counter[str] = Counter()
    found: dict[str, Captioned] = {}
    for style in _styles(folder / TABLE):
        reason = _reason(style, there)
        if style is None or reason:
            left_out[reason] += 1
        elif style["id"] in found:
            left_out["told twice"] += 1
        else:
            found[style["id"]] = Captioned(there[style["id"]], caption(style))
    if not found:
        why = ", ".join(f"{reason}: {count}" for reason, count in left_out.items()) or "the table is empty"
        raise BadInput(f"{folder} holds no picture of clothing with its row in {TABLE} ({why}).")
    return Found(tuple(found[key] for key in sorted(found)), dict(left_out))


def caption(style: Style) -> str:
    """What a row says: "an image of a Navy Blue Men's T-shirt", "an image of three Women's Camisoles"."""
    count, article = number_shown(style.get(NAME, "")), style["articleType"]
    said = [style[part] for part in PARTS[:-2] if part in style]
    if "gender" in style:
        said.append(GENDERS.get(style["gender"], style["gender"]))
    words = " ".join([*said, singular(article) if count == 1 else plural(article)])
    return " ".join(filter(None, (OPENING, _before(count, words, article), words)))


def _before(count: int, words: str, article: str) -> str:
    if count == 1:
        return determiner(words, plural=_last(article) in PAIRS)
    return NUMBERS[count - 1] if count <= len(NUMBERS) else str(count)


def number_shown(name: str) -> int:
    """How many articles a product of this name is: "Pack of 3" or "set of two", else one."""
    found = _COUNT.search(name)
    if found is None:
        return 1
    said = found[1].lower()
    return max(1, NUMBERS.index(said) + 1 if said in NUMBERS else int(said))


def singular(article: str) -> str:
    """One of what the table calls ``article``: "Tshirts" -> "T-shirt", "Dresses" -> "Dress"; "Jeans" stay."""
    before, word = _parted(article)
    lower = word.lower()
    if lower not in PAIRS and lower.endswith("s") and not lower.endswith("ss"):
        if lower.endswith("ies"):
            word = word[:-3] + "y"
        else:
            word = word[:-2] if lower.endswith(("sses", "ches", "shes", "xes")) else word[:-1]
    return before + SPELT.get(word, word)


def plural(article: str) -> str:
    """Several of it: "Waistcoat" -> "Waistcoats", "Tshirts" -> "T-shirts"; "Swimwear" and "Jeans" stay."""
    before, word = _parted(singular(article))
    lower = word.lower()
    if lower in PAIRS or lower.endswith("wear"):
        return before + word
    if lower.endswith("y") and lower[-2:-1] not in "aeiou":
        return f"{before}{word[:-1]}ies"
    return f"{before}{word}{'es' if lower.endswith(('s', 'ch', 'sh', 'x')) else 's'}"


def _parted(article: str) -> tuple[str, str]:
    """All words but the last with the space after them, and the last."""
    before, space, word = article.rpartition(" ")
    return before + space, word


def _last(article: str) -> str:
    return _parted(article)[1].lower()


def _styles(path: Path) -> Iterator[Style | None]:
    """Every row; None for one that is broken.  Each line is read alone, so a lost quotation mark stays in its row."""
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    except OSError as error:
        raise BadInput(f"There is no table at {path} that can be read.") from error
    columns = [cell.strip() for cell in _cells(lines[0]) or []]
    lacking = sorted(set(NEEDED) - set(columns))
    if lacking:
        raise BadInput(f"{path} is not a table of fashion products: it has no column {', '.join(lacking)}.")
    return (_style(columns, _cells(line)) for line in lines[1:] if line.strip())


def _cells(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line.rstrip("\r")]), None)
    except csv.Error:
        return None


def _style(columns: Sequence[str], cells: list[str] | None) -> Style | None:
    """What is more than there are columns belongs to the last one, a product's name with commas in it."""
    if cells is None or len(cells) <= max(columns.index(name) for name in NEEDED):
        return None
    last = len(columns) - 1
    row = dict(zip(columns, [*cells[:last], ",".join(cells[last:])], strict=False))
    style = {name: " ".join(text.split()) for name, text in row.items() if text.strip().lower() not in MISSING}
    said = style.pop("year", "")
    year = _YEAR.fullmatch(said)
    if said and year is None and len(cells) > len(columns):
        return None  # the comma too many stands before the year and has moved every part by one
    return style | ({"year": year[1]} if year else {})


def _reason(style: Style | None, there: dict[str, Path]) -> str:
    """Why a row is left out; "" where it is not."""
    if style is None or "id" not in style:
        return "broken row"
    if style.get("masterCategory") not in CLOTHING or style.get("articleType") in NOT_CLOTHING:
        return "not clothing"
    if "articleType" not in style:
        return "no article"
    return "" if style["id"] in there else "no picture"


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures that are there, by name without suffix; empty files are none."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise BadInput(f"There is no folder of pictures at {folder}.") from error
    return {
        path.stem: path
        for path in entries
        if path.suffix.lower() in SUFFIXES and path.is_file() and path.stat().st_size > 0
    }
