"""Recipe: DreamBooth, a model learns one thing from a few pictures and goes on knowing its kind.

Ruiz et al., "DreamBooth: Fine Tuning Text-to-Image Diffusion Models for Subject-Driven Generation", CVPR 2023.  The
pictures of the thing are learnt under a prompt with a rare word ("a photo of sks dress"); beside each goes a picture of
the kind ("a photo of a dress") that the base itself painted, which keeps the kind as it was (*prior preservation*).

For bases that inpaint the region to repaint is the garment, found by our own segmentation, as well as random shapes:
with random shapes alone the model learns to continue what it sees, and hardly what the thing looks like.

Imports no torch until it trains, as forms read the recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..pipelines.base import Progress, ShouldStop
from ..requests import Number, Prompt, Whole, Words, ruled
from .finetuning.recipe import FineTuneRecipe

if TYPE_CHECKING:
    from .run import Run


@dataclass(frozen=True, kw_only=True)
class DreamBoothRecipe(FineTuneRecipe):
    """``data_dir`` holds the pictures of the thing: plain, or as :mod:`.data.captioned_folder` says, whose captions go
    before ``instance_prompt``.  ``class_dir`` holds those of its kind; those that lack to ``class_count`` are painted
    by the base, into ``class_dir`` if it is named, else into the run's folder.  ``prior_weight`` of 0 goes without.
    """

    recipe: str = "dreambooth"
    data_dir: str
    instance_prompt: str = ruled(Prompt("instance prompt", "With a rare word for the thing: a photo of sks dress."))
    class_prompt: str = ruled(Words("class prompt", "The kind of the thing: a photo of a dress."), "")
    class_dir: str = ""
    class_count: int = ruled(Whole("number of class pictures", low=0, high=10_000), 200)
    prior_weight: float = ruled(Number("prior weight", "0: without class pictures.", 0.0, 100.0), 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.has_prior and not self.class_prompt:
            raise BadInput("Prior preservation needs a class prompt, or a prior weight of 0.")
        if self.has_prior and self.class_count < 1:
            raise BadInput("Prior preservation needs at least one class picture, or a prior weight of 0.")

    @property
    def has_prior(self) -> bool:
        return self.prior_weight > 0


def train(
    config: DreamBoothRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``; the run's ``package`` is a whole pipeline, or a LoRA if the recipe has a rank."""
    from .finetuning.trainer import fine_tune_dreambooth

    fine_tune_dreambooth(config, run, progress=progress, should_stop=should_stop)
