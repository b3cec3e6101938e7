"""A garment said in the form of fashion-product captions, and read back from it.

``an image of a 2011 Casual Fall White Men's Sweater``: year, usage, season, colour, gender and article in this order,
each of them optional.  The columns and the words are those of the Fashion Product Images data (Aggarwal 2019), the form
is the caption that text-to-image models are commonly tuned on it with; articles are in the singular.
"""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, fields
from typing import Self

from ..errors import BadInput, quoted

YEARS = tuple(str(year) for year in range(2007, 2020))
"""The collections that such captions name."""
USAGES = ("Casual", "Ethnic", "Formal", "Home", "Party", "Smart Casual", "Sports", "Travel")
SEASONS = ("Spring", "Summer", "Fall", "Winter")
COLOURS: dict[str, str] = {
    "White": "#f4f2ec",
    "Off White": "#ece5d6",
    "Cream": "#f1e4c3",
    "Beige": "#d8c7a8",
    "Tan": "#c29a6b",
    "Khaki": "#a39a6f",
    "Brown": "#74481f",
    "Coffee Brown": "#4a3222",
    "Black": "#1b1a1c",
    "Charcoal": "#3c3d41",
    "Grey": "#8a8a8c",
    "Silver": "#c3c5c8",
    "Gold": "#c9a24a",
    "Mustard": "#d0a12b",
    "Yellow": "#f2cc2e",
    "Orange": "#e8771a",
    "Rust": "#a8481f",
    "Peach": "#f6bd98",
    "Pink": "#e887ac",
    "Rose": "#d8738a",
    "Magenta": "#b8257c",
    "Red": "#c01f2e",
    "Maroon": "#6e1a26",
    "Burgundy": "#5c1a2e",
    "Purple": "#74359a",
    "Lavender": "#b6a1d8",
    "Navy Blue": "#1c2a56",
    "Blue": "#2456b4",
    "Turquoise Blue": "#31a6b8",
    "Teal": "#1d6a6e",
    "Sea Green": "#3f9a7c",
    "Green": "#2f8a3e",
    "Olive": "#6b7a3a",
    "Lime Green": "#8fc73e",
}
"""Colour names and what a swatch of each looks like."""
GENDERS = {"Men": "Men's", "Women": "Women's", "Boys": "Boys'", "Girls": "Girls'", "Unisex": "Unisex"}
"""Whose it is, and the word for it in a sentence."""
ARTICLES = (
    "Blazer",
    "Blouse",
    "Boots",
    "Camisole",
    "Capris",
    "Cardigan",
    "Coat",
    "Dress",
    "Dupatta",
    "Heels",
    "Hoodie",
    "Jacket",
    "Jeans",
    "Jumpsuit",
    "Kurta",
    "Kurti",
    "Leggings",
    "Nightdress",
    "Pyjamas",
    "Rain Jacket",
    "Robe",
    "Romper",
    "Sandals",
    "Saree",
    "Scarf",
    "Shirt",
    "Shoes",
    "Shorts",
    "Shrug",
    "Skirt",
    "Sneakers",
    "Stole",
    "Sweater",
    "Sweatshirt",
    "Swimsuit",
    "T-shirt",
    "Tie",
    "Top",
    "Track Pants",
    "Trousers",
    "Tunic",
    "Waistcoat",
)
PLURALS = frozenset(
    {
        "Boots",
        "Capris",
        "Heels",
        "Jeans",
        "Leggings",
        "Pyjamas",
        "Sandals",
        "Shoes",
        "Shorts",
        "Sneakers",
        "Track Pants",
        "Trousers",
    }
)
"""Articles that take no "a"."""

ANYTHING = "garment"
"""What stands for an article that is not said."""
OPENING = "an image of"


@dataclass(frozen=True)
class Outfit:
    """What is known of a garment; an empty string leaves a word out.  Other words raise :class:`BadInput`."""

    year: str = ""
    usage: str = ""
    season: str = ""
    colour: str = ""
    gender: str = ""
    article: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value and value not in CHOICES[field.name]:
                raise BadInput(
                    f"{quoted(value)} is not a {field.name}; choose one of {', '.join(CHOICES[field.name])}."
                )

    def __bool__(self) -> bool:
        """Whether anything is said at all."""
        return any(astuple(self))

    @property
    def words(self) -> str:
        """The words after "a": ``2011 Casual Sweater``."""
        said = (self.year, self.usage, self.season, self.colour, GENDERS.get(self.gender, ""), self.article or ANYTHING)
        return " ".join(word for word in said if word)

    @property
    def determiner(self) -> str:
        """``a`` or ``an`` by the first letter ("Unisex" begins with the sound of a y); none before a pair."""
        return determiner(self.words, plural=self.article in PLURALS) if self else ""

    def sentence(self) -> str:
        """The caption; empty where nothing is said."""
        return " ".join(filter(None, (OPENING, self.determiner, self.words))) if self else ""

    @classmethod
    def read(cls, sentence: str) -> Self | None:
        """The outfit whose :meth:`sentence` this is, else None."""
        found = _SENTENCE.fullmatch(sentence)
        if found is None:
            return None
        parts = {name: value or "" for name, value in found.groupdict().items()}
        outfit = cls(**{**parts, "gender": _WHOSE.get(parts["gender"], "")})
        return outfit if outfit.sentence() == sentence else None


def determiner(words: str, *, plural: bool) -> str:
    """What stands before ``words``: ``a`` or ``an`` by the first letter; nothing before a pair."""
    if plural:
        return ""
    return "an" if words[0] in "AEIO" else "a"


CHOICES: dict[str, tuple[str, ...]] = {
    "year": YEARS,
    "usage": USAGES,
    "season": SEASONS,
    "colour": tuple(COLOURS),
    "gender": tuple(GENDERS),
    "article": ARTICLES,
}
"""The words of each part, in the order of the sentence."""


def _part(name: str, words: tuple[str, ...]) -> str:
    return rf"(?:(?P<{name}>{'|'.join(re.escape(word) for word in words)}) )?"


_WHOSE = {word: gender for gender, word in GENDERS.items()}
_SENTENCE = re.compile(
    rf"{OPENING} (?:an? )?"
    + "".join(_part(name, CHOICES[name]) for name in ("year", "usage", "season", "colour"))
    + _part("gender", tuple(_WHOSE))
    + rf"(?:(?P<article>{'|'.join(re.escape(word) for word in ARTICLES)})|{ANYTHING})"
)
