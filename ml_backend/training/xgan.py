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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import BadInput
from ..networks.xgan import XGAN, WaveletDiscriminator, XGANConfig, mixed_styles, path_lengths
from ..pipelines.base import Progress, ShouldStop
from . import gan
from .data.bank import Bank, shrunk
from .data.photos import FITS, read_photos
from .distributed import Workers
from .gan import Batch, GANRecipe, GANTrainer, Numbers, draw_batch, train_gan
from .precision import half_precision
from .run import Run

_NETWORK = XGANConfig(mix=0.3)


@dataclass(frozen=True, kw_only=True)
class XGANRecipe(GANRecipe):
    """``growth`` are the steps at which images double their side, up to the network's; ``batches`` has one more number,
    how many images a step sees at each side.  ``path_length_weight`` is that of the path lengths' loss, taken every
    ``path_length_every`` steps and weighed by that number.  ``style_mixing`` is how often styles are mixed.

    ``photos`` is a folder of photographs, ``TYPE/NAME.jpg``, to learn instead of drawn designs; they are RGB and made
    square by ``fit``: ``crop`` or ``pad``.  The rest says :class:`GANRecipe`.
    """

    network: XGANConfig = _NETWORK
    recipe: str = "xgan"
    discriminator_capacity: int = 4096
    photos: str = ""
    fit: str = "crop"
    batches: tuple[int, ...] = (16,)
    growth: tuple[int, ...] = ()
    warm_rate: float = 1e-2
    beta1: float = 0.0
    generator_rate: float = 2e-3
    discriminator_rate: float = 2e-3
    path_length_weight: float = 2.0
    path_length_every: int = 8
    path_length_decay: float = 0.01
    style_mixing: float = 0.9
    ema: float = 0.995

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.batches) != 1 + len(self.growth) or list(self.growth) != sorted(self.growth):
            raise BadInput("batches has one more number than growth, whose steps rise.")
        if self.network.size >> len(self.growth) < 8:
            raise BadInput(f"Images of {self.network.size} px cannot begin with {len(self.growth)} halvings.")
        if self.photos and self.network.output != "rgb":
            raise BadInput("Photographs have no inks: to learn from them set output to rgb.")
        if self.fit not in FITS:
            raise BadInput(f"fit is one of {', '.join(FITS)}, not {self.fit!r}.")

    @property
    def counts(self) -> tuple[int, ...]:
        return self.batches

    def count(self, step: int) -> int:
        return self.batches[self.grown(step)]

    def grown(self, step: int) -> int:
        """How often images have doubled their side by that step."""
        return sum(step >= start for start in self.growth)

    def side(self, step: int) -> int:
        return self.network.size >> (len(self.growth) - self.grown(step))

    def palettes(self, bank: Bank, labels: Numbers, designs: Numbers, rng: Any) -> Tensor:
        """Of colour proofs for inks; an RGB network can only learn a design whose colours stay."""
        if self.network.output == "rgb":
            return torch.from_numpy(bank.palettes[labels, designs % bank.palettes.shape[1]])
        return super().palettes(bank, labels, designs, rng)

    def worn(self, coverage: Tensor, palettes: Tensor) -> Tensor:
        return coverage * 2 - 1 if self.photos else super().worn(coverage, palettes)


class Trainer(GANTrainer):
    """Its generator is called in parts, which DistributedDataParallel cannot follow: gradients are averaged here."""

    config: XGANRecipe
    generator: XGAN

    def __init__(self, config: XGANRecipe, bank: Bank, workers: Workers) -> None:
        super().__init__(config, bank, workers)
        self.banks = {side: shrunk(bank, side) for side in {config.side(step) for step in (0, *config.growth)}}
        self.path_mean = torch.zeros((), device=self.device)

    def make_generator(self) -> XGAN:
        return XGAN(self.config.network)

    def make_discriminator(self) -> WaveletDiscriminator:
        return WaveletDiscriminator(self.config.network, self.config.discriminator_capacity, self.config.group)

    def draw_batch(self, step: int) -> Batch:
        """Of designs of that step's side; alone the generator learns from types as they come."""
        group = 1 if step < self.config.warm_steps else None
        return draw_batch(self.config, self.banks[self.config.side(step)], step, self.workers, group)

    def side(self, step: int) -> dict[str, int]:
        return {"size": self.config.side(step)}

    def paint(self, batch: Batch, labels: Tensor, step: int) -> Tensor:
        return self._paint(self._styles(batch, labels), batch, self.config.side(step))

    def penalty(self, step: int, batch: Batch, labels: Tensor) -> tuple[Tensor | float, dict[str, float]]:
        """That of the path lengths, now and then."""
        weight, every = self.config.path_length_weight, self.config.path_length_every
        if not weight or step % every:
            return 0.0, {}
        penalty = self._path_penalty(batch, labels, self.config.side(step))
        return weight * every * penalty, {"path": penalty.item()}

    def average_generator(self) -> None:
        self.workers.average_gradients(self.generator)

    def settled(self) -> XGAN:
        return settled(self.ema.network)

    def _styles(self, batch: Batch, labels: Tensor) -> Tensor:
        """Codes of the anchored designs, with a little noise; for the others what the seed of a fabric would give."""
        first = self._mapped(self.generator.latents(batch.all_labels, batch.random), labels)
        second = self._mapped(self.generator.latents(batch.all_labels, batch.random), labels)
        count, layers = len(batch.all_labels), self.generator.layers
        crossings = torch.randint(1, layers, (count,), generator=batch.random)
        crossings[torch.rand(count, generator=batch.random) >= self.config.style_mixing] = layers
        drawn = mixed_styles(first, second, self.workers.share(crossings).to(self.device))
        spread = torch.randn(count, self.config.network.latent, generator=batch.random) * self.config.network.noise
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
            return self.generator.synthesise(styles, own, size=side, noisy=not batch.warm).float()

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
            self.path_mean.lerp_(mean, self.config.path_length_decay if self.path_mean else 1.0)
        return (lengths - self.path_mean).square().mean()

    def state_dict(self) -> dict[str, object]:
        return {"path_mean": self.path_mean, **super().state_dict()}

    def load_state_dict(self, state: dict[str, object]) -> None:
        super().load_state_dict(state)
        self.path_mean.copy_(state["path_mean"])  # type: ignore[arg-type]


def train(
    config: XGANRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """See :func:`.gan.train_gan`."""
    train_gan(config, run, Trainer, draw_designs, progress, should_stop)


def draw_designs(config: XGANRecipe, cache: Path | None = None) -> Bank:
    """The designs to learn, drawn or photographed; ``cache`` is a .npy file to read or to leave behind."""
    if config.photos:
        return read_photos(config.photos, config.designs, config.network.size, config.fit, config.shares)
    return gan.draw_designs(config, cache)


def settled(generator: torch.nn.Module) -> XGAN:
    """A copy in evaluation mode that knows the mean style of each class."""
    copied = copy.deepcopy(generator)
    if not isinstance(copied, XGAN):
        raise BadInput("Only a generator can be settled.")
    copied.settle()
    return copied.eval()
