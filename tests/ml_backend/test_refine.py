"""Refinement follows the photo's edges, keeps what is sure, and bounds what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from ml_backend.errors import BadInput
from ml_backend.pipelines.refine import refine
from ml_backend.pipelines.segment import at_full_size
from ml_backend.requests import GARMENT_CLASSES


def scene(height: int = 480, width: int = 360) -> tuple[np.ndarray, np.ndarray]:
    """A photo of a red blob on green, with grain, and its true mask."""
    y, x = np.mgrid[:height, :width]
    reach = 0.3 + 0.04 * np.sin(np.arctan2(y / height - 0.5, x / width - 0.5) * 7)
    truth = np.hypot(x / width - 0.5, y / height - 0.5) < reach
    photo = np.where(truth[..., None], [170, 60, 50], [70, 110, 60]) + np.random.default_rng(1).normal(
        0, 4, (height, width, 1)
    )
    return np.clip(photo, 0, 255).astype(np.uint8), truth


def network_view(truth: np.ndarray, side: int = 48) -> np.ndarray:
    """What a network at a small working size would say: blurred and a little beside the truth."""
    moved = np.roll(ndimage.gaussian_filter(truth.astype(np.float32), 8), (3, -3), (0, 1))
    return np.asarray(Image.fromarray(moved).resize((side * 3 // 4, side), Image.Resampling.BOX))


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    return float(((mask > 0.5) & truth).sum() / ((mask > 0.5) | truth).sum())


def test_the_border_moves_to_the_photos_edge() -> None:
    photo, truth = scene()
    coarse = network_view(truth)
    enlarged = np.asarray(Image.fromarray(coarse).resize(photo.shape[1::-1], Image.Resampling.BILINEAR))
    refined = refine(photo, coarse)
    assert refined.shape == truth.shape
    assert refined.dtype == np.float32
    assert iou(enlarged, truth) < 0.95
    assert iou(refined, truth) > 0.98


def test_classes_are_refined_each_on_its_own() -> None:
    photo, truth = scene(160, 120)
    coarse = network_view(truth, 32)
    both = refine(photo, np.stack([coarse, 1 - coarse]))
    assert both.shape == (2, 160, 120)
    assert np.array_equal(both[0], refine(photo, coarse))
    assert (both[0] + both[1]).mean() == pytest.approx(1.0, abs=0.02)


def test_a_print_inside_the_cloth_makes_no_holes() -> None:
    photo, truth = scene()
    photo[truth & (np.mgrid[:480, :360][1] // 12 % 2 == 0)] = (70, 110, 60)
    refined = refine(photo, network_view(truth))
    assert (refined[ndimage.binary_erosion(truth, iterations=40)] == 1).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 20), st.integers(1, 20), st.integers(0, 99))
def test_any_sizes_give_a_mask_between_zero_and_one(
    height: int, width: int, rows: int, columns: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    refined = refine(photo, rng.uniform(size=(rows, columns)).astype(np.float32))
    assert refined.shape == (height, width)
    assert 0 <= refined.min() <= refined.max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_sure_map_stays_sure(value: float) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 500, 3), np.uint8)
    assert (refine(photo, np.full((20, 30), value, np.float32)) == value).all()


def test_shapes_are_checked() -> None:
    photo = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(BadInput, match="RGB"):
        refine(photo[..., 0], np.zeros((4, 4), np.float32))
    with pytest.raises(BadInput, match="shape"):
        refine(photo, np.zeros((1, 2, 4, 4), np.float32))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_map_that_is_sure_everywhere_stays_so_and_may_be_written_to(value: float) -> None:
    photo, _ = scene(160, 120)
    refined = refine(photo, np.full((20, 15), value, np.float32))
    assert refined.shape == (160, 120)
    assert (refined == value).all()
    refined[refined < 1 / 255] = 0


def test_a_close_up_of_nothing_but_cloth_is_found_whole() -> None:
    """A photo that is cloth from edge to edge: the segmentation is sure everywhere."""
    photo, _ = scene(160, 120)
    coarse = np.zeros((len(GARMENT_CLASSES), 24, 18), np.float32)
    coarse[GARMENT_CLASSES.index("dress")] = 1
    found = at_full_size(Image.fromarray(photo), coarse)
    assert (found.mask == 1).all()
    assert found.garments == ("dress",)
