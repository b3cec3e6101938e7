"""The pattern classifier: network, recipe, and the shipped weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.packaging import Package
from ml_backend.training.classifier import ClassifierRecipe, rate_factor, train
from ml_backend.training.run import Run

TINY: dict[str, Any] = {"maps": (4, 8), "size": 16, "designs": 2, "held_out": 2, "batch": 8, "evaluate_every": 1}


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
    assert rate_factor(0, 1000) < 0.02
    assert rate_factor(100, 1000) > 0.9
    assert rate_factor(1000, 1000) == pytest.approx(0, abs=1e-6)


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
