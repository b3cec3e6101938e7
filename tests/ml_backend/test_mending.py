"""Masks corrected by hand: what is painted is gained, what is rubbed out is lost, everything else stays to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.pipelines import mending

JACKET, SKIRT = 2, 4


@pytest.fixture
def photo():
    """A jacket above a skirt, with a soft outer edge; (mask, labels) of 120 x 80."""
    mask, labels = np.zeros((120, 80), np.float32), np.zeros((120, 80), np.uint8)
    mask[10:110, 20:60], mask[10:110, 19] = 1.0, 0.4
    labels[10:60, 19:60], labels[60:110, 19:60] = JACKET, SKIRT
    labels[:8] = 7
    return mask, labels


def test_nothing_painted_changes_nothing(photo):
    mask, labels = photo
    mended, told = mending.mend(mask, labels, JACKET, mending.of_garment(mask, labels, JACKET))
    assert np.array_equal(mended, mask)
    assert np.array_equal(told, labels)


def test_what_is_painted_is_taken_from_the_other_garment(photo):
    mask, labels = photo
    drawn = mending.of_garment(mask, labels, JACKET)
    drawn[60:80, 30:50] = 1.0
    mended, told = mending.mend(mask, labels, JACKET, drawn)
    assert (told[60:80, 30:50] == JACKET).all()
    assert (told[85:105, 25:55] == SKIRT).all()
    assert np.array_equal(mended, mask), "it is cloth as before"


def test_what_is_painted_outside_becomes_cloth_with_a_soft_edge(photo):
    mask, labels = photo
    drawn = mending.of_garment(mask, labels, SKIRT)
    drawn[90:100, 60:70], drawn[90:100, 70] = 1.0, 0.3
    mended, told = mending.mend(mask, labels, SKIRT, drawn)
    assert (mended[90:100, 60:70] == 1).all()
    assert mended[95, 70] == np.float32(0.3)
    assert (told[90:100, 60:71] == SKIRT).all()
    assert (mended[:88] == mask[:88]).all()


def test_what_is_rubbed_out_is_no_cloth(photo):
    mask, labels = photo
    drawn = mending.of_garment(mask, labels, JACKET)
    drawn[10:20] = 0.0
    mended, told = mending.mend(mask, labels, JACKET, drawn)
    assert (mended[10:20] == 0).all()
    assert (told[10:20, 20:60] == 0).all()
    assert (told[25:60, 20:60] == JACKET).all()
    assert (told[:8] == 7).all(), "hair and skin stay what they are"


def test_a_second_garment_of_a_class_can_be_mended(photo):
    mask, labels = photo
    labels[60:110, 19:60] = JACKET + 8
    drawn = mending.of_garment(mask, labels, JACKET + 8)
    drawn[50:60, 20:60] = 1.0
    _, told = mending.mend(mask, labels, JACKET + 8, drawn)
    assert (told[50:110, 20:60] == JACKET + 8).all()
    assert (told[12:45, 20:60] == JACKET).all()


def test_the_fine_edge_of_a_large_photo_survives_where_nobody_painted():
    y, x = np.mgrid[0:300, 0:4200]
    mask = (np.sin(x / 31) + np.cos(y / 17) > 0).astype(np.float32)
    mask[:, 1::97] *= np.float32(0.7)
    labels = np.where(mask > 0, np.uint8(JACKET), np.uint8(0))
    shown = mending.reduced(mending.of_garment(mask, labels, JACKET))
    assert max(shown.shape) == mending.SIDE
    shown[:, :200] = 1.0
    stretched = Image.fromarray(np.rint(shown * 255).astype(np.uint8)).resize((4200, 300), Image.Resampling.BILINEAR)
    drawn = np.asarray(stretched, np.float32) / np.float32(255)
    mended, _ = mending.mend(mask, labels, JACKET, drawn)
    assert (mended[:, :400] > 0.9).all()
    assert np.array_equal(mended[:, 450:], mask[:, 450:])


def test_what_cannot_be_is_refused(photo):
    mask, labels = photo
    with pytest.raises(BadInput, match="size"):
        mending.mend(mask, labels, JACKET, mask[1:])
    labels[labels == SKIRT] = JACKET
    with pytest.raises(BadInput, match="Nothing of the clothes"):
        mending.mend(mask, labels, JACKET, np.zeros_like(mask))
