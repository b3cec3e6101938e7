"""What goes with a hero: coordinates, which answer it in its colours, and blenders, which are nearly plain beside it.

A coordinate is the hero's own neighbour or a calm type, half as large; a blender wears two tones of the hero's
ground, a quarter as large.  All share its palette, its engine and the seeds that follow its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from ml_backend.colour import oklab
from ml_backend.requests import MAX_SEED, GenerateRequest
from ml_backend.swatches import TYPES
from patterns import mixing
from patterns.models import Pattern

from .models import BoardItem

COORDINATES, BLENDERS = 3, 2
CALM = 4
"""So many of the calmest types are chosen among."""
SCALES = {BoardItem.Part.HERO: 1.0, BoardItem.Part.COORDINATE: 0.5, BoardItem.Part.BLENDER: 0.25}
"""How large each part is worn, against its type's usual size."""
RELATED = 0.6
"""How far the hero's own neighbour is from it."""
TONES_APART = 0.05
"""Least distance in OKLab of two tones that can be told apart."""


@dataclass(frozen=True)
class Match:
    """What to make, the part that it plays, and the side of its tile on the cloth."""

    request: GenerateRequest
    part: str
    scale_cm: float


def scale_of(pattern_type: str, part: str) -> float:
    """Centimetres of a tile's side."""
    return round(TYPES[pattern_type].side_cm * SCALES.get(BoardItem.Part(part), 1.0), 1)


def matches(hero: Pattern, before: int = 0) -> list[Match]:
    """What to make for ``hero``, of which ``before`` were made already: asked again, there are others."""
    calm = islice(cycle(_calm_types(hero.pattern_type)), (hero.seed + before) % CALM, None)
    seeds = iter((hero.seed + 1 + before + step) % (MAX_SEED + 1) for step in range(COORDINATES + BLENDERS))
    made = [_neighbour(hero, next(seeds))]
    made += [_match(hero, next(calm), next(seeds), BoardItem.Part.COORDINATE) for _ in range(COORDINATES - 1)]
    made += [_match(hero, next(calm), next(seeds), BoardItem.Part.BLENDER) for _ in range(BLENDERS)]
    return made


def tones(palette: tuple[str, ...]) -> tuple[str, ...]:
    """The ground of a palette and, of its other colours, the one nearest to it that can be told from it."""
    ground = oklab(palette[0])
    apart = sorted((float(np.linalg.norm(oklab(colour) - ground)), colour) for colour in palette[1:])
    return palette[0], next((colour for far, colour in apart if far >= TONES_APART), apart[-1][1])


def _calm_types(without: str) -> list[str]:
    """Types that step back: those that lie in any direction before others, the smallest first."""
    others = [name for name in TYPES if name != without]
    return sorted(others, key=lambda name: (not TYPES[name].turnable, TYPES[name].side_cm, TYPES[name].label))[:CALM]


def _maker(hero: Pattern) -> dict[str, str | None]:
    """The hero's engine and model; the renderer where that model no longer serves, and beside a photographed cloth."""
    if hero.engine == "drawn" or hero.photographed or mixing.why_alone(hero) == mixing.RETIRED:
        return {"engine": "drawn", "model": None}
    return {"engine": hero.engine, "model": hero.model or None}


def _neighbour(hero: Pattern, seed: int) -> Match:
    """Near the hero; of a photographed cloth, which has no seed to be near, another of its type."""
    if hero.photographed:
        return _match(hero, hero.pattern_type, seed, BoardItem.Part.COORDINATE)
    near = {"vary_of": hero.seed if hero.vary_of is None else hero.vary_of, "vary_amount": RELATED}
    request = GenerateRequest(hero.pattern_type, seed, palette=tuple(hero.palette), **_maker(hero), **near)  # type: ignore[arg-type]
    return Match(request, BoardItem.Part.COORDINATE, scale_of(hero.pattern_type, BoardItem.Part.COORDINATE))


def _match(hero: Pattern, pattern_type: str, seed: int, part: BoardItem.Part) -> Match:
    palette = tuple(hero.palette)
    worn = tones(palette) if part == BoardItem.Part.BLENDER else palette
    request = GenerateRequest(pattern_type, seed, palette=worn, **_maker(hero))  # type: ignore[arg-type]
    return Match(request, part, scale_of(pattern_type, part))
