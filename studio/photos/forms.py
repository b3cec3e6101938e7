"""What can be sent as a photo."""

from __future__ import annotations

from django import forms

from .models import MOST_NAME


class PhotoForm(forms.Form):
    """An upload; what is inside is judged by the ingest, not by its name."""

    image = forms.FileField(
        error_messages={
            "required": "Choose a photo first.",
            "empty": "This file is empty. Nothing was kept; choose another photo.",
        }
    )


class NameForm(forms.Form):
    """What a photo is called; empty gives it its number back."""

    name = forms.CharField(max_length=MOST_NAME, required=False)


class MoveForm(forms.Form):
    """Where a photo goes in the strip: ``by`` so many places to the right, or ``before`` another one."""

    by = forms.IntegerField(min_value=-1000, max_value=1000, required=False)
    before = forms.UUIDField(required=False)


class DrawnForm(forms.Form):
    """A mask painted in the page or by any other program."""

    file = forms.FileField(
        error_messages={"required": "Choose a mask first.", "empty": "This file is empty. Nothing was kept."}
    )
