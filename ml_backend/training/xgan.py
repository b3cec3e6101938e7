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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import BadInput
from ..networks.dcgan import compose
from ..networks.xgan import XGAN, WaveletDiscriminator, XGANConfig, mixed_styles, path_lengths
from ..packaging import Package
from ..pipelines.base import Progress, ShouldStop
from ..requests import PATTERN_TYPES
from .data.bank import Bank, boldest, centred, draw_bank, shrunk, spectral_codes
from .data.photos import FITS, read_photos
from .distributed import Workers
from .gan import PROOF, GANTrainer, check_settings, contact_sheet, draw_types, export, likeness, train_loop
from .precision import half_precision
from .prefetch import Prefetch, prefetch_depth
from .run import Run
from .start import take_over

Types = NDArray[np.int64]


@dataclass(frozen=True)
class XGANRecipe:
    """``shares`` weighs the pattern types (empty: all alike); ``group`` images of one type lie together in a batch.

    Of ``drawn`` designs of each type the boldest ``designs`` are learned; ``codes`` is whether they have learned
    latents: without, there is no warm start and no anchor.  ``patience`` steps after the warm start train the
    discriminator before the generator heeds it.  ``start_from`` is the folder of a generator package of the same shape
    to go on from: with its codes if it knows as many designs, else it learns new ones.

    ``growth`` are the steps at which images double their side, up to ``size``; ``batches`` has one more number, how
    many images a step sees at each side.  ``r1`` is gamma, ``path`` the weight of the path lengths; both losses are
    taken every so many steps and weighed by that number.  ``mixing`` is how often styles are mixed, ``momentum`` Adam's
    beta 1.

    ``photos`` is a folder of photographs, ``TYPE/NAME.jpg``, to learn instead of drawn designs; they are RGB and made
    square by ``fit``: ``crop`` or ``pad``.
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
    photos: str = ""
    fit: str = "crop"
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
        if self.photos and self.output != "rgb":
            raise BadInput("Photographs have no inks: to learn from them set output to rgb.")
        if self.fit not in FITS:
            raise BadInput(f"fit is one of {', '.join(FITS)}, not {self.fit!r}.")
        learned = bool(self.warm_steps or self.anchor)
        check_settings(self.shares, self.drawn, self.designs, self.codes, learned)

    @property
    def r1_weight(self) -> float:
        """Gamma / 2, as often as the penalty is taken."""
        return self.r1 / 2 * self.r1_every

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
    real = coverage * 2 - 1 if config.photos else compose(coverage, choose_palettes(config, bank, labels, designs))
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


def choose_palettes(config: XGANRecipe, bank: Bank, labels: Types, designs: Types) -> Tensor:
    """(N, K, 3) in 0..1: of colour proofs for inks; an RGB network can only learn a design whose colours stay."""
    if config.output == "rgb":
        return torch.from_numpy(bank.palettes[labels, designs % bank.palettes.shape[1]])
    return torch.tensor(PROOF[: config.inks]).expand(len(labels), -1, -1)


class Trainer(GANTrainer):
    """Its generator is called in parts, which DistributedDataParallel cannot follow: gradients are averaged here."""

    def __init__(self, config: XGANRecipe, bank: Bank, workers: Workers) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        banks = {side: shrunk(bank, side) for side in {config.side(step) for step in (0, *config.growth)}}
        self.batches = Prefetch(
            lambda step: draw_batch(config, banks[config.side(step)], step, workers), prefetch_depth(workers.device)
        )
        shape = network_config(config)
        generator = XGAN(shape)
        if generator.codes is not None:
            generator.codes.data.copy_(spectral_codes(bank, config.latent))
        if config.start_from:
            take_over(generator, Package.load(config.start_from), unless_other=("codes",))
        discriminator = WaveletDiscriminator(shape, config.discriminator_capacity, config.group)
        self.generator: XGAN
        super().__init__(config, generator.to(workers.device), discriminator.to(workers.device), workers)
        self.path_mean = torch.zeros((), device=self.device)

    def step(self, step: int) -> dict[str, float]:
        """One update of each network that this stage trains; the metrics of the step."""
        config = self.config
        batch = self.batches(step)
        labels = batch.labels.to(self.device)
        painted = self._paint(self._styles(batch, labels), batch, config.side(step))
        loss = painted.new_zeros(())
        metrics = {}
        if config.codes:
            chosen = batch.anchored.to(self.device)
            anchor = likeness(painted[chosen], self.workers.place(batch.target)[chosen], config.output)
            metrics["anchor"] = anchor.item()
            loss = anchor if batch.warm else anchor * config.anchor
        if not batch.warm:
            fake = self._worn(painted)
            real = self.workers.place(batch.real)
            metrics |= self.teach_discriminator(step, real, fake.detach(), labels, batch.random)
        if step >= config.warm_steps + config.patience:
            adversarial = self.adversarial(fake, labels, batch.random)
            metrics["g_loss"] = adversarial.item()
            loss = loss + adversarial
            if config.path and step % config.path_every == 0:
                penalty = self._path_penalty(batch, labels, config.side(step))
                metrics["path"] = penalty.item()
                loss = loss + config.path * config.path_every * penalty
        self.teach_generator(loss, step)
        return metrics

    def average_generator(self) -> None:
        self.workers.average_gradients(self.generator)

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

    def state_dict(self) -> dict[str, object]:
        return {"path_mean": self.path_mean, **super().state_dict()}

    def load_state_dict(self, state: dict[str, object]) -> None:
        super().load_state_dict(state)
        self.path_mean.copy_(state["path_mean"])  # type: ignore[arg-type]


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

    def publish(step: int) -> None:
        generator = settled(trainer.ema.network)
        export(generator, run.path / "packages" / f"{step:06d}", name=run.path.name, architecture="xgan")

        def paint(label: int, seeds: Sequence[int]) -> Tensor:
            z = torch.stack([generator.latent(label, seed) for seed in seeds]).to(workers.device)
            styles = generator.styles(z, torch.full((len(z),), label, device=workers.device))
            return generator.synthesise(styles, seeds, config.side(step - 1)).cpu()

        run.samples(step, contact_sheet(paint, bank, config.output))

    train_loop(trainer, run, publish, progress, should_stop)


def draw_designs(config: XGANRecipe, cache: Path | None = None) -> Bank:
    """The designs to learn; ``cache`` is a .npy file to read or to leave behind."""
    if config.photos:
        return read_photos(config.photos, config.designs, config.size, config.fit, config.shares)
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


def settled(generator: torch.nn.Module) -> XGAN:
    """A copy in evaluation mode that knows the mean style of each class."""
    copied = copy.deepcopy(generator)
    if not isinstance(copied, XGAN):
        raise BadInput("Only a generator can be settled.")
    copied.settle()
    return copied.eval()
