"""The generate pipeline, with a tiny random generator and with the renderer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.networks.dcgan import DCGANConfig, Generator
from ml_backend.packaging import Package, save_package
from ml_backend.pipelines.generate import (
    F32,
    Fabric,
    GeneratePipeline,
    calm_cut,
    enlarge_softly,
    enough,
    lay,
    resize,
    split_into_inks,
)
from ml_backend.pipelines.upscale import UpscalePipeline
from ml_backend.requests import GenerateRequest

PALETTE = ("#102030", "#f0e0d0", "#c04030", "#30a060", "#e0c040")


def package(path: Path, config: DCGANConfig) -> Package:
    torch.manual_seed(0)
    generator = Generator(config)
    for weight in generator.parameters():
        weight.data *= 4  # a livelier picture than fresh weights give
    return save_package(
        path,
        name="tiny",
        capability="generate",
        architecture="dcgan",
        config=config,
        state_dict=generator.state_dict(),
    )


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> GeneratePipeline:
    config = DCGANConfig(size=32, latent=8, embedding=4, maps=4, codes=5, neighbours=2)
    return GeneratePipeline(package(tmp_path_factory.mktemp("tiny"), config))


class Doubler:
    """Stands in for an SRGAN of scale 2 and counts its calls."""

    scale = 2

    def __init__(self) -> None:
        self.calls = 0

    def inks(self, inks: F32, scale: int | None = None, *, lattice: object = None, should_stop: object = None) -> F32:
        self.calls += 1
        return inks.repeat(2, axis=1).repeat(2, axis=2)


def test_the_same_request_gives_the_same_image(pipeline: GeneratePipeline) -> None:
    first, second = (pipeline(GenerateRequest("floral", 7, size=64)) for _ in range(2))
    other = pipeline(GenerateRequest("floral", 8, size=64))
    assert np.array_equal(first.inks, second.inks)
    assert first.image.tobytes() == second.image.tobytes()
    assert not np.array_equal(first.inks, other.inks)


def test_the_answer_says_how_it_was_made(pipeline: GeneratePipeline) -> None:
    fabric = pipeline(GenerateRequest("plaid", 3, size=64))
    assert fabric.model is not None
    assert fabric.model.startswith("tiny@")
    assert fabric.request.model == fabric.model
    assert fabric.request.palette == fabric.palette
    again = pipeline(GenerateRequest.from_dict(fabric.request.to_dict()))
    assert again.image.tobytes() == fabric.image.tobytes()


@pytest.mark.parametrize("size", [32, 48, 64, 100, 256])
@pytest.mark.parametrize("engine", ["dreamed", "drawn"])
def test_any_size_and_full_coverage(pipeline: GeneratePipeline, size: int, engine: str) -> None:
    fabric = pipeline(GenerateRequest("dotted", 5, size=size, engine=engine))
    assert fabric.image.size == (size, size)
    assert fabric.inks.shape == (5, size, size)
    assert fabric.inks.dtype == np.float32
    assert np.allclose(fabric.inks.sum(axis=0), 1, atol=1e-3)
    assert np.array_equal(np.asarray(fabric.image), compose(fabric.inks, fabric.palette))


@pytest.mark.parametrize("engine", ["dreamed", "drawn"])
@pytest.mark.parametrize("pattern_type", ["striped", "zigzag", "camouflage"])
def test_tiles_have_no_seam(pipeline: GeneratePipeline, engine: str, pattern_type: str) -> None:
    fabrics = [pipeline(GenerateRequest(pattern_type, seed, size=128, engine=engine)) for seed in range(4)]
    assert max(seam_ratio(fabric.image) for fabric in fabrics) <= 1.1


def test_a_given_palette_colours_the_same_inks(pipeline: GeneratePipeline) -> None:
    request = GenerateRequest("animal", 2, size=64)
    given = GenerateRequest("animal", 2, size=64, palette=PALETTE)
    assert pipeline(given).palette == PALETTE
    assert np.array_equal(pipeline(given).inks, pipeline(request).inks)


def test_a_short_palette_is_fitted(pipeline: GeneratePipeline) -> None:
    assert len(pipeline(GenerateRequest("animal", 2, size=64, palette=PALETTE[:2])).palette) == 5


def test_variations_stay_near(pipeline: GeneratePipeline) -> None:
    start = pipeline(GenerateRequest("floral", 1, size=32))
    same, near, far = (
        pipeline(GenerateRequest("floral", 2, size=32, vary_of=1, vary_amount=amount)) for amount in (0.0, 0.3, 1.0)
    )
    assert np.array_equal(same.inks, start.inks)
    assert same.palette == near.palette == far.palette == start.palette
    assert 0 < np.abs(near.inks - start.inks).mean() < np.abs(far.inks - start.inks).mean()


def test_variations_differ_from_each_other(pipeline: GeneratePipeline) -> None:
    seen = {
        pipeline(GenerateRequest("floral", seed, size=32, vary_of=1, vary_amount=0.3)).inks.tobytes()
        for seed in range(20)
    }
    assert len(seen) == 20


def test_drawn_variations_keep_the_palette() -> None:
    draw = GeneratePipeline(None)
    start = draw(GenerateRequest("dotted", 1, size=32, engine="drawn"))
    varied = draw(GenerateRequest("dotted", 9, size=32, engine="drawn", vary_of=1, vary_amount=0.2))
    assert varied.palette == start.palette
    assert varied.model is None


def move(pipeline: GeneratePipeline, **moves: Any) -> Fabric:
    return pipeline(GenerateRequest("floral", 1, size=32, **moves))


def test_a_morph_goes_from_one_fabric_to_the_other(pipeline: GeneratePipeline) -> None:
    end = pipeline(GenerateRequest("plaid", 8, size=32))
    start, near, far, there = (
        move(pipeline, morph_to=8, morph_type="plaid", morph_amount=amount) for amount in (0.0, 0.2, 0.45, 1.0)
    )
    assert start.image.tobytes() == move(pipeline).image.tobytes()
    assert there.image.tobytes() == end.image.tobytes()
    assert there.palette == end.palette
    assert 0 < np.abs(near.inks - start.inks).mean() < np.abs(far.inks - start.inks).mean()
    assert near.palette not in (start.palette, end.palette)


def test_a_morph_between_normal_latents_reaches_both_ends(tmp_path: Path) -> None:
    plain = GeneratePipeline(package(tmp_path, DCGANConfig(size=32, latent=8, embedding=4, maps=4)))
    end = plain(GenerateRequest("floral", 8, size=32))
    assert move(plain, morph_to=8, morph_amount=1.0).image.tobytes() == end.image.tobytes()
    assert not np.array_equal(move(plain, morph_to=8, morph_amount=0.3).inks, move(plain).inks)


def test_colours_of_another_seed(pipeline: GeneratePipeline) -> None:
    other = pipeline(GenerateRequest("floral", 9, size=32))
    worn = move(pipeline, colours_of=9)
    assert worn.palette == other.palette
    assert np.array_equal(worn.inks, move(pipeline).inks)
    assert move(pipeline, colours_of=9, palette=PALETTE).palette == PALETTE


def test_drawn_fabrics_wear_colours_of_another_seed() -> None:
    draw = GeneratePipeline(None)
    worn = draw(GenerateRequest("dotted", 1, size=32, engine="drawn", colours_of=4))
    assert worn.palette == draw(GenerateRequest("dotted", 4, size=32, engine="drawn")).palette


def test_the_detail_of_another_seed(pipeline: GeneratePipeline) -> None:
    mixed = move(pipeline, detail_of=9)
    assert not np.array_equal(mixed.inks, move(pipeline).inks)
    assert move(pipeline, detail_of=1).image.tobytes() == move(pipeline).image.tobytes()
    assert move(pipeline, detail_of=9).image.tobytes() == mixed.image.tobytes()
    assert mixed.palette == move(pipeline).palette


def test_a_network_without_later_layers_cannot_mix(tmp_path: Path) -> None:
    flat = GeneratePipeline(package(tmp_path, DCGANConfig(size=8, latent=8, embedding=4, maps=4)))
    with pytest.raises(BadInput, match="too small"):
        move(flat, detail_of=9)


@pytest.mark.parametrize(
    ("size", "calls"), [(32, 0), (48, 1), (64, 1), (128, 2)], ids=["own size", "between", "once", "twice"]
)
def test_the_upscaler_is_used_as_needed(tmp_path: Path, size: int, calls: int) -> None:
    doubler = Doubler()
    tiny = package(tmp_path, DCGANConfig(size=32, latent=8, embedding=4, maps=4))
    fabric = GeneratePipeline(tiny, cast(UpscalePipeline, doubler))(GenerateRequest("paisley", 1, size=size))
    assert fabric.image.size == (size, size)
    assert doubler.calls == calls


def test_an_rgb_model_is_split_into_inks(tmp_path: Path) -> None:
    rgb = package(tmp_path, DCGANConfig(size=32, latent=8, embedding=4, maps=4, output="rgb"))
    fabric = GeneratePipeline(rgb)(GenerateRequest("abstract", 1, size=64, palette=PALETTE))
    assert fabric.inks.shape == (5, 64, 64)
    assert np.allclose(fabric.inks.sum(axis=0), 1, atol=1e-3)
    assert fabric.palette == PALETTE


def test_split_finds_flat_colours() -> None:
    colours = np.array([[0.9, 0.9, 0.8], [0.1, 0.2, 0.6], [0.7, 0.1, 0.1], [0.1, 0.6, 0.2]], np.float32)
    numbers = np.zeros((16, 16), np.intp)
    numbers[:4], numbers[4:7], numbers[7:9] = 1, 2, 3
    inks = split_into_inks(colours[numbers], 4)
    assert (inks[0] > 0.9).sum() == (numbers == 0).sum()
    assert [int((plane > 0.9).sum()) for plane in inks] == [112, 64, 48, 32]


def test_progress_is_told_in_order(pipeline: GeneratePipeline) -> None:
    told: list[float] = []
    pipeline(GenerateRequest("floral", 1, size=64), progress=lambda fraction, stage: told.append(fraction))
    assert told[0] == 0
    assert told[-1] == 1
    assert told == sorted(told)


def test_it_stops_when_asked(pipeline: GeneratePipeline) -> None:
    with pytest.raises(Stopped):
        pipeline(GenerateRequest("floral", 1, size=64), should_stop=lambda: True)


def test_dreaming_needs_a_model() -> None:
    with pytest.raises(BadInput, match="model"):
        GeneratePipeline(None)(GenerateRequest("floral", 1))


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    config = ClassifierConfig(maps=(4, 8))
    other = save_package(
        tmp_path,
        name="judge",
        capability="classify",
        architecture="classifier",
        config=config,
        state_dict=PatternClassifier(config).state_dict(),
    )
    with pytest.raises(BadPackage, match="judge"):
        GeneratePipeline(other)


def test_calm_cut_avoids_the_edges() -> None:
    inks = np.zeros((2, 8, 8), np.float32)
    inks[0, :, :3] = inks[1, :, 3:] = 1  # edges at columns 0 and 3
    rows, columns = calm_cut(inks)
    moved = np.roll(inks, (round(rows * 8), round(columns * 8)), axis=(1, 2))
    assert np.array_equal(moved[:, :, 0], moved[:, :, -1])


def test_soft_enlargement_repeats() -> None:
    rng = np.random.default_rng(0)
    raw = rng.random((4, 16, 16), np.float32)
    inks = raw / raw.sum(axis=0)
    larger = enlarge_softly(inks, 4)
    shifted = enlarge_softly(np.roll(inks, 5, axis=1), 4)
    assert larger.shape == (4, 64, 64)
    assert np.allclose(shifted, np.roll(larger, 20, axis=1), atol=1e-4)


def test_resize_averages() -> None:
    inks = np.zeros((1, 4, 4), np.float32)
    inks[0, ::2] = 1
    assert np.allclose(resize(inks, 2), 0.5)


@pytest.mark.parametrize(("side", "size", "expected"), [(64, 64, 64), (64, 65, 128), (64, 512, 512), (64, 513, 1024)])
def test_enough(side: int, size: int, expected: int) -> None:
    assert enough(side, size) == expected


def test_a_design_is_laid_several_ways() -> None:
    inks = np.arange(2 * 4 * 4, dtype=np.float32).reshape(2, 4, 4)
    ways = {lay(inks, "striped", seed).tobytes() for seed in range(40)}
    upright = {lay(inks, "floral", seed).tobytes() for seed in range(40)}
    assert len(ways) == 4
    assert upright == {inks.tobytes(), inks[:, :, ::-1].tobytes()}
