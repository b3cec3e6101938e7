"""What DreamBooth and LoRA share: rows, words, loss, checkpoints, pauses, processes, memory."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ml_backend import training
from ml_backend.cli import main
from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.packaging import Package
from ml_backend.packaging.starter import WEIGHTS_DIR
from ml_backend.training import make_recipe
from ml_backend.training.data.captioned_folder import Captioned
from ml_backend.training.distributed import alone
from ml_backend.training.finetuning import ask_to_stop, estimate, loading, milestones, read_log
from ml_backend.training.finetuning import trainer as trainer_module
from ml_backend.training.finetuning.accelerating import make_optimiser
from ml_backend.training.finetuning.denoiser import make_denoiser
from ml_backend.training.finetuning.feed import LEARNT, MEASURED, Feed, Habits, Set
from ml_backend.training.finetuning.latents import Encoder, Kept
from ml_backend.training.finetuning.loading import load_base
from ml_backend.training.finetuning.masking import find_garments, random_mask
from ml_backend.training.finetuning.recipe import FineTuneRecipe
from ml_backend.training.finetuning.trainer import FineTuner, diffusion_loss
from ml_backend.training.finetuning.words import speak, token_ids
from tests.ml_backend.finetuning_tiny import SIDE, TINY, draw_set
from tests.ml_backend.tiny import KINDS, tiny_inpaint

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of each kind, and a set of pictures."""
    folder = tmp_path_factory.mktemp("finetuning")
    for kind in KINDS:
        tiny_inpaint(folder / kind, kind)
    draw_set(folder / "set")
    return folder


def lora(here: Path, kind: str = "sd1", **changes: Any) -> Any:
    told = {"recipe": "lora", "rank": 2, "data_dir": str(here / "set"), "base": str(here / kind)}
    return make_recipe({**TINY, **told, **changes})


def dreambooth(here: Path, kind: str = "sd1", **changes: Any) -> Any:
    told = {
        **{"recipe": "dreambooth", "data_dir": str(here / "set"), "base": str(here / kind), "class_count": 2},
        **{"instance_prompt": "a sks dress", "class_prompt": "a dress", "masks": "random"},
    }
    return make_recipe({**TINY, **told, **changes})


def curve(run: Path) -> list[dict[str, float]]:
    return [{key: value for key, value in line.items() if key != "seconds"} for line in read_log(run)]


# -- words, loss -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_read_as_the_pipeline_reads_them(here: Path, kind: str) -> None:
    base = load_base(str(here / kind))
    text = "a red dress with not a blue skirt"
    told = base.pipeline.encode_prompt(
        prompt=text, device=CPU, num_images_per_prompt=1, do_classifier_free_guidance=False
    )
    with torch.no_grad():
        found = speak(list(base.texts.values()), token_ids(base.tokenizers, [text]))
    torch.testing.assert_close(found.states, told[0])
    if kind == "sdxl":
        assert found.pooled is not None
        torch.testing.assert_close(found.pooled, told[2])


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_that_of_what_the_base_predicts(here: Path, kind: str) -> None:
    """A prediction from which the sampler's own scheduler finds the clean latents costs nothing."""
    base = load_base(str(here / kind))
    batch = some_batch(here, kind)
    noisy = base.schedule.add_noise(batch.clean, batch.noise, batch.times)
    share = base.schedule.alphas_cumprod[batch.times].view(-1, 1, 1, 1)
    if kind == "sd2":
        perfect = (share.sqrt() * noisy - batch.clean) / (1 - share).sqrt()
    else:
        perfect = (noisy - share.sqrt() * batch.clean) / (1 - share).sqrt()
    assert diffusion_loss(base, perfect, batch, 1.0).tolist() == pytest.approx([0] * len(noisy), abs=1e-4)
    assert (diffusion_loss(base, perfect + 1, batch, 1.0) - 1).abs().max() < 1e-3


def test_outside_of_the_mask_errors_weigh_less(here: Path) -> None:
    base, batch = load_base(str(here / "sd1")), some_batch(here, "sd1")
    assert batch.hidden is not None
    off = batch.noise + (batch.hidden < 0.5)
    assert diffusion_loss(base, off, batch, 0.0).max() == 0
    assert diffusion_loss(base, off, batch, 1.0).max() > 0


def some_batch(here: Path, kind: str) -> Any:
    feed, pictures = some_feed(here, kind)
    return feed.batch([feed.row(pictures, number) for number in range(4)])


def some_feed(here: Path, kind: str, **habits: Any) -> tuple[Feed, Set]:
    base = load_base(str(here / kind))
    pictures = training.finetuning.trainer.records(here / "set")
    garments = find_garments(pictures, "unet-starter", here / "found", SIDE, alone("cpu"))
    told = Habits(**{"flip": True, "blank": 0.0, "whole": 0.0, "garments": 1.0, **habits})
    return Feed(base, Encoder(base, SIDE, CPU, torch.float32), told, 5), Set(pictures, garments, LEARNT)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_a_row_is_a_function_of_its_number(here: Path) -> None:
    feed, pictures = some_feed(here, "sd1", garments=0.5, blank=0.5)
    again = Feed(load_base(str(here / "sd1")), feed.encoder, feed.habits, 5)
    for number in (11, 0, 5, 11):
        one, two = feed.row(pictures, number), again.row(pictures, number)
        for field in dataclasses.fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(two, field.name)), field.name
    assert feed.row(pictures, 1).time != feed.row(pictures, 2).time


def test_each_lap_shows_every_picture_once_in_another_order(here: Path) -> None:
    feed, pictures = some_feed(here, "sd1")
    laps = [[feed.row(pictures, lap * 6 + place).picture.path.name for place in range(6)] for lap in range(3)]
    assert all(len(set(lap)) == 6 for lap in laps)
    assert laps[0] != laps[1]


def test_the_mask_lies_on_the_garment_also_when_flipped(here: Path) -> None:
    feed, pictures = some_feed(here, "sd1")
    flipped = set()
    for number in range(24):
        row = feed.row(pictures, number)
        flipped.add(row.flip)
        assert row.mask is not None
        assert row.is_garment
        pixels = feed.encoder.pixels(row.picture.path, row.flip).astype(int)
        coloured = pixels.max(axis=2) - pixels.min(axis=2) > 80
        assert (coloured == row.mask).mean() > 0.9
    assert flipped == {True, False}


def test_what_is_hidden_cannot_be_seen(here: Path) -> None:
    feed, pictures = some_feed(here, "sd1", flip=False)
    row = feed.row(pictures, 0)
    painted = feed.encoder.pixels(row.picture.path, False).copy()
    assert row.mask is not None
    painted[row.mask] = 0
    Image.fromarray(painted).save(here / "painted.png")
    told = feed.encoder.around(here / "painted.png", False, row.mask)
    torch.testing.assert_close(told, feed.batch([row]).around[0])  # type: ignore[index]


def test_shares_are_heeded(here: Path) -> None:
    feed, pictures = some_feed(here, "sd1", blank=0.5, whole=0.4, garments=0.0)
    rows = [feed.row(pictures, number) for number in range(300)]
    assert 0.4 < np.mean([row.text == "" for row in rows]) < 0.6
    assert not any(row.is_garment for row in rows)
    whole = np.mean([row.mask is not None and row.mask.all() for row in rows])
    assert 0.4 < whole < 0.7, "those asked for, and a share of the random ones"


def test_what_is_measured_never_changes(here: Path) -> None:
    feed, pictures = some_feed(here, "sd1", blank=1.0)
    measured = Set(pictures.pictures, pictures.garments, MEASURED)
    rows = [feed.row(measured, number) for number in range(6)]
    assert [row.picture for row in rows] == list(pictures.pictures)
    assert not any(row.flip or row.text == "" for row in rows)


def test_random_masks_are_of_all_sizes() -> None:
    shares = [random_mask(64, np.random.default_rng(seed)).mean() for seed in range(200)]
    assert min(shares) > 0
    assert sum(share < 0.2 for share in shares) > 20
    assert 20 < sum(share == 1 for share in shares) < 70


def test_garments_are_found_once_and_masks_that_are_given_go_before(here: Path, tmp_path: Path) -> None:
    """The starter finds the dress of one of our own pictures."""
    dress = WEIGHTS_DIR.parent / "garments" / "dress"
    photo = next(path for path in sorted(dress.iterdir()) if path.stem.startswith("photo"))
    pictures = [Captioned(photo), training.finetuning.trainer.records(here / "set")[0]]
    found = find_garments(pictures, "unet-starter", tmp_path / "masks", 96, alone("cpu"))
    kept = list((tmp_path / "masks").iterdir())
    assert [path.stem.startswith(photo.stem) for path in kept] == [True], "only what has no mask is looked for"
    assert found[0] is not None
    assert 0.03 < found[0].mean() < 0.9
    before = kept[0].stat().st_mtime_ns
    find_garments(pictures, "no-such-model", tmp_path / "masks", 96, alone("cpu"))
    assert kept[0].stat().st_mtime_ns == before


def test_no_more_is_kept_than_allowed() -> None:
    kept: Kept[np.ndarray] = Kept(100)
    asked = []

    def make(size: int) -> np.ndarray:
        asked.append(size)
        return np.zeros(size, np.uint8)

    for _ in range(2):
        kept.get("a", lambda: make(80))
        kept.get("b", lambda: make(40))
    assert asked == [80, 40, 40]


# -- one step ----------------------------------------------------------------------------------------------------------


def test_two_passes_are_one_of_twice_the_batch(here: Path, tmp_path: Path) -> None:
    training.train(lora(here, batch=4, lr_schedule="cosine"), tmp_path / "one")
    training.train(lora(here, batch=2, gradient_accumulation=2, lr_schedule="cosine"), tmp_path / "two")
    for one, two in zip(curve(tmp_path / "one"), curve(tmp_path / "two"), strict=True):
        assert two == pytest.approx(one, rel=1e-4)
    same_weights(tmp_path / "one" / "package", tmp_path / "two" / "package")


def same_weights(one: Path, two: Path, rtol: float = 1e-3, atol: float = 1e-5) -> None:
    for file in one.rglob("*.safetensors"):
        before, after = load_file(file), load_file(two / file.relative_to(one))
        assert set(before) == set(after)
        for name, weight in before.items():
            torch.testing.assert_close(after[name].float(), weight.float(), rtol=rtol, atol=atol, msg=name)


@pytest.mark.parametrize("changes", [{"gradient_checkpointing": True}, {"attention_slicing": True}])
def test_saving_memory_changes_nothing(here: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    told = {"steps": 3, "train_text_encoder": True, "prior_weight": 0.0, "class_prompt": ""}
    training.train(dreambooth(here, **told), tmp_path / "one")
    training.train(dreambooth(here, **told, **changes), tmp_path / "two")
    for one, two in zip(curve(tmp_path / "one"), curve(tmp_path / "two"), strict=True):
        assert two == pytest.approx(one, rel=1e-4)


def test_bfloat16_trains_and_stays_near(here: Path, tmp_path: Path) -> None:
    training.train(lora(here, steps=3), tmp_path / "one")
    training.train(lora(here, steps=3, mixed_precision="bf16"), tmp_path / "half")
    for one, half in zip(curve(tmp_path / "one"), curve(tmp_path / "half"), strict=True):
        assert half != one
        assert half == pytest.approx(one, rel=0.05)
    weights = load_file(tmp_path / "half" / "package" / "pytorch_lora_weights.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


def test_eight_bit_adam_is_taken_where_it_can_be(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs bitsandbytes and a GPU; else the ordinary one trains."""
    config, weights = lora(here, eight_bit_adam=True), [torch.nn.Parameter(torch.zeros(3))]
    eight = types.ModuleType("bitsandbytes.optim")
    eight.AdamW8bit = type("AdamW8bit", (torch.optim.AdamW,), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    assert type(make_optimiser(config, weights, torch.device("cuda"))) is torch.optim.AdamW
    monkeypatch.setitem(sys.modules, "bitsandbytes", types.ModuleType("bitsandbytes"))
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", eight)
    assert type(make_optimiser(config, weights, torch.device("cuda"))) is eight.AdamW8bit  # type: ignore[attr-defined]
    assert type(make_optimiser(config, weights, CPU)) is torch.optim.AdamW
    assert type(make_optimiser(lora(here), weights, torch.device("cuda"))) is torch.optim.AdamW


# -- checkpoints and pauses --------------------------------------------------------------------------------------------


class Killed(BaseException):
    """As a kill would: nothing is written any more."""


@pytest.mark.parametrize("recipe", ["lora", "dreambooth"])
def test_a_killed_run_goes_on_along_its_curve(
    here: Path, tmp_path: Path, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"lora": lora, "dreambooth": dreambooth}[recipe](here, save_every=2, log_every=2, train_text_encoder=True)
    training.train(config, tmp_path / "whole")
    step = FineTuner.step

    def dying(self: FineTuner, number: int) -> Any:
        if number == 5:
            raise Killed
        return step(self, number)

    monkeypatch.setattr(FineTuner, "step", dying)
    with pytest.raises(Killed):
        training.train(config, tmp_path / "killed")
    monkeypatch.setattr(FineTuner, "step", step)
    assert [path.name for path in (tmp_path / "killed" / "checkpoints").iterdir()] == ["000004"]
    with pytest.raises(BadInput, match="already holds a run"):
        training.train(config, tmp_path / "killed")
    training.train(config, tmp_path / "killed", resume=True)
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    same_weights(tmp_path / "whole" / "package", tmp_path / "killed" / "package", rtol=0, atol=0)
    with pytest.raises(BadInput, match="differs from the run's own in rate"):
        training.train(dataclasses.replace(config, rate=0.5), tmp_path / "killed", resume=True)


def test_a_checkpoint_holds_only_what_is_trained(here: Path, tmp_path: Path) -> None:
    training.train(lora(here), tmp_path)
    stored = load_file(tmp_path / "checkpoints" / "000006" / "model.safetensors")
    assert stored
    assert all("lora_" in name for name in stored)


def test_a_file_stops_the_run_between_two_steps(here: Path, tmp_path: Path) -> None:
    config = lora(here, log_every=3)
    training.train(config, tmp_path / "whole")

    def progress(fraction: float, stage: str) -> None:
        if stage.startswith("step 3"):
            ask_to_stop(tmp_path / "run")

    with pytest.raises(Stopped):
        training.train(config, tmp_path / "run", progress=progress)
    assert not (tmp_path / "run" / "stop").exists()
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["000003"]
    asked = iter([False, True])
    with pytest.raises(Stopped):
        training.train(config, tmp_path / "run", resume=True, should_stop=lambda: next(asked))
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["000004"], "not one of save_every"
    training.train(config, tmp_path / "run", resume=True)
    assert curve(tmp_path / "run") == curve(tmp_path / "whole")


def test_sigterm_pauses_and_the_status_says_so(here: Path, tmp_path: Path) -> None:
    config = {**json.loads(json.dumps(dataclasses.asdict(lora(here, steps=100_000, sample_prompts=[]))))}
    (tmp_path / "recipe.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "ml_backend", "train", str(tmp_path / "recipe.json")]
    command += ["--run-dir", str(tmp_path / "run")]
    run = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 90
        while not read_log(tmp_path / "run") and run.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 75, said
    kept = next((tmp_path / "run" / "checkpoints").iterdir()).name
    assert int(kept) >= read_log(tmp_path / "run")[-1]["step"] > 0


def test_a_checker_of_the_base_does_not_judge_what_is_learnt(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*told: Any, **more: Any) -> Any:
        raise AssertionError("asked")

    load = loading.load_pipeline

    def with_checker(*told: Any) -> Any:
        pipeline = load(*told)
        pipeline.safety_checker, pipeline.feature_extractor = refusing, refusing
        return pipeline

    monkeypatch.setattr(loading, "load_pipeline", with_checker)
    training.train(dreambooth(here, steps=1), tmp_path)
    assert len(list((tmp_path / "class-images").iterdir())) == 2


# -- several processes -------------------------------------------------------------------------------------------------


def environment(**more: str) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if key not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return plain | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)} | more


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lora", "dreambooth"])
def test_two_processes_train_what_one_trains_with_twice_the_batch(here: Path, tmp_path: Path, name: str) -> None:
    """Started by ``accelerate launch``; each makes half of every batch, and half of the class pictures."""
    changes = {"batch": 4, "gradient_accumulation": 2, "steps": 4, "save_every": 2, "epoch_steps": 2}
    config = lora(here, **changes)
    if name == "dreambooth":
        config = dreambooth(here, "sdxl", **changes, train_text_encoder=True, class_count=3)
    training.train(config, tmp_path / "one")
    (tmp_path / "recipe.json").write_text(json.dumps(dataclasses.asdict(config)))
    command = [str(Path(sys.executable).with_name("accelerate")), "launch", "--multi_gpu", "--num_processes", "2"]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    command += ["-m", "ml_backend", "train", str(tmp_path / "recipe.json"), "--run-dir", str(tmp_path / "two")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one, two = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert [line["step"] for line in two] == [line["step"] for line in one]
    for expected, found in zip(one, two, strict=True):
        assert found == pytest.approx(expected, rel=1e-3)
    same_weights(tmp_path / "one" / "package", tmp_path / "two" / "package", rtol=5e-3, atol=1e-4)
    longer = dataclasses.replace(config, steps=6)
    for folder in ("one", "two"):
        training.train(longer, tmp_path / folder, resume=True)
    assert curve(tmp_path / "two")[-1] == pytest.approx(curve(tmp_path / "one")[-1], rel=1e-3)


def test_a_batch_that_does_not_divide_says_so(here: Path, tmp_path: Path) -> None:
    from ml_backend.training.distributed import Workers
    from ml_backend.training.run import Run

    run = Run(tmp_path, lora(here, batch=3), workers=Workers(CPU, 1, 2))
    with pytest.raises(BadInput, match="does not divide"):
        trainer_module.fine_tune_lora(lora(here, batch=3), run)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate": -1}, "learning rate must be a number"),
        ({"resolution": 33}, "multiple of 8"),
        ({"masks": "none"}, "not a kind of masks"),
        ({"flip": "yes"}, "flip must be true or false"),
        ({"rank": 0}, "rank must be a whole number from 1"),
        ({"sample_prompts": [""]}, "sample prompts"),
        ({"base": ""}, "name the base"),
        ({"data_dir": ""}, "names no data_dir"),
        ({"nonsense": 1}, "unknown settings: nonsense"),
    ],
)
def test_wrong_settings_are_named(here: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        lora(here, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base": "no-such-base"}, "no diffusion model"),
        ({"data_dir": "/no/such/folder"}, "no data_dir at"),
        ({"resolution": 40, "base": "inpaint-starter"}, "must be a multiple of 32"),
        ({"mixed_precision": "fp16"}, "does not train in fp16"),
    ],
)
def test_what_cannot_be_trained_is_said_before(here: Path, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        training.train(lora(here, **changes), tmp_path)


def test_numbers_that_are_left_end_the_run_in_a_sentence(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = FineTuner.step

    def overflowing(self: FineTuner, number: int) -> Any:
        if number == 1:
            next(iter(self.denoiser.learnt().values())).data.fill_(float("nan"))
        return step(self, number)

    monkeypatch.setattr(FineTuner, "step", overflowing)
    (tmp_path / "recipe.json").write_text(json.dumps(dataclasses.asdict(lora(here))))
    assert main(["train", str(tmp_path / "recipe.json"), "--run-dir", str(tmp_path / "run")]) == 2
    assert "choose a smaller learning rate" in capsys.readouterr().err
    assert not (tmp_path / "run" / "package").exists()


def test_a_run_that_was_killed_before_its_package_gets_it(here: Path, tmp_path: Path) -> None:
    training.train(lora(here), tmp_path)
    shutil.rmtree(tmp_path / "package")
    training.train(lora(here), tmp_path, resume=True)
    assert Package.load(tmp_path / "package").manifest.capability == "lora"


# -- memory ------------------------------------------------------------------------------------------------------------


def test_the_estimate_counts_what_is_kept(here: Path) -> None:
    """Against the tensors that a forward pass of the starter really keeps for its backward pass."""
    from diffusers import UNet2DConditionModel
    from torch._subclasses.fake_tensor import FakeTensorMode

    stored = json.loads((WEIGHTS_DIR / "inpaint-starter" / "unet" / "config.json").read_text())
    with FakeTensorMode():
        unet: Any = UNet2DConditionModel.from_config(stored).train()
        own = {weight.untyped_storage()._cdata for weight in unet.parameters()}
        seen: dict[int, Any] = {}

        def pack(tensor: Any) -> Any:
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                seen[storage._cdata] = storage
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            unet(torch.zeros(1, 9, 64, 64), torch.zeros(1, dtype=torch.long), torch.zeros(1, 40, 128))
        counted = sum(storage.nbytes() for storage in seen.values())
    small, large = (estimate(starter_lora(batch=batch), "cpu").bytes for batch in (1, 2))
    assert (large - small) / 1.15 == pytest.approx(counted, rel=0.15)


def starter_lora(**changes: Any) -> Any:
    return make_recipe({"recipe": "lora", "data_dir": "x", "resolution": 256, **changes})


def test_the_estimate_follows_the_settings() -> None:
    plain = estimate(starter_lora()).bytes
    assert estimate(starter_lora(batch=8)).bytes > plain
    assert estimate(starter_lora(resolution=512)).bytes > plain
    assert estimate(starter_lora(batch=8, gradient_checkpointing=True)).bytes < estimate(starter_lora(batch=8)).bytes
    assert estimate(starter_lora(batch=8), workers=8).bytes == plain
    told = {"recipe": "dreambooth", "data_dir": "x", "instance_prompt": "a", "class_prompt": "b", "resolution": 256}
    full = estimate(make_recipe(told))
    assert full.bytes > plain
    assert estimate(make_recipe({**told, "eight_bit_adam": True})).bytes < full.bytes
    assert estimate(make_recipe({**told, "train_text_encoder": True})).bytes > full.bytes
    assert "15.9 million" in full.sentence
    assert "2 pictures of 256 pixels" in full.sentence
    with pytest.raises(BadInput, match="no diffusion model"):
        estimate(starter_lora(base="x"))


def test_a_broken_base_cannot_be_estimated(here: Path, tmp_path: Path) -> None:
    tiny_inpaint(tmp_path / "base")
    (tmp_path / "base" / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(BadPackage, match="unet has no safetensors"):
        estimate(starter_lora(base=str(tmp_path / "base")))


# -- the run's folder --------------------------------------------------------------------------------------------------


def test_milestones_are_found_in_the_folder(here: Path, tmp_path: Path) -> None:
    assert milestones(tmp_path) == []
    training.train(lora(here, sample_count=2), tmp_path)
    first, last = milestones(tmp_path)
    assert (first.step, last.step) == (3, 6)
    assert first.package is not None
    assert Package.load(first.package).manifest.capability == "lora"
    assert [len(each) for each in first.pictures] == [2, 2]
    with Image.open(first.sheet) as sheet:  # type: ignore[arg-type]
        assert sheet.size == (2 * SIDE, 2 * SIDE)
    assert first.figures["validation_loss"] > 0
    assert last.figures["epoch"] == 2
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 7, "epo')
    assert len(milestones(tmp_path)) == 2, "a line that is just being written counts for nothing"


def test_the_recipe_is_shared_settings_and_its_own() -> None:
    shared = {field.name for field in dataclasses.fields(FineTuneRecipe)}
    for name in ("lora", "dreambooth"):
        module, kind = training.RECIPES[name]
        own = getattr(__import__(f"ml_backend.training.{module}", fromlist=[kind]), kind)
        assert shared < {field.name for field in dataclasses.fields(own)}
        assert own.rules()["resolution"].schema() == {"minimum": 32, "maximum": 2048}


def test_a_denoiser_of_a_lora_trains_nothing_else(here: Path) -> None:
    base = load_base(str(here / "sd1"))
    denoiser = make_denoiser(base, lora(here), torch.float32)
    assert denoiser.learnt()
    assert all("lora_" in name for name in denoiser.learnt())
