"""How a cloth is to be cut: corners in per cent of the photo, the repeat in pixels of the flat cloth."""

from __future__ import annotations

from typing import Any

from django import forms

from ml_backend.requests import ClothRequest

from ..fields import Measure, field_of

CORNERS = ("upper left", "upper right", "lower right", "lower left")
AXES = ("across", "down")
WHOLE = (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0)
CUTS = (("found", "the repeat that is found"), ("set", "a repeat of this size"), ("piece", "a piece, its edges joined"))


class ClothForm(forms.Form):
    """The fields of a :class:`ClothRequest` as people set them; ``request()`` makes one, raising ``BadInput``."""

    cut = forms.ChoiceField(choices=CUTS, required=False)
    repeat_width = Measure(required=False, min_value=8, max_value=1024)
    repeat_height = Measure(required=False, min_value=8, max_value=1024)
    inks = field_of(ClothRequest, "inks")
    side_cm = field_of(ClothRequest, "side_cm")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in range(8):
            self.fields[f"corner_{number}"] = Measure(required=False, min_value=0, max_value=100)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("cut") == "set" and not (data.get("repeat_width") and data.get("repeat_height")):
            raise forms.ValidationError("Say how wide and how high the repeat is, or let it be found.")
        return data

    def request(self, before: ClothRequest) -> ClothRequest:
        """What is not said stays as it was ``before``."""
        data = self.cleaned_data
        corners = list(before.corners or WHOLE)
        for number in range(8):
            given = data.get(f"corner_{number}")
            corners[number] = corners[number] if given is None else round(given / 100, 5)
        cut = data["cut"] or cut_of(before)
        return ClothRequest(
            corners=tuple(corners),
            period=_period(data, before) if cut == "set" else None,
            whole_piece=cut == "piece",
            inks=data["inks"] or before.inks,
            side_cm=data["side_cm"] or before.side_cm,
        )


def _period(data: dict[str, Any], before: ClothRequest) -> tuple[float, ...] | None:
    if data["repeat_width"] and data["repeat_height"]:
        return (data["repeat_width"], data["repeat_height"])
    return before.period


def cut_of(request: ClothRequest) -> str:
    """Which of :data:`CUTS` it is."""
    if request.whole_piece:
        return "piece"
    return "found" if request.period is None else "set"
