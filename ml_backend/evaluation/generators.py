"""How good a fabric generator is, type by type: near to real designs, told apart, varied, without a seam.

Whatever the architecture, the pipeline's :class:`FabricGenerator` is asked for ink maps, and these are judged at 64
pixels on the features of our classifier (see :mod:`.patterns`) against drawn swatches that nobody was trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import BadInput
from ..inks import compose, palette_from_seed
from ..networks.classifier import PatternClassifier
from ..networks.generator import FabricGenerator
from ..packaging import Package
from ..pipelines.generate import GeneratePipeline, choose_palette, dream_inks, resize
from ..pipelines.upscale import UpscalePipeline
from ..requests import PATTERN_TYPES, GenerateRequest
from ..swatches.drawing.tile import draw_inks
from ..training.data.bank import HELD_OUT_SEED
from ..training.data.seen import SIDE
from .patterns import U8, deviation, embed, fid, kid, load_classifier, predict, quick_fid
from .seam import seam_ratio

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

FINISHED = 8
"""Seeds of each type that are also made at full size: for the seam ratio and the contact sheet."""
FINISHED_SIZE = 512


def load_generator(package: Package) -> FabricGenerator:
    """Raises :class:`BadPackage` when the package is no fabric generator."""
    generator = GeneratePipeline(package).generator
    assert generator is not None, "a pipeline with a package has a generator"
    return generator


def dreamed_designs(generator: FabricGenerator, pattern_type: str, seeds: Iterable[int]) -> list[F32]:
    """Ink maps (K, 64, 64) of the seeds' fabrics, reduced by area.  Raises :class:`BadInput` for smaller networks."""
    if generator.config.size < SIDE:
        raise BadInput(f"Patterns are judged at {SIDE} pixels, but this model paints {generator.config.size}.")
    return [resize(dream_inks(generator, GenerateRequest(pattern_type, seed)), SIDE) for seed in seeds]


def drawn_designs(pattern_type: str, seeds: Iterable[int], inks: int) -> list[F32]:
    """Ink maps (inks, 64, 64) of the renderer."""
    return [draw_inks(pattern_type, seed, SIDE, inks=inks) for seed in seeds]


def coloured(designs: Iterable[F32], pattern_type: str, seeds: Iterable[int]) -> list[U8]:
    """The designs in the palettes that their seeds choose."""
    pairs = zip(designs, seeds, strict=True)
    return [compose(inks, choose_palette(GenerateRequest(pattern_type, seed), len(inks))) for inks, seed in pairs]


def finished_fabrics(package: Package, upscale: Package | None = None) -> dict[str, list[Image.Image]]:
    """By pattern type the first held-out seeds' fabrics as a person gets them: enlarged, cut, coloured."""
    pipeline = GeneratePipeline(package, UpscalePipeline(upscale) if upscale else None)
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + FINISHED)
    return {
        pattern_type: [pipeline(GenerateRequest(pattern_type, seed, FINISHED_SIZE)).image for seed in seeds]
        for pattern_type in pipeline.dreamable
    }


def seam_figures(fabrics: dict[str, list[Image.Image]]) -> dict[str, float | str]:
    """``seam_worst`` ratio over all finished fabrics, the type that has it, and the mean."""
    worst = {name: max(seam_ratio(image) for image in images) for name, images in fabrics.items()}
    everything = [seam_ratio(image) for images in fabrics.values() for image in images]
    return {
        "seam_worst": max(everything),
        "seam_worst_type": max(worst, key=lambda name: worst[name]),
        "seam_mean": float(np.mean(everything)),
        "seam_n": len(everything),
    }


def border_ratio(designs: Sequence[F32]) -> float:
    """Mean jump across the border where the network wraps around, over the mean jump anywhere else.

    A finished fabric is cut where it is calm; this looks at the cut that the network itself has.  Over many designs
    it is about 1, less where designs are centred, more only where the network leaves a seam.  Designs are (K, S, S).
    """
    stacked = np.stack(designs)
    border = inside = 0.0
    for axis in (2, 3):
        jumps = np.abs(stacked - np.roll(stacked, 1, axis)).mean(axis=(0, 1, 5 - axis))
        border, inside = border + float(jumps[0]), inside + float(jumps[1:].mean())
    return border / max(inside, 1e-6)


def spread(features: F64) -> float:
    """Mean Euclidean distance over all pairs of (N, d) features, N at least 2."""
    if len(features) < 2:
        raise BadInput("At least two fabrics of a type are needed to see how they differ.")
    squares = np.square(features).sum(axis=1)
    distances = np.sqrt((squares[:, None] + squares - 2 * features @ features.T).clip(0))
    return float(distances.sum() / (len(features) * (len(features) - 1)))


def diversity(judge: PatternClassifier, dreamed: Sequence[F32], drawn: Sequence[F32], palette: Sequence[str]) -> float:
    """Spread of the dreamed designs over that of the drawn ones, all in one palette, so that only design counts.

    1: as varied as real swatches; near 0: collapsed to one design.
    """
    real, fake = (embed(judge, [compose(inks, palette) for inks in designs]) for designs in (drawn, dreamed))
    return spread(fake) / max(spread(real), 1e-9)


def generator_quality(generator: Package, classifier: Package, count: int = 50) -> dict[str, float]:
    """Dreamed against held-out drawn fabrics, ``count`` a pattern type that both networks have learned.

    ``kid`` and ``fid`` over all types, with their deviation; ``recognised``, the share that the classifier takes for
    the type asked for, with that of the drawn ones beside it (``recognised_drawn``); ``diversity``, the mean over the
    types; ``border``.  Then ``kid_TYPE``, ``fid_TYPE``, ``recognised_TYPE``, ``diversity_TYPE`` of each type.  FID over
    ``count`` images of one type is biased upwards; compare it only between models measured with the same ``count``.
    """
    network, judge = load_generator(generator), load_classifier(classifier)
    types = PATTERN_TYPES[: min(network.config.classes, judge.config.classes)]
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + count)
    real, fake, dreams = [], [], []
    details: dict[str, dict[str, float]] = {
        name: {} for name in ("kid", "fid", "recognised", "recognised_drawn", "diversity")
    }
    for label, pattern_type in enumerate(types):
        dreamed = dreamed_designs(network, pattern_type, seeds)
        drawn = drawn_designs(pattern_type, seeds, network.config.inks)
        pictures, swatches = coloured(dreamed, pattern_type, seeds), coloured(drawn, pattern_type, seeds)
        real.append(embed(judge, swatches))
        fake.append(embed(judge, pictures))
        dreams += dreamed
        details["kid"][pattern_type] = kid(real[-1], fake[-1])
        details["fid"][pattern_type] = fid(real[-1], fake[-1])
        details["recognised"][pattern_type] = float((predict(judge, pictures) == label).mean())
        details["recognised_drawn"][pattern_type] = float((predict(judge, swatches) == label).mean())
        common = palette_from_seed(pattern_type, HELD_OUT_SEED, network.config.inks)
        details["diversity"][pattern_type] = diversity(judge, dreamed, drawn, common)
    everything = np.concatenate(real), np.concatenate(fake)
    figures = {"kid": kid(*everything), "fid": fid(*everything)}
    spreads = {"kid_deviation": deviation(kid, *everything), "fid_deviation": deviation(quick_fid, *everything)}
    figures |= {name: spread for name, spread in spreads.items() if spread is not None}
    figures |= {name: _mean(details[name]) for name in ("recognised", "recognised_drawn", "diversity")}
    by_type = {
        f"{name}_{pattern_type}": details[name][pattern_type]
        for pattern_type in types
        for name in ("kid", "fid", "recognised", "diversity")
    }
    return {**figures, "border": border_ratio(dreams), **by_type, "n": count * len(types)}


def _mean(values: dict[str, float]) -> float:
    return float(np.mean(list(values.values())))
