"""Recipe: XGAN, from drawn swatches or from photographs.

StyleGAN2's losses (Karras et al. 2020): non-saturating logistic, R1 and path length regularisation done lazily, style
mixing, an EMA of the generator; differentiable augmentation that wraps around (Zhao et al. 2020).  A generated image
wears the palette of colour proofs as the real ones do, so the discriminator judges drawing alone.

As with the DCGAN, a generator can learn designs from latents of their own before the adversarial game begins
(``warm_steps``) and stay tied to them in half of each batch (``anchor``).  ``growth`` lets it begin with small images:
the synthesis network adds each side's wavelets to the image of the side before, so its first stages are a network of
their own.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..errors import BadInput
from ..networks.dcgan import compose
from ..networks.xgan import XGAN, WaveletDiscriminator, XGANConfig, mixed_styles, path_lengths
from ..packaging import Package, save_package
from ..pipelines.base import Progress, ShouldStop, check, tell
from ..requests import PATTERN_TYPES
from .augment import augment
from .data.bank import Bank, boldest, centred, draw_bank, shrunk, spectral_codes
from .distributed import Workers
from .ema import EMA
from .gan import (
    PROOF,
    SHEET_ROWS,
    contact_sheet,
    cross_entropy_of_inks,
    draw_types,
    gradient_penalty,
    logistic,
)
from .precision import half_precision
from .run import Run
from .start import take_over


@dataclass(frozen=True)
class XGANRecipe:
    """``shares`` weighs the pattern types (empty: all alike); ``group`` images of one type lie together in a batch.

    Of ``drawn`` designs of each type the boldest ``designs`` are learned; ``codes`` is whether they have learned
    latents: without, there is no warm start and no anchor.  ``patience`` steps after the warm start train the
    discriminator before the generator heeds it.  ``start_from`` is the folder of a generator package of the same shape
    to go on from, with its codes.

    ``growth`` are the steps at which images double their side, up to ``size``; ``batches`` has one more number, how
    many images a step sees at each side.  ``r1`` is gamma, ``path`` the weight of the path lengths; both losses are
    taken every so many steps and weighed by that number.  ``mixing`` is how often styles are mixed, ``momentum`` Adam's
    beta 1.
    """

    recipe: str = "xgan"
    start_from: str = ""
    size: int = 256
    inks: int = 5
    output: str = "inks"
    latent: int = 64
    embedding: int = 32
    width: int = 128
    mapping: int = 4
    capacity: int = 4096
    widest: int = 256
    start: str = "constant"
    discriminator_capacity: int = 4096
    truncation: float = 1.0
    drawn: int = 200
    designs: int = 120
    codes: bool = True
    neighbours: int = 6
    mix: float = 0.3
    noise: float = 0.1
    batches: tuple[int, ...] = (16,)
    growth: tuple[int, ...] = ()
    group: int = 4
    shares: tuple[float, ...] = ()
    steps: int = 4000
    warm_steps: int = 1200
    patience: int = 100
    warm_rate: float = 1e-2
    code_rate: float = 5.0
    anchor: float = 10.0
    momentum: float = 0.0
    generator_rate: float = 2e-3
    discriminator_rate: float = 2e-3
    r1: float = 1.0
    r1_every: int = 16
    path: float = 2.0
    path_every: int = 8
    path_decay: float = 0.01
    mixing: float = 0.9
    ema: float = 0.995
    policy: tuple[str, ...] = ("shift", "flip")
    seed: int = 1
    log_every: int = 25
    save_every: int = 200

    def __post_init__(self) -> None:
        if any(batch % self.group for batch in self.batches):
            raise BadInput(f"Batches of {self.batches} do not all divide into groups of {self.group}.")
        if len(self.batches) != 1 + len(self.growth) or list(self.growth) != sorted(self.growth):
            raise BadInput("batches has one more number than growth, whose steps rise.")
        if self.size >> len(self.growth) < 8:
            raise BadInput(f"Images of {self.size} px cannot begin with {len(self.growth)} halvings.")
        if self.shares and len(self.shares) != len(PATTERN_TYPES):
            raise BadInput(f"shares must name {len(PATTERN_TYPES)} numbers, one a pattern type.")
        if not 0 < self.designs <= self.drawn:
            raise BadInput(f"Of {self.drawn} drawn designs, {self.designs} cannot be chosen.")
        if not self.codes and (self.warm_steps or self.anchor):
            raise BadInput("Without codes there is neither a warm start nor an anchor: set warm_steps and anchor to 0.")

    def grown(self, step: int) -> int:
        """How often images have doubled their side by that step."""
        return sum(step >= start for start in self.growth)

    def side(self, step: int) -> int:
        return self.size >> (len(self.growth) - self.grown(step))


@dataclass(frozen=True)
class Batch:
    """``target`` (N, K, S, S): ink coverage, or RGB in -1..1; ``real`` (N, 3, S, S) in -1..1 is what is judged.

    ``anchored`` (N,) says which fakes are to be the design itself.  Of several workers each holds its share of these;
    ``all_labels`` are those of the whole batch, which ``random`` is for.  ``warm``: before the game begins.
    """

    target: Tensor
    real: Tensor
    labels: Tensor
    designs: Tensor
    anchored: Tensor
    all_labels: Tensor
    warm: bool
    random: torch.Generator


def draw_batch(config: XGANRecipe, bank: Bank, step: int, workers: Workers) -> Batch:
    """From ``bank``, whose designs have the side of that step.

    This worker's share of that step's batch, which depends on (seed, step) alone: a resumed run goes on alike.
    """
    rng = np.random.default_rng((config.seed, step))
    count, warm = config.batches[config.grown(step)], step < config.warm_steps
    all_labels = draw_types(count, 1 if warm else config.group, config.shares, rng)
    all_designs = rng.integers(0, bank.inks.shape[1], count)
    part = workers.part(count, of=config.group)
    labels, designs = all_labels[part], all_designs[part]
    coverage = bank.coverage(labels, designs)
    if config.output == "rgb":  # a design whose colours changed could not be learned
        palettes = torch.from_numpy(bank.palettes[labels, designs % bank.palettes.shape[1]])
    else:
        palettes = torch.tensor(PROOF[: config.inks]).expand(len(labels), -1, -1)
    real = compose(coverage, palettes)
    anchored = torch.arange(len(labels)) % config.group < config.group // 2
    return Batch(
        target=real if config.output == "rgb" else coverage,
        real=real,
        labels=torch.from_numpy(labels),
        designs=torch.from_numpy(designs),
        anchored=(anchored | warm) & config.codes,
        all_labels=torch.from_numpy(all_labels),
        warm=warm,
        random=torch.Generator().manual_seed(int(rng.integers(2**31))),
    )


class Trainer:
    """Both networks and their optimisers; ``step`` is a function of the state and of (seed, step).

    Of several ``workers`` each has the same networks and trains them with its share of every batch.
    """

    def __init__(self, config: XGANRecipe, bank: Bank, workers: Workers) -> None:
        torch.manual_seed(config.seed)
        self.config, self.workers, self.device = config, workers, workers.device
        self.banks = {side: shrunk(bank, side) for side in {config.side(step) for step in (0, *config.growth)}}
        shape = network_config(config)
        self.generator = XGAN(shape)
        if self.generator.codes is not None:
            self.generator.codes.data.copy_(spectral_codes(bank, config.latent))
        if config.start_from:
            take_over(self.generator, Package.load(config.start_from))
        self.generator.to(self.device)
        self.discriminator = WaveletDiscriminator(shape, config.discriminator_capacity, config.group).to(self.device)
        self.ema = EMA(self.generator, config.ema)
        self.path_mean = torch.zeros((), device=self.device)
        codes = [weight for name, weight in self.generator.named_parameters() if name == "codes"]
        others = [weight for name, weight in self.generator.named_parameters() if name != "codes"]
        self.generator_optimiser = torch.optim.Adam(
            [{"params": others}, {"params": codes}], betas=(config.momentum, 0.99)
        )
        self.discriminator_optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=config.discriminator_rate, betas=(config.momentum, 0.99)
        )

    def step(self, step: int) -> dict[str, float]:
        """One update of each network that this stage trains; the metrics of the step."""
        config = self.config
        batch = draw_batch(config, self.banks[config.side(step)], step, self.workers)
        labels = batch.labels.to(self.device)
        painted = self._paint(self._styles(batch, labels), batch, config.side(step))
        loss = painted.new_zeros(())
        metrics = {}
        if config.codes:
            anchor = self._anchor(painted, batch)
            metrics["anchor"] = anchor.item()
            loss = anchor if step < config.warm_steps else anchor * config.anchor
        if step >= config.warm_steps:
            fake = self._worn(painted)
            metrics |= self._teach_discriminator(step, batch, fake.detach(), labels)
        if step >= config.warm_steps + config.patience:
            adversarial = self._adversarial(fake, labels, batch.random)
            metrics["g_loss"] = adversarial.item()
            loss = loss + adversarial
            if config.path and step % config.path_every == 0:
                penalty = self._path_penalty(batch, labels, config.side(step))
                metrics["path"] = penalty.item()
                loss = loss + config.path * config.path_every * penalty
        self._teach_generator(loss, rate(config, step))
        if self.workers.is_writer:
            self.ema.update(self.generator)
        return metrics

    def _styles(self, batch: Batch, labels: Tensor) -> Tensor:
        """Codes of the anchored designs, with a little noise; for the others what the seed of a fabric would give."""
        first = self._mapped(self.generator.latents(batch.all_labels, batch.random), labels)
        second = self._mapped(self.generator.latents(batch.all_labels, batch.random), labels)
        count, layers = len(batch.all_labels), self.generator.layers
        crossings = torch.randint(1, layers, (count,), generator=batch.random)
        crossings[torch.rand(count, generator=batch.random) >= self.config.mixing] = layers
        drawn = mixed_styles(first, second, self.workers.share(crossings).to(self.device))
        spread = torch.randn(count, self.config.latent, generator=batch.random) * self.config.noise
        codes = self.generator.codes
        if codes is None:
            return drawn
        own = codes[labels, batch.designs.to(self.device)] + self.workers.share(spread).to(self.device)
        with half_precision(self.device):
            learned = self.generator.styles(own, labels, psi=1.0)
        return torch.where(batch.anchored.to(self.device)[:, None, None], learned, drawn)

    def _mapped(self, latents: Tensor, labels: Tensor) -> Tensor:
        with half_precision(self.device):
            return self.generator.styles(self.workers.share(latents).to(self.device), labels, psi=1.0)

    def _paint(self, styles: Tensor, batch: Batch, side: int, half: bool = True, every: int = 1) -> Tensor:
        """Each image has its own noise, whichever worker paints it; a design that is learned has none."""
        seeds = torch.randint(2**31, (len(batch.all_labels),), generator=batch.random)
        own = self.workers.share(seeds)[::every].tolist()
        with half_precision(self.device, half):
            return self.generator.synthesise(styles, own, side, noisy=not batch.warm).float()

    def _worn(self, painted: Tensor) -> Tensor:
        """(N, K, S, S) -> RGB (N, 3, S, S) in -1..1."""
        if self.config.output == "rgb":
            return painted
        return compose(painted, torch.tensor(PROOF[: self.config.inks]).to(painted).expand(len(painted), -1, -1))

    def _anchor(self, painted: Tensor, batch: Batch) -> Tensor:
        chosen = batch.anchored.to(self.device)
        target = batch.target.to(self.device)[chosen]
        if self.config.output == "rgb":
            return F.mse_loss(painted[chosen], target)
        return cross_entropy_of_inks(painted[chosen], target)

    def _teach_discriminator(self, step: int, batch: Batch, fake: Tensor, labels: Tensor) -> dict[str, float]:
        config = self.config
        penalise = step % config.r1_every == 0
        real = augment(batch.real.to(self.device), config.policy, batch.random, self.workers)
        real.requires_grad_(penalise)
        fake = augment(fake, config.policy, batch.random, self.workers)
        with half_precision(self.device, not penalise):  # second derivatives want full precision
            on_real = self.discriminator(real, labels).float()
            on_fake = self.discriminator(fake, labels).float()
        loss = logistic(on_real, True) + logistic(on_fake, False)
        metrics = {"d_loss": loss.item(), "d_real": on_real.mean().item(), "d_fake": on_fake.mean().item()}
        if penalise:
            penalty = gradient_penalty(real, on_real)
            loss = loss + config.r1 / 2 * config.r1_every * penalty
            metrics["r1"] = penalty.item()
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.workers.average_gradients(self.discriminator)
        self.discriminator_optimiser.step()
        return metrics

    def _adversarial(self, fake: Tensor, labels: Tensor, random: torch.Generator) -> Tensor:
        self.discriminator.requires_grad_(False)
        with half_precision(self.device):
            logits = self.discriminator(augment(fake, self.config.policy, random, self.workers), labels).float()
        self.discriminator.requires_grad_(True)
        return logistic(logits, True)

    def _path_penalty(self, batch: Batch, labels: Tensor, side: int) -> Tensor:
        """The mean of (length - a)^2 where a is the running mean of lengths (equation 4), on every second image."""
        latents = self.workers.share(self.generator.latents(batch.all_labels, batch.random))[::2]
        styles = self.generator.styles(latents.to(self.device), labels[::2], psi=1.0).contiguous()
        painted = self._paint(styles, batch, side, half=False, every=2)
        whole = (len(batch.all_labels), *painted.shape[1:])
        noise = self.workers.share(torch.randn(whole, generator=batch.random))[::2]
        lengths = path_lengths(painted, styles, noise.to(self.device))
        with torch.no_grad():
            mean = self.workers.whole_mean(lengths)
            self.path_mean.lerp_(mean, self.config.path_decay if self.path_mean else 1.0)
        return (lengths - self.path_mean).square().mean()

    def _teach_generator(self, loss: Tensor, rate: float) -> None:
        if not loss.requires_grad:  # without codes, while the discriminator has its head start
            return
        for group, factor in zip(self.generator_optimiser.param_groups, (1.0, self.config.code_rate), strict=True):
            group["lr"] = rate * factor
        self.generator_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.workers.average_gradients(self.generator)
        self.generator_optimiser.step()

    def state_dict(self) -> dict[str, object]:
        return {"path_mean": self.path_mean, **{name: getattr(self, name).state_dict() for name in self._parts}}

    def load_state_dict(self, state: dict[str, object]) -> None:
        for name in self._parts:
            getattr(self, name).load_state_dict(state[name])
        self.path_mean.copy_(state["path_mean"])  # type: ignore[arg-type]

    _parts = ("generator", "discriminator", "ema", "generator_optimiser", "discriminator_optimiser")


def train(
    config: XGANRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes; every save leaves a package too.

    The packages in ``run_dir/packages/STEP`` let a person choose the generator that looks best, not the last one.
    """
    workers = run.workers
    with workers.writer_first():
        bank = draw_designs(config, run.cache("designs.npy"))
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
            generator = settled(trainer.ema.network)
            export(generator, config, run.path / "packages" / f"{step:06d}", name=run.path.name)
            run.samples(step, sheet(generator, bank, config.side(step - 1)))


def draw_designs(config: XGANRecipe, cache: Path | None = None) -> Bank:
    """The designs to learn; ``cache`` is a .npy file to read or to leave behind."""
    palettes = draw_bank(0, config.size, config.inks).palettes
    if cache is not None and cache.exists():
        return Bank(np.load(cache), palettes)
    bank = centred(boldest(draw_bank(config.drawn, config.size, config.inks), config.designs))
    if cache is not None:
        np.save(cache, bank.inks)
    return bank


def network_config(config: XGANRecipe) -> XGANConfig:
    return XGANConfig(
        size=config.size,
        inks=config.inks,
        output=config.output,
        classes=len(PATTERN_TYPES),
        latent=config.latent,
        embedding=config.embedding,
        width=config.width,
        mapping=config.mapping,
        capacity=config.capacity,
        widest=config.widest,
        start=config.start,
        truncation=config.truncation,
        codes=config.designs if config.codes else 0,
        neighbours=config.neighbours,
        mix=config.mix,
        noise=config.noise,
    )


def rate(config: XGANRecipe, step: int) -> float:
    """The generator's: a short rise and half a cosine during the warm start, then constant."""
    if step >= config.warm_steps:
        return config.generator_rate
    falling = 0.5 + 0.5 * math.cos(math.pi * step / config.warm_steps)
    return config.generator_rate + (config.warm_rate - config.generator_rate) * min((step + 1) / 50, falling)


def settled(generator: torch.nn.Module) -> XGAN:
    """A copy in evaluation mode that knows the mean style of each class."""
    copied = copy.deepcopy(generator)
    if not isinstance(copied, XGAN):
        raise BadInput("Only a generator can be settled.")
    copied.settle()
    return copied.eval()


@torch.no_grad()
def sheet(generator: XGAN, bank: Bank, side: int) -> Image.Image:
    """A contact sheet, one column a pattern type, always of the same latents and palettes."""
    config = generator.config
    device = next(generator.parameters()).device
    columns = []
    for label in range(config.classes):
        z = torch.stack([generator.latent(label, seed) for seed in range(SHEET_ROWS)])
        styles = generator.styles(z.to(device), torch.full((SHEET_ROWS,), label, device=device))
        painted = generator.synthesise(styles, range(SHEET_ROWS), side).cpu()
        palettes = torch.from_numpy(bank.palettes[label, :SHEET_ROWS])
        columns.append(painted if config.output == "rgb" else compose(painted, palettes))
    return contact_sheet(columns)


def export(generator: XGAN, config: XGANRecipe, path: Path, *, name: str) -> Package:
    """Write the generator as a package that ``generate`` can serve."""
    return save_package(
        path,
        name=name,
        capability="generate",
        architecture="xgan",
        config=network_config(config),
        state_dict=generator.state_dict(),
    )
