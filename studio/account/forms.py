"""A name, passwords, and leaving."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.db.models import Q

from . import guesses
from .models import MOST_PUBLIC_NAME, User


class SignUpForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """A name, a password twice, and an e-mail address if one likes."""

    class Meta:
        model = User
        fields = ("username", "email")

    def clean_username(self) -> str:
        """Names that look like a guest's row are kept for guests."""
        username: str = self.cleaned_data["username"]
        if username.lower().startswith("guest-") or User.objects.filter(username__iexact=username).exists():
            self.add_error("username", "This name is taken; please choose another.")
        return username


class NewPasswordForm(PasswordChangeForm):
    """The old password, and a new one twice.  Guesses at the old one are counted."""

    def clean_old_password(self) -> str:
        """Raises :class:`studio.limits.TooFast` after too many."""
        old: str = self.cleaned_data["old_password"]
        if not guesses.is_password(self.user, old):
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class PublicNameForm(forms.ModelForm):  # type: ignore[type-arg]
    """What stands under everything that somebody publishes; empty is nobody's name."""

    public_name = forms.CharField(max_length=MOST_PUBLIC_NAME, required=False, label="Public name")

    class Meta:
        model = User
        fields = ("public_name",)

    def clean_public_name(self) -> str:
        """One line of what can be read; nobody goes by another's name, be it public or that of an account."""
        name = " ".join(unicodedata.normalize("NFKC", self.cleaned_data["public_name"]).split())
        if any(unicodedata.category(letter).startswith("C") for letter in name):
            raise ValidationError("This name holds characters that cannot be read. Nothing was changed.")
        others = User.objects.exclude(pk=self.instance.pk)
        if name and others.filter(Q(public_name__iexact=name) | Q(username__iexact=name)).exists():
            raise ValidationError("This name is taken; please choose another. Nothing was changed.")
        return name


class LeaveForm(forms.Form):
    """A member's password, to be sure who it is that leaves; a guest has none.  Guesses are counted."""

    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Type your password: nothing can be brought back afterwards."},
    )

    def __init__(self, leaver: User | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaver = leaver
        if leaver is None or leaver.is_guest:
            del self.fields["password"]

    def clean_password(self) -> str:
        """Raises :class:`studio.limits.TooFast` after too many wrong ones."""
        password: str = self.cleaned_data["password"]
        if self.leaver is None or not guesses.is_password(self.leaver, password):
            raise ValidationError("This is not your password. Nothing was deleted.")
        return password
