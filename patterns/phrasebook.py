"""What was said in English, in the language of whoever reads it.

The library, the workers and the rows know no language: a stage, a note, a refusal is made in English, where it is known
what to say, and may be read weeks later by somebody else.  It is translated where it is shown: :func:`said` knows every
sentence and name by the templates of :mod:`.phrases`, finds which of them a text is, and fills in the translation with
what stands there.  What it does not know stays as it is.  Templates that are known as they stand use Django's own tags.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from django.utils import translation
from django.utils.translation import gettext

from .phrases import NAMES, SENTENCES

_SENTENCES = re.compile(r"(?<=[.!?…]) (?=[A-Z“])")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MOST = 2000
"""Characters of a text that is looked for; longer ones are none of ours."""


def is_english() -> bool:
    """Whether nothing has to be translated."""
    return (translation.get_language() or "en").partition("-")[0] == "en"


def said(text: object) -> str:
    """``text``, a sentence or a name that was made in English, in the language of this page."""
    plain = str(text)
    if not plain or len(plain) > _MOST or is_english():
        return plain
    return _said(plain, translation.get_language() or "en")


def listed(names: Sequence[str]) -> str:
    """``red, blue and white``, each as it stands."""
    if len(names) < 2:
        return "".join(names)
    return gettext("{most} and {last}").format(most=gettext(", ").join(names[:-1]), last=names[-1])


@lru_cache(maxsize=8192)
def _said(text: str, language: str) -> str:
    for read in (_whole, _one, _each, _filled, _list, _several, _stopped):
        found = read(text, language)
        if found is not None:
            return found
    return text


def _whole(text: str, language: str) -> str | None:  # noqa: ARG001
    """A text that a catalogue has, or has with another first letter."""
    for known, change in ((text, _same), (text[0].lower() + text[1:], _raised), (text[0].upper() + text[1:], _lowered)):
        found = gettext(known)
        if found != known or known in _names():
            return change(found)
    return None


def _same(text: str) -> str:
    return text


def _raised(text: str) -> str:
    return text[0].upper() + text[1:]


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]


def _one(text: str, language: str) -> str | None:
    """A phrase with what stands in its places; no sentence ends there."""
    return _filled(text, language, within=False)


def _filled(text: str, language: str, within: bool = True) -> str | None:
    """The same; ``within`` what is filled in, sentences may end."""
    for begins, pattern, phrase in _templates():
        if text.startswith(begins) and (match := pattern.fullmatch(text)):
            if not within and any(_SENTENCES.search(value) for value in match.groups()):
                continue
            translated = gettext(phrase)
            if translated != phrase:
                told = PLACEHOLDER.sub(_filler(match, language), translated)
                return _raised(told) if text[0].isupper() else told
    return None


def _filler(match: re.Match[str], language: str) -> Callable[[re.Match[str]], str]:
    def fill(place: re.Match[str]) -> str:
        value = match[place[1]]
        return _said(value, language) if re.search("[A-Za-z]{2}", value) else value

    return fill


def _each(text: str, language: str) -> str | None:
    """Sentences one after the other, all of them known, alone or with the next."""
    parts = _SENTENCES.split(text)
    found: list[str] = []
    while parts:
        heads = ((count, " ".join(parts[:count])) for count in range(len(parts), 0, -1))
        known = ((count, _whole(head, language) or _one(head, language)) for count, head in heads)
        count, told = next(((count, told) for count, told in known if told), (0, ""))
        if told is None or not count:
            return None
        found.append(told)
        parts = parts[count:]
    return _joined(found, language)


def _several(text: str, language: str) -> str | None:
    """Sentences of which some are known."""
    parts = _SENTENCES.split(text)
    return _joined([_said(part, language) for part in parts], language) if len(parts) > 1 else None


def _stopped(text: str, language: str) -> str | None:
    """A sentence that lost its stop, because another goes on behind it."""
    if text[-1] in ".!?…" or " " not in text:
        return None
    whole = f"{text}."
    found = _whole(whole, language) or _one(whole, language)
    return found.rstrip(".。") if found else None


def _joined(sentences: Sequence[str], language: str) -> str:
    return ("" if language.startswith("zh") else " ").join(sentences)


def _list(text: str, language: str) -> str | None:
    """``red, blue and white``, where each is a name of ours."""
    parts = re.split(r", | and to | and ", text)
    known = [_whole(part, language) or _filled(part, language) for part in parts if part]
    if len(parts) < 2 or None in known or len(known) != len(parts):
        return None
    names = [name for name in known if name is not None]
    return listed(names) if " and " in text else gettext(", ").join(names)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(NAMES)


@lru_cache(maxsize=1)
def _templates() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """How each phrase with placeholders begins, what it looks like, and itself; the most telling first."""
    found = []
    for phrase in dict.fromkeys((*SENTENCES, *NAMES)):
        pieces = PLACEHOLDER.split(phrase)
        if len(pieces) > 1:
            seen: set[str] = set()
            pattern = "".join(
                re.escape(piece) if at % 2 == 0 else _group(piece, seen) for at, piece in enumerate(pieces)
            )
            found.append((pieces[0], re.compile(pattern, re.DOTALL), phrase))
    return tuple(sorted(found, key=lambda one: len(PLACEHOLDER.sub("", one[2])), reverse=True))


def _group(name: str, seen: set[str]) -> str:
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return f"(?P<{name}>.+?)"
