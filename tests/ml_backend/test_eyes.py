"""Whose features FID and KID are measured in, and how sure the figures are."""

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.evaluation.eyes import choose_eyes, classifier_eyes, distances, inception_eyes, pictures_of
from ml_backend.evaluation.patterns import deviation, fid, kid, quick_fid
from ml_backend.networks import inception
from ml_backend.packaging.starter import starter


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights in the layout of FID's Inception."""
    from torchvision.models import Inception3

    torch.manual_seed(0)
    network = Inception3(num_classes=inception.CLASSES, aux_logits=False, init_weights=False)
    path = tmp_path_factory.mktemp("inception") / inception.WEIGHTS
    torch.save(network.state_dict(), path)
    return path


def noise(count, seed=0, loc=128):
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.normal(loc, 40, (24, 16, 3)).clip(0, 255).astype(np.uint8)) for _ in range(count)]


def test_our_classifier_looks_where_there_is_no_inception(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    eyes = choose_eyes()

    assert eyes.name == starter("classifier-starter").manifest.reference
    assert eyes.features(noise(3)).shape == (3, 128)
    assert eyes.features([]).shape[0] == 0


def test_inception_is_taken_from_a_file_or_from_the_cache(monkeypatch, tmp_path, weights):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / inception.WEIGHTS).symlink_to(weights)

    assert choose_eyes().name == choose_eyes(weights).name
    assert choose_eyes().name.startswith("inception-2015-12-05@")
    named = starter("classifier-starter")
    assert choose_eyes(None, named).name == named.manifest.reference, "one that is named comes before the cache"


def test_inception_sees_as_fid_was_published(weights):
    """2048 features; averages do not count the padding, and the last block pools the maximum."""
    eyes = inception_eyes(weights)
    network = eyes.look.network
    block = network.Mixed_5b
    seen = torch.rand(1, 192, 8, 8)
    with torch.inference_mode():
        own = block(seen)[:, -32:]
        padded = torch.nn.functional.avg_pool2d(seen, 3, 1, 1, count_include_pad=False)
        last = network.Mixed_7c
        high = torch.rand(1, 2048, 8, 8)

        assert torch.equal(own, block.branch_pool(padded))
        assert not torch.equal(own, block.branch_pool(torch.nn.functional.avg_pool2d(seen, 3, 1, 1)))
        assert torch.equal(last(high)[:, -192:], last.branch_pool(torch.nn.functional.max_pool2d(high, 3, 1, 1)))
    assert eyes.features(noise(2)).shape == (2, inception.WIDTH)


@pytest.mark.parametrize("content", [None, b"", b"no weights", "other"])
def test_a_file_that_holds_no_inception_is_refused(tmp_path, content):
    path = tmp_path / "weights.pth"
    if content == "other":
        torch.save({"fc.weight": torch.zeros(3)}, path)
    elif content is not None:
        path.write_bytes(content)

    with pytest.raises(BadInput, match="holds no Inception"):
        inception_eyes(path)


def test_the_quick_fid_is_the_fid():
    rng = np.random.default_rng(0)
    for real, fake, width in ((12, 12, 40), (60, 30, 5)):
        a, b = rng.normal(0, 1, (real, width)), rng.normal(0.3, 2, (fake, width))
        assert quick_fid(a, b) == pytest.approx(fid(a, b), rel=1e-3, abs=1e-3)


def test_the_deviation_is_how_far_kid_moves_with_other_pictures():
    rng = np.random.default_rng(0)
    draws = [(rng.normal(0, 1, (60, 4)), rng.normal(0.5, 1, (60, 4))) for _ in range(40)]
    moved = np.std([kid(*draw) for draw in draws])
    said = np.mean([deviation(kid, *draw) for draw in draws[:5]])

    assert 0.5 * moved < said < 2 * moved
    assert deviation(kid, *draws[0]) == deviation(kid, *draws[0])
    assert deviation(kid, draws[0][0][:7], draws[0][1]) is None


def test_a_figure_says_eyes_number_and_deviation():
    eyes = classifier_eyes(starter("classifier-starter"))
    real, fake = eyes.features(noise(12)), eyes.features(noise(10, 1, loc=60))
    first, second = distances(eyes, real, fake, "noise", "evaluate kid a b")

    assert (first.metric, second.metric) == ("kid", "fid")
    assert (first.value, first.n, first.features, first.data) == (kid(real, fake), 10, eyes.name, "noise")
    assert first.deviation > 0
    assert second.deviation > 0


def test_pictures_of_a_folder_lie_anywhere_in_it(tmp_path):
    with pytest.raises(BadInput, match="no pictures"):
        pictures_of(tmp_path)
    (tmp_path / "a").mkdir()
    noise(1)[0].save(tmp_path / "a" / "x.png")
    (tmp_path / "b.jpg").mkdir()

    assert pictures_of(tmp_path) == [tmp_path / "a" / "x.png"]
