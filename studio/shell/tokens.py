"""The properties of ``tokens.css`` and the drawings of ``icons.svg``, read from there, so that the page is true."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

_SECTION = re.compile(r"/\* (?P<title>.+?) \*/|--(?P<name>[a-z0-9-]+): (?P<value>[^;]+);")
_COLOUR = re.compile(r"light-dark\(#|#[0-9a-f]{6}\b")


@dataclass(frozen=True)
class Token:
    """A custom property: ``name`` without its dashes, ``value`` as it stands in the sheet."""

    name: str
    value: str

    @property
    def kind(self) -> str:
        """How the page shows it: ``colour``, ``text`` (a size), ``family``, ``space`` or ``value``."""
        if _COLOUR.match(self.value):
            return "colour"
        if self.name.startswith("text-"):
            return "text"
        if self.name in ("serif", "sans", "mono"):
            return "family"
        return "space" if re.fullmatch(r"s\d", self.name) else "value"


def icons() -> list[str]:
    """Names of the drawings of ``icons.svg``."""
    return re.findall(r'<symbol id="([a-z-]+)"', _static("img/icons.svg"))


def groups() -> list[tuple[str, list[Token]]]:
    """Title and tokens of each section of the first block, in the sheet's order."""
    block = _static("css/tokens.css").partition(":root {")[2].partition("\n}")[0]
    found: list[tuple[str, list[Token]]] = [("", [])]
    for match in _SECTION.finditer(block):
        if match["title"]:
            found.append((match["title"], []))
        else:
            found[-1][1].append(Token(match["name"], " ".join(match["value"].split())))
    return [(title, tokens) for title, tokens in found if tokens]


def _static(name: str) -> str:
    return (Path(settings.STATICFILES_DIRS[0]) / name).read_text(encoding="utf-8")
