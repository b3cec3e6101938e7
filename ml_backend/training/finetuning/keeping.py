"""What a run leaves: a LoRA as diffusers writes it, or the base's folder with the trained weights in it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import BadPackage
from ...packaging import Package, save_folder_manifest
from ...packaging.contents import LORA_FILE
from .denoiser import Denoiser
from .loading import Base, Network
from .recipe import FineTuneRecipe


def keep(path: Path, base: Base, denoiser: Denoiser, config: FineTuneRecipe, said: Mapping[str, Any]) -> Package:
    """Write the package in place of the one that may be at ``path``; ``said`` goes into its manifest's ``source``."""
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    name = path.parent.name if path.name == "package" else f"{path.parent.parent.name}-{path.name}"
    source = {"base": base.package.manifest.reference, **said}
    package = (
        _lora(partial, base, denoiser, config, name, source)
        if config.is_lora
        else _whole(partial, base, denoiser, name, source)
    )
    shutil.rmtree(path, ignore_errors=True)
    partial.rename(path)
    return Package(path, package.manifest)


def lora_weights(part: Network, config: FineTuneRecipe) -> dict[str, Tensor]:
    """The LoRA of a network under diffusers' names; ``alpha`` is multiplied in, for loaders take it to be the rank."""
    from diffusers import utils
    from peft.utils import get_peft_model_state_dict

    scale = (config.alpha or config.rank) / config.rank
    diffusers: Any = utils
    found: dict[str, Tensor] = diffusers.convert_state_dict_to_diffusers(get_peft_model_state_dict(part))
    return {
        name: (weight * scale if ".lora_B." in name or ".up." in name else weight).detach().cpu().float().contiguous()
        for name, weight in found.items()
    }


def _lora(
    path: Path, base: Base, denoiser: Denoiser, config: FineTuneRecipe, name: str, source: dict[str, Any]
) -> Package:
    layers = {"unet_lora_layers": lora_weights(denoiser.unet, config)}
    for text, network in zip(base.texts, denoiser.texts, strict=False):
        layers[f"{text}_lora_layers"] = lora_weights(network, config)
    type(base.pipeline).save_lora_weights(path, weight_name=LORA_FILE, safe_serialization=True, **layers)
    return save_folder_manifest(path, name=name, capability="lora", architecture="lora", source=source)


def _whole(path: Path, base: Base, denoiser: Denoiser, name: str, source: dict[str, Any]) -> Package:
    own = base.package.manifest
    for file in own.files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(base.package.path / file, path / file)
    _rewrite(path / "unet", denoiser.unet)
    for text, network in zip(base.texts, denoiser.texts, strict=False):
        _rewrite(path / text, network)
    return save_folder_manifest(
        path,
        name=name,
        capability=own.capability,
        architecture=own.architecture,
        licence=own.licence,
        defaults=own.config.get("defaults"),
        source=source,
        pipeline=own.config.get("pipeline", ""),
        also=own.config.get("also", ()),
    )


def _rewrite(folder: Path, network: Network) -> None:
    """The trained weights in the base's own files: same names, same precision, same shards.

    Raises :class:`BadPackage` where one of them has no place.
    """
    from safetensors import safe_open
    from safetensors.torch import save_file

    weights: dict[str, Tensor] = {_plain(name): weight for name, weight in network.state_dict().items()}
    left = {_plain(name) for name, weight in network.named_parameters() if weight.requires_grad}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as stored:
            told = stored.metadata()
            before = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 it is no dict
        after = {
            name: weights.get(_plain(name), weight).detach().to("cpu", weight.dtype) for name, weight in before.items()
        }
        left -= {_plain(name) for name in before}
        save_file({name: weight.contiguous() for name, weight in after.items()}, file, metadata=told)
    if left:
        raise BadPackage(f"The {folder.name} of the base has no place for {min(left)}.")


def _plain(name: str) -> str:
    """Names of text encoders carry their model's prefix or not, by the age of the file."""
    return name.removeprefix("text_model.")


def finite(denoiser: Denoiser) -> bool:
    """Whether all that is trained are numbers."""
    return all(bool(torch.isfinite(weight).all()) for weight in denoiser.learnt().values())
