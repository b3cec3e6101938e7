"""A photographed cloth: geometry, light, repeats, edges and inks, each by what must hold of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from ml_backend.cli import main
from ml_backend.errors import BadInput
from ml_backend.evaluation.photographed import NEAR, error_of, photographed
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.images import read_recipe
from ml_backend.inks import compose
from ml_backend.pipelines.cloth import cut_cloth, finer, look, outlines
from ml_backend.pipelines.cloth.inks import separated
from ml_backend.pipelines.cloth.light import flattened
from ml_backend.pipelines.cloth.repeat import Repeat, find_repeat
from ml_backend.pipelines.cloth.tile import calmly_cut, cheapest_cut, how_many, joined, mean_repeat, repair
from ml_backend.pipelines.cloth.warp import WHOLE, check_corners, homography, rectified
from ml_backend.requests import ClothRequest

F32 = NDArray[np.float32]

SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)


def checks(width: int = 240, height: int = 240, across: int = 30, down: int = 30) -> F32:
    """Woven checks of two colours that repeat after ``across`` and ``down`` pixels."""
    x, y = (np.arange(width) % across) < across / 3, (np.arange(height) % down) < down / 3
    cloth = np.full((height, width, 3), (240, 235, 220), np.float32)
    cloth[:, x] = (200, 70, 60)
    cloth[y] = cloth[y] * 0.4 + np.array((40, 60, 130), np.float32) * 0.6
    return cloth


def picture(cloth: F32) -> Image.Image:
    return Image.fromarray(cloth.astype(np.uint8))


# --- rectifying ---


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 0.3), min_size=8, max_size=8))
def test_a_homography_takes_its_corners_where_they_belong_and_back(lean: list[float]) -> None:
    inward = np.array(lean).reshape(4, 2) * ((1, 1), (-1, 1), (-1, -1), (1, -1))
    target = SQUARE + inward
    forth, back = homography(SQUARE, target), homography(target, SQUARE)
    for point, wanted in zip(SQUARE, target, strict=True):
        x, y, w = forth @ np.append(point, 1)
        np.testing.assert_allclose((x / w, y / w), wanted, atol=1e-8)
    middle = forth @ (0.3, 0.6, 1.0)
    again = back @ (middle / middle[2])
    np.testing.assert_allclose(again[:2] / again[2], (0.3, 0.6), atol=1e-8)


def test_the_whole_photo_stays_as_it_is() -> None:
    photo = picture(checks(120, 90))
    flat = np.asarray(rectified(photo, WHOLE), np.float32)
    assert flat.shape == (90, 120, 3)
    assert np.abs(flat - np.asarray(photo, np.float32)).mean() < 2


def test_a_quarter_of_a_photo_is_that_quarter() -> None:
    photo = picture(checks(200, 200))
    flat = rectified(photo, (0.5, 0.5, 1.0, 0.5, 1.0, 1.0, 0.5, 1.0))
    assert flat.size == (100, 100)
    assert np.abs(np.asarray(flat, np.float32) - np.asarray(photo, np.float32)[100:, 100:]).mean() < 4


@pytest.mark.parametrize(
    "corners",
    [
        (0.9, 0, 0.1, 0, 1, 1, 0, 1),  # crossed over
        (0, 0, 0, 1, 1, 1, 1, 0),  # the other way round
        (0, 0, 0.5, 0.5, 1, 1, 0, 1),  # three on a line
        (0, 0, 1, 0, 1, 1, 0, 1.5),
        (0, 0, 1, 0, 1, 1),
        (float("nan"), 0, 1, 0, 1, 1, 0, 1),
    ],
)
def test_corners_that_are_none_are_refused(corners: tuple[float, ...]) -> None:
    with pytest.raises(BadInput, match="corners"):
        check_corners(corners)


def test_a_piece_too_small_to_see_cloth_in_is_refused() -> None:
    with pytest.raises(BadInput, match="larger piece"):
        rectified(picture(checks()), (0.0, 0.0, 0.1, 0.0, 0.1, 0.1, 0.0, 0.1))


# --- light ---


def test_light_goes_and_the_pattern_stays() -> None:
    cloth = checks()
    lamp = np.linspace(0.35, 1.0, 240, dtype=np.float32)[None, :, None]
    lit = ((cloth / 255) ** 2.2 * lamp) ** (1 / 2.2) * 255
    even = flattened(lit, (30, 30))
    left, right = even[60:180, 30:90].mean(), even[60:180, 150:210].mean()
    before = lit[60:180, 150:210].mean() / lit[60:180, 30:90].mean()
    assert before > 1.2 and abs(right / left - 1) < 0.03
    assert even[60:180, 60:180].std() > 0.7 * cloth[60:180, 60:180].std()


def test_even_light_is_left_alone() -> None:
    cloth = checks()
    assert np.abs(flattened(cloth, (30, 30)) - cloth).mean() < 2.5


# --- the repeat ---


@pytest.mark.parametrize(("across", "down"), [(30, 30), (24, 48), (50, 40), (21, 35)])
def test_the_repeat_of_checks_is_found(across: int, down: int) -> None:
    found = find_repeat(checks(260, 260, across, down))
    assert found.kind == "repeat" and found.confidence > 0.6
    np.testing.assert_allclose(found.size, (across, down), rtol=0.03)


def test_a_half_drop_repeats_after_two() -> None:
    y, x = np.mgrid[0:280, 0:280]
    column = x // 35
    inside = np.hypot(x % 35 - 17, (y + 20 * (column % 2)) % 40 - 20) < 9
    cloth = np.where(inside[..., None], (180, 40, 50), (240, 235, 225)).astype(np.float32)
    width, height = find_repeat(cloth).size
    assert round(width / 35) * round(height / 20) % 2 == 0  # a rectangle of its lattice: 70 x 40 or as large
    np.testing.assert_allclose((width / 35, height / 20), (round(width / 35), round(height / 20)), atol=0.06)


def test_stripes_have_one_step_only() -> None:
    row = np.where(np.arange(240) % 24 < 9, 60.0, 230.0)
    found = find_repeat(np.broadcast_to(row[:, None, None], (240, 240, 3)).astype(np.float32).copy())
    assert found.kind == "stripes"
    assert abs(min(found.size) - 24) < 0.8


def test_plain_and_wild_cloth_have_none() -> None:
    rng = np.random.default_rng(1)
    assert find_repeat(np.full((200, 200, 3), 120, np.float32) + rng.normal(0, 3, (200, 200, 3))).kind == "none"
    assert find_repeat(rng.uniform(0, 255, (200, 200, 3)).astype(np.float32)).kind == "none"


@pytest.mark.parametrize("name", ["tartan", "leopard", "rose"])
def test_bent_lit_blurred_and_compressed_it_is_found_again(name: str) -> None:
    shot = photographed(name, 1_000_000)
    looked = look(shot.photo, ClothRequest(corners=shot.corners), 512)
    assert error_of(looked, shot) <= NEAR
    middle = np.mean(outlines(looked, ClothRequest(corners=shot.corners))[0], axis=0)
    corners = np.array(shot.corners).reshape(4, 2)
    assert (corners.min(axis=0) < middle).all() and (middle < corners.max(axis=0)).all()


def test_as_few_repeats_as_make_a_square() -> None:
    assert how_many(Repeat((30, 0), (0, 30), 1, "repeat")) == (1, 1)
    assert how_many(Repeat((20, 0), (0, 60), 1, "repeat")) == (3, 1)
    assert how_many(Repeat((40, 0), (0, 60), 1, "repeat")) == (3, 2)


# --- the tile ---


def test_the_mean_of_the_repeats_has_less_noise_than_one() -> None:
    cloth = checks()
    noisy = cloth + np.random.default_rng(2).normal(0, 20, cloth.shape).astype(np.float32)
    cell, seen = mean_repeat(noisy, Repeat((30.0, 0.0), (0.0, 30.0), 1, "repeat"), (30, 30))
    clean, _ = mean_repeat(cloth, Repeat((30.0, 0.0), (0.0, 30.0), 1, "repeat"), (30, 30))
    assert seen == 12
    assert np.abs(cell - clean).mean() < 0.45 * 20 * 0.8


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(8, 40), st.integers(8, 40))
def test_a_repaired_tile_has_no_step_and_keeps_its_mean(seed: int, height: int, width: int) -> None:
    y, x = np.mgrid[0:height, 0:width]
    ramp = (3.0 * x + 2.0 * y + np.random.default_rng(seed).normal(0, 1, (height, width))).astype(np.float32)
    mended = repair(ramp[None])[0]
    assert mended.shape == ramp.shape
    assert abs(float(mended.mean() - ramp.mean())) < 1e-2
    before, after = (np.abs(plane[:, 0] - plane[:, -1]).mean() for plane in (ramp, mended))
    assert after < 0.5 * before


def test_what_is_periodic_already_is_left_as_it_is() -> None:
    wave = np.sin(np.arange(32) / 32 * 2 * np.pi, dtype=np.float32)
    plane = (wave[:, None] * wave[None, :])[None]
    assert np.abs(repair(plane) - plane).max() < 0.12


def test_the_cut_runs_where_it_costs_least() -> None:
    cost = np.ones((20, 9), np.float32)
    valley = [4, 4, 5, 5, 6, 6, 6, 5, 4, 3, 2, 2, 3, 3, 4, 5, 5, 4, 4, 4]
    cost[np.arange(20), valley] = 0
    assert cheapest_cut(cost).tolist() == valley


def test_a_piece_without_a_repeat_joins_itself() -> None:
    rng = np.random.default_rng(3)
    wild = np.asarray(Image.fromarray(rng.integers(0, 255, (30, 30, 3), np.uint8)).resize((240, 240)), np.float32)
    chopped = Image.fromarray(wild[:200, :200].astype(np.uint8))
    tile = joined(wild, 200)
    assert tile.shape == (200, 200, 3)
    assert seam_ratio(picture(tile.clip(0, 255))) < 0.6 * seam_ratio(chopped)


def test_a_tile_cut_calmly_is_the_same_cloth() -> None:
    tile = checks(60, 60, 20, 20)
    rolled = calmly_cut(tile)
    assert np.allclose(np.sort(rolled.ravel()), np.sort(tile.ravel()))
    assert seam_ratio(picture(rolled)) <= seam_ratio(picture(tile))


# --- inks and the whole way ---


def test_the_inks_of_flat_colours_are_those_colours() -> None:
    cloth = np.full((60, 60, 3), (245, 235, 220), np.float32)
    cloth[:20] = (40, 50, 120)
    cloth[20:30, :30] = (200, 60, 50)
    cloth[30:36, 30:] = (90, 130, 80)
    inks, palette = separated(cloth, 4)
    np.testing.assert_allclose(inks.sum(axis=0), 1, atol=1e-5)
    assert inks[0].mean() == max(float(ink.mean()) for ink in inks)
    assert np.abs(compose(inks, palette).astype(float) - cloth).mean() < 4


def dotted(side: int = 256, line: bool = False) -> F32:
    """Red dots on cream, blurred, and one wide pink dot, whose colour the blur of the others has; a line across."""
    y, x = np.mgrid[0:side, 0:side]
    cloth = np.full((side, side, 3), (240, 230, 210), np.float32)
    cloth[np.hypot(x % 64 - 32, y % 64 - 32) < 14] = (150, 40, 40)
    cloth[np.hypot(x - 128, y - 128) < 40] = (195, 135, 125)
    if line:
        cloth[126:129] = (40, 60, 140)
    return np.asarray(gaussian_filter(cloth, (1.2, 1.2, 0), mode="wrap"), np.float32)


def test_the_blur_between_two_inks_is_no_third_one() -> None:
    inks, palette = separated(dotted(), 3)
    pink = min(range(3), key=lambda k: abs(int(palette[k][1:3], 16) - 195))
    y, x = np.mgrid[0:256, 0:256]
    rims = np.abs(np.hypot(x % 64 - 32, y % 64 - 32) - 14) < 3
    apart = np.hypot(x - 128, y - 128) > 60
    assert inks[pink][rims & apart].mean() < 0.01
    assert inks[pink][np.hypot(x - 128, y - 128) < 36].mean() > 0.99
    np.testing.assert_allclose(inks.sum(axis=0), 1, atol=1e-5)
    assert np.abs(compose(inks, palette).astype(float) - dotted()).mean() < 2


def test_a_thin_line_of_its_own_colour_stays() -> None:
    inks, palette = separated(dotted(line=True), 4)
    blue = max(range(4), key=lambda k: int(palette[k][5:7], 16) - int(palette[k][1:3], 16))
    assert inks[blue][127].mean() > 0.9


def test_the_tile_is_read_as_finely_as_the_photo_has_it() -> None:
    fine = checks(1600, 1600, 100, 100)
    fine[::2] *= np.float32(0.8)  # every other row of pixels is darker, which 1024 pixels do not show
    request = ClothRequest(inks=4, size=256)
    rough = look(picture(fine), request)
    read = finer(picture(fine), request, rough)
    assert read.flat.shape == (1600, 1600, 3) and read.period == pytest.approx(rough.period)
    rows = [np.abs(np.diff(one.flat[200:800, 350:900].mean(axis=1), axis=0)).mean() for one in (rough, read)]
    assert rows[1] > 2 * rows[0]
    small = picture(checks(320, 320))
    assert finer(small, request, one := look(small, request)) is one


def test_a_photo_becomes_a_tile_and_says_how() -> None:
    cut = cut_cloth(picture(checks()), ClothRequest(inks=4, size=96))
    assert cut.inks.shape == (4, 96, 96) and cut.image.size == (96, 96) and len(cut.palette) == 4
    assert cut.repeats_seen > 4 and cut.request.corners == WHOLE
    np.testing.assert_allclose(cut.period, (30 / 240 * 1024,) * 2, rtol=0.03)
    again = cut_cloth(picture(checks()), cut.request)
    assert np.array_equal(cut.inks, again.inks)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"corners": [0.1] * 7}, "four points"),
        ({"corners": [0.1] * 7 + [2.0]}, "corner"),
        ({"period": [3.0, 40.0]}, "side of the repeat"),
        ({"period": 40.0}, "wide"),
        ({"inks": 1}, "number of inks"),
        ({"side_cm": 0.1}, "scale"),
    ],
)
def test_a_request_that_cannot_be_is_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        ClothRequest.from_dict(fields)


def test_a_request_and_its_dict_are_the_same() -> None:
    request = ClothRequest(WHOLE, (100.0, 80.0), False, 4, 256, 12.0)
    assert ClothRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


def test_the_shell_cuts_a_cloth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, out = tmp_path / "cloth.png", tmp_path / "tile.png"
    picture(checks()).save(photo)
    assert main(["cloth", str(photo), "--inks", "4", "--size", "96", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "repeat" and len(told["palette"]) == 4
    with Image.open(out) as tile:
        assert (read_recipe(tile) or {})["source"] == "photographed"
    assert main(["cloth", str(photo), "--corners", "0.9,0,0.1,0,1,1,0,1", "--out", str(out)]) == 2
    assert "must go round the cloth" in capsys.readouterr().err
