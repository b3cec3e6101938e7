"""What can be asked of a printer's page; lengths in centimetres or inches."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ml_backend.errors import BadInput
from ml_backend.printing.plan import CM_PER_INCH, DPI, INTENTS, KINDS, MAX_SIDE_CM, SCALE, TRAP, PrintRequest
from ml_backend.requests import REPEATS

from ..account.models import User
from ..fields import Measure
from ..photos.models import Garment
from .models import PressProfile
from .requests import MOST_NOTES, PackRequest

UNITS = {"cm": 1.0, "in": CM_PER_INCH}
KIND_WORDS = {
    "tile": "one repeat",
    "panel": "a panel",
    "plates": "separations, a plate an ink",
    "strike-off": "a strike-off sheet",
}
FORMAT_WORDS = {"tiff": "TIFF", "png": "PNG", "pdf": "PDF", "svg": "SVG, lines"}


def _choices(names: tuple[str, ...], words: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return [(name, (words or {}).get(name, name)) for name in names]


class PrintForm(forms.Form):
    """A :class:`PrintRequest`; ``in_repeats`` says the panel in repeats, else it is in ``unit``."""

    kind = forms.ChoiceField(choices=_choices(KINDS, KIND_WORDS), initial="tile")
    format = forms.ChoiceField(choices=_choices(tuple(FORMAT_WORDS), FORMAT_WORDS), initial="tiff")
    repeat = forms.ChoiceField(choices=_choices(REPEATS), initial="basic")
    unit = forms.ChoiceField(choices=[("cm", "cm"), ("in", "inch")], initial="cm", required=False)
    size = Measure(min_value=0.1, max_value=SCALE.high, initial=24)
    dpi = forms.TypedChoiceField(choices=[(dpi, f"{dpi} dpi") for dpi in DPI], coerce=int, initial=300)
    in_repeats = forms.BooleanField(required=False)
    width = Measure(min_value=0.1, max_value=MAX_SIDE_CM, initial=150, required=False)
    height = Measure(min_value=0.1, max_value=MAX_SIDE_CM, initial=100, required=False)
    trap_mm = Measure(min_value=TRAP.low, max_value=TRAP.high, initial=0, required=False)
    weave = forms.BooleanField(required=False)
    profile = forms.ModelChoiceField(PressProfile.objects.none(), required=False, empty_label=_("none, stay in sRGB"))
    intent = forms.ChoiceField(choices=_choices(INTENTS), initial="relative", required=False)

    def __init__(self, *args: Any, person: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["profile"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = PressProfile.objects.of(person).ready()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                data["request"] = self._request(data)
            except BadInput as error:
                raise forms.ValidationError(str(error)) from error
        return data

    @staticmethod
    def _request(data: dict[str, Any]) -> PrintRequest:
        scale = UNITS[data["unit"] or "cm"]
        kind = data["kind"]
        panel: dict[str, Any] = {}
        if kind == "panel":
            width, height = data["width"] or 0, data["height"] or 0
            if data["in_repeats"]:
                panel = {"across": max(1, round(width)), "down": max(1, round(height))}
            else:
                panel = {"width_cm": width * scale, "height_cm": height * scale}
        return PrintRequest(
            kind=kind,
            format=data["format"] if kind in ("tile", "panel") else "tiff",
            repeat=data["repeat"],
            scale_cm=data["size"] * scale,
            dpi=data["dpi"],
            trap_mm=(data["trap_mm"] or 0.0) if kind == "plates" else 0.0,
            weave=data["weave"] and kind != "plates",
            intent=data["intent"] or "relative",
            **panel,
        )

    @property
    def profile_chosen(self) -> PressProfile | None:
        """The one to print in; plates, sheets and lines have no use for one."""
        request: PrintRequest = self.cleaned_data["request"]
        if request.kind in ("plates", "strike-off"):
            return None
        profile: PressProfile | None = self.cleaned_data["profile"]
        return profile


class PackForm(forms.Form):
    """A :class:`PackRequest`."""

    garments = forms.ModelMultipleChoiceField(
        Garment.objects.fronts(),
        to_field_name="slug",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose a garment that wears it."},
    )
    repeat = forms.ChoiceField(choices=_choices(REPEATS), initial="basic")
    size = Measure(min_value=SCALE.low, max_value=SCALE.high, initial=24)
    notes = forms.CharField(max_length=MOST_NOTES, required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def request(self) -> PackRequest:
        data = self.cleaned_data
        slugs = tuple(garment.slug for garment in data["garments"])
        return PackRequest(garments=slugs, repeat=data["repeat"], scale_cm=data["size"], notes=data["notes"])


class ProfileForm(forms.Form):
    """A printer's profile; what is inside is judged by reading it."""

    file = forms.FileField(
        error_messages={
            "required": "Choose the profile that your printer gave you first.",
            "empty": "This file is empty. Nothing was kept; choose another one.",
        }
    )


def first(person: User | Any, values: dict[str, Any]) -> PrintForm:
    """The form as it is before anything was said, with ``values`` of its own."""
    given = {name: field.initial for name, field in PrintForm.base_fields.items() if field.initial is not None}
    form = PrintForm({**given, **values}, person=person)
    form.full_clean()
    return form
