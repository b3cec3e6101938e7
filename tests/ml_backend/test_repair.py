"""A tile made for one repeat is mended for another: nothing is cut along a straight line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from ml_backend.errors import BadInput
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose, palette_from_seed
from ml_backend.lattices import BASIC, LATTICES, Lattice
from ml_backend.repair import F32, periodic, repair, sew
from ml_backend.swatches.drawing.tile import draw_inks

lattices = pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)


def _seam(inks: np.ndarray, repeat: str) -> float:
    return seam_ratio(Image.fromarray(compose(inks, palette_from_seed("floral", 4, len(inks)))), repeat)


@lattices
@pytest.mark.parametrize("seed", [2, 4])
def test_a_chopped_fabric_has_no_seam_after(lattice: Lattice, seed: int) -> None:
    chopped = draw_inks("floral", seed, 120)
    mended = repair(chopped, lattice)
    assert mended.shape == chopped.shape
    assert mended.dtype == np.float32
    np.testing.assert_allclose(mended.sum(axis=0), 1, atol=1e-4)
    assert _seam(mended, lattice.name) <= 1.1
    np.testing.assert_array_equal(repair(chopped, lattice), mended)


def test_the_middle_of_a_tile_keeps_its_drawing() -> None:
    chopped = draw_inks("floral", 2, 128)
    mended = repair(chopped, LATTICES["half-drop"])
    inner = slice(48, 80)
    middle = chopped[0, inner, inner]
    assert _seam(chopped, "half-drop") > 1.5
    block = np.pad(LATTICES["half-drop"].block(mended)[0], ((0, 31), (0, 31)), mode="wrap")
    windows = np.lib.stride_tricks.sliding_window_view(block, (32, 32))  # wherever the calm cut moved it
    kept = min(float(np.abs(row - middle).mean(axis=(1, 2)).min()) for row in windows)
    assert kept < 0.03


def test_a_picture_lit_from_one_side_becomes_a_tile() -> None:
    """Channels of a photograph: they sum to nothing in particular, and stay in 0..1."""
    light = np.linspace(0.2, 0.9, 96, dtype=np.float32)
    dots = draw_inks("dotted", 3, 96)[1]
    photo = np.stack([light[None, :] * (1 - 0.5 * dots)] * 3)
    mended = repair(photo)
    assert mended.min() >= 0 and mended.max() <= 1
    across = np.abs(mended[:, :, 0] - mended[:, :, -1]).mean()
    assert across < 0.2 * np.abs(photo[:, :, 0] - photo[:, :, -1]).mean()


@lattices
def test_the_periodic_part_of_what_repeats_is_nearly_itself(lattice: Lattice) -> None:
    if lattice.mirrored:
        return
    x, y = np.meshgrid((np.arange(48) + 0.5) / 48, (np.arange(48) + 0.5) / 48)
    kx, ky = lattice.wave(2, 1)
    wave = np.cos(2 * np.pi * (kx * x + ky * y)).astype(np.float32)[None]
    cell = lattice.cell(wave)
    assert np.abs(periodic(cell, lattice) - cell).mean() < 0.06
    falls = cell + np.linspace(0, 1, cell.shape[2], dtype=np.float32)
    assert np.ptp(periodic(falls, lattice).mean(axis=1)) < 0.5 * np.ptp(falls.mean(axis=1))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(list(LATTICES.values())), st.integers(32, 70), st.integers(32, 70))
def test_any_planes_of_any_shape_are_taken(seed: int, lattice: Lattice, height: int, width: int) -> None:
    width, height = width // 2 * 2, height // 2 * 2
    planes = np.random.default_rng(seed).random((2, height, width)).astype(np.float32)
    mended = repair(planes, lattice)
    assert mended.shape == planes.shape
    assert np.isfinite(mended).all()


def test_what_is_no_tile_is_said() -> None:
    for wrong in (np.zeros((64, 64), np.float32), np.zeros((3, 16, 64), np.float32)):
        with pytest.raises(BadInput, match="at least 32 x 32"):
            repair(wrong, BASIC)
    with pytest.raises(BadInput, match="not numbers"):
        repair(np.full((3, 32, 32), np.nan, np.float32), BASIC)


def test_what_repeats_already_is_only_cut_elsewhere() -> None:
    tile = draw_inks("floral", 2, 96)
    mended = repair(tile)
    np.testing.assert_array_equal(np.sort(mended, axis=None), np.sort(tile, axis=None))


def _discs() -> F32:
    """Discs of 18 pixels in columns 16 apart, every other one half a step lower: each upright line meets some."""
    y, x = np.mgrid[0:128, 0:128]
    cover = np.zeros((128, 128), np.float32)
    for column in range(8):
        for row in range(4):
            away_x = np.abs(x - 16 * column - 8)
            away_y = np.abs(y - (32 * row + 16 * (column % 2) + 5 * (column == 3)) % 128)
            cover[np.hypot(np.minimum(away_x, 128 - away_x), np.minimum(away_y, 128 - away_y)) < 9] = 1
    return np.stack([1 - cover, cover])


@pytest.mark.parametrize("repeat", ["half-drop", "half-brick"])
def test_motifs_that_no_line_passes_are_sewn_along_a_path_between_them(repeat: str) -> None:
    """Every disc of the sewn cell is a whole one: none is cut, no two became one."""
    lattice = LATTICES[repeat]
    tile = _discs() if lattice.drop else np.ascontiguousarray(_discs().swapaxes(1, 2))
    cell, seen = sew(tile, lattice, motifs=True)
    assert seen < 0.02
    block = np.tile(lattice.block(cell)[1] > 0.5, (2, 2))
    labels, count = ndimage.label(block)
    inner = set(range(1, count + 1)) - set(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    areas = ndimage.sum_labels(block, labels, sorted(inner))
    assert len(areas) > 40 and areas.max() <= 1.1 * areas.min()


def test_where_all_is_motif_a_path_is_seen_though_it_joins_alike() -> None:
    full = np.zeros((2, 128, 128), np.float32)
    full[1] = 1
    assert sew(full, LATTICES["half-drop"])[1] == 0
    assert sew(full, LATTICES["half-drop"], motifs=True)[1] > 0.5
