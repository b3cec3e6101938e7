"""Recipe: the pattern-type classifier, from drawn swatches in random palettes and close-ups of real cloth.

Cross-entropy with label smoothing and AdamW.  Half of the drawn tiles are blurred or made noisy: generated fabrics are
softer than drawn ones, and a classifier that only knew crisp edges would judge them by their softness.  Some are shown
as if photographed on cloth, and real close-ups join them.  Plain cloth is of no type: all are equally wrong for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import BadInput
from ..networks.classifier import ClassifierConfig, PatternClassifier
from ..packaging import Package
from ..pipelines.base import Progress, ShouldStop
from ..requests import PATTERN_TYPES
from .augment import augment
from .data.bank import HELD_OUT_SEED, Bank, draw_bank
from .data.close_ups import CloseUps
from .data.photographed import photographed
from .distributed import Workers
from .lr_schedule import warmup_cosine
from .run import Run
from .start import interpolate
from .trainer import AveragedRecipe, AveragedTrainer, begun, train_averaged

_NETWORK = ClassifierConfig(classes=len(PATTERN_TYPES))


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(AveragedRecipe):
    """``designs`` and ``held_out`` are counts per pattern type.

    ``real_share`` of a batch are close-ups from ``real_dir`` (a folder by class; its held-out part is only measured),
    ``photo_share`` are drawn tiles as if photographed.  ``half`` computes in bfloat16 on a CPU that is faster so.
    ``blend`` is the share of the new weights in the package, the rest is ``start_from``'s: who learns photos that way
    does not unlearn drawings.
    """

    start_from: str = ""
    recipe: str = "classifier"
    network: ClassifierConfig = _NETWORK
    size: int = 64
    inks: int = 5
    designs: int = 500
    held_out: int = 60
    batch: int = 64
    steps: int = 2000
    ema: float = 0.99
    real_dir: str = ""
    real_share: float = 0.0
    photo_share: float = 0.0
    half: bool = False
    blend: float = 1.0
    evaluate_every: int = 200

    def __post_init__(self) -> None:
        if self.real_share and not self.real_dir:
            raise BadInput("A share of real close-ups needs their folder, real_dir.")
        if not 0 <= self.real_share + self.photo_share <= 1:
            raise BadInput("The shares of close-ups and of photographed tiles make up at most the whole batch.")
        if not 0 <= self.blend <= 1:
            raise BadInput("The blend of new and old weights lies between 0 and 1.")


class Trainer(AveragedTrainer[PatternClassifier]):
    """The classifier alone."""

    def __init__(self, config: ClassifierRecipe, bank: Bank, seen: CloseUps | None, workers: Workers) -> None:
        super().__init__(config, begun(PatternClassifier, config), workers)
        self.config, self.bank, self.seen = config, bank, seen

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its loss."""
        config, device = self.config, self.device
        rgb, wanted = batch(config, step, self.bank, self.seen)
        self.set_rates(warmup_cosine(step, config.steps))
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.half or device.type == "cuda"):
            logits = self.network(rgb.to(device))
        loss = F.cross_entropy(logits.float(), wanted.to(device), label_smoothing=0.1)
        self.descend(loss)
        return {"loss": loss.detach()}


def train(
    config: ClassifierRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes."""
    bank = draw_bank(config.designs, config.size, config.inks, cache=run.path / "bank.npy")
    unseen = draw_bank(
        config.held_out, config.size, config.inks, first_seed=HELD_OUT_SEED, cache=run.path / "held-out.npy"
    )
    seen, unseen_real = (
        CloseUps(config.real_dir, split) if config.real_dir else None for split in ("train", "held-out")
    )
    trainer = Trainer(config, bank, seen, run.workers)
    network, device = trainer.ema.network, trainer.device

    def publish(step: int, losses: dict[str, float]) -> None:
        figures = {"accuracy": measure(network, unseen, device)}
        if unseen_real is not None:
            figures["real"] = measure_real(network, unseen_real, device)
        run.log(step, **losses, **figures)

    train_averaged(trainer, run, config, publish, progress, should_stop)
    if config.start_from and config.blend < 1:
        start = Package.load(config.start_from).state_dict()
        network.load_state_dict(interpolate(start, network.state_dict(), config.blend))
        run.log(config.steps, blended=measure(network, unseen, device))
    run.export(network, config.network, "classify", "classifier")


def batch(config: ClassifierRecipe, step: int, bank: Bank, real: CloseUps | None = None) -> tuple[Tensor, Tensor]:
    """RGB (N, 3, S, S) in 0..1 and the shares of the types (N, T) that are wanted.

    A function of (seed, step): a resumed run repeats the same curve.
    """
    rng = np.random.default_rng((config.seed, step))
    close_ups = round(config.real_share * config.batch) if real else 0
    labels = rng.integers(0, len(PATTERN_TYPES), config.batch - close_ups)
    images, _ = bank.colour(labels, rng)
    random = torch.Generator().manual_seed(int(rng.integers(2**31)))
    images = augment(images, ("shift", "flip"), random) * 0.5 + 0.5
    photos = round(config.photo_share * config.batch)
    shown = [photographed(images[:photos], random)] if photos else []
    shown.append(spoil(images[photos:], random))
    wanted = [F.one_hot(torch.from_numpy(labels), len(PATTERN_TYPES)).float()]
    if real is not None and close_ups:
        pictures, shares = real.batch(rng, close_ups, config.size)
        shown.append(pictures)
        wanted.append(shares)
    return torch.cat(shown), torch.cat(wanted)


def spoil(images: Tensor, random: torch.Generator) -> Tensor:
    """Blur a quarter of the images, add noise to the next quarter."""
    quarter = len(images) // 4
    soft = F.avg_pool2d(F.pad(images[:quarter], (1, 1, 1, 1), mode="circular"), 3, stride=1)
    grain = torch.randn(images[quarter : 2 * quarter].shape, generator=random) * 0.06
    return torch.cat([soft, images[quarter : 2 * quarter] + grain, images[2 * quarter :]]).clamp(0, 1)


@torch.no_grad()
def measure(network: torch.nn.Module, unseen: Bank, device: torch.device) -> float:
    """Accuracy on held-out designs, always in the same palettes."""
    hits = 0
    for label in range(len(unseen.inks)):
        rng = np.random.default_rng(label)
        images, _ = unseen.colour(np.full(unseen.inks.shape[1], label), rng)
        hits += int((network(images.to(device) * 0.5 + 0.5).argmax(dim=1) == label).sum())
    return float(hits / (unseen.inks.shape[0] * unseen.inks.shape[1]))


@torch.no_grad()
def measure_real(network: torch.nn.Module, unseen: CloseUps, device: torch.device, size: int = 64) -> float:
    """Accuracy on whole held-out close-ups of a known type."""
    pictures, labels = unseen.whole(size)
    return float((network(pictures.to(device)).argmax(dim=1).cpu() == labels).float().mean())
