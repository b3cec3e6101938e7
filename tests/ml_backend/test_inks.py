"""Inks and palettes: composing, storing, choosing and fitting colours."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.inks import (
    PALETTES,
    compose,
    contrast,
    fit_palette,
    inks_from_png,
    inks_to_png,
    mix_palettes,
    palette_from_seed,
    weave,
)
from ml_backend.requests import MAX_SEED, PATTERN_TYPES, parse_palette
from ml_backend.swatches import draw_inks

colours = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


def _random_inks(count: int, size: int, seed: int = 0) -> NDArray[np.float32]:
    planes = np.random.default_rng(seed).random((count, size, size)).astype(np.float32)
    return planes / planes.sum(axis=0)


def test_compose_mixes_in_srgb() -> None:
    inks = np.zeros((4, 1, 3), np.float32)
    inks[0, 0, 0] = inks[1, 0, 1] = 1
    inks[0, 0, 2] = inks[1, 0, 2] = 0.5
    image = compose(inks, ("#000000", "#ff8000", "#00ff00", "#0000ff"))
    assert image.dtype == np.uint8
    assert image.tolist() == [[[0, 0, 0], [255, 128, 0], [128, 64, 0]]]


def test_compose_refuses_what_does_not_fit() -> None:
    with pytest.raises(BadInput, match="3 colours for 4 inks"):
        compose(_random_inks(4, 8), ("#000000", "#ffffff", "#ff0000"))
    with pytest.raises(BadInput, match="shape"):
        compose(_random_inks(4, 8)[0], ("#000000",) * 4)
    with pytest.raises(BadInput, match="not a colour"):
        compose(_random_inks(4, 8), ("#000000", "red", "#ffffff", "#00000g"))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PATTERN_TYPES), st.integers(0, MAX_SEED), st.integers(4, 6))
def test_seeded_palettes_are_legible(pattern_type: str, seed: int, count: int) -> None:
    palette = palette_from_seed(pattern_type, seed, count)
    assert palette == palette_from_seed(pattern_type, seed, count)
    assert len(palette) == count
    assert parse_palette(palette) == palette
    assert contrast(palette[0], palette[1]) >= 0.28
    for ink in palette[2:]:
        assert contrast(palette[0], ink) >= 0.1
    assert len(set(palette)) == count
    longer = palette_from_seed(pattern_type, seed, 6)
    assert longer[:count] == palette


def test_seeded_palettes_vary() -> None:
    for pattern_type in PATTERN_TYPES:
        mains = {palette_from_seed(pattern_type, seed)[1] for seed in range(30)}
        assert len(mains) > 20


def test_camouflage_is_mostly_quiet() -> None:
    """Earth and leaf most of the time: the median chroma is well below a stripe's."""

    def chroma(pattern_type: str) -> float:
        values = []
        for seed in range(60):
            for colour in palette_from_seed(pattern_type, seed, 4):
                channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
                values.append(max(channels) - min(channels))
        return float(np.median(values))

    assert chroma("camouflage") < 0.85 * chroma("striped")


@pytest.mark.parametrize(
    ("pattern_type", "seed", "count"), [("x", 0, 5), ("floral", -1, 5), ("floral", 0, 3), ("floral", 0, 7)]
)
def test_palette_from_seed_refuses(pattern_type: str, seed: int, count: int) -> None:
    with pytest.raises(BadInput):
        palette_from_seed(pattern_type, seed, count)


@settings(max_examples=200, deadline=None)
@given(st.lists(colours, min_size=2, max_size=6), st.integers(4, 6))
def test_a_fitted_palette_has_the_count_and_keeps_the_ground(given_colours: list[str], count: int) -> None:
    fitted = fit_palette(given_colours, count)
    assert len(fitted) == count
    assert fitted[0] == given_colours[0]
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in fitted)
    if len(given_colours) <= count:
        assert list(fitted[: len(given_colours)]) == given_colours


def test_merging_joins_the_nearest_inks() -> None:
    palette = ("#ffffff", "#c00000", "#0000c0", "#c20202", "#00c000")
    assert fit_palette(palette, 4) == ("#ffffff", "#c10101", "#0000c0", "#00c000")


def test_a_short_palette_grows_by_tints_then_shades() -> None:
    assert fit_palette(("#ffffff", "#000080"), 4) == ("#ffffff", "#000080", "#8080c0", "#000053")


def test_fit_palette_refuses() -> None:
    for palette, count in ((("#ffffff",), 5), (("#ffffff", "blue"), 5), (("#ffffff", "#000000"), 3)):
        with pytest.raises(BadInput):
            fit_palette(palette, count)


def test_curated_palettes_are_usable() -> None:
    assert len(PALETTES) >= 16
    for name, palette in PALETTES.items():
        assert name.strip() == name
        assert parse_palette(palette) == palette
        assert len(set(palette)) == 6
        assert contrast(palette[0], palette[1]) >= 0.25, name


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 6), st.integers(2, 40), st.integers(0, 1000))
def test_png_round_trip(count: int, size: int, seed: int) -> None:
    inks = _random_inks(count, size, seed)
    read = inks_from_png(inks_to_png(inks))
    assert read.dtype == np.float32
    assert read.shape == inks.shape
    np.testing.assert_allclose(read.sum(axis=0), 1, atol=1e-5)
    assert np.abs(read - inks).max() <= 3 / 255


def test_png_round_trip_keeps_the_picture() -> None:
    inks = draw_inks("floral", 1, 64)
    palette = palette_from_seed("floral", 1)
    before, after = compose(inks, palette).astype(int), compose(inks_from_png(inks_to_png(inks)), palette).astype(int)
    assert np.abs(before - after).max() <= 3


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a png",
        _png(Image.new("L", (8, 40)))[:-30],
        _png(Image.new("RGB", (8, 40))),
        _png(Image.new("L", (8, 39))),
        _png(Image.new("L", (8, 8))),
        _png(Image.new("L", (8, 80))),
    ],
    ids=["empty", "text", "cut short", "colour", "uneven", "one plane", "ten planes"],
)
def test_a_damaged_ink_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        inks_from_png(data)


def test_inks_to_png_refuses_other_shapes() -> None:
    with pytest.raises(BadInput):
        inks_to_png(np.zeros((3, 8, 8), np.float32))
    with pytest.raises(BadInput):
        inks_to_png(np.zeros((8, 8), np.float32))


@pytest.mark.parametrize("twill", [False, True])
def test_weave_is_a_slight_periodic_light(twill: bool) -> None:
    image = np.full((96, 96, 3), 120, np.uint8)
    woven = weave(image, 32, 0.06, twill)
    assert woven.shape == image.shape
    assert woven.dtype == np.uint8
    assert 0.5 < woven.std() < 120 * 0.07
    assert abs(woven.mean() - 120) < 2
    period = 12 if twill else 6  # four or two threads of three pixels
    np.testing.assert_allclose(np.roll(woven, period, axis=1).astype(int), woven, atol=1)
    np.testing.assert_allclose(np.roll(woven, period, axis=0).astype(int), woven, atol=1)


def test_weave_leaves_what_it_cannot_show() -> None:
    image = np.full((32, 32, 3), 120, np.uint8)
    assert np.array_equal(weave(image, 16, 0.0), image)
    assert np.array_equal(weave(image, 64, 0.1), image)


def test_mixed_palettes_reach_both_ends_exactly() -> None:
    first, second = ("#ffffff", "#20306a"), ("#000000", "#e0a62f")
    assert mix_palettes(first, second, 0.0) == first
    assert mix_palettes(first, second, 1.0) == second


def test_colours_on_the_way_are_no_greyer_than_the_ends() -> None:
    (between,) = mix_palettes(("#c83020",), ("#20a040",), 0.5)
    assert between != "#746830"
    red, green, blue = (int(between[start : start + 2], 16) for start in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) > 90


def test_a_grey_on_the_way_takes_the_others_hue() -> None:
    (between,) = mix_palettes(("#808080",), ("#d03050",), 0.5)
    red, green, blue = (int(between[start : start + 2], 16) for start in (1, 3, 5))
    assert red > blue > green
