"""Which of our own garments the words of a picture mean, and which words are about the picture, not the cloth."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..errors import BadInput
from ..requests import CLOTH_CLASSES, parse_garment
from .reading import Reading
from .vocabulary import items, vocabulary


@dataclass(frozen=True)
class Form:
    """One garment of :mod:`ml_backend.garments`: the words for it, and those for what is only like it.

    ``garment_class``: any other word of that class is taken for something like it, too.
    """

    slug: str
    garment_class: str
    words: tuple[str, ...]
    near: tuple[str, ...] = ()


WARDROBE = (
    Form("t-shirt", "top", ("t shirt", "tee", "tee shirt", "tshirt", "top", "jersey", "undershirt")),
    Form("shirt", "outerwear", ("shirt",), ("kurta",)),
    Form("hoodie", "top", ("hoodie",), ("parka", "anorak", "windbreaker", "raincoat", "bomber jacket", "bomber")),
    Form("dress", "dress", ("dress", "sundress", "frock", "summer dress", "slip dress")),
    Form("skirt", "skirt", ("skirt", "maxi skirt")),
    Form("trousers", "trousers", ("trousers", "pants", "slacks", "pantaloons", "jeans")),
    Form("shift-dress", "dress", ("shift dress",), ("cocktail dress", "pinafore")),
    Form("shirt-dress", "dress", ("shirt dress",), ("kaftan", "caftan")),
    Form("blouse", "top", ("blouse",), ("tunic", "kurti")),
    Form("a-line-skirt", "skirt", ("miniskirt",), ("pencil skirt", "skort", "kilt")),
    Form("wide-trousers", "trousers", ("palazzo pants",), ("culottes", "flares")),
    Form(
        *("tank-top", "top", ("tank top", "singlet", "vest top")),
        ("camisole", "crop top", "bodysuit", "halter top", "corset", "bustier"),
    ),
    Form(
        *("sweatshirt", "top", ("sweatshirt",)),
        ("sweater", "jumper", "pullover", "turtleneck", "knitwear", "polo neck", "puffer", "puffer jacket"),
    ),
    Form("short-sleeved-shirt", "top", (), ("polo shirt", "polo")),
    Form("chinos", "trousers", ("chinos",), ("corduroys", "joggers", "sweatpants")),
    Form("shorts", "trousers", ("shorts", "bermudas"), ("hot pants",)),
)
"""Coats and jackets have the shirt's collar and placket."""

PLACES = r"(?:background|backdrop|paper|wall|floor|table|street|beach|studio|garden|forest|sky)"
SCENE = re.compile(
    r"""
    \b(?:
        (?:(?:laid|lying|hanging|displayed|photographed|shot|standing|isolated)\s+)?
        (?:(?:flat)\s+)?
        (?:(?:on|against|in|before|in\s+front\s+of)\s+)
        (?:(?:an?|the)\s+)?(?:[a-z-]+\s+){0,2}?PLACES
      | (?:[a-z-]+\s+)?(?:background|backdrop)
      | on\s+(?:an?\s+|the\s+)?(?:hanger|mannequin|model|dummy|person)
      | (?:front|back|side|close|frontal)[\s-]+(?:view|up)
      | (?:soft\s+|natural\s+|bright\s+|warm\s+)?(?:daylight|sunlight|lighting|light\s+and\s+shadow)
      | (?:studio\s+|product\s+|fashion\s+|catalogue\s+)?(?:photograph|photography|photo|picture|image)(?:\s+of)?
      | laid\s+flat | flat\s+lay | high\s+(?:resolution|quality|detail) | highly\s+detailed | photorealistic | 4k | 8k
    )\b
    """.replace("PLACES", PLACES),
    re.IGNORECASE | re.VERBOSE,
)
"""What is said of the photograph: where, how, in which light."""

HABITUAL = re.compile(
    r"(?:(?:studio|product|fashion|catalogue) )?(?:photograph|photography|photo|picture|image)(?: of)?",
    re.IGNORECASE,
)
"""Words of the scene that ask for nothing a picture could lack."""


def without_scene(prompt: str) -> tuple[str, tuple[str, ...]]:
    """The prompt without what it says of the photograph, and those of the phrases that a picture could lack."""
    left_out: list[str] = []

    def part(found: re.Match[str]) -> str:
        if _is_ground(prompt[: found.start()]):
            return found.group()
        left_out.append(" ".join(found.group().split()))
        return " "

    rest = " ".join(SCENE.sub(part, prompt).split())
    return rest, tuple(phrase for phrase in left_out if not HABITUAL.fullmatch(phrase))


def _is_ground(before: str) -> bool:
    """White dots "on a blue background" are a print on its ground; a dotted coat on one stands in a photograph."""
    known = items(before)
    return bool(known) and "pattern" in known[-1]


def garment_of(word: str) -> str:
    """The garment that a word of people's means: "jacket" -> ``outerwear``, "second shirt" -> ``top-2``; the names of
    :func:`ml_backend.requests.parse_garment` mean themselves.  Raises :class:`BadInput` for what is no garment."""
    said = " ".join(word.split()).lower()
    try:
        parse_garment(said)
        return said
    except BadInput as error:
        first, _, rest = said.partition(" ")
        number = _ORDINALS.get(first)
        known = [item["garment"] for item in items(rest if number else said) if "garment" in item]
        if not known:
            raise BadInput(
                f"{word.strip()[:40]!r} is no garment that is known here; say jacket, shirt, dress, skirt, trousers, "
                f"scarf, or one of {', '.join(CLOTH_CLASSES)}."
            ) from error
        return f"{known[-1]}-{number}" if number and number > 1 else known[-1]


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


def choose_form(reading: Reading, seed: int) -> tuple[Form, str]:
    """The form of the first garment that is named, else one of the seed's choice; and a sentence where it is not the
    very garment asked for.
    """
    for word in reading.garment_words:
        exact = [form for form in WARDROBE if word in form.words]
        near = [form for form in WARDROBE if word in form.near]
        alike = [form for form in WARDROBE if form.garment_class == vocabulary()[word]["garment"]]
        if exact:
            return exact[0], ""
        if near or alike:
            form = (near or alike)[0]
            return form, f"There is no “{word}” in our wardrobe; the nearest, the {form.slug}, was taken."
    form = WARDROBE[int(np.random.default_rng((seed, 3)).integers(len(WARDROBE)))]
    said = ", ".join(form.slug for form in WARDROBE[:-1]) + f" or {WARDROBE[-1].slug}"
    return form, f"The words name none of our garments ({said}); the seed chose the {form.slug}."
