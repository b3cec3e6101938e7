"""Reading prompts: words of the tables, spellings and slips, order, negations; palettes that keep their name."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ml_backend.colour import BASIC_COLOURS, PROTOTYPES, name_of, name_of_region, rgb_of
from ml_backend.requests import PATTERN_TYPES
from ml_backend.words import lexicon, shades, tints
from ml_backend.words.choices import choose_pattern, notes_of
from ml_backend.words.palettes import TYPICAL, legibility, median_name, palette_of
from ml_backend.words.reading import Reading, read
from ml_backend.words.spelling import slips, tokens
from ml_backend.words.vocabulary import vocabulary

PATTERN_WORDS = [(pattern, word) for pattern, words in lexicon.PATTERNS.items() for word in words]


def colours(prompt: str) -> list[str]:
    return [colour.name for colour in read(prompt).colours]


@pytest.mark.parametrize("basic", BASIC_COLOURS)
def test_every_shade_is_called_by_its_basic_name(basic: str) -> None:
    for word, colour in shades.SHADES[basic].items():
        assert name_of(rgb_of(colour)) == basic, word
        found = read(f"a {word} dress")
        assert [named.name for named in found.colours] == [basic], word
        assert found.unknown == ()


def test_the_tables_agree_with_the_rest_of_the_library() -> None:
    assert set(lexicon.PATTERNS) == {*PATTERN_TYPES, lexicon.PLAIN}
    assert set(shades.SHADES) == set(BASIC_COLOURS)
    assert set(shades.SETS) == set(shades.SET_PALETTES)
    assert set(shades.MODIFIERS) == set(tints.CHANGES)
    for mood in lexicon.MOODS.values():
        assert mood.colours in shades.SETS
        assert set(mood.patterns) <= set(lexicon.PATTERNS)
    for words in (
        *lexicon.PATTERNS.values(),
        *lexicon.GARMENTS.values(),
        *lexicon.CUTS.values(),
        *shades.SETS.values(),
    ):
        assert len(set(words)) == len(words)


@pytest.mark.parametrize(("pattern", "word"), PATTERN_WORDS)
def test_every_pattern_word_is_read(pattern: str, word: str) -> None:
    assert read(f"a dress, {word}").pattern == pattern


def test_every_word_of_the_vocabulary_is_understood() -> None:
    for phrase, meanings in vocabulary().items():
        if "modifier" in meanings or "not" in meanings:
            continue  # these need a neighbour
        assert read(phrase).unknown == (), phrase


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gray colored", "grey coloured"),
        ("POLKA-DOTS", "polka dots"),
        ("women’s marinière", "women mariniere"),
        ("#ABC jewelry", "#abc jewellery"),
    ],
)
def test_spelling_is_evened_out(typed: str, meant: str) -> None:
    assert tokens(typed) == meant.split()


@pytest.mark.parametrize(
    ("prompt", "names", "pattern"),
    [
        ("a red and white striped dress", ["red", "white"], "striped"),
        ("white polka-dots on a navy blue ground", ["blue", "white"], "dotted"),
        ("blue dress with white flowers", ["blue", "white"], "floral"),
        ("a red dress on a table", ["red"], None),
        ("lightblue checks", ["blue"], "plaid"),
        ("light and dark blue checks", ["blue", "blue"], "plaid"),
        ("charcoal grey pinstripes", ["grey"], "striped"),
        ("navy and white", ["blue", "white"], None),
        ("coral pink blouse", ["pink"], None),
        ("bluish green silk", ["green"], None),
        ("whiye dress", ["white"], None),
        ("greenn stipes", ["green"], "striped"),
        ("dark yellow", ["yellow"], None),
        ("a dress without a pattern", [], "plain"),
    ],
)
def test_colours_come_in_order_and_patterns_are_found(prompt: str, names: list[str], pattern: str | None) -> None:
    found = read(prompt)
    assert [colour.name for colour in found.colours] == names
    assert found.pattern == pattern


@pytest.mark.parametrize(
    ("prompt", "names", "not_colours", "pattern", "not_patterns"),
    [
        ("not red", [], ("red",), None, ()),
        ("not red but blue", ["blue"], ("red",), None, ()),
        ("not a red dress, a green one", ["green"], ("red",), None, ()),
        ("no red, green or blue; with dots", [], ("red", "green", "blue"), "dotted", ()),
        ("no stripes and no dots", [], (), None, ("striped", "dotted")),
        ("floral instead of stripes", [], (), "floral", ("striped",)),
        ("blue without dots", ["blue"], (), None, ("dotted",)),
        ("no stripes blue dress", ["blue"], (), None, ("striped",)),
        ("not too bright red", ["red"], (), None, ()),
        ("no red stripes", [], ("red",), None, ("striped",)),
    ],
)
def test_negations(
    prompt: str, names: list[str], not_colours: tuple[str, ...], pattern: str | None, not_patterns: tuple[str, ...]
) -> None:
    found = read(prompt)
    assert [colour.name for colour in found.colours] == names
    assert (found.not_colours, found.pattern, found.not_patterns) == (not_colours, pattern, not_patterns)


def test_what_a_fabric_cannot_do_and_what_nobody_knows_is_named() -> None:
    found = read("a long sleeveless V-neck silk dress, flibberty, size big")
    assert found.garments == ("dress",)
    assert found.materials == ("silk",)
    assert found.not_honoured == ("long", "sleeveless", "v neck", "silk", "big")
    assert found.unknown == ("flibberty", "size")
    notes = " ".join(notes_of(found, "plain"))
    assert "changes cloth, not cut: “long”, “sleeveless”, “v neck” and “big” are left as they are." in notes
    assert "the gloss of “silk” cannot be shown" in notes
    assert "Toile does not know “flibberty” and “size”; it drew plain cloth." in notes


def test_a_mended_slip_is_said() -> None:
    assert "“stripd” was read as “stripe”." in notes_of(read("stripd red shirt"), "striped")


def test_size_and_direction_belong_to_the_pattern() -> None:
    found = read("wide horizontal stripes")
    assert (found.size, found.direction, found.not_honoured) == ("large", "horizontal", ())
    assert read("a wide skirt").not_honoured == ("wide",)


def test_moods_and_sets_count_where_nothing_exact_is_said() -> None:
    found = read("a casual long vacation skirt, bright colors")
    assert (found.moods, found.colour_sets, found.not_honoured) == (("casual", "holiday"), ("bright",), ("long",))
    chosen = {choose_pattern(found, seed) for seed in range(40)}
    assert len(chosen) > 2
    assert chosen <= {*lexicon.MOODS["casual"].patterns, *lexicon.MOODS["holiday"].patterns} - {"plain"}
    palettes = {palette_of(found, seed) for seed in range(10)}
    assert len(palettes) == 10
    assert choose_pattern(read("a casual dotted skirt"), 3) == "dotted"


@pytest.mark.parametrize(
    "prompt", ["", "!!!", "#", "not", "on on on", "dark", "red " * 120, "日本 — ½ ﬁ", "and, or; but"]
)
def test_any_text_can_be_read(prompt: str) -> None:
    found = read(prompt)
    assert isinstance(found, Reading)
    assert len(palette_of(found, 1)) == 5
    assert choose_pattern(found, 1) in lexicon.PATTERNS


def test_slips_are_one_change_away_and_keep_the_first_letter() -> None:
    assert {"stried", "stripped", "srtiped", "strixed"} <= slips("striped")
    assert "triped" not in slips("striped")
    assert "striped" not in slips("striped")


@pytest.mark.parametrize(("colour", "modifier"), list(itertools.product(BASIC_COLOURS, tints.CHANGES)))
def test_a_modified_colour_keeps_its_name(colour: str, modifier: str) -> None:
    start = PROTOTYPES[colour][0]
    changed = tints.modified(start, modifier)
    assert name_of(rgb_of(changed)) == colour
    if modifier in ("light", "pale") and colour not in ("white",):
        assert tints.lab_of(changed)[0] > tints.lab_of(start)[0]
    if modifier == "dark":
        assert tints.lab_of(changed)[0] < tints.lab_of(start)[0]


@pytest.mark.parametrize("pattern", TYPICAL)
def test_cloth_of_one_colour_bears_its_name_and_shows_its_pattern(pattern: str) -> None:
    shares = TYPICAL[pattern]
    for colour, seed in itertools.product(BASIC_COLOURS, range(4)):
        palette = palette_of(read(f"{colour} {pattern} dress"), seed)
        assert median_name(palette, shares) == colour, (seed, palette)
        assert pattern == "plain" or legibility(palette, shares) > 5


def test_of_two_colours_the_first_leads() -> None:
    for first, second in itertools.permutations(BASIC_COLOURS, 2):
        palette = palette_of(read(f"{first} and {second} dotted dress"), 5)
        assert median_name(palette, TYPICAL["dotted"]) == first
        assert name_of(rgb_of(palette[1])) == second


@pytest.mark.parametrize("pattern", PATTERN_TYPES)
@pytest.mark.parametrize(
    "words", ["red on white", "crimson and cream", "orange, teal and cream", "red, pink and green"]
)
def test_every_colour_that_is_named_is_there_unfaded(pattern, words) -> None:
    reading = read(f"{pattern} in {words}")
    asked = {found.colour for found in reading.colours}
    for seed in range(6):
        light = np.linspace(0.5, 1.2, 9, dtype=np.float32) if seed % 2 else None
        palette = palette_of(reading, seed, light=light)
        assert asked - set(palette) <= {reading.colours[0].colour}, "only the first may lean to another of its name"
        assert name_of(rgb_of(reading.colours[0].colour)) in {name_of(rgb_of(colour)) for colour in palette}


def test_palettes_keep_out_what_is_forbidden() -> None:
    for seed in range(20):
        for prompt in ("floral, not red or pink", "bright colours, not red or pink", "vacation dress, no red, no pink"):
            assert not {"red", "pink"} & {name_of(rgb_of(colour)) for colour in palette_of(read(prompt), seed)}


def test_a_palette_is_a_function_of_words_and_seed() -> None:
    found = read("boho dress")
    assert palette_of(found, 3, 6) == palette_of(found, 3, 6)
    assert len(palette_of(found, 3, 6)) == 6
    assert palette_of(found, 3) != palette_of(found, 4)
    with pytest.raises(ValueError, match="4 to 6"):
        palette_of(found, 3, 7)


def test_a_region_is_called_after_its_median() -> None:
    image = np.full((8, 8, 3), (192, 31, 46), np.uint8)
    image[:3] = 255
    assert name_of_region(image, np.ones((8, 8), bool)) == "red"
