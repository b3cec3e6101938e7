"""Recipe: a LoRA for a diffusion model from pictures with captions.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, on the attention of the UNet, through peft.
Text-to-image; where the base inpaints, it learns to repaint masked regions and whole pictures from words.

Imports no torch until it trains, as forms read the recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..pipelines.base import Progress, ShouldStop
from ..requests import Number, Whole, ruled
from .finetuning.recipe import FineTuneRecipe

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True, kw_only=True)
class LoraRecipe(FineTuneRecipe):
    """``data_dir`` holds pictures with captions, in a layout that :func:`.data.captioned_folder.records` knows.

    ``validation`` is the share that is set aside by the seed; at most ``validation_most`` of it are measured, with the
    same noise each epoch.
    """

    recipe: str = "lora"
    data_dir: str
    rank: int = ruled(Whole("rank", "Rank of the LoRA.", 1, 1024), 4)
    rate: float = ruled(Number("learning rate", "How far each step goes.", 0.0, 1.0), 1e-4)
    blank_captions: float = ruled(Number("share of blank captions", "Taught without words."), 0.0)
    whole_share: float = ruled(
        Number("share of whole pictures", "Bases that inpaint: painted whole, from words alone."), 0.25
    )
    validation: float = ruled(Number("share for validation", high=0.9), 0.1)
    validation_most: int = ruled(Whole("number of pictures for validation", low=1, high=10_000), 64)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.data_dir:
            raise BadInput("The recipe names no data_dir: a folder of pictures with captions.")


def train(
    config: LoraRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``; the run's ``package`` is the LoRA, ``packages/STEP`` are those of the epochs."""
    from .finetuning.trainer import fine_tune_lora

    fine_tune_lora(config, run, progress=progress, should_stop=should_stop)
