"""From the words that people type to the words that the tables know: spelling, number, hyphens, slips of the finger."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator

HEX = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-f])")
_TOKEN = re.compile(rf"{HEX.pattern}|[a-z0-9]+(?:'[a-z]+)?|[,;.&/+!?()]")
_JOINED = re.compile(r"(?<=\w)[-‐-―_](?=\w)")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

LONG = 5
"""Letters from which a word may hold a slip: shorter ones have too many neighbours."""

_AMERICAN = (("color", "colour"), ("gray", "grey"), ("jewelry", "jewellery"), ("pajama", "pyjama"), ("cozy", "cosy"))
_AMERICAN_WHOLE = {"woolen": "woollen", "sequinned": "sequined", "checkred": "checkered", "aluminum": "aluminium"}

NO_SLIP = frozenset(
    (
        *("while", "whole", "write", "greek", "greed", "greet", "coast", "cost", "house", "stand", "stage", "start"),
        *(
            "share",
            "shape",
            "shore",
            "shirk",
            "string",
            "strong",
            "sprung",
            "point",
            "paint",
            "plane",
            "place",
            "plate",
        ),
        *("price", "pride", "prince", "dance", "dense", "dream", "drawn", "drink", "brows", "crown", "clock", "cloak"),
        *("block", "brick", "bread", "break", "beads", "blues", "flour", "floor", "flower", "tower", "lemons", "liner"),
        *(
            "listen",
            "line",
            "lover",
            "liver",
            "piper",
            "paper",
            "pupil",
            "people",
            "purple",
            "maroon",
            "moron",
            "rides",
        ),
        *("table", "tiger", "timer", "tied", "trees", "three", "stars", "spring", "sprint", "sheep", "sheet", "sleep"),
        *("suite", "short", "shots", "sorts", "sports", "jacked", "racket", "packet", "collar", "dollar", "cotton"),
        *(
            "button",
            "mutton",
            "velvet",
            "solar",
            "salad",
            "stone",
            "store",
            "story",
            "clear",
            "clean",
            "crema",
            "scare",
        ),
        *("space", "spade", "animate", "annual", "manual", "mental", "metal", "casual", "causal", "formal", "format"),
        *("normal", "weeding", "wading", "parts", "paints", "plants", "slacks", "stack", "stick", "strap", "strip"),
    )
)
"""Real words that are one slip from a word of the tables and mean something else."""


def fold(text: str) -> str:
    """Lower case, accents and typographic apostrophes taken off, American spelling made British."""
    plain = unicodedata.normalize("NFKD", text.lower()).replace("\u2019", "'")
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    for american, british in _AMERICAN:
        plain = re.sub(rf"{american}(?!u)", british, plain)
    return plain


def tokens(text: str) -> list[str]:
    """Words, hex colours and punctuation marks of a text; hyphens part words, a possessive 's is dropped."""
    found = _TOKEN.findall(_JOINED.sub(" ", fold(text)))
    words = [token.removesuffix("'s").replace("'", "") if token[0].isalpha() else token for token in found]
    return [_AMERICAN_WHOLE.get(word, word) for word in words]


def forms(word: str) -> Iterator[str]:
    """The word itself, then with its ending changed: plural to singular and back, most likely first."""
    yield word
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]
    if word.endswith("y"):
        yield word[:-1] + "ies"
    yield word + "s"
    yield word + "es"


def slips(word: str) -> set[str]:
    """Every spelling at Damerau-Levenshtein distance 1 that begins with the same letter."""
    found = set()
    for at in range(1, len(word) + 1):
        head, tail = word[:at], word[at:]
        found |= {head + letter + tail for letter in _LETTERS}
        if not tail:
            continue
        found.add(head + tail[1:])
        found |= {head + letter + tail[1:] for letter in _LETTERS}
        if len(tail) > 1:
            found.add(head + tail[1] + tail[0] + tail[2:])
    return found - {word}


def corrected(word: str, known: Container[str]) -> list[str]:
    """The long known words that ``word`` may be a slip of; empty where it is short, known or a word of its own."""
    if len(word) < LONG or word in known or word in NO_SLIP or not word.isalpha():
        return []
    return sorted(slip for slip in slips(word) if len(slip) >= LONG and slip in known)
