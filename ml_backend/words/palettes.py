"""A fabric's palette from words: the colour asked for is the colour that the cloth is called.

How much of a fabric an ink covers depends on the pattern, so colours are dealt out by coverage: the leading colour gets
at least half and, where it is alone, about two thirds; what is left are neutrals that make the pattern readable.  The
result is measured before it is given away: the coverage-weighted median in CIELAB, under the garment's own light where
that is known, must bear the leading colour's name, or the neutrals are drawn closer to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..colour import (
    BASIC_COLOURS,
    PROTOTYPES,
    decode,
    encode,
    lab,
    lab_of,
    name_of,
    name_of_lab,
    rgb_of,
    shoulder,
)
from ..inks import palette_from_seed
from ..requests import MAX_INKS, MIN_INKS
from ..swatches import SUBTYPES, TYPES
from .lexicon import MATERIALS, MOODS, PLAIN
from .reading import Reading
from .shades import SET_PALETTES
from .tints import apart, family, kept, mixed

F32 = NDArray[np.float32]

TYPICAL: dict[str, tuple[float, ...]] = {
    **{name: kind.coverage for name, kind in TYPES.items()},
    PLAIN: (1.0, 0.0, 0.0, 0.0, 0.0),
}
"""Mean share of the cloth that each ink covers, ground first."""

ALONE = 0.68
"""Share of the cloth that a colour gets where it is the only one named."""

LEADS = (0.56, 0.63, 0.7)
"""Share that the first of several colours gets, more where it would not lead; the others halve the rest, and again."""

_GENTLY = 0.3
"""How far a gentle tint is from its colour, as a share of the way to an ordinary one."""

_UNTINTED = ("white", "black")
"""Colours of which a tint has another name: grey."""

_RESTRAINTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 1.75)
"""See :func:`drawn_near`."""

_NEUTRALS = ("#f4f2ec", "#efe6d2", "#1a1a1e", "#20242e", "#3a2a20")
"""White, cream, black, midnight, espresso: what a single colour is patterned with."""

_LEGIBLE = 42.0
"""Difference of L* from which a motif stands out of its ground."""


def palette_of(
    reading: Reading,
    seed: int,
    inks: int = 5,
    coverage: Sequence[float] | None = None,
    light: F32 | None = None,
    restraint: float = 0.0,
) -> tuple[str, ...]:
    """``inks`` (4..6) colours in ink order for the reading's pattern; the seed chooses among what the words leave open.

    ``coverage`` is the share of each ink on the tile (default: typical of the pattern), ``light`` samples of the
    shading S that will fall on it (default: even light).  ``restraint`` (0..2) is how near to a single named colour
    the neutrals begin, for motifs so fine that they blend into it.  A named colour leads; else a colour set, a material
    or a mood that was named suggests colours; else the seed does.  Names in ``not_colours`` are kept out.
    """
    if not MIN_INKS <= inks <= MAX_INKS:
        raise ValueError(f"A palette has {MIN_INKS} to {MAX_INKS} inks, not {inks}.")
    shares = _shares(reading.pattern, inks, coverage)
    rng = np.random.default_rng((seed, 3))
    colours = [found.colour for found in reading.colours]
    if colours:
        return _named(colours, shares, rng, reading, light, restraint)
    suggested = _suggested(reading, rng)
    if suggested:
        return _dealt(suggested, shares, _targets(len(suggested), 0.5))
    return _free(reading, seed, inks)


def median_name(palette: Sequence[str], coverage: Sequence[float], light: F32 | None = None) -> str:
    """What cloth of these colours and shares is called: the name of its weighted median in CIELAB.

    ``light`` are samples (n,) of the shading S that falls on the cloth.
    """
    return name_of_lab(median_lab(palette, coverage, light))


def median_lab(palette: Sequence[str], coverage: Sequence[float], light: F32 | None = None) -> F32:
    """The weighted median (3,) in CIELAB of cloth of these colours, shares and light."""
    colours = np.array([rgb_of(colour) for colour in palette], np.float32)
    shading = np.ones(1, np.float32) if light is None else light
    values = lab(lit(colours[:, None], shading[None, :, None]).reshape(-1, 3))
    weights = np.repeat(np.asarray(coverage, np.float64), len(shading))
    return np.array([_weighted_median(values[:, axis], weights) for axis in range(3)], np.float32)


def legibility(palette: Sequence[str], coverage: Sequence[float]) -> float:
    """How well the pattern can be seen: the mean CIELAB distance of two random points of the cloth (0 is plain)."""
    colours = [lab_of(colour) for colour in palette]
    pairs = itertools.combinations(range(len(colours)), 2)
    total = sum(coverage)
    spread = sum(coverage[i] * coverage[j] * float(np.linalg.norm(colours[i] - colours[j])) for i, j in pairs)
    return 2 * spread / (total * total)


def avoided(colour: str, reading: Reading) -> bool:
    """Whether the colour bears a name that must not be there."""
    return name_of(rgb_of(colour)) in reading.not_colours


def _named(
    colours: list[str],
    shares: list[float],
    rng: np.random.Generator,
    reading: Reading,
    light: F32 | None,
    least: float,
) -> tuple[str, ...]:
    lead = _varied(colours[0], rng)
    if len(colours) > 1:
        return _together([lead, *colours[1:]], shares, light)
    name = name_of(rgb_of(lead))
    companion = _companion(lead, rng, reading)
    palette: tuple[str, ...] = ()
    for restraint in _RESTRAINTS:
        if restraint < least:
            continue
        palette = _dealt([lead, drawn_near(companion, lead, restraint)], shares, (ALONE, 1 - ALONE))
        if median_name(palette, shares, light) == name:
            return palette
    return palette


def _together(colours: list[str], shares: list[float], light: F32 | None) -> tuple[str, ...]:
    """Each colour as it was named: the first is given more room where it would not lead, the others never fade."""
    name = name_of(rgb_of(colours[0]))
    palettes = [_dealt(colours, shares, _targets(len(colours), lead), gentle=True) for lead in LEADS]
    leading = (palette for palette in palettes if median_name(palette, shares, light) == name)
    return next(leading, palettes[0])


def drawn_near(companion: str, lead: str, restraint: float) -> str:
    """A companion drawn towards the lead: from 1 on it is a tint of the lead itself, at 2 it is the lead."""
    if restraint < 1.0:
        return mixed(companion, lead, restraint * 0.7)
    darker, _, lighter = family(lead)
    return mixed(max(darker, lighter, key=lambda tint: apart(tint, lead)), lead, restraint - 1.0)


def _varied(colour: str, rng: np.random.Generator) -> str:
    """A basic word leaves room: now and then the colour leans to another of its name; a shade is taken at its word."""
    name = name_of(rgb_of(colour))
    if colour != PROTOTYPES[name][0]:
        return colour
    other = PROTOTYPES[name][rng.integers(len(PROTOTYPES[name]))]
    return kept(colour, lab_of(colour) + float(rng.uniform(0.0, 0.4)) * (lab_of(other) - lab_of(colour)))


def _companion(lead: str, rng: np.random.Generator, reading: Reading) -> str:
    """A neutral that stands out of the lead; where all are forbidden, the lead's own tint that is farthest from it."""
    light = lab_of(lead)[0]
    fitting = [colour for colour in _NEUTRALS if abs(lab_of(colour)[0] - light) >= _LEGIBLE]
    allowed = [colour for colour in fitting if not avoided(colour, reading)]
    if not allowed:
        return drawn_near(lead, lead, 1.0)
    contrast = np.array([apart(colour, lead) for colour in allowed])
    return allowed[int(rng.choice(len(allowed), p=contrast / contrast.sum()))]


def _suggested(reading: Reading, rng: np.random.Generator) -> list[str]:
    """Colours that a set, a material or a mood suggests: the leading one, the one farthest from it, then the rest."""
    sets = list(reading.colour_sets)
    materials = [MATERIALS[name].colour for name in reading.materials if MATERIALS[name].colour]
    if materials and not sets:
        lead = kept(materials[0], lab_of(materials[0]) + np.array((rng.uniform(-9, 9), 0, 0), np.float32))
        return [] if avoided(lead, reading) else [lead, _companion(lead, rng, reading)]
    sets = sets or [MOODS[mood].colours for mood in reading.moods]
    if not sets:
        return []
    chosen = SET_PALETTES[sets[rng.integers(len(sets))]]
    allowed = [colour for colour in chosen if not avoided(colour, reading)]
    if not allowed:
        return []
    order = [allowed[index] for index in rng.permutation(len(allowed))]
    lead, rest = order[0], order[1:]
    if rest:
        main = max(rest, key=lambda colour: abs(lab_of(colour)[0] - lab_of(lead)[0]))
        rest = [main, *(colour for colour in rest if colour != main)]
    return [lead, *rest]


def _free(reading: Reading, seed: int, inks: int) -> tuple[str, ...]:
    """The seed's own palette; one after the other is tried until none of its names is forbidden."""
    pattern = reading.pattern if reading.pattern in TYPES else "floral"
    subtype = reading.subtype if reading.subtype and SUBTYPES[reading.subtype][0] == pattern else None
    for attempt in range(64):
        palette = palette_from_seed(pattern, seed + attempt * 7919, inks, subtype)
        if not any(avoided(colour, reading) for colour in palette):
            return palette
    return tuple(_replaced(colour, reading) for colour in palette)


def _replaced(colour: str, reading: Reading) -> str:
    """The colour, or where its name is forbidden the nearest prototype whose name is not."""
    if not avoided(colour, reading):
        return colour
    names = [name for name in BASIC_COLOURS if name not in reading.not_colours] or list(BASIC_COLOURS)
    return min(
        itertools.chain.from_iterable(PROTOTYPES[name] for name in names), key=lambda other: apart(other, colour)
    )


def _targets(count: int, lead: float) -> tuple[float, ...]:
    """Shares of ``count`` colours: ``lead`` for the first, half of the rest for each next, all of it for the last."""
    shares, left = [], 1.0
    for number in range(count):
        share = left if number == count - 1 else left * (lead if number == 0 else 0.5)
        shares.append(share)
        left -= share
    return tuple(shares)


def _dealt(
    colours: Sequence[str], shares: Sequence[float], targets: Sequence[float], *, gentle: bool = False
) -> tuple[str, ...]:
    """Deal colours to inks, the widest ink first, each to the colour that lacks most; every colour gets one.

    The first ink that each colour gets bears it exactly, further ones bear tints of it; ``gentle`` tints of the first
    colour, of white and of black hardly differ from it.
    """
    lacking = list(targets)
    dealt: dict[int, list[int]] = {number: [] for number in range(len(colours))}
    for ink in sorted(range(len(shares)), key=lambda ink: -shares[ink]):
        number = max(range(len(colours)), key=lambda candidate: (round(lacking[candidate], 6), -candidate))
        dealt[number].append(ink)
        lacking[number] -= shares[ink]
    for number in [number for number, inks in dealt.items() if not inks]:
        richest = max(dealt, key=lambda other: len(dealt[other]))
        if len(dealt[richest]) > 1:
            dealt[number].append(dealt[richest].pop())
    palette = [""] * len(shares)
    for number, inks in dealt.items():
        tints = _tints(colours[number])
        if gentle and (number == 0 or name_of(rgb_of(colours[number])) in _UNTINTED):
            tints = (tints[0], *(mixed(tints[0], tint, _GENTLY) for tint in tints[1:]))
        for place, ink in enumerate(inks):
            palette[ink] = tints[place % len(tints)]
    return tuple(palette)


def _tints(colour: str) -> tuple[str, ...]:
    """The colour, then tints of it, the farthest first."""
    darker, _, lighter = family(colour)
    near = sorted((darker, lighter), key=lambda tint: -apart(tint, colour))
    return colour, *near, mixed(colour, near[0], 0.5)


def _shares(pattern: str | None, inks: int, coverage: Sequence[float] | None) -> list[float]:
    if coverage is not None:
        if len(coverage) != inks:
            raise ValueError(f"There are {len(coverage)} shares for {inks} inks.")
        return [float(share) for share in coverage]
    typical = TYPICAL.get(pattern or "floral", TYPICAL["floral"])
    return [*typical, 0.0][:inks]


def lit(colours: F32, shading: F32) -> F32:
    """sRGB (..., 3) in 0..255 under light S (broadcast), highlights compressed as the overlay does it."""
    return encode(shoulder(decode(colours / np.float32(255)) * shading)) * np.float32(255)


def _weighted_median(values: F32, weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])
