"""Two processes started by torchrun train what one process trains, whatever happens to them on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from PIL import Image
from torch import nn
from torch._C._distributed_c10d import FileStore

from ml_backend.errors import BadInput
from ml_backend.packaging import Package
from ml_backend.training import distributed, make_recipe, read_recipe, srgan
from ml_backend.training.batch_norm import SharedBatchNorm, share_statistics
from ml_backend.training.data import bank
from ml_backend.training.data.shards import write_shards
from ml_backend.training.distributed import Workers, alone
from ml_backend.training.run import Run
from tests.ml_backend import shared_training

ROOT = Path(__file__).parents[2]
SIZES = {"size": 16, "latent": 4, "embedding": 4, "neighbours": 2}
GAN = {
    **{"drawn": 4, "designs": 4, "group": 4, "seed": 3, "steps": 6, "warm_steps": 2, "discriminator_warmup": 1},
    **{"r1_every": 2, "log_every": 1, "save_every": 3},
}
DCGAN = {"recipe": "dcgan", "network": {**SIZES, "maps": 4}, **GAN, "discriminator_maps": 4, "batch": 16}
RECIPES: dict[str, dict[str, Any]] = {
    "1-dcgan": DCGAN,
    "2-dcgan-from-one": DCGAN,
    "3-srgan-from-shards": {
        **{"recipe": "srgan", "network": {"blocks": 1, "maps": 4}, "discriminator_maps": 2, "discriminator_patch": 16},
        **{"batch": 4, "patch": 32, "border": 4, "steps": 6, "content_steps": 3, "designs": 1, "design_size": 32},
        **{"log_every": 1, "save_every": 3, "sample_every": 6, "ema": 0.5, "relativistic": True},
        **{"lanes": 2, "real_share": 0.6, "rate": 1e-3, "pixel": 1.0},
    },
    "4-unet": {
        **{"recipe": "unet", "street_dir": "", "network": {"widths": [8, 16], "depths": [1, 1]}, "size": [48, 32]},
        **{"batch": 4, "steps": 6, "cooldown": 2, "evaluate_every": 3},
    },
    "5-xgan": {
        **{"recipe": "xgan", "network": {**SIZES, "width": 8, "mapping": 1, "capacity": 64, "widest": 8}, **GAN},
        **{"path_length_every": 2, "discriminator_capacity": 64, "batches": [8, 8], "growth": [1]},
    },
}


@dataclass
class Outcome:
    """The folders of both ways to train, and what torchrun said."""

    one: Path
    two: Path
    said: str


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    kept = torch.cpu._is_avx512_bf16_supported, bank.PALETTES, srgan.content_features
    bank.palette_bank.cache_clear()
    shared_training.make_it_small()
    yield
    torch.cpu._is_avx512_bf16_supported, bank.PALETTES, srgan.content_features = kept
    bank.palette_bank.cache_clear()


def environment(**more: str) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if key not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return plain | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)} | more


def write_recipes(folder: Path) -> dict[str, Any]:
    configs = {}
    data = {"4-unet": {"street_dir": str(draw_street(folder / "street"))}}
    data["3-srgan-from-shards"] = {"real_shards": str(pack_cloth(folder / "cloth", folder / "shards"))}
    (folder / "recipes").mkdir(parents=True)
    for name, fields in RECIPES.items():
        fields = fields | data.get(name, {})
        (folder / "recipes" / f"{name}.json").write_text(json.dumps(fields))
        configs[name] = read_recipe(folder / "recipes" / f"{name}.json")
    return configs


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Every recipe trained by one process and by two, of which one is killed in the middle of the first recipe.

    The second recipe's first half is trained by one process in both cases.
    """
    folder = tmp_path_factory.mktemp("distributed")
    configs = write_recipes(folder)
    half = make_recipe(RECIPES["2-dcgan-from-one"] | {"steps": 3})
    shared_training.train(half, Run(folder / "runs" / "2-dcgan-from-one", half))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", "1", "--monitor-interval", "0.2", str(Path(shared_training.__file__)), str(folder)]
    torchrun = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    for name, config in configs.items():
        shared_training.train(config, Run(folder / "one" / name, config))
    said, _ = torchrun.communicate(timeout=300)
    assert torchrun.returncode == 0, said
    return Outcome(folder / "one", folder / "runs", said)


def pack_cloth(folder: Path, out: Path) -> Path:
    """Noise of six colours in three shards."""
    (folder / "plain").mkdir(parents=True)
    rng = np.random.default_rng(7)
    for number in range(6):
        pixels = rng.integers(0, 60, (40, 44, 3)) + rng.integers(0, 190, 3)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "plain" / f"{number}x.png")
    assert len(write_shards(folder, out, split="all", shard_bytes=10_000).shards) == 3
    return out


def draw_street(folder: Path) -> Path:
    (folder / "photos").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "labels.txt").write_text("0 null\n14 dress\n39 shoes\n41 skin\n")
    rng = np.random.default_rng(5)
    for number in range(20):
        labels = rng.choice(np.array([0, 14, 39, 41], np.uint8), (9, 6)).repeat(8, axis=0).repeat(8, axis=1)
        photo = (labels[..., None] * np.array([3, 5, 2]) + rng.integers(0, 20, (72, 48, 3))).astype(np.uint8)
        Image.fromarray(photo).save(folder / "photos" / f"{number:04d}.jpg", quality=95)
        Image.fromarray(labels).save(folder / "labels" / f"{number:04d}.png")
    return folder


def curve(run_dir: Path) -> list[dict[str, float]]:
    entries = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def package(run_dir: Path) -> Package:
    steps = run_dir / "packages" / "000006"
    return Package.load(steps if steps.exists() else run_dir / "package")


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_train_what_one_trains(outcome: Outcome, name: str) -> None:
    one, two = curve(outcome.one / name), curve(outcome.two / name)
    assert [entry["step"] for entry in two] == [entry["step"] for entry in one], "each step is logged once"
    for expected, found in zip(one, two, strict=True):
        assert found == pytest.approx(expected, rel=2e-3, abs=2e-4)
    before, after = (package(runs / name).state_dict() for runs in (outcome.one, outcome.two))
    for key in before:
        torch.testing.assert_close(after[key], before[key], rtol=5e-3, atol=5e-3, msg=f"{name}: {key}")


def test_every_stage_was_trained(outcome: Outcome) -> None:
    """Otherwise the curves could agree about nothing."""
    stages = {
        "1-dcgan": {"anchor", "d_loss", "r1", "g_loss"},
        "3-srgan-from-shards": {"pixel", "content", "fooled", "judge"},
    }
    stages["5-xgan"] = {"anchor", "d_loss", "r1", "g_loss", "path"}
    for name, metrics in stages.items():
        assert metrics <= {key for entry in curve(outcome.two / name) for key in entry}


def test_a_worker_was_killed(outcome: Outcome) -> None:
    assert "exitcode: -9" in outcome.said


def test_one_worker_alone_writes(outcome: Outcome) -> None:
    assert not (outcome.two.parent / "elsewhere").exists()


def test_one_process_goes_on_from_two(outcome: Outcome) -> None:
    longer = make_recipe(RECIPES["1-dcgan"] | {"steps": 8})
    for runs in (outcome.one, outcome.two):
        shared_training.train(longer, Run(runs / "1-dcgan", longer, resume=True))
    one, two = curve(outcome.one / "1-dcgan"), curve(outcome.two / "1-dcgan")
    assert len(two) == 8
    assert two[-1] == pytest.approx(one[-1], rel=2e-3, abs=2e-4)


def test_the_failure_of_one_ends_all_in_a_sentence(tmp_path: Path) -> None:
    """Two workers started by hand, without torchrun; the writer may not use the folder, and the other learns why."""
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(RECIPES["1-dcgan"]))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").touch()
    command = [sys.executable, "-m", "ml_backend", "train", str(recipe), "--run-dir", str(tmp_path / "run")]
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    workers = [
        subprocess.Popen(
            [*command, "--patience", "2"],
            cwd=ROOT,
            env=environment(RANK=str(rank), LOCAL_RANK=str(rank), **address),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    first, second = (worker.communicate(timeout=120)[0] for worker in workers)
    assert [worker.returncode for worker in workers] == [2, 2]
    assert "already holds a run" in first
    assert "Worker 1 stops, for another has failed. Worker 0:" in second
    assert "already holds a run" in second
    assert "Traceback" not in first + second


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- what one process can tell ---


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"RANK": "0"}, "whole numbers"),
        ({"RANK": "a", "WORLD_SIZE": "2"}, "whole numbers"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "none of 2 workers"),
        ({"RANK": "-1", "WORLD_SIZE": "2"}, "none of 2 workers"),
    ],
)
def test_wrong_variables_are_a_sentence(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence), distributed.join(variables):
        pass


def test_workers_that_do_not_come_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)
    variables = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    with pytest.raises(BadInput, match="could not find the others"), distributed.join(variables, patience_minutes=0.01):
        pass


def test_without_variables_a_process_is_alone() -> None:
    with distributed.join({}) as workers:
        assert (workers.rank, workers.world, workers.is_writer, workers.alone) == (0, 1, True, True)
        network = nn.Linear(2, 2)
        assert workers.wrap(network) is network
        assert workers.mean({"loss": 2.0}) == {"loss": 2.0}


def test_shares_are_whole_groups_side_by_side() -> None:
    parts = [Workers(torch.device("cpu"), rank, 2).part(16, of=4) for rank in range(2)]
    assert parts == [slice(0, 8), slice(8, 16)]
    with pytest.raises(BadInput, match="groups of 4 does not divide among 3 workers"):
        Workers(torch.device("cpu"), 0, 3).part(16, of=4)


@pytest.mark.parametrize("count", ["0", "", "3"])
def test_a_restarted_worker_knows_it(count: str) -> None:
    assert distributed.is_restart({"TORCHELASTIC_RESTART_COUNT": count}) == (count == "3")
    assert not distributed.is_restart({})


def test_other_recipes_are_refused_under_torchrun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    from ml_backend import training

    two = Workers(torch.device("cpu"), 0, 2)
    monkeypatch.setattr(distributed, "join", lambda **_: nullcontext(two))
    (tmp_path / "recipe.json").write_text('{"recipe": "classifier"}')
    with pytest.raises(BadInput, match="without torchrun"):
        training.train(read_recipe(tmp_path / "recipe.json"), tmp_path / "run")


def test_a_run_without_a_checkpoint_begins_again_with_an_empty_log(tmp_path: Path) -> None:
    config = read_recipe_of(tmp_path, RECIPES["1-dcgan"])
    Run(tmp_path / "run", config).log(1, loss=1.0)
    assert Run(tmp_path / "run", config, resume=True).load() is None
    assert (tmp_path / "run" / "log.jsonl").read_text() == ""


def test_a_run_older_than_a_setting_can_be_resumed(tmp_path: Path) -> None:
    config = read_recipe_of(tmp_path, RECIPES["5-xgan"])
    Run(tmp_path / "run", config).save({"step": 0})
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())
    del recorded["policy"]
    (tmp_path / "run" / "config.json").write_text(json.dumps(recorded))
    assert Run(tmp_path / "run", config, resume=True).load() == {"step": 0}


def read_recipe_of(folder: Path, fields: dict[str, Any]) -> Any:
    (folder / "recipe.json").write_text(json.dumps(fields))
    return read_recipe(folder / "recipe.json")


# --- batch normalisation ---


@pytest.fixture
def one_of_one(tmp_path: Path) -> Iterator[None]:
    """A process group of one: the collectives are real, their sums are of one term."""
    dist.init_process_group("gloo", store=FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("one_of_one")
@pytest.mark.parametrize("affine", [True, False])
def test_shared_batch_norm_is_batch_norm(affine: bool) -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=affine, momentum=0.2))
    shared = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=affine, momentum=0.2))
    shared.load_state_dict(plain.state_dict())
    share_statistics(shared, torch.device("cpu"))
    assert isinstance(shared[1], SharedBatchNorm)
    for training in (True, True, False):
        images = torch.randn(6, 3, 7, 7) * 3 + 1
        expected, found = plain.train(training)(images), shared.train(training)(images)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for network in (plain, shared):
        (network.train()(images).sin().sum()).backward()
    for first, second in zip(plain.parameters(), shared.parameters(), strict=True):
        torch.testing.assert_close(second.grad, first.grad, rtol=1e-3, atol=1e-4)
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[key], value)


@pytest.mark.usefixtures("one_of_one")
def test_shared_batch_norm_in_half_precision() -> None:
    torch.manual_seed(0)
    plain, shared = nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4))
    share_statistics(shared, torch.device("cpu"))
    images, weights = (torch.randn(4, 4, 9, 9) * 2 + 5).bfloat16(), torch.randn(4, 4, 9, 9).bfloat16()
    gradients, outputs = [], []
    for network in (plain, shared):
        own = images.clone().requires_grad_()
        outputs.append(network(own))
        (outputs[-1] * weights).sum().backward()
        gradients.append(own.grad)
    assert outputs[1].dtype == torch.bfloat16
    torch.testing.assert_close(outputs[1], outputs[0])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=0.02, atol=0.01)
    torch.testing.assert_close(shared[0].running_var, plain.running_var, rtol=1e-3, atol=1e-3)


def test_alone_nothing_is_wrapped_and_nothing_averaged() -> None:
    network = nn.Linear(3, 1)
    network(torch.ones(1, 3)).sum().backward()
    workers = alone("cpu")
    workers.average_gradients(network)
    assert network.weight.grad is not None
    assert torch.equal(network.weight.grad, torch.ones(1, 3))
    assert float(workers.ratio(torch.tensor(3.0), torch.tensor(0))) == 3.0
