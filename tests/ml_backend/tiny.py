"""Tiny seeded models in the real on-disk formats, made on the spot: they paint nonsense, by the real code.

Each function writes a folder package (a diffusers or transformers folder and our manifest) and returns it.
"""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    UNet2DConditionModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    ViTImageProcessor,
)

from ml_backend.packaging import Package, save_folder_manifest
from ml_backend.training.tokenizer import make_tokenizer

KINDS = ("sd1", "sd2", "sdxl")
WIDTH = 16
"""Width of the text embeddings."""
WORDS = (
    "a an the of with and not dress skirt pants shirt jacket coat shoes hair red blue green yellow black white floral "
    "striped plaid dotted casual summer bright colors image sweater men women long short photo"
)


def tiny_inpaint(path: Path, kind: str = "sd1", *, channels: int = 9, seed: int = 0, **manifest: Any) -> Package:
    """An inpainting folder: ``sd1`` (epsilon), ``sd2`` (v-prediction, no noise-free end) or ``sdxl``.

    ``channels`` 4 makes an ordinary text-to-image UNet of it, which inpainting pipelines also accept; ``manifest``
    goes to :func:`save_folder_manifest`.
    """
    torch.manual_seed(seed)
    if kind == "sdxl":
        pipeline = _sdxl(channels)
    else:
        pipeline = StableDiffusionInpaintPipeline(
            **_components(kind, channels),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(path, safe_serialization=True)
    manifest = {"name": f"tiny-{kind}", "capability": "restyle", "also": ["imagine"], **manifest}
    return save_folder_manifest(path, architecture="diffusers", pipeline=type(pipeline).__name__, **manifest)


def tiny_text_to_image(path: Path, kind: str = "sd1", *, seed: int = 0, **manifest: Any) -> Package:
    """A text-to-image folder with a four-channel UNet."""
    torch.manual_seed(seed)
    pipeline = StableDiffusionPipeline(
        **_components(kind, 4), safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    pipeline.save_pretrained(path, safe_serialization=True)
    manifest = {"name": "tiny-imagine", "capability": "imagine", **manifest}
    return save_folder_manifest(path, architecture="diffusers", pipeline=type(pipeline).__name__, **manifest)


def tiny_clipseg(path: Path, *, seed: int = 0) -> Package:
    """A CLIPSeg folder that looks at 32 x 32 pixels in patches of 8."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 77,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    config = CLIPSegConfig(
        text_config=text,
        vision_config=vision,
        projection_dim=WIDTH,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    CLIPSegForImageSegmentation(config).save_pretrained(path)
    looking = ViTImageProcessor(
        size={"height": 32, "width": 32}, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]
    )
    CLIPSegProcessor(looking, tokenizer).save_pretrained(path)
    return save_folder_manifest(path, name="tiny-clipseg", capability="text-mask", architecture="clipseg")


def tiny_lora(path: Path, *, seed: int = 1, kind: str = "sd1", strength: float = 1.0) -> Path:
    """A LoRA for the attention of :func:`tiny_inpaint`'s UNet: one safetensors file at ``path``; returns it."""
    torch.manual_seed(seed)
    unet = _unet(kind, 9)
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"]))
    weights = get_peft_model_state_dict(unet)
    weights = {key: strength * torch.randn_like(value) for key, value in weights.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    pipeline = StableDiffusionXLInpaintPipeline if kind == "sdxl" else StableDiffusionInpaintPipeline
    pipeline.save_lora_weights(path.parent, unet_lora_layers=weights, weight_name=path.name, safe_serialization=True)
    return path


@cache
def tiny_tokenizer() -> CLIPTokenizer:
    """A byte-pair tokenizer over a few garment words; long texts are cut at 77 tokens as CLIP's are."""
    with tempfile.TemporaryDirectory() as folder:
        return make_tokenizer([WORDS] * 4, folder, vocab_size=700, max_length=77)


def _components(kind: str, channels: int) -> dict[str, Any]:
    return {
        "vae": _vae(),
        "text_encoder": CLIPTextModel(_text_config()).eval(),
        "tokenizer": tiny_tokenizer(),
        "unet": _unet(kind, channels),
        "scheduler": _scheduler(kind),
    }


def _sdxl(channels: int) -> StableDiffusionXLInpaintPipeline:
    parts = _components("sdxl", channels)
    return StableDiffusionXLInpaintPipeline(
        **parts,
        text_encoder_2=CLIPTextModelWithProjection(_text_config()).eval(),
        tokenizer_2=tiny_tokenizer(),
        requires_aesthetics_score=False,
        force_zeros_for_empty_prompt=True,
    )


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=64,
        scaling_factor=0.5,
    ).eval()


def _unet(kind: str, channels: int) -> UNet2DConditionModel:
    extra: dict[str, Any] = {}
    if kind == "sdxl":
        # pooled text and six numbers (original size, crop, target size)
        extra = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 4,
            "projection_class_embeddings_input_dim": WIDTH + 6 * 4,
            "use_linear_projection": True,
        }
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=channels,
        out_channels=4,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=2 * WIDTH if kind == "sdxl" else WIDTH,
        attention_head_dim=4,
        layers_per_block=1,
        norm_num_groups=4,
        **extra,
    ).eval()


def _text_config() -> CLIPTextConfig:
    tokenizer = tiny_tokenizer()
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _scheduler(kind: str) -> Any:
    noise = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    if kind == "sd2":
        return EulerDiscreteScheduler(
            **noise,
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            timestep_spacing="trailing",
        )
    if kind == "sdxl":
        return EulerDiscreteScheduler(**noise, timestep_spacing="leading")
    return PNDMScheduler(**noise, skip_prk_steps=True)


def tiny_clip(path: Path) -> Path:
    """A CLIP folder, as transformers writes it, over the words that the fabric engine knows."""
    from transformers import CLIPConfig, CLIPModel

    from ml_backend.training.tokenizer import make_tokenizer
    from ml_backend.words.similarity import known_words

    tokenizer = make_tokenizer(["a photo of a garment", " ".join(known_words())], path)
    torch.manual_seed(0)
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": tokenizer.model_max_length,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
    }
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(path)
    return path
