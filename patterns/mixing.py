"""What can become of two fabrics: a blend, one's layout in the other's drawing, one in the other's colours.

Blends and drawings happen in the latent space of the network that dreamed both, so they ask for two fabrics of one
model.  Colours are only ink: every fabric can wear those of every other, at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ml_backend.errors import BadInput
from ml_backend.inks import fit_palette, mix_palettes, palette_from_seed
from ml_backend.requests import GenerateRequest
from ml_backend.serving import registry

from .models import Pattern

MOVES = ("blend", "drawing", "colours")

DRAWN = "A drawn fabric is drawn in one piece. It can wear another's colours, but not be blended."
RETIRED = "The model that dreamed this fabric no longer serves. It can still wear other colours."
UNFINISHED = "This fabric is still being made; try again in a moment."
ITSELF = "This is the same fabric; choose another one to go with it."
OTHER_DRAWN = "The other fabric is drawn; only its colours can be taken."
OTHER_MODEL = "Two different models dreamed these fabrics; only the colours can be taken."
OTHER_BLEND = "The other fabric is a blend itself; choose one of the two it came from."
BOTH_VARIED = "Both fabrics are variations; choose the one that the other was varied from."
OTHER_VARIED = "The other fabric is a variation; its drawing can be taken from the one it was varied from."
PHOTOGRAPHED = "A photographed cloth is in one piece. It can wear another's colours, but not be blended."
OTHER_PHOTOGRAPHED = "The other one is a photographed cloth; only its colours can be taken."
OTHER_TYPE = "The drawing can only be taken from a fabric of the same type."


@dataclass(frozen=True)
class Other:
    """The second fabric: one that is there, or one that a seed of a type would be."""

    pattern_type: str
    seed: int
    pattern: Pattern | None = None

    @classmethod
    def of(cls, pattern: Pattern) -> Other:
        return cls(pattern.pattern_type, pattern.seed, pattern)

    def palette(self, count: int) -> tuple[str, ...]:
        """What it wears, on ``count`` inks."""
        if self.pattern is not None:
            return fit_palette(tuple(self.pattern.palette), count)
        return palette_from_seed(self.pattern_type, self.seed, count)


@dataclass(frozen=True)
class Mixed:
    """What to ask for, and which two fabrics it comes from, in the order of the request."""

    request: GenerateRequest
    parent: Pattern | None
    partner: Pattern | None


def why_alone(pattern: Pattern) -> str:
    """Why a fabric can be neither blended nor take another's drawing; empty when it can."""
    if not pattern.ready:
        return UNFINISHED
    if pattern.engine != "dreamed":
        return PHOTOGRAPHED if pattern.photographed else DRAWN
    return "" if registry.can_make_again("generate", pattern.model) else RETIRED


def why_not(move: str, one: Pattern, other: Other) -> str:
    """Why ``other`` cannot go into a ``move`` of ``one``, leaving aside :func:`why_alone`; empty when it can."""
    theirs = other.pattern
    if theirs is not None and not theirs.ready:
        return UNFINISHED
    if move == "colours":
        return ITSELF if theirs is not None and theirs.pk == one.pk else ""
    if theirs is not None and (unfit := _unfit(theirs, one)):
        return unfit
    if move == "drawing":
        return _why_no_drawing(one, other)
    return _why_no_blend(one, other)


def _unfit(theirs: Pattern, one: Pattern) -> str:
    if theirs.engine != "dreamed":
        return OTHER_PHOTOGRAPHED if theirs.photographed else OTHER_DRAWN
    return OTHER_MODEL if theirs.model != one.model else ""


def _why_no_drawing(one: Pattern, other: Other) -> str:
    if other.pattern is not None and _mixed(other.pattern):
        return OTHER_BLEND
    if other.pattern is not None and _varied(other.pattern):
        return OTHER_VARIED
    if other.pattern_type != one.pattern_type:
        return OTHER_TYPE
    return ITSELF if not _varied(one) and other.seed == one.seed else ""


def _why_no_blend(one: Pattern, other: Other) -> str:
    theirs = other.pattern
    if theirs is not None and _mixed(theirs):
        return OTHER_BLEND
    if theirs is not None and _varied(theirs):
        return BOTH_VARIED if _varied(one) else ""
    same = (other.pattern_type, other.seed) == (one.pattern_type, one.seed)
    return ITSELF if same and not _varied(one) else ""


def _varied(pattern: Pattern) -> bool:
    return pattern.vary_of is not None


def _mixed(pattern: Pattern) -> bool:
    return pattern.morph_to is not None or pattern.detail_of is not None


def first_half(pattern: Pattern) -> Pattern:
    """The fabric that a blend began with, where it is still there; any other fabric itself.

    A new blend of a blend begins with that one again.
    """
    parent = pattern.parent
    began = parent is not None and parent.ready and not _mixed(parent) and parent.owner_id == pattern.owner_id
    return parent if parent is not None and began and _mixed(pattern) else pattern


def blends(one: Pattern, other: Other, amounts: Sequence[float]) -> list[Mixed]:
    """One fabric for each of ``amounts`` (0 is ``one``, 1 the other), shape and colours alike.

    Raises :class:`BadInput` with the reason when the two cannot be blended.
    """
    _check("blend", one, other)
    start = first_half(one)
    theirs = other.pattern
    inks = len(one.palette)
    ours = tuple(start.palette) if len(start.palette) == inks else tuple(one.palette)
    base = _unmixed(one)
    if theirs is not None and _varied(theirs):
        # Only the fabric that a blend begins with can be a variation: it is the same blend, told from the other end.
        turned = replace(_unmixed(theirs), morph_to=one.seed, morph_type=_type_beside(theirs, one.pattern_type))
        return [
            Mixed(replace(turned, morph_amount=1 - amount, palette=_between(ours, other, amount)), theirs, start)
            for amount in amounts
        ]
    morphed = replace(base, morph_to=other.seed, morph_type=_type_beside(one, other.pattern_type))
    return [
        Mixed(replace(morphed, morph_amount=amount, palette=_between(ours, other, amount)), start, theirs)
        for amount in amounts
    ]


def drawing(one: Pattern, other: Other) -> Mixed:
    """The layout and colours of ``one``, drawn as the other is.  Raises :class:`BadInput` when that cannot be."""
    _check("drawing", one, other)
    request = replace(one.request, detail_of=other.seed, palette=tuple(one.palette))
    return Mixed(request, one, other.pattern)


def steps(count: int) -> list[float]:
    """``count`` even steps that lie between the two, in whole percents: 0.25, 0.5, 0.75 for three."""
    return [round(number / (count + 1), 2) for number in range(1, count + 1)]


def _check(move: str, one: Pattern, other: Other) -> None:
    if reason := why_alone(one) or why_not(move, one, other):
        raise BadInput(reason)


def _unmixed(pattern: Pattern) -> GenerateRequest:
    return replace(pattern.request, morph_to=None, morph_amount=0.0, morph_type=None, detail_of=None, colours_of=None)


def _type_beside(pattern: Pattern, other: str) -> str | None:
    return None if other == pattern.pattern_type else other


def _between(ours: tuple[str, ...], other: Other, amount: float) -> tuple[str, ...]:
    return mix_palettes(ours, other.palette(len(ours)), amount)
