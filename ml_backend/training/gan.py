"""What the recipes of generators have in common: the game of two networks, its losses, its loop, contact sheets."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from ..errors import BadInput
from ..networks.dcgan import compose
from ..networks.generator import FabricGenerator
from ..packaging import Package, save_package
from ..pipelines.base import Progress, ShouldStop, check, tell
from ..requests import PATTERN_TYPES
from .augment import augment
from .data.bank import Bank
from .distributed import Workers
from .ema import EMA
from .precision import half_precision
from .run import Run

SHEET_ROWS = 8

PROOF = ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.8, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0))
"""The palette of colour proofs: far-apart colours, in which every ink can be seen."""


class Game(Protocol):
    """The settings that every such recipe has.  ``r1_weight`` and ``code_rate`` are factors: of the penalty in a step
    that takes it, and of a code's learning rate.
    """

    @property
    def steps(self) -> int: ...
    @property
    def warm_steps(self) -> int: ...
    @property
    def warm_rate(self) -> float: ...
    @property
    def generator_rate(self) -> float: ...
    @property
    def discriminator_rate(self) -> float: ...
    @property
    def code_rate(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def r1_weight(self) -> float: ...
    @property
    def r1_every(self) -> int: ...
    @property
    def ema(self) -> float: ...
    @property
    def policy(self) -> tuple[str, ...]: ...
    @property
    def log_every(self) -> int: ...
    @property
    def save_every(self) -> int: ...


class GANTrainer(ABC):
    """A generator and a discriminator with their optimisers, and the average of the generator's weights.

    Of several ``workers`` each has the same networks and trains them with its share of every batch.
    """

    parts: tuple[str, ...] = (
        "generator",
        "discriminator",
        "ema",
        "generator_optimiser",
        "discriminator_optimiser",
    )

    def __init__(self, game: Game, generator: nn.Module, discriminator: nn.Module, workers: Workers) -> None:
        self.game, self.workers, self.device = game, workers, workers.device
        self.generator, self.discriminator = generator, discriminator
        self.ema = EMA(generator, game.ema)
        codes = [weight for name, weight in generator.named_parameters() if name == "codes"]
        others = [weight for name, weight in generator.named_parameters() if name != "codes"]
        betas = (game.momentum, 0.99)
        self.generator_optimiser = torch.optim.Adam([{"params": others}, {"params": codes}], betas=betas, fused=True)
        self.discriminator_optimiser = torch.optim.Adam(
            discriminator.parameters(), lr=game.discriminator_rate, betas=betas, fused=True
        )

    @abstractmethod
    def step(self, step: int) -> dict[str, float]:
        """One update of what this step trains; its metrics.  A function of the state and of (seed, step)."""

    def mixed(self, wanted: bool = True) -> torch.autocast:
        """The precision that the networks run in."""
        return half_precision(self.device, wanted)

    @abstractmethod
    def average_generator(self) -> None:
        """Bring the workers' gradients together.  Called between the generator's backward pass and its update."""

    def teach_discriminator(
        self, step: int, real: Tensor, fake: Tensor, labels: Tensor, random: torch.Generator
    ) -> dict[str, float]:
        """One update from real and generated images (N, 3, S, S), R1 now and then; its metrics.

        Two forward passes, a second derivative, layers that rest while images are small: the gradients of the workers
        are averaged here, after all of that, rather than on the way by DistributedDataParallel.
        """
        penalise = step % self.game.r1_every == 0
        real = augment(real, self.game.policy, random, self.workers).requires_grad_(penalise)
        fake = augment(fake, self.game.policy, random, self.workers)
        with self.mixed(not penalise):  # second derivatives want full precision
            on_real = self.discriminator(real, labels).float()
            on_fake = self.discriminator(fake, labels).float()
        loss = logistic(on_real, True) + logistic(on_fake, False)
        metrics = {"d_loss": loss.item(), "d_real": on_real.mean().item(), "d_fake": on_fake.mean().item()}
        if penalise:
            penalty = gradient_penalty(real, on_real)
            loss = loss + self.game.r1_weight * penalty
            metrics["r1"] = penalty.item()
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.workers.average_gradients(self.discriminator)
        self.discriminator_optimiser.step()
        return metrics

    def adversarial(self, fake: Tensor, labels: Tensor, random: torch.Generator) -> Tensor:
        """The generator's loss on its images (N, 3, S, S)."""
        self.discriminator.requires_grad_(False)
        with self.mixed():
            logits = self.discriminator(augment(fake, self.game.policy, random, self.workers), labels).float()
        self.discriminator.requires_grad_(True)
        return logistic(logits, True)

    def teach_generator(self, loss: Tensor, step: int) -> None:
        if loss.requires_grad:  # without codes, not while the discriminator has its head start
            for group, factor in zip(self.generator_optimiser.param_groups, (1.0, self.game.code_rate), strict=True):
                group["lr"] = rate(self.game, step) * factor
            self.generator_optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.average_generator()
            self.generator_optimiser.step()
        if self.workers.is_writer:
            self.ema.update(self.generator)

    def state_dict(self) -> dict[str, object]:
        return {name: getattr(self, name).state_dict() for name in self.parts}

    def load_state_dict(self, state: dict[str, object]) -> None:
        for name in self.parts:
            getattr(self, name).load_state_dict(state[name])


def train_loop(
    trainer: GANTrainer,
    run: Run,
    publish: Callable[[int], None],
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> None:
    """To the last step, resuming from the run's checkpoint if it resumes; ``publish(step)`` after every save."""
    game, workers = trainer.game, trainer.workers
    step = 0
    state = run.load()
    if state is not None:
        step = int(state["step"])
        trainer.load_state_dict(state)
    while step < game.steps:
        check(should_stop)
        metrics = trainer.step(step)
        step += 1
        if step % game.log_every == 0:
            metrics = workers.mean(metrics)
            run.log(step, **metrics)
            tell(progress, step / game.steps, ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))
        if (step % game.save_every == 0 or step == game.steps) and workers.is_writer:
            run.save({"step": step, **trainer.state_dict()})
            publish(step)


def rate(game: Game, step: int) -> float:
    """The generator's: a short rise and half a cosine during the warm start, then constant."""
    if step >= game.warm_steps:
        return game.generator_rate
    falling = 0.5 + 0.5 * math.cos(math.pi * step / game.warm_steps)
    return game.generator_rate + (game.warm_rate - game.generator_rate) * min((step + 1) / 50, falling)


def check_settings(shares: tuple[float, ...], drawn: int, designs: int, codes: bool, learned: bool) -> None:
    """What a recipe of a generator can get wrong; ``learned`` is whether it wants designs learned from codes."""
    if shares and len(shares) != len(PATTERN_TYPES):
        raise BadInput(f"shares must name {len(PATTERN_TYPES)} numbers, one a pattern type.")
    if not 0 < designs <= drawn:
        raise BadInput(f"Of {drawn} drawn designs, {designs} cannot be chosen.")
    if learned and not codes:
        raise BadInput("Without codes there is neither a warm start nor an anchor: set warm_steps and anchor to 0.")


def draw_types(batch: int, group: int, shares: tuple[float, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """(batch,) pattern types in runs of ``group``, each type as often as its share says (systematic sampling).

    No shares: all alike.
    """
    weights = np.asarray(shares or (1.0,) * len(PATTERN_TYPES))
    groups = batch // group
    points = (rng.random() + np.arange(groups)) / groups
    types = np.searchsorted(np.cumsum(weights / weights.sum()), points, side="right")
    return np.repeat(np.minimum(types, len(PATTERN_TYPES) - 1), group).astype(np.int64)


def likeness(painted: Tensor, target: Tensor, output: str) -> Tensor:
    """How far images (N, C, H, W) are from their designs: cross-entropy of soft inks, squared error of RGB."""
    if output == "rgb":
        return F.mse_loss(painted, target)
    return -(target * (painted + 1e-5).log()).sum(dim=1).mean()


def logistic(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of logits against all-real or all-generated (Goodfellow et al. 2014, non-saturating)."""
    return F.softplus(-logits if real else logits).mean()


def gradient_penalty(images: Tensor, logits: Tensor) -> Tensor:
    """R1: the mean squared norm of the discriminator's gradient at real images (Mescheder et al. 2018)."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


@torch.no_grad()
def contact_sheet(paint: Callable[[int, Sequence[int]], Tensor], bank: Bank, output: str) -> Image.Image:
    """One column a pattern type, always of the same seeds and palettes, each tile repeated 2x2.

    ``paint(label, seeds)`` gives what a network paints of them, on the CPU.
    """
    columns = []
    for label in range(len(PATTERN_TYPES)):
        painted = paint(label, range(SHEET_ROWS))
        rgb = painted if output == "rgb" else compose(painted, torch.from_numpy(bank.palettes[label, :SHEET_ROWS]))
        columns.append(torch.cat(list(F.pad(rgb.repeat(1, 1, 2, 2), (2, 2, 2, 2), value=1.0)), dim=1))
    pixels = (torch.cat(columns, dim=2) * 127.5 + 127.5).round().clamp(0, 255).byte()
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def export(generator: nn.Module, path: Path, *, name: str, architecture: str) -> Package:
    """Write a generator as a package that ``generate`` can serve."""
    if not isinstance(generator, FabricGenerator):
        raise BadInput("Only a generator can be exported.")
    config: Any = generator.config
    return save_package(
        path,
        name=name,
        capability="generate",
        architecture=architecture,
        config=config,
        state_dict=generator.state_dict(),
    )
