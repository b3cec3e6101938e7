"""Recipe: the small autoencoder whose latents a diffusion model paints in.

diffusers' ``AutoencoderTiny`` (the layout of TAESD), narrow and with three levels, so that a latent covers 4 pixels.
It starts as a thumbnail: three latents are the mean colour of those pixels, and the decoder enlarges them.  From there
L1 on three levels of a Laplacian pyramid (fine edges weigh as much as flat colour) teaches the rest, with a little
noise on the latents, as a diffusion model's are never exact.  An ``AutoencoderKL`` of that size normalises absolute
colour away and has to learn it anew: after 700 steps it still painted pink as beige.  After the last step the latents'
standard deviation becomes the ``scaling_factor``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.unets.unet_2d_blocks import AutoencoderTinyBlock
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..pipelines.base import Progress, ShouldStop
from .data.captioned import CaptionedPictures
from .distributed import Workers
from .ema import EMA
from .lr_schedule import warmup_cooldown
from .pixels import to_images, to_tensor
from .run import Run
from .trainer import AveragedRecipe, AveragedTrainer, train_averaged

Autoencoder = Any
"""``AutoencoderTiny``; the classes of diffusers carry no types."""


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe(AveragedRecipe):
    """``pictures_dir`` holds captioned pictures (``CaptionedPictures.save``); ``crop`` is in pixels."""

    pictures_dir: str
    recipe: str = "autoencoder"
    width: int = 32
    crop: int = 96
    steps: int = 1500
    cooldown: int = 600
    rate: float = 1.5e-3
    weight_decay: float = 0.0
    noise: float = 0.1
    ema: float = 0.995


class Trainer(AveragedTrainer[Autoencoder]):
    """The autoencoder alone."""

    def __init__(self, config: AutoencoderRecipe, images: np.ndarray, workers: Workers) -> None:
        torch.manual_seed(config.seed)
        super().__init__(config, autoencoder(config.width), workers, betas=(0.9, 0.98))
        self.config, self.images = config, images

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its loss."""
        config, device = self.config, self.device
        target = batch(config, step, self.images).to(device)
        self.set_rates(warmup_cooldown(step, config.steps, config.cooldown))
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            latents = self.network.encode(target).latents
            random = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
            noise = torch.randn(latents.shape, generator=random).to(device)
            loss = likeness(self.network.decode(latents + config.noise * noise).sample.float(), target)
        self.descend(loss, 1.0)
        return {"loss": loss.detach()}


def train(
    config: AutoencoderRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``; the run's ``vae`` folder is the autoencoder in diffusers' format."""
    images = CaptionedPictures.load(Path(config.pictures_dir)).images
    trainer = Trainer(config, images, run.workers)

    def publish(step: int, _losses: object) -> None:
        _keep(run, step, images, trainer.ema, trainer.device)

    train_averaged(trainer, run, config, publish, progress, should_stop)


def autoencoder(width: int) -> Autoencoder:
    """Four latent channels, one latent to 4 x 4 pixels; makes thumbnails until it learns better."""
    from diffusers import AutoencoderTiny

    network: Autoencoder = AutoencoderTiny(  # type: ignore[no-untyped-call]
        encoder_block_out_channels=(width,) * 3,
        decoder_block_out_channels=(width,) * 3,
        num_encoder_blocks=(1, 2, 2),
        num_decoder_blocks=(2, 2, 1),
    )
    _start_as_thumbnail(network)
    return network


@torch.no_grad()
def _start_as_thumbnail(network: Autoencoder) -> None:
    """Channels 0 to 2 carry red, green and blue straight through; residual blocks add nothing yet."""
    for block in network.modules():
        if isinstance(block, AutoencoderTinyBlock):
            nn.init.zeros_(block.conv[-1].weight)
            nn.init.zeros_(block.conv[-1].bias)
    down: list[Any] = [layer for layer in network.encoder.layers if isinstance(layer, nn.Conv2d)]
    up: list[Any] = [layer for layer in network.decoder.layers if isinstance(layer, nn.Conv2d)]
    for layer in (*down, *up):
        nn.init.zeros_(layer.weight[:3])
        if layer.bias is not None:
            nn.init.zeros_(layer.bias[:3])
        for channel in range(3):
            layer.weight[channel, channel, 1, 1] = 1
            if layer.stride == (2, 2):
                layer.weight[channel, channel, 1:, 1:] = 0.25
    # Colours 0..1 become latents -2..2, about as wide as the noise they will be mixed with, and back.
    down[-1].weight[:3] *= 4
    nn.init.constant_(down[-1].bias[:3], -2.0)
    up[0].weight[:3] /= 4
    nn.init.constant_(up[0].bias[:3], 0.5)


def batch(config: AutoencoderRecipe, step: int, images: np.ndarray) -> Tensor:
    """Crops of that step, (N, 3, crop, crop) in -1..1."""
    rng = np.random.default_rng((config.seed, step))
    side = images.shape[1]
    crops = []
    for index in np.sort(rng.integers(0, len(images), config.batch)):
        y, x = rng.integers(0, side - config.crop + 1, 2)
        crop = images[index, y : y + config.crop, x : x + config.crop]
        crops.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
    return to_tensor(np.stack(crops))


def likeness(made: Tensor, target: Tensor, levels: int = 3) -> Tensor:
    """Mean absolute difference over a Laplacian pyramid (Burt and Adelson 1983), every level alike."""
    difference = made - target
    loss = difference.abs().mean()
    for _ in range(levels - 1):
        smaller = F.avg_pool2d(difference, 2)
        loss = loss + (difference - F.interpolate(smaller, scale_factor=2.0)).abs().mean()
        difference = smaller
    return loss + difference.abs().mean()


@torch.no_grad()
def measure(network: Autoencoder, images: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures (N, 3, H, W) in -1..1 that went through the latents."""
    made = network.decode(network.encode(images).latents).sample.clamp(-1, 1)
    return float(-10 * torch.log10(((made - images) / 2).square().mean()))


@torch.no_grad()
def _keep(run: Run, step: int, images: np.ndarray, ema: EMA, device: torch.device) -> None:
    """Log, sample sheet, and the averaged autoencoder with its scale."""
    shown = to_tensor(images[:: max(1, len(images) // 8)][:8]).to(device)
    averaged: Autoencoder = ema.network
    latents = averaged.encode(shown).latents
    averaged.register_to_config(scaling_factor=round(1 / float(latents.std()), 4))
    run.log(step, psnr=measure(averaged, shown), scale=averaged.config["scaling_factor"])
    rows = (to_images(shown), to_images(averaged.decode(latents).sample))
    run.samples(step, Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in rows])))
    averaged.save_pretrained(run.path / "vae")
