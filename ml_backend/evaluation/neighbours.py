"""Does a generator copy?  Each fabric beside the swatch of the training set that is nearest to it.

Designs are compared as ink maps, so palettes play no part, under every shift (the tile wraps around) and the eight
flips and turns.  A distance says little alone: it is set against the distance to as many swatches that were never
trained on.  A generator that has learnt what a pattern type is lies as near to these; one that copies does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..inks import compose, palette_from_seed
from ..packaging import Package
from ..pipelines.generate import enlarge_softly
from ..requests import PATTERN_TYPES
from ..swatches.drawing.tile import draw_inks
from ..training.data.bank import HELD_OUT_SEED
from ..training.data.seen import SIDE
from .generators import drawn_designs, dreamed_designs, load_generator
from .patterns import U8

F32 = NDArray[np.float32]
Way = tuple[bool, bool, bool]

SWATCHES = 200
"""Drawn swatches of a type that recipes train on, and held-out ones to compare with."""
SHOWN = 128
"""Pixels of a design on the sheet."""
WAYS: tuple[Way, ...] = tuple((a, b, c) for a, b, c in product((False, True), repeat=3))
"""The symmetries of a square: rows reversed, columns reversed, then rows and columns exchanged."""


@dataclass(frozen=True)
class Match:
    """``distance`` is the root mean square over pixels of the ink difference, 0 to 1.42; ``index`` the design's
    number; turned ``way`` and then rolled by ``shift`` (rows, columns) it lies on the fabric best."""

    distance: float
    index: int
    way: Way
    shift: tuple[int, int]


@dataclass(frozen=True)
class Neighbour:
    """A dreamed ``fabric`` and its nearest training ``swatch``, turned and shifted onto it, in one palette; uint8 RGB.

    ``trained`` and ``held_out`` are the fabric's distances to the nearest swatch of either set, ``drawn_trained`` and
    ``drawn_held_out`` those of a fresh drawn swatch.
    """

    pattern_type: str
    seed: int
    swatch_seed: int
    fabric: U8
    swatch: U8
    trained: float
    held_out: float
    drawn_trained: float
    drawn_held_out: float


class Designs:
    """Ink maps (N, K, S, S), ready to be searched."""

    def __init__(self, designs: Sequence[F32]) -> None:
        stacked = np.stack(designs)
        self.squares = np.square(stacked).sum(axis=(1, 2, 3))
        self.spectra = fft.rfft2(stacked).astype(np.complex64)

    def nearest(self, design: F32) -> Match:
        """The design of the set that comes nearest to ``design`` (K, S, S) when it is turned and shifted."""
        side = design.shape[-1]
        best = Match(np.inf, -1, WAYS[0], (0, 0))
        for way in WAYS:
            # instead of turning all designs of the set, turn this one back
            wanted = np.conj(fft.rfft2(turned_back(design, way))).astype(np.complex64)
            across = fft.irfft2((self.spectra * wanted).sum(axis=1), s=(side, side))
            squared = self.squares + np.square(design).sum() - 2 * across.max(axis=(1, 2))
            index = int(squared.argmin())
            distance = float(np.sqrt(max(squared[index], 0.0)) / side)
            if distance < best.distance:
                row, column = np.unravel_index(int(across[index].argmax()), across.shape[1:])
                best = Match(distance, index, way, (-int(row), -int(column)))
        return best


def turned(design: F32, way: Way) -> F32:
    """(K, S, S) with rows reversed, columns reversed, both exchanged, as far as ``way`` says."""
    rows, columns, exchanged = way
    flipped = design[:, :: -1 if rows else 1, :: -1 if columns else 1]
    return flipped.transpose(0, 2, 1) if exchanged else flipped


def turned_back(design: F32, way: Way) -> F32:
    """The inverse of :func:`turned`."""
    rows, columns, exchanged = way
    flipped = design.transpose(0, 2, 1) if exchanged else design
    return flipped[:, :: -1 if rows else 1, :: -1 if columns else 1]


def laid(design: F32, match: Match) -> F32:
    """``design`` (K, T, T), at any size, as the match found it: shifted and turned onto the fabric."""
    scale = design.shape[-1] / SIDE
    shift = (round(match.shift[0] * scale), round(match.shift[1] * scale))
    return np.ascontiguousarray(turned(np.roll(design, shift, axis=(1, 2)), match.way))


def neighbours(package: Package, each: int = 4, swatches: int = SWATCHES) -> list[Neighbour]:
    """``each`` fabrics of every type that it learned, from the held-out seeds on, beside the nearest of the
    ``swatches`` training ones.

    Training swatches are the renderer's seeds 0 to ``swatches`` - 1, which is what our recipes draw.
    """
    generator = load_generator(package)
    inks = generator.config.inks
    seeds, unseen = range(HELD_OUT_SEED, HELD_OUT_SEED + each), HELD_OUT_SEED + swatches
    found = []
    for pattern_type in PATTERN_TYPES[: generator.config.classes]:
        trained = Designs(drawn_designs(pattern_type, range(swatches), inks))
        held_out = Designs(drawn_designs(pattern_type, range(HELD_OUT_SEED, unseen), inks))
        fresh = drawn_designs(pattern_type, range(unseen, unseen + each), inks)
        dreamed = dreamed_designs(generator, pattern_type, seeds)
        for seed, design, drawn in zip(seeds, dreamed, fresh, strict=True):
            match = trained.nearest(design)
            palette = palette_from_seed(pattern_type, seed, inks)
            swatch = laid(draw_inks(pattern_type, match.index, SHOWN, inks=inks), match)
            found.append(
                Neighbour(
                    pattern_type,
                    seed,
                    match.index,
                    compose(enlarge_softly(design, SHOWN // SIDE), palette),
                    compose(swatch, palette),
                    match.distance,
                    held_out.nearest(design).distance,
                    trained.nearest(drawn).distance,
                    held_out.nearest(drawn).distance,
                )
            )
    return found


def copying(found: Sequence[Neighbour]) -> dict[str, float]:
    """``nearest_trained`` and ``nearest_held_out``: mean distances; ``nearest_ratio``: the one over the other.

    A ratio of 1 means no nearer to what was trained on than to what was not; ``nearest_ratio_drawn`` is that of fresh
    drawn swatches, which cannot have copied: so far from 1 chance alone leads.
    """
    names = ("trained", "held_out", "drawn_trained", "drawn_held_out")
    mean = {name: float(np.mean([getattr(each, name) for each in found])) for name in names}
    return {
        "nearest_trained": mean["trained"],
        "nearest_held_out": mean["held_out"],
        "nearest_ratio": mean["trained"] / max(mean["held_out"], 1e-6),
        "nearest_ratio_drawn": mean["drawn_trained"] / max(mean["drawn_held_out"], 1e-6),
        "nearest_n": len(found),
    }
