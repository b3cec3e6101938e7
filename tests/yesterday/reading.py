"""What an answer of Toile tells, as plain JSON, and whether two answers tell the same.

Shared by ``make.py``, which wrote down what was answered yesterday, and ``tests/site/test_yesterday.py``, which asks
again.  It knows addresses, JSON, HTML and pictures, and nothing of the code behind them.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from PIL import Image

_FABRIC = {"pattern_type", "engine", "model", "palette", "like", "of", "with", "move", "amount", "pattern", "whose"}
_FIT = {"garments", "repeat", "scale_cm", "rotate", "offset_x", "offset_y", "strength", "on", "photo", "wear"}
_WORDS = {"region", "prompt", "mask", "year", "usage", "season", "colour", "gender", "article"}
_SOURCE = {"look", "restyle", "imagining", "garment"}
_SAMPLING = {"negative_prompt", "steps", "guidance", "size", "scheduler", "seed", "count", "sketch"}
FIELDS = _FABRIC | _FIT | _WORDS | _SOURCE | _SAMPLING
"""Fields of forms that hold what a person asks for."""
TOLD = frozenset({"title", "h1", "dl", "pre", "code"})
"""Elements whose words are kept: what a page is, and how the thing on it was made.  Not the map of the keys."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*")
_SITE = "http://testserver"


class Page(HTMLParser):
    """Reads a page: its words (:data:`TOLD`), how its forms are filled in (:data:`FIELDS`), the files that it shows."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.told: dict[str, list[str]] = {}
        self.fields: dict[str, list[str]] = {}
        self.files: list[str] = []
        self._open: list[tuple[str, list[str]]] = []
        self._select = self._area = ""
        self._typed: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        for name in ("src", "href"):
            if told.get(name, "").startswith("/files/"):
                self.files.append(told[name].partition("?")[0])
        if tag in TOLD and told.get("class") != "keys":
            self._open.append((tag, []))
        if tag == "input":
            self._input(told)
        elif tag == "select":
            self._select = told.get("name", "")
        elif tag == "textarea":
            self._area, self._typed = told.get("name", ""), []
        elif tag == "option" and "selected" in told:
            self._say(self._select, told.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag == self._open[-1][0]:
            name, words = self._open.pop()
            self.told.setdefault(name, []).append(" ".join(" ".join(words).split()))
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._say(self._area, "".join(self._typed).strip())
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._typed.append(data)
        for _, words in self._open:
            words.append(data)

    def _input(self, told: dict[str, str]) -> None:
        kind = told.get("type", "text")
        if kind in ("radio", "checkbox") and "checked" not in told:
            return
        self._say(told.get("name", ""), told.get("value", ""))

    def _say(self, name: str, value: str) -> None:
        if name in FIELDS and value:
            self.fields.setdefault(name, []).append(value)

    def told_of(self) -> dict[str, Any]:
        fields = {name: sorted(set(values)) for name, values in sorted(self.fields.items())}
        return {"told": self.told, "fields": fields, "shows": sorted(set(self.files))}


def told(response: Any) -> dict[str, Any]:
    """Status and kind of an answer, and what it says: JSON, a page, or a picture with its recipe."""
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    content = b"".join(response.streaming_content) if response.streaming else response.content
    said: dict[str, Any] = {"status": response.status_code, "type": kind}
    if name := response.headers.get("Content-Disposition"):
        said["saved as"] = name
    if kind == "application/json" and content:
        said["json"] = json.loads(content)
    elif kind == "text/html":
        said |= Page(content.decode()).told_of()
    elif kind.startswith("image/"):
        said |= picture(content)
    return said


def picture(content: bytes) -> dict[str, Any]:
    """Format, size, mean colour and the recipe inside."""
    with Image.open(io.BytesIO(content)) as image:
        text = image.info.get("toile") or image.getexif().get(0x010E)
        mean = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        return {
            "format": image.format,
            "side": list(image.size),
            "mean": mean,
            "recipe": json.loads(text) if text else None,
        }


# --- the same again -------------------------------------------------------------------------------------------------


def differences(before: Any, now: Any, *, fresh: bool = False, where: str = "") -> Iterator[str]:
    """Where ``now`` does not tell what ``before`` told.  More may be told now; nothing may be missing or other.

    The word "dcgan" for a dreamed fabric means "dreamed".  ``fresh`` is for what is made anew at each asking: ids and
    moments are others then.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in before.items():
            if key not in now:
                yield f"{where}/{key} is gone"
            elif key == "mean":
                yield from _far(value, now[key], f"{where}/{key}")
            elif key in ("fields", "shows", "repeats"):  # there may be more to choose from
                yield from _missing(value, now[key], f"{where}/{key}")
            elif key == "told":
                yield from _unsaid(value, now[key], fresh, f"{where}/{key}")
            else:
                yield from differences(value, now[key], fresh=fresh, where=f"{where}/{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, fresh=fresh, where=f"{where}/{number}")
    elif isinstance(before, float) and isinstance(now, int | float):
        if abs(before - now) > 1e-3:
            yield f"{where}: {before!r} became {now!r}"
    elif meaning(before, fresh) != meaning(now, fresh):
        yield f"{where}: {before!r} became {now!r}"


def meaning(value: Any, fresh: bool = False) -> Any:
    """A value with the words of before in today's; of what is ``fresh`` without ids and moments."""
    if not isinstance(value, str):
        return value
    text = "dreamed" if value == "dcgan" else re.sub(r"\b(engine[ =])dcgan\b", r"\1dreamed", value)
    text = text.removeprefix(_SITE)
    return _TIME.sub("<moment>", _ID.sub("<id>", text)) if fresh else text


def _far(before: list[int], now: list[int], where: str) -> Iterator[str]:
    if max(abs(one - other) for one, other in zip(before, now, strict=True)) > 3:
        yield f"{where}: {before} became {now}"


def _unsaid(before: dict[str, list[str]], now: dict[str, list[str]], fresh: bool, where: str) -> Iterator[str]:
    """A page may say more between what it said, such as the licences of the models; what it said, in that order."""
    for tag, texts in before.items():
        heard = iter([meaning(text, fresh) for text in now.get(tag, [])])
        for text in texts:
            if meaning(text, fresh) not in heard:  # what comes before it in ``heard`` is passed over
                yield f"{where}/{tag}: {text!r} is not said there any more, but {now.get(tag)!r}"
                break


def _missing(before: Any, now: Any, where: str) -> Iterator[str]:
    """Of files and fields each that was there must be there, filled in as it was."""
    if isinstance(before, dict):
        for name, values in before.items():
            yield from _missing(values, now.get(name, []), f"{where}/{name}")
        return
    there = {meaning(value) for value in now}
    for value in before:
        if meaning(value) not in there:
            yield f"{where}: {value!r} is not there any more, but {sorted(there)}"
