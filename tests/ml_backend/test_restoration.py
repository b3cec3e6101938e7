"""Figures of restored pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.evaluation import restoration as module
from ml_backend.evaluation.restoration import feature_distance, psnr, restoration, ssim
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.networks.srgan import SRGANConfig, SRResNet
from ml_backend.packaging import Package, save_package

PICTURE = np.random.default_rng(0).integers(10, 240, (32, 48, 3), np.uint8)


def test_psnr_is_in_decibels() -> None:
    assert psnr(PICTURE + np.uint8(10), PICTURE) == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
    assert psnr(PICTURE + np.uint8(1), PICTURE) > psnr(PICTURE + np.uint8(2), PICTURE)


def test_ssim_of_a_picture_with_itself_is_one() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1)
    assert ssim(PICTURE[::-1].copy(), PICTURE) < 0.5


def test_feature_distance_is_relative_to_the_truth() -> None:
    def features(x: torch.Tensor) -> list[torch.Tensor]:
        return [x, x * 100]

    assert feature_distance(features, PICTURE, PICTURE) == 0
    assert feature_distance(features, PICTURE * 0, PICTURE) == pytest.approx(1)


def saved(path: Path, capability: str, network: torch.nn.Module) -> Package:
    return save_package(
        path,
        name=path.name,
        capability=capability,
        architecture="srgan" if capability == "upscale" else "classifier",
        config=network.config,
        state_dict=network.state_dict(),
    )


def test_the_report_compares_with_bicubic_and_lanczos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    judge = saved(tmp_path / "judge", "classify", PatternClassifier(ClassifierConfig(maps=(4, 4))))
    monkeypatch.setattr(module, "starter", lambda name: judge)
    config = SRGANConfig(scale=4, blocks=1, maps=4, norm=False, residual=True)
    package = saved(tmp_path / "sr", "upscale", SRResNet(config))
    (tmp_path / "real" / "dotted").mkdir(parents=True)
    for group in range(40):
        Image.fromarray(PICTURE).save(tmp_path / "real" / "dotted" / f"d{group}0.png")
    heard: list[float] = []
    figures = restoration(
        package, count=2, size=64, real_dir=str(tmp_path / "real"), progress=lambda fraction, _: heard.append(fraction)
    )
    methods = {
        "drawn_srgan",
        "drawn_inks",
        "drawn_bicubic",
        "drawn_lanczos",
        "real_srgan",
        "real_bicubic",
        "real_lanczos",
    }
    assert set(figures) == {
        f"{method}_{name}" for method in methods | {"drawn_inks"} for name in ("psnr", "ssim", "features")
    }
    # an untrained residual network is bicubic to within its tiny tail
    assert figures["real_srgan_psnr"] == pytest.approx(figures["real_bicubic_psnr"], abs=1)
    assert heard[-1] == 1
