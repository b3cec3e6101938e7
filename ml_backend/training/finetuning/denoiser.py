"""What is trained, as one module: the UNet, and the text encoders where they learn too."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .loading import Base, Network
from .recipe import FineTuneRecipe
from .words import Spoken, speak

UNET_LAYERS = ["to_q", "to_k", "to_v", "to_out.0"]
TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj"]
"""The layers that a LoRA is put on: all of attention's."""


class Denoiser(nn.Module):
    """``unet`` and, where they are trained, ``texts``; called whole, so that one wrapper sees every gradient."""

    def __init__(self, base: Base, texts: Sequence[Network], resolution: int) -> None:
        super().__init__()
        self.unet = base.unet
        self.texts = nn.ModuleList(texts)
        self._xl = base.is_xl
        self._side = resolution

    def forward(self, seen: Tensor, times: Tensor, words: Spoken | list[Tensor]) -> Tensor:
        """``seen`` (N, 4 or 9, h, w) at ``times`` (N,), under words or their token ids -> what the UNet predicts."""
        spoken = words if isinstance(words, Spoken) else speak(list(self.texts), words)
        added = {}
        if self._xl:
            # original size, corner of the crop, size aimed at: SDXL's conditions on size
            sizes = torch.tensor([self._side, self._side, 0, 0, self._side, self._side], device=seen.device)
            added["added_cond_kwargs"] = {
                "text_embeds": spoken.pooled,
                "time_ids": sizes.repeat(len(seen), 1).to(spoken.states.dtype),
            }
        made: Tensor = self.unet(seen, times, spoken.states, **added).sample
        return made

    def learnt(self) -> dict[str, nn.Parameter]:
        """The weights that are trained, by name."""
        return {name: weight for name, weight in self.named_parameters() if weight.requires_grad}


def make_denoiser(base: Base, config: FineTuneRecipe, frozen: torch.dtype) -> Denoiser:
    """The base with what the recipe trains of it: all weights in single precision, or LoRAs on weights in ``frozen``.

    What the seed draws is drawn here.
    """
    texts = list(base.texts.values()) if config.train_text_encoder else []
    parts: list[Network] = [base.unet, *texts]
    base.unet.to(memory_format=torch.channels_last)
    if config.is_lora:
        from peft import LoraConfig

        torch.manual_seed(config.seed)
        for part, layers in zip(parts, [UNET_LAYERS, *[TEXT_LAYERS] * len(texts)], strict=True):
            part.to(dtype=frozen)
            alpha = config.alpha or config.rank
            part.add_adapter(
                LoraConfig(r=config.rank, lora_alpha=alpha, init_lora_weights="gaussian", target_modules=layers)
            )
            for weight in part.parameters():
                if weight.requires_grad:
                    weight.data = weight.data.float()
    else:
        for part in parts:
            part.requires_grad_(True)
    if config.gradient_checkpointing:
        base.unet.enable_gradient_checkpointing()
        for text in texts:
            text.activation_checkpointing_enable()
    if config.attention_slicing:
        base.unet.set_attention_slice("auto")
    return Denoiser(base, texts, config.resolution)
