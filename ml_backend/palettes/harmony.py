"""Colours that go together by a rule of the colour circle, and by which rule two colours do.

The circle is that of OKLCH (Ottosson 2020), where a step of hue looks the same all the way round.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..colour import contrast, from_oklch, oklch

RULES: dict[str, tuple[int, ...]] = {
    "complementary": (0, 180),
    "analogous": (0, 30, -30),
    "triadic": (0, 120, -120),
    "split complementary": (0, 150, -150),
    "square": (0, 90, 180, -90),
    "monochrome": (0,),
}
"""Name of a rule -> the hues that it allows, in degrees from the leading ink's."""

TURNS = {
    "complementary": 180,
    "analogous": 30,
    "triadic": 120,
    "split complementary": -150,
    "square": -90,
    "monochrome": 0,
}
"""By how many degrees a colourway turns the inks that nobody locked: an arm of its rule, all of them far apart."""

GREY = 0.035
"""Below this OKLCH chroma a colour is a neutral, and its hue means little."""

_APART = 0.07
"""OKLab distance that composed inks keep from each other."""


@dataclass(frozen=True)
class Relation:
    """What two colours are to each other: a name of ``RULES``, ``neutral``, or ``light and dark``.

    ``strength`` (0..1] is how nearly.
    """

    name: str
    strength: float


def harmonised(palette: Sequence[str], rule: str, locked: Collection[int] = ()) -> tuple[str, ...]:
    """``palette`` brought to ``rule`` of :data:`RULES`; the inks at the places ``locked`` stay as they are.

    The first locked colour that has a hue leads, else the main ink (the second).  The others keep their lightness, so
    that the drawing reads as before, and take the hues of the rule in turn; neutrals stay neutrals.
    """
    lch = [oklch(colour) for colour in palette]
    lead = _lead(lch, locked)
    hue, chroma = lch[lead][2], lch[lead][1]
    steps = RULES[rule]
    told: list[str] = []
    turn = 0
    for place, (light, rich, _) in enumerate(lch):
        if place in locked or place == lead:
            told.append(palette[place])
            continue
        if rich < GREY:
            told.append(palette[place])
            continue
        if place == 0:
            told.append(from_oklch(np.array((light, min(rich, 2 * GREY), hue))))
            continue
        turn += 1
        wanted = max(rich, 0.7 * chroma) * (0.8 if rule == "monochrome" else 1)
        told.append(from_oklch(np.array((light, wanted, hue + steps[turn % len(steps)]))))
    return _set_apart(told, {*locked, lead})


def colourways(palette: Sequence[str], locked: Collection[int] = ()) -> dict[str, tuple[str, ...]]:
    """``palette`` by every rule, those left out that change nothing or repeat another.

    Locked inks stay and lead.  Where none is, the main ink moves to another arm of the rule, so that the cloth is of
    another colour at a glance, and yet goes with the first.
    """
    found: dict[str, tuple[str, ...]] = {}
    for rule, degrees in TURNS.items():
        made = harmonised(palette if locked else turned(palette, degrees), rule, locked)
        if made != tuple(palette) and made not in found.values():
            found[rule] = made
    return found


def turned(palette: Sequence[str], degrees: float) -> tuple[str, ...]:
    """``palette`` with every hue moved along the circle; neutrals and lightnesses stay."""
    lch = [oklch(colour) for colour in palette]
    return tuple(
        colour if chroma < GREY or not degrees else from_oklch(np.array((light, chroma, hue + degrees)))
        for colour, (light, chroma, hue) in zip(palette, lch, strict=True)
    )


def apart(first: str, second: str) -> float:
    """The distance of two colours in OKLab; quicker than :func:`ml_backend.colour.contrast` where colours recur."""
    (light, chroma, hue), (light_2, chroma_2, hue_2) = _oklch(first), _oklch(second)
    across = chroma**2 + chroma_2**2 - 2 * chroma * chroma_2 * math.cos(math.radians(hue - hue_2))
    return math.sqrt((light - light_2) ** 2 + max(across, 0.0))


_oklch = lru_cache(maxsize=1 << 14)(oklch)


def relation(first: str, second: str) -> Relation | None:
    """What two colours are to each other; None where no rule says anything for them."""
    (light, chroma, hue), (light_2, chroma_2, hue_2) = _oklch(first), _oklch(second)
    step = abs(light - light_2)
    if min(chroma, chroma_2) < GREY:
        if max(chroma, chroma_2) < GREY:
            return Relation("light and dark", min(1.0, step / 0.5)) if step > 0.2 else None
        return Relation("neutral", min(1.0, 0.4 + step))
    away = abs((hue - hue_2 + 180) % 360 - 180)
    if away < 14:
        return Relation("monochrome", min(1.0, step / 0.25)) if step > 0.1 else None
    # Where ranges meet the nearer rule is told: the deviation that counts half is some ten degrees.
    rules = (("analogous", 30, 14), ("triadic", 120, 11), ("split complementary", 150, 11), ("complementary", 180, 14))
    name, strength = max(
        ((name, math.exp2(-(((away - angle) / width) ** 2))) for name, angle, width in rules),
        key=lambda one: one[1],
    )
    vivid = min(1.0, min(chroma, chroma_2) / 0.09)
    return Relation(name, strength * vivid) if strength > 0.4 else None


def _lead(lch: Sequence[tuple[float, float, float]], locked: Collection[int]) -> int:
    hued = [place for place in sorted(locked) if place < len(lch) and lch[place][1] >= GREY]
    if hued:
        return hued[0]
    free = range(1, len(lch))
    return 1 if lch[1][1] >= GREY else max(free, key=lambda place: lch[place][1])


def _set_apart(colours: list[str], fixed: Collection[int]) -> tuple[str, ...]:
    """Inks that have come too near to another are made lighter or darker until they can be told from it."""
    for place, colour in enumerate(colours):
        if place in fixed:
            continue
        others = [other for at, other in enumerate(colours) if at < place or at in fixed]
        light, chroma, hue = oklch(colour)
        if all(contrast(colour, other) >= _APART for other in others):
            continue
        shades = (light + sign * step * 0.04 for step in range(1, 12) for sign in (1, -1))
        for shade in shades:
            moved = from_oklch(np.array((shade, chroma, hue)))
            if 0.12 < shade < 0.98 and all(contrast(moved, other) >= _APART for other in others):
                colours[place] = moved
                break
    return tuple(colours)
