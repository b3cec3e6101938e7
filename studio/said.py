"""Words that people have typed: they never stand in an address, because addresses are written to logs.

An address names words by a key, which means something only together with the rows or the session that hold them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

WORDS = ("region", "prompt", "negative_prompt")
"""Fields that hold them."""
MOST_SOUGHT = 20
_TYPED, _SOUGHT = "typed", "sought"


@dataclass(frozen=True)
class Said:
    """Words, and the key that an address names them by."""

    text: str

    @property
    def key(self) -> str:
        return key_of(self.text)


def key_of(text: str) -> str:
    """Twelve hexadecimal digits from which nobody can tell the words."""
    return salted_hmac("toile.said", text, algorithm="sha256").hexdigest()[:12]


def named(words: Iterable[str], key: str) -> str:
    """The one of ``words`` that ``key`` names; empty without it."""
    return next((text for text in words if key_of(text) == key), "") if key else ""


def keep_typed(request: HttpRequest, words: Mapping[str, str | None]) -> None:
    """Keep what stood in a form's fields for the page that comes next."""
    request.session[_TYPED] = {name: words[name] for name in WORDS if words.get(name)}


def typed(request: HttpRequest) -> dict[str, str]:
    """What was kept for this page, this once."""
    return dict(request.session.pop(_TYPED)) if _TYPED in request.session else {}


def keep_sought(request: HttpRequest, words: str) -> str:
    """Keep words that are sought; their key."""
    key = key_of(words)
    others = {name: text for name, text in request.session.get(_SOUGHT, {}).items() if name != key}
    newest = list(others.items())[-(MOST_SOUGHT - 1) :]
    request.session[_SOUGHT] = {**dict(newest), key: words}
    return key


def sought(request: HttpRequest, key: str) -> str:
    """The words that were sought under that key from this browser; empty for any other key."""
    return str(request.session.get(_SOUGHT, {}).get(key, "")) if key else ""
