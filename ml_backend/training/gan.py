"""What the recipes of generators have in common: settings, batches, the game of two networks, contact sheets."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from ..errors import BadInput
from ..networks.dcgan import compose
from ..packaging import Package, save_package
from ..pipelines.base import Progress, ShouldStop
from ..requests import PATTERN_TYPES
from .augment import augment
from .data.bank import Bank, boldest, centred, draw_bank, spectral_codes
from .distributed import Workers
from .ema import EMA
from .precision import half_precision
from .prefetch import Prefetch, prefetch_depth
from .run import Run
from .start import take_over
from .trainer import Trainer, train_loop

Numbers = NDArray[np.int64]
Recipe = TypeVar("Recipe", bound="GANRecipe")

SHEET_ROWS = 8

PROOF = ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.8, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0))
"""The palette of colour proofs: far-apart colours, in which every ink can be seen."""


@dataclass(frozen=True, kw_only=True)
class GANRecipe(ABC):
    """How a generator of fabrics is trained; ``network`` says which, but for what follows from the data: its classes
    and, with ``learn_codes``, one latent code a design.

    ``shares`` weighs the pattern types (empty: all alike); ``group`` images of one type lie together in a batch.  Of
    ``drawn`` designs of each type the boldest ``designs`` are learned; without codes there is neither a warm start
    nor an anchor.  For ``warm_steps`` the generator alone learns to paint the designs from their codes, then
    ``discriminator_warmup`` steps train the discriminator before the generator heeds it, half of each batch still tied
    to its designs by ``anchor`` times the warm start's loss.  ``start_from`` is the folder of a generator package of
    the same shape to go on from: with its codes if it knows as many designs, else it learns new ones.

    ``beta1`` is Adam's; ``code_rate`` how much faster codes learn than weights: one is touched only when its design is
    drawn.  ``r1_gamma`` is gamma of the R1 penalty, taken every ``r1_every`` steps and weighed by that number.
    """

    network: Any
    recipe: str
    start_from: str = ""
    drawn: int = 200
    designs: int = 120
    learn_codes: bool = True
    group: int = 4
    shares: tuple[float, ...] = ()
    steps: int = 4000
    warm_steps: int = 1200
    discriminator_warmup: int = 100
    warm_rate: float = 2e-3
    code_rate: float = 5.0
    anchor: float = 10.0
    beta1: float = 0.5
    generator_rate: float = 1.5e-4
    discriminator_rate: float = 4e-4
    r1_gamma: float = 1.0
    r1_every: int = 16
    ema: float = 0.99
    policy: tuple[str, ...] = ("shift", "flip")
    seed: int = 1
    log_every: int = 25
    save_every: int = 200

    def __post_init__(self) -> None:
        if any(count % self.group for count in self.counts):
            raise BadInput(f"Batches of {self.counts} do not all divide into groups of {self.group}.")
        if self.shares and len(self.shares) != len(PATTERN_TYPES):
            raise BadInput(f"shares must name {len(PATTERN_TYPES)} numbers, one a pattern type.")
        if not 0 < self.designs <= self.drawn:
            raise BadInput(f"Of {self.drawn} drawn designs, {self.designs} cannot be chosen.")
        if (self.warm_steps or self.anchor) and not self.learn_codes:
            raise BadInput("Without codes there is neither a warm start nor an anchor: set warm_steps and anchor to 0.")
        fitting = {"classes": len(PATTERN_TYPES), "codes": self.designs if self.learn_codes else 0}
        object.__setattr__(self, "network", dataclasses.replace(self.network, **fitting))

    @property
    @abstractmethod
    def counts(self) -> tuple[int, ...]:
        """How large batches may be."""

    def count(self, step: int) -> int:  # noqa: ARG002
        """How many images that step sees."""
        return self.counts[0]

    def palettes(self, bank: Bank, labels: Numbers, designs: Numbers, rng: np.random.Generator) -> Tensor:  # noqa: ARG002
        """(N, K, 3) in 0..1 that designs wear: of colour proofs."""
        return proof(self.network.inks, len(labels))

    def worn(self, coverage: Tensor, palettes: Tensor) -> Tensor:
        """RGB (N, 3, S, S) in -1..1."""
        return compose(coverage, palettes)


def proof(inks: int, count: int) -> Tensor:
    """(count, inks, 3) in 0..1."""
    return torch.tensor(PROOF[:inks]).expand(count, -1, -1)


@dataclass(frozen=True)
class Batch:
    """``target`` (N, K, S, S): what a design is, its ink coverage or RGB in -1..1; ``real`` (N, 3, S, S) in -1..1 is
    what is judged, in ``palettes`` (N, K, 3).

    ``anchored`` (N,) says which fakes are to be the design itself.  Of several workers each holds its share of these;
    ``all_labels`` are those of the whole batch, which ``random`` is for.  ``warm``: before the game begins.
    """

    target: Tensor
    real: Tensor
    palettes: Tensor
    labels: Tensor
    designs: Tensor
    anchored: Tensor
    all_labels: Tensor
    warm: bool
    random: torch.Generator


def draw_batch(config: GANRecipe, bank: Bank, step: int, workers: Workers, group: int | None = None) -> Batch:
    """This worker's share of that step's batch, of designs of ``bank``, in runs of ``group`` of one type.

    The batch depends on (seed, step) alone, so a resumed run repeats the same curve.
    """
    rng = np.random.default_rng((config.seed, step))
    count, warm = config.count(step), step < config.warm_steps
    all_labels = draw_types(count, group or config.group, config.shares, rng)
    all_designs = rng.integers(0, bank.inks.shape[1], count)
    all_palettes = config.palettes(bank, all_labels, all_designs, rng)
    part = workers.part(count, of=config.group)
    labels, designs, palettes = all_labels[part], all_designs[part], all_palettes[part]
    coverage = bank.coverage(labels, designs)
    real = config.worn(coverage, palettes)
    anchored = torch.arange(len(labels)) % config.group < config.group // 2
    return Batch(
        target=real if config.network.output == "rgb" else coverage,
        real=real,
        palettes=palettes,
        labels=torch.from_numpy(labels),
        designs=torch.from_numpy(designs),
        anchored=(anchored | warm) & config.learn_codes,
        all_labels=torch.from_numpy(all_labels),
        warm=warm,
        random=torch.Generator().manual_seed(int(rng.integers(2**31))),
    )


def draw_designs(config: GANRecipe, cache: Path | None = None) -> Bank:
    """The designs to learn; ``cache`` is a .npy file to read or to leave behind."""
    size, inks = config.network.size, config.network.inks
    palettes = draw_bank(0, size, inks).palettes
    if cache is not None and cache.exists():
        return Bank(np.load(cache), palettes)
    bank = centred(boldest(draw_bank(config.drawn, size, inks), config.designs))
    if cache is not None:
        np.save(cache, bank.inks)
    return bank


class GANTrainer(Trainer):
    """A generator and a discriminator with their optimisers, and the average of the generator's weights.

    Of several ``workers`` each has the same networks and trains them with its share of every batch.
    """

    parts = ("generator", "discriminator", "ema", "generator_optimiser", "discriminator_optimiser")
    generator: Any
    discriminator: nn.Module

    def __init__(self, config: GANRecipe, bank: Bank, workers: Workers) -> None:
        torch.manual_seed(config.seed)
        for count in config.counts:
            workers.part(count, of=config.group)
        self.config, self.bank, self.workers, self.device = config, bank, workers, workers.device
        self.batches = Prefetch(self.draw_batch, prefetch_depth(workers.device))
        generator = self.make_generator()
        if generator.codes is not None:
            generator.codes.data.copy_(spectral_codes(bank, config.network.latent))
        if config.start_from:
            take_over(generator, Package.load(config.start_from), unless_other=("codes",))
        self.discriminator = self.make_discriminator().to(self.device)
        self.generator = generator.to(self.device)
        self.ema = EMA(generator, config.ema)
        codes = [weight for name, weight in generator.named_parameters() if name == "codes"]
        others = [weight for name, weight in generator.named_parameters() if name != "codes"]
        betas = (config.beta1, 0.99)
        self.generator_optimiser = torch.optim.Adam([{"params": others}, {"params": codes}], betas=betas, fused=True)
        self.discriminator_optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=config.discriminator_rate, betas=betas, fused=True
        )

    @abstractmethod
    def make_generator(self) -> Any:
        """A :class:`FabricGenerator`, freshly drawn."""

    @abstractmethod
    def make_discriminator(self) -> nn.Module:
        """(N, 3, S, S) in -1..1 and (N,) types -> (N,) logits."""

    @abstractmethod
    def paint(self, batch: Batch, labels: Tensor, step: int) -> Tensor:
        """What the generator makes of the batch's latents: codes for anchored designs, a seed's for the others."""

    @abstractmethod
    def average_generator(self) -> None:
        """Bring the workers' gradients together.  Called between the generator's backward pass and its update."""

    @abstractmethod
    def settled(self) -> Any:
        """A copy of the averaged generator as it is to serve."""

    def draw_batch(self, step: int) -> Batch:
        return draw_batch(self.config, self.bank, step, self.workers)

    def penalty(self, step: int, batch: Batch, labels: Tensor) -> tuple[Tensor | float, dict[str, float]]:  # noqa: ARG002
        """What the generator's loss has besides, and its metrics."""
        return 0.0, {}

    def side(self, step: int) -> dict[str, int]:  # noqa: ARG002
        """How large ``synthesise`` is to paint, where it can be asked."""
        return {}

    def step(self, step: int) -> dict[str, float]:
        """One update of each network that this stage trains; the metrics of the step."""
        config = self.config
        batch = self.batches(step)
        labels = batch.labels.to(self.device)
        painted = self.paint(batch, labels, step)
        loss, metrics = painted.new_zeros(()), {}
        if config.learn_codes:
            chosen = batch.anchored.to(self.device)
            anchor = likeness(painted[chosen], self.workers.place(batch.target)[chosen], config.network.output)
            metrics["anchor"] = anchor.item()
            loss = anchor if batch.warm else anchor * config.anchor
        if not batch.warm:
            rgb = config.network.output == "rgb"
            fake = painted if rgb else compose(painted, batch.palettes.to(self.device))
            real = self.workers.place(batch.real)
            metrics |= self.teach_discriminator(step, real, fake.detach(), labels, batch.random)
            if step >= config.warm_steps + config.discriminator_warmup:
                adversarial = self.adversarial(fake, labels, batch.random)
                penalty, more = self.penalty(step, batch, labels)
                metrics |= {"g_loss": adversarial.item(), **more}
                loss = loss + adversarial + penalty
        self.teach_generator(loss, step)
        return metrics

    def mixed(self, wanted: bool = True) -> torch.autocast:
        """The precision that the networks run in."""
        return half_precision(self.device, wanted)

    def teach_discriminator(
        self, step: int, real: Tensor, fake: Tensor, labels: Tensor, random: torch.Generator
    ) -> dict[str, float]:
        """One update from real and generated images (N, 3, S, S), R1 now and then; its metrics.

        Two forward passes, a second derivative, layers that rest while images are small: the gradients of the workers
        are averaged here, after all of that, rather than on the way by DistributedDataParallel.
        """
        penalise = step % self.config.r1_every == 0
        real = augment(real, self.config.policy, random, self.workers).requires_grad_(penalise)
        fake = augment(fake, self.config.policy, random, self.workers)
        with self.mixed(not penalise):  # second derivatives want full precision
            on_real = self.discriminator(real, labels).float()
            on_fake = self.discriminator(fake, labels).float()
        loss = logistic(on_real, True) + logistic(on_fake, False)
        metrics = {"d_loss": loss.item(), "d_real": on_real.mean().item(), "d_fake": on_fake.mean().item()}
        if penalise:
            penalty = gradient_penalty(real, on_real)
            loss = loss + self.config.r1_gamma / 2 * self.config.r1_every * penalty
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
            logits = self.discriminator(augment(fake, self.config.policy, random, self.workers), labels).float()
        self.discriminator.requires_grad_(True)
        return logistic(logits, True)

    def teach_generator(self, loss: Tensor, step: int) -> None:
        if loss.requires_grad:  # without codes, not while the discriminator has its head start
            for group, factor in zip(self.generator_optimiser.param_groups, (1.0, self.config.code_rate), strict=True):
                group["lr"] = generator_rate(self.config, step) * factor
            self.generator_optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.average_generator()
            self.generator_optimiser.step()
        if self.workers.is_writer:
            self.ema.update(self.generator)


def train_gan(
    config: Recipe,
    run: Run,
    make: Callable[[Recipe, Bank, Workers], GANTrainer],
    designs: Callable[[Recipe, Path | None], Bank] = draw_designs,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes; every save leaves a package too.

    The packages in ``run_dir/packages/STEP`` let a person choose the generator that looks best, not the last one.
    """
    with run.workers.writer_first():
        bank = designs(config, run.cache("designs.npy"))
    trainer = make(config, bank, run.workers)
    device = trainer.device

    def publish(step: int, _losses: object) -> None:
        generator = trainer.settled()
        save_package(
            run.path / "packages" / f"{step:06d}",
            name=run.path.name,
            capability="generate",
            architecture=config.recipe,
            config=generator.config,
            state_dict=generator.state_dict(),
        )

        def paint(label: int, seeds: Sequence[int]) -> Tensor:
            z = torch.stack([generator.latent(label, seed) for seed in seeds]).to(device)
            styles = generator.styles(z, torch.full((len(z),), label, device=device))
            painted: Tensor = generator.synthesise(styles, seeds, **trainer.side(step - 1))
            return painted.cpu()

        run.samples(step, contact_sheet(paint, bank, config.network.output))

    train_loop(
        trainer,
        run,
        steps=config.steps,
        save_every=config.save_every,
        publish=publish,
        log_every=config.log_every,
        logs=True,
        progress=progress,
        should_stop=should_stop,
    )


def generator_rate(config: GANRecipe, step: int) -> float:
    """The generator's: a short rise and half a cosine during the warm start, then constant."""
    if step >= config.warm_steps:
        return config.generator_rate
    falling = 0.5 + 0.5 * math.cos(math.pi * step / config.warm_steps)
    return config.generator_rate + (config.warm_rate - config.generator_rate) * min((step + 1) / 50, falling)


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
