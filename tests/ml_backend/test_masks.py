"""What is done to soft masks: growing, feathering, combining, as properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.pipelines import masks


def disc(radius, shape=(120, 160), middle=(60, 80)):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (np.hypot(rows - middle[0], columns - middle[1]) <= radius).astype(np.float32)


def soft(seed, shape=(24, 31)):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def widest(mask):
    return int((mask >= 0.5).sum(axis=1).max())


@given(st.integers(0, 2**32 - 1), st.floats(-8, 8), st.floats(0, 8))
def test_masks_stay_masks(seed, pixels, width):
    for result in (masks.grow(soft(seed), pixels), masks.feather(soft(seed), width)):
        assert result.dtype == np.float32
        assert result.shape == (24, 31)
        assert 0 <= result.min() <= result.max() <= 1


@given(st.integers(0, 2**32 - 1), st.floats(0, 9), st.floats(0, 9))
def test_growing_only_adds_and_more_adds_more(seed, one, other):
    less, more = sorted((one, other))
    mask = soft(seed)
    assert (masks.grow(mask, less) >= mask).all()
    assert (masks.grow(mask, more) >= masks.grow(mask, less)).all()
    assert (masks.grow(mask, -less) <= mask).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 9))
def test_shrinking_is_growing_what_is_outside(seed, pixels):
    mask = soft(seed)
    shrunk = masks.grow(mask, -pixels)
    np.testing.assert_allclose(shrunk, masks.invert(masks.grow(masks.invert(mask), pixels)), atol=1e-6)


@pytest.mark.parametrize("pixels", [-12, -5, 3, 10, 25])
def test_border_moves_by_what_was_asked(pixels):
    assert abs(widest(masks.grow(disc(30), pixels)) - widest(disc(30)) - 2 * pixels) <= 2


@pytest.mark.parametrize("pixels", [-60, 40])
def test_large_masks_move_as_far_as_small_ones(pixels):
    large = disc(500, (2000, 3000), (1000, 1500))
    grown = masks.grow(large, pixels)
    assert abs(widest(grown) - widest(large) - 2 * pixels) <= 6


def test_nothing_grows_from_nothing():
    empty = np.zeros((20, 20), np.float32)
    assert not masks.grow(empty, 5).any()
    assert masks.grow(empty + 1, -5).all()
    assert masks.grow(disc(4), -30).max() == 0


@pytest.mark.parametrize("shape", [(120, 160), (1500, 2000)])
def test_feather_is_smooth_and_ends_where_it_was_told(shape):
    mask = np.zeros(shape, np.float32)
    border = shape[1] // 2
    mask[:, border:] = 1
    width = shape[1] / 10
    ramp = masks.feather(mask, width)[shape[0] // 2]
    assert (np.diff(ramp) >= -1e-6).all()
    assert np.diff(ramp).max() < 4 / width
    changed = np.flatnonzero(ramp != mask[0])
    assert border - width <= changed[0] < border - width / 3
    assert border + width / 3 < changed[-1] <= border + width
    assert ramp[border - 1 : border + 1].mean() == pytest.approx(0.5, abs=0.01)


def test_no_feather_and_no_growth_change_nothing():
    mask = soft(3)
    np.testing.assert_array_equal(masks.feather(mask, 0), mask)
    np.testing.assert_array_equal(masks.grow(mask, 0), mask)
    assert masks.adjust(mask) is mask


@given(st.integers(0, 2**32 - 1))
def test_uniting_subtracting_inverting(seed):
    one, other = soft(seed), soft(seed + 1)
    both = masks.unite(one, other)
    assert (both >= one).all()
    np.testing.assert_array_equal(both, masks.unite(other, one))
    left = masks.subtract(one, other)
    assert (left <= one).all()
    assert (left <= 1 - other).all()
    np.testing.assert_allclose(masks.invert(masks.invert(one)), one, atol=1e-6)


def test_normalisations():
    logits = np.linspace(-4, 6, 400, dtype=np.float32).reshape(20, 20)
    probable = masks.normalise(logits, "sigmoid")
    assert probable[0, 0] == pytest.approx(1 / (1 + np.exp(4)), rel=1e-5)
    standing_out = masks.normalise(logits, "ndtr")
    assert np.median(standing_out) == pytest.approx(0.5, abs=0.01)
    assert standing_out.max() == pytest.approx(0.958, abs=0.01), "1.73 standard deviations of a uniform ramp"
    stretched = masks.normalise(logits, "minmax")
    assert (stretched.min(), stretched.max()) == (0, 1)
    for how in ("sigmoid", "ndtr", "minmax"):
        assert (np.diff(masks.normalise(logits, how).ravel()) >= 0).all(), "the order is kept"
    with pytest.raises(BadInput, match="ndtr"):
        masks.normalise(logits, "softmax")


def test_flat_maps_normalise_without_a_fuss():
    flat = np.full((5, 5), 3.0, np.float32)
    assert masks.normalise(flat, "ndtr") == pytest.approx(0.5)
    assert masks.normalise(flat, "minmax").max() == 0


def test_adjust_takes_percent_of_the_longer_side():
    mask = disc(30, (200, 100), (100, 50)) * np.float32(0.6)
    assert masks.adjust(mask, threshold=0.7).max() == 0
    hard = masks.adjust(mask, threshold=0.5, grow_percent=5.0)
    assert abs(widest(hard) - 61 - 20) <= 1


def test_box_of():
    mask = np.zeros((40, 50), np.float32)
    assert masks.box_of(mask) is None
    mask[10:20, 5:30] = 0.7
    assert masks.box_of(mask) == (5, 10, 30, 20)
    assert masks.box_of(mask, 0.8) is None


@given(st.integers(0, 2**32 - 1))
def test_pictures_of_masks_and_back(seed):
    mask = soft(seed)
    image = masks.to_image(mask)
    assert (image.mode, image.size) == ("L", (31, 24))
    np.testing.assert_allclose(masks.from_image(image), mask, atol=0.5 / 255 + 1e-6)
    assert masks.from_image(Image.new("RGBA", (4, 3), "white")).tolist() == [[1.0] * 4] * 3
