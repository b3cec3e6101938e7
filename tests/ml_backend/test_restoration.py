"""Figures of restored pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.errors import BadInput, BadPackage
from ml_backend.evaluation import restoration as module
from ml_backend.evaluation.distance import encoder_features, feature_distance, vgg_features
from ml_backend.evaluation.restoration import dreamed, psnr, restoration, ssim
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.networks.dcgan import DCGANConfig, Generator
from ml_backend.networks.srgan import SRGANConfig, SRResNet
from ml_backend.networks.unet import UNet, UNetConfig
from ml_backend.packaging import Package, save_package

PICTURE = np.random.default_rng(0).integers(10, 240, (32, 48, 3), np.uint8)


def test_psnr_is_in_decibels() -> None:
    assert psnr(PICTURE + np.uint8(10), PICTURE) == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
    assert psnr(PICTURE + np.uint8(1), PICTURE) > psnr(PICTURE + np.uint8(2), PICTURE)


def test_ssim_of_a_picture_with_itself_is_one() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1)
    assert ssim(PICTURE[::-1].copy(), PICTURE) < 0.5


def test_feature_distance_compares_directions_of_features() -> None:
    def features(x: torch.Tensor) -> list[torch.Tensor]:
        return [x, x * 100]

    red, dark_red, blue = (np.full((8, 8, 3), colour, np.uint8) for colour in ((200, 0, 0), (100, 0, 0), (0, 0, 9)))
    assert feature_distance(features, PICTURE, PICTURE) == 0
    assert feature_distance(features, red, dark_red) == pytest.approx(0, abs=1e-6)
    assert feature_distance(features, red, blue) == pytest.approx(2)


def test_other_features_are_refused(tmp_path: Path) -> None:
    (tmp_path / "nothing.pt").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="VGG19"):
        vgg_features(tmp_path / "nothing.pt")
    with pytest.raises(BadPackage, match="not a U-Net"):
        encoder_features(saved(tmp_path / "judge", "classify", PatternClassifier(ClassifierConfig(maps=(4, 4)))))


ARCHITECTURES = {"upscale": "srgan", "classify": "classifier", "segment": "unet", "generate": "dcgan"}


def saved(path: Path, capability: str, network: torch.nn.Module) -> Package:
    return save_package(
        path,
        name=path.name,
        capability=capability,
        architecture=ARCHITECTURES[capability],
        config=network.config,
        state_dict=network.state_dict(),
    )


@pytest.fixture(autouse=True)
def tiny_starters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier and a U-Net that were never trained: the arithmetic is tested, not their taste."""
    torch.manual_seed(0)
    packages = {
        "classifier-starter": saved(tmp_path / "judge", "classify", PatternClassifier(ClassifierConfig(maps=(4, 4)))),
        "unet-starter": saved(tmp_path / "unet", "segment", UNet(UNetConfig(widths=(4, 6), depths=(1, 1)))),
    }
    monkeypatch.setattr(module, "starter", packages.__getitem__)


def test_the_report_compares_with_bicubic_and_lanczos(tmp_path: Path) -> None:
    torch.manual_seed(0)
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
        f"{method}_{name}" for method in methods | {"drawn_inks"} for name in ("psnr", "ssim", "features", "encoder")
    }
    # an untrained residual network is bicubic to within its tiny tail
    assert figures["real_srgan_psnr"] == pytest.approx(figures["real_bicubic_psnr"], abs=1)
    assert heard[-1] == 1


def test_dreamed_fabrics_are_held_against_what_was_painted_and_what_is_drawn(tmp_path: Path) -> None:
    torch.manual_seed(0)
    upscaler = saved(tmp_path / "sr", "upscale", SRResNet(SRGANConfig(scale=4, blocks=1, maps=4, norm=False)))
    residual = SRResNet(SRGANConfig(scale=4, blocks=1, maps=4, norm=False, residual=True))
    sane = saved(tmp_path / "sane", "upscale", residual)
    painter = Generator(DCGANConfig(size=32, latent=8, embedding=4, maps=4))
    for parameter in painter.paint.parameters():
        parameter.data.mul_(1000)  # an untrained one paints next to nothing
    generator = saved(tmp_path / "gan", "generate", painter)
    figures = dreamed(sane, generator, count=2)
    methods = ("inks", "bicubic", "lanczos")
    assert set(figures) == {f"dreamed_{method}_{name}" for method in methods for name in ("kept", "kid")}
    assert figures["dreamed_lanczos_kept"] > figures["dreamed_bicubic_kept"] > 15
    broken = dreamed(upscaler, generator, count=2)
    assert broken["dreamed_bicubic_kept"] == figures["dreamed_bicubic_kept"]
    assert broken["dreamed_inks_kept"] < figures["dreamed_inks_kept"]


def test_a_tile_is_enlarged_among_its_repeats() -> None:
    tile = np.zeros((8, 8, 3), np.uint8)
    tile[0] = 255
    large = module._wrapped(tile, 4, Image.Resampling.BICUBIC)
    assert large.shape == (32, 32, 3)
    assert large[-1].min() > 50, "the bright first row shines over the border"
