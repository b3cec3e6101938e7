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

from .errors import BadInput, quoted
from .swatches import MAX_INKS as MAX_INKS
from .swatches import MAX_SEED as MAX_SEED
from .swatches import MAX_SIZE as MAX_SIZE
from .swatches import MIN_INKS as MIN_INKS
from .swatches import TYPES

PATTERN_TYPES = tuple(TYPES)
"""The pattern types' names; the index is the class label of the conditional networks."""

GARMENT_CLASSES = ("background", "top", "outerwear", "dress", "skirt", "trousers", "other", "skin")
"""Segmentation classes; the index is the pixel value of a class map.

``other`` is other cloth (tights, scarves, gloves ...), ``skin`` is skin and hair; shoes, bags and hats are background.
"""

CLOTH_CLASSES = GARMENT_CLASSES[1:7]
"""The classes that are cloth and can wear a pattern."""

MAX_GARMENTS = 12
"""Garments of one photo that are told apart, and parts of an outfit."""

MAX_PHOTO_SIDE = 65_535
"""Pixels that a JPEG's side can have."""

MAX_TAPS = 32
"""Taps that make one mask."""

REPEATS = ("basic", "half-drop", "half-brick", "mirror")
ENGINES = ("dreamed", "drawn")
"""How a fabric is made: by a network, whichever it is, or by the renderer."""
RESTYLE_ENGINES = IMAGINE_ENGINES = ("fabric", "diffusion")
SKETCHES = ("none", "fabric")
SCHEDULERS = ("euler", "dpm++", "lcm")
NORMALISATIONS = ("sigmoid", "ndtr", "minmax")

MAX_PROMPT = 500
"""Characters of a prompt."""
MAX_MODEL = 160
"""Characters of a model's name or reference."""
MAX_LORAS = 16
"""LoRAs that one picture may mix in."""

MAX_NAMED = 120
"""Characters of wrong names that a sentence repeats."""

_LORA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_HEX_COLOUR = re.compile(r"#[0-9a-f]{6}")


def engine_of(name: object) -> object:
    """What the name of an engine of :data:`ENGINES` means today: ``dcgan`` stood for every network while there was one.

    The only place that knows the old word.  Recipes in files, requests of jobs, bookmarks, programs and shell lines go
    on using it; any other value comes back as it is, to be judged like every other.
    """
    return "dreamed" if name == "dcgan" else name


def parse_palette(value: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """``'#7a1f2b,#F3E9DC'`` or a sequence of such -> lower-case hex colours, two to ``MAX_INKS`` of them."""
    parts = value.split(",") if isinstance(value, str) else list(value)
    counted = f"A palette has 2 to {MAX_INKS} colours, not {len(parts)}."
    if len(parts) > MAX_INKS:
        raise BadInput(counted)
    colours = tuple(str(part).strip().lower() for part in parts)
    for colour in colours:
        if not _HEX_COLOUR.fullmatch(colour):
            raise BadInput(f"{quoted(colour)} is not a colour; write it like #7a1f2b.")
    if len(colours) < 2:
        raise BadInput(counted)
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
            raise BadInput(f"Unknown parameter: {', '.join(unknown[:3])[:MAX_NAMED]}.")
        try:
            return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})
        except TypeError as error:
            raise BadInput(f"The request is incomplete or malformed: {str(error)[:MAX_NAMED]}.") from error


@dataclass(frozen=True)
class GenerateRequest(Request):
    """One fabric tile from one seed.

    ``palette`` of None means the seed chooses it.  ``model`` names the ModelVersion (``name@sha256-prefix``) that a
    dreamed tile came from; a drawn tile has none.

    "More like this": with ``vary_of`` the tile is a variation of that seed's tile, from the very same (``vary_amount``
    0) to another design of its neighbourhood (1); ``seed`` chooses which way it goes.  It wears that seed's palette
    unless one is given.  The renderer cannot blend designs: a drawn tile only keeps the palette.

    A morph: ``morph_to`` is the seed of another fabric, of ``morph_type`` (None: of the same type), and the tile lies
    ``morph_amount`` of the way there, from this fabric (0) to that one (1), its colours too.  ``colours_of`` is the
    seed whose palette is worn instead.  ``detail_of`` keeps the layout and draws it as that seed's fabric is drawn.  A
    palette that is given goes before all of these.  Drawn tiles can only take colours.
    """

    pattern_type: str
    seed: int
    size: int = 512
    engine: str = "dreamed"
    palette: tuple[str, ...] | None = None
    model: str | None = None
    vary_of: int | None = None
    vary_amount: float = 0.0
    morph_to: int | None = None
    morph_amount: float = 0.0
    morph_type: str | None = None
    colours_of: int | None = None
    detail_of: int | None = None

    def __post_init__(self) -> None:
        _one_of("pattern type", self.pattern_type, PATTERN_TYPES)
        object.__setattr__(self, "engine", engine_of(self.engine))
        _one_of("engine", self.engine, ENGINES)
        _integer("seed", self.seed, 0, MAX_SEED)
        _integer("size", self.size, 32, MAX_SIZE)
        if self.vary_of is not None:
            _integer("seed to vary", self.vary_of, 0, MAX_SEED)
        _number("amount of variation", self.vary_amount, 0.0, 1.0)
        self._check_moves()
        if self.palette is not None:
            object.__setattr__(self, "palette", parse_palette(self.palette))
        _model(self.model)

    def _check_moves(self) -> None:
        others = {"to morph to": self.morph_to, "to take colours of": self.colours_of, "to draw like": self.detail_of}
        for what, seed in others.items():
            if seed is not None:
                _integer(f"seed {what}", seed, 0, MAX_SEED)
        _number("amount of the morph", self.morph_amount, 0.0, 1.0)
        if self.morph_type is not None:
            _one_of("pattern type", self.morph_type, PATTERN_TYPES)
        if self.morph_to is None and (self.morph_type is not None or self.morph_amount):
            raise BadInput("A morph needs the seed of the fabric that it goes to.")
        if self.engine == "drawn" and self.morph_to is not None:
            raise BadInput("Drawn fabrics cannot be morphed; choose dreamed ones.")
        if self.engine == "drawn" and self.detail_of is not None:
            raise BadInput("A drawn fabric cannot take the drawing of another; choose a dreamed one.")


@dataclass(frozen=True)
class OverlayRequest(Request):
    """How a tile is worn.

    ``garments`` empty means all cloth; :func:`parse_garment` tells their names.  ``scale_cm`` is the side of one tile
    on the cloth, ``shoulder_cm`` the assumed shoulder width that ties pixels to centimetres, ``rotate`` degrees
    counter-clockwise, offsets in tile sides, ``strength`` 0 (the photo) to 1 (the fabric).
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
            parse_garment(garment)
        object.__setattr__(self, "garments", tuple(dict.fromkeys(self.garments)))
        _one_of("repeat", self.repeat, REPEATS)
        _number("scale", self.scale_cm, 1.0, 200.0)
        _number("rotation", self.rotate, -360.0, 360.0)
        _number("horizontal offset", self.offset_x, -10.0, 10.0)
        _number("vertical offset", self.offset_y, -10.0, 10.0)
        _number("strength", self.strength, 0.0, 1.0)
        _number("shoulder width", self.shoulder_cm, 10.0, 100.0)


@dataclass(frozen=True)
class OutfitRequest(Request):
    """Several garments of one photo, each wearing a fabric of its own; the tiles come beside it, one a part.

    A garment belongs to one part at most.  Only a part that is alone may leave its garments open (all cloth).
    """

    parts: tuple[OverlayRequest, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.parts) <= MAX_GARMENTS:
            raise BadInput(f"An outfit has 1 to {MAX_GARMENTS} parts, not {len(self.parts)}.")
        named = [garment for part in self.parts for garment in part.garments]
        if len(self.parts) > 1 and not all(part.garments for part in self.parts):
            raise BadInput("Each part of an outfit names its garments.")
        if len(set(named)) < len(named):
            raise BadInput("A garment can wear one fabric only; it is named in two parts of the outfit.")

    def to_dict(self) -> dict[str, Any]:
        return {"parts": [part.to_dict() for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        if set(data) != {"parts"} or not isinstance(data["parts"], list | tuple):
            raise BadInput("An outfit is a list of parts.")
        if not all(isinstance(part, Mapping) for part in data["parts"]):
            raise BadInput("Each part of an outfit says how its fabric is worn.")
        return cls(tuple(OverlayRequest.from_dict(part) for part in data["parts"]))


@dataclass(frozen=True)
class TapRequest(Request):
    """Taps that say which garment is meant: each (x, y, on) in whole pixels of the photo, ``on`` False for what is not
    of it.  ``width`` and ``height`` are the photo's; ``garment`` names the one whose mask is to be mended, None begins
    with nothing, and then one tap at least is on the garment.
    """

    width: int
    height: int
    taps: tuple[tuple[int, int, bool], ...]
    garment: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            _integer(f"{name} of the photo", side, 1, MAX_PHOTO_SIDE)
        if not isinstance(self.taps, list | tuple) or not 1 <= len(self.taps) <= MAX_TAPS:
            raise BadInput(f"A mask is made of 1 to {MAX_TAPS} taps.")
        object.__setattr__(self, "taps", tuple(self._tap(each) for each in self.taps))
        if self.garment is not None:
            parse_garment(self.garment)
        elif not any(on for _, _, on in self.taps):
            raise BadInput("At least one tap must be on the garment.")

    def _tap(self, tap: object) -> tuple[int, int, bool]:
        if not isinstance(tap, list | tuple) or len(tap) != 3 or not isinstance(tap[2], bool):
            raise BadInput("A tap is x, y and whether it is on the garment.")
        x, y, on = tap
        _integer("x of a tap", x, 0, self.width - 1)
        _integer("y of a tap", y, 0, self.height - 1)
        return x, y, on

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {"taps": [list(each) for each in self.taps]}


@dataclass(frozen=True)
class TextMaskRequest(Request):
    """Where in a photo the words are.

    ``prompt`` is one or several phrases, parted by commas, semicolons or "and"; a phrase that begins with "not",
    "without" or "except" is taken away again.  ``normalise`` maps logits to 0..1: ``sigmoid``, ``ndtr`` (the normal CDF
    of the standardised logits) or ``minmax``.  ``threshold`` of None keeps the soft mask.  ``grow`` (negative shrinks)
    and ``feather`` are percent of the photo's longer side.  ``refine`` snaps the mask to the edges of the full photo.
    """

    prompt: str
    normalise: str = "sigmoid"
    threshold: float | None = None
    grow: float = 0.0
    feather: float = 0.0
    refine: bool = True
    model: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", parse_prompt(self.prompt, "words for the region"))
        _one_of("normalisation", self.normalise, NORMALISATIONS)
        if self.threshold is not None:
            _number("threshold", self.threshold, 0.01, 0.99)
        _number("growth", self.grow, -10.0, 10.0)
        _number("feather", self.feather, 0.0, 10.0)
        _model(self.model)


@dataclass(frozen=True)
class RestyleRequest(Request):
    """One picture: the masked region of a photo repainted from words, from one seed.

    None means the model's own (its package names its defaults, else 25 steps at guidance 6.5 and its training size).
    ``strength`` 1 repaints from nothing, less keeps some of what was there.  ``sketch`` says what that is: the old
    cloth ("none"), or the photo wearing a drawn fabric of the same words ("fabric").  A strength alone means "none": a
    package's own sketch goes with the package's own strength.  ``loras`` are ``NAME:STRENGTH``.  The fabric engine
    reads ``prompt`` and ``seed`` only.
    """

    prompt: str
    seed: int
    engine: str = "fabric"
    negative_prompt: str = ""
    steps: int | None = None
    guidance: float | None = None
    size: int | None = None
    strength: float | None = None
    scheduler: str | None = None
    loras: tuple[str, ...] = ()
    model: str | None = None
    sketch: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", parse_prompt(self.prompt, "words for the new style"))
        _one_of("engine", self.engine, RESTYLE_ENGINES)
        _check_sampling(self)
        if self.strength is not None:
            _number("strength", self.strength, 0.05, 1.0)
        if self.sketch is not None:
            _one_of("sketch", self.sketch, SKETCHES)


@dataclass(frozen=True)
class ImagineRequest(Request):
    """One picture from words alone, from one seed; the fields mean what they mean in :class:`RestyleRequest`.

    The fabric engine dresses one of our own garments, and reads ``prompt``, ``seed`` and ``size`` only.
    """

    prompt: str
    seed: int
    negative_prompt: str = ""
    steps: int | None = None
    guidance: float | None = None
    size: int | None = None
    scheduler: str | None = None
    loras: tuple[str, ...] = ()
    model: str | None = None
    engine: str = "diffusion"

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", parse_prompt(self.prompt, "words for the picture"))
        _one_of("engine", self.engine, IMAGINE_ENGINES)
        _check_sampling(self)


def _check_sampling(request: RestyleRequest | ImagineRequest) -> None:
    """What every diffusion run has in common."""
    _integer("seed", request.seed, 0, MAX_SEED)
    if not isinstance(request.negative_prompt, str) or len(request.negative_prompt) > MAX_PROMPT:
        raise BadInput(f"The words to avoid must be at most {MAX_PROMPT} characters.")
    if request.steps is not None:
        _integer("number of steps", request.steps, 1, 150)
    if request.guidance is not None:
        _number("guidance", request.guidance, 0.0, 30.0)
    if request.size is not None:
        _integer("size", request.size, 64, 2048)
        if request.size % 64:
            raise BadInput(f"The size must be a multiple of 64, not {quoted(request.size)}.")
    if request.scheduler is not None:
        _one_of("scheduler", request.scheduler, SCHEDULERS)
    if len(request.loras) > MAX_LORAS:
        raise BadInput(f"A picture can mix in at most {MAX_LORAS} LoRAs; these are {len(request.loras)}.")
    for lora in request.loras:
        parse_lora(lora)
    _model(request.model)


def parse_prompt(value: object, what: str = "words") -> str:
    """The words with their white space evened out; empty, overlong or unprintable ones raise :class:`BadInput`."""
    if not isinstance(value, str):
        raise BadInput(f"The {what} must be text.")
    text = " ".join(value.split())
    if not text:
        raise BadInput(f"Please give some {what}.")
    if len(text) > MAX_PROMPT:
        raise BadInput(f"The {what} can be at most {MAX_PROMPT} characters; these are {len(text)}.")
    if not text.isprintable():
        raise BadInput(f"The {what} hold characters that cannot be read.")
    return text


def parse_garment(name: object) -> int:
    """The value of a garment in a class map: ``"top"`` -> 1, the photo's second top ``"top-2"`` -> 9.

    A garment is called by its class, from the second of that class on with its number (largest first); its value is
    the class index plus 8 for each one before it, so the class of a value is ``value % 8``.
    """
    kind, _, number = name.partition("-") if isinstance(name, str) else ("", "", "")
    _one_of("garment", kind, CLOTH_CLASSES)
    if number and (not re.fullmatch(r"[1-9][0-9]?", number) or not 2 <= int(number) <= MAX_GARMENTS):
        raise BadInput(f"{str(name)[:40]!r} is not a garment; the second top is called top-2, for instance.")
    return GARMENT_CLASSES.index(kind) + len(GARMENT_CLASSES) * (int(number or 1) - 1)


def garment_name(value: int) -> str:
    """Inverse of :func:`parse_garment`: 1 -> ``"top"``, 9 -> ``"top-2"``."""
    before, kind = divmod(value, len(GARMENT_CLASSES))
    name = GARMENT_CLASSES[kind]
    return f"{name}-{before + 1}" if before else name


def parse_lora(value: object) -> tuple[str, float]:
    """``"linen:0.8"`` -> ("linen", 0.8); a bare name has strength 1."""
    name, _, strength = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not _LORA_NAME.fullmatch(name):
        raise BadInput(f"{quoted(value)} is not a LoRA; write NAME:STRENGTH, for instance linen:0.8.")
    try:
        amount = float(strength or 1.0)
    except ValueError as error:
        raise BadInput(f"{quoted(value)} is not a LoRA; write NAME:STRENGTH, for instance linen:0.8.") from error
    _number("strength of a LoRA", amount, -2.0, 2.0)
    return name, amount


def _model(value: object) -> None:
    if value is not None and not (isinstance(value, str) and len(value) <= MAX_MODEL and value.isprintable()):
        raise BadInput(f"A model is named by at most {MAX_MODEL} characters, as name or name@hash.")


def _one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        article = "an" if what[0] in "aeiou" else "a"
        raise BadInput(f"{quoted(value)} is not {article} {what}; choose one of {', '.join(allowed)}.")


def _integer(what: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"The {what} must be a whole number from {low} to {high}, not {quoted(value)}.")


def _number(what: str, value: object, low: float, high: float) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        raise BadInput(f"The {what} must be a number from {low:g} to {high:g}, not {quoted(value)}.")
