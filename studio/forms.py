"""What the studio's pages may ask for, checked before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms

from ml_backend.errors import MOST_QUOTED, BadInput, quoted
from ml_backend.requests import (
    ENGINES,
    MAX_GARMENTS,
    MAX_MODEL,
    MAX_SEED,
    PATTERN_TYPES,
    REPEATS,
    OverlayRequest,
    engine_of,
    parse_palette,
)
from patterns.mixing import MOVES, Other, steps
from patterns.models import Pattern

from . import outfits

BATCH = 4
"""Fabrics made at one press of the button."""
MAX_BATCH = 8
MAX_PALETTE = 120
"""Characters of the colours of a form."""

DEFAULT_ENGINE = ENGINES[0]
DEFAULT_SCALE_CM: float = outfits.USUAL["scale_cm"]


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


class EngineField(forms.ChoiceField):
    """One of the engines, by the name of today or by that of before."""

    def to_python(self, value: Any) -> str:
        return str(engine_of(super().to_python(value)))


class FabricForm(forms.Form):
    """New fabrics: a type, an engine and the ``model`` that dreams them, or ``like`` another pattern."""

    pattern_type = forms.ChoiceField(choices=[(name, name) for name in PATTERN_TYPES])
    engine = EngineField(choices=[(name, name) for name in ENGINES], required=False)
    palette = PaletteField(required=False, max_length=MAX_PALETTE)
    like = forms.UUIDField(required=False)
    seed = forms.IntegerField(required=False, min_value=0, max_value=MAX_SEED)
    count = forms.IntegerField(required=False, min_value=1, max_value=MAX_BATCH)
    model = forms.CharField(required=False, max_length=MAX_MODEL)


class MixForm(forms.Form):
    """Something of two fabrics: ``of`` and another, the pattern ``with`` or the one that ``seed`` and type would be."""

    of = forms.UUIDField(error_messages={"required": "Choose a fabric first."})
    move = forms.ChoiceField(choices=[(name, name) for name in MOVES])
    seed = forms.IntegerField(required=False, min_value=0, max_value=MAX_SEED)
    other_type = forms.ChoiceField(choices=[(name, name) for name in PATTERN_TYPES], required=False)
    amount = forms.FloatField(required=False, min_value=0.0, max_value=1.0)
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


class RecolourForm(forms.Form):
    """Another palette for the pattern ``of``; an empty palette is the seed's own."""

    of = forms.UUIDField()
    palette = PaletteField(required=False, max_length=MAX_PALETTE)


class FitForm(forms.Form):
    """How the fabric is worn; fields are named as in :class:`OverlayRequest`."""

    garments = forms.MultipleChoiceField(choices=[(name, name) for name in outfits.GARMENT_NAMES], required=False)
    repeat = forms.ChoiceField(choices=[(name, name) for name in REPEATS], required=False)
    scale_cm = forms.FloatField(min_value=1.0, max_value=200.0, required=False)
    rotate = forms.FloatField(min_value=-360.0, max_value=360.0, required=False)
    offset_x = forms.FloatField(min_value=-10.0, max_value=10.0, required=False)
    offset_y = forms.FloatField(min_value=-10.0, max_value=10.0, required=False)
    strength = forms.FloatField(min_value=0.0, max_value=1.0, required=False)

    def request(self) -> OverlayRequest:
        """What was given and valid; the rest as it is by default."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}
        if "garments" in given:
            given["garments"] = tuple(given["garments"])
        return OverlayRequest(
            **{"scale_cm": DEFAULT_SCALE_CM, **{name: given[name] for name in FitForm.base_fields if name in given}}
        )


class WearField(forms.Field):
    """The other parts of an outfit, as :func:`outfits.read` reads them."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> Any:
        texts = list(value or [])
        if len(texts) > MAX_GARMENTS:
            raise forms.ValidationError(f"An outfit has 1 to {MAX_GARMENTS} parts, not {len(texts)}.")
        try:
            return [outfits.read(text) for text in texts]
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error


class LookForm(FitForm):
    """A look on a garment (``on``, a slug) or on a photo of one's own: a pattern, and the other parts of an outfit."""

    pattern = forms.UUIDField(required=False)
    wear = WearField(required=False)
    on = forms.SlugField(required=False, max_length=50)
    photo = forms.UUIDField(required=False)
    format = forms.ChoiceField(choices=[("png", "PNG"), ("jpeg", "JPEG")], required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        if not data.get("pattern") and not data.get("wear"):
            raise forms.ValidationError("Choose a fabric first.")
        if not data.get("on") and not data.get("photo"):
            raise forms.ValidationError("Choose a garment or a photo first.")
        return data

    def parts(self) -> list[outfits.Worn]:
        """What is worn, by the ids of the patterns.

        Garments that are ticked for the pattern are taken from the other parts; where some part is named and no garment
        is ticked, the pattern is worn by none.
        """
        others: list[outfits.Worn] = self.cleaned_data["wear"]
        one = self.request()
        if not self.cleaned_data["pattern"] or (others and not one.garments):
            return others
        left = [outfits.without(worn, one.garments) for worn in others]
        return [outfits.Worn(self.cleaned_data["pattern"], one), *(worn for worn in left if worn is not None)]


class PhotoForm(forms.Form):
    """An upload; what is inside is judged by the ingest, not by its name."""

    image = forms.FileField(
        error_messages={
            "required": "Choose a photo first.",
            "empty": "This file is empty. Nothing was kept; choose another photo.",
        }
    )


def first_error(form: forms.Form) -> str:
    """One sentence to show where there is no room for a form; what was typed stands in it only in short."""
    for errors in form.errors.as_data().values():
        wrong = errors[0]
        said = {name: _shortly(value) for name, value in (wrong.params or {}).items()}
        return str(forms.ValidationError(wrong.message, wrong.code, said or None).messages[0])
    return "Something in this form is not right."


def _shortly(value: Any) -> Any:
    return quoted(value) if isinstance(value, str) and len(value) > MOST_QUOTED else value
