"""How a palette looks to eyes that tell fewer colours apart, and which of its inks run into each other.

Dichromacy is that of Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color
vision deficiency" (their matrices of severity 1.0), applied to linear light.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..colour import U8, contrast, decode, encode, luminance, srgb_of, to_linear, to_srgb, written

Matrix = tuple[tuple[float, float, float], ...]

SIGHTS: dict[str, Matrix] = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""No red cones, no green ones, no blue ones: linear sRGB to linear sRGB."""

NEAR = 0.06
"""OKLab distance below which two inks side by side can hardly be told apart on cloth."""


@dataclass(frozen=True)
class Clash:
    """Two inks (their places, from 0) that look alike; ``sight`` is empty where they do to everybody."""

    first: int
    second: int
    sight: str
    away: float


def seen(colour: str, sight: str) -> str:
    """``#rrggbb`` as eyes of that sight see it."""
    linear = np.array(SIGHTS[sight]) @ decode(srgb_of(colour))
    return written(encode(np.clip(linear, 0, 1)))


def seen_picture(rgb: U8, sight: str) -> U8:
    """A picture (H, W, 3) as eyes of that sight see it."""
    matrix = np.array(SIGHTS[sight], np.float32)
    return to_srgb(np.asarray(to_linear(rgb) @ matrix.T, np.float32))


def clashes(palette: Sequence[str]) -> list[Clash]:
    """Pairs of inks that look alike to everybody, then those that only some eyes take for one, by sight."""
    pairs = list(itertools.combinations(range(len(palette)), 2))
    plain = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in pairs}
    found = [Clash(*pair, "", away) for pair, away in plain.items() if away < NEAR]
    for sight in SIGHTS:
        looks = [seen(colour, sight) for colour in palette]
        for pair in pairs:
            away = contrast(looks[pair[0]], looks[pair[1]])
            if plain[pair] >= NEAR > away:
                found.append(Clash(*pair, sight, away))
    return found


def ratio(first: str, second: str) -> float:
    """Contrast of light (1..21) as WCAG 2 counts it."""
    linear = decode(np.array([srgb_of(first), srgb_of(second)])).astype(np.float32)
    dark, light = sorted(float(value) for value in luminance(linear))
    return (light + 0.05) / (dark + 0.05)
