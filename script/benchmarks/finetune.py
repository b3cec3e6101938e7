"""Fine-tuning: steps a second and peak memory against the loop of diffusers' own example recipe.

``diffusers`` does what ``train_dreambooth_inpaint.py`` and ``train_dreambooth_inpaint_lora.py`` of diffusers'
``examples/research_projects/dreambooth_inpaint`` do in a step, in their order: a ``DataLoader`` that decodes and crops,
random masks, the autoencoder and the text encoder at every step, ``accelerator.accumulate``, AdamW.  ``ours`` is what
``train`` runs.  Same base, batch, resolution, precision and number of threads; pictures of the kind are given to both.

Each is a process of its own, and they work in turns; the ratio is the median of those within a round, so that other
work on the machine meets both alike.  ``work`` is the time that cores were busy for a step, in units of the example's.
``peak MiB`` is the most that a process held in training (torch on a GPU).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .training import _memory, _settle

ROOT = Path(__file__).resolve().parents[2]
WHO = ("diffusers", "ours")
PROMPT, KIND = "a sks dress", "a dress"
Step = Callable[[int], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", nargs="+", choices=("lora", "dreambooth"), default=["lora", "dreambooth"])
    parser.add_argument("--base", default="inpaint-starter", help="a starter, or the folder of a diffusion model")
    parser.add_argument("--resolution", type=int, default=192)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="medians are taken over them")
    parser.add_argument("--steps", type=int, default=4, help="steps of each a round")
    parser.add_argument("--threads", type=int, default=1)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name), options.resolution)
        for recipe in options.recipes:
            rows += compare(recipe, Path(name), options)
    return rows


def compare(recipe: str, folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    told = {**vars(options), "recipe": recipe, "folder": str(folder)}
    children = {who: Child(who, told) for who in WHO}
    try:
        for child in children.values():
            child.turn()  # warms up: kernels chosen, what is made once is made
        seconds: dict[str, list[float]] = {who: [] for who in WHO}
        work: dict[str, list[float]] = {who: [] for who in WHO}
        peaks = dict.fromkeys(WHO, 0.0)
        for turn in range(options.rounds):
            for who in WHO[turn % 2 :] + WHO[: turn % 2]:
                taken, busy, peak = children[who].turn()
                seconds[who].append(taken)
                work[who].append(busy)
                peaks[who] = max(peaks[who], peak)
    finally:
        for child in children.values():
            child.end()

    def against(figures: dict[str, list[float]], who: str) -> float:
        return statistics.median(a / b for a, b in zip(figures["diffusers"], figures[who], strict=True))

    return [
        {
            "recipe": recipe,
            "loop": who,
            "batch": options.batch,
            "steps/s": f"{options.steps / statistics.median(seconds[who]):.3f}",
            "against diffusers": f"{against(seconds, who):.2f}x",
            "work": f"{1 / against(work, who):.2f}",
            "peak MiB": round(peaks[who]),
        }
        for who in WHO
    ]


class Child:
    """A process that trains on demand."""

    def __init__(self, who: str, told: dict[str, Any]) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": str(told["threads"]), "OMP_WAIT_POLICY": "PASSIVE"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, who, json.dumps(told)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def turn(self) -> tuple[float, float, float]:
        """Seconds of a round of steps, those that cores were busy, and the peak of memory in MiB."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("One of the two ended; its error stands above.")
        seconds, busy, peak = json.loads(line)
        return seconds, busy, peak

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    who, told = sys.argv[1], json.loads(sys.argv[2])
    import torch

    torch.set_num_threads(told["threads"])
    step, device = {"diffusers": theirs, "ours": ours}[who](told)
    number = itertools.count()
    for _ in sys.stdin:
        _settle(device)
        begun, busy = time.perf_counter(), time.process_time()
        for _ in range(told["steps"]):
            step(next(number))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken, busy = time.perf_counter() - begun, time.process_time() - busy
        peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else _memory("VmHWM")
        print(json.dumps([taken, busy, peak]), flush=True)


def draw(folder: Path, side: int, count: int = 12) -> None:
    """A dozen pictures with masks, and as many of the kind; what they show does not matter to the clock."""
    import numpy as np
    from PIL import Image

    from ml_backend.training.data.captioned_folder import Captioned, write_metadata

    rng = np.random.default_rng(0)
    size = round(1.3 * side)
    for name in ("set", "kind"):
        made = []
        for number in range(count):
            for kind in ("images", "masks"):
                (folder / name / kind).mkdir(parents=True, exist_ok=True)
            picture, mask = (folder / name / kind / f"{number}.png" for kind in ("images", "masks"))
            Image.fromarray(rng.integers(0, 256, (size, size, 3), np.uint8)).save(picture)
            shape = np.zeros((size, size), np.uint8)
            shape[size // 4 : -size // 4, size // 4 : -size // 4] = 255
            Image.fromarray(shape).save(mask)
            made.append(Captioned(picture, PROMPT if name == "set" else KIND, mask))
        write_metadata(folder / name, made)


def ours(told: dict[str, Any]) -> tuple[Step, Any]:
    from ml_backend.training import make_recipe
    from ml_backend.training.data.captioned_folder import records
    from ml_backend.training.distributed import alone
    from ml_backend.training.finetuning.feed import KIND as OF_KIND
    from ml_backend.training.finetuning.feed import LEARNT, Feed, Habits, Set
    from ml_backend.training.finetuning.loading import load_base
    from ml_backend.training.finetuning.masking import read_mask
    from ml_backend.training.finetuning.trainer import FineTuner

    shared = {key: told[key] for key in ("recipe", "base", "resolution", "batch")}
    data = Path(told["folder"]) / "set"
    if told["recipe"] == "lora":
        config = make_recipe({**shared, "data_dir": str(data), "rank": 4, "flip": False})
    else:
        prompts = {"instance_prompt": PROMPT, "class_prompt": KIND}
        config = make_recipe({**shared, **prompts, "data_dir": str(data), "flip": False})
    tuner = FineTuner(config, load_base(config.base), alone(), getattr(config, "prior_weight", 0.0))
    sets = []
    for name, stream in (("set", LEARNT), ("kind", OF_KIND))[: 1 if told["recipe"] == "lora" else 2]:
        pictures = records(Path(told["folder"]) / name)
        masks = [read_mask(picture.mask, config.resolution) for picture in pictures if picture.mask]
        sets.append(Set(pictures, masks, stream))
    tuner.learn(Feed(tuner.base, tuner.encoder, Habits(False, 0.0, 0.0, 0.5), config.seed), sets)
    return tuner.step, tuner.device


def theirs(told: dict[str, Any]) -> tuple[Step, Any]:
    """The example's loop; the starter's autoencoder gives latents instead of a distribution of them."""
    import torch
    from accelerate import Accelerator
    from diffusers import DDPMScheduler, DiffusionPipeline
    from diffusers.optimization import get_scheduler
    from peft import LoraConfig
    from torch.nn import functional

    from ml_backend.training.finetuning.memory import base_folder

    with_prior = told["recipe"] == "dreambooth"
    on_gpu = torch.cuda.is_available()
    accelerator = Accelerator(gradient_accumulation_steps=1, mixed_precision="bf16" if on_gpu else "no")
    folder = base_folder(told["base"])
    pipeline = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32, safety_checker=None)
    unet, vae, text, tokenizer = pipeline.unet, pipeline.vae, pipeline.text_encoder, pipeline.tokenizer
    schedule = DDPMScheduler.from_pretrained(folder, subfolder="scheduler")
    vae.requires_grad_(False)
    text.requires_grad_(False)
    dtype = torch.bfloat16 if on_gpu else torch.float32
    if told["recipe"] == "lora":
        unet.requires_grad_(False)
        unet.to(accelerator.device, dtype)
        layers = ["to_k", "to_q", "to_v", "to_out.0"]
        unet.add_adapter(LoraConfig(r=4, lora_alpha=4, init_lora_weights="gaussian", target_modules=layers))
    learnt = [weight for weight in unet.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=2e-6, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8)
    loader = torch.utils.data.DataLoader(
        Pictures(Path(told["folder"]), told["resolution"], tokenizer, with_prior),  # type: ignore[arg-type]
        batch_size=told["batch"],
        shuffle=True,
        collate_fn=collate,
    )
    rates = get_scheduler("constant", optimizer=optimiser, num_warmup_steps=0, num_training_steps=800)
    unet, optimiser, loader, rates = accelerator.prepare(unet, optimiser, loader, rates)
    vae.to(accelerator.device, dtype)
    text.to(accelerator.device, dtype)
    unet.train()

    def latents(pictures: Any) -> Any:
        found = vae.encode(pictures.to(dtype))
        return (found.latents if hasattr(found, "latents") else found.latent_dist.sample()) * vae.config.scaling_factor

    def batches() -> Iterator[Any]:
        while True:
            yield from loader

    coming = batches()

    def step(number: int) -> None:
        del number
        batch = next(coming)
        with accelerator.accumulate(unet):
            clean = latents(batch["pictures"])
            around = latents(batch["masked"])
            mask = functional.interpolate(batch["masks"], size=clean.shape[-2:])
            noise = torch.randn_like(clean)
            times = torch.randint(0, schedule.config.num_train_timesteps, (len(clean),), device=clean.device).long()
            noisy = schedule.add_noise(clean, noise, times)
            words = text(batch["ids"])[0]
            made = unet(torch.cat([noisy, mask, around], dim=1), times, words).sample
            is_noise = schedule.config.prediction_type == "epsilon"
            wanted = noise if is_noise else schedule.get_velocity(clean, noise, times)
            if with_prior:
                made, made_prior = torch.chunk(made, 2, dim=0)
                wanted, wanted_prior = torch.chunk(wanted, 2, dim=0)
                loss = functional.mse_loss(made.float(), wanted.float(), reduction="none").mean([1, 2, 3]).mean()
                loss = loss + functional.mse_loss(made_prior.float(), wanted_prior.float(), reduction="mean")
            else:
                loss = functional.mse_loss(made.float(), wanted.float(), reduction="mean")
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(learnt, 1.0)
            optimiser.step()
            rates.step()
            optimiser.zero_grad()
        loss.detach().item()

    return step, accelerator.device


class Pictures:
    """The example's data set: a picture and, for the prior, one of the kind, each with a random mask."""

    def __init__(self, folder: Path, side: int, tokenizer: Any, with_prior: bool) -> None:
        from torchvision import transforms

        self.paths = [sorted((folder / name / "images").iterdir()) for name in ("set", "kind")][: 1 + with_prior]
        self.tokenizer, self.side = tokenizer, side
        resize = transforms.Resize(side, interpolation=transforms.InterpolationMode.BILINEAR)
        self.crop = transforms.Compose([resize, transforms.RandomCrop(side)])
        self.tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])

    def __len__(self) -> int:
        return len(self.paths[0])

    def __getitem__(self, index: int) -> list[dict[str, Any]]:
        from PIL import Image

        found = []
        for paths, prompt in zip(self.paths, (PROMPT, KIND), strict=False):
            picture = self.tensor(self.crop(Image.open(paths[index % len(paths)]).convert("RGB")))
            mask = self._mask()
            ids = self.tokenizer(prompt, padding="max_length", truncation=True, return_tensors="pt").input_ids[0]
            found.append({"pictures": picture, "masks": mask, "masked": picture * (mask < 0.5), "ids": ids})
        return found

    def _mask(self) -> Any:
        import torch

        mask = torch.zeros(1, self.side, self.side)
        width, height = random.randint(0, self.side), random.randint(0, self.side)
        left, top = random.randint(0, self.side - width), random.randint(0, self.side - height)
        mask[:, top : top + height, left : left + width] = 1
        return mask


def collate(examples: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Instances first, then those of the kind."""
    import torch

    rows = [example[place] for place in range(len(examples[0])) for example in examples]
    return {key: torch.stack([row[key] for row in rows]) for key in rows[0]}


if __name__ == "__main__":
    main()
