"""Recipe: a small latent diffusion model that repaints a masked region from words.

Rombach et al. 2022, with the inpainting input of Stable Diffusion (noisy latents, mask, latents of the picture with the
region blanked: nine channels) and its folder layout, so that ``AutoPipelineForInpainting`` loads it like any other:

* v-prediction (Salimans and Ho 2022) on a schedule that ends in pure noise (Lin et al. 2024): else the mean brightness
  of the picture leaks through the noise and "a black dress" comes out grey;
* classifier-free guidance (Ho and Salimans 2021): one caption in ten is empty;
* the text encoder is a small CLIP text tower.  It first learns to tell what its captions say (colour, pattern,
  garment), which takes minutes, then goes on together with the UNet;
* latents are made once.  Most steps see a window of them, the last ones whole pictures: the scale of cloth is the
  same, and a window costs a third.

The words matter inside the mask, and a pipeline pastes the rest back, so the loss outside counts little.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..colour import BASIC_COLOURS, lab
from ..packaging import Package, save_folder_manifest
from ..pipelines.base import Progress, ShouldStop, check, tell
from ..requests import PATTERN_TYPES
from .data.captioned import CaptionedPictures, Words
from .data.captions import GARMENT_PHRASES, caption, corpus
from .data.captions import PATTERN_PHRASES as PATTERNS
from .distributed import Workers
from .lr_schedule import warmup_cooldown
from .pixels import to_tensor
from .run import Run
from .tokenizer import is_tokenizer, make_tokenizer, read_tokenizer
from .trainer import AveragedRecipe, AveragedTrainer, descend, train_averaged

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

Network = Any
"""A network or pipeline of diffusers or transformers, whose classes carry few types."""

SHEET_PROMPTS = ("red dress", "blue and white striped dress", "black and yellow dotted skirt", "green floral top")

DEFAULTS: dict[str, Any] = {
    "steps": 25,
    "guidance": 2.5,
    "size": 192,
    "strength": 1.0,
    "scheduler": "euler",
    "sketch": "fabric",
    "sketched": {"strength": 0.12, "size": 512},
}
"""How a package of this recipe is sampled where nothing else is asked.

It has learnt colours and little of patterns, so it begins from a drawn fabric, at a size at which the motifs of that
are many latents wide: smaller ones are lost in the noise that is added.
"""


@dataclass(frozen=True, kw_only=True)
class InpaintingRecipe(AveragedRecipe):
    """``vae_dir`` is an ``AutoencoderTiny`` folder; ``window`` is in latents, 0 for whole pictures only."""

    pictures_dir: str
    vae_dir: str
    recipe: str = "inpainting"
    widths: tuple[int, ...] = (32, 96, 160, 224)
    text_width: int = 128
    text_layers: int = 3
    text_length: int = 40
    vocabulary: int = 1000
    lessons: int = 400
    window: int = 32
    window_steps: int = 3500
    steps: int = 4500
    cooldown: int = 1500
    batch: int = 24
    rate: float = 5e-4
    text_rate: float = 1e-4
    weight_decay: float = 0.01
    blank_captions: float = 0.1
    outside: float = 0.15
    evaluate_every: int = 500
    sample_steps: int = 20


@dataclass(frozen=True)
class Latents:
    """``targets`` and ``blanked`` float16 (N, 4, h, w), scaled; ``masks`` uint8 (N, 1, h, w); ``lightness`` (N,).

    The lightness is the region's CIELAB L, nan where it is not known.
    """

    targets: Tensor
    blanked: Tensor
    masks: Tensor
    lightness: np.ndarray


class Trainer(AveragedTrainer[nn.ModuleDict]):
    """The text encoder and the UNet, each at its own learning rate."""

    def __init__(
        self,
        config: InpaintingRecipe,
        latents: Latents,
        pictures: CaptionedPictures,
        tokenizer: CLIPTokenizer,
        workers: Workers,
    ) -> None:
        from diffusers import DDPMScheduler

        text, unet = networks(config, tokenizer, latents.targets.shape[-1])
        both = nn.ModuleDict({"text": text, "unet": unet}).to(workers.device)
        groups = [(unet.parameters(), config.rate), (text.parameters(), config.text_rate)]
        super().__init__(config, both, workers, groups, betas=(0.9, 0.99))
        self.config, self.latents, self.words, self.tokenizer = config, latents, pictures.words, tokenizer
        self.scheduler = DDPMScheduler.from_config(schedule())  # type: ignore[no-untyped-call]

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its loss."""
        config, device = self.config, self.device
        rng = np.random.default_rng((config.seed, step))
        indices, (clean, blanked, masks) = batch(config, step, self.latents, rng)
        spoken = captions(config, indices, self.words, self.latents.lightness, rng)
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        # More of the steps where little but noise is left: colour and pattern are decided there.
        times = torch.from_numpy((1000 * rng.random(len(clean)) ** 0.75).astype(np.int64))
        noisy = self.scheduler.add_noise(clean, noise, times)
        velocity = self.scheduler.get_velocity(clean, noise, times)
        self.set_rates(warmup_cooldown(step, config.steps, config.cooldown))
        seen = torch.cat((noisy, masks, blanked), dim=1).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            states = self.network["text"](**tokens(self.tokenizer, spoken, device)).last_hidden_state
            made = self.network["unet"](seen, times.to(device), states).sample
        weight = (config.outside + (1 - config.outside) * masks).to(device)
        loss = (weight * (made.float() - velocity.to(device)).square()).sum() / (4 * weight.sum())
        self.descend(loss, 1.0)
        return {"loss": loss.detach()}


def train(
    config: InpaintingRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``; the run's ``package`` is the whole pipeline in diffusers' format."""
    from diffusers import AutoencoderTiny

    device = run.workers.device
    reports: dict[str, Any] = {"progress": progress, "should_stop": should_stop}
    torch.manual_seed(config.seed)
    pictures = CaptionedPictures.load(Path(config.pictures_dir))
    loaded: Network = AutoencoderTiny.from_pretrained(config.vae_dir)  # type: ignore[no-untyped-call]
    vae = loaded.to(device).eval().requires_grad_(False)
    latents = encode(vae, pictures, run.path / "latents.pt", device, **reports)
    tokenizer = _tokenizer(config, pictures.words, run.path / "tokenizer")
    trainer = Trainer(config, latents, pictures, tokenizer, run.workers)
    averaged: Any = trainer.ema.network

    def begin() -> None:
        teach_words(config, trainer.network["text"], tokenizer, pictures.words, device, **reports)
        averaged.load_state_dict(trainer.network.state_dict())

    def publish(step: int, losses: dict[str, float]) -> None:
        run.log(step, **losses)
        export(run.path / "package", vae, averaged["text"], averaged["unet"], tokenizer)
        run.samples(step, sample_sheet(run.path / "package", pictures, steps=config.sample_steps))

    train_averaged(trainer, run, config, publish, progress, should_stop, begin)


def _tokenizer(config: InpaintingRecipe, words: Sequence[Words], folder: Path) -> CLIPTokenizer:
    """The one that the run has, else one learnt from captions."""
    if is_tokenizer(folder):
        return read_tokenizer(folder)
    return make_tokenizer(corpus(words, 20_000, config.seed), folder, config.vocabulary, config.text_length)


def schedule() -> dict[str, Any]:
    """The noise schedule as a diffusers scheduler config."""
    return {
        "num_train_timesteps": 1000,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
        "steps_offset": 1,
    }


def networks(config: InpaintingRecipe, tokenizer: CLIPTokenizer, latent_size: int) -> tuple[Network, Network]:
    """The text encoder and the nine-channel UNet, freshly drawn."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    text: Network = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.text_width,
            intermediate_size=4 * config.text_width,
            num_hidden_layers=config.text_layers,
            num_attention_heads=config.text_width // 32,
            max_position_embeddings=config.text_length,
            projection_dim=config.text_width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    levels = len(config.widths) - 1
    unet: Network = UNet2DConditionModel(  # type: ignore[no-untyped-call]
        sample_size=latent_size,
        in_channels=9,
        out_channels=4,
        block_out_channels=config.widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * levels),
        up_block_types=(*("CrossAttnUpBlock2D",) * levels, "UpBlock2D"),
        cross_attention_dim=config.text_width,
        attention_head_dim=8,
        norm_num_groups=16,
    )
    return text, unet


@torch.no_grad()
def encode(
    vae: Network,
    pictures: CaptionedPictures,
    cache: Path,
    device: torch.device,
    *,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
    at_once: int = 32,
) -> Latents:
    """The latents of all pictures, kept in ``cache``; the mask is sampled as diffusers' pipelines do, nearest."""
    if cache.exists():
        return Latents(**torch.load(cache, weights_only=False))  # our own file, in our own run directory
    parts: dict[str, list[Tensor]] = {"targets": [], "blanked": [], "masks": []}
    lightness = []
    for start in range(0, len(pictures), at_once):
        check(should_stop)
        tell(progress, start / len(pictures), "Making latents")
        images = np.asarray(pictures.images[start : start + at_once])
        masks = pictures.masks[start : start + at_once]
        rgb, hidden = to_tensor(images), torch.from_numpy(masks).float()[:, None]
        for name, picture in (("targets", rgb), ("blanked", rgb * (hidden < 0.5))):
            found = vae.encode(picture.to(device)).latents * vae.config["scaling_factor"]
            parts[name].append(found.half().cpu())
        parts["masks"].append(F.interpolate(hidden, size=parts["targets"][-1].shape[-2:]).to(torch.uint8))
        lightness += [_lightness(image, mask) for image, mask in zip(images, masks, strict=True)]
    made = {name: torch.cat(tensors) for name, tensors in parts.items()}
    torch.save({**made, "lightness": np.array(lightness, np.float32)}, cache)
    return Latents(**made, lightness=np.array(lightness, np.float32))


def _lightness(image: np.ndarray, mask: np.ndarray) -> float:
    """Median CIELAB lightness of the region; nan where the mask is the whole picture and tells nothing."""
    return float("nan") if mask.all() else float(np.median(lab(image[mask].astype(np.float32))[:, 0]))


def batch(
    config: InpaintingRecipe, step: int, latents: Latents, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[Tensor, Tensor, Tensor]]:
    """Which pictures, and of each (clean latents, blanked latents, mask) as float32; flipped pictures were drawn so."""
    full = latents.targets.shape[-1]
    windowed = 0 < config.window < full and step < config.window_steps and step % 4 != 3
    size = config.window if windowed else full
    count = config.batch if windowed else max(1, config.batch // 2)
    indices = rng.integers(0, len(latents.targets), count)
    planes = (latents.targets, latents.blanked, latents.masks)
    cut = []
    for index in indices:
        y, x = rng.integers(0, full - size + 1, 2)
        cut.append([plane[index, :, y : y + size, x : x + size].float() for plane in planes])
    clean, blanked, masks = (torch.stack(parts) for parts in zip(*cut, strict=True))
    return indices, (clean, blanked, masks)


def captions(
    config: InpaintingRecipe,
    indices: np.ndarray,
    words: tuple[Words, ...],
    lightness: np.ndarray,
    rng: np.random.Generator,
) -> list[str]:
    spoken = []
    for index in indices:
        light = None if np.isnan(lightness[index]) else float(lightness[index])
        spoken.append("" if rng.random() < config.blank_captions else caption(words[index], rng, light))
    return spoken


def tokens(tokenizer: CLIPTokenizer, texts: list[str], device: torch.device) -> dict[str, Tensor]:
    """Token ids as diffusers' pipelines pass them: padded to the full length, no attention mask."""
    found = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    return {"input_ids": found["input_ids"].to(device)}


def teach_words(
    config: InpaintingRecipe,
    text: Network,
    tokenizer: CLIPTokenizer,
    words: tuple[Words, ...],
    device: torch.device,
    *,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> float:
    """``config.lessons`` steps in which the text encoder learns which colours, pattern and garment a caption names.

    Returns the last loss.
    """
    names = [*BASIC_COLOURS, *PATTERN_TYPES, "plain", *sorted({one.garment for one in words} | set(GARMENT_PHRASES))]
    place = {name: index for index, name in enumerate(names)}
    head = nn.Linear(config.text_width, len(names)).to(device)
    optimiser = torch.optim.AdamW([*text.parameters(), *head.parameters()], lr=1e-3, weight_decay=0.01)
    loss = torch.zeros(())
    for lesson in range(config.lessons):
        check(should_stop)
        rng = np.random.default_rng((config.seed, 1, lesson))
        chosen = [words[int(index)] for index in rng.integers(0, len(words), 96)]
        spoken = [caption(one, rng, float(rng.uniform(0, 100))) for one in chosen]
        wanted = torch.zeros(len(chosen), len(names))
        for row, (one, said) in enumerate(zip(chosen, spoken, strict=True)):
            for name in said_of(one, said):
                wanted[row, place[name]] = 1
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * warmup_cooldown(lesson, config.lessons, config.lessons // 2, warmup=50)
        found = head(text(**tokens(tokenizer, spoken, device)).pooler_output)
        loss = F.binary_cross_entropy_with_logits(found, wanted.to(device), pos_weight=torch.tensor(4.0))
        descend(optimiser, text, loss)
        if lesson % 25 == 0:
            tell(progress, lesson / config.lessons, f"Learning words, loss {loss.item():.3f}")
    return float(loss.detach())


def said_of(words: Words, said: str) -> list[str]:
    """Which of the facts the caption ``said`` really names; a shade ("navy") names its colour."""
    from .data.captions import SHADES

    padded = f" {said.replace(',', ' ')} "

    def spoken(phrases: tuple[str, ...]) -> bool:
        return any(f" {phrase} " in padded for phrase in phrases)

    named = []
    for colour in words.colours:
        shades = SHADES[colour][2] + SHADES[colour][3] if colour in SHADES else ()
        if spoken((colour, "gray") if colour == "grey" else (colour, *shades)) or spoken(shades):
            named.append(colour)
    if words.pattern and spoken(PATTERNS[words.pattern][0] + PATTERNS[words.pattern][1]):
        named.append(words.pattern)
    if spoken(GARMENT_PHRASES.get(words.garment, (words.garment,))):
        named.append(words.garment)
    return named


def export(path: Path, vae: Network, text: Network, unet: Network, tokenizer: CLIPTokenizer) -> Package:
    """The pipeline as a diffusers folder in half precision, which serves ``restyle`` and ``imagine``."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionInpaintPipeline

    shutil.rmtree(path, ignore_errors=True)
    pipeline: Network = StableDiffusionInpaintPipeline(  # type: ignore[no-untyped-call]
        vae=copy.deepcopy(vae),
        text_encoder=copy.deepcopy(text),
        tokenizer=tokenizer,
        unet=copy.deepcopy(unet),
        scheduler=EulerDiscreteScheduler.from_config(schedule()),  # type: ignore[no-untyped-call]
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(path)
    _tidy(path / "vae" / "config.json")
    return save_folder_manifest(
        path,
        name=path.parent.name,
        capability="restyle",
        architecture="diffusers",
        defaults=DEFAULTS,
        pipeline="StableDiffusionInpaintPipeline",
        also=["imagine"],
    )


def _tidy(config: Path) -> None:
    """Drop where it came from, and what ``AutoencoderTiny`` works out for itself and would warn about when loaded."""
    stored = json.loads(config.read_text(encoding="utf-8"))
    for key in ("block_out_channels", "_name_or_path"):
        stored.pop(key, None)
    config.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")


def sample_sheet(folder: Path, pictures: CaptionedPictures, each: int = 4, steps: int = 20) -> Image.Image:
    """A few pictures, what is blanked in them, and each repainted from :data:`SHEET_PROMPTS`."""
    from diffusers import StableDiffusionInpaintPipeline

    pipeline: Network = StableDiffusionInpaintPipeline.from_pretrained(  # type: ignore[no-untyped-call]
        folder, safety_checker=None, dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)
    picked = [index for index in range(len(pictures)) if index % 3 == 0 or pictures.masks[index].all()][:each]
    size = pictures.images.shape[1]
    rows = []
    for number, index in enumerate(picked):
        picture, mask = Image.fromarray(np.asarray(pictures.images[index])), pictures.masks[index]
        row = [np.asarray(picture), np.asarray(picture) * ~mask[..., None]]
        made = pipeline(
            list(SHEET_PROMPTS),
            image=picture,
            mask_image=Image.fromarray((mask * 255).astype(np.uint8)),
            height=size,
            width=size,
            num_inference_steps=steps,
            guidance_scale=4.0,
            generator=[torch.Generator().manual_seed(number * 10 + one) for one in range(len(SHEET_PROMPTS))],
        )
        rows.append(np.concatenate([*row, *(np.asarray(one) for one in made.images)], axis=1))
    return Image.fromarray(np.concatenate(rows))
