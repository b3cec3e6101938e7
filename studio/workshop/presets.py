"""Recipes as staff choose them: a few presets with sensible settings, and what of them may be changed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_backend import training
from ml_backend.errors import BadInput
from ml_backend.models import ModelVersion
from ml_backend.requests import Rule
from ml_backend.serving import registry
from ml_backend.training import make_recipe
from ml_backend.training.dreambooth import DreamBoothRecipe
from ml_backend.training.finetuning import FineTuneRecipe
from ml_backend.training.lora import LoraRecipe

from .models import DataSet

SAMPLES = 3
"""Captions of the data set that are painted again and again on the way."""
STARTER = "inpaint-starter"
DATA = "data"
"""What a recipe calls the data set; its worker knows where that lies."""

ADVANCED = ("steps", "rate", "rank", "resolution", "batch", "gradient_accumulation", "class_count", "seed")
PROMPTS = ("instance_prompt", "class_prompt")
RULES: dict[str, Rule] = {**DreamBoothRecipe.rules(), "rank": LoraRecipe.rules()["rank"]}
"""What each setting may be."""


@dataclass(frozen=True)
class Preset:
    """``says`` is its sentence on the page; ``settings`` are those that differ from the recipe's own, ``small`` the
    same where the base is the small model that ships here."""

    slug: str
    title: str
    says: str
    recipe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> type[FineTuneRecipe]:
        return DreamBoothRecipe if self.recipe == "dreambooth" else LoraRecipe


RECIPES = Path(training.__file__).parent / "recipes"
_SMALL = {"gradient_checkpointing": False, "train_text_encoder": False}
_OWN = ("recipe", "base", "data_dir", "instance_prompt", "class_prompt", "sample_prompts")
"""What a recipe's file says of its own pictures, and a preset leaves open."""


def _told(name: str) -> dict[str, Any]:
    """The settings of a recipe that ships with the library."""
    settings: dict[str, Any] = json.loads((RECIPES / f"{name}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in settings.items() if key not in _OWN}


PRESETS = {
    preset.slug: preset
    for preset in (
        Preset(
            "lora",
            "A style, as a LoRA",
            "Learns from the captions. A few megabytes that are mixed into a model at any strength; quick, and takes "
            "the least memory.",
            "lora",
            {"rank": 4, "rate": 1e-4, "steps": 800},
            _told("lora-starter"),
        ),
        Preset(
            "dreambooth-lora",
            "One thing, as a LoRA",
            "DreamBooth: a rare word comes to mean the thing in the pictures, and its kind stays what it was. Kept as "
            "a LoRA.",
            "dreambooth",
            {"rank": 8, "rate": 1e-4, "steps": 800},
            {**_told("dreambooth-starter"), "rank": 8, "rate": 1e-3},
        ),
        Preset(
            "dreambooth",
            "One thing, the whole model",
            "DreamBooth on all weights: the nearest likeness, and a whole model of its own. Takes many times the "
            "memory.",
            "dreambooth",
            _told("dreambooth"),
            {**_told("dreambooth"), **_told("dreambooth-starter"), **_SMALL},
        ),
    )
}


def bases() -> list[ModelVersion]:
    """The kept versions that can be taught further, those that serve first; the starter is offered besides."""
    rows = ModelVersion.objects.filter(starter="", owner=None).order_by("-default", "-created_at", "-pk")
    able = [row for row in rows if {"restyle", "imagine"} & set(row.capabilities)]
    return [row for row in able if row.manifest.get("architecture") == "diffusers"]


def base_named(reference: str) -> ModelVersion | None:
    """The base of that reference, None for the starter.  Raises :class:`BadInput` where there is no such one."""
    if not reference:
        return None
    found = next((row for row in bases() if row.reference == reference), None)
    if found is None:
        raise BadInput(f"There is no model {reference[:80]} here that could be taught further. Choose another one.")
    return found


def side_of(base: ModelVersion | None) -> int:
    """The side in pixels that a base was trained at."""
    config = base.manifest.get("config", {}) if base else registry.starter_config(STARTER)
    return int((config.get("defaults") or {}).get("size") or 512)


def config_of(preset: Preset, data_set: DataSet, base: ModelVersion | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe, its data set called :data:`DATA` and its base by name.  Raises :class:`BadInput`.

    ``asked`` are the settings that somebody chose; those left out are the preset's.
    """
    known = {each.name for each in dataclasses.fields(preset.kind)}
    chosen = {name: value for name, value in asked.items() if value not in (None, "") and name in known}
    usual = preset.small if base is None else preset.settings
    settings = {**usual, "resolution": side_of(base), **chosen}
    if preset.recipe == "dreambooth":
        _check_prompts(settings)
    captions = list(dict.fromkeys(data_set.pictures.values_list("caption", flat=True)))[:SAMPLES]
    prompts = [settings["instance_prompt"], *captions] if "instance_prompt" in settings else captions
    steps = int(settings.get("steps") or 800)
    paced = {
        "log_every": max(1, min(10, steps // 40)),
        "save_every": max(1, min(100, steps // 4)),
        "epoch_steps": min(steps, max(20, steps // 4)),
        "sample_prompts": prompts[:SAMPLES],
    }
    config = {"recipe": preset.recipe, **settings, **paced, "data_dir": DATA}
    config["base"] = base.reference if base else STARTER
    made: FineTuneRecipe = make_recipe(config)
    return made.to_dict()


def _check_prompts(settings: Mapping[str, Any]) -> None:
    if not settings.get("instance_prompt"):
        raise BadInput("Say what the thing is to be called, with a rare word for it: a photo of sks dress.")
    if not settings.get("class_prompt"):
        raise BadInput("Say what kind of thing it is: a photo of a dress.")
