"""The seamless DCGAN: networks, augmentation, and a tiny run that resumes exactly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ml_backend import training
from ml_backend.errors import BadInput
from ml_backend.networks.dcgan import DCGANConfig, Discriminator, Generator, compose
from ml_backend.networks.latents import slerp
from ml_backend.networks.wrap import WrapConv2d, WrapConvTranspose2d, roll_each
from ml_backend.packaging import Package
from ml_backend.requests import PATTERN_TYPES
from ml_backend.training import read_recipe
from ml_backend.training.augment import augment
from ml_backend.training.data.bank import Bank, boldest, centred, spectral_codes
from ml_backend.training.dcgan import DCGANRecipe, Trainer, train
from ml_backend.training.distributed import alone
from ml_backend.training.gan import draw_designs, draw_types
from ml_backend.training.run import Run

RECIPES = Path(training.__file__).parent / "recipes"
TINY = DCGANConfig(size=16, latent=8, embedding=4, maps=4)
NETWORK = DCGANConfig(size=16, latent=2, embedding=4, maps=4, neighbours=2, mix=0.3)
SMALL: dict[str, Any] = {
    "network": NETWORK,
    "discriminator_maps": 4,
    "batch": 8,
    "log_every": 1,
    "save_every": 3,
    "drawn": 3,
}
CODED: dict[str, Any] = {**SMALL, "designs": 3, "warm_steps": 2, "discriminator_warmup": 1, "r1_every": 2}
PLAIN: dict[str, Any] = {**SMALL, "designs": 2, "learn_codes": False, "warm_steps": 0, "anchor": 0.0}


def painted(config: DCGANConfig, count: int = 3) -> torch.Tensor:
    torch.manual_seed(0)
    generator = Generator(config).eval()
    with torch.no_grad():
        result: torch.Tensor = generator(torch.randn(count, config.latent), torch.arange(count))
    return result


@pytest.mark.parametrize("layer", [WrapConv2d(3, 5), WrapConv2d(3, 5, kernel=4, stride=2), WrapConvTranspose2d(3, 5)])
def test_layers_commute_with_wrap_around_shifts(layer: nn.Module) -> None:
    x = torch.randn(1, 3, 8, 8)
    plain = layer(x)
    factor = plain.shape[2] / x.shape[2]
    shifted = layer(x.roll((2, 4), (2, 3)))
    assert torch.allclose(shifted, plain.roll((round(2 * factor), round(4 * factor)), (2, 3)), atol=1e-5)


def test_transposed_layer_is_the_plain_one_away_from_the_border() -> None:
    layer = WrapConvTranspose2d(3, 5)
    x = torch.randn(1, 3, 8, 8)
    zero_padded = nn.functional.conv_transpose2d(x, layer.weight, layer.bias, stride=2, padding=1)
    made = layer(x)
    assert made.shape == (1, 5, 16, 16)
    assert torch.allclose(made[..., 1:-1, 1:-1], zero_padded[..., 1:-1, 1:-1], atol=1e-5)
    assert not torch.allclose(made, zero_padded, atol=1e-3)


def test_a_kernel_that_cannot_be_centred_is_refused() -> None:
    with pytest.raises(ValueError, match="centred"):
        WrapConv2d(3, 5, kernel=4, stride=1)


def test_roll_each_shifts_every_image_by_its_own_amount() -> None:
    x = torch.randn(2, 3, 8, 8)
    moved = roll_each(x, torch.tensor([1, 0]), torch.tensor([0, 5]))
    assert torch.equal(moved[0], x[0].roll(1, 1))
    assert torch.equal(moved[1], x[1].roll(5, 2))


def test_inks_cover_every_pixel_once() -> None:
    inks = painted(TINY)
    assert inks.shape == (3, 5, 16, 16)
    assert torch.allclose(inks.sum(dim=1), torch.ones(3, 16, 16), atol=1e-5)


def test_rgb_output_is_an_image() -> None:
    image = painted(DCGANConfig(size=16, latent=8, embedding=4, maps=4, output="rgb"))
    assert image.shape == (3, 3, 16, 16)
    assert image.abs().max() <= 1


@pytest.mark.parametrize("wrong", [{"size": 48}, {"size": 4}, {"output": "cmyk"}])
def test_an_impossible_config_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is"):
        DCGANConfig(**wrong)  # type: ignore[arg-type]


def test_discriminator_sees_the_class() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(TINY)
    nn.init.normal_(discriminator.embedding.weight)
    images = torch.randn(4, 3, 16, 16)
    first, second = (discriminator(images, torch.full((4,), label)) for label in (0, 1))
    assert first.shape == (4,)
    assert not torch.allclose(first, second)


def test_discriminator_sees_a_group_without_variety() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(TINY)
    images = torch.randn(4, 3, 16, 16)
    labels = torch.zeros(4, dtype=torch.int64)
    among_others = discriminator(images, labels)[0]
    among_copies = discriminator(images[:1].expand(4, -1, -1, -1), labels)[0]
    assert not torch.isclose(among_others, among_copies)


def test_compose_mixes_the_palette() -> None:
    inks = torch.tensor([1.0, 0.0, 0.5, 0.5]).reshape(2, 2, 1, 1)
    palettes = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]).expand(2, 2, 3)
    assert compose(inks, palettes).flatten(1).tolist() == [[1.0, -1.0, -1.0], [0.0, -1.0, 0.0]]


@pytest.mark.parametrize("codes", [0, 5])
def test_latent_is_a_function_of_label_and_seed(codes: int) -> None:
    torch.manual_seed(0)
    generator = Generator(DCGANConfig(size=16, latent=8, embedding=4, maps=4, codes=codes, neighbours=2))
    assert torch.equal(generator.latent(3, 7), generator.latent(3, 7))
    assert not torch.equal(generator.latent(3, 7), generator.latent(3, 8))


def test_coded_latents_lie_between_a_code_and_a_neighbour() -> None:
    generator = Generator(DCGANConfig(size=16, latent=2, embedding=4, maps=4, codes=3, neighbours=1, noise=0.0))
    assert generator.codes is not None
    generator.codes.data[4] = torch.tensor([[0.0, 0.0], [1.0, 0.0], [10.0, 10.0]])
    drawn = torch.stack([generator.latent(4, seed) for seed in range(60)])
    on_first_pair = (drawn[:, 1] == 0) & (drawn[:, 0] >= 0) & (drawn[:, 0] <= 1)
    from_the_far_code = drawn.sum(dim=1) >= 10  # no further than half of the way to (1, 0)
    assert bool((on_first_pair | from_the_far_code).all())
    assert 0 < int(from_the_far_code.sum()) < 60


def test_slerp_keeps_the_length() -> None:
    start, end = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    assert torch.allclose(slerp(start, end, 0.5), torch.full((2,), 2**0.5))
    assert torch.allclose(slerp(start, start, 0.5), start)


def test_a_variation_without_codes_ends_at_its_own_seed() -> None:
    generator = Generator(TINY)
    assert torch.allclose(generator.varied_latent(0, 2, of=1, amount=0.0), generator.latent(0, 1), atol=1e-5)
    assert torch.allclose(generator.varied_latent(0, 2, of=1, amount=1.0), generator.latent(0, 2), atol=1e-5)


@pytest.mark.parametrize(
    "name", ["dcgan.json", "dcgan-finish.json", "dcgan-rgb.json", "classifier.json", "classifier-finish.json"]
)
def test_the_shipped_recipes_can_be_read(name: str) -> None:
    assert read_recipe(RECIPES / name).recipe == name.split(".")[0].split("-")[0]


def test_augmentation_only_moves_pixels_and_passes_gradients() -> None:
    images = torch.randn(6, 3, 8, 8, requires_grad=True)
    moved = augment(images, ("shift", "flip", "turn"), torch.Generator().manual_seed(1))
    assert torch.allclose(moved.flatten(2).sort().values, images.flatten(2).sort().values)
    assert not torch.equal(moved, images)
    moved.sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None
    assert torch.equal(images.grad, torch.ones_like(images))


def test_augmentation_is_a_function_of_its_generator() -> None:
    images = torch.randn(6, 3, 8, 8)
    first, again, other = (
        augment(images, ("shift", "colour"), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_unknown_augmentation_is_refused() -> None:
    with pytest.raises(BadInput, match="tear"):
        augment(torch.zeros(1, 3, 8, 8), ("tear",), torch.Generator())


def test_batches_follow_the_shares() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_types(64, 4, (3.0, *(1.0,) * 9), rng) for _ in range(300)]
    shares = np.mean([np.bincount(types, minlength=10) / 64 for types in drawn], axis=0)
    assert shares[0] == pytest.approx(3 / 12, abs=0.02)
    assert shares[5] == pytest.approx(1 / 12, abs=0.02)


@pytest.mark.parametrize(
    "wrong", [{"batch": 10, "group": 4}, {"shares": (1.0, 2.0)}, {"drawn": 50}, {"learn_codes": False}]
)
def test_an_impossible_recipe_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        DCGANRecipe(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", [CODED, PLAIN])
def test_a_resumed_run_repeats_the_curve(tmp_path: Path, fields: dict[str, Any]) -> None:
    config, half = DCGANRecipe(**fields, steps=6), DCGANRecipe(**fields, steps=3)
    train(config, Run(tmp_path / "whole", config))
    train(half, Run(tmp_path / "resumed", half))
    train(config, Run(tmp_path / "resumed", config, resume=True))

    whole, resumed = (curve(tmp_path / name) for name in ("whole", "resumed"))
    assert len(whole) == 6
    assert resumed == whole
    weights = [Package.load(tmp_path / name / "packages" / "000006").state_dict() for name in ("whole", "resumed")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert (tmp_path / "whole" / "samples" / "000006.png").exists()


@pytest.mark.parametrize("fields", [CODED, PLAIN])
def test_the_rgb_recipe_trains(tmp_path: Path, fields: dict[str, Any]) -> None:
    config = DCGANRecipe(**{**fields, "network": replace(NETWORK, output="rgb")}, steps=4)
    train(config, Run(tmp_path / "rgb", config))
    network = Package.load(tmp_path / "rgb" / "packages" / "000004").network()
    made = network(torch.zeros(1, 2), torch.tensor([PATTERN_TYPES.index("plaid")]))
    assert made.shape == (1, 3, 16, 16)
    assert bool(torch.isfinite(made).all())


def test_a_run_can_start_from_a_package(tmp_path: Path) -> None:
    first = DCGANRecipe(**CODED, steps=3)
    train(first, Run(tmp_path / "first", first))
    start = tmp_path / "first" / "packages" / "000003"
    second = DCGANRecipe(**CODED, steps=4, start_from=str(start))
    weights = Trainer(second, draw_designs(second), alone("cpu")).generator.state_dict()
    expected = Package.load(start).state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected if expected[name].is_floating_point())


def test_a_start_of_another_shape_is_refused(tmp_path: Path) -> None:
    first = DCGANRecipe(**CODED, steps=3)
    train(first, Run(tmp_path / "first", first))
    start = str(tmp_path / "first" / "packages" / "000003")
    wider = DCGANRecipe(**{**CODED, "network": replace(NETWORK, maps=8)}, steps=3, start_from=start)
    with pytest.raises(BadInput, match="start"):
        train(wider, Run(tmp_path / "second", wider))


def test_the_warm_start_learns_the_designs(tmp_path: Path) -> None:
    config = DCGANRecipe(**{**CODED, "warm_steps": 80}, steps=80)
    train(config, Run(tmp_path / "run", config))
    losses = [entry["anchor"] for entry in curve(tmp_path / "run")]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    assert not any("d_loss" in entry for entry in curve(tmp_path / "run"))


def test_like_designs_get_like_first_codes() -> None:
    stripes = np.zeros((1, 3, 5, 16, 16), np.uint8)
    stripes[0, 0, 1, :, ::2] = stripes[0, 1, 1, :, 1::2] = stripes[0, 2, 1, :8] = 255
    codes = spectral_codes(Bank(stripes, np.zeros((1, 1, 5, 3), np.float32)), 2)[0]
    assert torch.dist(codes[0], codes[1]) < 0.1 * torch.dist(codes[0], codes[2])


def test_the_boldest_designs_are_kept() -> None:
    designs = np.zeros((1, 3, 5, 16, 16), np.uint8)
    designs[0, 0, 1, :, ::2] = designs[0, 1, 1, :, :8] = designs[0, 2, 1, :6] = 255  # hair lines and two broad bands
    bank = Bank(designs, np.zeros((1, 1, 5, 3), np.float32))
    assert np.array_equal(boldest(bank, 2).inks, designs[:, 1:])


def test_centred_designs_are_the_same_designs_shifted() -> None:
    bank = Bank(np.zeros((1, 1, 5, 16, 16), np.uint8), np.zeros((1, 1, 5, 3), np.float32))
    bank.inks[0, 0, 0] = 255
    bank.inks[0, 0, :2, 0, 3] = 0, 255
    moved = centred(bank).inks[0, 0]
    assert moved[1, 8, 8] == 255
    assert moved[1].sum() == 255


def curve(run_dir: Path) -> list[dict[str, float]]:
    entries = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]
