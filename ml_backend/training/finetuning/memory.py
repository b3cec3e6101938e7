"""How much memory a run will take, from the base's shapes and the settings alone.  Imports no torch.

Weights, gradients and moments are counted.  What the UNet keeps between its forward and its backward pass is a sum over
its levels: so many numbers a position, channel and layer, as counted on the UNets of Stable Diffusion 1 and XL and of
the starter (a test counts again).  A run takes that, and a reserve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadInput, BadPackage
from ...packaging.contents import read_json
from ...packaging.header import tensors_of
from ...packaging.starter import WEIGHTS_DIR
from .recipe import FineTuneRecipe

FULL, HALF = 4, 2
"""Bytes of a number in single and in half precision."""
RESNET, ATTENTION = 9.0, 33.0
"""Numbers that a residual layer and a transformer layer keep of each position and channel from the forward to the
backward pass."""
RESNET_INPUT, ATTENTION_INPUT = 5.0, 1.2
"""The same with gradient checkpointing, where what is inside is worked out again, a layer at a time."""
WIDENED = 1.3
"""In half precision some layers (norms, softmax) keep single precision: so much more than half."""
RESERVE = 1.15
OURSELVES = {"cuda": 1_000_000_000, "cpu": 950_000_000}
"""What the libraries take before the first tensor; on a CPU as measured by ``script/bench finetune``."""


@dataclass(frozen=True)
class Estimate:
    """``bytes`` at the peak, on the device that trains; ``sentence`` tells a person what of it is what."""

    bytes: int
    sentence: str


@dataclass(frozen=True)
class _Shapes:
    """Weights of the parts, and what the UNet keeps for a picture: numbers by layer kind, side of a latent."""

    unet: int
    text: int
    vae: int
    adapted: int
    factor: int
    config: dict[str, Any]


def base_folder(base: str) -> Path:
    """The folder of a base: a starter's, or the one that is named.  Raises :class:`BadInput` where there is none."""
    folder = WEIGHTS_DIR / base if base and (WEIGHTS_DIR / base / "model_index.json").is_file() else Path(base)
    if not base or not (folder / "model_index.json").is_file():
        raise BadInput(f"{base!r} is no diffusion model: neither a starter nor a folder with a model_index.json.")
    return folder


def estimate(recipe: FineTuneRecipe, device: str = "cuda", workers: int = 1) -> Estimate:
    """What a run of the recipe takes at its peak on each of ``workers`` devices ("cuda" or "cpu").

    Raises :class:`BadInput` where the base is none, :class:`BadPackage` where it is broken.
    """
    shapes = _shapes(base_folder(recipe.base), recipe)
    full = recipe.mixed_precision == "no" or (recipe.mixed_precision == "auto" and device != "cuda")
    small = FULL if full else HALF
    learnt = shapes.adapted if recipe.is_lora else shapes.unet + (shapes.text if recipe.train_text_encoder else 0)
    frozen = shapes.vae + shapes.text + (shapes.unet if recipe.is_lora else 0)
    if not recipe.is_lora and recipe.train_text_encoder:
        frozen -= shapes.text
    moments = 2 if recipe.eight_bit_adam and device == "cuda" else 2 * FULL
    weights = frozen * small + learnt * FULL
    if not full and not recipe.is_lora:
        weights += learnt * HALF  # autocast's copies of the weights at work
    training = learnt * (FULL + moments)
    pictures = max(1, recipe.batch // max(workers, 1)) * (2 if getattr(recipe, "has_prior", False) else 1)
    kept = round(pictures * _kept(shapes, recipe) * (FULL if full else HALF * WIDENED))
    total = round((weights + training + kept) * RESERVE) + OURSELVES["cuda" if device == "cuda" else "cpu"]
    sentence = (
        f"About {_said(total)} of memory: {_said(weights)} for the weights, {_said(training)} to train "
        f"{learnt / 1e6:.1f} million of them, {_said(kept)} for {pictures} pictures "
        f"of {recipe.resolution} pixels at once."
    )
    return Estimate(total, sentence)


def _said(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{math.ceil(count / 1e6)} MB"


def _shapes(folder: Path, recipe: FineTuneRecipe) -> _Shapes:
    config = read_json(folder / "unet" / "config.json")
    vae = read_json(folder / "vae" / "config.json")
    channels = vae.get("block_out_channels") or vae.get("encoder_block_out_channels") or [0] * 4
    tensors = _tensors(folder / "unet")
    adapted = sum(recipe.rank * sum(shape) for name, shape in tensors.items() if _is_adapted(name) and len(shape) == 2)
    texts = [each for each in ("text_encoder", "text_encoder_2") if (folder / each).is_dir()]
    if recipe.is_lora and recipe.train_text_encoder:
        inside = [_tensors(folder / each) for each in texts]
        names = ("q_proj.weight", "k_proj.weight", "v_proj.weight", "out_proj.weight")
        adapted += sum(
            recipe.rank * sum(shape) for each in inside for name, shape in each.items() if name.endswith(names)
        )
    return _Shapes(
        unet=_count(tensors),
        text=sum(_count(_tensors(folder / each)) for each in texts),
        vae=_count(_tensors(folder / "vae")),
        adapted=adapted,
        factor=2 ** (len(channels) - 1),
        config=config,
    )


_TEXT_LAYERS = ("q_proj.weight", "k_proj.weight", "v_proj.weight", "out_proj.weight")


def _is_adapted(name: str) -> bool:
    """Whether a LoRA of ours changes this weight of a UNet."""
    return name.endswith(("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight"))


def _tensors(folder: Path) -> dict[str, tuple[int, ...]]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BadPackage(f"The model is incomplete: its {folder.name} has no safetensors weights.")
    return {name: shape for file in files for name, (_, shape) in tensors_of(file).items()}


def _count(tensors: dict[str, tuple[int, ...]]) -> int:
    return sum(math.prod(shape) for shape in tensors.values())


def _kept(shapes: _Shapes, recipe: FineTuneRecipe) -> float:
    """Numbers that the UNet keeps of one picture from its forward to its backward pass."""
    widths = shapes.config.get("block_out_channels") or []
    side, total, largest = recipe.resolution / shapes.factor, 0.0, 0.0
    for level, width in enumerate(widths):
        plane = (side / 2**level) ** 2 * width
        layers = 2 * _at(shapes.config.get("layers_per_block", 2), level) + 1
        has_attention = "CrossAttn" in shapes.config["down_block_types"][level]
        deep = _at(shapes.config.get("transformer_layers_per_block", 1), level) if has_attention else 0
        if not recipe.gradient_checkpointing:
            total += layers * plane * (RESNET + ATTENTION * deep)
        else:
            total += layers * plane * (RESNET_INPUT + ATTENTION_INPUT * deep)
            largest = max(largest, plane * (RESNET + ATTENTION * min(deep, 1)))
    return total + largest


def _at(each: int | list[int], level: int) -> int:
    """A setting that is one for all levels, or one a level."""
    return each[level] if isinstance(each, list) else each
