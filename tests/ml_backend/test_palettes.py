"""Palettes: found in pictures, composed by rule, held by name, written to files, judged by eye."""

from __future__ import annotations

import json
import math
import struct
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_backend.colour import contrast, from_lab_d50, from_oklab, lab_d50, oklab, oklch, rgb_of, to_oklab
from ml_backend.errors import BadInput
from ml_backend.inks import PALETTES, compose, palette_from_seed
from ml_backend.palettes import files, nearness, pairing, sight
from ml_backend.palettes.extraction import Extracted, arranged, extract, separate
from ml_backend.palettes.facts import called, facts, nearest
from ml_backend.palettes.files import MAX_BYTES, read, write
from ml_backend.palettes.harmony import RULES, TURNS, apart, colourways, harmonised, relation
from ml_backend.palettes.held import Held, held_colours, hex_colour, worn_by
from ml_backend.palettes.pairing import SKIN, Worn
from ml_backend.swatches.drawing.tile import draw_inks

colours = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
names = st.text(max_size=70)
BAUHAUS = PALETTES["Bauhaus"]


# --- colour spaces ---


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_oklab_comes_back(pixels):
    rgb = np.array(pixels, np.float64)
    assert np.abs(from_oklab(to_oklab(rgb)) - rgb).max() < 1e-6


@given(colours)
@settings(max_examples=60, deadline=None)
def test_lab_under_d50_comes_back_and_both_ways_to_oklab_agree(colour):
    assert from_lab_d50(lab_d50(colour)) == (colour, True)
    assert to_oklab(np.array(rgb_of(colour))) == pytest.approx(oklab(colour), abs=1e-9)


def test_lab_is_that_of_drawing_programs():
    # sRGB red, green, blue under D50, after Bruce Lindbloom's calculator
    assert lab_d50("#ff0000") == pytest.approx((54.29, 80.80, 69.89), abs=0.05)
    assert lab_d50("#00ff00") == pytest.approx((87.82, -79.27, 80.99), abs=0.05)
    assert lab_d50("#0000ff") == pytest.approx((29.57, 68.30, -112.03), abs=0.05)


# --- extraction ---


@pytest.mark.parametrize("pattern_type", ["floral", "plaid", "camouflage", "paisley"])
@pytest.mark.parametrize("seed", [1, 2])
def test_extraction_finds_the_inks_of_a_composed_tile(pattern_type, seed):
    palette = palette_from_seed(pattern_type, seed)
    inks = draw_inks(pattern_type, seed, 256)
    found = extract(compose(inks, palette), len(palette))
    covered = {colour: float(share) for colour, share in zip(palette, inks.mean(axis=(1, 2)), strict=True)}
    for colour, share in covered.items():
        if share > 0.02:
            near = min(found.colours, key=lambda one: contrast(one, colour))
            assert contrast(near, colour) < 0.01, "less than can be seen"
            assert found.shares[found.colours.index(near)] == pytest.approx(share, abs=0.05)


@given(st.lists(colours, min_size=2, max_size=12, unique=True), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_plain_fields_are_found_by_coverage_and_the_same_every_time(palette, turn):
    apart = [one for at, one in enumerate(palette) if all(contrast(one, other) > 0.08 for other in palette[:at])]
    if len(apart) < 2:
        return
    rows = [np.full((6 + 3 * ((at + turn) % len(apart)), 60, 3), rgb_of(one)) for at, one in enumerate(apart)]
    picture = np.concatenate(rows).astype(np.uint8)
    found = extract(picture, 12)
    assert set(found.colours) == set(apart)
    assert list(found.shares) == sorted(found.shares, reverse=True)
    assert sum(found.shares) == pytest.approx(1)
    assert extract(picture, 12) == found


def test_fewer_are_asked_for_than_there_are():
    picture = np.random.default_rng(3).integers(0, 256, (80, 80, 3), np.uint8)
    for count in (2, 7, 12):
        assert 1 <= len(extract(picture, count).colours) <= count


def test_extraction_looks_where_the_mask_is():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:20] = (200, 30, 40)
    mask = np.zeros((40, 40), bool)
    mask[2:18] = True
    assert extract(picture, 4, mask) == Extracted(("#c81e28",), (1.0,))
    with pytest.raises(BadInput, match="nothing in this part"):
        extract(picture, 4, np.zeros((40, 40), bool))
    for count in (1, 13):
        with pytest.raises(BadInput, match="2 to 12"):
            extract(picture, count)
    with pytest.raises(BadInput, match="height, width, 3"):
        extract(picture[..., 0], 3)


def test_separations_recombine_to_the_design():
    palette = palette_from_seed("floral", 5)
    tile = compose(draw_inks("floral", 5, 128), palette)
    inks = separate(tile, palette)
    assert inks.sum(axis=0) == pytest.approx(1)
    assert np.abs(compose(inks, palette).astype(int) - tile).mean() < 0.5


def test_a_palette_is_arranged_as_inks_are():
    found = Extracted(("#f5f0e6", "#e6d8c0", "#9c2a2e", "#2c3b50"), (0.5, 0.3, 0.15, 0.05))
    assert arranged(found)[:2] == ("#f5f0e6", "#9c2a2e"), "the ground, then what stands out"
    assert sorted(arranged(found)) == sorted(found.colours)


# --- rules ---


@pytest.mark.parametrize("rule", RULES)
@given(st.integers(0, 17), st.integers(0, 4))
@settings(max_examples=8, deadline=None)
def test_rules_keep_what_is_locked_and_the_drawing_readable(rule, which, locked):
    palette = list(PALETTES.values())[which][:5]
    made = harmonised(palette, rule, {locked})
    assert made[locked] == palette[locked]
    assert len(made) == 5
    for at, colour in enumerate(made):
        held_colours([colour, colour])
        assert abs(oklch(colour)[0] - oklch(palette[at])[0]) < 0.5
    assert made == harmonised(palette, rule, {locked})


def test_a_rule_puts_the_hues_where_it_says():
    lead = "#b8322e"
    made = harmonised(("#ffffff", lead, "#4a7a4a", "#4a4a9a", "#888888"), "complementary", {1})
    hue = oklch(lead)[2]
    away = [abs((oklch(colour)[2] - hue + 180) % 360 - 180) for colour in made[2:4]]
    assert sorted(away) == pytest.approx([0, 180], abs=6)
    assert (made[0], made[4]) == ("#ffffff", "#888888"), "neutrals stay"
    assert "monochrome" in colourways(made, {1})


def test_a_colourway_turns_by_an_arm_of_its_rule():
    assert TURNS.keys() == RULES.keys()
    assert all(turn in RULES[rule] for rule, turn in TURNS.items())
    assert len(set(TURNS.values())) == len(TURNS)


@pytest.mark.parametrize("name", PALETTES)
def test_colourways_are_told_apart_at_a_glance_unless_an_ink_is_locked(name):
    palette = PALETTES[name][:5]
    ways = [palette, *(made for rule, made in colourways(palette).items() if rule != "monochrome")]
    assert len(ways) == len(TURNS)
    for one, other in combinations(ways, 2):
        assert max(contrast(*inks) for inks in zip(one[1:], other[1:], strict=True)) > 0.05, (one, other)
    rich = max(range(5), key=lambda place: oklch(palette[place])[1])
    assert {made[rich] for made in colourways(palette, {rich}).values()} <= {palette[rich]}


@given(colours, colours)
@settings(max_examples=40, deadline=None)
def test_the_quick_distance_is_the_distance(first, second):
    assert apart(first, second) == pytest.approx(contrast(first, second), abs=1e-6)


def test_relations_have_their_names():
    def turned(angle):
        from ml_backend.colour import from_oklch

        return from_oklch(np.array((0.6, 0.11, 40.0 + angle)))

    told = {angle: getattr(relation(turned(0), turned(angle)), "name", None) for angle in (30, 120, 150, 180, 75)}
    assert told == {30: "analogous", 120: "triadic", 150: "split complementary", 180: "complementary", 75: None}
    assert relation("#20305a", "#7f93c6").name == "monochrome"
    assert relation("#20305a", "#f4f2ec").name == "neutral"
    assert relation("#16161a", "#f4f2ec").name == "light and dark"
    assert relation("#808080", "#868686") is None


# --- what is said of a colour ---


def test_facts_of_a_colour():
    told = facts("#b8501e")
    assert told.name == called("#b8501e") == "rust"
    assert told.lch[1] == pytest.approx(math.hypot(*told.lab[1:]))
    assert told.nearest[0].code == "H050_L050_C065"
    assert [one.away for one in told.nearest] == sorted(one.away for one in told.nearest)


@given(colours)
@settings(max_examples=60, deadline=None)
def test_the_open_system_has_a_colour_near_every_colour(colour):
    found = nearest(colour)
    assert len(found) == 3
    first = found[0]
    hue, light, chroma = (int(part[1:]) for part in first.code.split("_"))
    assert (hue % 10, light % 5, chroma % 5) == (0, 0, 0)
    lab = np.array((light, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))))
    assert np.linalg.norm(lab - lab_d50(colour)) == pytest.approx(first.away)
    assert np.linalg.norm(lab_d50(first.colour) - lab) < 1.5, "the screen shows it"
    assert first.away < 19


# --- eyes ---


def test_greys_look_the_same_to_all_eyes_and_red_beside_green_does_not():
    for kind in sight.SIGHTS:
        for grey in ("#000000", "#7f7f7f", "#ffffff"):
            assert contrast(sight.seen(grey, kind), grey) < 0.01
    red, green = "#b0413a", "#6c6f1f"
    assert contrast(red, green) > 0.15
    assert contrast(sight.seen(red, "deutan"), sight.seen(green, "deutan")) < 0.08
    picture = np.array([[rgb_of(red), rgb_of(green)]], np.uint8)
    told = [tuple(pixel) for pixel in sight.seen_picture(picture, "deutan")[0]]
    assert np.abs(np.array(told) - [rgb_of(sight.seen(one, "deutan")) for one in (red, green)]).max() <= 1


def test_clashes_say_which_inks_and_to_whom():
    assert sight.clashes(BAUHAUS[:5]) == []
    (same,) = sight.clashes(("#ffffff", "#9c2a2e", "#9e2c2f"))
    assert (same.first, same.second, same.sight) == (1, 2, "")
    told = sight.clashes(("#ffffff", "#9f5f3c", "#6d7430"))
    assert {(one.first, one.second) for one in told} == {(1, 2)}
    assert "deutan" in {one.sight for one in told}
    assert sight.ratio("#000000", "#ffffff") == pytest.approx(21)


# --- nearness ---


def test_the_nearest_fabric_wears_the_colour_on_more_of_it():
    red = "#b8322e"
    plain, half, dash, other = (
        ((red, "#ffffff"), (1.0, 0.0)),
        ((red, "#ffffff"), (0.5, 0.5)),
        ((red, "#ffffff"), (0.01, 0.99)),
        (("#204080", "#ffffff"), (0.6, 0.4)),
    )
    away = nearness.distances([other, dash, half, plain, ((), ())], red)
    assert list(np.argsort(away)) == [3, 2, 1, 0, 4]
    assert away[3] == pytest.approx(0)
    assert away[4] == np.inf
    assert nearness.distances([], red).shape == (0,)


# --- pairings ---


def test_a_pairing_says_why_in_words():
    navy = Worn("jacket", "#20305a")
    told = pairing.pairing(("#e0a83c", "#f3efe4"), (0.6, 0.4), [navy])
    assert told.rule == "complementary"
    assert told.reason.startswith("A warm ")
    assert "beside your navy jacket: complementary" in told.reason
    skin = pairing.pairing(("#3f6b4f",), (1.0,), [Worn(SKIN, "#b98868")])
    assert skin is None or "your skin and hair" in skin.reason
    assert pairing.pairing(("#20305a",), (1.0,), [navy]) is None, "the same again is no pairing"
    assert pairing.pairing(("#e0a83c", "#20305a"), (0.05, 0.95), [navy]) is None, "what hardly shows does not speak"
    assert pairing.pairing((), (), [navy]) is None


# --- files ---

held = st.lists(st.tuples(colours, names), min_size=2, max_size=12).flatmap(
    lambda pairs: st.builds(
        Held, names, st.just(tuple(one for one, _ in pairs)), st.just(tuple(name for _, name in pairs))
    )
)


@pytest.mark.parametrize("suffix", files.WRITERS)
@given(held)
@settings(max_examples=60, deadline=None)
def test_files_come_back_as_they_were_written(suffix, palette):
    again = read(write(palette, suffix))
    assert again.colours == palette.colours
    assert again.name == palette.name
    meant = [
        "" if name.lower() in (one, "untitled") else name
        for one, name in zip(palette.colours, palette.names, strict=True)
    ]
    found = ["" if name.lower() == "untitled" else name for name in again.names]
    assert found == meant or (suffix == "json" and list(again.names) == list(palette.names))


def ase(*blocks, count=None, version=1):
    return b"ASEF" + struct.pack(">HHI", version, 0, len(blocks) if count is None else count) + b"".join(blocks)


def swatch(model, *values, name="x", kind=1):
    text = name.encode("utf-16-be") + b"\0\0"
    content = struct.pack(">H", len(text) // 2) + text + model + struct.pack(f">{len(values)}f", *values) + b"\0\2"
    return struct.pack(">HI", kind, len(content)) + content


def test_swatches_of_other_models_are_read():
    data = ase(
        swatch(b"LAB ", *(lab_d50("#9c2a2e") / (100, 1, 1))),
        swatch(b"CMYK", 0, 0, 0, 1),
        swatch(b"Gray", 0.5),
        swatch(b"RGB ", 2.0, -1.0, 0.0),
    )
    assert read(data, "mine") == Held("mine", ("#9c2a2e", "#000000", "#808080", "#ff0000"), ("x",) * 4)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"x" * (MAX_BYTES + 1), "larger than 64 KB"),
        (b"\x89PNG\r\n\x1a\n", "no palette"),
        ("Farbe".encode("utf-16"), "no palette"),
        (b"GIMP Palette\n999 0 0\n", "damaged"),
        (b"GIMP Palette\n1 2 red\n", "damaged"),
        (b"GIMP Palette\nName: one\n1 2 3\n", "has 1 colour;"),
        (b"GIMP Palette\n" + b"1 2 3\n" * 13, "has 13 colours"),
        (b"GIMP Palette\n" + b"1 2 3\n" * 1100, "more than 1,024"),
        (b"[" * 20_000, "damaged"),
        (b'{"colours": 7}', "no palette"),
        (b'["#ffffff", "red"]', "not a colour"),
        (b'["#ffffff", {}]', "not a colour"),
        (ase(count=2**32 - 1), "at most 1,024"),
        (ase(version=2), "version 2"),
        (ase(count=1), "damaged"),
        (ase(struct.pack(">HI", 1, 2**32 - 1)), "damaged"),
        (ase(struct.pack(">HIH", 1, 2, 60_000)), "damaged"),
        (ase(swatch(b"RGB ", math.nan, 0, 0)), "damaged"),
        (ase(swatch(b"HSB ", 0, 0, 0)), "neither RGB"),
        (b"ASEF\0\1", "damaged"),
    ],
)
def test_hostile_files_end_in_a_sentence(data, said):
    with pytest.raises(BadInput, match=said) as error:
        read(data)
    assert len(str(error.value)) < 250


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_file_does_more_than_complain(data):
    for begun in (data, b"ASEF\0\1\0\0" + data, b"GIMP Palette\n" + data, b"[" + data):
        try:
            read(begun)
        except BadInput:
            continue


def test_what_is_held():
    assert Held("  a\x00b\n c  ", BAUHAUS).name == "a b c"
    assert Held("", BAUHAUS).name == "Palette"
    assert len(Held("n" * 500, BAUHAUS).name) == 60
    assert hex_colour(" 7A1F2B ") == "#7a1f2b"
    for wrong in ("red", "#12345", "#1234567", "#12345g", "#-1-1-1", "#" + "٣" * 6):
        with pytest.raises(BadInput):
            hex_colour(wrong)
    for count in (0, 1, 13):
        with pytest.raises(BadInput, match="2 to 12"):
            held_colours(["#ffffff"] * count)
    with pytest.raises(BadInput, match="ase, gpl, json"):
        write(Held("", BAUHAUS), "aco")
    twelve = (*BAUHAUS, *PALETTES["Provence"])
    assert worn_by(twelve, 5) == twelve[:5], "a fabric wears the first as many as it has inks"
    assert worn_by(twelve[:2], 4)[:2] == twelve[:2]


def test_json_tells_all_there_is_to_say():
    told = json.loads(write(Held("Sea", ("#20305a", "#ffffff"), ("deep",)), "json"))
    assert told["colours"][0]["hlc"] == "H280_L020_C030"
    assert (told["colours"][0]["name"], told["colours"][0]["called"]) == ("deep", "navy")
