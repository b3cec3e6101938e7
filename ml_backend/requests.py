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

from .engines import IMAGINE, RESTYLE
from .errors import BadInput, quoted
from .lattices import LATTICES
from .swatches import MAX_INKS as MAX_INKS
from .swatches import MAX_SEED as MAX_SEED
from .swatches import MAX_SIZE as MAX_SIZE
from .swatches import MIN_INKS as MIN_INKS
from .swatches import SUBTYPES, TYPES

PATTERN_TYPES = tuple(TYPES)
"""The pattern types' names; the index is the class label of the conditional networks."""

SUBTYPE_NAMES = tuple(SUBTYPES)
"""The names of the designs that can be asked for one by one."""

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

REPEATS = tuple(LATTICES)
"""How a tile may be laid on cloth; see :mod:`.lattices`."""
ENGINES = ("dreamed", "drawn")
"""How a fabric is made: by a network, whichever it is, or by the renderer."""
PHOTOGRAPHED = "photographed"
"""A fabric that no engine made: cut from a photo of a real cloth, once."""
RESTYLE_ENGINES, IMAGINE_ENGINES = tuple(RESTYLE), tuple(IMAGINE)
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
class Rule:
    """What a field of a request may be: said here once for requests, forms, the API and pages.

    ``what`` names the field in a sentence, ``says`` tells programs what it does.
    """

    what: str = ""
    says: str = ""

    def clean(self, value: Any) -> Any:
        """``value`` as the request keeps it.  Raises :class:`BadInput`."""
        return value

    def schema(self) -> dict[str, Any]:
        """What JSON Schema says of it."""
        return {}

    def html(self) -> dict[str, Any]:
        """The attributes of an input."""
        return {}


@dataclass(frozen=True)
class Whole(Rule):
    """A whole number from ``low`` to ``high``, a multiple of ``step``."""

    low: int = 0
    high: int = 0
    step: int = 1

    def clean(self, value: Any) -> Any:
        _integer(self.what, value, self.low, self.high)
        if value % self.step:
            raise BadInput(f"The {self.what} must be a multiple of {self.step}, not {quoted(value)}.")
        return value

    def schema(self) -> dict[str, Any]:
        return {"minimum": self.low, "maximum": self.high}

    def html(self) -> dict[str, Any]:
        return {"min": self.low, "max": self.high, "step": self.step}


@dataclass(frozen=True)
class Number(Rule):
    """A number from ``low`` to ``high``; ``step`` is that of an input, any without one."""

    low: float = 0.0
    high: float = 1.0
    step: float | None = None

    def clean(self, value: Any) -> Any:
        _number(self.what, value, self.low, self.high)
        return value

    def schema(self) -> dict[str, Any]:
        return {"minimum": self.low, "maximum": self.high}

    def html(self) -> dict[str, Any]:
        return {"min": f"{self.low:g}", "max": f"{self.high:g}", "step": f"{self.step:g}" if self.step else "any"}


@dataclass(frozen=True)
class OneOf(Rule):
    """One of ``names``."""

    names: tuple[str, ...] = ()

    def today(self, value: Any) -> Any:
        """What a name of before is called today."""
        return value

    def clean(self, value: Any) -> Any:
        value = self.today(value)
        _one_of(self.what, value, self.names)
        return value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.names)}


@dataclass(frozen=True)
class Engine(OneOf):
    """An engine, by the name of today or by that of before."""

    def today(self, value: Any) -> Any:
        return engine_of(value)

    def clean(self, value: Any) -> Any:
        """What is there may tell that it was photographed; who asks for a fabric chooses among the names."""
        return value if value == PHOTOGRAPHED else super().clean(value)


@dataclass(frozen=True)
class Prompt(Rule):
    """Words that say something."""

    def clean(self, value: Any) -> Any:
        return parse_prompt(value, self.what)

    def html(self) -> dict[str, Any]:
        return {"maxlength": MAX_PROMPT}


@dataclass(frozen=True)
class Words(Prompt):
    """Words that may be missing."""

    def clean(self, value: Any) -> Any:
        if not isinstance(value, str) or len(value) > MAX_PROMPT:
            raise BadInput(f"The {self.what} must be at most {MAX_PROMPT} characters.")
        return value


@dataclass(frozen=True)
class Palette(Rule):
    """Two to ``MAX_INKS`` colours."""

    def clean(self, value: Any) -> Any:
        return parse_palette(value)


@dataclass(frozen=True)
class ModelName(Rule):
    """A model by name or reference."""

    def clean(self, value: Any) -> Any:
        if not (isinstance(value, str) and len(value) <= MAX_MODEL and value.isprintable()):
            raise BadInput(f"A model is named by at most {MAX_MODEL} characters, as name or name@hash.")
        return value


@dataclass(frozen=True)
class Loras(Rule):
    """``NAME:STRENGTH``, at most ``MAX_LORAS`` of them."""

    def clean(self, value: Any) -> Any:
        if len(value) > MAX_LORAS:
            raise BadInput(f"A picture can mix in at most {MAX_LORAS} LoRAs; these are {len(value)}.")
        for lora in value:
            parse_lora(lora)
        return value


@dataclass(frozen=True)
class Garments(Rule):
    """Garments of a photo, each once."""

    def clean(self, value: Any) -> Any:
        for garment in value:
            parse_garment(garment)
        return tuple(dict.fromkeys(value))


@dataclass(frozen=True)
class Corners(Rule):
    """x and y of four corners, each 0 to 1."""

    def clean(self, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != 8:
            raise BadInput("The corners of the cloth are four points in the photo, each x and y from 0 to 1.")
        for number in value:
            _number("place of a corner", number, 0.0, 1.0)
        return tuple(float(number) for number in value)


@dataclass(frozen=True)
class Period(Rule):
    """Width and height of a repeat in pixels."""

    def clean(self, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise BadInput("A repeat is as wide and as high as two numbers say.")
        for number in value:
            _number("side of the repeat", number, 8.0, 1024.0)
        return tuple(float(number) for number in value)


def ruled(rule: Rule, default: Any = dataclasses.MISSING) -> Any:
    """A field of a request that keeps to ``rule``; where None is the default, None is always right."""
    return dataclasses.field(default=default, metadata={"rule": rule})


SERVING = ModelName(says="Name or name@hash, whole, from the choices of /api/v1/models; null is the one that serves.")
STEPS = Whole("number of steps", "Null: the model's own.", 1, 150)
GUIDANCE = Number("guidance", "Null: the model's own.", 0.0, 30.0)
WORKING_SIZE = Whole("size", "Side the model works at, a multiple of 64; null is its own.", 64, 2048, 64)
SCHEDULER = OneOf("scheduler", names=SCHEDULERS)
AVOIDED = Words("words to avoid", "What should not be in it.")
LORAS = Loras(says=f"NAME or NAME:STRENGTH, names from /api/v1/models; at most {MAX_LORAS}.")
LORA_STRENGTH = Number("strength of a LoRA", low=-2.0, high=2.0, step=0.05)


@dataclass(frozen=True)
class Request:
    """Base of all requests.  Each field keeps to its rule; what concerns several fields subclasses check after that."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, rule = getattr(self, field.name), field.metadata.get("rule")
            if rule is not None and not (value is None and field.default is None):
                object.__setattr__(self, field.name, rule.clean(value))

    @classmethod
    def rules(cls) -> dict[str, Rule]:
        """The rules of its fields, by name."""
        return {field.name: field.metadata["rule"] for field in dataclasses.fields(cls) if "rule" in field.metadata}

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

    ``subtype`` is the design of the type that is meant, by its name; None leaves it to the seed.  It is drawn,
    whichever engine is asked for.
    """

    pattern_type: str = ruled(OneOf("pattern type", names=PATTERN_TYPES))
    seed: int = ruled(Whole("seed", high=MAX_SEED))
    size: int = ruled(Whole("size", low=32, high=MAX_SIZE), 512)
    engine: str = ruled(
        Engine("engine", "By a network, or by the renderer; dcgan is the old word for dreamed.", ENGINES), "dreamed"
    )
    palette: tuple[str, ...] | None = ruled(
        Palette(says="2 to 6 colours like #7a1f2b; null lets the seed choose."), None
    )
    model: str | None = ruled(
        ModelName(says="Which model dreams: a name or reference that /api/v1/models offers; null: the default."), None
    )
    vary_of: int | None = ruled(Whole("seed to vary", "Seed of which these are variations.", high=MAX_SEED), None)
    vary_amount: float = ruled(Number("amount of variation", "How far a variation goes, 0 to 1."), 0.0)
    morph_to: int | None = ruled(
        Whole("seed to morph to", "Blend with the fabric of this seed; dreamed only.", high=MAX_SEED), None
    )
    morph_amount: float = ruled(
        Number("amount of the morph", "How far a blend goes, 0 (this one) to 1 (that one).", step=0.01), 0.0
    )
    morph_type: str | None = ruled(OneOf("pattern type", "Type of that fabric; null: the same.", PATTERN_TYPES), None)
    colours_of: int | None = ruled(
        Whole("seed to take colours of", "Wear the palette that this seed would choose.", high=MAX_SEED), None
    )
    detail_of: int | None = ruled(
        Whole(
            "seed to draw like",
            "Keep the layout, draw it as the fabric of this seed is drawn; dreamed only.",
            high=MAX_SEED,
        ),
        None,
    )
    subtype: str | None = ruled(
        OneOf(
            "subtype",
            "A design of the type that has a name, houndstooth for instance; it is always drawn. Null: any.",
            SUBTYPE_NAMES,
        ),
        None,
    )

    repeat: str = ruled(
        OneOf("repeat", "The repeat that the fabric is made for: beyond its edges lies what this lays there.", REPEATS),
        "basic",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.subtype is not None:
            self._draw_subtype(self.subtype)
        if self.morph_to is None and (self.morph_type is not None or self.morph_amount):
            raise BadInput("A morph needs the seed of the fabric that it goes to.")
        if self.engine == "drawn" and self.morph_to is not None:
            raise BadInput("Drawn fabrics cannot be morphed; choose dreamed ones.")
        if self.engine == "drawn" and self.detail_of is not None:
            raise BadInput("A drawn fabric cannot take the drawing of another; choose a dreamed one.")

    def _draw_subtype(self, subtype: str) -> None:
        """Networks know types only, so whoever asks for a subtype asks for the renderer."""
        kind, record = SUBTYPES[subtype]
        if kind != self.pattern_type:
            raise BadInput(f"A {record.title} is one of the {kind} fabrics, not of the {self.pattern_type} ones.")
        if self.model is not None:
            raise BadInput(f"No model has learned {record.title} by name; leave the model away, and it is drawn.")
        object.__setattr__(self, "engine", "drawn")


@dataclass(frozen=True)
class ClothRequest(Request):
    """One tile of a photographed cloth.

    ``corners`` are x and y of its four corners, as shares of the photo, clockwise from the upper left one; None: the
    whole photo.  ``period`` is the width and height of the repeat in pixels of the cloth seen from straight above (its
    longer side 1024); None: it is looked for.  ``whole_piece`` takes a piece and joins its edges, repeat or not.
    ``side_cm`` is the side of the tile on the cloth.
    """

    corners: tuple[float, ...] | None = ruled(Corners(says="Eight shares of the photo; null: the whole of it."), None)
    period: tuple[float, ...] | None = ruled(Period(says="Two sides in pixels; null: looked for."), None)
    whole_piece: bool = ruled(Rule(says="Take a piece and join its edges, even where a repeat is there."), False)
    inks: int = ruled(Whole("number of inks", low=MIN_INKS, high=MAX_INKS), 5)
    size: int = ruled(Whole("size", low=64, high=MAX_SIZE), 512)
    side_cm: float = ruled(Number("scale", "Side of one tile on the cloth.", 1.0, 200.0), 16.0)


@dataclass(frozen=True)
class OverlayRequest(Request):
    """How a tile is worn.

    ``garments`` empty means all cloth; :func:`parse_garment` tells their names.  ``scale_cm`` is the side of one tile
    on the cloth, ``shoulder_cm`` the assumed shoulder width that ties pixels to centimetres, ``rotate`` degrees
    counter-clockwise, offsets in tile sides, ``strength`` 0 (the photo) to 1 (the fabric).  ``mirrored`` cuts sleeves
    and whatever else comes in twos as mirrored pairs, where it is known how the garment was cut.
    """

    garments: tuple[str, ...] = ruled(
        Garments(
            says=f"Only these clothes of the picture: {', '.join(CLOTH_CLASSES)}; from the second of a kind on with "
            "its number, like top-2. Empty: all."
        ),
        (),
    )
    scale_cm: float = ruled(Number("scale", "Side of one tile on the cloth.", 1.0, 200.0), 16.0)
    rotate: float = ruled(Number("rotation", "Degrees counter-clockwise.", -360.0, 360.0), 0.0)
    offset_x: float = ruled(Number("horizontal offset", "In tile sides.", -10.0, 10.0), 0.0)
    offset_y: float = ruled(Number("vertical offset", "In tile sides.", -10.0, 10.0), 0.0)
    repeat: str = ruled(OneOf("repeat", names=REPEATS), "basic")
    strength: float = ruled(Number("strength", "0 the photo, 1 the fabric.", step=0.01), 1.0)
    shoulder_cm: float = ruled(
        Number("shoulder width", "Shoulder width that ties pixels to centimetres.", 10.0, 100.0), 40.0
    )
    mirrored: bool = ruled(
        Rule(says="Cut what comes in twos, as sleeves do, as a mirrored pair; of our own garments only."), False
    )


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

    prompt: str = ruled(
        Prompt(
            "words for the region",
            f"Phrases parted by commas or 'and'; 'not ...' takes away. At most {MAX_PROMPT} characters.",
        )
    )
    normalise: str = ruled(OneOf("normalisation", names=NORMALISATIONS), "sigmoid")
    threshold: float | None = ruled(
        Number("threshold", "Sharp mask above it; null keeps the soft one.", 0.01, 0.99), None
    )
    grow: float = ruled(Number("growth", "Percent of the longer side; negative shrinks.", -10.0, 10.0), 0.0)
    feather: float = ruled(Number("feather", "Percent of the longer side.", 0.0, 10.0), 0.0)
    refine: bool = ruled(Rule(says="Follow the edges of the full-size photo."), True)
    model: str | None = ruled(SERVING, None)


@dataclass(frozen=True)
class RestyleRequest(Request):
    """One picture: the masked region of a photo repainted from words, from one seed.

    None means the model's own (its package names its defaults, else 25 steps at guidance 6.5 and its training size).
    ``strength`` 1 repaints from nothing, less keeps some of what was there.  ``sketch`` says what that is: the old
    cloth ("none"), or the photo wearing a drawn fabric of the same words ("fabric").  A strength alone means "none": a
    package's own sketch goes with the package's own strength.  ``loras`` are ``NAME:STRENGTH``.  The fabric engine
    reads ``prompt`` and ``seed`` only.
    """

    prompt: str = ruled(Prompt("words for the new style", f"At most {MAX_PROMPT} characters."))
    seed: int = ruled(Whole("seed", high=MAX_SEED))
    engine: str = ruled(
        OneOf(
            "engine",
            "fabric changes cloth and colour in seconds, diffusion repaints; null is the one that serves best.",
            RESTYLE_ENGINES,
        ),
        "fabric",
    )
    negative_prompt: str = ruled(AVOIDED, "")
    steps: int | None = ruled(STEPS, None)
    guidance: float | None = ruled(GUIDANCE, None)
    size: int | None = ruled(WORKING_SIZE, None)
    strength: float | None = ruled(
        Number(
            "strength",
            "1 repaints from nothing, less keeps some of what was there; null is the model's own.",
            0.05,
            1.0,
            0.05,
        ),
        None,
    )
    scheduler: str | None = ruled(SCHEDULER, None)
    loras: tuple[str, ...] = ruled(LORAS, ())
    model: str | None = ruled(SERVING, None)
    sketch: str | None = ruled(
        OneOf(
            "sketch",
            "What was there: the old cloth (none), or the photo wearing a drawn fabric of the same words "
            "(fabric). Null is the model's own, or none where a strength is given. Only for diffusion.",
            SKETCHES,
        ),
        None,
    )


@dataclass(frozen=True)
class ImagineRequest(Request):
    """One picture from words alone, from one seed; the fields mean what they mean in :class:`RestyleRequest`.

    The fabric engine dresses one of our own garments, and reads ``prompt``, ``seed`` and ``size`` only.
    """

    prompt: str = ruled(Prompt("words for the picture", f"At most {MAX_PROMPT} characters."))
    seed: int = ruled(Whole("seed", high=MAX_SEED))
    negative_prompt: str = ruled(AVOIDED, "")
    steps: int | None = ruled(STEPS, None)
    guidance: float | None = ruled(GUIDANCE, None)
    size: int | None = ruled(WORKING_SIZE, None)
    scheduler: str | None = ruled(SCHEDULER, None)
    loras: tuple[str, ...] = ruled(LORAS, ())
    model: str | None = ruled(SERVING, None)
    engine: str = ruled(
        OneOf(
            "engine",
            "fabric sews a cloth of the words into one of our garments, in seconds, and reads prompt, seed and size "
            "only; diffusion paints the whole picture; null is the one that serves best.",
            IMAGINE_ENGINES,
        ),
        "diffusion",
    )


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
    LORA_STRENGTH.clean(amount)
    return name, amount


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
