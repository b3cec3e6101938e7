"""Subtypes: designs that have names, drawn as such, asked for by words, and never dreamed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_backend.cli import main
from ml_backend.errors import BadInput
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose, palette_from_seed
from ml_backend.pipelines.generate import GeneratePipeline
from ml_backend.requests import GenerateRequest
from ml_backend.swatches import SUBTYPES, TYPES, by_name
from ml_backend.swatches.drawing.cloth import Cloth
from ml_backend.swatches.drawing.tile import draw_inks
from ml_backend.words.choices import choose_pattern, notes_of
from ml_backend.words.lexicon import PLAIN
from ml_backend.words.reading import read

each = pytest.mark.parametrize("name", SUBTYPES)


def asked(name: str, seed: int = 1, **more: object) -> GenerateRequest:
    return GenerateRequest.from_dict({"pattern_type": SUBTYPES[name][0], "seed": seed, "subtype": name, **more})


@each
def test_a_subtype_is_a_whole_tile_without_a_seam(name: str) -> None:
    kind = SUBTYPES[name][0]
    for seed in range(2):
        inks = draw_inks(kind, seed, 128, subtype=name)
        np.testing.assert_allclose(inks.sum(axis=0), 1, atol=1e-5)
        assert inks.min() >= 0 and inks[0].mean() < 0.98, f"{name} {seed} is bare ground"
        image = compose(inks, palette_from_seed(kind, seed, 5, name))
        ratio = seam_ratio(Image.fromarray(image))
        assert ratio <= 1.1, f"{name} {seed} has a seam ratio of {ratio:.2f}"


@each
def test_it_is_periodic_and_the_same_at_every_size(name: str) -> None:
    draw = SUBTYPES[name][1].draw
    tiles = []
    for origin in ((0.0, 0.0), (0.375, 0.8125)):
        cloth = Cloth(96, 5, 1, origin)
        draw(cloth, np.random.default_rng(2))
        tiles.append(cloth.planes)
    rolled = np.roll(tiles[0], (-78, -36), axis=(1, 2))
    assert np.abs(rolled - tiles[1]).mean() < 2e-3
    small = draw_inks(SUBTYPES[name][0], 2, 64, subtype=name)
    large = draw_inks(SUBTYPES[name][0], 2, 128, subtype=name).reshape(5, 64, 2, 64, 2).mean(axis=(2, 4))
    assert np.abs(small - large).mean() < 0.02


@each
def test_seeds_give_other_designs_of_it(name: str) -> None:
    """A checkerboard has only its number of squares to vary; most have far more."""
    tiles = [draw_inks(SUBTYPES[name][0], seed, 32, subtype=name) for seed in range(8)]
    assert any(float(np.abs(tile - tiles[0]).mean()) > 0.01 for tile in tiles[1:])


def test_names_are_short_and_unique() -> None:
    assert all(len(name) <= 20 and name == name.lower() for name in SUBTYPES)
    with pytest.raises(ValueError, match="'tartan' names a subtype of plaid and one of floral"):
        by_name({"plaid": TYPES["plaid"], "floral": replace(TYPES["floral"], subtypes=TYPES["plaid"].subtypes)})


BEFORE = {
    "floral": (2.7837, 2.5015, 2.6620, 2.6880, 2.9434, 1.5943, 2.7632, 2.9870, 3.0232, 3.5193, 3.0570, 2.4634),
    "striped": (3.0090, 2.7630, 1.6386, 2.3438, 5.4250, 3.6235, 6.7676, 2.3388, 1.8237, 0.9860, 1.2072, 1.4995),
    "plaid": (1.4500, 2.3750, 2.7318, 3.4687, 1.4750, 4.7410, 2.7195, 2.4915, 1.3996, 3.9086, 2.3750, 1.3566),
    "dotted": (1.4542, 2.5744, 1.9981, 2.1562, 0.3663, 4.1413, 4.6809, 2.5988, 2.4823, 0.8574, 0.8866, 2.3278),
    "zigzag": (2.5300, 3.4456, 1.5500, 5.5133, 3.4965, 2.7250, 5.4250, 4.1735, 5.6250, 2.7444, 5.3039, 3.5130),
    "geometric": (2.8623, 2.6461, 4.5190, 2.7224, 6.0149, 5.0225, 4.2758, 5.1156, 1.6749, 3.0251, 2.3281, 3.9766),
    "animal": (3.0938, 1.9562, 2.5837, 1.6312, 1.4608, 3.8962, 1.8256, 1.9281, 1.8425, 2.0076, 1.9249, 4.8523),
    "paisley": (2.6620, 2.5221, 3.1570, 2.2098, 2.2511, 2.0204, 2.3261, 1.9700, 2.0971, 2.8045, 2.9479, 2.4751),
    "camouflage": (4.4940, 3.0054, 5.1420, 3.9789, 6.1737, 3.9518, 4.0534, 3.4684, 5.1232, 4.3549, 4.0459, 4.3532),
    "abstract": (1.4213, 2.1852, 2.3720, 3.0059, 5.7194, 2.3082, 5.2318, 6.0745, 2.4192, 5.4807, 2.7716, 2.7206),
}
"""Of the first twelve seeds of a type, sums of what they printed before there were subtypes, weighed by ink and row."""


@pytest.mark.parametrize("kind", BEFORE)
def test_without_a_subtype_a_seed_draws_what_it_always_drew(kind: str) -> None:
    """Networks learned from these designs, and people kept them."""
    weights = np.arange(5)[:, None, None] * np.arange(32)[None, :, None]
    drawn = [float((draw_inks(kind, seed, 32) * weights).mean()) for seed in range(12)]
    np.testing.assert_allclose(drawn, BEFORE[kind], atol=2e-4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pattern_type": "floral"}, "A houndstooth is one of the plaid fabrics, not of the floral ones."),
        ({"subtype": "sequins"}, "'sequins' is not a subtype"),
        ({"model": "xgan-starter"}, "No model has learned houndstooth by name"),
        ({"morph_to": 3}, "Drawn fabrics cannot be morphed"),
    ],
)
def test_a_subtype_that_cannot_be_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        GenerateRequest.from_dict({**asked("houndstooth").to_dict(), **changes})


def test_it_is_drawn_whichever_engine_is_asked() -> None:
    request = asked("houndstooth", engine="dreamed", size=64)
    assert request.engine == "drawn"
    fabric = GeneratePipeline(None)(request)
    assert fabric.request.subtype == "houndstooth" and fabric.request.engine == "drawn"
    assert np.abs(fabric.inks - GeneratePipeline(None)(replace(request, subtype="gingham")).inks).mean() > 0.05


def test_recipes_of_before_open_as_before() -> None:
    old = {"pattern_type": "plaid", "seed": 4, "engine": "dcgan"}
    assert GenerateRequest.from_dict(old) == GenerateRequest("plaid", 4)


def test_a_zebra_is_black_and_white_unless_colours_are_given() -> None:
    for seed in range(5):
        palette = palette_from_seed("animal", seed, 5, "zebra")
        ground, marks = (int(colour[1:3], 16) for colour in palette[:2])
        assert ground > 220 and marks < 60
    assert asked("zebra", palette=["#ff0000", "#00ff00"]).palette == ("#ff0000", "#00ff00")


# --- words ---


@pytest.mark.parametrize(
    ("prompt", "kind", "name"),
    [
        ("a houndstooth coat", "plaid", "houndstooth"),
        ("a dress in toile de jouy", "floral", "toile"),
        ("Leopard-print skirt", "animal", "leopard"),
        ("navy pinstripes", "striped", "pinstripe"),
        ("green and blue tartan plaid", "plaid", "tartan"),
        ("ginghams in red", "plaid", "gingham"),
        ("a dotted dress with polka dots", "dotted", "polka-dot"),
        ("a plaid dress", "plaid", ""),
        ("flowers in red and pink on white", "floral", ""),
    ],
)
def test_words_choose_the_design_that_they_name(prompt: str, kind: str, name: str) -> None:
    found = read(prompt)
    assert (found.pattern, found.subtype) == (kind, name)
    assert found.unknown == ()


@pytest.mark.parametrize("prompt", ["a red dress", "a red summer dress", "a red party dress for a wedding"])
def test_one_colour_without_a_pattern_is_plain(prompt: str) -> None:
    found = read(prompt)
    assert {choose_pattern(found, seed) for seed in range(20)} == {PLAIN}


def test_what_is_not_known_is_said_with_what_was_drawn() -> None:
    found = read("a houndstooth coat with zorblings")
    notes = notes_of(found, "plaid")
    assert "Toile does not know “zorblings”; it drew a houndstooth cloth." in notes
    near = read("a galaxy skirt")
    assert "Toile has no “galaxy” of its own; it drew an abstract cloth." in notes_of(near, "abstract")
    assert not any("of its own" in note for note in notes_of(read("an abstract skirt"), "abstract"))


def test_of_two_designs_the_second_is_said_to_be_left_out() -> None:
    found = read("a gingham and houndstooth coat")
    assert found.subtype == "gingham"
    assert found.not_honoured == ("houndstooth",)


# --- the shell ---


def test_the_shell_draws_a_design_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--subtype", "houndstooth", "--size", "64", "--out", str(tmp_path), "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)["patterns"]
    assert (made["pattern_type"], made["subtype"], made["engine"]) == ("plaid", "houndstooth", "drawn")
    assert (tmp_path / "houndstooth-0.png").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Say --type"),
        (["--type", "floral", "--subtype", "houndstooth"], "one of the plaid fabrics"),
        (["--subtype", "houndstooth", "--model", "somewhere"], "needs no model"),
    ],
)
def test_the_shell_says_what_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert main(["generate", *options, "--out", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err
