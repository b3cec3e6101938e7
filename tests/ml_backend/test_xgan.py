"""XGAN: the wavelet, the networks, the losses, a tiny run that resumes exactly, and its package served."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ml_backend import training
from ml_backend.errors import BadInput, BadPackage
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.networks import build, wavelet
from ml_backend.networks.generator import FabricGenerator
from ml_backend.networks.wrap import WrapConv2d
from ml_backend.networks.xgan import (
    XGAN,
    Conv,
    ModulatedConv,
    WaveletDiscriminator,
    XGANConfig,
    doubled,
    mixed_styles,
    path_lengths,
)
from ml_backend.packaging import Package, save_package
from ml_backend.pipelines.generate import GeneratePipeline
from ml_backend.requests import PATTERN_TYPES, GenerateRequest
from ml_backend.training import read_recipe
from ml_backend.training.data.bank import shrunk
from ml_backend.training.data.photos import periodic, read_photos, square_pad
from ml_backend.training.distributed import alone
from ml_backend.training.gan import draw_batch, gradient_penalty, logistic
from ml_backend.training.run import Run
from ml_backend.training.xgan import Trainer, XGANRecipe, draw_designs, settled, train

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPES = Path(training.__file__).parent / "recipes"
TINY = XGANConfig(size=32, latent=8, embedding=4, width=12, mapping=2, capacity=128, widest=8)
CODED = XGANConfig(
    size=32,
    latent=8,
    embedding=4,
    width=12,
    mapping=2,
    capacity=128,
    widest=8,
    codes=5,
    neighbours=2,
    start="projected",
)
NETWORK = XGANConfig(size=16, latent=2, embedding=4, width=8, mapping=2, capacity=32, widest=4, neighbours=2, mix=0.3)
SMALL: dict[str, Any] = {
    "network": NETWORK,
    "discriminator_capacity": 32,
    "batches": (8,),
    "log_every": 1,
    "save_every": 3,
    "r1_every": 2,
    "path_length_every": 2,
}
LEARNED: dict[str, Any] = {**SMALL, "drawn": 3, "designs": 3, "warm_steps": 2, "discriminator_warmup": 1}
GROWING: dict[str, Any] = {**LEARNED, "batches": (8, 4), "growth": (2,)}
PLAIN: dict[str, Any] = {
    **SMALL,
    "drawn": 2,
    "designs": 2,
    "learn_codes": False,
    "warm_steps": 0,
    "discriminator_warmup": 0,
    "anchor": 0.0,
}


def lively(config: XGANConfig) -> XGAN:
    """A generator whose noise and biases are not zero, as after training."""
    torch.manual_seed(0)
    generator = XGAN(config).eval()
    for name, weight in generator.named_parameters():
        if name.endswith(("bias", "strength")):
            weight.data += 0.3 * torch.randn_like(weight)
    return generator


@torch.no_grad()
def painted(config: XGANConfig, count: int = 3) -> Tensor:
    generator = lively(config)
    z = torch.stack([generator.latent(label, 7) for label in range(count)])
    made: Tensor = generator(z, torch.arange(count))
    return made


# --- the wavelet ---


def test_the_wavelet_is_exact_and_keeps_energy() -> None:
    x = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    bands = wavelet.analyse(x)
    assert bands.shape == (2, 12, 4, 3)
    assert torch.allclose(wavelet.synthesise(bands), x, atol=1e-12, rtol=0)
    assert torch.allclose(bands.square().sum(), x.square().sum())


def test_the_wavelet_of_an_integer_image_is_exact_to_the_bit() -> None:
    x = torch.randint(-128, 128, (2, 3, 8, 8)).float()
    assert torch.equal(wavelet.synthesise(wavelet.analyse(x)), x)


def test_flat_cloth_has_only_a_low_band() -> None:
    bands = wavelet.analyse(torch.ones(1, 1, 4, 4))
    assert torch.equal(bands[0, 0], torch.full((2, 2), 2.0))
    assert not bands[0, 1:].any()


def test_the_bands_are_across_down_and_diagonal() -> None:
    block = torch.tensor([[[[1.0, 2.0], [4.0, 8.0]]]])
    assert wavelet.analyse(block).flatten().tolist() == [7.5, -2.5, -4.5, 1.5]


# --- the networks ---


def test_inks_cover_every_pixel_once() -> None:
    inks = painted(TINY)
    assert inks.shape == (3, 5, 32, 32)
    assert torch.allclose(inks.sum(dim=1), torch.ones(3, 32, 32), atol=1e-5)


def test_rgb_output_is_an_image() -> None:
    image = painted(XGANConfig(size=16, latent=8, embedding=4, width=12, capacity=32, widest=8, output="rgb"))
    assert image.shape == (3, 3, 16, 16)
    assert image.abs().max() <= 1


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024])
def test_every_size_builds(size: int) -> None:
    config = XGANConfig(size=size)
    with torch.device("meta"):
        generator, discriminator = XGAN(config), WaveletDiscriminator(config)
        styles = torch.zeros(4, generator.layers, config.width)
        x = generator.constant.expand(4, -1, -1, -1)
        logits = discriminator(torch.zeros(4, 3, size, size), torch.zeros(4, dtype=torch.long))
    assert generator.layers == 2 * len(generator.stages) == 2 * len(config.sides)
    assert config.sides[-1] == size // 2
    assert styles.shape == (4, generator.layers, 128)
    assert x.shape == (4, config.maps(4), 4, 4)
    assert logits.shape == (4,)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_every_size_paints(size: int) -> None:
    config = XGANConfig(size=size, latent=4, embedding=4, width=8, capacity=256, widest=4)
    assert painted(config, 1).shape == (1, 5, size, size)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 48},
        {"size": 4},
        {"output": "cmyk"},
        {"start": "noise"},
        {"truncation": 1.5},
        {"codes": 3, "neighbours": 3},
    ],
)
def test_an_impossible_config_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is"):
        XGANConfig(**wrong)
    with pytest.raises(BadPackage, match="unusable"):
        build("xgan", wrong)


def test_convolutions_wrap_around() -> None:
    torch.manual_seed(0)
    ours, plain = Conv(3, 5), WrapConv2d(3, 5)
    plain.weight.data, plain.bias.data = ours.weight.data * ours.gain, ours.bias.data  # type: ignore[union-attr]
    x = torch.randn(2, 3, 8, 8)
    assert torch.allclose(ours(x), plain(x), atol=1e-5)
    assert torch.allclose(ours(x.roll((3, 5), (2, 3))), ours(x).roll((3, 5), (2, 3)), atol=1e-5)


def test_doubling_wraps_around_and_keeps_the_mean() -> None:
    x = torch.randn(1, 2, 4, 4)
    assert doubled(x).shape == (1, 2, 8, 8)
    assert torch.allclose(doubled(x.roll(1, 3)), doubled(x).roll(2, 3), atol=1e-6)
    assert torch.allclose(doubled(x).mean(dim=(2, 3)), x.mean(dim=(2, 3)), atol=1e-6)


@pytest.mark.parametrize("start", ["constant", "projected"])
def test_shifted_first_maps_give_a_shifted_fabric(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the stride of the first maps the network commutes with shifts, so no border is a special place."""
    generator = lively(XGANConfig(size=32, latent=8, embedding=4, width=12, capacity=128, widest=8, start=start))
    for name, weight in generator.named_parameters():
        if name.endswith("strength"):
            weight.data.zero_()  # the noise stays where it is
    styles = generator.styles(generator.latent(2, 1)[None], torch.tensor([2]))
    with torch.no_grad():
        plain = generator.synthesise(styles)
        first = generator._first_maps(styles[:, 0])
        monkeypatch.setattr(generator, "_first_maps", lambda _: first.roll((1, 2), (2, 3)))
        shifted = generator.synthesise(styles)
    assert torch.allclose(shifted, plain.roll((8, 16), (2, 3)), atol=1e-4)
    assert not torch.allclose(shifted, plain, atol=1e-2)


def test_discriminator_commutes_with_shifts_until_its_last_layer() -> None:
    torch.manual_seed(0)
    discriminator = WaveletDiscriminator(TINY)
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        mapped, mapped_moved = (
            discriminator.blocks[1](discriminator.entries[2](seen)) for seen in (images, images.roll(8, 3))
        )
    assert torch.allclose(mapped_moved, mapped.roll(2, 3), atol=1e-4)


def test_demodulated_maps_have_unit_variance() -> None:
    torch.manual_seed(0)
    conv = ModulatedConv(32, 64, 16)
    conv.affine.weight.data *= 3
    x = torch.randn(8, 32, 32, 32)
    with torch.no_grad():
        made = conv(x, torch.randn(8, 16) * 4)
        plain = ModulatedConv(32, 64, 16, demodulate=False)
        plain.load_state_dict(conv.state_dict())
        loud = plain(x, torch.randn(8, 16) * 4)
    assert made.var(dim=(0, 2, 3)).mean().item() == pytest.approx(1, abs=0.05)
    assert loud.var() > 4


def test_modulation_is_that_of_each_images_own_kernels() -> None:
    """Equations 1 and 3, written out."""
    torch.manual_seed(0)
    conv = ModulatedConv(4, 6, 8)
    x, style = torch.randn(2, 4, 8, 8), torch.randn(2, 8)
    scales = conv.affine(style)
    for image, scale, made in zip(x, scales, conv(x, style), strict=True):
        kernels = conv.conv.weight * conv.conv.gain * scale[None, :, None, None]
        kernels = kernels / (kernels.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        padded = torch.nn.functional.pad(image[None], (1, 1, 1, 1), mode="circular")
        assert torch.allclose(made, torch.nn.functional.conv2d(padded, kernels)[0], atol=1e-5)


def test_noise_is_the_seeds_own() -> None:
    generator = lively(TINY)
    styles = generator.styles(generator.latent(0, 1)[None].expand(2, -1), torch.tensor([0, 0]))
    with torch.no_grad():
        two = generator.synthesise(styles, [3, 4])
        one = generator.synthesise(styles[:1], [4])
    assert not torch.allclose(two[0], two[1], atol=1e-3)
    assert torch.allclose(two[1], one[0], atol=1e-5)


def test_small_images_are_painted_by_the_first_stages() -> None:
    generator = lively(TINY)
    styles = generator.styles(generator.latent(0, 1)[None], torch.tensor([0]))
    assert generator.synthesise(styles, size=16).shape == (1, 5, 16, 16)
    assert WaveletDiscriminator(TINY)(torch.zeros(4, 3, 16, 16), torch.zeros(4, dtype=torch.long)).shape == (4,)


def test_the_class_changes_the_fabric() -> None:
    generator = lively(TINY)
    z = generator.latent(0, 1)[None]
    with torch.no_grad():
        assert not torch.allclose(generator(z, torch.tensor([0])), generator(z, torch.tensor([5])), atol=1e-3)


def test_the_discriminator_sees_the_class_and_sameness() -> None:
    torch.manual_seed(0)
    discriminator = WaveletDiscriminator(TINY)
    images, labels = torch.randn(4, 3, 32, 32), torch.zeros(4, dtype=torch.long)
    before = discriminator(images, labels + 1)
    torch.nn.init.normal_(discriminator.embedding.weight)
    assert not torch.allclose(discriminator(images, labels), discriminator(images, labels + 1))
    assert before.shape == (4,)
    alike = discriminator(images[:1].expand(4, -1, -1, -1), labels)
    assert not torch.allclose(alike[0], discriminator(images, labels)[0])


def test_truncation_pulls_towards_the_mean_of_the_class() -> None:
    generator = lively(TINY)
    generator.settle()
    labels = torch.tensor([3])
    z = generator.latent(3, 1)[None]
    whole, half, none = (generator.styles(z, labels, psi)[0, 0] for psi in (1.0, 0.5, 0.0))
    assert torch.allclose(none, generator.centres[3], atol=1e-6)
    assert torch.allclose(half, (whole + none) / 2, atol=1e-5)
    with torch.no_grad():
        of_class = generator.mapping(torch.randn(4000, 8), torch.full((4000,), 3)).mean(dim=0)
    assert torch.dist(of_class, generator.centres[3]) < 0.15 * torch.dist(of_class, whole)


def test_the_configs_truncation_is_used_when_serving() -> None:
    generator = lively(XGANConfig(**{**vars(TINY), "truncation": 0.0}))
    generator.settle()
    styles = torch.cat([generator.styles(generator.latent(3, seed)[None], torch.tensor([3])) for seed in (1, 2)])
    assert torch.allclose(styles[0], styles[1], atol=1e-6)


def test_mixed_styles_cross_over_once() -> None:
    first, second = torch.zeros(3, 6, 2), torch.ones(3, 6, 2)
    mixed = mixed_styles(first, second, torch.tensor([1, 4, 6]))
    assert mixed[:, :, 0].sum(dim=1).tolist() == [5, 2, 0]
    assert mixed[1, :, 0].tolist() == [0, 0, 0, 0, 1, 1]


def test_layout_and_drawing_belong_to_different_layers() -> None:
    generator = lively(TINY)
    assert generator.detail_layer == 2
    assert generator.layers == 6
    one, other = (generator.styles(generator.latent(0, seed)[None], torch.tensor([0])) for seed in (1, 2))
    mixed = torch.cat([one[:, :2], other[:, 2:]], dim=1)
    with torch.no_grad():
        small, small_mixed = (generator.synthesise(styles, size=8) for styles in (one, mixed))
        whole, whole_mixed = (generator.synthesise(styles) for styles in (one, mixed))
    assert torch.equal(small, small_mixed)
    assert not torch.allclose(whole, whole_mixed, atol=1e-3)


# --- the losses ---


def test_path_lengths_of_a_linear_map() -> None:
    """Of x = A w, J^T y is A^T y: the mean of its length squared over many y is the sum of squares of A over H W."""
    torch.manual_seed(0)
    a = torch.randn(3 * 4 * 4, 5)
    styles = torch.randn(6000, 1, 5, requires_grad=True)
    image = (styles[:, 0] @ a.T).view(-1, 3, 4, 4)
    noise = torch.randn(image.shape)
    lengths = path_lengths(image, styles, noise)
    assert lengths.square().mean().item() == pytest.approx((a.square().sum() / 16).item(), rel=0.03)
    assert torch.allclose(lengths[0], (a.T @ noise[0].flatten() / 4).norm(), rtol=1e-4)


def test_path_lengths_can_be_learned_from() -> None:
    generator = XGAN(TINY)
    styles = generator.styles(torch.randn(2, 8), torch.tensor([0, 1])).contiguous()
    image = generator.synthesise(styles)
    lengths = path_lengths(image, styles, torch.randn(image.shape))
    lengths.mean().backward()  # type: ignore[no-untyped-call]
    gradient = next(generator.mapping.layers.parameters()).grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


def test_r1_of_a_linear_critic() -> None:
    weight = torch.randn(3, 4, 4)
    images = torch.randn(5, 3, 4, 4, requires_grad=True)
    assert torch.allclose(gradient_penalty(images, (images * weight).sum(dim=(1, 2, 3))), weight.square().sum())


def test_the_logistic_loss() -> None:
    logits = torch.tensor([0.0, 2.0])
    assert logistic(logits, True).item() == pytest.approx(np.mean(np.log1p(np.exp([0, -2.0]))), abs=1e-6)
    assert logistic(logits, False).item() == pytest.approx(np.mean(np.log1p(np.exp([0, 2.0]))), abs=1e-6)


# --- the recipe ---


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"batches": (10,)}, "groups"),
        ({"growth": (5,)}, "one more"),
        ({"batches": (8, 8, 8), "growth": (9, 5)}, "rise"),
        ({"network": NETWORK, "batches": (8, 8, 8), "growth": (5, 9)}, "halvings"),
        ({"shares": (1.0,)}, "shares"),
        ({"drawn": 5}, "cannot be chosen"),
        ({"learn_codes": False}, "codes"),
        ({"photos": "somewhere"}, "no inks"),
        ({"fit": "stretch"}, "fit"),
    ],
)
def test_an_impossible_recipe_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        XGANRecipe(**wrong)


def test_the_shipped_recipes_can_be_read() -> None:
    found = sorted(RECIPES.glob("xgan*.json"))
    assert found
    assert all(read_recipe(path).recipe == "xgan" for path in found)


@pytest.mark.parametrize("fields", [LEARNED, GROWING, PLAIN])
def test_a_resumed_run_repeats_the_curve(tmp_path: Path, fields: dict[str, Any]) -> None:
    config, half = XGANRecipe(**fields, steps=6), XGANRecipe(**fields, steps=3)
    train(config, Run(tmp_path / "whole", config))
    train(half, Run(tmp_path / "resumed", half))
    train(config, Run(tmp_path / "resumed", config, resume=True))

    whole, resumed = (curve(tmp_path / name) for name in ("whole", "resumed"))
    assert len(whole) == 6
    assert resumed == whole
    assert any("path" in entry for entry in whole)
    assert any("r1" in entry for entry in whole)
    weights = [Package.load(tmp_path / name / "packages" / "000006").state_dict() for name in ("whole", "resumed")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert (tmp_path / "whole" / "samples" / "000006.png").exists()


def test_images_grow_with_the_steps() -> None:
    config = XGANRecipe(**GROWING)
    bank = draw_designs(config)
    small, large = (draw_batch(config, shrunk(bank, side), step, alone("cpu")) for step, side in ((1, 8), (2, 16)))
    assert [config.side(step) for step in (0, 1, 2, 5)] == [8, 8, 16, 16]
    assert small.real.shape == (8, 3, 8, 8)
    assert small.target.sum(dim=1).mean().item() == pytest.approx(1, abs=0.02)
    assert large.real.shape == (4, 3, 16, 16)


def test_the_warm_start_learns_the_designs() -> None:
    config = XGANRecipe(**{**LEARNED, "warm_steps": 60}, steps=60)
    trainer = Trainer(config, draw_designs(config), alone("cpu"))
    losses = [trainer.step(step)["anchor"] for step in range(60)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_the_rgb_recipe_trains(tmp_path: Path) -> None:
    config = XGANRecipe(**{**LEARNED, "network": replace(NETWORK, output="rgb")}, steps=4)
    train(config, Run(tmp_path / "rgb", config))
    network = Package.load(tmp_path / "rgb" / "packages" / "000004").network()
    made = network(torch.zeros(1, 2), torch.tensor([PATTERN_TYPES.index("plaid")]))
    assert made.shape == (1, 3, 16, 16)
    assert bool(torch.isfinite(made).all())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, count in (("plaid", 6), ("dotted", 2), ("checkered", 1)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(count):
            pixels = rng.integers(0, 256, (24, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"cloth-{index}x.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_photographs_train_an_rgb_network(tmp_path: Path, photos: Path, fit: str) -> None:
    shares = tuple(float(name in ("plaid", "dotted")) for name in PATTERN_TYPES)
    network = replace(NETWORK, output="rgb")
    fields = {**LEARNED, "network": network, "photos": str(photos), "fit": fit, "shares": shares}
    config = XGANRecipe(**fields, steps=4)
    bank = draw_designs(config)
    assert bank.inks.shape == (10, 3, 3, 16, 16)
    assert bank.inks[PATTERN_TYPES.index("plaid")].std() > 10
    assert not bank.inks[PATTERN_TYPES.index("floral")].any()
    batch = draw_batch(config, bank, 3, alone("cpu"))
    assert set(batch.labels.tolist()) <= {PATTERN_TYPES.index("plaid"), PATTERN_TYPES.index("dotted")}
    assert torch.equal(batch.real, batch.target)
    train(config, Run(tmp_path / "run", config))
    assert (tmp_path / "run" / "packages" / "000004" / "weights.safetensors").exists()


def test_a_type_without_photographs_needs_a_share_of_nothing(photos: Path) -> None:
    with pytest.raises(BadInput, match="no photos of the type 'floral'"):
        read_photos(photos, 2, 16)


def test_periodic_cloth_has_no_jump_at_its_border() -> None:
    rng = np.random.default_rng(0)
    weave = rng.normal(size=(32, 48, 3)).astype(np.float32)
    lit = weave + np.linspace(0, 50, 32, dtype=np.float32)[:, None, None]
    whole = periodic(lit)
    assert np.abs(lit[0] - lit[-1]).mean() > 45
    assert np.abs(whole[0] - whole[-1]).mean() < 3
    assert whole.mean() == pytest.approx(lit.mean(), abs=1e-3)


def test_what_is_periodic_already_stays() -> None:
    wave = np.sin(2 * np.pi * np.arange(64) / 64, dtype=np.float32)[:, None, None].repeat(64, 1)
    assert np.abs(periodic(wave) - wave).max() < 0.06


def test_square_padding_mirrors_the_cloth() -> None:
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    squared = square_pad(image)
    assert squared.shape == (6, 6, 3)
    assert np.array_equal(squared[1:5], image)
    assert np.array_equal(squared[0], image[0])


def test_a_run_can_start_from_a_package(tmp_path: Path) -> None:
    first = XGANRecipe(**LEARNED, steps=3)
    train(first, Run(tmp_path / "first", first))
    start = tmp_path / "first" / "packages" / "000003"
    second = XGANRecipe(**LEARNED, steps=4, start_from=str(start))
    weights = Trainer(second, draw_designs(second), alone("cpu")).generator.state_dict()
    expected = Package.load(start).state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    more = XGANRecipe(**{**LEARNED, "drawn": 5, "designs": 5}, steps=4, start_from=str(start))
    generator = Trainer(more, draw_designs(more), alone("cpu")).generator
    assert generator.codes is not None
    assert generator.codes.shape == (10, 5, 2)
    assert torch.equal(generator.constant, expected["constant"])
    wider = XGANRecipe(**{**LEARNED, "network": replace(NETWORK, widest=8)}, steps=4, start_from=str(start))
    with pytest.raises(BadInput, match="start"):
        Trainer(wider, draw_designs(wider), alone("cpu"))


# --- served ---


def served(path: Path, config: XGANConfig) -> GeneratePipeline:
    generator = settled(lively(config))
    package = save_package(
        path,
        name="tiny-x",
        capability="generate",
        architecture="xgan",
        config=config,
        state_dict=generator.state_dict(),
    )
    return GeneratePipeline(package)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> GeneratePipeline:
    return served(tmp_path_factory.mktemp("served"), CODED)


def test_it_serves_generate(pipeline: GeneratePipeline) -> None:
    assert isinstance(pipeline.generator, XGAN)
    assert isinstance(pipeline.generator, FabricGenerator)
    first, again = (pipeline(GenerateRequest("floral", 7, size=64)) for _ in range(2))
    other = pipeline(GenerateRequest("floral", 8, size=64))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.inks.shape == (5, 64, 64)
    assert not np.array_equal(first.inks, other.inks)
    assert first.model is not None
    assert first.model.startswith("tiny-x@")


def test_its_tiles_have_no_seam(pipeline: GeneratePipeline) -> None:
    fabrics = [pipeline(GenerateRequest("striped", seed, size=128)) for seed in range(4)]
    assert max(seam_ratio(fabric.image) for fabric in fabrics) <= 1.1


def test_its_rgb_tiles_are_split_into_inks(tmp_path: Path) -> None:
    fabric = served(tmp_path, XGANConfig(**{**vars(CODED), "output": "rgb"}))(GenerateRequest("dotted", 1, size=32))
    assert fabric.inks.shape == (5, 32, 32)
    assert np.allclose(fabric.inks.sum(axis=0), 1, atol=1e-3)


MOVES: list[dict[str, Any]] = [
    {"vary_of": 4, "vary_amount": 0.5},
    {"morph_to": 4, "morph_amount": 0.4},
    {"morph_to": 4, "morph_amount": 0.4, "morph_type": "plaid"},
    {"detail_of": 4},
    {"vary_of": 4, "vary_amount": 0.5, "morph_to": 9, "morph_amount": 0.4, "colours_of": 3, "detail_of": 8},
]


@pytest.mark.parametrize("moves", MOVES)
def test_moves_are_repeated_exactly(pipeline: GeneratePipeline, moves: dict[str, Any]) -> None:
    first, again = (pipeline(GenerateRequest("floral", 1, size=32, **moves)) for _ in range(2))
    assert first.image.tobytes() == again.image.tobytes()
    assert not np.array_equal(first.inks, pipeline(GenerateRequest("floral", 1, size=32)).inks)


def test_a_morph_reaches_both_ends(pipeline: GeneratePipeline) -> None:
    start, end = pipeline(GenerateRequest("floral", 1, size=32)), pipeline(GenerateRequest("plaid", 4, size=32))
    at_start, at_end = (
        pipeline(GenerateRequest("floral", 1, size=32, morph_to=4, morph_type="plaid", morph_amount=amount))
        for amount in (0.0, 1.0)
    )
    assert at_start.image.tobytes() == start.image.tobytes()
    assert at_end.image.tobytes() == end.image.tobytes()


def test_a_network_of_one_stage_cannot_mix(tmp_path: Path) -> None:
    flat = served(tmp_path, XGANConfig(size=8, latent=8, embedding=4, width=12, widest=8))
    with pytest.raises(BadInput, match="too small"):
        flat(GenerateRequest("floral", 1, size=32, detail_of=4))


def curve(run_dir: Path) -> list[dict[str, float]]:
    entries = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]
