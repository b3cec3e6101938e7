"""The segmentation pipeline's promises, which hold whatever the network says."""

import numpy as np
import pytest
from PIL import Image

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.packaging import save_package
from ml_backend.pipelines import segment
from ml_backend.pipelines.segment import Segmentation, SegmentPipeline, _working_size
from ml_backend.requests import GARMENT_CLASSES

CLOTH = set(range(segment.FIRST_CLOTH, segment.LAST_CLOTH + 1))


def photo(width, height, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8))


@pytest.mark.parametrize("size", [(16, 16), (37, 91), (400, 120), (16, 900)])
def test_mask_and_labels_have_the_photos_size(tiny_segmenter, size):
    result = SegmentPipeline(tiny_segmenter)(photo(*size))
    assert result.mask.shape == result.labels.shape == (size[1], size[0])
    assert result.mask.dtype == np.float32
    assert 0 <= result.mask.min() <= result.mask.max() <= 1


def test_every_pixel_with_cloth_has_a_cloth_class(tiny_segmenter):
    result = SegmentPipeline(tiny_segmenter)(photo(80, 120))
    assert set(np.unique(result.labels[result.mask > 0])) <= CLOTH
    assert not set(np.unique(result.labels[result.mask == 0])) & CLOTH


def test_same_photo_same_mask(tiny_segmenter):
    pipeline = SegmentPipeline(tiny_segmenter)
    first, again = pipeline(photo(60, 90)), pipeline(photo(60, 90))
    assert np.array_equal(first.mask, again.mask)
    assert np.array_equal(first.labels, again.labels)


def test_a_tiny_photo_is_refused(tiny_segmenter):
    with pytest.raises(BadInput, match="15x40"):
        SegmentPipeline(tiny_segmenter)(photo(15, 40))


def test_it_stops_when_asked(tiny_segmenter):
    with pytest.raises(Stopped):
        SegmentPipeline(tiny_segmenter)(photo(40, 40), should_stop=lambda: True)


def test_a_package_for_something_else_is_refused(tiny_segmenter, tmp_path):
    other = save_package(
        tmp_path / "other",
        name="other",
        capability="upscale",
        architecture="unet",
        config=tiny_segmenter.manifest.config,
        state_dict=tiny_segmenter.state_dict(),
    )
    with pytest.raises(BadPackage, match="upscale"):
        SegmentPipeline(other)


@pytest.mark.parametrize("size", [(300, 400), (4000, 3000), (20, 5000), (5000, 20)])
def test_working_size_is_bounded(size):
    height, width = _working_size(size, 32)
    assert height >= 32
    assert width >= 32
    assert height * width <= 2 * segment.WORKING_PIXELS


def test_garments_are_listed_largest_first():
    labels = np.zeros((10, 10), np.uint8)
    labels[:2], labels[2:7] = GARMENT_CLASSES.index("top"), GARMENT_CLASSES.index("skirt")
    assert Segmentation((labels > 0).astype(np.float32), labels).garments == ("skirt", "top")
