"""Recipe of a test: the weft learns the mean of a few drawn designs of each type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..networks.weft import Weft, WeftConfig
from ..packaging import save_package
from ..pipelines.base import Progress, ShouldStop
from .data.bank import draw_bank
from .run import Run
from .trainer import AveragedRecipe, AveragedTrainer, train_averaged

SEEN = 32
"""Side of the designs that it learns."""

_NETWORK = WeftConfig(latent=8, embedding=4)


@dataclass(frozen=True, kw_only=True)
class WeftRecipe(AveragedRecipe):
    network: WeftConfig = _NETWORK
    recipe: str = "weft"
    designs: int = 2


class Trainer(AveragedTrainer[Weft]):
    def __init__(self, config: WeftRecipe, run: Run) -> None:
        torch.manual_seed(config.seed)
        super().__init__(config, Weft(config.network), run.workers)
        self.config = config
        self.bank = draw_bank(config.designs, SEEN, config.network.inks)

    def step(self, step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.config.seed, step))
        labels = rng.integers(self.config.network.classes, size=self.config.batch)
        target = self.bank.coverage(labels, rng.integers(self.config.designs, size=self.config.batch))
        random = torch.Generator().manual_seed(step)
        known = torch.from_numpy(labels)
        painted = self.network.synthesise(self.network.styles(self.network.latents(known, random), known))
        painted = F.avg_pool2d(painted, self.config.network.size // SEEN)
        loss = -(target * (painted + 1e-5).log()).sum(dim=1).mean()
        self.descend(loss)
        return {"loss": loss.detach()}


def train(
    config: WeftRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    trainer = Trainer(config, run)

    def publish(step: int, losses: dict[str, float]) -> None:
        save_package(
            run.path / "packages" / f"{step:06d}",
            name="weft",
            capability="generate",
            architecture="weft",
            config=config.network,
            state_dict=trainer.ema.network.state_dict(),
            metrics=losses,
        )

    train_averaged(trainer, run, config, publish, progress, should_stop)
