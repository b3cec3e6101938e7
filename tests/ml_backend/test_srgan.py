"""The SRGAN networks and their recipe, on tiny seeded networks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.networks import build
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.networks.srgan import SRDiscriminator, SRGANConfig, SRResNet, UpStage, VGGFeatures, bicubic, folded, pad
from ml_backend.packaging import Package, save_package
from ml_backend.training import RECIPES, read_recipe, srgan
from ml_backend.training.data import bank as bank_module
from ml_backend.training.data import pairs as pairs_module
from ml_backend.training.data.bank import draw_bank
from ml_backend.training.data.folder import FolderImage
from ml_backend.training.data.pairs import Pairs
from ml_backend.training.distributed import alone
from ml_backend.training.run import Run

TINY = SRGANConfig(scale=4, blocks=2, maps=8)


def network(config: SRGANConfig = TINY) -> SRResNet:
    torch.manual_seed(0)
    return SRResNet(config).eval()


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_shapes(scale: int) -> None:
    lr = torch.rand(2, 3, 12, 9)
    assert network(SRGANConfig(scale=scale, blocks=1, maps=4))(lr).shape == (2, 3, 12 * scale, 9 * scale)


def test_the_defaults_are_the_papers() -> None:
    default = SRResNet(SRGANConfig())
    parameters = sum(parameter.numel() for parameter in default.parameters())
    # 9x9 head, 16 blocks of two 3x3 convolutions with norms, trunk, two stages to 256 maps, 9x9 tail
    convolutions = (3 * 81 * 64 + 64) + 33 * (64 * 64 * 9 + 64) + 2 * (64 * 256 * 9 + 256) + (64 * 81 * 3 + 3)
    assert parameters == convolutions + 33 * 2 * 64 + (1 + 16 + 2)


@pytest.mark.parametrize("bad", [{"scale": 3}, {"blocks": 0}, {"scale": 8, "tail": (8, 8)}, {"width": 3}])
def test_an_unusable_config_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadPackage):
        build("srgan", bad)


@pytest.mark.parametrize("residual", [False, True])
def test_wrapping_commutes_with_shifts(residual: bool) -> None:
    net = network(replace(TINY, residual=residual))
    lr = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        moved = net(lr.roll((5, -3), dims=(2, 3)), wrap=True)
        expected = net(lr, wrap=True).roll((20, -12), dims=(2, 3))
        assert torch.allclose(moved, expected, atol=1e-5)
        assert not torch.allclose(net(lr), net(lr, wrap=True), atol=1e-3), "padding is the call's choice"


def test_wrap_can_be_the_configs_choice() -> None:
    plain, wrapping = network(), network(replace(TINY, wrap=True))
    lr = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(wrapping(lr), plain(lr, wrap=True))
        assert torch.equal(wrapping(lr, wrap=False), plain(lr))


def test_wrapping_is_torchs_and_keeps_channels_last() -> None:
    x = torch.rand(2, 3, 6, 5).contiguous(memory_format=torch.channels_last)
    wrapped = pad(x, 4, wrap=True)
    assert torch.equal(wrapped, F.pad(x, (4, 4, 4, 4), mode="circular"))
    assert wrapped.is_contiguous(memory_format=torch.channels_last)


def test_a_tail_before_the_shuffle_is_the_same_tail() -> None:
    maps, kernel = torch.rand(1, 12, 8, 6), torch.rand(3, 3, 9, 9)
    after = F.conv2d(pad(F.pixel_shuffle(maps, 2), 4, wrap=True), kernel)
    before = F.pixel_shuffle(F.conv2d(pad(maps, 2, wrap=True), folded(kernel)), 2)
    torch.testing.assert_close(before, after)


def test_a_tile_is_made_as_its_surroundings_would_have_it() -> None:
    net, lr = network(), torch.rand(1, 3, 12, 12)
    reach = net.config.reach
    repeated = pad(lr, 12, wrap=True)
    assert reach <= 12
    around = net(repeated, wrap=False)[..., 48:-48, 48:-48]  # another path through the tail
    torch.testing.assert_close(net(lr, wrap=True), around)


def test_reach_is_how_far_an_output_pixel_sees() -> None:
    config = SRGANConfig(scale=4, blocks=2, maps=4, norm=False)
    net = network(config)
    lr = torch.rand(1, 3, 41, 41, requires_grad=True)
    net(lr)[0, :, 82:86, 82:86].sum().backward()
    assert lr.grad is not None
    seen = lr.grad[0].abs().sum(dim=0).nonzero()
    assert 20 - config.reach <= seen.min() <= 20 - config.reach + 2
    assert seen.max() <= 21 + config.reach


def test_pixel_shuffle_starts_without_a_checkerboard() -> None:
    torch.manual_seed(0)
    stage = UpStage(6, 5)
    with torch.no_grad():
        out = stage(torch.rand(1, 6, 7, 7), False)
    blocks = out.reshape(1, 5, 7, 2, 7, 2)
    assert torch.allclose(blocks, blocks[:, :, :, :1, :, :1].expand_as(blocks), atol=1e-6)


def test_residual_starts_at_bicubic() -> None:
    lr = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        made = network(replace(TINY, norm=False, residual=True))(lr)
    assert (made - bicubic(lr, 4)).abs().max() < 0.1


def test_bicubic_agrees_with_torch_inside() -> None:
    lr = torch.rand(1, 3, 10, 10)
    plain = F.interpolate(lr, scale_factor=4, mode="bicubic", align_corners=False)
    assert torch.allclose(bicubic(lr, 4), plain, atol=1e-5)


def test_the_discriminator_judges_one_number_an_image() -> None:
    judge = SRDiscriminator(patch=32, maps=4)
    assert judge(torch.rand(3, 3, 32, 32)).shape == (3,)
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in judge.modules()) == 8
    with pytest.raises(ValueError, match="multiple of 16"):
        SRDiscriminator(patch=40)


def test_vgg_features_take_a_torchvision_state_dict() -> None:
    from torchvision.models.vgg import cfgs, make_layers

    with torch.device("meta"):
        shapes = {key: value.shape for key, value in make_layers(cfgs["E"]).state_dict().items()}
    state = {f"features.{key}": torch.full(shape, 0.01) for key, shape in shapes.items()}
    network = VGGFeatures(state | {"classifier.0.weight": torch.zeros(1)})
    (features,) = network(torch.rand(1, 3, 32, 32))
    assert features.shape == (1, 512, 2, 2)
    assert torch.equal(network.layers[34].weight, state["features.34.weight"])
    assert not any(parameter.requires_grad for parameter in network.parameters())


# --- pairs ---


@pytest.fixture
def bank_pairs() -> Pairs:
    return Pairs(draw_bank(1, 64, 5), [], scale=4, patch=32, real_share=0.5)


def test_a_batch_is_a_function_of_its_generator(bank_pairs: Pairs) -> None:
    first, again, other = (bank_pairs.batch(np.random.default_rng([0, step]), 6) for step in (1, 1, 2))
    assert first[0].shape == (6, 3, 8, 8)
    assert first[1].shape == (6, 3, 32, 32)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])
    assert all(0 <= value <= 1.001 for part in first for value in (float(part.min()), float(part.max())))


def test_low_resolution_is_the_reduced_high_resolution(bank_pairs: Pairs) -> None:
    lr, hr = bank_pairs.batch(np.random.default_rng(3), 12)
    assert (lr - F.avg_pool2d(hr, 4)).abs().mean() < 0.06
    assert (lr.mean(dim=(1, 2, 3)) - hr.mean(dim=(1, 2, 3))).abs().max() < 0.02


def test_real_pictures_join(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (255, 0, 255)).save(tmp_path / "large.png")
    Image.new("RGB", (20, 20), (0, 255, 0)).save(tmp_path / "small.png")
    real = [FolderImage(tmp_path / name, "x") for name in ("large.png", "small.png")]
    made = Pairs(draw_bank(1, 32, 5), real, scale=4, patch=32, real_share=1.0)
    _, hr = made.batch(np.random.default_rng(0), 8)
    assert torch.equal(hr.sum(dim=1), torch.full((8, 32, 32), 2.0)), "too small ones are left out"
    assert len({tuple(picture[:, 0, 0].tolist()) for picture in hr}) > 1, "some are in other colours"


def test_dreamed_planes_stray_a_little_from_the_reduction() -> None:
    bank = draw_bank(1, 64, 5)
    inks = torch.from_numpy(bank.inks[0, 0][None]).float() / 255
    plain = F.avg_pool2d(inks, 4)
    made = pairs_module.dreamlike(inks, 4, np.random.default_rng(0))
    assert made.shape == plain.shape
    assert torch.allclose(made.sum(dim=1), torch.ones(1, 16, 16), atol=1e-5)
    assert 1e-3 < (made - plain).abs().mean() < 0.1


def test_poorly_taken_pictures_are_recognisable() -> None:
    hr = F.interpolate(torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0)), scale_factor=8.0)
    made = pairs_module.poorly_taken(hr, 4, np.random.default_rng(0))
    plain = F.avg_pool2d(hr, 4)
    assert made.shape == plain.shape
    assert 1e-3 < (made - plain).abs().mean() < 0.15


def test_spoilt_shares_are_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    for name in ("dreamlike", "poorly_taken", "degrade"):
        monkeypatch.setattr(
            pairs_module, name, lambda hr, scale, rng, name=name: called.append(name) or F.avg_pool2d(hr, scale)
        )
    pairs = Pairs(draw_bank(1, 64, 5), [], scale=4, patch=32, real_share=0, dream_share=1, poor_share=1)
    lr, hr = pairs.batch(np.random.default_rng(0), 12)
    assert set(called) == {"dreamlike", "poorly_taken"}
    assert torch.equal(lr, F.avg_pool2d(hr, 4)), "both sides show the same planes"


def test_turns_are_the_eight_symmetries() -> None:
    square = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    rng = np.random.default_rng(0)
    assert len({pairs_module.turn(square, rng).tobytes() for _ in range(200)}) == 8


# --- the recipe ---

RECIPE = srgan.SRGANRecipe(
    network=SRGANConfig(blocks=1, maps=8, residual=True, norm=False),
    **{
        "discriminator_maps": 2,
        "batch": 2,
        "patch": 32,
        "discriminator_patch": 16,
        "border": 4,
        "steps": 6,
        "content_steps": 3,
        "designs": 1,
        "design_size": 64,
        "rate": 1e-3,
        "pixel": 1.0,
    },
    **{"log_every": 1, "save_every": 2, "sample_every": 3, "ema": 0.5, "seed": 4},
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks are fastest alone: threads that wait for each other only fight over busy cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def few_palettes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_module, "PALETTES", 3)


@pytest.fixture(autouse=True)
def tiny_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Content features of an untrained classifier: the recipe's arithmetic is tested, not the starter's taste."""
    torch.manual_seed(0)
    classifier = PatternClassifier(ClassifierConfig(maps=(4, 8))).eval().requires_grad_(False)
    monkeypatch.setattr(srgan, "content_features", lambda vgg, device: classifier.features)


@pytest.mark.parametrize("relativistic", [False, True])
def test_resuming_repeats_the_same_curve(tmp_path: Path, relativistic: bool) -> None:
    recipe = replace(RECIPE, relativistic=relativistic, dream_share=0.5, poor_share=0.5, second_rate=1e-4)
    srgan.train(recipe, Run(tmp_path / "whole", recipe))
    calls = iter(range(100))
    with pytest.raises(Stopped):
        srgan.train(recipe, Run(tmp_path / "cut", recipe), should_stop=lambda: next(calls) == 5)
    srgan.train(recipe, Run(tmp_path / "cut", recipe, resume=True))
    whole, cut = (curve(tmp_path / name) for name in ("whole", "cut"))
    assert [entry["step"] for entry in whole] == [1, 2, 3, 4, 5, 6]
    assert set(whole[0]) == {"step", "pixel"}
    assert set(whole[-1]) == {"step", "pixel", "content", "fooled", "judge"}
    assert whole == cut
    a, b = (srgan.export(tmp_path / name, tmp_path / f"{name}.out", "x").state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert {path.name for path in (tmp_path / "whole" / "samples").iterdir()} == {"000003.png", "000006.png"}


def curve(run_dir: Path) -> list[dict[str, float]]:
    entries = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def test_the_content_phase_learns(tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=60, content_steps=60, log_every=1, save_every=60, sample_every=60)
    srgan.train(recipe, Run(tmp_path, recipe))
    losses = [entry["pixel"] for entry in curve(tmp_path)]
    assert np.mean(losses[-20:]) < np.mean(losses[:20])


def test_both_phases_can_be_packaged(tmp_path: Path) -> None:
    srgan.train(RECIPE, Run(tmp_path / "run", RECIPE))
    final = srgan.export(tmp_path / "run", tmp_path / "gan", "tiny", licence="MIT")
    before = srgan.export(tmp_path / "run", tmp_path / "psnr", "tiny-psnr", blend=0)
    assert Package.load(tmp_path / "gan").manifest.capability == "upscale"
    assert isinstance(final.network(), SRResNet)
    halfway = srgan.export(tmp_path / "run", tmp_path / "mix", "tiny-mix", blend=0.5)
    a, b, mixed = final.state_dict(), before.state_dict(), halfway.state_dict()
    assert any(not torch.equal(a[key], b[key]) for key in a)
    assert all(torch.allclose(mixed[key], (a[key] + b[key]) / 2, atol=1e-3) for key in a), "stored as float16"


def no_batches(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    raise AssertionError(f"Nobody trains here, so step {step} asks for nothing.")


def test_the_contest_is_lost_when_made_looks_better() -> None:
    logits = torch.tensor([3.0, 3.0]), torch.tensor([-3.0, -3.0])
    for relativistic in (False, True):
        trainer = srgan.Trainer(replace(RECIPE, relativistic=relativistic), alone("cpu"), no_batches)
        assert trainer._contest(*logits) < 0.1 < 3 < trainer._contest(*reversed(logits))


def test_windows_lie_between_the_borders_at_even_and_odd_offsets() -> None:
    rng = np.random.default_rng(0)
    places = [srgan._window(RECIPE, rng)[1:] for _ in range(60)]
    assert all(RECIPE.border <= part.start < part.stop <= RECIPE.patch - RECIPE.border for at in places for part in at)
    assert all(part.stop - part.start == RECIPE.discriminator_patch for at in places for part in at)
    assert {rows.start % 2 for rows, _ in places} == {columns.start % 2 for _, columns in places} == {0, 1}


def test_the_second_phase_has_its_own_rate() -> None:
    trainer = srgan.Trainer(replace(RECIPE, second_rate=1e-5, halve_every=2), alone("cpu"), no_batches)
    rates = []
    for step in (0, 2, 3):
        trainer._set_rate(step)
        rates.append(trainer.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 5e-4, 1e-5])


def test_a_warm_start_takes_what_fits(tmp_path: Path) -> None:
    x8 = network(SRGANConfig(scale=8, blocks=1, maps=8))
    save_package(
        *[tmp_path],
        name="x8",
        capability="upscale",
        architecture="srgan",
        config=x8.config,
        state_dict=x8.state_dict(),
        half=False,
    )
    x4 = network(SRGANConfig(scale=4, blocks=1, maps=8))
    assert srgan.warm_start(x4, Package.load(tmp_path).state_dict()) == len(x4.state_dict())
    assert torch.equal(x4.head.weight, x8.head.weight)
    with pytest.raises(BadInput, match="nothing in common"):
        srgan.warm_start(x4, {"other": torch.zeros(1)})


@pytest.mark.parametrize(
    "bad",
    [
        {"patch": 30},
        {"border": 3},
        {"discriminator_patch": 20},
        {"discriminator_patch": 32},
        {"pixel_loss": "huber"},
        {"blend": 1.2},
    ],
)
def test_a_recipe_that_cannot_work_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replace(RECIPE, **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(Path(srgan.__file__).with_name("recipes").glob("srgan-*.json")))
def test_shipped_recipes_are_valid(path: Path) -> None:
    assert isinstance(read_recipe(path), srgan.SRGANRecipe)
    assert "srgan" in RECIPES
