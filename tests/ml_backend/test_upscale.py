"""Enlarging pictures, tiles and ink maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose, palette_from_seed
from ml_backend.networks.srgan import SRGANConfig, SRResNet
from ml_backend.networks.unet import UNet, UNetConfig
from ml_backend.packaging import Package, save_package
from ml_backend.packaging.starter import starter
from ml_backend.pipelines import upscale
from ml_backend.pipelines.generate import calm_cut, shift
from ml_backend.pipelines.upscale import UpscalePipeline
from ml_backend.swatches.drawing.tile import draw_inks

CONFIG = SRGANConfig(scale=4, blocks=2, maps=8, norm=False, residual=True)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> UpscalePipeline:
    """An untrained network whose tail is loud enough that its every move shows."""
    torch.manual_seed(0)
    network = SRResNet(CONFIG)
    torch.nn.init.normal_(network.tail.weight, std=0.01)
    return UpscalePipeline(package(tmp_path_factory.mktemp("package"), network))


def package(path: Path, network: SRResNet) -> Package:
    return save_package(
        path,
        name="tiny",
        capability="upscale",
        architecture="srgan",
        config=network.config,
        state_dict=network.state_dict(),
    )


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def test_the_result_is_scale_times_as_large(pipeline: UpscalePipeline) -> None:
    made = pipeline(noise(20, 12))
    assert (made.size, made.mode) == ((80, 48), "RGB")
    assert pipeline.model.startswith("tiny@")
    assert pipeline(noise(20, 12).convert("L")).mode == "RGB"


def test_a_flat_picture_keeps_its_colour(pipeline: UpscalePipeline) -> None:
    with torch.no_grad():
        assert pipeline.network.config.residual
    made = np.asarray(pipeline(Image.new("RGB", (16, 16), (200, 40, 90)), tile=True)).astype(int)
    assert (made == made[0, 0]).all(), "wrapped around, nothing tells one place from another"


def test_a_tile_is_enlarged_as_one_of_its_repeats(pipeline: UpscalePipeline) -> None:
    tile = noise(16, 16)
    sheet = Image.fromarray(np.tile(np.asarray(tile), (3, 3, 1)))
    alone = np.asarray(pipeline(tile, tile=True)).astype(int)
    among = np.asarray(pipeline(sheet)).astype(int)[64:128, 64:128]
    assert np.abs(alone - among).max() <= 1
    assert np.abs(np.asarray(pipeline(tile)).astype(int) - alone).max() > 5, "without tile the border is a border"


@pytest.mark.parametrize("tile", [False, True])
def test_chunks_leave_no_trace(pipeline: UpscalePipeline, monkeypatch: pytest.MonkeyPatch, tile: bool) -> None:
    image = noise(70, 50)
    whole = np.asarray(pipeline(image, tile=tile)).astype(int)
    monkeypatch.setattr(upscale, "CHUNK", 16)
    monkeypatch.setattr(upscale, "RAMP", 4)
    chunked = np.asarray(pipeline(image, tile=tile)).astype(int)
    assert np.abs(whole - chunked).max() <= 2


def test_chunks_are_bounded(pipeline: UpscalePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    enlarge = pipeline._enlarge

    def spy(lr: torch.Tensor, wrap: bool) -> NDArray[np.float32]:
        sizes.append(max(lr.shape[-2:]))
        return enlarge(lr, wrap)

    monkeypatch.setattr(pipeline, "_enlarge", spy)
    pipeline(noise(300, 40))
    assert len(sizes) == 4
    assert max(sizes) == upscale.CHUNK + 2 * (upscale.RAMP + upscale.CONTEXT)


def test_a_narrow_tile_is_wrapped_more_than_once() -> None:
    x = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 1, 5, 5)
    assert upscale.surround(x, 7)[0, 0, 0].tolist() == [(i - 7) % 5 for i in range(19)]


def test_ink_maps_sum_to_one_and_repeat(pipeline: UpscalePipeline) -> None:
    for count in (4, 5, 6):
        inks = draw_inks("floral", 3, 24, inks=count)
        made = pipeline.inks(inks)
        assert made.shape == (count, 96, 96)
        assert made.dtype == np.float32
        assert np.allclose(made.sum(axis=0), 1, atol=1e-5)
        assert made.min() >= 0
        shifted = pipeline.inks(np.roll(inks, (5, 9), axis=(1, 2)))
        assert np.allclose(shifted, np.roll(made, (20, 36), axis=(1, 2)), atol=1e-3)


def test_ink_maps_in_chunks(pipeline: UpscalePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    inks = draw_inks("dotted", 3, 48)
    whole = pipeline.inks(inks)
    monkeypatch.setattr(upscale, "CHUNK", 16)
    monkeypatch.setattr(upscale, "RAMP", 4)
    assert np.abs(pipeline.inks(inks) - whole).max() < 0.02


def test_crisp_draws_borders_together() -> None:
    inks = np.array([0.5, 0.7, 0.98], np.float32)
    made = upscale.crisp(np.stack([inks, 1 - inks])[:, None, :])
    assert made[0, 0, 0] == pytest.approx(0.5)
    assert made[0, 0, 1] > 0.75
    assert made[0, 0, 2] > 0.98
    assert np.allclose(upscale.crisp(np.stack([inks, 1 - inks])[:, None, :], 1.0)[0, 0], inks, atol=1e-3)


def test_progress_and_stopping(pipeline: UpscalePipeline) -> None:
    heard: list[float] = []
    pipeline(noise(230, 20), progress=lambda fraction, _: heard.append(fraction))
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    with pytest.raises(Stopped):
        pipeline(noise(230, 20), should_stop=lambda: True)


def test_unusable_input_is_said(pipeline: UpscalePipeline) -> None:
    with pytest.raises(BadInput, match="at least 8"):
        pipeline(noise(7, 20))
    with pytest.raises(BadInput, match="limit of 8192"):
        pipeline(Image.new("RGB", (3000, 10)))
    with pytest.raises(BadInput, match="Ink maps"):
        pipeline.inks(np.zeros((16, 16), np.float32))


def test_another_models_package_is_refused(tmp_path: Path) -> None:
    config = UNetConfig(widths=(4, 8), depths=(1, 1))
    other = save_package(
        tmp_path,
        name="cutter",
        capability="segment",
        architecture="unet",
        config=config,
        state_dict=UNet(config).state_dict(),
    )
    with pytest.raises(BadPackage, match="does not enlarge"):
        UpscalePipeline(other)


# --- the starters ---


@pytest.mark.slow
@pytest.mark.parametrize("scale", [4, 8])
class TestStarters:
    @pytest.fixture
    def starter_pipeline(self, scale: int) -> UpscalePipeline:
        return UpscalePipeline(starter(f"srgan-x{scale}-starter"))

    def test_better_than_bicubic_and_seamless(self, starter_pipeline: UpscalePipeline, scale: int) -> None:
        for index, pattern_type in enumerate(("floral", "striped", "geometric")):
            truth = draw_inks(pattern_type, 1_000_500 + index, 256)
            small = truth.reshape(5, 256 // scale, scale, 256 // scale, scale).mean(axis=(2, 4))
            made = starter_pipeline.inks(small)
            plain = np.stack(
                [np.asarray(Image.fromarray(plane).resize((256, 256), Image.Resampling.BICUBIC)) for plane in small]
            )
            assert np.abs(made - truth).mean() < 0.7 * np.abs(plain - truth).mean()
            moved = starter_pipeline.inks(np.roll(small, (7, 11), axis=(1, 2)))
            expected = np.roll(made, (7 * scale, 11 * scale), axis=(1, 2))
            assert np.allclose(moved, expected, atol=0.01), "any cut is as good"

    def test_a_tile_cut_where_it_is_calm_stays_calm(self, starter_pipeline: UpscalePipeline, scale: int) -> None:
        for index, pattern_type in enumerate(("floral", "paisley", "camouflage")):
            inks = draw_inks(pattern_type, 1_000_550 + index, 64)
            tile = compose(shift(inks, *calm_cut(inks)), palette_from_seed(pattern_type, index, 5))
            large = starter_pipeline(Image.fromarray(tile), tile=True)
            assert seam_ratio(large) <= 1.1

    def test_chunks_leave_no_trace(
        self, starter_pipeline: UpscalePipeline, monkeypatch: pytest.MonkeyPatch, scale: int
    ) -> None:
        tile = draw_inks("paisley", 1_000_600, 96)[:3].transpose(1, 2, 0)
        image = Image.fromarray((tile * 255).round().astype(np.uint8))
        whole = np.asarray(starter_pipeline(image, tile=True)).astype(int)
        monkeypatch.setattr(upscale, "CHUNK", 40)
        difference = np.abs(np.asarray(starter_pipeline(image, tile=True)).astype(int) - whole)
        assert difference.mean() < 0.1
        assert np.percentile(difference, 99.9) <= 6
