"""What words for a region name: garments that a class map tells apart, and whether a model was ever taught them.

A text-mask model trained on a list of words answers any other word too, with whatever is most like cloth in the photo.
So such a package tells its list, and what is not on it is said to be unknown.  A model that reads freely tells none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..requests import CLOTH_CLASSES
from .spelling import forms, tokens
from .vocabulary import MOST_WORDS, Item, items, vocabulary

ALL_CLOTH = frozenset({"clothes", "clothing", "outfit", "garment", "garments", "cloth", "everything worn"})
VAGUE = "other"
"""The class of scarves, swimsuits and whatever else: too mixed to stand for any one of them."""

_FRONT = re.compile(
    r"^(?:(?:an?|the|both|all|my|his|her|their)\s+)*(?:pair|rest|whole|all|both)\s+of\s+", re.IGNORECASE
)
_REST = re.compile(
    r"\s(?:of|on|in|with|at|by|over|under|above|below|behind|beside|near|from|around|to|that|which|who|is|are|worn)\s.*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Naming:
    """``taught``: the model knows the phrase.  ``classes``: the cloth classes it names; all of the cloth they cover is
    meant."""

    taught: bool
    classes: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return self.taught or bool(self.classes)


def naming(phrase: str, taught: Iterable[str] | None) -> Naming:
    """What ``phrase`` ("the red dress") names to a model that was taught the words ``taught``; None reads freely."""
    if taught is None:
        return Naming(True, _classes(phrase) if _bare(phrase) else ())
    return Naming(_ends_in(phrase, {_folded(word) for word in taught}), _classes(phrase))


def _classes(phrase: str) -> tuple[str, ...]:
    """The cloth classes of the thing itself; none for a part of it or a thing beside it."""
    head = _head(phrase)
    if _ends_in(head, ALL_CLOTH):
        return CLOTH_CLASSES
    read = [item for item in items(head) if not item.slip]
    if not read or "garment" not in read[-1] or read[-1]["garment"] == VAGUE:
        return ()
    return (read[-1]["garment"],)


def _bare(phrase: str) -> bool:
    """Whether nothing is said of the garment but its name: "the dress", not "the red dress on the left"."""
    return all(_plain(item) for item in items(phrase))


def _plain(item: Item) -> bool:
    return not item.slip and ("stop" in item or "garment" in item)


def _head(phrase: str) -> str:
    """The words up to the thing itself: "the sleeves of the dress" is about sleeves."""
    return _REST.sub("", _FRONT.sub("", " ".join(phrase.split())) + " ").strip()


def _ends_in(phrase: str, known: Iterable[str]) -> bool:
    """Whether the thing itself is one of ``known``, in the singular or the plural."""
    words = frozenset(known)
    whole = frozenset(word for word in words if " " in word)  # "everything worn" has no head of its own
    return _last(tokens(_head(phrase)), words) or _last(tokens(phrase), whole)


def _last(words: list[str], known: frozenset[str]) -> bool:
    table = vocabulary()
    while words:
        for length in range(1, min(MOST_WORDS, len(words)) + 1):
            *before, last = words[-length:]
            if any(" ".join([*before, form]) in known for form in forms(last)):
                return True
        if "stop" not in table.get(words[-1], {}):
            return False
        words = words[:-1]
    return False


def _folded(word: str) -> str:
    return " ".join(tokens(word))
