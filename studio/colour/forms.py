"""What the ink table and the palettes may be asked for."""

from __future__ import annotations

from typing import Any

from django import forms

from ml_backend.errors import BadInput
from ml_backend.palettes.held import MAX_HELD, MAX_NAME, held_colours

from ..workspace.forms import MAX_BATCH

MAX_WRITTEN = MAX_HELD * 10
"""Characters of a palette written out."""


class Colours(forms.Field):
    """Fields of one name, a colour each, or written out with commas -> 2 to 12 colours."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> tuple[str, ...]:
        given = [str(one) for one in value or []]
        try:
            return held_colours(given[0] if len(given) == 1 else given)
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error


class Ways(forms.Field):
    """Fields of one name, a palette each."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[tuple[str, ...]]:
        given = list(dict.fromkeys(str(one) for one in value or []))
        if not given:
            raise forms.ValidationError("Choose a colourway first.")
        if len(given) > MAX_BATCH:
            raise forms.ValidationError(f"At most {MAX_BATCH} colourways are dyed at once. Choose some of them.")
        try:
            return [held_colours(one[: MAX_WRITTEN + 1]) for one in given]
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error


class DyeForm(forms.Form):
    """The fabric in the colours of the ink table."""

    fabric = forms.UUIDField(error_messages={"required": "Choose a fabric first."})
    ink = Colours()


class ColourwaysForm(forms.Form):
    """The fabric in several palettes at once."""

    fabric = forms.UUIDField(error_messages={"required": "Choose a fabric first."})
    way = Ways()


class MoodForm(forms.Form):
    """A picture whose colours the fabric may wear."""

    fabric = forms.UUIDField(error_messages={"required": "Choose a fabric first."})
    mood = forms.FileField(
        error_messages={
            "required": "Choose a picture first.",
            "empty": "This file is empty. Nothing was kept; choose another picture.",
        }
    )


class SaveForm(forms.Form):
    """Colours to keep by a name."""

    name = forms.CharField(max_length=MAX_NAME, error_messages={"required": "Give the palette a name first."})
    ink = Colours()


class UploadForm(forms.Form):
    """A palette file of some other program."""

    file = forms.FileField(
        error_messages={
            "required": "Choose a palette file first.",
            "empty": "This palette file is empty. Nothing was kept; please choose another.",
        }
    )
