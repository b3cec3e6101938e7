"""What a data set, and a training run, may be asked to be."""

from __future__ import annotations

from typing import Any

from django import forms

from ml_backend.requests import MAX_MODEL

from ..fields import field
from .models import MOST_NAME, SIDES, DataSet
from .presets import ADVANCED, PRESETS, PROMPTS, RULES


class DataSetForm(forms.Form):
    """Its name, and the squares that its pictures become."""

    name = forms.CharField(
        max_length=MOST_NAME,
        error_messages={"required": "Give it a name, so that you find it again."},
    )
    shape = forms.ChoiceField(choices=DataSet.Shape.choices, required=False)
    side = forms.TypedChoiceField(choices=[(side, f"{side} px") for side in SIDES], coerce=int, required=False)

    def asked(self) -> dict[str, Any]:
        """Of a valid form: ``name``, ``shape`` and ``side``, those left out as a new data set has them."""
        data = self.cleaned_data
        new = DataSet()
        return {"name": data["name"], "shape": data["shape"] or new.shape, "side": data["side"] or new.side}


def _setting(name: str) -> forms.Field:
    return field(RULES[name])


class RunForm(forms.Form):
    """A data set, a base, a recipe, and the few settings that may differ from the preset's."""

    data_set = forms.UUIDField(error_messages={"required": "Choose a data set.", "invalid": "Choose a data set."})
    base = forms.CharField(required=False, max_length=MAX_MODEL)
    preset = forms.ChoiceField(choices=[(slug, preset.title) for slug, preset in PRESETS.items()])
    name = forms.CharField(max_length=60, error_messages={"required": "Name what will come of it."})
    instance_prompt = _setting("instance_prompt")
    class_prompt = _setting("class_prompt")
    steps = _setting("steps")
    rate = _setting("rate")
    rank = _setting("rank")
    resolution = _setting("resolution")
    batch = _setting("batch")
    gradient_accumulation = _setting("gradient_accumulation")
    class_count = _setting("class_count")
    seed = _setting("seed")

    def asked(self) -> dict[str, Any]:
        """Of a valid form, the settings."""
        return {name: self.cleaned_data[name] for name in (*PROMPTS, *ADVANCED)}


class StepForm(forms.Form):
    """A checkpoint, by its step."""

    step = forms.IntegerField(min_value=0)
