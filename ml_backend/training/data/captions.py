"""Captions from what is known of a picture: the same facts in many wordings, some left out, as people write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...swatches import TYPES
from .captioned import CLOTH, OUTFIT, Words

PATTERN_PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{name: (kind.adjectives, kind.nouns) for name, kind in TYPES.items()},
    "plain": (("plain", "solid", "solid color", "solid colour", "unpatterned"), ("no pattern",)),
}
"""Pattern type -> adjectives before the garment, and nouns after "with"."""

GARMENT_PHRASES: dict[str, tuple[str, ...]] = {
    "blouse": ("blouse", "shirt"),
    "t-shirt": ("t-shirt", "tee", "tshirt", "shirt"),
    "top": ("top", "shirt", "long sleeve top"),
    "pants": ("pants", "trousers"),
    "jeans": ("jeans", "denim pants", "pants"),
    "sweater": ("sweater", "pullover", "jumper"),
    "jumper": ("jumper", "sweater"),
    "jacket": ("jacket",),
    "blazer": ("blazer", "jacket"),
    OUTFIT: ("outfit", "clothes", "look"),
    CLOTH: ("fabric", "cloth"),
}
"""Other words for a garment; a garment that is not here is called by its own word alone."""

SHADES: dict[str, tuple[float, float, tuple[str, ...], tuple[str, ...]]] = {
    "red": (28.0, 52.0, ("dark red", "burgundy", "maroon"), ("light red", "bright red")),
    "orange": (54.0, 72.0, ("dark orange", "rust"), ("light orange", "peach")),
    "yellow": (74.0, 88.0, ("mustard", "dark yellow"), ("pale yellow", "light yellow")),
    "green": (32.0, 62.0, ("dark green", "forest green"), ("light green", "mint")),
    "blue": (26.0, 58.0, ("navy", "navy blue", "dark blue"), ("light blue", "sky blue", "pale blue")),
    "purple": (28.0, 54.0, ("dark purple", "plum"), ("lavender", "lilac", "light purple")),
    "pink": (60.0, 80.0, ("hot pink", "deep pink"), ("pale pink", "light pink", "blush")),
    "brown": (24.0, 46.0, ("dark brown", "chocolate brown"), ("light brown", "tan", "camel")),
    "grey": (42.0, 66.0, ("dark grey", "charcoal", "dark gray"), ("light grey", "silver", "light gray")),
}
"""Colour name -> CIELAB lightness below which it is also called by the first words, above which by the second."""

USAGES = ("casual", "formal", "sports", "smart casual", "party", "ethnic", "vacation", "summer", "elegant")
SEASONS = ("summer", "winter", "fall", "spring")
GENDERS = ("women's", "men's", "unisex", "girls", "boys")


def caption(words: Words, rng: np.random.Generator, lightness: float | None = None) -> str:
    """One wording of ``words``; ``lightness`` (CIELAB L of the region) allows "navy" for a dark blue."""
    colours = _colours(words.colours, rng, lightness) if rng.random() < 0.88 else ""
    pattern = words.pattern if words.pattern and rng.random() < (0.5 if words.pattern == "plain" else 0.88) else ""
    garment = _any(GARMENT_PHRASES.get(words.garment, (words.garment,)), rng) if rng.random() < 0.85 else ""
    adjective, noun = (_any(phrases, rng) for phrases in PATTERN_PHRASES[pattern]) if pattern else ("", "")
    if not (colours or pattern or garment):
        return _any(PATTERN_PHRASES[words.pattern][0], rng) if words.pattern else words.colours[0]
    return _wording(colours, adjective, noun, garment, rng)


def _wording(colours: str, adjective: str, noun: str, garment: str, rng: np.random.Generator) -> str:
    form = int(rng.integers(6))
    if form == 0 and garment:
        filled = (_maybe(USAGES, rng), _maybe(SEASONS, rng), colours, adjective, _maybe(GENDERS, rng), garment)
        year = str(rng.integers(2008, 2024)) if rng.random() < 0.5 else ""
        return _joined(("an image of a", year, *filled))
    if form == 1 and garment and noun:
        return _joined(("a", colours, garment, "with", noun))
    if form == 2:
        return ", ".join(filter(None, (garment, colours, adjective)))
    if form == 3:
        return _joined((_maybe(USAGES, rng), adjective, colours, garment or "fabric"))
    if form == 4 and colours and garment:
        return _joined(("a", adjective, garment, "in", colours))
    return _joined(("a" if rng.random() < 0.6 else "", _maybe(USAGES, rng, 0.15), colours, adjective, garment))


def _colours(names: Sequence[str], rng: np.random.Generator, lightness: float | None) -> str:
    first = names[0]
    if lightness is not None and first in SHADES and rng.random() < 0.5:
        dark, light, when_dark, when_light = SHADES[first]
        if lightness < dark:
            first = _any(when_dark, rng)
        elif lightness > light:
            first = _any(when_light, rng)
    if first == "grey" and rng.random() < 0.5:
        first = "gray"
    spoken = [first, *names[1:]]
    if len(spoken) == 1 or rng.random() < 0.1:
        return first
    return ", ".join(spoken[:-1]) + " and " + spoken[-1]


def corpus(pictures: Sequence[Words], count: int, seed: int) -> Iterator[str]:
    """``count`` captions, the text that a tokenizer is learnt from."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield caption(pictures[int(rng.integers(len(pictures)))], rng, float(rng.uniform(0, 100)))


def _any(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _maybe(words: Sequence[str], rng: np.random.Generator, share: float = 0.4) -> str:
    return _any(words, rng) if rng.random() < share else ""


def _joined(parts: Sequence[str]) -> str:
    return " ".join(filter(None, parts))
