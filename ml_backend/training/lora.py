"""Recipe: a LoRA for a diffusion model from pictures with captions.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, on the attention of the UNet, through peft.
Text-to-image; where the base inpaints, it learns to repaint masked regions and whole pictures from words.

Imports no torch until it trains, as forms read the recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..pipelines.base import Progress, ShouldStop
from .finetuning.recipe import LoraRecipe

if TYPE_CHECKING:
    from .run import Run


__all__ = ["LoraRecipe", "train"]


def train(
    config: LoraRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``; the run's ``package`` is the LoRA, ``packages/STEP`` are those of the epochs."""
    from .finetuning.trainer import fine_tune_lora

    fine_tune_lora(config, run, progress=progress, should_stop=should_stop)
