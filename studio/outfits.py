"""An outfit in an address: today's parameters say what the chosen garment wears, ``wear`` what each other part wears.

``wear=skirt*top-2_<pattern>_22.5_90_0.25_-0.5_half-drop_0.8`` names the garments, the pattern, scale, turn, shift
across and down, repeat, strength, and 1 for mirrored pairs; what is left out at the end, or empty, is as usual.  No
character of it has to be escaped.  ``static/js/outfit.js`` writes and reads the same.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ml_backend.errors import BadInput
from ml_backend.requests import (
    CLOTH_CLASSES,
    GARMENT_CLASSES,
    MAX_GARMENTS,
    OverlayRequest,
    garment_name,
    parse_garment,
)

USUAL: dict[str, Any] = {
    "scale_cm": 18.0,
    "rotate": 0.0,
    "offset_x": 0.0,
    "offset_y": 0.0,
    "repeat": "basic",
    "strength": 1.0,
    "mirrored": False,
}
"""The fit of a fabric that nobody has moved, in the order of an address."""

EVERYTHING, FIRST, NONE = "all", "first", "none"
"""Words of an address: every garment of the photo, its largest one, and (as a pattern) none: as photographed."""

MAX_WORDS = 400
"""Characters of one ``wear``."""

GARMENT_NAMES = tuple(
    garment_name(parse_garment(kind) + len(GARMENT_CLASSES) * before)
    for kind in CLOTH_CLASSES
    for before in range(MAX_GARMENTS)
)
"""Every name that a garment of a photo can have."""

WORDS = {"outerwear": "jacket", "other": "other cloth"}
"""What people call a class of garments, where that is not its name."""
_NUMBERS = ("", "", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ORDINALS = tuple(f"{number} {{garment}}" for number in (*_NUMBERS[2:], "11th", "12th"))
"""How those after the first are named."""


@dataclass(frozen=True)
class Worn:
    """A pattern, by its id, and how it is worn."""

    pattern: uuid.UUID
    request: OverlayRequest


def read(text: str) -> Worn:
    """One ``wear`` of an address or a form; :class:`BadInput` where it is none."""
    names, _, rest = text[: MAX_WORDS + 1].partition("_")
    pattern, *values = rest.split("_")
    if len(text) > MAX_WORDS or len(values) > len(USUAL):
        raise BadInput("This outfit cannot be read.")
    try:
        given = {
            name: _read(usual, value)
            for (name, usual), value in zip(USUAL.items(), values, strict=False)
            if value != ""
        }
        return Worn(uuid.UUID(pattern), OverlayRequest(tuple(names.split("*")), **{**USUAL, **given}))
    except ValueError as error:
        raise BadInput("This outfit cannot be read.") from error


def _read(usual: Any, value: str) -> Any:
    return ("0", "1").index(value) == 1 if isinstance(usual, bool) else type(usual)(value)


def written(worn: Worn) -> str:
    """The ``wear`` that :func:`read` reads."""
    said = fit_words(worn.request)
    values = [said.get(name, "") for name in USUAL]
    while values and not values[-1]:
        values.pop()
    return "_".join(["*".join(worn.request.garments), worn.pattern.hex, *values])


def without(worn: Worn, garments: Collection[str]) -> Worn | None:
    """The same for what is left without ``garments``; None where nothing is."""
    left = tuple(name for name in worn.request.garments if name not in garments)
    return Worn(worn.pattern, dataclasses.replace(worn.request, garments=left)) if left else None


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(value, 3):g}"


def fit_words(request: OverlayRequest) -> dict[str, str]:
    """The parameters of an address for a fit, as far as it is not the usual one."""
    fit = request.to_dict()
    return {name: _plain(fit[name]) for name, usual in USUAL.items() if fit[name] != usual}


def apart(texts: Iterable[str], taken: Sequence[str], present: Sequence[str]) -> list[Worn]:
    """The readable ones of ``texts``, in which no garment is worn twice, nor one of ``taken``, nor one not ``present``.

    An address can be old or mistyped: what cannot be is left out.
    """
    known, free = [], {*present} - {*taken}
    for text in list(texts)[:MAX_GARMENTS]:
        try:
            worn = read(text)
        except BadInput:
            continue
        if free.issuperset(worn.request.garments):
            known.append(worn)
            free -= {*worn.request.garments}
    return known


def plain_words(name: str) -> str:
    """What people call a garment: ``outerwear`` -> jacket, ``top-2`` -> second top."""
    kind, _, number = name.partition("-")
    word = WORDS.get(kind, kind)
    if not number:
        return word
    return f"{_NUMBERS[int(number)] if int(number) < len(_NUMBERS) else number + 'th'} {word}"


def listed(names: Sequence[str]) -> str:
    """``jacket, top and second top``."""
    words = [plain_words(name) for name in names]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
