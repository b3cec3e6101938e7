"""Zigzags: chevron, herringbone, ikat, flame stitch, rickrack, wave and nested diamonds."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from .drawing.cloth import Bands, Cloth, Floats, Labels
from .drawing.noise import smooth
from .drawing.pattern_type import PatternType, Subtype


def draw(cloth: Cloth, rng: np.random.Generator) -> None:
    families = (_chevron, _chevron, _herringbone, _ikat, _flame, _rickrack, _missoni, _diamonds)
    families[rng.integers(len(families))](cloth, rng)


def triangle(t: Floats) -> Floats:
    """A triangle wave of period 1 between -1 and 1."""
    wave: Floats = 4 * np.abs(t - np.floor(t) - 0.5) - 1
    return wave


def _sequence(rng: np.random.Generator) -> Bands:
    sequences = ((0, 1), (0, 1, 0, 2), (0, 1, 2), (0, 1, 4, 2), (0, 4, 1, 0, 3, 2), (1, 0, 2, 0, 3, 0, 4, 0))
    roles = sequences[rng.integers(len(sequences))]
    if rng.random() < 0.5:
        return Bands.even(roles)
    return Bands.of(*((float(rng.choice([0.5, 1.0, 1.6])), role) for role in roles))


def _rows(rng: np.random.Generator, bands: Bands) -> int:
    return max(1, round(float(rng.uniform(5, 9)) / max(2, len(bands.roles))))


def _chevron(cloth: Cloth, rng: np.random.Generator, standing: bool = False) -> None:
    """Bands in zigzag; ``standing``: their points up and down."""
    bands = _sequence(rng)
    peaks, rows = int(rng.integers(2, 6)), _rows(rng, bands)
    height = rng.uniform(0.35, 0.9) / peaks / 2
    slope = rows * math.hypot(1, 4 * height * peaks)
    upright = bool(rng.random() < 0.75) or standing
    for patch in cloth.strips():
        s, t = (patch.x, patch.y) if upright else (patch.y, patch.x)
        patch.bands(bands, rows * (t + height * triangle(peaks * s)), slope)


def _herringbone(cloth: Cloth, rng: np.random.Generator) -> None:
    """Slanted bars that turn at every column, each column shifted so that the bars meet point to side."""
    columns = 2 * int(rng.integers(1, 4))
    bars = int(rng.integers(3, 6)) * 2
    rise = int(rng.choice([1, 1, 2]))
    roles = ([0, 1], [0, 1], [0, 1, 0, 2], [0, 1, 2, 4])[rng.integers(4)]
    bars = max(2, bars * 2 // len(roles))
    shift = 0.5 / len(roles) * 2 if rng.random() < 0.6 else 0.0
    bands = Bands.even(roles)
    spine = rng.uniform(0.02, 0.05) if rng.random() < 0.3 else 0.0
    slope = math.hypot(bars, rise * columns / 2)
    for patch in cloth.strips():
        column = np.floor(patch.x * columns)
        part = patch.x * columns - column
        odd = column % 2
        lean = np.where(odd, 1 - part, part) * rise + odd * shift
        patch.bands(bands, bars * patch.y + lean * 2, slope)
        if spine:
            patch.paint(4, (np.abs(part - 0.5) - 0.5 + spine) * -1 / columns)


def _ikat(cloth: Cloth, rng: np.random.Generator) -> None:
    """Warp ikat: every thread slipped a little, so edges feather along the thread."""
    bands = Bands.of((1.0, 0), (0.35, 2), (1.1, 1), (0.35, 4 if rng.random() < 0.5 else 2))
    peaks = int(rng.integers(1, 4))
    rows = int(rng.integers(1, 4))
    height = rng.uniform(0.5, 1.0) / peaks / 2.2
    threads = int(rng.choice([48, 64, 80]))
    slip = rng.normal(0, 0.016, threads)
    drift = smooth(rng, 1, 5)
    steps = int(rng.integers(3, 6)) if rng.random() < 0.5 else 0
    for patch in cloth.strips():
        index = np.floor(patch.x * threads).astype(np.intp) % threads
        wave = triangle(peaks * (index + 0.5) / threads)
        if steps:
            wave = np.round(wave * steps) / steps
        offset = slip[index] + 0.012 * drift(patch.x, np.zeros((1, 1), np.float32)) + height * wave
        patch.bands(bands, rows * (patch.y + offset), rows)


def _flame(cloth: Cloth, rng: np.random.Generator) -> None:
    """Bargello: stepped flames of graded colours."""
    stitches = int(rng.choice([24, 32, 40]))
    roles = ((0, 2, 1, 4, 1, 2), (0, 1, 2, 3, 4), (0, 0, 2, 1, 1, 2), (0, 4, 1, 2, 3))[rng.integers(4)]
    bands = Bands.even(roles)
    rows = int(rng.integers(1, 3))
    peaks = int(rng.integers(1, 4))
    tall, small = rng.uniform(0.15, 0.3) / math.sqrt(peaks), rng.uniform(0.03, 0.08)
    phase = rng.uniform(0, 1)
    count = stitches * 2
    for patch in cloth.strips():
        column = (np.floor(patch.x * stitches) + 0.5) / stitches
        wave = tall * triangle(peaks * column) + small * triangle(2 * peaks * column + phase)
        patch.bands(bands, rows * (patch.y + np.round(wave * count) / count), rows)


def _rickrack(cloth: Cloth, rng: np.random.Generator, braided: bool = False) -> None:
    """Zigzag braids on bare ground; ``braided``: narrow ones with round turns, as the trimming has."""
    peaks, rows = int(rng.integers(3, 7)), int(rng.integers(2, 5))
    height = min(rng.uniform(0.5, 1.0) / peaks / 2, 0.32 / rows)
    slope = math.hypot(1, 4 * height * peaks)
    width = rng.uniform(0.16, 0.3) / rows * (0.6 if braided else 1.0)
    roles = [1] if rng.random() < 0.3 else [1, 2] if rows % 2 == 0 else [1, 2, 4][:rows]
    echo = bool(rng.random() < 0.5)
    upright = bool(rng.random() < 0.8)
    for patch in cloth.strips():
        s, t = (patch.x, patch.y) if upright else (patch.y, patch.x)
        wave = height * (np.sin(2 * math.pi * peaks * s) if braided else triangle(peaks * s))
        for row in range(rows):
            away = t + wave - (row + 0.5) / rows
            away = (away - np.round(away)) / slope
            patch.line(roles[row % len(roles)], away, width)
            if echo:
                patch.line(4, away, width * 0.28)


def _missoni(cloth: Cloth, rng: np.random.Generator) -> None:
    """Knitted zigzag: many narrow bands, the peaks of uneven height."""
    count = int(rng.integers(8, 13))
    roles = [0]
    while len(roles) < count:
        roles.append(int(rng.choice([r for r in (0, 1, 1, 2, 3, 4) if r != roles[-1]])))
    if roles[-1] == roles[0]:
        roles.append(1 if roles[-1] != 1 else 2)
    bands = Bands.of(*((float(rng.choice([0.5, 0.8, 1.3])), role) for role in roles))
    peaks = int(rng.integers(2, 4))
    tall = rng.uniform(0.5, 0.9) / peaks / 2
    second = rng.uniform(0.0, 0.5) * tall
    wavy = bool(rng.random() < 0.25)
    for patch in cloth.strips():
        shape = np.sin(2 * math.pi * peaks * patch.x) if wavy else triangle(peaks * patch.x)
        wave = tall * shape + second * triangle(patch.x + 0.25)
        patch.bands(bands, patch.y + wave, math.hypot(1, 4 * tall * peaks))


def _diamonds(cloth: Cloth, rng: np.random.Generator) -> None:
    """Zigzags mirrored into nested diamonds, as in Berber and Navajo weaving; edges stepped like stitches."""
    nx, ny = int(rng.integers(2, 4)), 1
    rings = int(rng.integers(6, 10))
    roles = [int(role) for role in np.resize([0, *rng.permutation([1, 2, 4])], rings)]
    table: Labels = np.array(roles, np.intp)
    steps = int(rng.choice([0, 0, 32, 48]))

    def label(x: Floats, y: Floats) -> Labels:
        if steps:
            x, y = (np.floor(x * steps) + 0.5) / steps, (np.floor(y * steps) + 0.5) / steps
        away = np.abs(x * nx - np.round(x * nx)) + np.abs(y * ny - np.round(y * ny))
        found: Labels = table[np.clip(np.floor(away * rings), 0, rings - 1).astype(np.intp)]
        return found

    for patch in cloth.strips():
        patch.sampled(label)


TYPE = PatternType(
    label=4,
    draw=draw,
    side_cm=24.0,
    turnable=False,
    coverage=(0.35, 0.30, 0.19, 0.02, 0.14),
    sample_seed=5,
    words=(
        *("zigzag", "chevron", "herringbone", "zigzags", "zig zag", "chevrons", "missoni", "ikat"),
        *("flame stitch", "wavy", "waves", "wave", "zig zags", "zigzagged", "bargello"),
    ),
    adjectives=("zigzag", "chevron", "herringbone"),
    nouns=("zigzags", "chevrons"),
    subtypes=(
        Subtype(
            name="chevron", draw=partial(_chevron, standing=True), words=("chevron", "chevrons", "chevron stripes")
        ),
        Subtype(name="herringbone", draw=_herringbone, words=("herringbone", "herringbones", "herring bone")),
        Subtype(name="ikat", draw=_ikat, words=("ikat", "ikats")),
        Subtype(name="flame-stitch", draw=_flame, words=("flame stitch", "bargello", "flamestitch")),
        Subtype(name="rickrack", draw=partial(_rickrack, braided=True), words=("rickrack", "ric rac", "rick rack")),
    ),
    near=("missoni",),
    usual=8,
)
