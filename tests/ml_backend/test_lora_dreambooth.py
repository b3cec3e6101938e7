"""What DreamBooth and LoRAs promise: the base is untouched, others load the result, the class is kept."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoPipelineForInpainting,
    StableDiffusionInpaintPipeline,
    StableDiffusionXLInpaintPipeline,
)
from PIL import Image
from safetensors.torch import load_file

from ml_backend import training
from ml_backend.errors import BadInput
from ml_backend.packaging import Package
from ml_backend.packaging.contents import contents_of
from ml_backend.packaging.sources import Source, fetch
from ml_backend.pipelines.imagine.diffusion import DiffusionImagine
from ml_backend.requests import ImagineRequest
from ml_backend.training import make_recipe, read_recipe
from ml_backend.training.data.captioned_folder import records
from ml_backend.training.distributed import alone
from ml_backend.training.finetuning.denoiser import make_denoiser
from ml_backend.training.finetuning.feed import LEARNT, MEASURED, Feed, Habits, Set
from ml_backend.training.finetuning.keeping import lora_weights
from ml_backend.training.finetuning.loading import load_base
from ml_backend.training.finetuning.masking import read_mask
from ml_backend.training.finetuning.trainer import FineTuner
from tests.ml_backend.finetuning_tiny import SIDE, TINY, draw_set
from tests.ml_backend.tiny import KINDS, tiny_inpaint

pytestmark = pytest.mark.usefixtures("one_thread")

PRESETS = Path(training.__file__).parent / "recipes"
PIPELINES = {"sdxl": StableDiffusionXLInpaintPipeline}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("promises")
    for kind in KINDS:
        tiny_inpaint(folder / kind, kind, licence="as it is")
    tiny_inpaint(folder / "plain", channels=4)
    draw_set(folder / "set")
    return folder


def recipe(here: Path, name: str, kind: str = "sd1", **changes: Any) -> Any:
    told: dict[str, Any] = {"recipe": name, "data_dir": str(here / "set"), "base": str(here / kind), "rate": 0.05}
    if name == "dreambooth":
        told |= {"instance_prompt": "a sks dress", "class_prompt": "a dress", "class_count": 2, "masks": "random"}
    return make_recipe({**TINY, "sample_prompts": [], "rank": 2 if name == "lora" else 0, **told, **changes})


def hash_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stock(folder: Path, kind: str) -> Any:
    loader: Any = PIPELINES.get(kind, StableDiffusionInpaintPipeline)
    pipeline = loader.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def painted(pipeline: Any, words: str = "a red dress") -> np.ndarray:
    """Into the same picture with the same mask and the same seed."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[4:28, 6:26] = 255
    made = pipeline(
        words,
        image=picture,
        mask_image=Image.fromarray(mask),
        width=SIDE,
        height=SIDE,
        num_inference_steps=3,
        generator=torch.Generator().manual_seed(3),
        output_type="np",
    )
    return np.asarray(made.images)


# -- LoRAs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lora", "dreambooth"])
def test_stock_diffusers_loads_a_lora_and_strength_0_is_the_base(
    here: Path, tmp_path: Path, kind: str, name: str
) -> None:
    before = hash_of(here / kind)
    training.train(recipe(here, name, kind, rank=2, train_text_encoder=True), tmp_path)
    assert hash_of(here / kind) == before, "the base's files are as they were"
    plain = painted(stock(here / kind, kind))
    pipeline = stock(here / kind, kind)
    pipeline.load_lora_weights(tmp_path / "package", adapter_name="ours")
    assert set(pipeline.get_list_adapters()) == {"unet", *(["text_encoder", "text_encoder_2"][: 1 + (kind == "sdxl")])}
    pipeline.set_adapters("ours", 1.0)
    assert np.abs(painted(pipeline) - plain).max() > 1e-4, "it does something"
    pipeline.set_adapters("ours", 0.0)
    assert np.array_equal(painted(pipeline), plain)
    pipeline.unload_lora_weights()
    assert np.array_equal(painted(pipeline), plain)


def test_training_a_lora_changes_no_weight_of_the_base(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FineTuner] = []
    begin = FineTuner.learn

    def learn(self: FineTuner, *told: Any) -> None:
        seen.append(self)
        begin(self, *told)

    monkeypatch.setattr(FineTuner, "learn", learn)
    base = load_base(str(here / "sd1"))
    before = {name: weight.clone() for name, weight in base.unet.state_dict().items()}
    training.train(recipe(here, "lora"), here / "unchanged")
    after = seen[0].denoiser.unet.state_dict()
    learnt = {name: weight for name, weight in after.items() if "lora_" in name}
    assert any(weight.abs().sum() > 0 for name, weight in learnt.items() if "lora_B" in name)
    assert all(weight.shape[0 if "lora_A" in name else 1] == 2 for name, weight in learnt.items()), "of rank 2"
    kept = {name.replace(".base_layer", ""): weight for name, weight in after.items() if "lora_" not in name}
    assert set(kept) == set(before)
    assert all(torch.equal(kept[name], weight) for name, weight in before.items())


def test_what_loaders_take_for_alpha_is_true(here: Path, tmp_path: Path) -> None:
    """They scale by alpha / rank and take alpha to be the rank: ours is multiplied in."""
    base = load_base(str(here / "sd1"))
    config = recipe(here, "lora", alpha=8)
    denoiser = make_denoiser(base, config, torch.float32)
    with torch.no_grad():
        for weight in denoiser.learnt().values():
            weight.normal_()
    seen, times = torch.randn(1, 9, 16, 16), torch.tensor([5])
    words = torch.randn(1, 4, 16)
    told = base.unet(seen, times, words).sample
    weights = lora_weights(denoiser.unet, config)
    StableDiffusionInpaintPipeline.save_lora_weights(tmp_path, unet_lora_layers=weights)
    pipeline = stock(here / "sd1", "sd1")
    pipeline.load_lora_weights(tmp_path)
    torch.testing.assert_close(pipeline.unet(seen, times, words).sample, told, rtol=1e-3, atol=1e-3)


def test_a_lora_is_a_package_that_imagine_mixes_in(here: Path, tmp_path: Path) -> None:
    training.train(recipe(here, "lora"), tmp_path / "mine")
    package = Package.load(tmp_path / "mine" / "package")
    assert (package.manifest.name, package.manifest.capability) == ("mine", "lora")
    assert package.manifest.config["source"]["recipe"] == "lora"
    assert package.manifest.config["source"]["base"].startswith("tiny-sd1@")
    assert contents_of(package.path).architecture == "lora"
    fetched = fetch(Source.parse(str(package.path)), tmp_path / "kept", downloads=tmp_path / "downloads")
    assert fetched.manifest == package.manifest
    file = package.path / "pytorch_lora_weights.safetensors"
    imagine = DiffusionImagine(Package.load(here / "sd1"), loras={"mine": file})
    request = ImagineRequest("a red dress", seed=1, steps=2, size=64)
    plain, with_it, at_0 = (
        np.asarray(imagine([dataclasses.replace(request, loras=loras)])[0].image)
        for loras in ((), ("mine:1",), ("mine:0",))
    )
    assert not np.array_equal(plain, with_it)
    assert np.array_equal(plain, at_0)


def test_a_base_without_masks_learns_text_to_image(here: Path, tmp_path: Path) -> None:
    training.train(recipe(here, "lora", "plain", sample_prompts=["a red dress"]), tmp_path)
    assert not (tmp_path / "masks").exists()
    pipeline: Any = stock(here / "plain", "sd1")
    pipeline.load_lora_weights(tmp_path / "package")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("lora", "inpaint-starter"), *(("dreambooth", kind) for kind in (*KINDS, "plain"))],
)
def test_what_is_shown_is_learnt(here: Path, name: str, kind: str) -> None:
    """The loss on the pictures, always with the same noise, falls: of a trained base by a LoRA, of others by all."""
    rates = {"lora": 2e-3, "dreambooth": 1e-3}
    config = recipe(here, name, kind, batch=3, rate=rates[name], resolution=64 if name == "lora" else SIDE, warmup=0)
    config = dataclasses.replace(config, rank=8 if name == "lora" else 0, base=kind if name == "lora" else config.base)
    tuner = FineTuner(config, load_base(config.base), alone("cpu"))
    pictures = records(config.data_dir)
    garments = [read_mask(picture.mask, config.resolution) for picture in pictures if picture.mask]
    feed = Feed(tuner.base, tuner.encoder, Habits(False, 0.0, 0.0, 1.0), 1)
    tuner.learn(feed, [Set(pictures, garments, LEARNT)])
    shown = Set(pictures, garments, MEASURED)
    before = tuner.validation_loss(shown)
    assert tuner.validation_loss(shown) == before
    for step in range(24):
        tuner.step(step)
    assert tuner.validation_loss(shown) < 0.97 * before


def test_pictures_that_are_set_aside_are_not_learnt(here: Path, tmp_path: Path, monkeypatch: Any) -> None:
    shown: dict[int, set[str]] = {}
    row = training.finetuning.trainer.Feed.row

    def watched(self: Any, pictures: Any, number: int) -> Any:
        found = row(self, pictures, number)
        shown.setdefault(pictures.stream, set()).add(found.picture.path.name)
        return found

    monkeypatch.setattr(training.finetuning.trainer.Feed, "row", watched)
    training.train(recipe(here, "lora", validation=0.34, steps=12), tmp_path)
    learnt, measured = shown[1], shown[3]
    assert (len(learnt), len(measured)) == (4, 2)
    assert not learnt & measured


# -- DreamBooth --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("with_text", [False, True])
def test_stock_diffusers_loads_a_dreambooth_model(here: Path, tmp_path: Path, kind: str, with_text: bool) -> None:
    config = recipe(here, "dreambooth", kind, train_text_encoder=with_text, rate=1e-3)
    training.train(config, tmp_path / "mine")
    package = Package.load(tmp_path / "mine" / "package")
    own = Package.load(here / kind).manifest
    assert (package.manifest.capability, package.manifest.capabilities) == (own.capability, own.capabilities)
    assert package.manifest.licence == "as it is"
    assert package.manifest.config["source"]["prompt"] == "a sks dress"
    changed = {name for name, told in package.manifest.files.items() if told != own.files[name]}
    texts = {"text_encoder/model.safetensors"} | ({"text_encoder_2/model.safetensors"} if kind == "sdxl" else set())
    assert changed == {"unet/diffusion_pytorch_model.safetensors"} | (texts if with_text else set())
    before, after = painted(stock(here / kind, kind)), painted(stock(package.path, kind))
    assert np.isfinite(after).all()
    assert np.abs(after - before).max() > 1e-4
    loader: Any = AutoPipelineForInpainting
    assert type(loader.from_pretrained(package.path)) is type(stock(here / kind, kind))


def test_what_is_kept_is_what_was_trained(here: Path, tmp_path: Path) -> None:
    training.train(recipe(here, "dreambooth", train_text_encoder=True, rate=1e-3), tmp_path)
    trained = load_file(tmp_path / "checkpoints" / "000006" / "model.safetensors")
    unet = load_file(tmp_path / "package" / "unet" / "diffusion_pytorch_model.safetensors")
    for name, weight in unet.items():
        assert torch.equal(weight, trained[f"unet.{name}"])
    pipeline = stock(tmp_path / "package", "sd1")
    for name, weight in pipeline.text_encoder.named_parameters():
        assert torch.equal(weight, trained[f"texts.0.{name}"])


def test_half_precision_stays_half(here: Path, tmp_path: Path) -> None:
    """The starter stores float16, and so does what is made of it."""
    config = recipe(here, "dreambooth", base="inpaint-starter", steps=1, resolution=64, prior_weight=0.0)
    training.train(dataclasses.replace(config, base="inpaint-starter"), tmp_path)
    weights = load_file(tmp_path / "package" / "unet" / "diffusion_pytorch_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float16}
    assert stock(tmp_path / "package", "sd1").unet.config.in_channels == 9


def test_lacking_class_pictures_are_painted_once(here: Path, tmp_path: Path) -> None:
    kind = tmp_path / "kind"
    kind.mkdir()
    Image.new("RGB", (SIDE, SIDE), "red").save(kind / "given.png")
    config = recipe(here, "dreambooth", class_dir=str(kind), class_count=3)
    training.train(config, tmp_path / "run")
    names = sorted(path.name for path in kind.iterdir())
    assert names == ["given.png", "painted-0000.png", "painted-0001.png"]
    before = hash_of(kind)
    training.train(dataclasses.replace(config, steps=8), tmp_path / "run", resume=True)
    training.train(dataclasses.replace(config, class_count=2), tmp_path / "fewer")
    assert hash_of(kind) == before
    training.train(recipe(here, "dreambooth"), tmp_path / "own")
    assert len(list((tmp_path / "own" / "class-images").iterdir())) == 2


def test_without_a_prior_there_are_no_class_pictures(here: Path, tmp_path: Path) -> None:
    training.train(recipe(here, "dreambooth", prior_weight=0.0, class_prompt=""), tmp_path)
    assert not (tmp_path / "class-images").exists()
    assert "prior_loss" not in (tmp_path / "log.jsonl").read_text()


def test_the_prior_weighs_what_it_should(here: Path, tmp_path: Path) -> None:
    training.train(recipe(here, "dreambooth", prior_weight=0.5, steps=2), tmp_path)
    for line in training.finetuning.read_log(tmp_path):
        if "loss" in line:
            assert line["loss"] == pytest.approx(line["instance_loss"] + 0.5 * line["prior_loss"], rel=1e-5)


def test_the_prior_keeps_the_kind_as_it_was(here: Path, tmp_path: Path) -> None:
    """With a heavy prior the base's own pictures of the kind are predicted better than without one."""
    base = {"steps": 24, "epoch_steps": 24, "log_every": 24, "save_every": 24, "rate": 2e-3, "batch": 2, "warmup": 0}
    kept = {}
    for weight in (0.001, 20.0):
        training.train(recipe(here, "dreambooth", **base, prior_weight=weight), tmp_path / str(weight))
        lines = training.finetuning.read_log(tmp_path / str(weight))
        kept[weight] = next(line["prior_loss"] for line in lines if "prior_loss" in line)
    assert kept[20.0] < kept[0.001]


def test_captions_go_before_the_prompt(here: Path) -> None:
    pictures = training.finetuning.trainer.records(here / "set")
    said = training.finetuning.trainer.said([pictures[0], dataclasses.replace(pictures[1], text="")], "a sks dress")
    assert [each.text for each in said] == ["a red dress", "a sks dress"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"class_prompt": ""}, "needs a class prompt"),
        ({"class_count": 0}, "at least one class picture"),
        ({"instance_prompt": " "}, "Please give some instance prompt"),
    ],
)
def test_dreambooth_says_what_it_lacks(here: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        recipe(here, "dreambooth", **changes)


# -- presets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dreambooth", "lora", "dreambooth-starter", "lora-starter"])
def test_presets_are_recipes(name: str) -> None:
    preset = read_recipe(PRESETS / f"{name}.json")
    assert preset.recipe == name.split("-")[0]
    if name == "dreambooth":
        published = (preset.rate, preset.lr_schedule, preset.prior_weight, preset.steps, preset.class_count)
        assert published == (2e-6, "constant", 1.0, 800, 200)
    if name.endswith("starter"):
        assert training.finetuning.estimate(preset, "cpu").bytes < 4e9
