"""A diffusers folder package, loaded with care: safetensors only, nothing fetched, no code from the folder run.

Whatever is wrong with a folder ends in :class:`BadPackage` and one sentence.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from ...errors import BadPackage
from ...packaging import Package
from ...packaging.header import strict_json

INDEX = "model_index.json"
TRUSTED = ("diffusers", "transformers", "stable_diffusion")
"""Where the classes that a folder names may come from; the last is diffusers' own name for its safety checker."""
NEEDED = ("vae", "unet", "text_encoder", "tokenizer", "scheduler")
PAINTERS = ("StableDiffusionInpaintPipeline", "StableDiffusionXLInpaintPipeline")
"""Pipelines that paint into pictures as they are."""
CHANNELS = (4, 9)
"""Input channels of a UNet: latents alone, or with the mask and the masked picture's latents."""


def read_index(package: Package) -> dict[str, Any]:
    """The folder's ``model_index.json``, its classes checked.  Raises :class:`BadPackage`."""
    name = package.manifest.name
    if package.manifest.architecture != "diffusers":
        raise BadPackage(f"{name} is no diffusion model but {package.manifest.architecture!r}.")
    try:
        index = strict_json((package.path / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadPackage(f"{name} is no diffusers folder: it has no {INDEX}.") from error
    except (OSError, ValueError) as error:
        raise BadPackage(f"The {INDEX} of {name} cannot be read.") from error
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise BadPackage(f"The {INDEX} of {name} does not name one of diffusers' pipelines.")
    for component, value in index.items():
        if isinstance(value, list) and len(value) == 2 and value != [None, None] and value[0] not in TRUSTED:
            raise BadPackage(f"{name} wants its {component} from {value[0]!r}; only {TRUSTED[0]} and {TRUSTED[1]} may.")
    for component in NEEDED:
        if component not in index or index[component] == [None, None]:
            raise BadPackage(f"{name} has no {component}.")
        if not (package.path / component).is_dir():
            raise BadPackage(f"The {component} of {name} is missing from its folder.")
    return index


def load_pipeline(package: Package, dtype: torch.dtype) -> Any:
    """The folder's inpainting pipeline, on the CPU, in eval mode.  Raises :class:`BadPackage`."""
    import diffusers

    index = read_index(package)
    _quiet()
    own = index["_class_name"]
    # the automatic class would choose the same, and import every pipeline of diffusers to do so
    loader: Any = getattr(diffusers, own if own in PAINTERS else "AutoPipelineForInpainting")
    try:
        pipeline = loader.from_pretrained(
            package.path,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            **_without_absent_checker(package.path, index),
        )
    except MemoryError:
        raise
    except Exception as error:  # a broken folder fails in as many ways as there are classes in it
        raise BadPackage(f"{package.manifest.name} cannot be loaded: {_first_line(error)}") from error
    _check(package, pipeline)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _without_absent_checker(path: Path, index: dict[str, Any]) -> dict[str, Any]:
    """Many folders name a safety checker and come without its files; then there is none to ask."""
    if index.get("safety_checker", [None, None]) == [None, None] or (path / "safety_checker").is_dir():
        return {}
    return {"safety_checker": None, "requires_safety_checker": False}


def _check(package: Package, pipeline: Any) -> None:
    name = package.manifest.name
    channels, latents = pipeline.unet.config.in_channels, pipeline.vae.config.latent_channels
    if latents != 4 or channels not in CHANNELS or pipeline.unet.config.out_channels != 4:
        raise BadPackage(
            f"The UNet of {name} takes {channels} channels, its latents have {latents}: "
            "only 4 or 9 channels with 4-channel latents can be painted with."
        )
    for component in ("vae", "unet", "text_encoder", "text_encoder_2"):
        module = getattr(pipeline, component, None)
        if module is None:
            continue
        if any(parameter.is_meta for parameter in module.parameters()) or _lacks(package.path / component, module):
            raise BadPackage(f"The {component} of {name} lacks some of its weights.")
        if not all(bool(torch.isfinite(parameter).all()) for parameter in module.parameters()):
            raise BadPackage(f"The {component} of {name} has weights that are no numbers.")


def _lacks(folder: Path, module: torch.nn.Module) -> bool:
    """Whether some of the weights are not in the files: transformers would make them up.

    Names may carry the encoder's prefix or not, by the age of the file; where few agree, they follow another rule
    that this does not know.
    """
    from safetensors import safe_open

    stored: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as tensors:
            stored.update(name.removeprefix("text_model.") for name in tensors.keys())  # noqa: SIM118 it is no dict
    names = [name.removeprefix("text_model.") for name, _ in module.named_parameters()]
    missing = sum(name not in stored for name in names)
    return 0 < missing < len(names) / 2


def _quiet() -> None:
    """No bars and no chatter on standard error; what matters is raised or noted."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for talker in (diffusers_logging, transformers_logging):
        talker.disable_progress_bar()
        talker.set_verbosity(logging.CRITICAL)


def _first_line(error: Exception) -> str:
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line if len(line) <= 200 else f"{line[:200]} ..."
