"""How well a photographed cloth becomes a tile again: drawn tiles repeated, bent, lit, blurred and compressed.

The corners are given, as a person gives them, each wrong by up to half a per cent.  Of every design the found repeat,
the seam of the tile and its inks are compared with what was drawn.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from ..colour import decode, encode, lab, lab_of, srgb_of
from ..inks import compose, palette_from_seed
from ..pipelines.cloth import Looked, cut_cloth, look
from ..pipelines.cloth.repeat import Repeat
from ..pipelines.cloth.warp import homography
from ..requests import SUBTYPE_NAMES, ClothRequest
from ..swatches import SUBTYPES
from ..swatches.drawing.tile import draw_inks
from ..training.data.bank import HELD_OUT_SEED
from .seam import seam_ratio

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

SIDE = 900
"""Pixels of the longer side of a made photo."""
ALIKE = 0.93
"""How alike a design is to itself after a shift that counts as one of its repeats."""
NEAR = 0.03
"""Error of a step, as a share of it, up to which a repeat counts as found."""


@dataclass(frozen=True)
class Photographed:
    """``photo`` of ``tile`` repeated ``times`` a side; ``corners`` as a person would give them."""

    photo: Image.Image
    corners: tuple[float, ...]
    tile: U8
    palette: tuple[str, ...]
    times: float


def photographed(name: str, seed: int) -> Photographed:
    """One drawn design as if photographed; the same every time."""
    rng = np.random.default_rng((7, SUBTYPE_NAMES.index(name), seed))
    kind = SUBTYPES[name][0]
    palette = palette_from_seed(kind, seed, 5, name)
    inks = draw_inks(kind, seed, 256, subtype=name)
    tile = compose(inks, palette)
    times = float(rng.uniform(2.2, 4.2))
    shift = rng.integers(0, 256, 2)
    cells = math.ceil(times) + 1
    cloth = np.tile(np.roll(tile, tuple(shift), axis=(0, 1)), (cells, cells, 1))[
        : round(256 * times), : round(256 * times)
    ]
    return _shot(cloth, tile, palette, times, rng)


def _shot(cloth: U8, tile: U8, palette: tuple[str, ...], times: float, rng: np.random.Generator) -> Photographed:
    side = len(cloth)
    square = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float64)
    lean = rng.uniform(0.02, 0.13, (4, 2)) * ((1, 1), (-1, 1), (-1, -1), (1, -1))
    seen = (np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) + lean) * SIDE
    back = homography(seen, square)
    flat = Image.fromarray(cloth).transform(
        (SIDE, SIDE),
        Image.Transform.PERSPECTIVE,
        tuple((back / back[2, 2]).ravel()[:8]),
        Image.Resampling.BICUBIC,
        fillcolor=(128, 128, 128),
    )
    linear = decode(np.asarray(flat, np.float32) / 255)
    lit = encode(np.clip(linear * _light(rng)[..., None], 0, 1)) * 255
    soft = gaussian_filter(lit, (*[float(rng.uniform(0.4, 1.3))] * 2, 0)) + rng.normal(0, 2.0, lit.shape)
    coded = io.BytesIO()
    Image.fromarray(np.clip(soft, 0, 255).astype(np.uint8)).save(coded, "JPEG", quality=int(rng.integers(70, 92)))
    given = np.clip(seen / SIDE + rng.uniform(-0.005, 0.005, (4, 2)), 0, 1)
    photo = Image.open(io.BytesIO(coded.getvalue()))
    return Photographed(photo, tuple(float(v) for v in given.ravel()), tile, palette, times)


def _light(rng: np.random.Generator) -> F32:
    """A lamp to one side and a soft shadow."""
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    turn, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0.15, 0.45)
    lamp = strength * (x * math.cos(turn) + y * math.sin(turn))
    cx, cy, wide = *rng.uniform(-0.7, 0.7, 2), rng.uniform(0.5, 0.9)
    shade = rng.uniform(0.1, 0.35) * np.exp(-(((x - cx) / wide) ** 2 + ((y - cy) / wide) ** 2))
    return np.asarray(np.exp(lamp - shade - strength), np.float32)


def error_of(looked: Looked, shot: Photographed) -> float:
    """:func:`step_error` of what was found in a photo; 1 where nothing was."""
    if looked.repeat.kind == "none":
        return 1.0
    height, width = looked.flat.shape[:2]
    return step_error(looked.repeat, shot.tile, (width / shot.times, height / shot.times))


def step_error(repeat: Repeat, tile: U8, px_per_tile: tuple[float, float]) -> float:
    """How far the found steps are from shifts after which the drawn design is itself, as a share of their length."""
    grey = tile.astype(np.float64) - tile.mean(axis=(0, 1))
    spectra = np.fft.rfft2(grey.transpose(2, 0, 1))
    alike = np.fft.irfft2((np.abs(spectra) ** 2).sum(axis=0), tile.shape[:2])
    alike = alike / alike[0, 0]
    side = len(tile)
    rows, columns = np.nonzero(alike >= ALIKE)
    steps = (repeat.across, repeat.down) if repeat.kind == "repeat" else (repeat.across, repeat.down)[:1]
    if repeat.kind == "stripes":
        steps = (max((repeat.across, repeat.down), key=lambda s: _change(alike, s, px_per_tile)),)
    worst = 0.0
    for step in steps:
        x, y = (value / px * side for value, px in zip(step, px_per_tile, strict=True))
        dx, dy = (x - columns + side / 2) % side - side / 2, (y - rows + side / 2) % side - side / 2
        worst = max(worst, float(np.hypot(dx, dy).min()) / max(1e-6, math.hypot(x, y)))
    return worst


def _change(alike: F64, step: tuple[float, float], px_per_tile: tuple[float, float]) -> float:
    """How much a design changes on the way of a step."""
    side = len(alike)
    x, y = (value / px * side for value, px in zip(step, px_per_tile, strict=True))
    return 1 - min(float(alike[round(y * t) % side, round(x * t) % side]) for t in np.linspace(0, 1, 24))


def figures(names: Sequence[str] = SUBTYPE_NAMES, count: int = 1) -> dict[str, float]:
    """Over ``count`` photos of each design: ``found`` (share of repeats within :data:`NEAR`), median ``step_error``,
    the mean and greatest seam ratio, and ``ink_de``, see :func:`ink_distance`.
    """
    errors, seams, distances = [], [], []
    for name in names:
        for seed in range(HELD_OUT_SEED, HELD_OUT_SEED + count):
            shot = photographed(name, seed)
            request = ClothRequest(corners=shot.corners, size=256, inks=5)
            looked = look(shot.photo, request)
            errors.append(error_of(looked, shot))
            cut = cut_cloth(shot.photo, request)
            seams.append(seam_ratio(cut.image))
            distances.append(ink_distance(shot, cut.palette))
    return {
        "found": float(np.mean(np.array(errors) <= NEAR)),
        "step_error": float(np.median(errors)),
        "seam": float(np.mean(seams)),
        "worst_seam": float(np.max(seams)),
        "ink_de": float(np.mean(distances)),
        "n": len(errors),
    }


def ink_distance(shot: Photographed, palette: Sequence[str]) -> float:
    """Mean CIELAB distance of the colours that cover at least a twentieth of the tile to the inks found.

    How bright the whole is, is left aside: a photo does not say how strong its lamp was.
    """
    drawn = np.array([lab_of(colour) for colour in shot.palette])
    values = np.array([srgb_of(colour) for colour in shot.palette]) * 255
    nearest = np.abs(shot.tile.reshape(-1, 1, 3) - values[None]).sum(axis=2).argmin(axis=1)
    covered = np.bincount(nearest, minlength=len(values)) >= 0.05 * len(nearest)
    linear = decode(np.array([srgb_of(colour) for colour in palette]))
    distances = []
    for gain in np.exp(np.linspace(-0.3, 1.2, 61)):
        found = lab((encode(np.clip(linear * gain, 0, 1)) * 255).astype(np.float32))
        distances.append(np.linalg.norm(drawn[covered][:, None] - found[None], axis=2).min(axis=1).mean())
    return float(min(distances))
