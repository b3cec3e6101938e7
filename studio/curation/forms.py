"""What staff may ask two versions, and what they write down."""

from __future__ import annotations

from typing import Any

from django import forms

from ml_backend.errors import BadInput
from ml_backend.requests import MAX_SEED, PATTERN_TYPES

from ..photos.models import Garment
from .comparing import Asked

MOST_LINES = 12
MOST_SEEDS = 4
MOST_NOTE = 2000


class NoteForm(forms.Form):
    """A remark on a version."""

    text = forms.CharField(
        max_length=MOST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="A note",
        error_messages={"required": "Write a word or two first."},
    )


class CompareForm(forms.Form):
    """Which other version, at what, and the questions."""

    other = forms.CharField(required=False, max_length=120)
    work = forms.CharField(max_length=20)
    words = forms.CharField(required=False, max_length=4000)
    types = forms.MultipleChoiceField(required=False, choices=[(name, name) for name in PATTERN_TYPES])
    garments = forms.ModelMultipleChoiceField(required=False, queryset=Garment.objects.all(), to_field_name="slug")
    seed = forms.IntegerField(min_value=0, max_value=MAX_SEED - MOST_SEEDS)
    seeds = forms.IntegerField(min_value=1, max_value=MOST_SEEDS)

    def asked(self) -> Asked:
        """Of a valid form.  Raises :class:`BadInput` where there is nothing to ask."""
        data: dict[str, Any] = self.cleaned_data
        lines = data["types"] if data["work"] == "generate" else data["words"].splitlines()
        words = [line for text in lines if (line := " ".join(text.split()))]
        if not words:
            raise BadInput("Say what they shall make: a line for each question.")
        if len(words) > MOST_LINES:
            raise BadInput(f"Ask at most {MOST_LINES} different things.")
        garments = [garment.slug for garment in data["garments"]] if data["work"] == "restyle" else []
        if data["work"] == "restyle" and not garments:
            raise BadInput("Choose at least one garment that they shall repaint.")
        seeds = range(data["seed"], data["seed"] + data["seeds"])
        return Asked(tuple(words), tuple(seeds), tuple(garments))


class UploadForm(forms.Form):
    """What a browser says of a file before it sends it."""

    name = forms.CharField(max_length=255)
    size = forms.IntegerField(min_value=0)


class PartForm(forms.Form):
    """One part of it."""

    offset = forms.IntegerField(min_value=0)
    part = forms.FileField()
