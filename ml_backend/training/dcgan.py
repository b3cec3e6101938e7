"""Recipe: the seamless class-conditional DCGAN, from drawn swatches.

The paper's loss and optimiser (binary cross-entropy on logits, the generator maximising log D; Adam with beta1 0.5),
with what keeps it from collapsing: R1 on real images every few steps (Mescheder et al. 2018; lazily, Karras et al.
2020), differentiable augmentation (Zhao et al. 2020), a slower generator (Heusel et al. 2017), an EMA of its weights.

A generated image wears the palette of the real one beside it, so the discriminator cannot tell them apart by colour.
With ``proof`` that is always the same palette of far-apart colours, in which every ink can be seen.

A DCGAN from nothing needs more steps than a small machine has.  With ``codes``, every design of the bank has a learned
latent: for ``warm_steps`` the generator only learns to paint the designs from them (Bojanowski et al. 2018), then the
adversarial game goes on from there, half of each batch still tied to its designs by ``anchor`` times that loss, which
also forbids the generator to forget any of them.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import BadInput
from ..networks.dcgan import DCGANConfig, Discriminator, Generator, compose
from ..packaging import Package, save_package
from ..pipelines.base import Progress, ShouldStop, check, tell
from ..requests import PATTERN_TYPES
from .augment import augment
from .data.bank import Bank, boldest, centred, draw_bank, spectral_codes
from .distributed import Workers
from .ema import EMA
from .run import Run
from .start import take_over

SHEET_ROWS = 8
CODE_RATE = 5.0
"""A code is touched only when its design is drawn, so it learns this much faster than the weights."""

PROOF = ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.8, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0))
"""The palette of colour proofs."""


@dataclass(frozen=True)
class DCGANRecipe:
    """``shares`` weighs the pattern types (empty: all alike); ``group`` images of one type lie together in a batch.

    Of ``drawn`` designs of each type the boldest ``designs`` are learned; ``codes`` is whether they have learned
    latents: without, there is no warm start and no anchor.  ``patience`` steps after the warm start train the
    discriminator before the generator heeds it.  ``start_from`` is the folder of a generator package of the same shape
    to go on from, with its codes.
    """

    recipe: str = "dcgan"
    start_from: str = ""
    size: int = 64
    inks: int = 5
    output: str = "inks"
    latent: int = 24
    embedding: int = 32
    maps: int = 32
    discriminator_maps: int = 32
    drawn: int = 200
    designs: int = 120
    codes: bool = True
    neighbours: int = 6
    mix: float = 0.3
    noise: float = 0.1
    proof: bool = True
    batch: int = 64
    group: int = 4
    shares: tuple[float, ...] = ()
    steps: int = 4000
    warm_steps: int = 1200
    patience: int = 100
    warm_rate: float = 2e-3
    anchor: float = 10.0
    generator_rate: float = 1.5e-4
    discriminator_rate: float = 4e-4
    r1: float = 5.0
    r1_every: int = 8
    ema: float = 0.99
    policy: tuple[str, ...] = ("shift", "flip")
    seed: int = 1
    log_every: int = 25
    save_every: int = 200

    def __post_init__(self) -> None:
        if self.batch % self.group:
            raise BadInput(f"A batch of {self.batch} does not divide into groups of {self.group}.")
        if self.shares and len(self.shares) != len(PATTERN_TYPES):
            raise BadInput(f"shares must name {len(PATTERN_TYPES)} numbers, one a pattern type.")
        if not 0 < self.designs <= self.drawn:
            raise BadInput(f"Of {self.drawn} drawn designs, {self.designs} cannot be chosen.")
        if not self.codes and (self.warm_steps or self.anchor):
            raise BadInput("Without codes there is neither a warm start nor an anchor: set warm_steps and anchor to 0.")


@dataclass(frozen=True)
class Batch:
    """``real`` (N, 3, S, S) in -1..1 of ``designs`` (N,) of types ``labels`` (N,), their ``coverage`` (N, K, S, S) and
    ``palettes`` (N, K, 3); ``anchored`` (N,) says which fakes are to be the design itself.

    Of several workers each holds its share of these; ``all_labels`` are those of the whole batch, which ``random`` is
    for.
    """

    real: Tensor
    labels: Tensor
    designs: Tensor
    coverage: Tensor
    palettes: Tensor
    anchored: Tensor
    all_labels: Tensor
    random: torch.Generator


def draw_batch(config: DCGANRecipe, bank: Bank, step: int, workers: Workers) -> Batch:
    """This worker's share of that step's batch, whose groups stay whole.

    The batch depends on (seed, step) alone, so a resumed run repeats the same curve.
    """
    rng = np.random.default_rng((config.seed, step))
    all_labels = draw_labels(config, rng)
    all_designs = rng.integers(0, bank.inks.shape[1], config.batch)
    all_palettes = choose_palettes(config, bank, all_designs, rng)
    part = workers.part(config.batch, of=config.group)
    labels, designs = all_labels[part], all_designs[part]
    coverage = bank.coverage(labels, designs)
    palettes = torch.from_numpy(bank.palettes[labels, all_palettes[part]])
    if config.proof:
        palettes = torch.tensor(PROOF[: config.inks]).expand(len(labels), -1, -1)
    warm = step < config.warm_steps
    anchored = torch.arange(len(labels)) % config.group < config.group // 2
    return Batch(
        real=compose(coverage, palettes),
        labels=torch.from_numpy(labels),
        designs=torch.from_numpy(designs),
        coverage=coverage,
        palettes=palettes,
        anchored=(anchored | warm) & config.codes,
        all_labels=torch.from_numpy(all_labels),
        random=torch.Generator().manual_seed(int(rng.integers(2**31))),
    )


def choose_palettes(
    config: DCGANRecipe, bank: Bank, designs: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Any palette for inks; an RGB network can only learn a design whose colours stay."""
    if config.output == "rgb":
        return np.remainder(designs, bank.palettes.shape[1], dtype=np.int64)
    return rng.integers(0, bank.palettes.shape[1], len(designs))


class Trainer:
    """Both networks and their optimisers; ``step`` is a function of the state and of (seed, step).

    Of several ``workers`` each has the same networks and trains them with its share of every batch.
    """

    def __init__(self, config: DCGANRecipe, bank: Bank, workers: Workers) -> None:
        torch.manual_seed(config.seed)
        workers.part(config.batch, of=config.group)
        self.config, self.bank, self.workers, self.device = config, bank, workers, workers.device
        device = workers.device
        shape = network_config(config)
        self.generator = Generator(shape)
        if self.generator.codes is not None:
            self.generator.codes.data.copy_(spectral_codes(bank, config.latent))
        if config.start_from:
            take_over(self.generator, Package.load(config.start_from))
        self.generator.to(device)
        self.discriminator = Discriminator(shape, config.discriminator_maps, config.group).to(device)
        self.ema = EMA(self.generator, config.ema)
        self.generate, self.discriminate = workers.wrap(self.generator), workers.wrap(self.discriminator)
        codes = [weight for name, weight in self.generator.named_parameters() if name == "codes"]
        others = [weight for name, weight in self.generator.named_parameters() if name != "codes"]
        self.generator_optimiser = torch.optim.Adam([{"params": others}, {"params": codes}], betas=(0.5, 0.99))
        self.discriminator_optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=config.discriminator_rate, betas=(0.5, 0.99)
        )

    def step(self, step: int) -> dict[str, float]:
        """One update of each network that this stage trains; the metrics of the step."""
        config = self.config
        batch = draw_batch(config, self.bank, step, self.workers)
        labels = batch.labels.to(self.device)
        with self._mixed():
            painted = self.generate(self._latents(batch), labels).float()
        fake = painted if config.output == "rgb" else compose(painted, batch.palettes.to(self.device))
        anchor = reconstruction(painted, batch, config) if config.codes else painted.new_zeros(())
        metrics = {"anchor": anchor.item()} if config.codes else {}
        loss = anchor
        if step >= config.warm_steps:
            real = batch.real.to(self.device)
            metrics |= self._teach_discriminator(step, real, fake.detach(), labels, batch.random)
            loss = anchor * config.anchor
        if step >= config.warm_steps + config.patience:
            adversarial = self._adversarial(fake, labels, batch.random)
            metrics["g_loss"] = adversarial.item()
            loss = loss + adversarial
        self._teach_generator(loss, rate(config, step))
        if self.workers.is_writer:
            self.ema.update(self.generator)
        return metrics

    def _latents(self, batch: Batch) -> Tensor:
        """Codes of the anchored designs, with a little noise; for the others what the seed of a fabric would give."""
        of_all = self.generator.latents(batch.all_labels, batch.random)
        drawn = self.workers.share(of_all).to(self.device)
        codes = self.generator.codes
        if codes is None:
            return drawn
        noise = self.workers.share(torch.randn(of_all.shape, generator=batch.random) * self.config.noise).to(
            self.device
        )
        own = codes[batch.labels.to(self.device), batch.designs.to(self.device)] + noise
        return torch.where(batch.anchored.to(self.device)[:, None], own, drawn)

    def _teach_discriminator(
        self, step: int, real: Tensor, fake: Tensor, labels: Tensor, random: torch.Generator
    ) -> dict[str, float]:
        penalise = step % self.config.r1_every == 0
        real = augment(real, self.config.policy, random, self.workers).requires_grad_(penalise)
        fake = augment(fake, self.config.policy, random, self.workers)
        with self._mixed(not penalise):  # second derivatives want full precision
            on_real = self.discriminate(real, labels).float()
            on_fake = self.discriminate(fake, labels).float()
        loss = bce(on_real, True) + bce(on_fake, False)
        metrics = {"d_loss": loss.item(), "d_real": on_real.mean().item(), "d_fake": on_fake.mean().item()}
        if penalise:
            penalty = gradient_penalty(real, on_real)
            loss = loss + self.config.r1 * penalty
            metrics["r1"] = penalty.item()
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.discriminator_optimiser.step()
        return metrics

    def _adversarial(self, fake: Tensor, labels: Tensor, random: torch.Generator) -> Tensor:
        self.discriminator.requires_grad_(False)
        with self._mixed():
            logits = self.discriminator(augment(fake, self.config.policy, random, self.workers), labels).float()
        self.discriminator.requires_grad_(True)
        return bce(logits, True)

    def _teach_generator(self, loss: Tensor, rate: float) -> None:
        if not loss.requires_grad:  # without codes, while the discriminator has its head start
            return
        for group, factor in zip(self.generator_optimiser.param_groups, (1.0, CODE_RATE), strict=True):
            group["lr"] = rate * factor
        self.generator_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.generator_optimiser.step()

    def _mixed(self, wanted: bool = True) -> torch.autocast:
        """Half precision, on CUDA only."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=wanted and self.device.type == "cuda")

    def state_dict(self) -> dict[str, object]:
        return {name: getattr(self, name).state_dict() for name in self._parts}

    def load_state_dict(self, state: dict[str, object]) -> None:
        for name in self._parts:
            getattr(self, name).load_state_dict(state[name])

    _parts = ("generator", "discriminator", "ema", "generator_optimiser", "discriminator_optimiser")


def train(
    config: DCGANRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes; every save leaves a package too.

    The packages in ``run_dir/packages/STEP`` let a person choose the generator that looks best, not the last one.
    """
    workers = run.workers
    with workers.writer_first():
        bank = draw_designs(config, run.cache("bank.npy"))
    trainer = Trainer(config, bank, workers)
    step = 0
    state = run.load()
    if state is not None:
        step = int(state["step"])
        trainer.load_state_dict(state)
    while step < config.steps:
        check(should_stop)
        metrics = trainer.step(step)
        step += 1
        if step % config.log_every == 0:
            metrics = workers.mean(metrics)
            run.log(step, **metrics)
            tell(progress, step / config.steps, ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))
        if (step % config.save_every == 0 or step == config.steps) and workers.is_writer:
            run.save({"step": step, **trainer.state_dict()})
            generator = settled(trainer.ema.network, config)
            export(generator, config, run.path / "packages" / f"{step:06d}", name=run.path.name)
            run.samples(step, sheet(generator, bank))


def draw_designs(config: DCGANRecipe, cache: Path | None = None) -> Bank:
    return centred(boldest(draw_bank(config.drawn, config.size, config.inks, cache=cache), config.designs))


def network_config(config: DCGANRecipe) -> DCGANConfig:
    return DCGANConfig(
        size=config.size,
        inks=config.inks,
        output=config.output,
        classes=len(PATTERN_TYPES),
        latent=config.latent,
        embedding=config.embedding,
        maps=config.maps,
        codes=config.designs if config.codes else 0,
        neighbours=config.neighbours,
        mix=config.mix,
        noise=config.noise,
    )


def rate(config: DCGANRecipe, step: int) -> float:
    """The generator's: a short rise and half a cosine during the warm start, then constant."""
    if step >= config.warm_steps:
        return config.generator_rate
    falling = 0.5 + 0.5 * math.cos(math.pi * step / config.warm_steps)
    return config.generator_rate + (config.warm_rate - config.generator_rate) * min((step + 1) / 50, falling)


def draw_labels(config: DCGANRecipe, rng: np.random.Generator) -> NDArray[np.int64]:
    """(batch,) pattern types in groups, each type as often as its share says (systematic sampling)."""
    shares = np.asarray(config.shares or (1.0,) * len(PATTERN_TYPES))
    groups = config.batch // config.group
    points = (rng.random() + np.arange(groups)) / groups
    types = np.searchsorted(np.cumsum(shares / shares.sum()), points, side="right")
    return np.repeat(np.minimum(types, len(PATTERN_TYPES) - 1), config.group).astype(np.int64)


def reconstruction(painted: Tensor, batch: Batch, config: DCGANRecipe) -> Tensor:
    """How far the anchored images are from their designs: cross-entropy of inks, squared error of RGB."""
    chosen = batch.anchored.to(painted.device)
    if config.output == "rgb":
        return F.mse_loss(painted[chosen], batch.real.to(painted.device)[chosen])
    target = batch.coverage.to(painted.device)[chosen]
    return -(target * (painted[chosen] + 1e-5).log()).sum(dim=1).mean()


def bce(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of logits against all-real or all-generated (Goodfellow et al. 2014, non-saturating)."""
    target = torch.ones_like(logits) if real else torch.zeros_like(logits)
    return F.binary_cross_entropy_with_logits(logits, target)


def gradient_penalty(images: Tensor, logits: Tensor) -> Tensor:
    """R1: the mean squared norm of the discriminator's gradient at real images."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


@torch.no_grad()
def settled(generator: torch.nn.Module, config: DCGANRecipe, batches: int = 16) -> Generator:
    """A copy in eval mode whose batch-norm statistics are its own (Brock et al. 2019, "standing statistics").

    The EMA's running statistics are those of the training weights; here they are averaged afresh over whole batches.
    """
    copied = copy.deepcopy(generator)
    if not isinstance(copied, Generator):
        raise BadInput("Only a generator can be settled.")
    norms = [module for module in copied.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    copied.train()
    device = next(copied.parameters()).device
    random = torch.Generator().manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    for _ in range(batches):
        labels = torch.from_numpy(draw_labels(config, rng))
        copied(copied.latents(labels, random).to(device), labels.to(device))
    return copied.eval()


@torch.no_grad()
def sheet(generator: Generator, bank: Bank) -> Image.Image:
    """A contact sheet, one column a pattern type, always of the same latents and palettes, each tile repeated 2x2."""
    config = generator.config
    device = next(generator.parameters()).device
    columns = []
    for label in range(config.classes):
        z = torch.stack([generator.latent(label, seed) for seed in range(SHEET_ROWS)])
        painted = generator(z.to(device), torch.full((SHEET_ROWS,), label, device=device)).cpu()
        palettes = torch.from_numpy(bank.palettes[label, :SHEET_ROWS])
        rgb = painted if config.output == "rgb" else compose(painted, palettes)
        columns.append(torch.cat(list(F.pad(rgb.repeat(1, 1, 2, 2), (2, 2, 2, 2), value=1.0)), dim=1))
    pixels = (torch.cat(columns, dim=2) * 127.5 + 127.5).round().clamp(0, 255).byte()
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def export(generator: Generator, config: DCGANRecipe, path: Path, *, name: str) -> Package:
    """Write the generator as a package that ``generate`` can serve."""
    return save_package(
        path,
        name=name,
        capability="generate",
        architecture="dcgan",
        config=network_config(config),
        state_dict=generator.state_dict(),
    )
