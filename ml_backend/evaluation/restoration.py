"""How well an enlargement restores what a reduction took away, against bicubic and Lanczos on the same pictures.

The drawn pictures come from swatch seeds that are never trained on, the real ones from the held-out part of a folder of
close-ups.  Both are reduced by area, enlarged again and compared with what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from ..inks import compose, palette_from_seed
from ..packaging import Package
from ..packaging.starter import starter
from ..pipelines.base import Progress, tell
from ..pipelines.upscale import UpscalePipeline
from ..requests import PATTERN_TYPES
from ..training.data.bank import HELD_OUT_SEED
from ..training.data.folder import list_images, read_rgb
from ..training.data.swatches import draw_inks
from .patterns import load_classifier

U8 = NDArray[np.uint8]
Features = Callable[[Tensor], list[Tensor]]


def psnr(made: U8, truth: U8) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; higher is closer."""
    return float(peak_signal_noise_ratio(_tensor(made), _tensor(truth), data_range=1.0))


def ssim(made: U8, truth: U8) -> float:
    """Structural similarity (Wang et al. 2004), 1 is the same picture."""
    similarity = structural_similarity_index_measure(_tensor(made), _tensor(truth), data_range=1.0)
    return float(similarity if isinstance(similarity, Tensor) else similarity[0])


@torch.inference_mode()
def feature_distance(features: Features, made: U8, truth: U8) -> float:
    """Mean squared distance of features, each layer relative to the truth's own mean square; lower looks closer."""
    pairs = zip(features(_tensor(made)), features(_tensor(truth)), strict=True)
    return float(torch.stack([(a - b).square().mean() / b.square().mean().clamp(min=1e-6) for a, b in pairs]).mean())


def restoration(
    package: Package, *, count: int = 40, size: int = 512, real_dir: str = "", progress: Progress | None = None
) -> dict[str, float]:
    """Mean figures of the network (``srgan``), ``bicubic`` and ``lanczos`` on ``drawn`` and, if given, ``real`` ones.

    Keys are ``drawn_srgan_psnr`` and so on, with ``psnr``, ``ssim`` and ``features`` (the starter classifier's).
    ``drawn_inks_psnr`` and its likes enlarge the ink maps instead and paint them after, as generated fabrics are.
    """
    pipeline = UpscalePipeline(package)
    features = load_classifier(starter("classifier-starter")).features
    collected: dict[str, list[float]] = {}
    total = count + (len(list_images(real_dir, "held-out")) if real_dir else 0)

    def note(source: str, method: str, made: U8, truth: U8) -> None:
        figures = {
            "psnr": psnr(made, truth),
            "ssim": ssim(made, truth),
            "features": feature_distance(features, made, truth),
        }
        for name, value in figures.items():
            collected.setdefault(f"{source}_{method}_{name}", []).append(value)

    for done, (source, truth, inks_made) in enumerate(_pictures(pipeline, count, size, real_dir), start=1):
        for method, made in _enlargements(pipeline, truth, tile=source == "drawn"):
            note(source, method, made, truth)
        if inks_made is not None:
            note(source, "inks", inks_made, truth)
        tell(progress, done / total, f"{source} {done}")
    return {name: round(float(np.mean(values)), 4) for name, values in collected.items()}


def _pictures(pipeline: UpscalePipeline, count: int, size: int, real_dir: str) -> Iterator[tuple[str, U8, U8 | None]]:
    """(source, truth, truth's ink maps reduced, enlarged and painted); sides are multiples of 16."""
    for index in range(count):
        pattern_type, seed = PATTERN_TYPES[index % len(PATTERN_TYPES)], HELD_OUT_SEED + index
        inks = draw_inks(pattern_type, seed, size)
        palette = palette_from_seed(pattern_type, seed, len(inks))
        small = inks.reshape(len(inks), size // pipeline.scale, pipeline.scale, -1, pipeline.scale).mean(axis=(2, 4))
        yield "drawn", compose(inks, palette), compose(pipeline.inks(small), palette)
    for image in list_images(real_dir, "held-out") if real_dir else []:
        picture = read_rgb(image.path)
        height, width = (side // 16 * 16 for side in picture.shape[:2])
        yield "real", picture[:height, :width], None


def _enlargements(pipeline: UpscalePipeline, truth: U8, *, tile: bool) -> Iterator[tuple[str, U8]]:
    whole = Image.fromarray(truth)
    small = whole.resize((whole.width // pipeline.scale, whole.height // pipeline.scale), Image.Resampling.BOX)
    yield "srgan", np.asarray(pipeline(small, tile=tile))
    yield "bicubic", np.asarray(small.resize(whole.size, Image.Resampling.BICUBIC))
    yield "lanczos", np.asarray(small.resize(whole.size, Image.Resampling.LANCZOS))


def _tensor(picture: U8) -> Tensor:
    return torch.from_numpy(np.array(picture, np.float32).transpose(2, 0, 1) / 255)[None]
