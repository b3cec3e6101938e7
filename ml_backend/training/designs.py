"""Recipe: the recogniser of subtypes, from drawn tiles in their own and in any colours.

The pattern classifier's architecture with a class for every design that has a name, on tiles of 128 px: a toile's lines
and a glen check's threads are lost at 64.  Half the tiles wear the palette of their name (a zebra is black and white),
half that of another seed of the type; some are blurred or made noisy, as photographs are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..inks import palette_from_seed
from ..networks.classifier import ClassifierConfig, PatternClassifier
from ..networks.dcgan import compose
from ..pipelines.base import Progress, ShouldStop
from ..requests import SUBTYPE_NAMES
from ..swatches import SUBTYPES
from ..swatches.drawing.tile import draw_inks
from .augment import augment
from .classifier import spoil
from .data.bank import HELD_OUT_SEED, Bank, rgb
from .distributed import Workers
from .lr_schedule import warmup_cosine
from .run import Run
from .trainer import AveragedRecipe, AveragedTrainer, begun, train_averaged

PALETTES = 40
"""Palettes a design: half of its name's, half of its type's."""

_NETWORK = ClassifierConfig(classes=len(SUBTYPE_NAMES), maps=(8, 16, 32, 64, 128), names=SUBTYPE_NAMES)


@dataclass(frozen=True, kw_only=True)
class DesignsRecipe(AveragedRecipe):
    """``designs`` and ``held_out`` are counts per subtype."""

    start_from: str = ""
    recipe: str = "designs"
    network: ClassifierConfig = _NETWORK
    size: int = 128
    inks: int = 5
    designs: int = 60
    held_out: int = 10
    batch: int = 48
    steps: int = 2000
    ema: float = 0.98
    evaluate_every: int = 200


class Trainer(AveragedTrainer[PatternClassifier]):
    """The recogniser alone."""

    def __init__(self, config: DesignsRecipe, bank: Bank, workers: Workers) -> None:
        super().__init__(config, begun(PatternClassifier, config), workers)
        self.config, self.bank = config, bank

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its loss."""
        rgb_tiles, labels = batch(self.config, step, self.bank)
        self.set_rates(warmup_cosine(step, self.config.steps))
        logits = self.network(rgb_tiles.to(self.device))
        loss = F.cross_entropy(logits, labels.to(self.device), label_smoothing=0.05)
        self.descend(loss)
        return {"loss": loss.detach()}


def train(
    config: DesignsRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes."""
    bank, unseen = (
        draw_designs(config.network.names, count, config.size, config.inks, first, run.cache(name))
        for count, first, name in (
            (config.designs, 0, "bank.npy"),
            (config.held_out, HELD_OUT_SEED, "held-out.npy"),
        )
    )
    trainer = Trainer(config, bank, run.workers)
    network = trainer.ema.network

    def publish(step: int, losses: dict[str, float]) -> None:
        run.log(step, **losses, accuracy=measure(network, unseen, trainer.device))

    train_averaged(trainer, run, config, publish, progress, should_stop)
    run.export(network, config.network, "name", "classifier")


def draw_designs(
    names: tuple[str, ...], count: int, size: int, inks: int, first_seed: int, cache: Path | None = None
) -> Bank:
    """``count`` tiles of every subtype; a :class:`Bank` whose classes are those of ``names``."""
    palettes = np.stack([_palettes(name, inks, first_seed) for name in names])
    if cache is not None and cache.exists():
        return Bank(np.load(cache, mmap_mode="r"), palettes)
    drawn = np.empty((len(names), count, inks, size, size), np.uint8)
    for label, name in enumerate(names):
        for index in range(count):
            coverage = draw_inks(SUBTYPES[name][0], first_seed + index, size, inks, subtype=name)
            drawn[label, index] = np.rint(coverage * 255).astype(np.uint8)
    if cache is not None:
        partial = cache.with_suffix(".partial.npy")  # a kill while writing leaves no half bank behind
        np.save(partial, drawn)
        partial.replace(cache)
    return Bank(drawn, palettes)


def _palettes(name: str, inks: int, first_seed: int) -> NDArray[np.float32]:
    kind = SUBTYPES[name][0]
    seeds = range(first_seed, first_seed + PALETTES // 2)
    return np.stack([rgb(palette_from_seed(kind, seed, inks, named)) for named in (name, None) for seed in seeds])


def batch(config: DesignsRecipe, step: int, bank: Bank) -> tuple[Tensor, Tensor]:
    """RGB (N, 3, S, S) in 0..1 and the labels (N,) of one step, a function of (seed, step)."""
    rng = np.random.default_rng((config.seed, step))
    labels = rng.integers(0, len(bank.inks), config.batch)
    images, _ = bank.colour(labels, rng)
    random = torch.Generator().manual_seed(int(rng.integers(2**31)))
    images = augment(images, ("shift", "flip"), random) * 0.5 + 0.5
    return spoil(images, random), torch.from_numpy(labels)


@torch.no_grad()
def measure(network: torch.nn.Module, unseen: Bank, device: torch.device) -> float:
    """Share of the held-out tiles told right, half in the palettes of their names, half in any."""
    hits = 0
    for label, designs in enumerate(unseen.inks):
        palettes = torch.from_numpy(unseen.palettes[label])
        chosen = palettes[torch.arange(len(designs)) * (len(palettes) - 1) // max(1, len(designs) - 1)]
        tiles = compose(torch.from_numpy(np.array(designs)).float() / 255, chosen) * 0.5 + 0.5
        hits += int((network(tiles.to(device)).argmax(dim=1) == label).sum())
    return float(hits / (unseen.inks.shape[0] * unseen.inks.shape[1]))
