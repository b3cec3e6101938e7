"""The segmentation pipeline's promises, which hold whatever the network says."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

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


@pytest.mark.parametrize("size", [(700, 530), (90, 130), (23, 17)])
def test_classes_are_those_of_the_whole_map_enlarged(size):
    rng = np.random.default_rng(4)
    spots = ndimage.gaussian_filter(rng.random((8, 40, 30)).astype(np.float32), (0, 3, 3))
    coarse = np.exp(60 * spots) / np.exp(60 * spots).sum(axis=0)
    mask = (np.asarray(photo(*size).convert("L")) > 60).astype(np.float32)
    mask[: size[1] // 2] = 1
    whole = np.stack([np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR)) for each in coarse])
    cloth = whole[segment.FIRST_CLOTH : segment.LAST_CLOTH + 1].argmax(axis=0) + segment.FIRST_CLOTH
    rest = np.where(whole[7] > whole[0], 7, 0)
    assert np.array_equal(segment._class_map(coarse, mask), np.where(mask > 0, cloth, rest))


def test_without_edges_the_cloth_is_only_enlarged():
    coarse = np.zeros((8, 4, 4), np.float32)
    coarse[0, :, :2], coarse[4, :, 2:] = 1, 1
    found = segment.at_full_size(photo(64, 64), coarse, follow_edges=False)
    assert found.garments == ("skirt",)
    assert np.allclose(found.mask[:, 32:].mean(), 1, atol=0.1)
    assert 0.4 < found.mask[:, 31:33].mean() < 0.6
