"""Recipe: the seamless class-conditional DCGAN, from drawn swatches.

The paper's loss and optimiser (binary cross-entropy on logits, the generator maximising log D; Adam with beta1 0.5),
with what keeps it from collapsing: R1 on real images every few steps (Mescheder et al. 2018; lazily, Karras et al.
2020), differentiable augmentation (Zhao et al. 2020), a slower generator (Heusel et al. 2017), an EMA of its weights.

A generated image wears the palette of the real one beside it, so the discriminator cannot tell them apart by colour.
With ``proof`` that is always the same palette of far-apart colours, in which every ink can be seen.

A DCGAN from nothing needs more steps than a small machine has.  With ``learn_codes``, every design of the bank has a
learned latent: for ``warm_steps`` the generator only learns to paint the designs from them (Bojanowski et al. 2018),
then the adversarial game goes on from there, half of each batch still tied to its designs by ``anchor`` times that
loss, which also forbids the generator to forget any of them.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import BadInput
from ..networks.dcgan import DCGANConfig, Discriminator, Generator
from ..pipelines.base import Progress, ShouldStop
from .data.bank import Bank
from .distributed import Workers
from .gan import Batch, GANRecipe, GANTrainer, Numbers, draw_types, train_gan
from .run import Run

_NETWORK = DCGANConfig(latent=24, mix=0.3)


@dataclass(frozen=True, kw_only=True)
class DCGANRecipe(GANRecipe):
    """``discriminator_maps`` is the width of the discriminator's first layer; the rest says :class:`GANRecipe`."""

    network: DCGANConfig = _NETWORK
    recipe: str = "dcgan"
    discriminator_maps: int = 32
    proof: bool = True
    batch: int = 64
    r1_gamma: float = 1.25
    r1_every: int = 8

    @property
    def counts(self) -> tuple[int, ...]:
        return (self.batch,)

    def palettes(self, bank: Bank, labels: Numbers, designs: Numbers, rng: np.random.Generator) -> Tensor:
        """Any palette for inks; an RGB network can only learn a design whose colours stay."""
        count = bank.palettes.shape[1]
        rgb = self.network.output == "rgb"
        chosen = designs % count if rgb else rng.integers(0, count, len(designs))
        if self.proof:
            return super().palettes(bank, labels, designs, rng)
        return torch.from_numpy(bank.palettes[labels, chosen])


class Trainer(GANTrainer):
    """Its generator is called whole, so DistributedDataParallel averages its gradients."""

    config: DCGANRecipe
    generator: Generator

    def __init__(self, config: DCGANRecipe, bank: Bank, workers: Workers) -> None:
        super().__init__(config, bank, workers)
        self.generate = workers.wrap(self.generator)

    def make_generator(self) -> Generator:
        return Generator(self.config.network)

    def make_discriminator(self) -> Discriminator:
        return Discriminator(self.config.network, self.config.discriminator_maps, self.config.group)

    def paint(self, batch: Batch, labels: Tensor, step: int) -> Tensor:  # noqa: ARG002
        with self.mixed():
            painted: Tensor = self.generate(self._latents(batch), labels).float()
        return painted

    def _latents(self, batch: Batch) -> Tensor:
        """Codes of the anchored designs, with a little noise; for the others what the seed of a fabric would give."""
        of_all = self.generator.latents(batch.all_labels, batch.random)
        drawn = self.workers.share(of_all).to(self.device)
        codes = self.generator.codes
        if codes is None:
            return drawn
        noise = torch.randn(of_all.shape, generator=batch.random) * self.config.network.noise
        own = codes[batch.labels.to(self.device), batch.designs.to(self.device)]
        own = own + self.workers.share(noise).to(self.device)
        return torch.where(batch.anchored.to(self.device)[:, None], own, drawn)

    def average_generator(self) -> None:
        """DistributedDataParallel has done it on the way back."""

    def settled(self) -> Generator:
        return settled(self.ema.network, self.config)


def train(
    config: DCGANRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """See :func:`.gan.train_gan`."""
    train_gan(config, run, Trainer, progress=progress, should_stop=should_stop)


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
