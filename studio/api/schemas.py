"""What goes in and what comes out, as the documentation shows it.

The bodies only look at types and bounds: whether a value is allowed is judged by the requests of
``ml_backend.requests``, as on the pages, so there is one sentence for each mistake.  What they allow is repeated here
for readers only; the bounds are wider and keep out what nobody means.
"""

from __future__ import annotations

import dataclasses
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from django.http import HttpRequest
from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, create_model

from ml_backend.errors import BadInput, quoted
from ml_backend.garments import SIDES, WEARERS
from ml_backend.palettes.held import hex_colour
from ml_backend.printing.plan import Dpi, PrintRequest, Scales, YesNo
from ml_backend.requests import (
    CLOTH_CLASSES,
    ENGINES,
    IMAGINE_ENGINES,
    MAX_GARMENTS,
    MAX_INKS,
    MAX_LORAS,
    MAX_MODEL,
    MAX_PROMPT,
    MAX_SEED,
    NORMALISATIONS,
    PATTERN_TYPES,
    REPEATS,
    RESTYLE_ENGINES,
    SCHEDULERS,
    Engine,
    GenerateRequest,
    ImagineRequest,
    Loras,
    ModelName,
    Number,
    OneOf,
    OverlayRequest,
    Palette,
    Prompt,
    Request,
    RestyleRequest,
    Rule,
    TextMaskRequest,
    Whole,
    Words,
)
from ml_backend.requests import Garments as GarmentNames
from patterns.colours import BUCKETS

from ..colour.models import SavedPalette
from ..looks.forms import DEFAULT_SCALE_CM
from ..printing.requests import Notes, PackRequest, Slugs
from ..sampling import MAX_PICTURES, fresh_seed
from ..workspace.forms import MAX_BATCH

AN_ID = "0b9f7c1e-52b1-4a43-9d2c-2f4c7a1f8e10"
ANOTHER_ID = "7d3f0a52-6c0b-4a0e-8a57-1f0c8f0b6f11"
A_JOB = "f2a1d4c8-0d3e-4b7a-9a0f-6f1f2f7f9c12"
A_BATCH = "c9d8e7f6-1a2b-4c3d-8e4f-5a6b7c8d9e13"
A_TIME = "2027-03-01T09:30:00+00:00"
BASE = "https://toile.example/api/v1"

T = TypeVar("T")
R = TypeVar("R", bound=Request)


def _readable(text: str) -> str:
    if any((ord(letter) < 32 and letter not in "\t\n\r") or ord(letter) == 127 for letter in text):
        raise ValueError("it holds characters that cannot be read")
    return text


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


Text = Annotated[str, Field(max_length=4 * MAX_PROMPT), AfterValidator(_readable)]
"""Words; white space counts only here."""
Name = Annotated[str, Field(max_length=60), AfterValidator(_readable)]
"""One of a few names, a slug or a colour."""
AModel = Annotated[str, Field(max_length=MAX_MODEL), AfterValidator(_readable)]
LoraName = Annotated[str, Field(max_length=120), AfterValidator(_readable)]
Colours = Annotated[list[Name], Field(max_length=4 * MAX_INKS)]
Moment = Annotated[
    datetime,
    PlainSerializer(_iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


def _asked(example: dict[str, Any]) -> ConfigDict:
    """A body: a parameter that does not exist is refused rather than ignored."""
    return ConfigDict(json_schema_extra={"examples": [example]}, extra="forbid")


def _one_of(names: tuple[str, ...]) -> dict[str, Any]:
    return {"enum": [*names]}


def _between(low: float, high: float) -> dict[str, Any]:
    return {"minimum": low, "maximum": high}


TYPES: dict[type[Rule], Any] = {
    Whole: int,
    Number: float,
    OneOf: Name,
    Engine: Name,
    Prompt: Text,
    Words: Text,
    ModelName: AModel,
    Palette: Colours,
    Loras: Annotated[list[LoraName], Field(max_length=4 * MAX_LORAS)],
    Dpi: int,
    YesNo: bool,
    Scales: Annotated[list[float], Field(max_length=16)],
    Slugs: Annotated[list[Name], Field(max_length=16)],
    Notes: Text,
    GarmentNames: Annotated[list[Name], Field(max_length=4 * MAX_GARMENTS)],
    Rule: bool,
}
"""What a body holds where a request keeps to a rule; these look at types only, and keep out what nobody means."""


def body_of(kind: type[Request], *, without: str = "", **others: tuple[Any, str]) -> Any:
    """The fields of a request as a base of a body; ``others`` have another default here, or another sentence."""
    fields = [field for field in dataclasses.fields(kind) if field.name != without]
    made = {field.name: _body_field(field, others.get(field.name)) for field in fields}
    return create_model(kind.__name__, __base__=Schema, **made)


def _body_field(field: dataclasses.Field[Any], other: tuple[Any, str] | None) -> Any:
    rule: Rule = field.metadata["rule"]
    default, says = other or (field.default, "")
    optional, schema, known = default is None, rule.schema(), TYPES[type(rule)]
    if optional and "enum" in schema:
        schema["enum"].append(None)
    if default is dataclasses.MISSING:
        default = ...
    given: dict[str, Any] = {"description": says or rule.says or None, "json_schema_extra": schema or None}
    return (known | None if optional else known), Field(list(default) if default == () else default, **given)


def request_of(kind: type[R], body: Schema, **values: Any) -> R:
    """The library's request with the fields of ``body`` that it knows.  Raises :class:`BadInput`."""
    known = {field.name for field in dataclasses.fields(kind)}
    return kind.from_dict({**body.model_dump(include=known), **values})


# --- errors -------------------------------------------------------------------------------------------------------


class Problem(Schema):
    code: str = Field(description="For programs; does not change.")
    message: str = Field(description="One sentence for a person: what happened and what to do.")


class Refusal(Schema):
    model_config = _shown(
        {"error": {"code": "bad_input", "message": "'stripey' is not a pattern type; choose one of floral, striped."}}
    )

    error: Problem


def refusals(*statuses: int) -> dict[Any, Any]:
    """The ways an endpoint may refuse, beside those that all have."""
    return dict.fromkeys(sorted({401, *statuses}), Refusal)


PICTURE: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The picture. Where files lie in a bucket, a redirect to a signed address instead.",
            "content": {
                f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("png", "jpeg", "webp")
            },
        }
    }
}
"""Documents an answer that is a picture."""

PALETTE_FILE: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The file.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}
"""Documents an answer that is a palette file."""


# --- lists --------------------------------------------------------------------------------------------------------


class Paging(Schema):
    limit: int = Field(30, ge=1, le=100, description="Rows of one answer.")
    offset: int = Field(0, ge=0, le=100_000, description="Rows to pass over.")

    def of(self, request: HttpRequest, rows: Any) -> Any:
        """Those of the rows that are meant; one's own, if nothing is said."""
        return rows.visible_to(request.user)


class OfPhoto(Paging):
    photo: uuid.UUID | None = None

    def of(self, request: HttpRequest, rows: Any) -> Any:
        found = super().of(request, rows)
        return found.filter(photo=self.photo) if self.photo else found


class Whose(Paging):
    whose: Literal["mine", "public"] = "mine"

    def of(self, request: HttpRequest, rows: Any) -> Any:
        return rows.of(request.user) if self.whose == "mine" else rows.public()


class OfBatch(Whose):
    batch: uuid.UUID | None = None

    def of(self, request: HttpRequest, rows: Any) -> Any:
        found = super().of(request, rows)
        return found.filter(batch=self.batch) if self.batch else found


class SoughtPatterns(Paging):
    pattern_type: Name = ""
    colour: Name = ""
    near: Name = Field("", description="A colour like #7a1f2b (or 7a1f2b): the nearest fabrics first.")
    whose: Literal["mine", "public", "favourites"] = "mine"

    def of(self, request: HttpRequest, rows: Any) -> Any:
        found = rows.public() if self.whose == "public" else rows.of(request.user)
        if self.whose == "favourites":
            found = rows.visible_to(request.user).ready().filter(favourites__user_id=request.user.pk)
        if self.pattern_type:
            found = found.filter(pattern_type=_known("pattern type", self.pattern_type, PATTERN_TYPES))
        if self.colour:
            found = found.coloured(_known("colour", self.colour, tuple(BUCKETS)))
        return found.nearest(hex_colour(self.near)) if self.near else found


def _known(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise BadInput(f"{quoted(value)} is not a {what}; choose one of {', '.join(allowed)}.")
    return value


class Page(Schema, Generic[T]):
    items: list[T] = Field(description="Newest first, or nearest to what is sought.")
    total: int
    next: str | None = Field(description="Address of the rows after these; null at the end.", examples=[None])


# --- jobs ---------------------------------------------------------------------------------------------------------


class Result(Schema):
    kind: str = Field(description="photo, mask, restyle, imagining, pattern, look or print.")
    id: uuid.UUID
    url: str


class Job(Schema):
    model_config = _shown(
        {
            "id": A_JOB,
            "url": f"{BASE}/jobs/{A_JOB}",
            "kind": "restyle",
            "state": "running",
            "progress": 0.42,
            "stage": "Painting, step 11 of 25",
            "message": "",
            "place": 0,
            "preview": f"{BASE}/jobs/{A_JOB}/preview",
            "results": [{"kind": "restyle", "id": AN_ID, "url": f"{BASE}/restyles/{AN_ID}"}],
            "created_at": A_TIME,
            "started_at": A_TIME,
            "finished_at": None,
        }
    )

    id: uuid.UUID
    url: str
    kind: str = Field(description="segment, text-mask, restyle, imagine, generate, upscale, wear, mend or tap.")
    state: str = Field(json_schema_extra=_one_of(("queued", "running", "done", "failed", "cancelled")))
    progress: float = Field(description="0 to 1.")
    stage: str = Field(description="What is being done, in words.")
    message: str = Field(description="Why it failed; of one that was put back, why it pauses and for how long.")
    place: int = Field(description="Place in the queue: 1 starts next, 0 is not waiting, or pauses.")
    preview: str | None = Field(description="A small picture of what is in work, while there is one.")
    results: list[Result]
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


# --- things -------------------------------------------------------------------------------------------------------


class Thing(Schema):
    """What every thing has that is made here."""

    id: uuid.UUID
    url: str
    state: str = Field(
        description="That of its job; done once its files are there.",
        json_schema_extra=_one_of(("queued", "running", "done", "failed", "cancelled", "refused")),
    )
    job: uuid.UUID | None = Field(description="Follow it at /api/v1/jobs/{id}.")
    files: dict[str, str] = Field(
        description="Addresses of the files that are there, by name; they want the token as well. "
        "Add ?download for a file name to save under."
    )
    created_at: Moment


def _thing(where: str, *files: str, **more: Any) -> dict[str, Any]:
    url = f"{BASE}/{where}/{AN_ID}"
    own = {"id": AN_ID, "url": url, "state": "done", "job": A_JOB}
    return {**own, "files": {name: f"{url}/files/{name}" for name in files}, "created_at": A_TIME, **more}


class Photo(Thing):
    model_config = _shown(_thing("photos", "image", "thumb", "mask", width=1200, height=1600, classes=["dress"]))

    name: str = Field("", description="Yours to change; nobody else reads it.")
    width: int = Field(description="Pixels, upright.")
    height: int
    classes: list[str] = Field(description="The clothes found in it; empty until its job is done.")


class Phrase(Schema):
    text: str
    subtract: bool
    confidence: float = Field(description="0 to 1; a low one was hardly found.")
    known: bool = Field(True, description="False for words that the model was never taught; they mark nothing.")


class Mask(Thing):
    model_config = _shown(
        _thing(
            "masks",
            "file",
            photo=ANOTHER_ID,
            origin="words",
            words="the dress, not the belt",
            found=[
                {"text": "the dress", "subtract": False, "confidence": 0.93},
                {"text": "the belt", "subtract": True, "confidence": 0.58},
            ],
        )
    )

    photo: uuid.UUID
    origin: str = Field(json_schema_extra=_one_of(("words", "brush")))
    words: str
    found: list[Phrase] = Field(description="What the words were taken for, and how surely it was found.")


class Made(Thing):
    """One picture from words and one seed."""

    batch: uuid.UUID = Field(description="Pictures asked for together share it.")
    number: int = Field(description="Place in the batch, from 0.")
    prompt: str
    seed: int
    request: dict[str, Any] = Field(description="As asked.")
    recipe: dict[str, Any] = Field(description="What made it, enough to make it again; empty until it is made.")
    notes: list[str] = Field(description="What could not be honoured.")
    refused: str = Field(description="Why the safety check would not show it; then there is no file.")
    width: int = Field(description="Pixels; 0 until it is made.")
    height: int
    public: bool


def _made(where: str, request: dict[str, Any], **more: Any) -> dict[str, Any]:
    own = {"batch": A_BATCH, "number": 0, "prompt": request["prompt"], "seed": request["seed"], "request": request}
    kept = {"recipe": {}, "notes": [], "refused": "", "width": 768, "height": 1024, "public": False}
    return _thing(where, "file", "thumb", **own, **kept, **more)


class Restyle(Made):
    model_config = _shown(
        _made(
            "restyles",
            {"prompt": "a long casual skirt in bright colours", "seed": 7, "engine": "fabric"},
            photo=ANOTHER_ID,
            mask=AN_ID,
            engine="fabric",
        )
    )

    photo: uuid.UUID | None = Field(description="Null in other people's.")
    mask: uuid.UUID | None
    engine: str


class Imagining(Made):
    model_config = _shown(
        _made(
            "imaginings",
            {"prompt": "an image of a Casual Summer Yellow Women's Dress", "seed": 7, "engine": "fabric"},
            engine="fabric",
        )
    )

    engine: str


class Batch(Schema, Generic[T]):
    """Pictures asked for together: one job makes them, and each is there as soon as it is made."""

    batch: uuid.UUID
    job: Job
    items: list[T]


class Pattern(Thing):
    model_config = _shown(
        _thing(
            "patterns",
            "tile",
            "inks",
            "thumb",
            pattern_type="floral",
            seed=7,
            engine="dreamed",
            palette=["#f5ece0", "#9c2a2e", "#dca690", "#66704f"],
            shares=[0.61, 0.2, 0.12, 0.07],
            size=512,
            vary_of=None,
            vary_amount=0.0,
            morph_to=None,
            morph_amount=0.0,
            morph_type=None,
            colours_of=None,
            detail_of=None,
            subtype=None,
            repeat="basic",
            mended=False,
            model="dcgan-starter@1f0c8f0b6f11",
            parent=None,
            public=False,
            large_job=None,
        )
    )

    pattern_type: str
    seed: int
    engine: str
    palette: list[str]
    shares: list[float] = Field(description="How much of the cloth each ink covers; empty while it is not counted.")
    size: int = Field(description="Side of the tile in pixels.")
    vary_of: int | None
    vary_amount: float
    morph_to: int | None = Field(description="Seed of the second fabric of a blend.")
    morph_amount: float
    morph_type: str | None = Field(description="Pattern type of the second fabric; null: the same.")
    colours_of: int | None
    detail_of: int | None = Field(description="Seed whose drawing this layout has.")
    subtype: str | None = Field(description="The design of the type that was asked for by its name.")
    repeat: str = Field(description="The repeat that it is made for.")
    mended: bool = Field(description="Made of another fabric's inks, its seams mended.")
    model: str | None = Field(description="Model that dreams it, as far as it is known; null in a drawn one.")
    parent: uuid.UUID | None = Field(description="The pattern this is a colourway, variation or blend of.")
    public: bool
    large_job: uuid.UUID | None = Field(description="Job of the print-size tile, once asked for.")


class KeptPalette(Schema):
    model_config = _shown(
        {"id": AN_ID, "name": "Sea", "colours": ["#f3efe4", "#22478f"], "names": ["foam", ""], "created_at": A_TIME}
    )

    id: uuid.UUID
    name: str
    colours: list[str] = Field(description="In ink order; a pattern wears the first as many as it has inks.")
    names: list[str] = Field(description="What each is called; empty where it is called nothing.")
    created_at: Moment

    @classmethod
    def of(cls, row: SavedPalette) -> KeptPalette:
        return cls(id=row.pk, name=row.name, colours=row.colours, names=row.names, created_at=row.created_at)


class Seen(Schema):
    name: str = Field(description="A garment of the photo, or skin and hair.")
    colours: list[str]
    share: float = Field(description="Of the picture, 0 to 1.")


class Suggested(Schema):
    pattern: uuid.UUID | None = Field(description="Null for a palette.")
    colours: list[str]
    reason: str


class Suggestions(Schema):
    model_config = _shown(
        {
            "garment": "skirt",
            "seen": [{"name": "outerwear", "colours": ["#20305a"], "share": 0.21}],
            "patterns": [
                {
                    "pattern": AN_ID,
                    "colours": ["#f3efe4", "#e0a83c"],
                    "reason": "A warm saffron beside your navy jacket: tone on tone.",
                }
            ],
            "palettes": [],
        }
    )

    garment: str
    seen: list[Seen]
    patterns: list[Suggested]
    palettes: list[Suggested] = Field(description="For the first of the patterns.")


class Patterns(Schema):
    """Patterns asked for together; each has a job of its own."""

    items: list[Pattern]


class WornPart(Schema):
    pattern: uuid.UUID | None = Field(description="Null where it was deleted.")
    request: dict[str, Any] = Field(description="Its garments and how they wear it.")


A_FIT = {"garments": [], "scale_cm": 18.0, "rotate": 0.0, "repeat": "basic", "strength": 1.0}


class Look(Thing):
    model_config = _shown(
        _thing(
            "looks",
            "file",
            "thumb",
            photo=None,
            garment="dress",
            parts=[{"pattern": ANOTHER_ID, "request": A_FIT}],
            pattern=ANOTHER_ID,
            request=A_FIT,
            format="png",
            public=False,
        )
    )

    photo: uuid.UUID | None
    garment: str | None
    parts: list[WornPart] = Field(description="What is worn: one part for each fabric of the outfit.")
    pattern: uuid.UUID | None = Field(description="That of the first part.")
    request: dict[str, Any] = Field(description="That of the first part.")
    format: str
    public: bool


# --- bodies -------------------------------------------------------------------------------------------------------


class Publishing(Schema):
    model_config = _asked({"public": True})

    public: bool = Field(description="Shown to everybody in the gallery, or to you only.")


class PhotoName(Schema):
    model_config = _asked({"name": "Ana in the blue dress"})

    name: Annotated[str, Field(max_length=60), AfterValidator(_readable)] = Field(
        description="Empty: its number, as it was."
    )


class NewPalette(Schema):
    model_config = _asked({"name": "Sea", "colours": ["#f3efe4", "#22478f", "#efb92d"], "names": ["foam"]})

    name: Name
    colours: Colours = Field(description="2 to 12, like #7a1f2b, in ink order.")
    names: Colours = Field([], description="What each is called.")


class PhotoCopy(Schema):
    """Exactly one of them."""

    model_config = _asked({"restyle": AN_ID})

    look: uuid.UUID | None = None
    restyle: uuid.UUID | None = None
    imagining: uuid.UUID | None = None
    garment: Name | None = Field(None, description="Slug, from /api/v1/garments.")


class NewMask(body_of(TextMaskRequest)):  # type: ignore[misc]
    model_config = _asked({"photo": ANOTHER_ID, "prompt": "the dress, not the belt", "grow": 0.5})

    photo: uuid.UUID

    def request(self) -> TextMaskRequest:
        return request_of(TextMaskRequest, self)


class Painting(Schema):
    """What every picture from words can be told."""

    count: int = Field(
        1, description="Pictures, of this seed and those after it.", json_schema_extra=_between(1, MAX_PICTURES)
    )

    if TYPE_CHECKING:
        seed: int | None

    @property
    def first_seed(self) -> int:
        return fresh_seed() if self.seed is None else self.seed


class NewRestyle(Painting, body_of(RestyleRequest, seed=(None, "Null: a fresh one."), engine=(None, ""))):  # type: ignore[misc]
    """``mask``, or ``region`` in words: then the mask is found first."""

    model_config = _asked(
        {"photo": ANOTHER_ID, "region": "the dress", "prompt": "a long skirt in bright colours", "count": 3, "seed": 7}
    )

    photo: uuid.UUID
    mask: uuid.UUID | None = Field(None, description="A mask of this photo.")
    region: Text | None = Field(None, description="What to change, in words, instead of a mask.")

    def request(self, engine: str) -> RestyleRequest:
        return request_of(RestyleRequest, self, seed=self.first_seed, engine=engine)


class NewImagining(Painting, body_of(ImagineRequest, seed=(None, "Null: a fresh one."), engine=(None, ""))):  # type: ignore[misc]
    model_config = _asked({"prompt": "an image of a Casual Summer Yellow Women's Dress", "count": 4, "seed": 7})

    def request(self, engine: str) -> ImagineRequest:
        return request_of(ImagineRequest, self, seed=self.first_seed, engine=engine)


class NewPatterns(body_of(GenerateRequest, without="size", seed=(None, "Null: fresh ones."))):  # type: ignore[misc]
    model_config = _asked({"pattern_type": "floral", "count": 4, "palette": ["#f5ece0", "#9c2a2e", "#66704f"]})

    count: int = Field(
        1, description="Patterns, of this seed and those after it.", json_schema_extra=_between(1, MAX_BATCH)
    )

    def requests(self) -> list[GenerateRequest]:
        if self.seed is None:
            seeds = [fresh_seed() for _ in range(self.count)]
        else:
            first = request_of(GenerateRequest, self).seed
            seeds = [(first + n) % (MAX_SEED + 1) for n in range(self.count)]
        return [request_of(GenerateRequest, self, seed=seed) for seed in seeds]


class Recolouring(Schema):
    model_config = _asked({"palette": ["#101820", "#f2aa4c", "#ffffff"]})

    palette: Colours = Field(description="2 to 6 colours like #7a1f2b.")


class Fit(body_of(OverlayRequest, scale_cm=(DEFAULT_SCALE_CM, ""))):  # type: ignore[misc]
    """How a pattern is worn."""

    def request(self) -> OverlayRequest:
        return request_of(OverlayRequest, self)


class NewPart(Fit):
    pattern: uuid.UUID


class NewLook(Fit):
    """A pattern on a ``photo`` of yours or on a ``garment`` of ours; or ``parts``, each a pattern for some garments."""

    model_config = _asked({"pattern": AN_ID, "garment": "dress", "scale_cm": 18, "repeat": "half-drop"})

    pattern: uuid.UUID | None = None
    parts: list[NewPart] = Field(
        [],
        max_length=MAX_GARMENTS,
        description="An outfit, in place of pattern and fit: each part names its garments, and none twice.",
    )
    photo: uuid.UUID | None = None
    garment: Name | None = Field(None, description="Slug, from /api/v1/garments.")
    side: Name = Field("front", json_schema_extra=_one_of(SIDES), description="Of the garment.")
    format: Name = Field("png", json_schema_extra=_one_of(("png", "jpeg")))

    def worn(self) -> list[tuple[uuid.UUID, OverlayRequest]]:
        """Patterns, by id, and how each is worn."""
        if self.parts and (self.pattern or self.model_fields_set & Fit.model_fields.keys()):
            raise BadInput("Give either parts, or one pattern and its fit.")
        if self.parts:
            return [(part.pattern, part.request()) for part in self.parts]
        if self.pattern is None:
            raise BadInput("Say what is worn: a pattern, or the parts of an outfit.")
        return [(self.pattern, self.request())]


# --- prints -------------------------------------------------------------------------------------------------------


class NewPrint(body_of(PrintRequest)):  # type: ignore[misc]
    """A print file of a ``pattern``. A panel is ``width_cm`` by ``height_cm``, or ``across`` by ``down`` repeats."""

    model_config = _asked(
        {"pattern": AN_ID, "kind": "tile", "format": "tiff", "repeat": "half-drop", "scale_cm": 24, "dpi": 300}
    )

    pattern: uuid.UUID
    profile: uuid.UUID | None = Field(None, description="A CMYK profile of yours, from /api/v1/profiles.")


class NewPack(body_of(PackRequest)):  # type: ignore[misc]
    model_config = _asked({"pattern": AN_ID, "garments": ["dress"], "repeat": "half-drop", "scale_cm": 24, "notes": ""})

    pattern: uuid.UUID


class Print(Thing):
    model_config = _shown(
        _thing(
            "prints",
            "file",
            pattern=ANOTHER_ID,
            profile=None,
            kind="print",
            title="toile-floral-7-half-drop-24x24cm-300dpi",
            words="One repeat (half-drop): 24 × 24 cm at 300 dpi, 2835 × 2835 pixels, as TIFF (LZW).",
            request={"kind": "tile", "format": "tiff", "repeat": "half-drop", "scale_cm": 24.0, "dpi": 300},
            facts={"width": 2835, "height": 2835, "effective_dpi": 300, "warning": "", "models": []},
            size=1095924,
        )
    )

    pattern: uuid.UUID | None
    profile: uuid.UUID | None
    kind: str = Field(json_schema_extra=_one_of(("print", "pack")))
    title: str = Field(description="What the file is called, without its ending.")
    words: str = Field(description="What it is, in a sentence.")
    request: dict[str, Any]
    facts: dict[str, Any] = Field(
        description="Of a finished file: pixels, centimetres, real detail and a warning of it, plates with their "
        "coverage, the share out of gamut, the models that took part and their licences."
    )
    size: int = Field(description="Bytes; 0 before it is done.")


class PressProfile(Thing):
    model_config = _shown(_thing("profiles", "file", name="Coated paper, 300 %"))

    name: str


# --- the catalogue ------------------------------------------------------------------------------------------------


class Garment(Schema):
    model_config = _shown(
        {
            "slug": "dress",
            "cut": "dress",
            "side": "front",
            "wearer": "women",
            "name": "Dress",
            "width": 1200,
            "height": 1600,
            "classes": ["dress"],
            "files": {"image": f"{BASE}/garments/dress/files/image"},
        }
    )

    slug: str
    cut: str = Field(description="The garment that this is a side of: the slug of its front.")
    side: str = Field(json_schema_extra=_one_of(SIDES))
    wearer: str = Field(json_schema_extra=_one_of(WEARERS))
    name: str
    width: int
    height: int
    classes: list[str]
    files: dict[str, str]


class Garments(Schema):
    items: list[Garment]


class Options(Schema):
    model_config = _shown(
        {
            "pattern_types": list(PATTERN_TYPES),
            "subtypes": {"plaid": ["tartan", "gingham", "houndstooth"]},
            "pattern_engines": list(ENGINES),
            "palettes": {"Madder": ["#f5ece0", "#9c2a2e", "#dca690", "#66704f"]},
            "repeats": list(REPEATS),
            "cloth_classes": list(CLOTH_CLASSES),
            "restyle_engines": list(RESTYLE_ENGINES),
            "restyle_engine": "fabric",
            "imagine_engines": list(IMAGINE_ENGINES),
            "imagine_engine": "fabric",
            "schedulers": list(SCHEDULERS),
            "normalisations": list(NORMALISATIONS),
        }
    )

    pattern_types: list[str]
    subtypes: dict[str, list[str]] = Field(description="Of each type, its designs that have names.")
    pattern_engines: list[str]
    palettes: dict[str, list[str]] = Field(description="Named palettes.")
    repeats: list[str]
    cloth_classes: list[str]
    restyle_engines: list[str] = Field(description="Those that something serves.")
    restyle_engine: str = Field(description="The one taken when none is named.")
    imagine_engines: list[str] = Field(description="Those that something serves.")
    imagine_engine: str = Field(description="The one taken when none is named.")
    schedulers: list[str]
    normalisations: list[str]


class Model(Schema):
    capability: str
    serves: bool
    reference: str | None = Field(description="name@sha256-prefix, as recipes name it.")
    choices: list[str] = Field([], description="What a request may name as its model, the default first.")


class Models(Schema):
    model_config = _shown(
        {
            "items": [
                {
                    "capability": "generate",
                    "serves": True,
                    "reference": "dcgan-starter@1f0c8f0b6f11",
                    "choices": ["dcgan-starter@1f0c8f0b6f11", "xgan-starter@7d3f0a526c0b"],
                },
                {"capability": "imagine", "serves": False, "reference": None, "choices": []},
            ],
            "loras": ["linen"],
        }
    )

    items: list[Model]
    loras: list[str] = Field(description="Names to give in loras.")


class Limits(Schema):
    model_config = _shown(
        {
            "max_upload_bytes": 26214400,
            "max_photo_pixels": 50000000,
            "max_active_jobs": 64,
            "active_jobs": 2,
            "max_pictures": 8,
            "max_patterns": 8,
            "max_prompt": 500,
            "idempotency_hours": 24,
        }
    )

    max_upload_bytes: int
    max_photo_pixels: int
    max_active_jobs: int = Field(description="Unfinished jobs you may have; one more is answered with 429.")
    active_jobs: int = Field(description="Unfinished jobs you have now.")
    max_pictures: int = Field(description="Pictures of one restyle or imagine.")
    max_patterns: int
    max_prompt: int = Field(description="Characters.")
    idempotency_hours: int


# --- collections --------------------------------------------------------------------------------------------------


class CollectionItem(Schema):
    id: uuid.UUID
    part: str = Field(description="hero, coordinate, blender or nothing.")
    pattern: uuid.UUID | None
    look: uuid.UUID | None
    scale_cm: float | None = Field(description="Side of the tile on the cloth, of a pattern.")
    note: str


class CollectionLink(Schema):
    model_config = _shown({"id": ANOTHER_ID, "url": "https://toile.example/shared/...", "expires_at": A_TIME})

    id: uuid.UUID
    url: str = Field(description="Whoever has it sees the collection.")
    expires_at: Moment


AN_ITEM = {"id": ANOTHER_ID, "part": "hero", "pattern": AN_ID, "look": None, "scale_cm": 26.0, "note": "the dress"}


class Collection(Schema):
    model_config = _shown(
        {
            "id": AN_ID,
            "url": f"{BASE}/collections/{AN_ID}",
            "name": "Summer by the sea",
            "notes": "",
            "items": [AN_ITEM],
            "links": [],
            "created_at": A_TIME,
        }
    )

    id: uuid.UUID
    url: str
    name: str
    notes: str
    items: list[CollectionItem]
    links: list[CollectionLink] = Field(description="Those that have not expired.")
    created_at: Moment


class NewCollection(Schema):
    model_config = _asked({"name": "Summer by the sea", "notes": "linen, for the coast"})

    name: Annotated[str, Field(max_length=200), AfterValidator(_readable)] = Field(description="At most 80 characters.")
    notes: Annotated[str, Field(max_length=4000), AfterValidator(_readable)] = ""


class NewItem(Schema):
    """Exactly one of them."""

    model_config = _asked({"pattern": AN_ID})

    pattern: uuid.UUID | None = None
    look: uuid.UUID | None = None


class ItemChange(Schema):
    model_config = _asked({"note": "for the lining", "part": "blender"})

    note: Annotated[str, Field(max_length=600), AfterValidator(_readable)] | None = None
    part: Name | None = Field(None, description="hero, coordinate, blender or an empty text.")
    by: int | None = Field(None, ge=-1000, le=1000, description="So many places further back; negative: forward.")


class Sharing(Schema):
    model_config = _asked({"days": 7})

    days: int = Field(7, ge=1, le=90, description="How long the link is good for.")
