"""What a picture shows, in the words of a caption."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml_backend.packaging.starter import starter
from ml_backend.pipelines.describe import Described, DescribePipeline, colours_of, windows
from ml_backend.pipelines.segment import Segmentation
from ml_backend.requests import GARMENT_CLASSES


def on_white(cloth, kind="dress"):
    """A garment of ``cloth`` (H, W, 3) on white, as the segmentation finds it."""
    picture = np.full((192, 192, 3), 245, np.uint8)
    mask = np.zeros((192, 192), np.float32)
    mask[20:180, 40:150] = 1
    picture[20:180, 40:150] = cloth[:160, :110]
    labels = (mask * GARMENT_CLASSES.index(kind)).astype(np.uint8)
    return Image.fromarray(picture), lambda _: Segmentation(mask, labels)


def stripes(width=8):
    cloth = np.full((192, 192, 3), (190, 30, 40), np.uint8)
    cloth[:, (np.arange(192) // width) % 2 == 0] = (240, 240, 236)
    return cloth


@pytest.fixture(scope="module")
def classifier():
    return starter("classifier-starter")


def test_a_striped_dress_in_red_and_white(classifier):
    picture, segment = on_white(stripes())
    seen = DescribePipeline(classifier, segment)(picture)
    assert (seen.garment, seen.pattern, set(seen.colours)) == ("dress", "striped", {"red", "white"})
    assert seen.mask[100, 100] == 1
    assert seen.mask[5, 5] == 0


def test_folds_of_plain_cloth_are_no_pattern(classifier):
    fold = (150 + 30 * np.sin(np.arange(192) / 12)).astype(np.uint8)
    cloth = np.repeat(fold[None, :, None], 192, 0).repeat(3, 2)
    picture, segment = on_white(cloth, "skirt")
    seen = DescribePipeline(classifier, segment)(picture)
    assert (seen.garment, seen.pattern, seen.colours[0]) == ("skirt", "plain", "grey")
    assert seen.caption.startswith("a plain skirt in grey")


def test_a_picture_of_cloth_alone_is_fabric_whatever_is_found_in_it(classifier):
    picture = Image.fromarray(stripes())
    mask = np.zeros((192, 192), np.float32)
    mask[40:120, 40:120] = 1
    found = Segmentation(mask, mask.astype(np.uint8))
    for segment in (None, lambda _: found, lambda _: Segmentation(mask * 0, mask.astype(np.uint8) * 0)):
        seen = DescribePipeline(classifier, segment)(picture)
        assert (seen.garment, seen.pattern, seen.mask) == ("fabric", "striped", None)
        assert seen.caption.startswith("striped fabric in ")


def test_captions():
    assert Described("trousers", "plaid", ("blue", "green"), None).caption == "plaid trousers in blue and green"
    assert Described("top", "animal", ("brown",), None).caption == "an animal print top in brown"
    assert Described("dress", "", (), None).caption == "a dress"


def test_windows_hold_cloth_alone_and_colours_are_those_of_the_part():
    mask = np.zeros((100, 80), np.float32)
    mask[10:60, 20:70] = 1
    rgb = np.zeros((100, 80, 3), np.uint8)
    rgb[10:60, 20:70] = (190, 30, 40)
    found = windows(rgb, mask)
    assert found
    assert all((square.reshape(-1, 3).mean(axis=0) > (180, 28, 38)).all() for square in found)
    assert colours_of(rgb, mask) == ("red",)
    assert windows(rgb, mask * 0) == []
    assert colours_of(rgb, mask * 0) == ()
