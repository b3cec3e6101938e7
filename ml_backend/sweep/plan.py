"""What a sweep is: JSON, ``{"recipe": {...}, "settings": [{"rank": 2}, ...]}``.

``recipe`` is what all runs of the recipe ``lora`` have in common; each of the ``settings`` changes some of its fields.
The rest says how the checkpoints are judged.  Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..requests import GUIDANCE, MAX_SEED, STEPS, WORKING_SIZE, Request, Whole, ruled
from ..training.lora import LoraRecipe
from ..training.recipe import make_recipe, read_json

BASE = "base"
"""What the model is called as it was, in tables and plots."""


@dataclass(frozen=True, kw_only=True)
class Judging(Request):
    """How a checkpoint is judged: ``count`` pictures are painted from the captions of those held out, from ``seed`` on.

    They are compared with all that were held out, by KID and FID.  ``steps``, ``guidance`` and ``size`` are the model's
    own where they are null.  ``inception`` is a file of Inception's weights; "" looks for them in torch's cache, else
    takes our classifier's features.
    """

    count: int = ruled(Whole("number of pictures", "Painted to judge a checkpoint.", 8, 100_000), 64)
    steps: int | None = ruled(STEPS, None)
    guidance: float | None = ruled(GUIDANCE, None)
    size: int | None = ruled(WORKING_SIZE, None)
    seed: int = ruled(Whole("seed", high=MAX_SEED), 0)
    inception: str = ""


@dataclass(frozen=True)
class Setting:
    """``changes`` of the recipe, the ``name`` made of them, and the recipe with them."""

    name: str
    changes: Mapping[str, Any]
    recipe: LoraRecipe


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep in their order, how they are judged, and the JSON that says so."""

    settings: tuple[Setting, ...]
    judging: Judging
    written: dict[str, Any]

    @property
    def varied(self) -> tuple[str, ...]:
        """The fields that any of the settings changes, as they first occur."""
        return tuple(dict.fromkeys(name for setting in self.settings for name in setting.changes))

    def value(self, setting: Setting, field: str) -> Any:
        return getattr(setting.recipe, field)


def read_plan(path: Path | str) -> Plan:
    """The sweep of a file.  Raises :class:`BadInput` for one that is none."""
    return make_plan(read_json(path, "sweep"), str(path))


def make_plan(data: Any, source: str = "This sweep") -> Plan:
    """The sweep of its JSON.  Raises :class:`BadInput`, whose sentence begins with ``source``."""
    if not isinstance(data, dict) or not isinstance(data.get("recipe"), dict):
        raise BadInput(f'{source} is no sweep; it should say {{"recipe": {{...}}, "settings": [{{"rank": 2}}, ...]}}.')
    known = {field.name for field in fields(Judging)}
    unknown = sorted(set(data) - known - {"recipe", "settings"})
    if unknown:
        raise BadInput(f"{source} has unknown settings: {', '.join(unknown)}.")
    changes = data.get("settings")
    if not isinstance(changes, list) or not changes or not all(isinstance(each, dict) and each for each in changes):
        raise BadInput(f"{source} names no settings to compare: a list of what each changes in the recipe.")
    settings = tuple(_setting(data["recipe"], each, source) for each in changes)
    names = [setting.name for setting in settings]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadInput(f"{source} has the setting {twice} twice.")
    if (
        len({(each.recipe.base, each.recipe.data_dir, each.recipe.validation, each.recipe.seed) for each in settings})
        > 1
    ):
        raise BadInput(
            f"{source} changes base, data_dir, validation or seed: then its runs are not judged by the same."
        )
    judging = Judging(**{name: value for name, value in data.items() if name in known})
    return Plan(settings, judging, data)


def _setting(recipe: dict[str, Any], changes: dict[str, Any], source: str) -> Setting:
    made = make_recipe({"recipe": "lora", **recipe, **changes}, source)
    if not isinstance(made, LoraRecipe):
        raise BadInput(f"{source} is of the recipe {made.recipe}; only lora can be swept.")
    if made.validation <= 0:
        raise BadInput(f"{source} holds no pictures out to judge by: its validation is 0.")
    return Setting(_name(changes), changes, made)


def _name(changes: Mapping[str, Any]) -> str:
    """The name of a folder: ``rank2-rate1e-06-batch1``."""
    parts = [f"{name}{value:g}" if isinstance(value, float) else f"{name}{value}" for name, value in changes.items()]
    return re.sub(r"[^0-9A-Za-z.-]+", "_", "-".join(parts)).strip(".")[:120] or "setting"
