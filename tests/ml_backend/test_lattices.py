"""Repeats: one concept says what lies beyond each edge, and everything that wraps agrees with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose, palette_from_seed
from ml_backend.lattices import LATTICES, Lattice, lattice_of
from ml_backend.swatches import TYPES
from ml_backend.swatches.drawing.tile import draw_inks

lattices = st.sampled_from([*LATTICES.values(), *(one.transposed() for one in LATTICES.values())])


@given(lattices, st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_every_copy_of_a_point_folds_back_to_it(lattice: Lattice, u: float, v: float) -> None:
    x, y = np.array(u * float(lattice.width)), np.array(v * float(lattice.height))
    for copy in lattice.around(1.5):
        back = lattice.fold(*lattice.unfold(x, y, copy))
        np.testing.assert_allclose(back, (x, y), atol=1e-9)


@given(lattices, st.floats(-1.4, 2.4), st.floats(-1.4, 2.4))
def test_the_copies_cover_the_plane(lattice: Lattice, x: float, y: float) -> None:
    u, v = lattice.fold(np.array(x), np.array(y))
    assert 0 <= u <= float(lattice.width) and 0 <= v <= float(lattice.height)
    placed = [lattice.unfold(u, v, copy) for copy in lattice.around(1.5)]
    assert min(np.hypot(a - x, b - y) for a, b in placed) < 1e-9


@given(lattices, st.integers(1, 5))
def test_what_surrounds_a_cell_is_what_folding_finds_there(lattice: Lattice, margin: int) -> None:
    side = 12
    tile = np.random.default_rng(0).random((2, side, side)).astype(np.float32)
    cell = lattice.cell(tile)
    at = np.arange(-margin, side + margin) + 0.5
    rows, columns = at[: cell.shape[1] + 2 * margin], at[: cell.shape[2] + 2 * margin]
    u, v = lattice.fold(columns[None, :] / side, rows[:, None] / side)
    u, v = np.broadcast_arrays(u, v)
    found = cell[:, np.floor(v * side + 1e-6).astype(int), np.floor(u * side + 1e-6).astype(int)]
    np.testing.assert_array_equal(lattice.surround(cell, margin), found)


@given(lattices, st.integers(-20, 20), st.integers(-20, 20))
def test_cutting_elsewhere_is_the_same_cloth_and_can_be_undone(lattice: Lattice, rows: int, columns: int) -> None:
    cell = lattice.cell(np.random.default_rng(1).random((1, 12, 12)).astype(np.float32))
    moved = lattice.rolled(cell, rows, columns)
    np.testing.assert_array_equal(np.sort(moved.ravel()), np.sort(cell.ravel()))
    np.testing.assert_array_equal(lattice.rolled(moved, -rows, -columns), cell)
    if not lattice.mirrored:
        block, other = lattice.block(cell)[0], lattice.block(moved)[0]
        np.testing.assert_array_equal(np.roll(block, (rows, columns), axis=(0, 1)), other)


@pytest.mark.parametrize("lattice", LATTICES.values(), ids=LATTICES)
def test_a_block_repeats_by_plain_wrapping(lattice: Lattice) -> None:
    cell = lattice.cell(np.random.default_rng(2).random((1, 12, 12)).astype(np.float32))
    block = lattice.block(cell)
    rows, columns = (np.arange(side) + 0.5 for side in block.shape[1:])
    u, v = np.broadcast_arrays(*lattice.fold(columns[None, :] / 12, rows[:, None] / 12))
    found = cell[:, np.floor(v * 12 + 1e-6).astype(int), np.floor(u * 12 + 1e-6).astype(int)]
    np.testing.assert_array_equal(block, found)


@given(st.sampled_from(list(LATTICES.values())), st.integers(-9, 9), st.integers(-9, 9), st.booleans())
def test_waves_repeat_as_the_lattice_does(lattice: Lattice, kx: int, ky: int, straight: bool) -> None:
    if lattice.mirrored or not (kx or ky):
        return
    wx, wy = lattice.wave(kx, ky, straight=straight)
    for copy in (lattice.copy(1, 0), lattice.copy(0, 1)):
        turns = wx * copy.x + wy * copy.y
        assert abs(turns - round(turns)) < 1e-9
    if straight:
        assert (wx == 0) == (kx == 0) or ky != 0


def test_what_is_not_a_repeat_is_said() -> None:
    with pytest.raises(BadInput, match="is not a repeat; choose one of basic"):
        lattice_of("quarter-drop")


@pytest.mark.parametrize("repeat", LATTICES)
@pytest.mark.parametrize("pattern_type", TYPES)
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 500))
def test_drawn_fabrics_have_no_seam_in_their_repeat(pattern_type: str, repeat: str, seed: int) -> None:
    inks = draw_inks(pattern_type, seed, 192, repeat=repeat)
    np.testing.assert_allclose(inks.sum(axis=0), 1, atol=1e-4)
    assert inks.shape == (5, 192, 192)
    image = Image.fromarray(compose(inks, palette_from_seed(pattern_type, seed, 5)))
    assert seam_ratio(image, repeat) <= max(1.15, _boldest_line(image))


def _boldest_line(image: Image.Image) -> float:
    """Of the lines inside a tile the one that changes most, against the mean one.

    A check's calmest line is not calm at every size; a motif that is cut changes far more than any line inside.
    """
    pixels = np.asarray(image, np.float64)
    jumps = (np.abs(np.diff(pixels, axis=axis)).mean(axis=(1 - axis, 2)) for axis in (0, 1))
    return max(float(jump.max() / max(jump.mean(), 1.0)) for jump in jumps)


def test_a_basic_tile_has_a_seam_in_a_half_drop() -> None:
    basic = Image.fromarray(compose(draw_inks("floral", 2, 128), palette_from_seed("floral", 2, 5)))
    assert seam_ratio(basic) <= 1.1 < _boldest_line(basic) < seam_ratio(basic, "half-drop")


@pytest.mark.parametrize("repeat", [name for name in LATTICES if name != "basic"])
def test_a_design_is_the_same_at_every_size(repeat: str) -> None:
    for pattern_type in ("floral", "animal", "striped", "plaid"):
        small, large = (draw_inks(pattern_type, 5, size, repeat=repeat) for size in (64, 192))
        shrunk = large.reshape(5, 64, 3, 64, 3).mean(axis=(2, 4))
        assert np.abs(shrunk - small).mean() < 0.02, pattern_type
