"""Seam ratio, KID, FID and accuracy on made-up data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.errors import BadInput, BadPackage
from ml_backend.evaluation.patterns import (
    classifier_accuracy,
    embed,
    fid,
    kid,
    load_classifier,
)
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.networks.dcgan import DCGANConfig, Generator
from ml_backend.packaging import Package, save_package
from ml_backend.requests import PATTERN_TYPES


@pytest.fixture
def judge(tmp_path: Path) -> Package:
    torch.manual_seed(0)
    config = ClassifierConfig(maps=(4, 8))
    weights = PatternClassifier(config).state_dict()
    return save_package(
        tmp_path / "judge",
        name="judge",
        capability="classify",
        architecture="classifier",
        config=config,
        state_dict=weights,
    )


@pytest.fixture
def dreamer(tmp_path: Path) -> Package:
    torch.manual_seed(0)
    config = DCGANConfig(latent=8, embedding=4, maps=4)
    return save_package(
        tmp_path / "dreamer",
        name="dreamer",
        capability="generate",
        architecture="dcgan",
        config=config,
        state_dict=Generator(config).state_dict(),
    )


def wave(turns: float, side: int = 64) -> Image.Image:
    line = np.sin(2 * np.pi * turns * np.arange(side) / side) * 100 + 128
    return Image.fromarray(np.broadcast_to(line.astype(np.uint8), (side, side)).copy()).convert("RGB")


def test_seam_ratio_of_a_wave() -> None:
    assert seam_ratio(wave(4)) < 2  # the border is as steep as the steepest line inside, 1.57 times the mean
    assert seam_ratio(wave(4.25)) > 3
    assert seam_ratio(Image.new("RGB", (64, 64), "#7a1f2b")) == 0


def test_seam_ratio_takes_the_worse_direction() -> None:
    assert seam_ratio(wave(4.25).transpose(Image.Transpose.ROTATE_90)) == pytest.approx(seam_ratio(wave(4.25)))


def test_kid_of_one_distribution_is_about_nothing_and_grows_with_distance() -> None:
    rng = np.random.default_rng(0)
    first, second, near, far = (rng.normal(shift, 1, (400, 8)) for shift in (0, 0, 0.3, 1.0))
    assert abs(kid(first, second)) < 0.05
    assert kid(first, second) < kid(first, near) < kid(first, far)


def test_kid_is_unbiased() -> None:
    rng = np.random.default_rng(1)
    small = [kid(rng.normal(0, 1, (10, 4)), rng.normal(0, 1, (10, 4))) for _ in range(400)]
    assert abs(np.mean(small)) < 3 * np.std(small) / 20


def test_fid_of_gaussians_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (4000, 3)), rng.normal((3, 0, 0), 2, (4000, 3))
    assert fid(a, b) == pytest.approx(9 + 3 * (1 - 2) ** 2, rel=0.1)  # |m|^2 + sum (s1 - s2)^2
    assert fid(a, a) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("measure", [kid, fid])
def test_too_few_images_are_refused(measure: object) -> None:
    with pytest.raises(BadInput, match="two"):
        measure(np.zeros((1, 3)), np.zeros((5, 3)))  # type: ignore[operator]


def test_accuracy_counts_every_type(judge: Package) -> None:
    figures = classifier_accuracy(judge, range(2))
    assert set(PATTERN_TYPES) <= set(figures)
    assert figures["n"] == 20
    assert figures["accuracy"] == pytest.approx(np.mean([figures[name] for name in PATTERN_TYPES]))


def test_a_constant_classifier_is_right_once_in_ten(judge: Package) -> None:
    network = load_classifier(judge)
    torch.nn.init.zeros_(network.head.weight)
    network.head.bias.data = torch.eye(10)[3]
    constant = save_package(
        judge.path,
        name="constant",
        capability="classify",
        architecture="classifier",
        config=network.config,
        state_dict=network.state_dict(),
    )
    figures = classifier_accuracy(constant, range(2))
    assert figures["accuracy"] == pytest.approx(0.1)
    assert figures[PATTERN_TYPES[3]] == 1


def checks(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)


def test_other_models_are_refused(judge: Package, dreamer: Package) -> None:
    with pytest.raises(BadPackage, match="dreamer"):
        load_classifier(dreamer)


def test_embedding_does_not_depend_on_the_batch(judge: Package) -> None:
    network = load_classifier(judge)
    images = [checks(seed) for seed in range(70)]
    assert np.allclose(embed(network, images)[65:], embed(network, images[65:]), atol=1e-5)
