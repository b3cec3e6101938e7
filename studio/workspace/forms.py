"""What the workspace may ask for: new fabrics, mixes, colourways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms

from ml_backend.errors import BadInput
from ml_backend.requests import MAX_MODEL, GenerateRequest, parse_palette
from patterns.mixing import MOVES, Other, steps
from patterns.models import Pattern

from ..fields import field_of

BATCH = 4
"""Fabrics made at one press of the button."""

MAX_BATCH = 8

MAX_PALETTE = 120
"""Characters of the colours of a form."""

DEFAULT_ENGINE = "drawn"
"""What makes the fabrics of somebody who has not chosen: in a blind look drawn ones were preferred."""


class PaletteField(forms.CharField):
    """``#7a1f2b,#f3e9dc,...`` -> tuple of hex colours; empty -> None, which means that the seed chooses."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_palette(text)
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error


class FabricForm(forms.Form):
    """New fabrics: a type, an engine and the ``model`` that dreams them, or ``like`` another pattern."""

    pattern_type = field_of(GenerateRequest, "pattern_type", required=True)
    subtype = field_of(GenerateRequest, "subtype")
    engine = field_of(GenerateRequest, "engine")
    palette = PaletteField(required=False, max_length=MAX_PALETTE)
    like = forms.UUIDField(required=False)
    seed = field_of(GenerateRequest, "seed")
    count = forms.IntegerField(required=False, min_value=1, max_value=MAX_BATCH)
    model = forms.CharField(required=False, max_length=MAX_MODEL)
    repeat = field_of(GenerateRequest, "repeat")


class MixForm(forms.Form):
    """Something of two fabrics: ``of`` and another, the pattern ``with`` or the one that ``seed`` and type would be."""

    of = forms.UUIDField(error_messages={"required": "Choose a fabric first."})
    move = forms.ChoiceField(choices=[(name, name) for name in MOVES])
    seed = field_of(GenerateRequest, "seed")
    other_type = field_of(GenerateRequest, "morph_type")
    amount = field_of(GenerateRequest, "morph_amount")
    steps = forms.IntegerField(required=False, min_value=1, max_value=MAX_BATCH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["with"] = forms.UUIDField(required=False)  # a word of the language, so it cannot stand above

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("with") and data.get("seed") is None and not self.errors:
            raise forms.ValidationError("Choose a second fabric, or give its seed.")
        return data

    def other(self, one: Pattern, found: Callable[[UUID], Pattern]) -> Other:
        """The second fabric; ``found`` fetches a pattern.  A seed without a type is one of the type of ``one``."""
        data = self.cleaned_data
        if data["with"]:
            return Other.of(found(data["with"]))
        return Other(data["other_type"] or one.pattern_type, data["seed"])

    def amounts(self) -> list[float]:
        """How far from the first fabric to the second: one amount, or those of as many steps as were asked for."""
        data = self.cleaned_data
        if data["steps"]:
            return steps(data["steps"])
        return [0.5 if data["amount"] is None else data["amount"]]


class RepeatForm(forms.Form):
    """The pattern ``of`` (or ``pattern``, as the form of a look calls it) made for another repeat."""

    of = forms.UUIDField(required=False)
    pattern = forms.UUIDField(required=False)
    repeat = field_of(GenerateRequest, "repeat", required=True)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["of"] = data.get("of") or data.get("pattern")
        if not data["of"] and not self.errors:
            raise forms.ValidationError("Choose a fabric first.")
        return data


class RecolourForm(forms.Form):
    """Another palette for the pattern ``of``; an empty palette is the seed's own."""

    of = forms.UUIDField()
    palette = PaletteField(required=False, max_length=MAX_PALETTE)
