"""What stays in memory of a diffusers folder: its pipelines over one set of weights, words already read, LoRAs."""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from math import lcm
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import BadInput
from ...packaging import Package
from ...requests import SCHEDULERS, parse_lora
from . import preview
from .loading import load_pipeline
from .residency import memory_of

PROMPTS = 32
"""How many pairs of prompts are remembered as embeddings."""
WORK = 1.25
"""A model stays on the GPU if this many times its weights fit there, else it visits part by part."""
TILED_FROM = 1024
"""Side in pixels from which the autoencoder works in tiles."""


class DiffusionModel:
    """One folder, loaded: SD 1.x, SD 2 or SDXL, with a UNet of 9 channels (made for inpainting) or 4."""

    def __init__(self, package: Package, device: str = "cpu", *, compile: bool = False) -> None:
        self.package = package
        self.device = torch.device(device)
        on_gpu = self.device.type == "cuda"
        self.inpaint = load_pipeline(package, torch.float16 if on_gpu else torch.float32)
        self.offloaded = False
        self.matrix: Tensor | None = None
        self._text_to_image: Any = None
        self._prompts: OrderedDict[tuple[Any, ...], dict[str, Tensor]] = OrderedDict()
        self._loras: dict[str, Path] = {}
        self._lora_state: tuple[tuple[str, Path], ...] = ()
        """What is mixed in: two people may each have one of the same name."""
        self._scheduler_config = self.inpaint.scheduler.config
        for module in (self.inpaint.unet, self.inpaint.vae):
            module.to(memory_format=torch.channels_last)
        if on_gpu:
            self.inpaint.vae.enable_slicing()
            self._move_in()
        if compile:
            self.inpaint.unet.compile_repeated_blocks(fullgraph=True)

    # -- what the model is ---------------------------------------------------------------------------------------------

    @property
    def for_inpainting(self) -> bool:
        """Whether its UNet sees the mask and the picture around it (9 channels)."""
        return bool(self.inpaint.unet.config.in_channels == 9)

    @property
    def factor(self) -> int:
        """Pixels of a picture to one of its latents."""
        return int(self.inpaint.vae_scale_factor)

    @property
    def own_size(self) -> int:
        """Side that it was trained at, in pixels."""
        sample = self.inpaint.unet.config.sample_size
        side = int(max(sample) if isinstance(sample, list | tuple) else sample)
        return side * self.factor

    @property
    def multiple(self) -> int:
        """Sides that are multiples of this pass through every level of the UNet unpadded; 8 is what diffusers wants."""
        return lcm(8, self.factor * int(2 ** (len(self.inpaint.unet.config.block_out_channels) - 1)))

    @property
    def dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.inpaint.unet.dtype
        return dtype

    @property
    def text_to_image(self) -> Any:
        """The pipeline without a picture, over the same weights; only for UNets of 4 channels."""
        if self._text_to_image is None:
            from diffusers import AutoPipelineForText2Image

            self._text_to_image = AutoPipelineForText2Image.from_pipe(self.inpaint)
            self._text_to_image.set_progress_bar_config(disable=True)
        return self._text_to_image

    # -- memory --------------------------------------------------------------------------------------------------------

    def offload(self) -> None:
        """Keep the weights in main memory; each part visits the GPU when it works.  Slower, and fits."""
        self._text_to_image = None
        self.inpaint.enable_model_cpu_offload(device=self.device)
        self.inpaint.vae.enable_tiling()
        self.offloaded = True

    def widen(self) -> None:
        """From float16 to bfloat16: less exact, but it cannot overflow."""
        self._prompts.clear()
        self.inpaint.to(dtype=torch.bfloat16)

    def release(self) -> None:
        """Give the memory back."""
        self._prompts.clear()
        self._text_to_image = None
        if self.offloaded:
            self.inpaint.remove_all_hooks()
        self.inpaint = None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def pipeline(self, picture: bool) -> Any:
        """The pipeline for a run: with a picture to paint into, or without."""
        if picture or self.for_inpainting:
            return self.inpaint
        other = self.text_to_image
        if self.offloaded:
            # hooks hang on the modules, but the order in which they leave the GPU belongs to the pipeline
            other.enable_model_cpu_offload(device=self.device)
        return other

    def _move_in(self) -> None:
        weights = sum(
            tensor.nbytes
            for part in self.inpaint.components.values()
            if isinstance(part, torch.nn.Module)
            for tensor in part.parameters()
        )
        if WORK * weights > memory_of(str(self.device))[0]:
            self.offload()
        else:
            self.inpaint.to(self.device)

    # -- pictures ------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def encode(self, picture: Tensor) -> Tensor:
        """(N, 3, H, W) from -1 to 1 -> latents (N, 4, h, w): the most likely ones, so that no seed is spent on them."""
        vae = self.inpaint.vae
        # SDXL's own autoencoder overflows in float16; its pipeline widens it for decoding just so
        narrow = vae.dtype == torch.float16 and vae.config.force_upcast and hasattr(self.inpaint, "text_encoder_2")
        if narrow:
            vae.to(torch.float32)
        encoded = vae.encode(picture.to(self.device, vae.dtype))
        found = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
        if narrow:
            vae.to(torch.float16)
        latents: Tensor = (found * vae.config.scaling_factor).to(self.dtype)
        return latents

    def preview_matrix(self) -> Tensor:
        """The linear map from latents to colours, fitted on first use."""
        if self.matrix is None:
            self.matrix = preview.fit(self.encode, self.factor)
        return self.matrix

    def tile(self, size: tuple[int, int]) -> None:
        """Large pictures are decoded in tiles, which costs little and bounds the memory."""
        if self.offloaded or max(size) > TILED_FROM:
            self.inpaint.vae.enable_tiling()
        else:
            self.inpaint.vae.disable_tiling()

    # -- words ---------------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def read(self, prompt: str, negative_prompt: str, guided: bool) -> dict[str, Tensor]:
        """The embeddings (1, T, D) that the pipeline takes by these names; read once, then remembered."""
        key = (prompt, negative_prompt, guided, self._lora_state)
        if key not in self._prompts:
            self._prompts[key] = self._read(prompt, negative_prompt, guided)
            if len(self._prompts) > PROMPTS:
                self._prompts.popitem(last=False)
        self._prompts.move_to_end(key)
        return self._prompts[key]

    def _read(self, prompt: str, negative_prompt: str, guided: bool) -> dict[str, Tensor]:
        names = ["prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"]
        values = self.inpaint.encode_prompt(
            prompt=prompt,
            device=self.device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=guided,
            negative_prompt=negative_prompt,
        )
        pairs = zip(names, values, strict=False)
        return {name: value for name, value in pairs if value is not None and (guided or "negative" not in name)}

    def cut_off(self, prompt: str) -> str:
        """The end of a prompt that the text encoder cannot take in; "" for most."""
        tokenizer, encoder = self.inpaint.tokenizer, self.inpaint.text_encoder
        most = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)
        tokens = tokenizer(prompt, add_special_tokens=False, truncation=False, verbose=False).input_ids
        # the beginning and the end of the text take one token each
        return str(tokenizer.decode(tokens[most - 2 :])).strip()

    # -- how it samples ------------------------------------------------------------------------------------------------

    def scheduler(self, name: str) -> Any:
        """A fresh scheduler of that kind with the package's own settings: v-prediction, spacing, final noise."""
        from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler

        kinds: dict[str, Any] = dict(
            zip(SCHEDULERS, (EulerDiscreteScheduler, DPMSolverMultistepScheduler, LCMScheduler), strict=True)
        )
        return kinds[name].from_config(self._scheduler_config)

    # -- LoRAs ---------------------------------------------------------------------------------------------------------

    def mix_in(self, loras: tuple[str, ...], places: Mapping[str, Path]) -> None:
        """Mix exactly these LoRAs in (``NAME:STRENGTH`` each; Hu et al. 2021), found at ``places``.

        Raises :class:`BadInput` for one that is nowhere, cannot be read or was made for another model; the model is
        then as it was without any.
        """
        wanted = dict(parse_lora(lora) for lora in loras)
        files = {name: _weights_of(name, places) for name in wanted}
        state = tuple((lora, files[parse_lora(lora)[0]]) for lora in loras)
        if state == self._lora_state:
            return
        if any(files.get(name) != file for name, file in self._loras.items()):
            self._take_off()
        try:
            for name, file in files.items():
                if name not in self._loras:
                    self._put_on(name, file)
            if wanted:
                adapters = [_adapter(name) for name in wanted]
                self.inpaint.set_adapters(adapters, adapter_weights=list(wanted.values()))
        except BaseException:
            self._take_off()
            raise
        self._lora_state = state

    def _put_on(self, name: str, file: Path) -> None:
        adapter = _adapter(name)
        try:
            with warnings.catch_warnings():
                # that there is one already: several are the point
                warnings.filterwarnings("ignore", message="Already found a `peft_config`")
                self.inpaint.load_lora_weights(
                    file.parent,
                    weight_name=file.name,
                    adapter_name=adapter,
                    use_safetensors=True,
                    local_files_only=True,
                )
        except Exception as error:  # a file from anywhere fails in many ways
            raise BadInput(f"The LoRA {name} does not fit {self.package.manifest.name}.") from error
        if not any(adapter in adapters for adapters in self.inpaint.get_list_adapters().values()):
            raise BadInput(f"The LoRA {name} holds nothing for {self.package.manifest.name}.")
        self._loras[name] = file

    def _take_off(self) -> None:
        self.inpaint.unload_lora_weights()
        self._loras, self._lora_state = {}, ()


def _weights_of(name: str, places: Mapping[str, Path]) -> Path:
    """The safetensors file of a LoRA, which may be given as its folder."""
    place = places.get(name)
    if place is None:
        known = ", ".join(sorted(places)) or "none"
        raise BadInput(f"There is no LoRA called {name}; there are: {known}.")
    files = [place] if place.is_file() else sorted(place.glob("*.safetensors"))
    if len(files) != 1 or files[0].suffix != ".safetensors":
        raise BadInput(f"The LoRA {name} must be one .safetensors file.")
    return files[0]


def _adapter(name: str) -> str:
    """A name that can be a module's: no dots."""
    return f"lora_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
