"""Pictures of fixed prompts along the way, and class pictures: by the base's own pipeline, as it is being trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .latents import Encoder
from .loading import Base
from .masking import Mask
from .recipe import FineTuneRecipe

Canvas = tuple[Image.Image, Image.Image]
"""A picture and its mask, white where it is painted."""


def canvas_of(encoder: Encoder, path: Path, mask: Mask) -> Canvas:
    return Image.fromarray(encoder.pixels(path, False)), Image.fromarray(mask.astype(np.uint8) * 255)


def paint(
    base: Base,
    config: FineTuneRecipe,
    prompt: str,
    seeds: Sequence[int],
    canvases: Sequence[Canvas] = (),
) -> list[Image.Image]:
    """A picture of the prompt from each seed, alone: into a canvas (they take turns), else whole, as Imagine does."""
    side = config.resolution
    grey = Image.new("RGB", (side, side), (128, 128, 128)), Image.new("L", (side, side), 255)
    pipeline = base.pipeline
    pipeline.set_progress_bar_config(disable=True)
    learning = base.unet.training
    base.unet.eval()
    made = []
    try:
        for number, seed in enumerate(seeds):
            pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
            picture, mask = canvases[number % len(canvases)] if canvases else grey
            made += pipeline(
                prompt,
                image=picture,
                mask_image=mask,
                width=side,
                height=side,
                strength=1.0,
                num_inference_steps=config.sample_steps,
                guidance_scale=config.sample_guidance,
                generator=torch.Generator("cpu").manual_seed(seed),
            ).images
    finally:
        base.unet.train(learning)
    return made


def sheet(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Pictures of one size in rows."""
    return Image.fromarray(np.concatenate([np.concatenate([np.asarray(one) for one in row], axis=1) for row in rows]))
