"""Training: one recipe a file, each a frozen config dataclass and a ``train`` function."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, Stopped
from ..pipelines.base import Progress, ShouldStop
from .recipe import RECIPES, make_recipe, read_recipe

if TYPE_CHECKING:
    from .data.shards import Access

__all__ = ["RECIPES", "SHARED", "make_recipe", "read_recipe", "train"]

SHARED = ("unet", "dcgan", "srgan", "xgan", "dreambooth", "lora")
"""Recipes that several workers can train together."""


def train(
    config: Any,
    run_dir: Path | str,
    *,
    resume: bool = False,
    patience_minutes: float | None = None,
    access: Access | None = None,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> None:
    """Run the recipe in ``run_dir``; ``resume`` goes on from its checkpoint, or begins where there is none yet.

    Started by ``torchrun``, this is one of several workers (:mod:`.distributed`), which wait up to
    ``patience_minutes`` for one another; one that torchrun has started again after a loss resumes by itself.
    ``access`` is how shards are reached.

    Asked to stop, by ``should_stop`` or by a file ``stop`` in ``run_dir``, it keeps a checkpoint between two steps and
    raises :class:`Stopped`.
    """
    from . import distributed, stopping
    from .run import Run

    module_name, _ = RECIPES[config.recipe]
    module = import_module(f".{module_name}", __name__)
    patience = distributed.PATIENCE_MINUTES if patience_minutes is None else patience_minutes
    with distributed.join(patience_minutes=patience) as workers:
        if not workers.alone and config.recipe not in SHARED:
            raise BadInput(f"The {config.recipe} recipe is trained by one worker; start it without torchrun.")
        run = Run(run_dir, config, resume=resume or distributed.is_restart(), workers=workers, access=access)
        told = progress if workers.is_writer else None
        try:
            module.train(config, run, progress=told, should_stop=stopping.heeding(run_dir, should_stop))
        except Stopped:
            if workers.is_writer:
                stopping.heeded(run_dir)
            raise
