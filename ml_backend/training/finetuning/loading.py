"""The base of a run: a diffusers folder of Stable Diffusion 1, 2 or XL, or one built like them, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ...packaging import Manifest, Package
from ...packaging.contents import contents_of
from ...packaging.files import MANIFEST, hashes_of
from ...pipelines.diffusion.loading import load_pipeline
from .memory import base_folder

Network = Any
"""A network or pipeline of diffusers or transformers, whose classes carry few types."""


@dataclass(frozen=True)
class Base:
    """``pipeline`` is the folder's inpainting pipeline, in single precision, on the CPU, frozen; the rest its parts.

    ``schedule`` is its noise schedule for training, with what its UNet predicts (noise, velocity or the sample).
    """

    package: Package
    pipeline: Network
    schedule: Network

    @property
    def unet(self) -> Network:
        return self.pipeline.unet

    @property
    def vae(self) -> Network:
        return self.pipeline.vae

    @property
    def texts(self) -> dict[str, Network]:
        """The text encoders by the names of their folders; SDXL has two."""
        return self._named("text_encoder")

    @property
    def tokenizers(self) -> list[Network]:
        return list(self._named("tokenizer").values())

    @property
    def inpaints(self) -> bool:
        """Whether the UNet sees a mask and the picture around it (9 channels)."""
        return bool(self.unet.config.in_channels == 9)

    @property
    def is_xl(self) -> bool:
        return "text_encoder_2" in self.texts

    @property
    def factor(self) -> int:
        """Pixels of a picture to one of its latents."""
        return int(self.pipeline.vae_scale_factor)

    def _named(self, part: str) -> dict[str, Network]:
        found = {name: getattr(self.pipeline, name, None) for name in (part, f"{part}_2")}
        return {name: network for name, network in found.items() if network is not None}


def load_base(base: str) -> Base:
    """The base of that name or folder (:func:`.memory.base_folder`).

    Raises :class:`BadInput` where there is none, :class:`BadPackage` for one that is broken.
    """
    from diffusers import DDPMScheduler

    package = package_of_base(base)
    pipeline = load_pipeline(package, torch.float32)
    pipeline.safety_checker = None  # it judges what people are shown; a result keeps the base's
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        network = getattr(pipeline, part, None)
        if isinstance(network, nn.Module):
            network.requires_grad_(False)
    kind: Any = DDPMScheduler
    known = set(kind().config)
    own = {key: value for key, value in pipeline.scheduler.config.items() if key in known and key[0] != "_"}
    return Base(package, pipeline, kind(**own))


def package_of_base(base: str) -> Package:
    """The verified package, or a diffusers folder that has no manifest yet looked at as if it were one."""
    folder = base_folder(base)
    if (folder / MANIFEST).is_file():
        return Package.load(folder)
    found = contents_of(folder)
    config: dict[str, Any] = {"pipeline": found.pipeline, "defaults": found.defaults, "also": list(found.also)}
    manifest = Manifest(folder.name, found.capability, found.architecture, config, "", files=hashes_of(folder))
    return Package(folder, manifest)
