"""Which fabrics go with what somebody wears, and why, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..colour import oklch
from .facts import called
from .harmony import GREY, apart, relation

ENOUGH = 0.08
"""Share of a cloth that an ink covers before it is what one sees of it."""

_LIKED = {
    "complementary": 1.0,
    "analogous": 0.95,
    "split complementary": 0.85,
    "monochrome": 0.8,
    "triadic": 0.75,
    "neutral": 0.5,
    "light and dark": 0.5,
}

_SAID = {
    "complementary": "complementary, so each makes the other brighter",
    "analogous": "neighbours on the colour circle, calm together",
    "split complementary": "nearly opposite, lively without a quarrel",
    "monochrome": "tone on tone",
    "triadic": "a third of the circle apart, clear and playful",
    "light and dark": "two neutrals, light against dark",
}
"""What a relation of :mod:`.harmony` does, as a shop assistant would say it."""


@dataclass(frozen=True)
class Worn:
    """A colour of what somebody wears or is; ``what`` is said after "your": ``jacket``, ``skin and hair``."""

    what: str
    colour: str
    share: float = 1.0

    @property
    def words(self) -> str:
        """``your navy jacket``; of a person no colour is named."""
        return f"your {self.what}" if self.what == SKIN else f"your {called(self.colour)} {self.what}"


SKIN = "skin and hair"


@dataclass(frozen=True)
class Pairing:
    """``score`` (0..1), the ink that goes with ``beside``, the rule by which it does, and the ``reason``."""

    score: float
    colour: str
    beside: Worn
    rule: str

    @property
    def reason(self) -> str:
        """``A warm rust beside your navy jacket: complementary, so each makes the other brighter.``"""
        return f"{described(self.colour)} beside {self.beside.words}: {self._why}."

    @property
    def _why(self) -> str:
        if self.rule != "neutral":
            return _SAID[self.rule]
        quiet = oklch(self.colour)[1] < GREY
        return "a quiet colour that lets the other speak" if quiet else "a strong colour beside a quiet one"


def pairing(palette: Sequence[str], shares: Sequence[float], worn: Sequence[Worn]) -> Pairing | None:
    """How a fabric, its inks and the share of each, goes with what is ``worn``; None where nothing speaks for it.

    What one sees most of counts most, on the fabric and on the person; a fabric hardly told from what is worn beside it
    is worse than one that stands off.
    """
    found: list[Pairing] = []
    total = 0.0
    for one in worn:
        best = max(
            (_pair(ink, share, one) for ink, share in zip(palette, shares, strict=False)), key=_score, default=None
        )
        if best is not None:
            found.append(best)
            total += best.score * one.share
    if not found:
        return None
    best = max(found, key=lambda pair: pair.score * pair.beside.share)
    score = total / sum(one.share for one in worn)
    return Pairing(score, best.colour, best.beside, best.rule)


def described(colour: str) -> str:
    """``A warm rust``, ``A cool deep navy``, ``A soft chalk``: the temper of a colour, then its name."""
    light, chroma, hue = oklch(colour)
    depth = "deep " if light < 0.32 else "pale " if light > 0.88 and chroma >= GREY else ""
    if chroma < GREY:
        return f"A soft {called(colour)}" if light > 0.6 else f"A quiet {called(colour)}"
    warm = (hue % 360) < 115 or (hue % 360) > 335
    return f"A {'warm' if warm else 'cool'} {depth}{called(colour)}"


def _pair(ink: str, share: float, one: Worn) -> Pairing | None:
    if share < ENOUGH:
        return None
    found = relation(ink, one.colour)
    if found is None or apart(ink, one.colour) < 0.08:
        return None
    return Pairing(_LIKED[found.name] * found.strength * min(1.0, 0.5 + share), ink, one, found.name)


def _score(pair: Pairing | None) -> float:
    return -1.0 if pair is None else pair.score
