"""Restyle and imagine against bare diffusers: the same weights, steps and size, run in turns in one process.

On a CPU a small model with random weights, so that a step takes tens of milliseconds and nothing we add is hidden by
it; on CUDA one of SD 2's size.  ``plain`` is the usual recipe: float16 and memory-efficient attention, nothing else.
``bare`` has what we set up as well (attention by PyTorch's choice, channels last), so that ``ours`` against it is the
cost of our own code: cutting, blending, progress, previews, the questions whether to stop.  The picture that ours
gets is a photo that it has to cut; the others get the cut one.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PROMPT = "a casual long vacation skirt, bright colors"
Work = Callable[[], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", help="cpu or cuda (default: cuda where there is one)")
    parser.add_argument("--model", type=Path, help="a diffusers package (default: random weights)")
    parser.add_argument("--count", type=int, default=3, help="pictures a run")
    parser.add_argument("--size", type=int, help="side of a picture (default: 768 on CUDA, 128 on a CPU)")
    parser.add_argument("--steps", type=int, help="default: 45 on CUDA, 20 on a CPU")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each; the median is printed")
    parser.add_argument("--compile", action="store_true", help="a further row with compiled blocks")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    import torch

    from ml_backend.packaging import Package

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    on_gpu = device.startswith("cuda")
    size = options.size or (768 if on_gpu else 128)
    steps = options.steps or (45 if on_gpu else 20)
    with tempfile.TemporaryDirectory() as folder:
        package = Package.load(options.model) if options.model else random_model(Path(folder), large=on_gpu)
        contenders = {
            "plain": diffusers_run(package, device, size, steps, options.count, plain=True),
            "bare": diffusers_run(package, device, size, steps, options.count, plain=False),
            "ours": our_run(package, device, size, steps, options.count, compile=False),
        }
        if options.compile:
            contenders["ours, compiled"] = our_run(package, device, size, steps, options.count, compile=True)
        times: dict[str, list[float]] = {name: [] for name in contenders}
        peaks = dict.fromkeys(contenders, 0.0)
        for work in contenders.values():
            work()  # warm: kernels chosen, blocks compiled, words read
        for turn in range(options.repeat):
            # nobody is always the first
            names = list(contenders)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                seconds, peak = _measure(contenders[name], device)
                times[name].append(seconds)
                peaks[name] = max(peaks[name], peak)
    return [_row(name, times, peaks, device, options, size, steps) for name in contenders]


def _row(
    name: str,
    times: dict[str, list[float]],
    peaks: dict[str, float],
    device: str,
    options: argparse.Namespace,
    size: int,
    steps: int,
) -> dict[str, Any]:
    # pairs of one turn see the same machine; the median of their ratios is steadier than the ratio of medians
    def against(other: str) -> float:
        return statistics.median(mine / theirs for mine, theirs in zip(times[name], times[other], strict=True))

    return {
        "run": name,
        "device": device,
        "pictures": options.count,
        "size": size,
        "steps": steps,
        "seconds": f"{statistics.median(times[name]):.3f}",
        "ms/step": f"{1000 * statistics.median(times[name]) / steps / options.count:.1f}",
        "over bare": f"{100 * (against('bare') - 1):+.1f}%",
        "faster than plain": f"{1 / against('plain'):.2f}x",
        **({"peak MiB over weights": round(peaks[name])} if device.startswith("cuda") else {}),
    }


def _measure(work: Work, device: str) -> tuple[float, float]:
    """Seconds, and the most GPU memory in MiB on top of what was held before: every contender's weights."""
    import torch

    if not device.startswith("cuda"):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start, 0.0
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_allocated()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start, (torch.cuda.max_memory_allocated() - held) / 2**20


def _photo(size: int) -> tuple[Image.Image, np.ndarray[Any, np.dtype[np.float32]]]:
    """A photo of twice the model's size and a mask whose window has its proportions."""
    side = 2 * size
    rng = np.random.default_rng(0)
    blocks = Image.fromarray(rng.integers(0, 255, (12, 12, 3), np.uint8))
    mask = np.zeros((side, side), np.float32)
    mask[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 1
    return blocks.resize((side, side), Image.Resampling.BICUBIC), mask


def our_run(package: Any, device: str, size: int, steps: int, count: int, *, compile: bool) -> Work:
    from ml_backend.pipelines.diffusion.residency import Residency
    from ml_backend.pipelines.restyle.diffusion import DiffusionRestyle
    from ml_backend.requests import RestyleRequest

    engine = DiffusionRestyle(package, device, compile=compile, resident=Residency())
    photo, mask = _photo(size)
    requests = [RestyleRequest(PROMPT, seed, "diffusion", size=size, steps=steps) for seed in range(count)]

    def work() -> None:
        engine(
            photo,
            mask,
            requests,
            progress=lambda _fraction, _stage: None,
            should_stop=lambda: False,
            preview=lambda _picture: None,
        )

    return work


def diffusers_run(package: Any, device: str, size: int, steps: int, count: int, *, plain: bool) -> Work:
    """Their pipeline as documented: all pictures in one pass on CUDA, one after the other on a CPU."""
    import torch
    from diffusers import AutoPipelineForInpainting, EulerDiscreteScheduler
    from torch.nn.attention import SDPBackend, sdpa_kernel

    on_gpu = device.startswith("cuda")
    loader: Any = AutoPipelineForInpainting
    pipeline = loader.from_pretrained(
        package.path, dtype=torch.float16 if on_gpu else torch.float32, use_safetensors=True, local_files_only=True
    )
    pipeline.to(device)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    if not plain:
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    photo, mask = _photo(size)
    picture = photo.resize((size, size))
    hole = Image.fromarray((mask * 255).astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST)
    together = count if on_gpu else 1

    def work() -> None:
        efficient = sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION) if plain and on_gpu else contextlib.nullcontext()
        with efficient:
            for first in range(0, count, together):
                pipeline(
                    prompt=PROMPT,
                    image=picture,
                    mask_image=hole,
                    width=size,
                    height=size,
                    num_inference_steps=steps,
                    guidance_scale=6.5,
                    num_images_per_prompt=together,
                    generator=[torch.Generator("cpu").manual_seed(first + index) for index in range(together)],
                )

    return work


def random_model(folder: Path, *, large: bool) -> Any:
    """An inpainting folder with random weights: of SD 2's size, or one whose step takes tens of ms on a CPU."""
    import torch
    from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionInpaintPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    from ml_backend.packaging import save_folder_manifest
    from ml_backend.training.tokenizer import make_tokenizer

    torch.manual_seed(0)
    tokenizer = make_tokenizer([PROMPT] * 4, folder / "words")
    width = 1024 if large else 128
    words = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=23 if large else 2,
        num_attention_heads=16 if large else 2,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    levels = 4 if large else 3
    unet = UNet2DConditionModel(
        sample_size=96 if large else 16,
        in_channels=9,
        out_channels=4,
        block_out_channels=(320, 640, 1280, 1280) if large else (64, 128, 192),
        down_block_types=("CrossAttnDownBlock2D",) * (levels - 1) + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (levels - 1),
        attention_head_dim=(5, 10, 20, 20) if large else 8,
        cross_attention_dim=width,
        use_linear_projection=True,
        layers_per_block=2,
    )
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512) if large else (32, 32, 64, 64),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=2 if large else 1,
        sample_size=768 if large else 128,
        scaling_factor=0.18215,
    )
    pipeline = StableDiffusionInpaintPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(words),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    if large:
        pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(folder / "model", safe_serialization=True)
    return save_folder_manifest(
        folder / "model",
        name="random",
        capability="restyle",
        architecture="diffusers",
        pipeline=type(pipeline).__name__,
    )
