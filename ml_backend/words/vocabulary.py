"""All tables as one dictionary from phrase to meanings, and the words of a prompt looked up in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from . import lexicon, shades
from .spelling import HEX, corrected, fold, forms, tokens

MOST_WORDS = 4
"""Words of the longest phrase."""

JOINERS = ("and", "or", "nor", "&", "+", "/")
BREAKS = (",", ";", ".", "!", "?", "(", ")", "but", "with")
"""Where a thought ends."""

Meanings = dict[str, str]
"""Kind of word -> what it means: ``{"pattern": "striped", "direction": "horizontal"}``."""


@dataclass(frozen=True)
class Item:
    """A phrase of the prompt and its meanings; a mark or word of no meaning has none.  ``read`` is the table's word.

    ``slip``: it was typed with a slip.
    """

    said: str
    meanings: Meanings = field(default_factory=dict)
    read: str = ""
    slip: bool = False

    def __contains__(self, kind: str) -> bool:
        return kind in self.meanings

    def __getitem__(self, kind: str) -> str:
        return self.meanings[kind]


@cache
def vocabulary() -> dict[str, Meanings]:
    """Folded phrase -> its meanings."""
    table: dict[str, Meanings] = {}

    def add(kind: str, value: str, words: Iterable[str]) -> None:
        for word in words:
            table.setdefault(" ".join(tokens(word)), {}).setdefault(kind, value)

    for colours in shades.SHADES.values():
        for word, colour in colours.items():
            add("colour", colour, [word])
    for word, basic in shades.ISH.items():
        add("lean", shades.SHADES[basic][basic], [word])
    for kind, groups in (
        ("modifier", shades.MODIFIERS),
        ("set", shades.SETS),
        ("pattern", lexicon.PATTERNS),
        ("subtype", lexicon.NAMED_DESIGNS),
        ("near", lexicon.NEAR),
        ("garment", lexicon.GARMENTS),
        ("other", lexicon.NOT_CLOTH),
        ("cut", lexicon.CUTS),
        ("size", lexicon.SIZES),
        ("direction", lexicon.DIRECTIONS),
    ):
        for value, words in groups.items():
            add(kind, value, words)
    for name, material in lexicon.MATERIALS.items():
        add("material", name, material.words)
    for name, mood in lexicon.MOODS.items():
        add("mood", name, mood.words)
    add("part", "part", lexicon.PARTS)
    add("print", "print", lexicon.PATTERN_NOUNS)
    add("shade", "shade", lexicon.COLOUR_NOUNS)
    add("not", "not", lexicon.NEGATORS)
    add("stop", "stop", lexicon.STOP_WORDS)
    return table


def items(prompt: str) -> list[Item]:
    """The prompt as phrases: the longest known one at each place."""
    words = tokens(prompt)
    found, at = [], 0
    while at < len(words):
        item, length = _longest(words, at)
        found.append(item)
        at += length
    return found


def _longest(words: list[str], at: int) -> tuple[Item, int]:
    table = vocabulary()
    for length in range(min(MOST_WORDS, len(words) - at), 1, -1):
        said = words[at : at + length]
        for last in forms(said[-1]):
            phrase = " ".join([*said[:-1], last])
            if phrase in table:
                return Item(" ".join(said), table[phrase], phrase), length
    return _single(words[at]), 1


def _single(word: str) -> Item:
    table = vocabulary()
    if HEX.fullmatch(word):
        return Item(word, {"colour": long_hex(word)}, word)
    if word in JOINERS or word in BREAKS:
        return Item(word, {"break" if word in BREAKS else "join": word}, word)
    for form in forms(word):
        if form in table:
            return Item(word, table[form], form)
    split = _split(word)
    if split is not None:
        return split
    slips = corrected(word, table)
    meanings = {tuple(sorted(table[slip].items())) for slip in slips}
    if len(meanings) == 1:
        return Item(word, table[slips[0]], slips[0], slip=True)
    return Item(word)


def _split(word: str) -> Item | None:
    """Words typed together: "lightblue", "navyblue"."""
    table = vocabulary()
    for at in range(3, len(word) - 2):
        head, tail = word[:at], word[at:]
        if f"{head} {tail}" in table:
            return Item(word, table[f"{head} {tail}"], f"{head} {tail}")
        if "modifier" in table.get(head, {}) and "colour" in table.get(tail, {}):
            return Item(word, {"colour": table[tail]["colour"], "made": table[head]["modifier"]}, f"{head} {tail}")
    return None


def long_hex(colour: str) -> str:
    """``#abc`` -> ``#aabbcc``."""
    return colour if len(colour) == 7 else "#" + "".join(digit * 2 for digit in fold(colour)[1:])
