"""What the forms of Restyle and Imagine have in common: how a model samples, which seeds, how many, which LoRAs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from ml_backend.engines import ENGINES
from ml_backend.requests import AVOIDED, LORA_STRENGTH, MAX_MODEL, SCHEDULER, parse_lora
from ml_backend.serving import registry

from .fields import Measure, field

MAX_PICTURES = 8
"""Pictures of one batch, asked for at one press of the button."""

FRESH_SEEDS = 1_000_000
"""Seeds that nobody chose stay short enough to read out."""

SCHEDULER_NAMES = {"euler": "Euler", "dpm++": "DPM++", "lcm": "LCM"}

SKETCHING = (
    "The small model that ships here sketches {sketched}. It is quick to try and often wide of the mark; whoever runs "
    "this studio can put a real one into service."
)

COUNTED = f"One to {MAX_PICTURES} pictures can be made at a time."


@dataclass(frozen=True)
class LoraChoice:
    """A LoRA that may be mixed in, and how much of it: 0 leaves it out."""

    name: str
    strength: float = 0.0


def lora_choices(loras: Sequence[str], offered: Sequence[str]) -> tuple[LoraChoice, ...]:
    """The LoRAs ``offered``, as strong as ``loras`` (``NAME:STRENGTH``) say; others in ``loras`` are passed over."""
    strengths = dict(parse_lora(lora) for lora in loras)
    return tuple(LoraChoice(name, strengths.get(name, 0.0)) for name in offered)


@dataclass(frozen=True)
class EngineChoice:
    """An engine as a page offers it: its sentence, and the settings that it heeds."""

    name: str
    title: str
    says: str
    heeds: str
    served: bool


def choices(work: str, sketched: str) -> dict[str, Any]:
    """What a page offers that restyles or imagines: engines, models, how many pictures, and schedulers.

    While nothing but the starter serves diffusion, it is said to be a small model that sketches what is ``sketched``.
    """
    served, sketches = registry.engines(work), registry.only_sketches(work)
    engines = []
    for name, engine in ENGINES[work].items():
        title, says = name.capitalize(), engine.says
        if sketches and name == "diffusion":
            title, says = "A small sketching model", SKETCHING.format(sketched=sketched)
        heeds = (*engine.heeds, "model") if engine.model else engine.heeds
        engines.append(EngineChoice(name, title, says, " ".join(heeds), name in served))
    return {
        "engines": engines,
        "models": registry.offered(work),
        "sketches": sketches,
        "counts": range(1, MAX_PICTURES + 1),
        "schedulers": SCHEDULER_NAMES.items(),
    }


def fresh_seed() -> int:
    """One that nobody chose."""
    return secrets.randbelow(FRESH_SEEDS)


def whole(what: str) -> forms.IntegerField:
    """A whole number whose range the request checks."""
    return forms.IntegerField(required=False, error_messages={"invalid": f"The {what} must be a whole number."})


def number(what: str) -> forms.FloatField:
    """A number whose range the request checks."""
    return Measure(required=False, error_messages={"invalid": f"The {what} must be a number."})


class SamplingForm(forms.Form):
    """The settings; what is left empty is the model's own, an empty seed a new one.

    ``offered`` names the LoRAs that can be had here: each has a field ``lora-NAME`` with its strength.  ``engine`` is
    the one that is meant where none is named; an empty ``model`` is the one that serves.
    """

    negative_prompt = field(AVOIDED)
    steps = whole("number of steps")
    guidance = number("guidance")
    size = whole("size")
    scheduler = field(SCHEDULER)
    seed = whole("seed")
    model = forms.CharField(required=False, max_length=MAX_MODEL)
    count = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_PICTURES,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), COUNTED),
    )

    def __init__(self, *args: Any, offered: Sequence[str] = (), engine: str = "fabric", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered, self.default_engine = tuple(offered), engine
        for name in self.offered:
            self.fields[f"lora-{name}"] = field(LORA_STRENGTH)

    def sampling(self) -> dict[str, Any]:
        """Of a valid form, the fields of a request that say how a model samples, seed included."""
        data = self.cleaned_data
        return {
            "seed": fresh_seed() if data["seed"] is None else data["seed"],
            "negative_prompt": data["negative_prompt"],
            "steps": data["steps"],
            "guidance": data["guidance"],
            "size": data["size"],
            "scheduler": data["scheduler"] or None,
            "model": data["model"] or None,
            "loras": tuple(f"{name}:{strength:g}" for name in self.offered if (strength := data[f"lora-{name}"])),
        }
