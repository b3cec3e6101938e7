"""What a data set may be asked to be."""

from __future__ import annotations

from typing import Any

from django import forms

from .models import MOST_NAME, SIDES, DataSet


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
