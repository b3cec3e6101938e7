"""How well an enlargement restores what a reduction took away, against bicubic and Lanczos on the same pictures.

The drawn pictures come from swatch seeds that are never trained on, the real ones from the held-out part of a folder of
close-ups.  Both are reduced by area, enlarged again and compared with what they were.

A generator's own fabrics have no truth to compare with, so two other things are asked of them: reduced again, are they
what the generator painted (``kept``)?  And do windows of them look like those of drawn fabrics of that size (``kid``)?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from ..inks import compose, palette_from_seed
from ..packaging import Package
from ..packaging.starter import starter
from ..pipelines.base import Progress, tell
from ..pipelines.generate import GeneratePipeline, choose_palette, dream_inks
from ..pipelines.upscale import UpscalePipeline
from ..requests import PATTERN_TYPES, GenerateRequest
from ..swatches.drawing.tile import draw_inks
from ..training.data.bank import HELD_OUT_SEED
from ..training.data.folder import list_images, read_rgb
from ..training.data.seen import SIDE
from .distance import Features, encoder_features, feature_distance, tensor
from .patterns import embed, kid, load_classifier

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}

MAX_PSNR = 60.0
"""PSNR in dB of pictures that are the same to the last bit or so."""


def psnr(made: U8, truth: U8) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; higher is closer."""
    return float(peak_signal_noise_ratio(tensor(made), tensor(truth), data_range=1.0))


def ssim(made: U8, truth: U8) -> float:
    """Structural similarity (Wang et al. 2004), 1 is the same picture."""
    similarity = structural_similarity_index_measure(tensor(made), tensor(truth), data_range=1.0)
    return float(similarity if isinstance(similarity, Tensor) else similarity[0])


def starter_features() -> dict[str, Features]:
    """``features`` of the pattern classifier, which a content loss may have trained on, and of the segmentation
    U-Net's ``encoder``, which no enlargement was ever trained on."""
    return {
        "features": load_classifier(starter("classifier-starter")).features,
        "encoder": encoder_features(starter("unet-starter")),
    }


def restoration(
    package: Package,
    *,
    count: int = 40,
    size: int = 512,
    real_dir: str = "",
    distances: dict[str, Features] | None = None,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Mean figures of the network (``srgan``), ``bicubic`` and ``lanczos`` on ``drawn`` and, if given, ``real`` ones.

    Keys are ``drawn_srgan_psnr`` and so on, with ``psnr``, ``ssim`` and the distances by name (None: those of
    :func:`starter_features`).  ``drawn_inks_psnr`` and its likes enlarge the ink maps instead and paint them after, as
    generated fabrics are.
    """
    pipeline = UpscalePipeline(package)
    distances = starter_features() if distances is None else distances
    collected: dict[str, list[float]] = {}
    total = count + (len(list_images(real_dir, "held-out")) if real_dir else 0)

    def note(source: str, method: str, made: U8, truth: U8) -> None:
        figures = {"psnr": psnr(made, truth), "ssim": ssim(made, truth)}
        figures |= {name: feature_distance(features, made, truth) for name, features in distances.items()}
        for name, value in figures.items():
            collected.setdefault(f"{source}_{method}_{name}", []).append(value)

    for done, (source, truth, inks_made) in enumerate(_pictures(pipeline, count, size, real_dir), start=1):
        for method, made in _enlargements(pipeline, truth, tile=source == "drawn"):
            note(source, method, made, truth)
        if inks_made is not None:
            note(source, "inks", inks_made, truth)
        tell(progress, done / total, f"{source} {done}")
    return {name: round(float(np.mean(values)), 4) for name, values in collected.items()}


@dataclass(frozen=True)
class _Dreamed:
    """``small`` (h,w,3) as the generator painted it, and its enlargements (H,W,3) by method."""

    small: U8
    enlarged: dict[str, U8]


def dreamed(
    package: Package, generator: Package, *, count: int = 20, progress: Progress | None = None
) -> dict[str, float]:
    """Figures of a generator's own fabrics, ``count`` of them, enlarged as ink maps and by bicubic and Lanczos.

    Keys are ``dreamed_inks_kept`` and so on: ``kept`` is the PSNR of the reduced enlargements against what was painted,
    over all pixels of all fabrics (at most :data:`MAX_PSNR`), ``kid`` the distance of its windows to those of as many
    held-out drawn fabrics of the same size.
    """
    pipeline, dreamer = UpscalePipeline(package), GeneratePipeline(generator)
    classifier = load_classifier(starter("classifier-starter"))
    lost: dict[str, list[float]] = {}
    windows: dict[str, list[U8]] = {}
    drawn: list[U8] = []
    for index in range(count):
        pattern_type, seed = dreamer.dreamable[index % len(dreamer.dreamable)], HELD_OUT_SEED + index
        fabric = _dream(pipeline, dreamer, GenerateRequest(pattern_type, seed))
        for method, picture in fabric.enlarged.items():
            difference = _reduced(picture, pipeline.scale).astype(np.float64) - fabric.small
            lost.setdefault(f"dreamed_{method}_kept", []).append(float(np.square(difference / 255).mean()))
            windows.setdefault(f"dreamed_{method}_kid", []).extend(_windows(picture))
        side = fabric.small.shape[0] * pipeline.scale
        inks = draw_inks(pattern_type, seed, side)
        drawn += _windows(compose(inks, palette_from_seed(pattern_type, seed, len(inks))))
        tell(progress, (index + 1) / count, f"dreamed {index + 1}")
    truth = embed(classifier, drawn)
    figures = {name: round(_decibels(float(np.mean(values))), 4) for name, values in lost.items()}
    return figures | {name: round(kid(truth, embed(classifier, made)), 4) for name, made in windows.items()}


def _decibels(mean_square: float) -> float:
    return min(MAX_PSNR, float(-10 * np.log10(max(mean_square, 1e-12))))


def _dream(pipeline: UpscalePipeline, dreamer: GeneratePipeline, request: GenerateRequest) -> _Dreamed:
    assert dreamer.generator is not None, "a pipeline with a package has a generator"
    inks = dream_inks(dreamer.generator, request)
    palette = choose_palette(request, len(inks))
    small = compose(inks, palette)
    enlarged = {"inks": compose(pipeline.inks(inks), palette)}
    enlarged |= {name: _wrapped(small, pipeline.scale, method) for name, method in FILTERS.items()}
    return _Dreamed(small, enlarged)


def _wrapped(tile: U8, scale: int, method: Image.Resampling) -> U8:
    """Enlarged among its repeats, so that a filter's border is none."""
    margin = 4
    height, width = tile.shape[:2]
    among = Image.fromarray(np.pad(tile, ((margin, margin), (margin, margin), (0, 0)), mode="wrap"))
    large = np.asarray(among.resize((among.width * scale, among.height * scale), method))
    cut = margin * scale
    return large[cut : cut + height * scale, cut : cut + width * scale]


def _reduced(picture: U8, scale: int) -> U8:
    whole = Image.fromarray(picture)
    return np.asarray(whole.resize((whole.width // scale, whole.height // scale), Image.Resampling.BOX))


def _windows(picture: U8) -> list[U8]:
    """Squares of the classifier's size, side by side."""
    rows, columns = (range(0, side - SIDE + 1, SIDE) for side in picture.shape[:2])
    return [picture[top : top + SIDE, left : left + SIDE] for top in rows for left in columns]


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
    small = Image.fromarray(_reduced(truth, pipeline.scale))
    yield "srgan", np.asarray(pipeline(small, tile=tile))
    for name, method in FILTERS.items():
        yield name, np.asarray(small.resize((truth.shape[1], truth.shape[0]), method))
