"""What the Imagine page may ask for: the builder's words or free ones, the settings, and presets to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms

from ml_backend.errors import BadInput
from ml_backend.requests import IMAGINE_ENGINES, MAX_PROMPT, ImagineRequest
from ml_backend.words.builder import CHOICES, Outfit

from ..fields import field_of
from ..said import Said
from ..sampling import LoraChoice, SamplingForm, lora_choices

PICTURES = 4
"""Pictures made at one press of the button."""

SKETCHED = "the whole picture from your words"

PARTS = tuple(CHOICES)
SETTINGS = ("negative_prompt", "steps", "guidance", "size", "scheduler")


@dataclass(frozen=True)
class Words(Said):
    """A prompt to begin with, and what of it the builder can show."""

    name: str = ""

    @property
    def outfit(self) -> str:
        """The builder's fields as a query string; empty where these are free words."""
        return outfit_query(self.text)


def outfit_query(text: str) -> str:
    outfit = Outfit.read(text)
    return urlencode({part: getattr(outfit, part) for part in PARTS}) if outfit else ""


PRESETS = (
    Words("an image of a Casual Summer Yellow Women's Dress", "summer dress"),
    Words("an image of a 2011 Casual Fall Grey Men's Hoodie", "catalogue hoodie"),
    Words("a skirt with large white flowers on red", "flower skirt"),
    Words("a linen shirt with fine blue stripes", "linen shirt"),
    Words("wool trousers in green and blue tartan", "tartan trousers"),
    Words("a navy blue cotton t-shirt with white dots", "dotted t-shirt"),
    Words("a fine wool dress in burgundy and gold paisley", "paisley dress"),
    Words("a flannel shirt in red and black checks", "flannel shirt"),
)
"""Words that both engines do well with: each names a garment that the fabric engine has, and a cloth it can weave."""


@dataclass(frozen=True)
class Wanted:
    """What the form shows: from the address, or as a picture was made."""

    prompt: str = ""
    engine: str = IMAGINE_ENGINES[0]
    outfit: Outfit = field(default_factory=Outfit)
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int | str | None = None
    count: int = PICTURES
    loras: tuple[LoraChoice, ...] = ()
    model: str = ""
    """One that has retired and may make this again."""

    @property
    def built(self) -> str:
        """The builder's sentence where the prompt is just that."""
        return self.prompt if self.prompt == self.outfit.sentence() else ""

    @property
    def tuned(self) -> bool:
        """Whether anything beside the words was set, so that the drawer stands open."""
        return (
            bool(self.settings)
            or self.seed is not None
            or bool(self.model)
            or any(lora.strength for lora in self.loras)
        )


def wanted(params: dict[str, Any], offered: Sequence[str] = (), *, engine: str = IMAGINE_ENGINES[0]) -> Wanted:
    """The form of ``params``: an :class:`ImagineRequest` dict, or only some keys of one.

    ``engine`` is the default.  ``offered`` names the LoRAs that can be had here; others in ``params`` are not shown.
    """
    text = " ".join(str(params.get("prompt", "")).split())[:MAX_PROMPT]
    seed = params.get("seed")
    return Wanted(
        prompt=text,
        engine=params.get("engine", engine),
        outfit=Outfit.read(text) or Outfit(),
        settings={name: params[name] for name in SETTINGS if params.get(name) not in (None, "")},
        seed=seed,
        count=PICTURES if seed is None else 1,
        loras=lora_choices(params.get("loras", []), offered),
        model=params.get("model") or "",
    )


def _part(name: str) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[(word, word) for word in CHOICES[name]], required=False)


class ImagineForm(SamplingForm):
    """Words and settings.  ``built`` is the sentence that the builder last wrote into ``prompt``.

    Free words win: a prompt that is neither empty nor the builder's own last sentence is taken as it stands.
    """

    prompt = field_of(ImagineRequest, "prompt")
    engine = field_of(ImagineRequest, "engine")
    built = forms.CharField(required=False, max_length=MAX_PROMPT)
    year = _part("year")
    usage = _part("usage")
    season = _part("season")
    colour = _part("colour")
    gender = _part("gender")
    article = _part("article")

    def clean_count(self) -> int:
        return self.cleaned_data["count"] or PICTURES

    def request(self) -> ImagineRequest:
        """The first picture's request.  Raises :class:`BadInput` with a sentence for the page."""
        return ImagineRequest(prompt=self._prompt(), engine=self._engine(), **self.sampling())

    def typed(self) -> Wanted:
        """The form as it was sent, right or wrong."""
        kept = {name: self.data[name][: 2 * MAX_PROMPT] for name in SETTINGS if self.data.get(name)}
        said = {part: self.cleaned_data.get(part, "") for part in PARTS}
        strengths = {name: self.cleaned_data.get(f"lora-{name}") or 0.0 for name in self.offered}
        return Wanted(
            prompt=self.data.get("prompt", "")[: 2 * MAX_PROMPT],
            engine=self._engine(),
            outfit=Outfit(**said),
            settings=kept,
            seed=self.data.get("seed") or None,
            count=self.cleaned_data.get("count") or PICTURES,
            loras=tuple(LoraChoice(name, strength) for name, strength in strengths.items()),
            model=self.cleaned_data.get("model", ""),
        )

    def _engine(self) -> str:
        return str(self.cleaned_data.get("engine") or self.default_engine)

    def _prompt(self) -> str:
        text = str(self.cleaned_data["prompt"])
        if text and text != self.cleaned_data["built"]:
            return text
        sentence = Outfit(**{part: self.cleaned_data[part] for part in PARTS}).sentence()
        if not (sentence or text):
            raise BadInput("Say in a few words what you would like to see.")
        return sentence or text
