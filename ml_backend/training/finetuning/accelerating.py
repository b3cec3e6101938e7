"""Accelerate, set up for one run: device, precision, distribution, checkpoints."""

from __future__ import annotations

from typing import Any

import torch

from ...errors import BadInput
from ..distributed import Workers
from .recipe import FineTuneRecipe

DTYPES = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def precision_of(config: FineTuneRecipe, device: torch.device) -> str:
    """ "no", "bf16" or "fp16".  Raises :class:`BadInput` for one that the device cannot train in."""
    if config.mixed_precision == "auto":
        return "bf16" if device.type == "cuda" else "no"
    if config.mixed_precision == "fp16" and device.type == "cpu":
        raise BadInput("A CPU does not train in fp16; choose bf16 or no mixed precision.")
    return config.mixed_precision


def make_accelerator(config: FineTuneRecipe, workers: Workers) -> Any:
    """An ``Accelerator`` over the processes that have already met; each run of a process gets one of its own."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState
    from accelerate.utils import DistributedDataParallelKwargs

    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    # the last layer of a text encoder goes unused where the one before it is read
    together = DistributedDataParallelKwargs(
        gradient_as_bucket_view=True, find_unused_parameters=config.train_text_encoder
    )
    return Accelerator(
        cpu=workers.device.type == "cpu",
        mixed_precision=precision_of(config, workers.device),
        gradient_accumulation_steps=config.gradient_accumulation,
        kwargs_handlers=[together],
    )


def make_optimiser(config: FineTuneRecipe, weights: list[torch.nn.Parameter], device: torch.device) -> Any:
    """AdamW; with ``eight_bit_adam`` that of bitsandbytes, where it is installed and there is a GPU."""
    options: dict[str, Any] = {
        "lr": config.rate,
        "betas": (0.9, 0.999),
        "weight_decay": config.weight_decay,
        "eps": 1e-8,
    }
    if config.eight_bit_adam and device.type == "cuda":
        try:
            from bitsandbytes.optim import AdamW8bit
        except ImportError:
            pass
        else:
            return AdamW8bit(weights, **options)
    return torch.optim.AdamW(weights, fused=True, **options)
