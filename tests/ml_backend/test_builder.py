"""The prompt builder: its sentences are English, are read back exactly, and never leave the words offered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.errors import BadInput
from ml_backend.requests import MAX_PROMPT, parse_prompt
from ml_backend.words.builder import CHOICES, COLOURS, GENDERS, PLURALS, Outfit

outfits = st.builds(Outfit, **{name: st.sampled_from(("", *words)) for name, words in CHOICES.items()})


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (
            {
                "year": "2011",
                "usage": "Casual",
                "season": "Fall",
                "colour": "White",
                "gender": "Men",
                "article": "Sweater",
            },
            "an image of a 2011 Casual Fall White Men's Sweater",
        ),
        ({"colour": "Red", "article": "Dress"}, "an image of a Red Dress"),
        ({"usage": "Ethnic", "gender": "Girls"}, "an image of an Ethnic Girls' garment"),
        ({"colour": "Off White", "article": "Kurta"}, "an image of an Off White Kurta"),
        ({"gender": "Unisex", "article": "Hoodie"}, "an image of a Unisex Hoodie"),
        ({"colour": "Navy Blue", "gender": "Women", "article": "Trousers"}, "an image of Navy Blue Women's Trousers"),
        ({"article": "Jeans"}, "an image of Jeans"),
        ({}, ""),
    ],
)
def test_the_sentence_is_a_caption(parts, sentence):
    assert Outfit(**parts).sentence() == sentence


@given(outfits)
def test_a_sentence_is_read_back_exactly(outfit):
    sentence = outfit.sentence()
    assert Outfit.read(sentence) == (outfit if outfit else None)


@given(outfits)
def test_every_word_said_is_in_it_in_order_and_nothing_else(outfit):
    sentence = outfit.sentence()
    assert bool(sentence) == bool(outfit)
    said = [outfit.year, outfit.usage, outfit.season, outfit.colour, GENDERS.get(outfit.gender, ""), outfit.article]
    rest = sentence
    for word in filter(None, said):
        before, found, rest = rest.partition(word)
        assert found
        assert before.strip() in ("", "an image of", "an image of a", "an image of an")
    assert rest.strip() in ("", "garment")
    if outfit:
        assert parse_prompt(sentence) == sentence
        assert len(sentence) < MAX_PROMPT / 4


@given(outfits)
def test_a_or_an_by_ear_and_neither_before_a_pair(outfit):
    words = outfit.sentence().removeprefix("an image of").split()
    if not words:
        return
    if outfit.article in PLURALS:
        assert words[0] not in ("a", "an")
        return
    assert words[0] == ("an" if words[1][0] in "AEIO" else "a")


@given(st.text(max_size=80))
def test_other_text_is_no_outfit(text):
    outfit = Outfit.read(text)
    assert outfit is None or outfit.sentence() == text


@pytest.mark.parametrize(
    "text",
    [
        "an image of an Red Dress",
        "an image of a Jeans",
        "an image of Red Dress",
        "an image of a Dress Red",
        "an image of a Red Dress with lace",
        "An image of a Red Dress",
        "an image of a garment",
    ],
)
def test_what_the_builder_would_not_write_it_does_not_read(text):
    assert Outfit.read(text) is None


def test_a_word_that_is_not_offered_is_refused():
    with pytest.raises(BadInput, match="'Puce' is not a colour; choose one of White"):
        Outfit(colour="Puce")


def test_the_tables_hold_together():
    assert set(CHOICES["article"]) > PLURALS
    for words in CHOICES.values():
        assert len(set(words)) == len(words)
    for hex in COLOURS.values():
        int(hex.removeprefix("#"), 16)
        assert len(hex) == 7
