"""What a model folder holds: read from its JSON files and the headers of its weights, nothing of it is run.

A diffusers folder has ``model_index.json`` and a folder for each component; a CLIPSeg folder has ``config.json`` beside
its weights; a LoRA is one safetensors file that is known by the names of its tensors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadPackage
from .files import is_safe_path
from .header import strict_json, tensors_of
from .package import Package

LORA_FILE = "pytorch_lora_weights.safetensors"
MAX_JSON_BYTES = 64 * 1024 * 1024

TRUSTED_LIBRARIES = ("diffusers", "transformers", "stable_diffusion")
"""Where components of a pipeline may come from; the last holds the safety checker of diffusers."""
TEXT_TO_IMAGE, INPAINTING = 4, 9
"""Input channels of a UNet: latents, or with the mask and the latents of what is not masked."""
OPTIONAL = ("safety_checker", "feature_extractor", "image_encoder")
"""Components that a folder may name and lack."""

_LORA_KEY = re.compile(
    r"(\.lora_(A|B|down|up|linear_layer)\.|[._]lora\.(down|up)\.|\.lora_(down|up)\.|\.hada_w1|\.lokr_w1)"
)
_LORA_TEXT_KEY = re.compile(r"attn2[._].*to_(k|v).*(lora_A|lora_down|lora\.down)")


@dataclass(frozen=True)
class Contents:
    """What a folder can serve and how it is loaded."""

    capability: str
    architecture: str
    pipeline: str
    also: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)


def contents_of(folder: Path) -> Contents:
    """Look into a diffusers, CLIPSeg or LoRA folder.

    Raises :class:`BadPackage` for anything else, for missing or truncated files, and for models that bring code.
    """
    for file in sorted(folder.rglob("*.safetensors")):
        tensors_of(file)
    if (folder / "model_index.json").is_file():
        return _diffusers(folder)
    if (folder / "config.json").is_file():
        return _clipseg(folder)
    if (folder / LORA_FILE).is_file() and is_lora(tensors_of(folder / LORA_FILE)):
        return Contents("lora", "lora", "")
    raise BadPackage(
        "This is no model that Toile knows: there is neither a model_index.json nor a CLIPSeg config.json."
    )


def is_lora(tensors: Iterable[str]) -> bool:
    """Whether a file of such tensors is a LoRA (diffusers, PEFT, kohya and LyCORIS names)."""
    return any(_LORA_KEY.search(name) for name in tensors)


def lora_file(package: Package) -> Path:
    """The weights of a LoRA package."""
    return package.path / LORA_FILE


def text_width(folder: Path) -> int | None:
    """Width of the text embeddings that a diffusion model or LoRA attends to; None where it cannot be told.

    768 for Stable Diffusion 1, 1024 for 2, 2048 for XL: a LoRA fits models of its own width only.
    """
    try:
        if (folder / LORA_FILE).is_file():
            tensors = tensors_of(folder / LORA_FILE)
            widths = [
                shape[1] for name, (_, shape) in tensors.items() if _LORA_TEXT_KEY.search(name) and len(shape) > 1
            ]
            return widths[0] if widths else None
        width = read_json(folder / "unet" / "config.json").get("cross_attention_dim")
        width = width[0] if isinstance(width, list) and width else width
        return width if isinstance(width, int) else None
    except (BadPackage, OSError):
        return None


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object.  Raises :class:`BadPackage`."""
    try:
        if file.stat().st_size > MAX_JSON_BYTES:
            raise BadPackage(f"{file.name} is too large for a configuration.")
        data = strict_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadPackage(f"The model is incomplete: {file.parent.name}/{file.name} is missing.") from error
    except (OSError, ValueError) as error:
        raise BadPackage(f"{file.parent.name}/{file.name} cannot be read: {error}.") from error
    if not isinstance(data, dict):
        raise BadPackage(f"{file.parent.name}/{file.name} is not a JSON object.")
    return data


def _diffusers(folder: Path) -> Contents:
    index = read_json(folder / "model_index.json")
    name = index.get("_class_name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Z][A-Za-z0-9]*Pipeline", name):
        raise BadPackage(f"model_index.json names {name!r}, which is no pipeline of diffusers.")
    components = {key: value for key, value in index.items() if not key.startswith("_") and isinstance(value, list)}
    for key, value in components.items():
        _check_component(folder / key, key, value)
    channels, defaults = _channels(folder), _defaults(folder)
    if channels == INPAINTING:
        return Contents("restyle", "diffusers", name, ("imagine",), defaults)
    return Contents("imagine", "diffusers", name, ("restyle",), defaults)


def _check_component(folder: Path, key: str, value: list[Any]) -> None:
    """One entry of a model index: ``[library, class]``; ``[null, null]`` is a component that was left out."""
    if len(value) != 2 or not re.fullmatch(r"[A-Za-z0-9_]+", key):
        raise BadPackage(f"model_index.json is malformed at {key}.")
    library, name = value
    if library is None:
        return
    if library not in TRUSTED_LIBRARIES or not isinstance(name, str):
        raise BadPackage(f"The model wants its {key} from {library!r}; only diffusers and transformers are trusted.")
    if not folder.is_dir():
        if key in OPTIONAL:
            return
        raise BadPackage(f"The model is incomplete: its {key} is missing.")
    if name.endswith("Scheduler"):
        read_json(folder / "scheduler_config.json")
    elif not re.search("Tokenizer|Extractor|Processor", name):
        _check_weights(folder, key)
    elif not any(folder.glob("*.json")):
        raise BadPackage(f"The model is incomplete: its {key} has no files.")


def _check_weights(folder: Path, what: str) -> None:
    """A ``config.json`` that asks for no code, and weights of which no part is missing."""
    if read_json(folder / "config.json").get("auto_map"):
        raise BadPackage(f"The {what} of this model brings its own code, which is never run.")
    for index in folder.glob("*.safetensors.index.json"):
        shards = read_json(index).get("weight_map")
        names = set(map(str, shards.values())) if isinstance(shards, dict) else {"its list of weights"}
        for name in sorted(names):
            if not is_safe_path(name) or not (folder / name).is_file():
                raise BadPackage(f"The model is incomplete: {name} of its {what} is missing.")
    if not any(folder.glob("*.safetensors")):
        raise BadPackage(f"The model is incomplete: its {what} has no safetensors weights.")


def _channels(folder: Path) -> int:
    """Input channels of the UNet.  Raises :class:`BadPackage` for models of another build."""
    if not (folder / "unet").is_dir():
        raise BadPackage(
            "This pipeline has no UNet: Stable Diffusion 1, 2 and XL, and models built like them, can be used."
        )
    config = read_json(folder / "unet" / "config.json")
    channels, out = config.get("in_channels", TEXT_TO_IMAGE), config.get("out_channels", 4)
    if channels not in (TEXT_TO_IMAGE, INPAINTING) or out != 4:
        raise BadPackage(
            f"The UNet of this model takes {channels} channels and gives {out}; only 4 or 9 to 4 can be used."
        )
    return int(channels)


def _defaults(folder: Path) -> dict[str, Any]:
    """The side in pixels of the pictures that the model was trained on, as far as its configuration tells."""
    if not (folder / "vae").is_dir():
        return {}
    latent = read_json(folder / "unet" / "config.json").get("sample_size")
    levels = read_json(folder / "vae" / "config.json").get("block_out_channels")
    if not isinstance(latent, int) or not isinstance(levels, list) or not levels:
        return {}
    side = latent * 2 ** (len(levels) - 1)
    return {"size": side} if side % 64 == 0 else {}


def _clipseg(folder: Path) -> Contents:
    config = read_json(folder / "config.json")
    if config.get("model_type") != "clipseg":
        kind = config.get("model_type") or config.get("_class_name") or "an unknown kind"
        raise BadPackage(f"This is {kind}, not a CLIPSeg model or a whole diffusers pipeline.")
    _check_weights(folder, "network")
    if not (folder / "preprocessor_config.json").is_file() and not (folder / "processor_config.json").is_file():
        raise BadPackage("The model is incomplete: preprocessor_config.json is missing.")
    if not (folder / "tokenizer.json").is_file() and not (folder / "vocab.json").is_file():
        raise BadPackage("The model is incomplete: its tokenizer is missing.")
    return Contents("text-mask", "clipseg", "CLIPSegForImageSegmentation")
