"""Training: images a second of every recipe against the plain recipe, and of two processes against one.

``plain`` is the reference recipe: the same network, losses and batches, but no channels-last, no half precision, no
fused optimiser.  ``ours`` is what ``train`` runs.  Both take one thread, as does each of the ``processes``, which share
the same batch by DistributedDataParallel; ``threads`` is one process with as many threads as there are processes, the
other way to use the cores.  All are run in turns by the same processes, and ratios are the median of those within a
round, so that other work on the machine meets all of them alike.

On a busy machine two processes also get two shares of its time, so their ratio by the clock flatters them.  ``work`` is
the time that all cores were busy for an image, in units of the plain recipe's: it knows no waiting, but no luck either.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ("unet", "dcgan", "srgan", "xgan")
Step = Callable[[int], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="medians are taken over them")
    parser.add_argument("--steps", type=int, default=4, help="steps of each contender a round")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for recipe in options.recipes:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(options.processes), "-m", __name__]
        command += ["--recipe", recipe, "--rounds", str(options.rounds), "--steps", str(options.steps)]
        # threads that wait sleep: on a busy machine spinning would only show who else is there
        one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        done = subprocess.run(command, cwd=ROOT, env=one_thread, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        rows += json.loads(done.stdout)
    return rows


def main() -> None:
    """One of the processes that torchrun starts; the first prints the rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    options = parser.parse_args()
    from ml_backend.training import distributed

    with distributed.join() as workers:
        rows = compare(options.recipe, workers, options.rounds, options.steps)
        if workers.is_writer:
            print(json.dumps(rows))


def compare(recipe: str, workers: Any, rounds: int, steps: int) -> list[dict[str, Any]]:
    from ml_backend.training.distributed import alone

    one, make = alone(workers.device), MAKERS[recipe]
    on_cpu = workers.device.type == "cpu"
    names = ["plain", "ours"]
    if workers.world > 1:
        names += ["threads", "processes"] if on_cpu else ["processes"]
    trainings: dict[str, tuple[Step, int]] = {}
    if workers.is_writer:
        with plainly():
            trainings["plain"] = make(plain_workers(one))
        trainings["ours"] = trainings["threads"] = make(one)
    trainings["processes"] = make(workers)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    work: dict[str, list[float]] = {name: [] for name in names}
    peaks: dict[str, float] = {}
    for turn in range(-1, rounds):  # the first warms up and measures memory: kernels chosen, batches drawn
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            workers.barrier()
            if name not in trainings:
                continue
            step, _ = trainings[name]
            settings = plainly() if name == "plain" else threads(workers.world if name == "threads" else 1)
            with settings:
                taken, busy, peak = measure(step, (turn + 1) * steps, steps, workers.device)
            if name == "processes":
                busy = workers.mean({"busy": busy})["busy"] * workers.world
            if turn < 0:
                peaks[name] = peak
            else:
                seconds[name].append(taken)
                work[name].append(busy)
    if not workers.is_writer:
        return []
    batch = trainings["ours"][1]
    return [row(recipe, name, seconds, work, peaks, batch, steps, workers.world) for name in names]


def row(
    recipe: str,
    name: str,
    seconds: dict[str, list[float]],
    work: dict[str, list[float]],
    peaks: dict[str, float],
    batch: int,
    steps: int,
    world: int,
) -> dict[str, Any]:
    def faster_than(other: str) -> float:
        pairs = zip(seconds[other], seconds[name], strict=True)
        return statistics.median(theirs / mine for theirs, mine in pairs)

    busy = statistics.median(mine / plain for mine, plain in zip(work[name], work["plain"], strict=True))

    many = world if name in ("processes", "threads") else 1
    return {
        "recipe": recipe,
        "run": {"processes": f"{world} processes", "threads": f"{world} threads"}.get(name, name),
        "batch": batch,
        "images/s": f"{batch * steps / statistics.median(seconds[name]):.2f}",
        "against plain": f"{faster_than('plain'):.2f}x",
        "against ours": f"{faster_than('ours'):.2f}x",
        "efficiency": f"{100 * faster_than('ours') / many:.0f}%",
        "work": f"{busy:.2f}",
        "peak MiB of a process": round(peaks[name]),
    }


def measure(step: Step, first: int, count: int, device: Any) -> tuple[float, float, float]:
    """Seconds of ``count`` steps, those that cores were busy for it, and by how many MiB memory grew at most."""
    import torch

    on_gpu = device.type == "cuda"
    before = _settle(device)
    start, busy = time.perf_counter(), time.process_time()
    for number in range(first, first + count):
        step(number)
    if on_gpu:
        torch.cuda.synchronize(device)
    taken = time.perf_counter() - start
    peak = torch.cuda.max_memory_allocated(device) / 2**20 if on_gpu else _memory("VmHWM")
    return taken, time.process_time() - busy, peak - before


def _settle(device: Any) -> float:
    """Free what is not held, set the high-water mark back; MiB held now."""
    import torch

    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        return float(torch.cuda.memory_allocated(device) / 2**20)
    with contextlib.suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(what: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith(f"{what}:"))
    return float(line.split()[1]) / 1024


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    import torch

    torch.set_num_threads(count)
    yield
    torch.set_num_threads(1)


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Full precision, one tensor after the other in the optimiser, contiguous tensors."""
    import torch

    autocast, to, adam, adamw = torch.autocast, torch.nn.Module.to, torch.optim.Adam, torch.optim.AdamW

    def off(device: str, **options: Any) -> Any:
        return autocast(device, **options | {"enabled": False})

    def contiguous(module: Any, *places: Any, **options: Any) -> Any:
        options.pop("memory_format", None)
        return to(module, *places, **options) if places or options else module

    def plain(optimiser: Any) -> Any:
        return lambda *parts, **options: optimiser(*parts, **options | {"fused": False, "foreach": False})

    with (
        mock.patch.object(torch, "autocast", off),
        mock.patch.object(torch.nn.Module, "to", contiguous),
        mock.patch.object(torch.optim, "Adam", plain(adam)),
        mock.patch.object(torch.optim, "AdamW", plain(adamw)),
    ):
        yield


def plain_workers(workers: Any) -> Any:
    """A lone worker that puts batches on its device as they are."""
    from ml_backend.training.distributed import Workers

    class Plain(Workers):
        def place(self, batch: Any, *_: Any) -> Any:
            return batch.contiguous().to(self.device)

    return Plain(workers.device)


# --- the recipes: each returns a function that makes a step, and the images of a batch ---


def unet(workers: Any) -> tuple[Step, int]:
    """The starter's network at 288x192, on noise: what a photo shows does not matter to the clock."""
    import torch

    from ml_backend.training.data.cloth import ClothPhotos
    from ml_backend.training.unet import Trainer, UNetRecipe

    config = UNetRecipe(street_dir="", batch=_batch(workers, 8, 128))
    random = torch.Generator().manual_seed(0)
    photos = ClothPhotos(
        torch.randint(0, 256, (32, 3, *config.size), dtype=torch.uint8, generator=random),
        torch.randint(0, 8, (32, *config.size), dtype=torch.uint8, generator=random),
    )
    return Trainer(config, photos, photos, workers).step, config.batch


def dcgan(workers: Any) -> tuple[Step, int]:
    """The game at 64 px with the starter's widths, R1 every eighth step."""
    from ml_backend.networks.dcgan import DCGANConfig
    from ml_backend.training.dcgan import DCGANRecipe, Trainer
    from ml_backend.training.gan import draw_designs

    config = DCGANRecipe(
        network=DCGANConfig(latent=8, mix=0.3),
        batch=_batch(workers, 32, 512),
        drawn=8,
        designs=8,
        warm_steps=0,
        discriminator_warmup=0,
    )
    return Trainer(config, draw_designs(config), workers).step, config.batch


def srgan(workers: Any) -> tuple[Step, int]:
    """The adversarial phase of the x4 starter."""
    import numpy as np

    from ml_backend.networks.srgan import SRGANConfig
    from ml_backend.training.prefetch import Prefetch
    from ml_backend.training.srgan import SRGANRecipe, Trainer, open_pairs

    config = SRGANRecipe(
        network=SRGANConfig(blocks=10, maps=48, tail=(32, 24), norm=False, residual=True),
        discriminator_maps=24,
        content_steps=0,
        batch=_batch(workers, 4, 64),
        discriminator_patch=64,
        border=8,
        pixel=1.0,
        relativistic=True,
        half=True,
        designs=2,
        design_size=256,
    )
    pairs, part = open_pairs(config), workers.part(config.batch)
    batches = Prefetch(
        lambda step: pairs.batch(np.random.default_rng([0, step]), config.batch, part), 0 if _on_cpu(workers) else 4
    )
    return Trainer(config, workers, batches).step, config.batch


def xgan(workers: Any) -> tuple[Step, int]:
    """The game at 64 px, R1 every sixteenth and path lengths every eighth step."""
    from ml_backend.networks.xgan import XGANConfig
    from ml_backend.training.xgan import Trainer, XGANRecipe, draw_designs

    config = XGANRecipe(
        network=XGANConfig(size=64, latent=8, embedding=16, capacity=2048, widest=128, mix=0.3),
        discriminator_capacity=1536,
        drawn=8,
        designs=8,
        batches=(_batch(workers, 16, 256),),
        warm_steps=0,
        discriminator_warmup=0,
    )
    return Trainer(config, draw_designs(config), workers).step, config.batches[0]


def _on_cpu(workers: Any) -> bool:
    return bool(workers.device.type == "cpu")


def _batch(workers: Any, on_cpu: int, on_gpu: int) -> int:
    return on_cpu if _on_cpu(workers) else on_gpu


MAKERS: dict[str, Callable[[Any], tuple[Step, int]]] = {"unet": unet, "dcgan": dcgan, "srgan": srgan, "xgan": xgan}

if __name__ == "__main__":
    main()
