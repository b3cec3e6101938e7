"""Every run of the library as one frozen, serialisable value: enough to make the image again.

Imports no torch, so a web process can build and check requests.  ``to_dict``/``from_dict`` are exact
inverses; unknown keys and out-of-range values raise :class:`BadInput`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .errors import BadInput

PATTERN_TYPES = (
    "floral",
    "striped",
    "plaid",
    "dotted",
    "zigzag",
    "geometric",
    "animal",
    "paisley",
    "camouflage",
    "abstract",
)
"""The ten pattern types; the index is the class label of the conditional networks."""

GARMENT_CLASSES = ("background", "top", "outerwear", "dress", "skirt", "trousers", "other", "skin")
"""Segmentation classes; the index is the pixel value of a class map.

``other`` is other cloth (tights, scarves, hats ...), ``skin`` is skin and hair; shoes and bags are background.
"""

CLOTH_CLASSES = GARMENT_CLASSES[1:7]
"""The classes that are cloth and can wear a pattern."""

REPEATS = ("basic", "half-drop", "half-brick", "mirror")
ENGINES = ("dcgan", "drawn")

MIN_INKS, MAX_INKS = 4, 6
MAX_SEED = 2**31 - 1
MAX_SIZE = 4096
"""Largest side, in pixels, of a generated tile."""

_HEX_COLOUR = re.compile(r"#[0-9a-f]{6}")


def parse_palette(value: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """``'#7a1f2b,#F3E9DC'`` or a sequence of such -> lower-case hex colours, two to ``MAX_INKS`` of them."""
    parts = value.split(",") if isinstance(value, str) else list(value)
    colours = tuple(str(part).strip().lower() for part in parts)
    for colour in colours:
        if not _HEX_COLOUR.fullmatch(colour):
            raise BadInput(f"{colour!r} is not a colour; write it like #7a1f2b.")
    if not 2 <= len(colours) <= MAX_INKS:
        raise BadInput(f"A palette has 2 to {MAX_INKS} colours, not {len(colours)}.")
    return colours


@dataclass(frozen=True)
class Request:
    """Base of all requests; subclasses validate in ``__post_init__``."""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict; tuples become lists."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise BadInput(f"Unknown parameter: {', '.join(unknown)}.")
        try:
            return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})
        except TypeError as error:
            raise BadInput(f"The request is incomplete or malformed: {error}.") from error


@dataclass(frozen=True)
class GenerateRequest(Request):
    """One fabric tile from one seed.

    ``palette`` of None means the seed chooses it.  ``model`` names the ModelVersion (``name@sha256-prefix``) that a
    dreamed tile came from; a drawn tile has none.

    "More like this": with ``vary_of`` the tile is a variation of that seed's tile, from the very same (``vary_amount``
    0) to another design of its neighbourhood (1); ``seed`` chooses which way it goes.  It wears that seed's palette
    unless one is given.  The renderer cannot blend designs: a drawn tile only keeps the palette.
    """

    pattern_type: str
    seed: int
    size: int = 512
    engine: str = "dcgan"
    palette: tuple[str, ...] | None = None
    model: str | None = None
    vary_of: int | None = None
    vary_amount: float = 0.0

    def __post_init__(self) -> None:
        _one_of("pattern type", self.pattern_type, PATTERN_TYPES)
        _one_of("engine", self.engine, ENGINES)
        _integer("seed", self.seed, 0, MAX_SEED)
        _integer("size", self.size, 32, MAX_SIZE)
        if self.vary_of is not None:
            _integer("seed to vary", self.vary_of, 0, MAX_SEED)
        _number("amount of variation", self.vary_amount, 0.0, 1.0)
        if self.palette is not None:
            object.__setattr__(self, "palette", parse_palette(self.palette))


@dataclass(frozen=True)
class OverlayRequest(Request):
    """How a tile is worn.

    ``garments`` empty means all cloth.  ``scale_cm`` is the side of one tile on the cloth, ``shoulder_cm`` the assumed
    shoulder width that ties pixels to centimetres, ``rotate`` degrees counter-clockwise, offsets in tile sides,
    ``strength`` 0 (the photo) to 1 (the fabric).
    """

    garments: tuple[str, ...] = ()
    scale_cm: float = 16.0
    rotate: float = 0.0
    offset_x: float = 0.0
    offset_y: float = 0.0
    repeat: str = "basic"
    strength: float = 1.0
    shoulder_cm: float = 40.0

    def __post_init__(self) -> None:
        for garment in self.garments:
            _one_of("garment", garment, CLOTH_CLASSES)
        _one_of("repeat", self.repeat, REPEATS)
        _number("scale", self.scale_cm, 1.0, 200.0)
        _number("rotation", self.rotate, -360.0, 360.0)
        _number("horizontal offset", self.offset_x, -10.0, 10.0)
        _number("vertical offset", self.offset_y, -10.0, 10.0)
        _number("strength", self.strength, 0.0, 1.0)
        _number("shoulder width", self.shoulder_cm, 10.0, 100.0)


def _one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadInput(f"{value!r} is not a {what}; choose one of {', '.join(allowed)}.")


def _integer(what: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"The {what} must be a whole number from {low} to {high}, not {value!r}.")


def _number(what: str, value: object, low: float, high: float) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        raise BadInput(f"The {what} must be a number from {low:g} to {high:g}, not {value!r}.")
