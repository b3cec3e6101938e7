"""The segmentation pipeline's promises, which hold whatever the network says."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.packaging import save_package
from ml_backend.packaging.starter import starter
from ml_backend.pipelines import segment
from ml_backend.pipelines.hints import Tap
from ml_backend.pipelines.segment import Segmentation, SegmentPipeline, _working_size
from ml_backend.requests import GARMENT_CLASSES

TOP, DRESS, TROUSERS, SKIN = (GARMENT_CLASSES.index(name) for name in ("top", "dress", "trousers", "skin"))
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
    classes = result.labels % len(GARMENT_CLASSES)
    assert set(np.unique(classes[result.mask > 0])) <= CLOTH
    assert not set(np.unique(classes[result.mask == 0])) & CLOTH


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
    height, width = _working_size(size, 32, segment.WORKING_PIXELS)
    assert height >= 32
    assert width >= 32
    assert height * width <= 2 * segment.WORKING_PIXELS


def test_garments_are_listed_largest_first():
    labels = np.zeros((10, 10), np.uint8)
    labels[:2], labels[2:7] = GARMENT_CLASSES.index("top"), GARMENT_CLASSES.index("skirt")
    assert Segmentation((labels > 0).astype(np.float32), labels).garments == ("skirt", "top")


@pytest.mark.parametrize("size", [(700, 530), (90, 130), (23, 17)])
def test_labels_are_those_of_the_whole_planes_enlarged(size):
    rng = np.random.default_rng(4)
    planes = ndimage.gaussian_filter(rng.random((5, 40, 30)).astype(np.float32), (0, 3, 3))
    values = (2, 10, 5, 0, 7)
    mask = (np.asarray(photo(*size).convert("L")) > 60).astype(np.float32)
    mask[: size[1] // 2] = 1
    whole = np.stack([np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR)) for each in planes])
    cloth, rest = (np.array(values)[part][whole[part].argmax(axis=0)] for part in (slice(0, 3), slice(3, 5)))
    contests = (segment._Contest(planes[part], values[part]) for part in (slice(0, 3), slice(3, 5)))
    assert np.array_equal(segment._label_map(*contests, mask), np.where(mask > 0, cloth, rest))


def test_without_edges_the_cloth_is_only_enlarged():
    coarse = np.zeros((8, 4, 4), np.float32)
    coarse[0, :, :2], coarse[4, :, 2:] = 1, 1
    found = segment.at_full_size(photo(64, 64), coarse, follow_edges=False)
    assert found.garments == ("skirt",)
    assert np.allclose(found.mask[:, 32:].mean(), 1, atol=0.1)
    assert 0.4 < found.mask[:, 31:33].mean() < 0.6


def two_people(width=120, height=90):
    """Probabilities of two people in shirts and trousers who touch, and where their middles are."""
    coarse = np.zeros((8, height, width), np.float32)
    coarse[0] = 1
    middles = np.zeros((2, height, width), np.float32)
    for left, right in ((20, 60), (60, 95)):
        for index, top, bottom in ((SKIN, 5, 12), (TOP, 12, 45), (TROUSERS, 45, 85)):
            coarse[:, top:bottom, left:right] = 0
            coarse[index, top:bottom, left:right] = 1
            middles[0, top:bottom, left:right], middles[1, top:bottom, left:right] = (left + right) / 2, 45
    return coarse, middles


def test_two_peoples_shirts_are_two_garments():
    coarse, middles = two_people()
    found = segment.at_full_size(photo(240, 180), coarse, middles, follow_edges=False)
    assert found.garments == ("trousers", "trousers-2", "top", "top-2"), "largest first"
    by_name = {piece.name: piece for piece in found.pieces}
    assert by_name["top"].person == by_name["trousers"].person == 0, "the left one is broader"
    assert by_name["top-2"].person == by_name["trousers-2"].person == 1
    left, top, right, bottom = by_name["top-2"].box
    assert abs(np.array([left, top, right, bottom]) - [120, 24, 190, 90]).max() <= 3
    assert found.mask_of("top-2")[60, 150] == 1
    assert found.mask_of("top-2")[60, 80] == found.mask_of("top-2")[150, 150] == 0
    assert [piece.order for piece in found.pieces] == [0, 1, 2, 3]
    one = [piece.kind for piece in found.pieces if piece.person == 0]
    assert one == ["top", "trousers"], "a shirt hangs in front"


def test_without_middles_people_apart_are_told_apart_and_legs_are_not():
    coarse, _ = two_people()
    coarse[:, :, 58:66] = 0
    coarse[0, :, 58:66] = 1
    coarse[:, 50:, 38:42] = 0  # between the legs
    coarse[0, 50:, 38:42] = 1
    found = segment.at_full_size(photo(240, 180), coarse, None, follow_edges=False)
    assert sorted(found.garments) == ["top", "top-2", "trousers", "trousers-2"]


def test_a_patch_of_another_class_belongs_to_the_garment_around_it():
    coarse, middles = two_people()
    coarse[TOP, 20:24, 30:34], coarse[DRESS, 20:24, 30:34] = 0.4, 0.6
    found = segment.at_full_size(photo(240, 180), coarse, middles, follow_edges=False)
    assert "dress" not in found.garments
    assert found.mask_of("top")[44, 64] > 0.5


def test_cloth_that_is_next_to_nothing_is_none():
    coarse, middles = two_people()
    coarse[0, 3:5, 110:112], coarse[TOP, 3:5, 110:112] = 0, 1
    found = segment.at_full_size(photo(240, 180), coarse, middles, follow_edges=False)
    assert found.mask[0:14, 214:].max() == 0


def test_a_photo_without_cloth_has_no_garments():
    coarse = np.zeros((8, 30, 20), np.float32)
    coarse[0], coarse[TOP] = 0.55, 0.45
    found = segment.at_full_size(photo(200, 300), coarse)
    assert found.garments == found.pieces == ()
    assert not found.mask.any()


def test_the_second_look_is_at_the_people():
    coarse = np.zeros((8, 60, 40), np.float32)
    coarse[0] = 1
    coarse[:, 20:50, 5:15] = 0
    coarse[TOP, 20:50, 5:15] = 1
    assert segment.where_people_are(coarse, (400, 600)) == (0, 0, 400, 600), "a shirt that nobody wears"
    coarse[SKIN, 20:23, 5:15] = 2
    left, top, right, bottom = segment.where_people_are(coarse, (400, 600))
    assert left <= 50
    assert top <= 200
    assert right >= 150
    assert bottom >= 500
    assert (right - left) * (bottom - top) < 0.4 * 400 * 600
    nothing = np.zeros_like(coarse)
    nothing[0] = 1
    assert segment.where_people_are(nothing, (400, 600)) == (0, 0, 400, 600)
    assert segment.where_people_are(1 - nothing, (400, 600)) == (0, 0, 400, 600)


def test_both_looks_make_one_map(tiny_segmenter, monkeypatch):
    pipeline = SegmentPipeline(tiny_segmenter)
    monkeypatch.setattr(segment, "where_people_are", lambda coarse, size: (100, 40, 220, 300))
    looked = pipeline.look(photo(400, 600))
    height, width = looked.coarse.shape[1:]
    assert abs(height / width - 1.5) < 0.02
    assert height > 500, "as fine as the nearer look"
    np.testing.assert_allclose(looked.coarse.sum(axis=0), 1, atol=1e-3)


@pytest.fixture
def tapped(tap_segmenter):
    return SegmentPipeline(tap_segmenter)


def test_a_tap_answers_at_the_photos_size(tapped):
    picture = photo(90, 130)
    encoded = tapped.encode(picture)
    mask = tapped.tap(encoded, [Tap(40, 60)])
    assert mask.shape == (130, 90)
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    assert np.array_equal(mask, tapped.tap(picture, [Tap(40, 60)])), "the same with the photo itself"


def test_more_taps_and_a_mask_before_count(tapped):
    encoded = tapped.encode(photo(90, 130))
    one = tapped._answer(encoded, [Tap(40, 60)], None)
    assert not np.array_equal(one, tapped._answer(encoded, [Tap(40, 60), Tap(10, 10, on=False)], None))
    before = np.zeros((130, 90), np.float32)
    before[30:90, 20:60] = 1
    assert not np.array_equal(one, tapped._answer(encoded, [Tap(40, 60)], before))


def test_the_answer_obeys_the_taps(tapped):
    decoder = tapped.network.taps
    maps, hints = torch.rand(1, 4, 10, 12), torch.zeros(1, 3, 10, 12)
    hints[0, 0, 2, 3] = hints[0, 1, 7, 8] = 1
    with torch.inference_mode():
        before, after = decoder.head(maps), segment._obeying(decoder, maps, hints)
    assert after.shape == before.shape
    assert after[0, 0, 2, 3] - after[0, 0, 7, 8] > before[0, 0, 2, 3] - before[0, 0, 7, 8]


def test_a_tap_beyond_what_was_looked_at_looks_at_the_whole(tapped, monkeypatch):
    monkeypatch.setattr(segment, "where_people_are", lambda coarse, size: (30, 30, 80, 120))
    encoded = tapped.encode(photo(90, 130))
    assert encoded.box == (30, 30, 80, 120)
    whole = tapped.encode(photo(90, 130), whole=True)
    assert np.array_equal(tapped.tap(encoded, [Tap(5, 5)]), tapped.tap(whole, [Tap(5, 5)]))


@pytest.mark.parametrize(
    ("taps", "words"),
    [
        ([], "1 to 32"),
        ([Tap(1, 1)] * 33, "1 to 32"),
        ([Tap(90, 5)], "outside"),
        ([Tap(-1, 5)], "outside"),
        ([Tap(5, 5, on=False)], "on the garment"),
    ],
)
def test_impossible_taps_are_refused(tapped, taps, words):
    with pytest.raises(BadInput, match=words):
        tapped.tap(photo(90, 130), taps)


def test_a_mask_of_another_size_is_refused(tapped):
    with pytest.raises(BadInput, match="90x130"):
        tapped.tap(photo(90, 130), [Tap(5, 5)], np.zeros((10, 10), np.float32))


def test_a_network_without_a_decoder_knows_no_taps(tiny_segmenter):
    pipeline = SegmentPipeline(tiny_segmenter)
    assert not pipeline.knows_taps
    with pytest.raises(BadInput, match="does not know taps"):
        pipeline.tap(photo(40, 40), [Tap(5, 5)])


@pytest.mark.parametrize("kind", ["grey", "white", "graded", "grained"])
def test_a_plain_picture_holds_no_cloth(kind):
    plain = {"grey": 128.0, "white": 255.0, "graded": 60.0, "grained": 130.0}[kind] * np.ones((320, 240, 3))
    if kind == "graded":
        plain += np.linspace(0, 140, 320)[:, None, None]
    if kind == "grained":
        plain += np.random.default_rng(0).integers(-30, 31, plain.shape)
    found = SegmentPipeline(starter("unet-starter"))(Image.fromarray(plain.astype(np.uint8)))
    assert found.garments == ()
    assert not found.mask.any()
