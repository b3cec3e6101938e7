"""What the pages of collections send."""

from __future__ import annotations

from django import forms

from .models import MOST_NAME, MOST_NOTE, MOST_NOTES, BoardItem
from .services import LONG_NOTE, LONG_NOTES, LONGEST_DAYS, UNNAMED

NEW = "new"


class BoardForm(forms.Form):
    name = forms.CharField(max_length=MOST_NAME, error_messages={"required": UNNAMED, "max_length": UNNAMED})
    notes = forms.CharField(max_length=MOST_NOTES, required=False, error_messages={"max_length": LONG_NOTES})


class AddForm(forms.Form):
    """A fabric or a look onto ``board``, an id, or :data:`NEW` with the ``name`` of another one."""

    board = forms.CharField(max_length=36)
    name = forms.CharField(max_length=MOST_NAME, required=False, error_messages={"max_length": UNNAMED})
    pattern = forms.UUIDField(required=False)
    look = forms.UUIDField(required=False)


class ItemForm(forms.Form):
    """Of what is sent: a ``note``, a ``part``, a step ``by`` which it moves."""

    note = forms.CharField(max_length=MOST_NOTE, required=False, error_messages={"max_length": LONG_NOTE})
    part = forms.ChoiceField(choices=BoardItem.Part.choices, required=False)
    by = forms.IntegerField(required=False, min_value=-1000, max_value=1000)


class ShareForm(forms.Form):
    days = forms.IntegerField(min_value=1, max_value=LONGEST_DAYS)
