"""The pattern classifier: network, recipe, and the shipped weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.evaluation.close_ups import close_up_accuracy
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.packaging import Package, save_package
from ml_backend.requests import PATTERN_TYPES
from ml_backend.training.classifier import ClassifierRecipe, batch, train
from ml_backend.training.data.bank import draw_bank
from ml_backend.training.data.close_ups import CloseUps
from ml_backend.training.data.photographed import photographed
from ml_backend.training.lr_schedule import warmup_cosine
from ml_backend.training.run import Run


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks are fastest alone: threads that wait for each other only fight over busy cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


TINY: dict[str, Any] = {
    "network": ClassifierConfig(maps=(4, 8)),
    "size": 16,
    "designs": 2,
    "held_out": 2,
    "batch": 8,
    "evaluate_every": 1,
}


def network(maps: tuple[int, ...] = (4, 8)) -> PatternClassifier:
    torch.manual_seed(0)
    return PatternClassifier(ClassifierConfig(maps=maps)).eval()


def test_shapes() -> None:
    images = torch.rand(2, 3, 32, 32)
    classifier = network()
    assert classifier(images).shape == (2, 10)
    assert classifier.embed(images).shape == (2, 8)
    assert [tuple(found.shape) for found in classifier.features(images)] == [(2, 4, 16, 16), (2, 8, 8, 8)]


def test_a_shifted_tile_is_the_same_tile() -> None:
    classifier = network()
    images = torch.rand(2, 3, 32, 32)
    assert torch.allclose(classifier(images.roll((4, 8), (2, 3))), classifier(images), atol=1e-5)


def test_a_resumed_run_repeats_the_curve(tmp_path: Path) -> None:
    # The rate falls over the whole run, so the first part is a longer run that was stopped.
    config = ClassifierRecipe(**TINY, steps=4)
    train(config, Run(tmp_path / "whole", config))
    with pytest.raises(KeyboardInterrupt):
        train(config, Run(tmp_path / "resumed", config), should_stop=stop_after(2))
    train(config, Run(tmp_path / "resumed", config, resume=True))
    whole, resumed = (curve(tmp_path / name) for name in ("whole", "resumed"))
    assert len(whole) == 4
    assert resumed == whole


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    config = ClassifierRecipe(**{**TINY, "designs": 4, "batch": 32, "evaluate_every": 5}, steps=40, rate=1e-2)
    train(config, Run(tmp_path / "run", config))
    losses = [entry["loss"] for entry in curve(tmp_path / "run")]
    assert losses[-1] < losses[0]


def test_every_run_leaves_a_package(tmp_path: Path) -> None:
    config = ClassifierRecipe(**TINY, steps=1)
    train(config, Run(tmp_path / "run", config))
    package = Package.load(tmp_path / "run" / "package")
    assert package.manifest.capability == "classify"
    assert isinstance(package.network(), PatternClassifier)


def test_rate_rises_then_falls_to_nothing() -> None:
    assert warmup_cosine(0, 1000) < 0.02
    assert warmup_cosine(100, 1000) > 0.9
    assert warmup_cosine(1000, 1000) == pytest.approx(0, abs=1e-6)


def stop_after(steps: int) -> Any:
    """A ``should_stop`` that kills the run, as a person would, when it is asked once more than ``steps`` times."""
    asked = iter(range(steps))

    def stop() -> bool:
        if next(asked, None) is None:
            raise KeyboardInterrupt
        return False

    return stop


def curve(run_dir: Path) -> list[dict[str, float]]:
    entries = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def test_a_blend_lies_between_start_and_end(tmp_path: Path) -> None:
    first = ClassifierRecipe(**TINY, steps=1)
    train(first, Run(tmp_path / "first", first))
    start = str(tmp_path / "first" / "package")
    states = {0.0: Package.load(start).state_dict()}
    for blend in (0.5, 1.0):
        config = ClassifierRecipe(**TINY, steps=3, rate=1e-2, start_from=start, blend=blend)
        train(config, Run(tmp_path / str(blend), config))
        states[blend] = Package.load(tmp_path / str(blend) / "package").state_dict()
    for name in ("head.weight", "stages.0.see_norm.running_mean"):
        assert not torch.equal(states[0.0][name], states[1.0][name])
        assert torch.allclose(states[0.5][name], (states[0.0][name] + states[1.0][name]) / 2, atol=1e-3)


# --- close-ups of real cloth ---


@pytest.fixture
def cloth(tmp_path: Path) -> Path:
    """Checkered red, plain green, and a folder that is no pattern type; forty groups, so that some are held out."""
    for name, colour in (("checkered", (250, 0, 0)), ("solid", (0, 250, 0)), ("velvet", (0, 0, 250))):
        (tmp_path / "cloth" / name).mkdir(parents=True)
        for group in range(40):
            Image.new("RGB", (24, 20), colour).save(tmp_path / "cloth" / name / f"{group}0.png")
    return tmp_path / "cloth"


def test_folders_name_types_plain_cloth_or_nothing(cloth: Path) -> None:
    seen, unseen = CloseUps(cloth, "train"), CloseUps(cloth, "held-out")
    assert set(seen.types) == set(unseen.types) == {"plaid", None}
    assert len(seen.types) + len(unseen.types) == 80
    pictures, labels = unseen.whole(16)
    assert pictures.shape == (unseen.types.count("plaid"), 3, 16, 16)
    assert set(labels.tolist()) == {PATTERN_TYPES.index("plaid")}


def test_plain_cloth_is_of_no_type(cloth: Path) -> None:
    pictures, shares = CloseUps(cloth, "train").batch(np.random.default_rng(0), 40, 8)
    assert pictures.shape == (40, 3, 8, 8)
    assert 0 <= pictures.min() < pictures.max() <= 1
    plain = shares.amax(dim=1) < 0.5
    assert 10 < plain.sum() < 30, "each kind equally often"
    assert torch.allclose(shares[plain], torch.full((int(plain.sum()), 10), 0.1))
    assert set(shares[~plain].argmax(dim=1).tolist()) == {PATTERN_TYPES.index("plaid")}


def test_a_folder_without_patterns_is_refused(cloth: Path) -> None:
    rmtree(cloth / "checkered")
    with pytest.raises(BadInput, match="no close-ups"):
        CloseUps(cloth, "train")


def test_a_batch_holds_tiles_photos_and_close_ups(cloth: Path) -> None:
    config = ClassifierRecipe(**TINY, real_dir=str(cloth), real_share=0.25, photo_share=0.5)
    rgb, wanted = batch(config, 0, draw_bank(2, 16, 5), CloseUps(cloth, "train"))
    assert rgb.shape == (8, 3, 16, 16)
    assert torch.allclose(wanted.sum(dim=1), torch.ones(8))
    again, _ = batch(config, 0, draw_bank(2, 16, 5), CloseUps(cloth, "train"))
    assert torch.equal(rgb, again)


def test_training_with_close_ups_measures_them(cloth: Path, tmp_path: Path) -> None:
    config = ClassifierRecipe(**TINY, steps=2, real_dir=str(cloth), real_share=0.25, photo_share=0.5)
    train(config, Run(tmp_path / "run", config))
    assert all(0 <= entry["real"] <= 1 for entry in curve(tmp_path / "run"))


@pytest.mark.parametrize("bad", [{"real_share": 0.5}, {"photo_share": 1.5}, {"blend": 2.0}])
def test_shares_that_cannot_be_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        ClassifierRecipe(**bad)  # type: ignore[arg-type]


def test_accuracy_on_close_ups_is_by_type(cloth: Path, tmp_path: Path) -> None:
    knowing = network()
    torch.nn.init.zeros_(knowing.head.weight)
    knowing.head.bias.data = torch.eye(10)[PATTERN_TYPES.index("plaid")]
    package = save_package(
        tmp_path / "knowing",
        name="knowing",
        capability="classify",
        architecture="classifier",
        config=knowing.config,
        state_dict=knowing.state_dict(),
    )
    figures = close_up_accuracy(package, cloth)
    assert figures == {"real": 1, "real_mean": 1, "real_plaid": 1, "real_n": figures["real_n"]}


def test_photographs_differ_from_their_tiles_and_from_each_other() -> None:
    tiles = draw_bank(1, 32, 5).colour(np.zeros(3, np.int64), np.random.default_rng(0))[0] * 0.5 + 0.5
    same = tiles[:1].expand(3, -1, -1, -1)
    taken = photographed(same, torch.Generator().manual_seed(0))
    assert taken.shape == same.shape
    assert 0 <= taken.min() < taken.max() <= 1
    assert all((taken[a] - taken[b]).abs().mean() > 0.02 for a, b in ((0, 1), (0, 2), (1, 2)))
    assert torch.equal(taken, photographed(same, torch.Generator().manual_seed(0)))


def test_cloth_repeats_the_tile_without_a_border() -> None:
    """Of an even tile every part looks alike, wherever the picture was taken."""
    even = torch.full((2, 3, 16, 16), 0.4)
    taken = photographed(even, torch.Generator().manual_seed(1))
    assert 0.02 < taken.mean() < 0.9
    assert torch.isfinite(taken).all()
