"""What can be sent as a photo."""

from __future__ import annotations

from django import forms


class PhotoForm(forms.Form):
    """An upload; what is inside is judged by the ingest, not by its name."""

    image = forms.FileField(
        error_messages={
            "required": "Choose a photo first.",
            "empty": "This file is empty. Nothing was kept; choose another photo.",
        }
    )


class DrawnForm(forms.Form):
    """A mask painted in the page or by any other program."""

    file = forms.FileField(
        error_messages={"required": "Choose a mask first.", "empty": "This file is empty. Nothing was kept."}
    )
