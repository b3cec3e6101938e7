"""Recipe: DreamBooth, a model learns one thing from a few pictures and goes on knowing its kind.

Ruiz et al., "DreamBooth: Fine Tuning Text-to-Image Diffusion Models for Subject-Driven Generation", CVPR 2023.  The
pictures of the thing are learnt under a prompt with a rare word ("a photo of sks dress"); beside each goes a picture of
the kind ("a photo of a dress") that the base itself painted, which keeps the kind as it was (*prior preservation*).

For bases that inpaint the region to repaint is the garment, found by our own segmentation, as well as random shapes:
with random shapes alone the model learns to continue what it sees, and hardly what the thing looks like.

Imports no torch until it trains, as forms read the recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..pipelines.base import Progress, ShouldStop
from .finetuning.recipe import DreamBoothRecipe

if TYPE_CHECKING:
    from .run import Run


__all__ = ["DreamBoothRecipe", "train"]


def train(
    config: DreamBoothRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``; the run's ``package`` is a whole pipeline, or a LoRA if the recipe has a rank."""
    from .finetuning.trainer import fine_tune_dreambooth

    fine_tune_dreambooth(config, run, progress=progress, should_stop=should_stop)
