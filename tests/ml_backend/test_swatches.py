"""Drawn swatches: exact wrapping, one design at every size, endless and deterministic."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose, palette_from_seed
from ml_backend.requests import PATTERN_TYPES
from ml_backend.swatches import DRAW, draw_inks
from ml_backend.swatches.cloth import Bands, Cloth
from ml_backend.swatches.layout import packed, spread
from ml_backend.swatches.noise import brushed, smooth, streaks

F32 = NDArray[np.float32]

each_type = pytest.mark.parametrize("pattern_type", PATTERN_TYPES)


def test_every_pattern_type_is_drawn() -> None:
    assert tuple(DRAW) == PATTERN_TYPES


@each_type
def test_twenty_seeds_are_whole_coverage(pattern_type: str) -> None:
    for seed in range(20):
        inks = draw_inks(pattern_type, seed, 32)
        assert inks.shape == (5, 32, 32)
        assert inks.dtype == np.float32
        assert inks.min() >= 0
        np.testing.assert_allclose(inks.sum(axis=0), 1, atol=1e-5)
        printed = 1 - inks[0].mean()
        assert printed > 0.02, f"{pattern_type} {seed} is bare ground"
        assert (inks.mean(axis=(1, 2)) > 0.004).sum() >= 2, f"{pattern_type} {seed} is one flat colour"


def _image(pattern_type: str, seed: int, size: int) -> Image.Image:
    return Image.fromarray(compose(draw_inks(pattern_type, seed, size), palette_from_seed(pattern_type, seed)))


@each_type
@pytest.mark.parametrize("size", [64, 200])
def test_tiles_have_no_seam(pattern_type: str, size: int) -> None:
    for seed in range(10):
        ratio = seam_ratio(_image(pattern_type, seed, size))
        assert ratio <= 1.1, f"{pattern_type} {seed} at {size} pixels has a seam ratio of {ratio:.2f}"


@each_type
def test_wherever_the_repeat_is_cut_it_is_the_same_design(pattern_type: str) -> None:
    """Periodicity itself: a tile cut elsewhere is the tile rolled, so no motif is lost or broken at an edge."""
    for seed in range(6):
        tiles = []
        for origin in ((0.0, 0.0), (0.375, 0.8125)):
            cloth = Cloth(96, 5, 1, origin)
            DRAW[pattern_type](cloth, np.random.default_rng(seed))
            tiles.append(cloth.planes)
        rolled = np.roll(tiles[0], (-78, -36), axis=(1, 2))
        assert np.abs(rolled - tiles[1]).mean() < 2e-3, f"{pattern_type} {seed} is not periodic"
        assert (np.abs(rolled - tiles[1]).max(axis=0) > 0.3).mean() < 4e-3


@each_type
def test_the_same_seed_is_the_same_tile(pattern_type: str) -> None:
    first, second = draw_inks(pattern_type, 7, 48), draw_inks(pattern_type, 7, 48)
    assert np.array_equal(first, second)


@each_type
def test_the_design_does_not_depend_on_the_size(pattern_type: str) -> None:
    for seed in range(6):
        small = draw_inks(pattern_type, seed, 64)
        large = draw_inks(pattern_type, seed, 256).reshape(5, 64, 4, 64, 4).mean(axis=(2, 4))
        assert np.abs(small - large).mean() < 0.02, f"{pattern_type} {seed} differs between 64 and 256"


@each_type
def test_ground_does_not_depend_on_the_number_of_inks(pattern_type: str) -> None:
    four, six = draw_inks(pattern_type, 3, 64, inks=4), draw_inks(pattern_type, 3, 64, inks=6)
    assert four.shape[0] == 4
    assert six.shape[0] == 6
    np.testing.assert_allclose(four[0], six[0], atol=1e-5)


@each_type
def test_seeds_differ(pattern_type: str) -> None:
    tiles = [draw_inks(pattern_type, seed, 32) for seed in range(12)]
    for i, first in enumerate(tiles):
        for second in tiles[i + 1 :]:
            assert np.abs(first - second).mean() > 0.01


def test_edges_are_sharp_at_any_size() -> None:
    """A polka dot's rim is about a pixel wide: the share of half-covered pixels falls as the tile grows."""

    def soft(size: int) -> float:
        inks = draw_inks("dotted", 4, size)
        return float(((inks > 0.05) & (inks < 0.95)).any(axis=0).mean())

    assert soft(512) < 0.35 * soft(128)


@pytest.mark.parametrize(
    ("pattern_type", "seed", "size", "inks"),
    [
        ("tartan", 0, 64, 5),
        ("floral", -1, 64, 5),
        ("floral", 2**31, 64, 5),
        ("floral", 0.5, 64, 5),
        ("floral", True, 64, 5),
        ("floral", 0, 4, 5),
        ("floral", 0, 5000, 5),
        ("floral", 0, 64, 3),
        ("floral", 0, 64, 7),
    ],
)
def test_unusable_parameters_are_refused(pattern_type: str, seed: int, size: int, inks: int) -> None:
    with pytest.raises(BadInput):
        draw_inks(pattern_type, seed, size, inks)


def test_swatches_and_inks_import_no_torch() -> None:
    code = "import sys, ml_backend.inks, ml_backend.swatches; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- primitives ---


def test_a_motif_wraps_over_all_edges() -> None:
    """A disc about the corner is the disc about the middle, rolled."""

    def disc(x: float, y: float) -> F32:
        cloth = Cloth(40, 4)
        for patch in cloth.window(x, y, 0.3):
            patch.paint(1, np.hypot(patch.x, patch.y) - 0.3)
        return cloth.planes

    np.testing.assert_allclose(np.roll(disc(0.5, 0.5), (20, 20), axis=(1, 2)), disc(0.0, 0.0), atol=1e-5)


def test_a_motif_larger_than_the_tile_meets_itself() -> None:
    cloth = Cloth(32, 4)
    for patch in cloth.window(0.5, 0.5, 0.9):
        patch.paint(1, np.abs(np.hypot(patch.x, patch.y) - 0.8) - 0.02)
    assert cloth.planes[1, :, 0].max() > 0.9  # the ring has come in from the neighbouring tiles
    np.testing.assert_allclose(cloth.planes.sum(axis=0), 1, atol=1e-5)


def test_strips_cover_each_pixel_once() -> None:
    cloth = Cloth(700, 4)  # more than one strip
    for patch in cloth.strips():
        patch.planes[1] += 1
    assert (cloth.planes[1] == 1).all()


def test_bands_are_exact_box_averages() -> None:
    bands = Bands.of((0.25, 0), (0.5, 1), (0.25, 2))
    fine = (np.arange(4000) + 0.5) / 4000
    coarse = (np.arange(10) + 0.5) / 10
    truth = bands.shares(fine, 1e-9)
    for role, share in bands.shares(coarse, 0.1).items():
        np.testing.assert_allclose(share, truth[role].reshape(10, 400).mean(axis=1), atol=1e-3)
    whole = bands.shares(np.array([0.3, 7.9]), 1.0)
    np.testing.assert_allclose(whole[1], 0.5, atol=1e-6)


def test_a_mirrored_sett_reads_the_same_backwards() -> None:
    sett = Bands.of((3, 0), (1, 2), (2, 1)).mirrored()
    assert sett.roles == (0, 2, 1, 2)
    assert sum(sett.widths) == pytest.approx(1)


@pytest.mark.parametrize("make", [smooth, streaks, brushed])
def test_noise_is_periodic_and_the_quick_road_agrees(make: object) -> None:
    rng = np.random.default_rng(1)
    noise = (
        smooth(rng, 1, 4) if make is smooth else streaks(rng, (3, 1), 0.8) if make is streaks else brushed(rng, 8, 2)
    )
    x, y = np.linspace(0, 1, 9, dtype=np.float32)[None, :], np.linspace(0, 1, 7, dtype=np.float32)[:, None]
    grid = noise(x, y)
    np.testing.assert_allclose(grid, noise(*np.broadcast_arrays(x, y)), atol=1e-4)
    np.testing.assert_allclose(grid, noise(x + 1, y + 2), atol=1e-3)
    np.testing.assert_allclose(noise(y, x), noise(*np.broadcast_arrays(y, x)), atol=1e-4)


def test_noise_exceeds_its_threshold_on_the_asked_share() -> None:
    noise = smooth(np.random.default_rng(3), 1, 4)
    grid = ((np.arange(200) + 0.5) / 200).astype(np.float32)
    covered = noise(grid[None, :], grid[:, None]) > noise.threshold(0.3)
    assert covered.mean() == pytest.approx(0.3, abs=0.01)


def test_packed_discs_touch_nothing() -> None:
    taken = [(0.02, 0.5, 0.2)]
    spots = packed(np.random.default_rng(5), [(0.08, 60), (0.04, 100)], taken, 0.01)
    assert len(spots) > 10
    circles = taken + [(s.x, s.y, s.size) for s in spots]
    for i, (ax, ay, ar) in enumerate(circles):
        for bx, by, br in circles[i + 1 :]:
            dx, dy = abs(ax - bx) % 1, abs(ay - by) % 1
            assert np.hypot(min(dx, 1 - dx), min(dy, 1 - dy)) >= ar + br + 0.01 - 1e-9


def test_spread_spots_keep_their_distance() -> None:
    spots = spread(np.random.default_rng(2), 9)
    points = np.array([(s.x, s.y) for s in spots])
    away = np.abs(points[:, None] - points[None])
    away = np.minimum(away, 1 - away)
    distances = np.hypot(away[..., 0], away[..., 1]) + np.eye(9)
    assert distances.min() > 0.15
