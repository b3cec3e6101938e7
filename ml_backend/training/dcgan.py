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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import BadInput
from ..networks.dcgan import DCGANConfig, Discriminator, Generator, compose
from ..packaging import Package
from ..pipelines.base import Progress, ShouldStop
from ..requests import PATTERN_TYPES
from .data.bank import Bank, boldest, centred, draw_bank, spectral_codes
from .distributed import Workers
from .gan import PROOF, GANTrainer, check_settings, contact_sheet, draw_types, export, likeness, train_loop
from .prefetch import Prefetch, prefetch_depth
from .run import Run
from .start import take_over

CODE_RATE = 5.0
"""A code is touched only when its design is drawn, so it learns this much faster than the weights."""


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
        learned = bool(self.warm_steps or self.anchor)
        check_settings(self.shares, self.drawn, self.designs, self.codes, learned)

    @property
    def code_rate(self) -> float:
        return CODE_RATE

    @property
    def momentum(self) -> float:
        """Adam's beta 1, as in the paper."""
        return 0.5

    @property
    def r1_weight(self) -> float:
        return self.r1


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
    all_labels = draw_types(config.batch, config.group, config.shares, rng)
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


class Trainer(GANTrainer):
    """Its generator is called whole, so DistributedDataParallel averages its gradients."""

    generator: Generator

    def __init__(self, config: DCGANRecipe, bank: Bank, workers: Workers) -> None:
        torch.manual_seed(config.seed)
        workers.part(config.batch, of=config.group)
        self.config = config
        self.batches = Prefetch(lambda step: draw_batch(config, bank, step, workers), prefetch_depth(workers.device))
        shape = network_config(config)
        generator = Generator(shape)
        if generator.codes is not None:
            generator.codes.data.copy_(spectral_codes(bank, config.latent))
        if config.start_from:
            take_over(generator, Package.load(config.start_from))
        discriminator = Discriminator(shape, config.discriminator_maps, config.group)
        super().__init__(config, generator.to(workers.device), discriminator.to(workers.device), workers)
        self.generate = workers.wrap(self.generator)

    def step(self, step: int) -> dict[str, float]:
        """One update of each network that this stage trains; the metrics of the step."""
        config = self.config
        batch = self.batches(step)
        labels = batch.labels.to(self.device)
        with self.mixed():
            painted = self.generate(self._latents(batch), labels).float()
        fake = painted if config.output == "rgb" else compose(painted, batch.palettes.to(self.device))
        anchor = self._anchor(painted, batch) if config.codes else painted.new_zeros(())
        metrics = {"anchor": anchor.item()} if config.codes else {}
        loss = anchor
        if step >= config.warm_steps:
            real = self.workers.place(batch.real)
            metrics |= self.teach_discriminator(step, real, fake.detach(), labels, batch.random)
            loss = anchor * config.anchor
        if step >= config.warm_steps + config.patience:
            adversarial = self.adversarial(fake, labels, batch.random)
            metrics["g_loss"] = adversarial.item()
            loss = loss + adversarial
        self.teach_generator(loss, step)
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

    def average_generator(self) -> None:
        """DistributedDataParallel has done it on the way back."""

    def _anchor(self, painted: Tensor, batch: Batch) -> Tensor:
        """How far the anchored images are from their designs."""
        chosen = batch.anchored.to(self.device)
        target = batch.real if self.config.output == "rgb" else batch.coverage
        return likeness(painted[chosen], target.to(self.device)[chosen], self.config.output)


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

    def publish(step: int) -> None:
        generator = settled(trainer.ema.network, config)
        export(generator, run.path / "packages" / f"{step:06d}", name=run.path.name, architecture="dcgan")

        def paint(label: int, seeds: Sequence[int]) -> Tensor:
            z = torch.stack([generator.latent(label, seed) for seed in seeds]).to(workers.device)
            painted: Tensor = generator(z, torch.full((len(z),), label, device=workers.device))
            return painted.cpu()

        run.samples(step, contact_sheet(paint, bank, config.output))

    train_loop(trainer, run, publish, progress, should_stop)


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
        labels = torch.from_numpy(draw_types(config.batch, config.group, config.shares, rng))
        copied(copied.latents(labels, random).to(device), labels.to(device))
    return copied.eval()
