"""Recipe: the seamless class-conditional DCGAN, from drawn swatches.

The paper's loss and optimiser (binary cross-entropy on logits, the generator maximising log D; Adam with beta1 0.5),
with what keeps it from collapsing: R1 on real images every few steps (Mescheder et al. 2018; lazily, Karras et al.
2020), differentiable augmentation (Zhao et al. 2020), a slower generator (Heusel et al. 2017) and an EMA of its weights.

A generated image wears the palette of the real one beside it, so the discriminator cannot tell them apart by colour.
"""

from __future__ import annotations

import copy
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
from .data.bank import Bank, draw_bank
from .ema import EMA
from .run import Run

SHEET_ROWS = 8


@dataclass(frozen=True)
class DCGANRecipe:
    """``shares`` weighs the pattern types (empty: all alike); ``group`` images of one type lie together in a batch."""

    recipe: str = "dcgan"
    size: int = 64
    inks: int = 5
    output: str = "inks"
    latent: int = 64
    embedding: int = 32
    maps: int = 32
    discriminator_maps: int = 32
    designs: int = 600
    batch: int = 64
    group: int = 4
    shares: tuple[float, ...] = ()
    steps: int = 6000
    generator_rate: float = 1.5e-4
    discriminator_rate: float = 4e-4
    r1: float = 5.0
    r1_every: int = 8
    ema: float = 0.99
    policy: tuple[str, ...] = ("shift", "flip")
    seed: int = 1
    log_every: int = 25
    save_every: int = 250

    def __post_init__(self) -> None:
        if self.batch % self.group:
            raise BadInput(f"A batch of {self.batch} does not divide into groups of {self.group}.")
        if self.shares and len(self.shares) != len(PATTERN_TYPES):
            raise BadInput(f"shares must name {len(PATTERN_TYPES)} numbers, one a pattern type.")


class Trainer:
    """Both networks and their optimisers; ``step`` is a function of the state and of (seed, step)."""

    def __init__(self, config: DCGANRecipe, bank: Bank, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.bank, self.device = config, bank, device
        shape = network_config(config)
        self.generator = Generator(shape).to(device)
        self.discriminator = Discriminator(shape, config.discriminator_maps, config.group).to(device)
        self.ema = EMA(self.generator, config.ema)
        self.generator_optimiser = _adam(self.generator, config.generator_rate)
        self.discriminator_optimiser = _adam(self.discriminator, config.discriminator_rate)

    def step(self, step: int) -> dict[str, float]:
        """One update of each network; the metrics of the step."""
        config = self.config
        rng = np.random.default_rng((config.seed, step))
        drawn = draw_labels(config, rng)
        real, palettes = (tensor.to(self.device) for tensor in self.bank.colour(drawn, rng))
        labels = torch.from_numpy(drawn).to(self.device)
        random = torch.Generator().manual_seed(int(rng.integers(2**31)))
        z = torch.randn(config.batch, config.latent, generator=random).to(self.device)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            painted = self.generator(z, labels)
        fake = painted.float() if config.output == "rgb" else compose(painted.float(), palettes)
        metrics = self._teach_discriminator(step, real, fake.detach(), labels, random)
        metrics |= self._teach_generator(fake, labels, random)
        self.ema.update(self.generator)
        return metrics

    def _teach_discriminator(
        self, step: int, real: Tensor, fake: Tensor, labels: Tensor, random: torch.Generator
    ) -> dict[str, float]:
        penalise = step % self.config.r1_every == 0
        real = augment(real, self.config.policy, random).requires_grad_(penalise)
        fake = augment(fake, self.config.policy, random)
        # In full precision when the penalty needs second derivatives.
        with torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda" and not penalise
        ):
            on_real = self.discriminator(real, labels).float()
            on_fake = self.discriminator(fake, labels).float()
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

    def _teach_generator(self, fake: Tensor, labels: Tensor, random: torch.Generator) -> dict[str, float]:
        self.discriminator.requires_grad_(False)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = self.discriminator(augment(fake, self.config.policy, random), labels)
        loss = bce(logits.float(), True)
        self.generator_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.generator_optimiser.step()
        self.discriminator.requires_grad_(True)
        return {"g_loss": loss.item()}

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
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bank = draw_bank(config.designs, config.size, config.inks, cache=run.path / "bank.npy")
    trainer = Trainer(config, bank, device)
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
            run.log(step, **metrics)
            tell(progress, step / config.steps, f"step {step}, D {metrics['d_loss']:.3f}, G {metrics['g_loss']:.3f}")
        if step % config.save_every == 0 or step == config.steps:
            run.save({"step": step, **trainer.state_dict()})
            generator = settled(trainer.ema.network, config)
            export(generator, config, run.path / "packages" / f"{step:06d}", name=run.path.name)
            run.samples(step, sheet(generator, bank))


def network_config(config: DCGANRecipe) -> DCGANConfig:
    return DCGANConfig(
        size=config.size,
        inks=config.inks,
        output=config.output,
        classes=len(PATTERN_TYPES),
        latent=config.latent,
        embedding=config.embedding,
        maps=config.maps,
    )


def draw_labels(config: DCGANRecipe, rng: np.random.Generator) -> NDArray[np.int64]:
    """(batch,) pattern types in groups, each type as often as its share says (systematic sampling)."""
    shares = np.asarray(config.shares or (1.0,) * len(PATTERN_TYPES))
    groups = config.batch // config.group
    points = (rng.random() + np.arange(groups)) / groups
    types = np.searchsorted(np.cumsum(shares / shares.sum()), points, side="right")
    return np.repeat(np.minimum(types, len(PATTERN_TYPES) - 1), config.group).astype(np.int64)


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
        copied(torch.randn(config.batch, config.latent, generator=random).to(device), labels.to(device))
    return copied.eval()


@torch.no_grad()
def sheet(generator: Generator, bank: Bank) -> Image.Image:
    """A contact sheet, one column a pattern type, always of the same latents and palettes, each tile repeated 2x2."""
    config = generator.config
    device = next(generator.parameters()).device
    z = torch.randn(SHEET_ROWS, config.latent, generator=torch.Generator().manual_seed(0))
    columns = []
    for label in range(config.classes):
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


def _adam(network: torch.nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.99))
