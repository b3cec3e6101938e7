"""Windows around a mask and back: nothing outside changes, whatever the photo's shape and the mask's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.pipelines.restyle.crop import LARGEST_SHIFT, MOST_WINDOWS, cut, put_back


def photo_of(width, height, seed=0):
    """A smooth picture, so that resizing it is not what is tested."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [60 + 100 * rows / height, 60 + 100 * columns / width, 120 + 40 * np.sin((rows + columns) / 40 + seed)]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def mask_of(photo, *boxes):
    mask = np.zeros((photo.height, photo.width), np.float32)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = 1
    return mask


def repaint(photo, mask, colour=(200, 30, 40), size=128, multiple=16, **options):
    """Both ways, with a model that paints one colour where it is asked to and copies the rest."""
    windows = cut(photo, mask, size, multiple, **options)
    painted = []
    for window in windows:
        picture = window.picture.copy()
        picture.paste(colour, mask=window.mask)
        painted.append((window, picture))
    return windows, np.asarray(put_back(photo, painted))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(20, 300),
    st.integers(20, 300),
    st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=6),
    st.sampled_from([32, 64, 128]),
)
def test_outside_the_mask_nothing_changes(width, height, corners, size):
    photo = photo_of(width, height)
    mask = np.zeros((height, width), np.float32)
    for x0, y0, x1, y1 in corners:
        left, right = sorted((int(x0 * (width - 1)), int(x1 * (width - 1))))
        top, bottom = sorted((int(y0 * (height - 1)), int(y1 * (height - 1))))
        mask[top : bottom + 1, left : right + 1] = 1
    windows, after = repaint(photo, mask, size=size)
    before = np.asarray(photo)
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert len(windows) <= MOST_WINDOWS
    for window in windows:
        left, top, right, bottom = window.box
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert not window.size[0] % 16
        assert not window.size[1] % 16
        assert window.picture.size == window.mask.size == window.size
        assert window.alpha.shape == (bottom - top, right - left)
    covered = np.zeros_like(mask)
    for window in windows:
        left, top, right, bottom = window.box
        covered[top:bottom, left:right] += window.alpha > 0
    assert np.array_equal(covered, mask), "each masked pixel is repainted by exactly one window"


@pytest.mark.parametrize(
    ("photo_size", "box"),
    [
        ((300, 500), (100, 150, 220, 400)),  # portrait
        ((500, 300), (50, 60, 400, 240)),  # landscape
        ((400, 400), (0, 0, 120, 400)),  # along a border
        ((400, 400), (180, 180, 260, 260)),
        ((400, 400), (0, 0, 400, 400)),  # everything
    ],
)
def test_the_region_gets_the_new_colour(photo_size, box):
    photo = photo_of(*photo_size)
    mask = mask_of(photo, box)
    (window,), after = repaint(photo, mask)
    left, top, right, bottom = box
    middle = after[
        (top + bottom) // 2 - 10 : (top + bottom) // 2 + 10, (left + right) // 2 - 10 : (left + right) // 2 + 10
    ]
    assert np.abs(middle.astype(int) - (200, 30, 40)).max() <= 3
    ratio = (window.box[2] - window.box[0]) / (window.box[3] - window.box[1])
    assert window.size[0] / window.size[1] == pytest.approx(ratio, rel=0.05), "not stretched"


def test_the_window_keeps_the_photos_proportions():
    photo = photo_of(900, 1200)
    mask = mask_of(photo, (350, 200, 550, 1000))
    (tall,) = cut(photo, mask, 512, 64)
    assert tall.size[1] > 1.3 * tall.size[0]
    assert tall.size[0] * tall.size[1] == pytest.approx(512 * 512, rel=0.15)


def test_tiny_regions_are_not_enlarged_beyond_use():
    photo = photo_of(1000, 1000)
    (window,) = cut(photo, mask_of(photo, (500, 500, 503, 502)), 256, 32)
    assert window.box[2] - window.box[0] >= 128
    assert np.asarray(window.mask).any()
    assert window.alpha.max() > 0


def test_a_thin_strap_is_painted_though_the_model_can_hardly_see_it():
    photo = photo_of(2000, 1500)
    mask = mask_of(photo, (200, 200, 1800, 1300))
    mask[205:1300, 205:1795] = 0
    (window,) = cut(photo, mask, 128, 16)
    assert np.asarray(window.mask).mean() > 10
    assert window.alpha.max() > 0.3


def test_regions_far_apart_get_windows_of_their_own_and_neighbours_share_one():
    photo = photo_of(1600, 1200)
    assert len(cut(photo, mask_of(photo, (20, 20, 120, 120), (1450, 1050, 1580, 1180)), 128, 16)) == 2
    assert len(cut(photo, mask_of(photo, (600, 600, 700, 700), (730, 600, 830, 700)), 128, 16)) == 1


def test_specks_do_not_multiply_the_work():
    photo = photo_of(800, 800)
    mask = (np.random.default_rng(1).random((800, 800)) > 0.9995).astype(np.float32)
    windows, after = repaint(photo, mask)
    assert len(windows) <= MOST_WINDOWS
    assert np.array_equal(after[mask == 0], np.asarray(photo)[mask == 0])


def test_twelve_megapixels():
    photo = photo_of(4000, 3000)
    mask = mask_of(photo, (1000, 600, 2600, 2800))
    (window,), after = repaint(photo, mask, size=256, multiple=32)
    assert max(window.size) <= 512
    assert after.shape == (3000, 4000, 3)
    assert np.array_equal(after[mask == 0], np.asarray(photo)[mask == 0])


def test_soft_edges_fade_and_half_sure_masks_are_painted_wholly():
    photo = photo_of(300, 300)
    mask = np.zeros((300, 300), np.float32)
    mask[60:240, 60:240] = 0.7
    mask[60:240, 60:100] = np.linspace(0, 0.7, 40)
    _, after = repaint(photo, mask)
    assert np.abs(after[150, 200].astype(int) - (200, 30, 40)).max() <= 3
    steps = np.abs(np.diff(after[150, 55:110].astype(int), axis=0)).max()
    assert steps < 20, "no hard edge on the soft side"


def test_a_shift_of_all_colours_is_taken_back_but_new_colours_are_not():
    photo = photo_of(400, 400)
    mask = mask_of(photo, (120, 120, 280, 280))
    (window,) = cut(photo, mask, 128, 16)
    drifted = Image.fromarray((np.asarray(window.picture, int) + np.array([9, -7, 5])).clip(0, 255).astype(np.uint8))
    after = np.asarray(put_back(photo, [(window, drifted)]), int)
    assert np.abs(after - np.asarray(photo, int)).max() <= 4
    after = np.asarray(put_back(photo, [(window, Image.new("RGB", window.size, (250, 250, 0)))]), int)
    assert np.abs(after[200, 200] - (250, 250, 0)).max() <= LARGEST_SHIFT + 1


def test_a_stain_on_the_ring_does_not_spread():
    photo = photo_of(400, 400)
    mask = mask_of(photo, (120, 120, 280, 280))
    (window,) = cut(photo, mask, 128, 16)
    stained = np.asarray(window.picture).copy()
    rows, columns = np.nonzero(np.asarray(window.mask))
    stained[rows.max() + 1 : rows.max() + 5, columns.min() : columns.min() + 12] = 255
    after = np.asarray(put_back(photo, [(window, Image.fromarray(stained))]), int)
    assert np.abs(after - np.asarray(photo, int)).mean() < 1.5


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((40, 40), np.float32), "empty"),
        (np.ones((40, 41), np.float32), "41x40"),
        (np.full((40, 40), np.nan, np.float32), "0 to 1"),
        (np.full((40, 40), 2, np.float32), "0 to 1"),
    ],
)
def test_bad_masks(mask, words):
    with pytest.raises(BadInput, match=words):
        cut(photo_of(40, 40), mask, 64, 8)
