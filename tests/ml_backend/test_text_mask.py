"""Masks by words: phrases, looks, packages; with an untrained CLIPSeg, so the rules are tested and not the taste."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.networks.clipseg import answer, look
from ml_backend.packaging import Package, save_folder_manifest
from ml_backend.pipelines import masks
from ml_backend.pipelines.text_mask import Phrase, TextMaskPipeline, combine, parse_phrases
from ml_backend.requests import GARMENT_CLASSES, TextMaskRequest
from tests.ml_backend.tiny import tiny_clipseg


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small spend their time waiting for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return tiny_clipseg(tmp_path_factory.mktemp("models") / "clipseg")


@pytest.fixture
def pipeline(package):
    return TextMaskPipeline(package)


def framed(package, **defaults):
    return save_folder_manifest(
        package.path, name="tiny", capability="text-mask", architecture="clipseg", defaults=defaults
    )


def photo(width=60, height=90, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 6, width // 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("the dress", [("the dress", False)]),
        ("Dress, shoes; hat", [("Dress", False), ("shoes", False), ("hat", False)]),
        ("the dress and the shoes", [("the dress", False), ("the shoes", False)]),
        ("the clothes, not the belt", [("the clothes", False), ("the belt", True)]),
        ("the clothes without the bag and shoes", [("the clothes", False), ("the bag", True), ("shoes", True)]),
        ("the clothes except for the hat, the bag", [("the clothes", False), ("the hat", True), ("the bag", False)]),
        ("skirt but not the legs", [("skirt", False), ("the legs", True)]),
        ("not the background", [("the background", True)]),
        ("a black and white dress", [("a black and white dress", False)]),
        ("red and blue striped shirt and tie", [("red and blue striped shirt", False), ("tie", False)]),
        ("  dress ,, dress ", [("dress", False)]),
        ("knotted scarf, notebook", [("knotted scarf", False), ("notebook", False)]),
    ],
)
def test_phrases(prompt, expected):
    assert [(phrase.text, phrase.subtract) for phrase in parse_phrases(prompt)] == expected


@pytest.mark.parametrize("prompt", [",;", "not", "and"])
def test_words_that_name_nothing(prompt):
    with pytest.raises(BadInput, match="name nothing"):
        parse_phrases(prompt)


def test_too_many_phrases_are_refused():
    with pytest.raises(BadInput, match="17 things"):
        parse_phrases(", ".join(f"thing {index}" for index in range(17)))


def test_our_two_steps_give_the_networks_own_logits(package):
    network = CLIPSegForImageSegmentation.from_pretrained(package.path, local_files_only=True).eval()
    processor = CLIPSegProcessor.from_pretrained(package.path, local_files_only=True)
    phrases = ["the dress", "a red skirt", "hair"]
    inputs = processor(text=phrases, images=[photo()] * 3, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = network(**inputs).logits
        conditions = network.clip.get_text_features(inputs["input_ids"], inputs["attention_mask"]).pooler_output
        found = answer(network, look(network, inputs["pixel_values"][:1]), conditions)
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_any_layer_may_take_the_condition(package, layer):
    network = CLIPSegForImageSegmentation.from_pretrained(package.path, local_files_only=True).eval()
    network.decoder.conditional_layer = layer
    pixels = torch.randn(2, 3, 32, 32)
    conditions = torch.randn(6, network.config.projection_dim)
    with torch.no_grad():
        expected = network(pixel_values=pixels.repeat_interleave(3, 0), conditional_embeddings=conditions).logits
        found = answer(network, look(network, pixels), conditions)
    torch.testing.assert_close(found.flatten(0, 1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(60, 90), (90, 60), (301, 200), (40, 200), (200, 40)])
@pytest.mark.parametrize("defaults", [{}, {"frame": [384, 256], "subject": "the person", "mirror": True}])
def test_mask_has_the_size_of_the_photo(package, size, defaults):
    pipeline = TextMaskPipeline(framed(package, **defaults))
    found = pipeline(photo(*size), TextMaskRequest("the dress, not the shoes"))
    assert found.mask.shape == size[::-1]
    assert found.mask.dtype == np.float32
    assert 0 <= found.mask.min() <= found.mask.max() <= 1
    assert [(phrase.text, phrase.subtract) for phrase in found.phrases] == [("the dress", False), ("the shoes", True)]
    assert all(0 < phrase.confidence < 1 for phrase in found.phrases)


def test_words_that_are_nowhere_give_an_empty_mask(pipeline, monkeypatch):
    nowhere = np.full((1, 96, 64), -9.0, np.float32)
    monkeypatch.setattr(pipeline, "logits", lambda *_: nowhere)
    for refine in (True, False):
        found = pipeline(photo(), TextMaskRequest("a car", refine=refine))
        assert not found.mask.any()
        assert found.phrases[0].confidence < 0.01


def test_same_photo_same_mask(pipeline):
    request = TextMaskRequest("the dress")
    one, two = (pipeline(photo(), request) for _ in range(2))
    np.testing.assert_array_equal(one.mask, two.mask)


def test_squashed_photo_gives_the_networks_own_map(package, pipeline):
    framed(package)
    logits = pipeline.logits(photo(64, 64), ["the dress", "hair"])
    network = CLIPSegForImageSegmentation.from_pretrained(package.path, local_files_only=True).eval()
    processor = CLIPSegProcessor.from_pretrained(package.path, local_files_only=True)
    inputs = processor(text=["the dress", "hair"], images=[photo(64, 64)] * 2, padding=True, return_tensors="pt")
    with torch.no_grad():
        own = network(**inputs).logits.numpy()
    enlarged = [
        np.asarray(Image.fromarray(plane).resize(logits.shape[:0:-1], Image.Resampling.BILINEAR)) for plane in own
    ]
    assert np.corrcoef(np.ravel(enlarged), logits.ravel())[0, 1] > 0.98


def test_taking_away_and_joining():
    logits = np.zeros((3, 4, 4), np.float32) - 9
    logits[0, :2] = logits[1, 1:3] = logits[2, :, :2] = 9
    dress, shoes, bag = Phrase("dress", False), Phrase("shoes", False), Phrase("bag", True)
    mask = combine(logits, (dress, shoes, bag), "sigmoid")
    assert (mask > 0.5).tolist() == [[False, False, True, True]] * 3 + [[False] * 4]
    everything_but = combine(logits[2:], (bag,), "sigmoid")
    assert (everything_but > 0.5).tolist() == [[False, False, True, True]] * 4


def test_threshold_growth_and_feather(pipeline):
    soft = pipeline(photo(), TextMaskRequest("the dress", refine=False))
    middle = float(np.median(soft.mask).clip(0.02, 0.98))
    hard = pipeline(photo(), TextMaskRequest("the dress", refine=False, threshold=middle)).mask
    assert set(np.unique(hard)) == {0.0, 1.0}
    np.testing.assert_array_equal(hard, masks.harden(soft.mask, middle))
    wide = pipeline(photo(), TextMaskRequest("the dress", refine=False, threshold=middle, grow=5)).mask
    assert (wide >= hard).all()
    assert wide.sum() > hard.sum()
    feathered = pipeline(photo(), TextMaskRequest("the dress", refine=False, threshold=middle, feather=8)).mask
    assert len(np.unique(feathered)) > 10


def test_normalisations_differ_and_keep_the_order(pipeline):
    found = {
        how: pipeline(photo(), TextMaskRequest("the dress", normalise=how, refine=False)).mask
        for how in ("sigmoid", "ndtr", "minmax")
    }
    assert found["minmax"].max() > 0.8
    assert not np.allclose(found["ndtr"], found["sigmoid"])
    highest = {np.unravel_index(mask.argmax(), mask.shape) for mask in found.values()}
    assert len(highest) == 1


def test_small_subject_gets_a_second_look(package):
    pipeline = TextMaskPipeline(framed(package, frame=[384, 256], subject="the person"))
    logits = np.full((2, 96, 64), -5.0, np.float32)
    assert pipeline._nearer(logits, 2 / 3, 1) is None, "nothing was found"
    logits[1, 20:60, 20:40] = 5
    left, top, right, bottom = pipeline._nearer(logits, 2 / 3, 1)
    assert left < 20 / 64 < 40 / 64 < right
    assert top < 20 / 96 < 60 / 96 < bottom
    assert (right - left) / (bottom - top) * 64 / 96 == pytest.approx(2 / 3, abs=0.01)
    logits[1, 5:90, 5:60] = 5
    assert pipeline._nearer(logits, 2 / 3, 1) is None, "it fills the frame already"


def test_wide_photos_are_looked_at_in_parts(package):
    pipeline = TextMaskPipeline(framed(package, frame=[384, 256]))
    assert len(pipeline._first_boxes(2 / 3)) == 1
    whole, *parts = pipeline._first_boxes(3 / 2)
    assert whole[0] == 0
    assert whole[2] == 1
    assert parts[0][0] == 0
    assert parts[-1][2] == pytest.approx(1)
    assert all(later[0] < earlier[2] for earlier, later in pairwise(parts)), "they overlap"
    assert TextMaskPipeline(framed(package))._first_boxes(3.0) == [(0.0, 0.0, 1.0, 1.0)]


def test_stops_when_asked(pipeline):
    with pytest.raises(Stopped):
        pipeline(photo(), TextMaskRequest("the dress"), should_stop=lambda: True)


def test_reports_its_stages(pipeline):
    heard = []
    pipeline(photo(), TextMaskRequest("the dress"), progress=lambda fraction, stage: heard.append((fraction, stage)))
    assert [fraction for fraction, _ in heard] == sorted(fraction for fraction, _ in heard)
    assert all(stage for _, stage in heard)


def test_specks_are_refused(pipeline):
    with pytest.raises(BadInput, match="at least 16"):
        pipeline(Image.new("RGB", (15, 400)), TextMaskRequest("the dress"))


def test_long_words_are_cut_not_refused(pipeline):
    assert pipeline(photo(), TextMaskRequest("dress " * 80)).mask.shape == (90, 60)


class TestBrokenFolders:
    @pytest.fixture
    def folder(self, tmp_path):
        return tiny_clipseg(tmp_path / "clipseg").path

    def again(self, folder, **changes):
        """The manifest as it would be for these very files: what is wrong must then be found on loading."""
        (folder / "manifest.json").unlink()
        settings = {"name": "odd", "capability": "text-mask", "architecture": "clipseg", **changes}
        return save_folder_manifest(folder, **settings)

    def test_changed_file(self, folder):
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-64])
        with pytest.raises(BadPackage):
            Package.load(folder)

    def test_truncated_weights(self, folder):
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-64])
        with pytest.raises(BadPackage, match="odd is not a whole CLIPSeg folder"):
            TextMaskPipeline(self.again(folder))

    @pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
    def test_missing_file(self, folder, name):
        (folder / name).unlink()
        with pytest.raises(BadPackage, match=r"not a whole CLIPSeg folder|holds no \.safetensors"):
            TextMaskPipeline(self.again(folder))

    def test_missing_array(self, folder):
        from safetensors.torch import load_file, save_file

        arrays = load_file(folder / "model.safetensors")
        del arrays["decoder.film_mul.weight"]
        save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(BadPackage, match=r"lack 1 .*film_mul"):
            TextMaskPipeline(self.again(folder))

    def test_weights_of_another_size(self, folder):
        config = json.loads((folder / "config.json").read_text())
        config["reduce_dim"] = 16
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(BadPackage):
            TextMaskPipeline(self.again(folder))

    @pytest.mark.parametrize("frame", ["tall", [1], [0, 0], [1, 500]])
    def test_nonsense_frame(self, folder, frame):
        with pytest.raises(BadPackage, match="frame"):
            TextMaskPipeline(self.again(folder, defaults={"frame": frame}))

    def test_other_models(self, tiny_segmenter):
        with pytest.raises(BadPackage, match="does not find words"):
            TextMaskPipeline(tiny_segmenter)


def worn(width=60, height=90, garment="dress"):
    """Cloth of one class in the upper left quarter."""
    mask, labels = np.zeros((height, width), np.float32), np.zeros((height, width), np.uint8)
    mask[: height // 2, : width // 2] = 1
    labels[: height // 2, : width // 2] = GARMENT_CLASSES.index(garment)
    return mask, labels


@pytest.fixture
def taught(package):
    """Taught "dress" and "hair" and nothing else."""
    framed(package, words=["dress", "hair"])
    yield TextMaskPipeline(Package.load(package.path))
    framed(package)


def test_words_that_were_never_taught_mark_nothing_and_say_so(taught):
    found = taught(photo(), TextMaskRequest("the sky, banana"), cloth=worn)
    assert not found.mask.any()
    assert [(one.text, one.known, one.confidence) for one in found.phrases] == [
        ("the sky", False, 0.0), ("banana", False, 0.0),
    ]  # fmt: skip


def test_beside_known_words_unknown_ones_change_nothing(taught):
    alone = taught(photo(), TextMaskRequest("the dress"))
    both = taught(photo(), TextMaskRequest("the dress, the sky, not the banana"))
    assert np.array_equal(alone.mask, both.mask)
    assert [one.known for one in both.phrases] == [True, False, False]


@pytest.mark.parametrize("normalise", ["sigmoid", "ndtr", "minmax"])
def test_a_garment_unites_what_both_masks_see(taught, monkeypatch, normalise):
    right = np.full((1, 96, 64), -9, np.float32)
    right[:, :, 40:] = 9
    monkeypatch.setattr(taught, "logits", lambda *_: right.copy())
    asked = TextMaskRequest("the dress", normalise=normalise, refine=False)
    assert taught(photo(), asked).mask[:30, :20].mean() < 0.3, "alone it does not see the upper left"
    found = taught(photo(), asked, cloth=worn)
    assert found.mask[:30, :20].min() > 0.9, "the class map sees that"
    assert found.mask[60:, 50:].min() > 0.7, "and the words the rest"
    assert found.phrases[0].confidence > 0.9
    others = taught(photo(), asked, cloth=lambda: worn(garment="trousers"))
    assert others.mask[:30, :20].mean() < 0.3, "another garment does not count"
    mask, labels = worn()
    second = taught(photo(), asked, cloth=lambda: (mask, np.where(labels > 0, labels + 8, labels).astype(np.uint8)))
    assert second.mask[:30, :20].min() > 0.9, "a second dress is a dress"


@pytest.mark.parametrize("normalise", ["sigmoid", "ndtr", "minmax"])
def test_a_garment_that_was_not_taught_is_found_by_its_class_alone(taught, normalise):
    asked = TextMaskRequest("the kaftan", normalise=normalise, refine=False)
    found = taught(photo(), asked, cloth=worn)
    assert found.phrases[0].known
    assert found.mask[:30, :20].min() > 0.9
    assert found.mask[60:, 50:].max() < 0.1
    assert not taught(photo(), asked).phrases[0].known, "without a class map nobody knows it"


def test_cloth_is_looked_for_only_where_a_garment_is_named(taught):
    def never():
        raise AssertionError("asked for cloth")

    assert taught(photo(), TextMaskRequest("her hair"), cloth=never).phrases[0].known


def test_a_model_that_reads_freely_is_asked_about_every_word(pipeline):
    assert pipeline.words is None
    found = pipeline(photo(), TextMaskRequest("the sky, banana"), cloth=worn)
    assert all(one.known for one in found.phrases)


@pytest.mark.parametrize("words", [[], "dress", [1], [""]])
def test_a_package_with_impossible_words_is_refused(package, words):
    framed(package, words=words)
    with pytest.raises(BadPackage, match="must be a list of words"):
        TextMaskPipeline(Package.load(package.path))
    framed(package)


def test_the_starter_does_not_take_the_dress_for_the_sky():
    from ml_backend import garments
    from ml_backend.packaging.starter import starter

    with Image.open(garments.ROOT / "dress" / "photo.webp") as opened:
        dress = opened.convert("RGB").resize((240, 300))
    find = TextMaskPipeline(starter("clipseg-starter"))
    for words in ("the sky", "banana"):
        found = find(dress, TextMaskRequest(words))
        assert not found.mask.any()
        assert not found.phrases[0].known
    assert (find(dress, TextMaskRequest("the dress")).mask > 0.5).mean() > 0.05
