"""What the Restyle page may ask for: words for the region and the style, the settings, and presets to begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from ml_backend.engines import RESTYLE
from ml_backend.errors import BadInput
from ml_backend.requests import (
    MAX_PROMPT,
    RESTYLE_ENGINES,
    RestyleRequest,
    TextMaskRequest,
)

from ..fields import field_of
from ..photos.forms import DrawnForm
from ..said import key_of
from ..sampling import LoraChoice, SamplingForm, lora_choices, number
from .models import Restyle

VARIATIONS = 3
"""Pictures made at one press of the button."""

SOURCES = ("photo", "look", "restyle", "imagining", "garment")
"""What can lie on the table, in the order in which an address is read."""

SETTINGS = ("negative_prompt", "steps", "guidance", "size", "strength", "scheduler")

REGION_WORDS = (
    "the dress",
    "the skirt",
    "the trousers",
    "the shirt",
    "the jacket",
    "the coat",
    "the shoes",
    "the hair",
)
"""Words for what people change most, one press each."""

SKETCHED = "the marked part from the words"

NOT_FOUND, UNSURE = 0.25, 0.5
"""Peak probability of a phrase below which it was not found, or perhaps not."""


@dataclass(frozen=True)
class Preset:
    """A style at one press; its swatch is drawn by ``script/preset-pictures`` in ``colours``, plain or patterned."""

    slug: str
    name: str
    prompt: str
    colours: tuple[str, ...]
    pattern_type: str = ""
    seed: int = 0

    @property
    def key(self) -> str:
        """How an address names its words."""
        return key_of(self.prompt)


PRESETS = (
    Preset(
        "riviera", "Riviera", "a striped cotton jersey in navy blue and white", ("#f4f2ec", "#1c2a56"), "striped", 2
    ),
    Preset(
        "meadow",
        "Meadow",
        "light summer cotton with small flowers in red, pink and green on white",
        ("#f6f0e4", "#c23b3b", "#e7a3b3", "#6f8a54", "#33502f"),
        "floral",
        2,
    ),
    Preset(
        "highland",
        "Highland",
        "plaid wool in dark green, navy and red",
        ("#1f3d2f", "#182a4a", "#a8302c", "#d9c27c", "#0f1c18"),
        "plaid",
        5,
    ),
    Preset("polka", "Dots", "white polka dots on bright red cotton", ("#c01f2e", "#f8f4ea"), "dotted", 4),
    Preset("ink", "Ink", "black silk satin, elegant evening wear", ("#19181c", "#37353d")),
    Preset("linen", "Linen", "natural beige linen, loose and soft", ("#d9c9ab", "#c2ae8b")),
    Preset("denim", "Denim", "washed blue denim", ("#3d5f8f", "#6f8db5")),
    Preset(
        "kashmir",
        "Kashmir",
        "burgundy and gold paisley, fine wool",
        ("#5c1a2e", "#c9a24a", "#8c2f3f", "#efe0bd", "#2c3a3a"),
        "paisley",
        3,
    ),
    Preset(
        "safari",
        "Safari",
        "animal print in brown and beige",
        ("#d8b98a", "#74481f", "#2a1a10", "#b98c54"),
        "animal",
        1,
    ),
    Preset(
        "zigzag",
        "Milano",
        "a zigzag knit in orange, teal and cream",
        ("#f1e4c3", "#d8742a", "#1d6a6e", "#7a2f2a", "#e3b04a"),
        "zigzag",
        5,
    ),
    Preset(
        "holiday",
        "Holiday",
        "a casual long vacation skirt, bright colours",
        ("#f2b632", "#e2553d", "#2a8fa8", "#f7ead2", "#d8447c"),
        "abstract",
        2,
    ),
    Preset(
        "bauhaus",
        "Bauhaus",
        "a geometric pattern in red, blue, yellow and black on white",
        ("#f1ece0", "#c8372d", "#2456b4", "#f2cc2e", "#1b1a1c"),
        "geometric",
        5,
    ),
)


@dataclass(frozen=True)
class Wanted:
    """What the form shows: from the address, or as a picture was made."""

    region: str = ""
    prompt: str = ""
    engine: str = RESTYLE_ENGINES[0]
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    count: int = VARIATIONS
    loras: tuple[LoraChoice, ...] = ()
    sketch: str = "none"
    usual_sketch: str = "none"
    """The model's own."""
    model: str = ""
    """One that has retired and may make this again."""

    @property
    def tuned(self) -> bool:
        """Whether anything in the drawer was set, so that it stands open."""
        return (
            bool(self.settings)
            or self.seed is not None
            or bool(self.model)
            or any(lora.strength for lora in self.loras)
            or self.sketch != self.usual_sketch
        )


def wanted(
    query: Mapping[str, str],
    params: Mapping[str, Any],
    *,
    region: str,
    engine: str,
    offered: Sequence[str],
    sketch: str = "none",
) -> Wanted:
    """The form of ``params`` (a :class:`RestyleRequest` dict or empty); words and settings in ``query`` go before.

    ``engine`` and ``sketch`` are the defaults; ``offered`` names the LoRAs that can be had here; others in ``params``
    are not shown.
    """
    given = {**{key: value for key, value in params.items() if value not in (None, "")}, **_given(query)}
    return Wanted(
        region=" ".join(query.get("region", region).split())[:MAX_PROMPT],
        prompt=" ".join(str(given.get("prompt", "")).split())[:MAX_PROMPT],
        engine=given.get("engine", engine),
        settings={name: given[name] for name in SETTINGS if name in given},
        seed=given.get("seed"),
        count=given.get("count", VARIATIONS),
        loras=lora_choices(given.get("loras", []), offered),
        sketch=given.get("sketch", sketch),
        usual_sketch=sketch,
        model=given.get("model", ""),
    )


def _given(query: Mapping[str, str]) -> dict[str, Any]:
    """What an address says of the form, as far as it makes sense."""
    form = RestyleForm(query)
    form.is_valid()
    names = ("prompt", "engine", "seed", "count", "sketch", *SETTINGS)
    return {name: form.cleaned_data[name] for name in names if query.get(name) and name in form.cleaned_data}


class TableForm(forms.Form):
    """What lies on the table: one picture, by kind and name.  The first that is given counts."""

    photo = forms.UUIDField(required=False)
    look = forms.UUIDField(required=False)
    restyle = forms.UUIDField(required=False)
    imagining = forms.UUIDField(required=False)
    garment = forms.SlugField(required=False, max_length=50)

    def source(self) -> tuple[str, Any]:
        """(kind, id).  Raises :class:`BadInput` when there is none."""
        for kind in SOURCES:
            if value := self.cleaned_data.get(kind):
                return kind, value
        raise BadInput("Choose a picture first: your own photo, a look or a garment.")


class RegionForm(TableForm):
    """Words for what is to be changed."""

    region = field_of(
        TextMaskRequest,
        "prompt",
        error_messages={"max_length": f"The words for what to change can be at most {MAX_PROMPT} characters."},
    )

    def request(self) -> TextMaskRequest:
        """Raises :class:`BadInput` with a sentence for the page."""
        if not self.cleaned_data["region"].strip():
            raise BadInput("Say in a word or two what to change, for instance: the dress.")
        return TextMaskRequest(prompt=self.cleaned_data["region"])


class MaskForm(DrawnForm, TableForm):
    """A painted mask of what lies on the table."""


class RestyleForm(SamplingForm, RegionForm):
    """Words and settings of the pictures.  Without ``mask`` the words in ``region`` are looked for first."""

    mask = forms.UUIDField(required=False)
    prompt = field_of(
        RestyleRequest,
        "prompt",
        error_messages={"max_length": f"The words for the new style can be at most {MAX_PROMPT} characters."},
    )
    engine = field_of(RestyleRequest, "engine")
    strength = number("strength")
    sketch = field_of(RestyleRequest, "sketch")

    @property
    def wanted_count(self) -> int:
        """How many pictures are asked for."""
        return int(self.cleaned_data["count"] or VARIATIONS)

    def style(self) -> RestyleRequest:
        """The first picture's request.  Raises :class:`BadInput` with a sentence for the page."""
        data = self.cleaned_data
        if not data["prompt"].strip():
            raise BadInput("Say what it should become, for instance: a red plaid skirt.")
        return RestyleRequest(
            prompt=data["prompt"],
            engine=data["engine"] or self.default_engine,
            strength=data["strength"],
            sketch=data["sketch"] or None,
            **self.sampling(),
        )


def made_with(picture: Restyle) -> list[tuple[str, str]]:
    """What a model was told, the defaults filled in, as (name, value) for the page; empty before it is made."""
    used = picture.recipe.get("restyle", {}) if RESTYLE[picture.engine].model else {}
    shown = ("steps", "guidance", "size", "strength", "scheduler", "model")
    said = [(name.capitalize(), str(used[name])) for name in shown if used.get(name) is not None]
    if used.get("sketch") == "fabric":
        said.append(("Begun from", "a drawn fabric"))
    return said + [("LoRA", lora) for lora in used.get("loras", [])]


def verdict(found: Sequence[Mapping[str, Any]]) -> str:
    """How sure the words were found, in a sentence or two; ``found`` is a mask's.  Empty without phrases."""
    known = [one for one in found if one.get("known", True)]
    unknown = [f"“{one['text']}”" for one in found if not one.get("known", True)]
    sought = [one for one in known if not one.get("subtract")]
    missing = [f"“{one['text']}”" for one in sought if one["confidence"] < NOT_FOUND]
    unsure = [f"“{one['text']}”" for one in sought if NOT_FOUND <= one["confidence"] < UNSURE]
    sure = [f"“{one['text']}”" for one in sought if one["confidence"] >= UNSURE]
    said = []
    if sure:
        said.append(f"Found {_listed(sure)}.")
    if unsure:
        said.append(f"Perhaps this is {_listed(unsure)}; look closely.")
    if missing:
        said.append(f"Could not find {_listed(missing)} here. Try another word, or paint it with the brush.")
    if unknown:
        said.append(f"We do not know {_listed(unknown)} here; paint it with the brush.")
    return " ".join(said)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
