"""What goes with a person's own photo: fabrics and palettes, each with a reason in words.

The colours are read in the small picture of the photo, where its garments were found; nothing is kept, and only the
photo's owner is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from ml_backend.colour import U8
from ml_backend.errors import BadInput
from ml_backend.inks import PALETTES, fit_palette
from ml_backend.palettes.extraction import extract
from ml_backend.palettes.harmony import harmonised
from ml_backend.palettes.pairing import SKIN, Pairing, Worn, pairing
from ml_backend.requests import GARMENT_CLASSES, parse_garment
from patterns.models import Pattern

from .. import outfits, pictures
from ..account.models import User
from ..photos.models import Photo
from ..workspace.state import GARMENT_STEP

LOOKED_AT = 600
"""Fabrics that are considered: one's own and published ones, the newest."""

FABRICS, COLOURWAYS = 12, 6

_SKIN = GARMENT_CLASSES.index("skin")
_LEAST = 0.004
"""Share of the picture that a garment or the skin covers before it says anything."""

NOT_READY = "The clothes in this photo are still being sought; try again in a moment."


@dataclass(frozen=True)
class Seen:
    """What is seen of one garment, or of skin and hair: its colours and the share of the picture that it covers."""

    name: str
    words: str
    colours: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class Suggestion:
    """``fabric`` is None for a palette that the fabric in question could wear."""

    pair: Pairing
    colours: tuple[str, ...]
    fabric: Pattern | None = None
    name: str = ""

    @property
    def reason(self) -> str:
        return self.pair.reason


@dataclass(frozen=True)
class Suggestions:
    """For the garment ``dressed`` of a photo, beside ``worn``."""

    dressed: Seen
    seen: list[Seen]
    worn: list[Worn]
    fabrics: list[Suggestion]
    colourways: list[Suggestion]


def seen_in(photo: Photo) -> list[Seen]:
    """The garments of a photo, largest first, then skin and hair.  Raises :class:`BadInput` while they are sought."""
    if not photo.ready or not photo.preview_mask or not photo.preview_photo:
        raise BadInput(NOT_READY)
    rgb = np.asarray(pictures.load(str(photo.preview_photo), "RGB"))
    planes = np.asarray(pictures.load(str(photo.preview_mask), "RGB"))
    labels = planes[..., 1] // int(photo.fit.get("garment_step", GARMENT_STEP))
    found = [_seen(name, rgb, labels == parse_garment(name)) for name in photo.classes]
    found.append(_seen(SKIN, rgb, labels == _SKIN))
    return [one for one in found if one is not None]


def _seen(name: str, rgb: U8, where: NDArray[np.bool_]) -> Seen | None:
    share = float(where.mean())
    if share < _LEAST:
        return None
    found = extract(rgb, 3, where)
    shown = [colour for colour, part in zip(found.colours, found.shares, strict=True) if part > 0.12]
    return Seen(name, SKIN if name == SKIN else outfits.plain_words(name), tuple(shown), share)


def suggestions(owner: User, photo: Photo, garment: str = "", fabric: Pattern | None = None) -> Suggestions:
    """What could be worn as ``garment`` (the largest where it is not of the photo) beside everything else seen there.

    ``fabric`` is the one whose colourways are suggested.  Raises :class:`BadInput`.
    """
    seen = seen_in(photo)
    garments = [one for one in seen if one.name != SKIN]
    if not garments:
        raise BadInput("No clothes were found in this photo, so nothing can be said of their colours.")
    dressed = next((one for one in garments if one.name == garment), garments[0])
    worn = list(_worn(one for one in seen if one is not dressed)) or list(_worn([dressed]))
    fabrics = _fabrics(owner, worn)
    base = fabric or (fabrics[0].fabric if fabrics else None)
    return Suggestions(dressed, seen, worn, fabrics, _colourways(base, worn) if base is not None else [])


def _worn(seen: Iterable[Seen]) -> Iterable[Worn]:
    """Each colour that is seen; skin and hair count less than cloth, for they are seldom matched on purpose."""
    for one in seen:
        for place, colour in enumerate(one.colours):
            yield Worn(one.words, colour, one.share * (0.5 if one.name == SKIN else 1.0) / (place + 1))


def _fabrics(owner: User, worn: Sequence[Worn]) -> list[Suggestion]:
    rows = Pattern.objects.ready().filter(Q(owner=owner) | Q(public=True)).exclude(palette=[])
    found = []
    for row in rows[:LOOKED_AT]:
        pair = pairing(row.palette, row.coverage, worn)
        if pair is not None:
            found.append(Suggestion(pair, tuple(row.palette), fabric=row))
    return _varied(found, FABRICS)


def _colourways(fabric: Pattern, worn: Sequence[Worn]) -> list[Suggestion]:
    """Palettes for the inks of ``fabric``: those with a name, and by the rules from each colour that is worn."""
    inks, shares = len(fabric.palette), fabric.coverage
    palettes = {name: fit_palette(colours, inks) for name, colours in PALETTES.items()}
    for one in worn[:3]:
        led = [fabric.palette[0], one.colour, *fabric.palette[2:]]
        for rule in ("complementary", "analogous", "split complementary"):
            made = harmonised(led, rule, {1})
            # What is worn already is not dyed again: the colour across from it comes to the front.
            palettes[f"{rule}, from {one.words}"] = (made[0], made[2], made[1], *made[3:])
    found = []
    for name, colours in palettes.items():
        pair = pairing(colours, shares, worn)
        if pair is not None and list(colours) != fabric.palette:
            found.append(Suggestion(pair, tuple(colours), fabric=fabric, name=name))
    return _varied(found, COLOURWAYS)


def _varied(found: list[Suggestion], count: int) -> list[Suggestion]:
    """The best, but not the same reason again and again: each time it is given it counts a tenth less."""
    left, chosen, told = sorted(found, key=lambda one: -one.pair.score), list[Suggestion](), dict[str, int]()
    while left and len(chosen) < count:
        best = max(left, key=lambda one: one.pair.score * 0.85 ** told.get(one.reason, 0))
        left.remove(best)
        chosen.append(best)
        told[best.reason] = told.get(best.reason, 0) + 1
    return chosen
