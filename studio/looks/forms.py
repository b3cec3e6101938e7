"""What the studio's pages may ask for, checked before anything is made."""

from __future__ import annotations

from typing import Any

from django import forms

from ml_backend.errors import BadInput
from ml_backend.requests import (
    MAX_GARMENTS,
    OverlayRequest,
)

from .. import outfits
from ..fields import field_of

DEFAULT_SCALE_CM: float = outfits.USUAL["scale_cm"]


class FitForm(forms.Form):
    """How the fabric is worn; fields are named as in :class:`OverlayRequest`."""

    garments = forms.MultipleChoiceField(choices=[(name, name) for name in outfits.GARMENT_NAMES], required=False)
    repeat = field_of(OverlayRequest, "repeat")
    scale_cm = field_of(OverlayRequest, "scale_cm")
    rotate = field_of(OverlayRequest, "rotate")
    offset_x = field_of(OverlayRequest, "offset_x")
    offset_y = field_of(OverlayRequest, "offset_y")
    strength = field_of(OverlayRequest, "strength")
    mirrored = forms.BooleanField(required=False)

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
