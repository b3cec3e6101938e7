"""Signing up, in and out, a new password, and leaving with everything."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm, PasswordChangeForm
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.views.generic import FormView

from . import guesses, people
from .models import Look, Photo, User


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


class SignUp(FormView):  # type: ignore[type-arg]
    """Template ``account/sign_up.html`` with ``form``.  A guest's work stays with the new member."""

    template_name = "account/sign_up.html"
    form_class = SignUpForm
    success_url = reverse_lazy("studio")

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        data = form.cleaned_data
        people.sign_up(self.request, data["username"], data["password1"], data.get("email", ""))
        messages.success(self.request, f"Welcome, {data['username']}. Everything you made is kept with your name.")
        return super().form_valid(form)


class SignIn(LoginView):
    """Template ``account/sign_in.html`` with ``form`` and ``next``.  What a guest made here moves to the member."""

    template_name = "account/sign_in.html"

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        member = form.get_user()
        assert isinstance(member, User)
        people.sign_in(self.request, member)
        return HttpResponseRedirect(self.get_success_url())


class MembersOnly(UserPassesTestMixin):
    """Guests have no password to change."""

    def test_func(self) -> bool:
        member = people.person(self.request)  # type: ignore[attr-defined]
        return member is not None and not member.is_guest


class NewPasswordForm(PasswordChangeForm):
    """The old password, and a new one twice.  Guesses at the old one are counted."""

    def clean_old_password(self) -> str:
        """Raises :class:`studio.limits.TooFast` after too many."""
        old: str = self.cleaned_data["old_password"]
        if not guesses.is_password(self.user, old):
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class PasswordChange(MembersOnly, PasswordChangeView):
    """Template ``account/password_change.html`` with ``form``."""

    template_name = "account/password_change.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("studio")

    def form_valid(self, form: Any) -> HttpResponse:
        had_tokens = form.user.api_tokens.exists()
        answer = super().form_valid(form)
        revoked = " The tokens of your programs are revoked; make new ones on your account page." if had_tokens else ""
        messages.success(self.request, f"Your new password is set.{revoked}")
        return answer


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


class DeleteEverything(FormView):  # type: ignore[type-arg]
    """GET asks (template ``account/delete.html`` with ``form`` and how much of each kind); POST does it."""

    form_class = LeaveForm
    template_name = "account/delete.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        leaver = people.person(self.request)
        counts = {
            "photos": Photo.objects.filter(owner=leaver).count() if leaver else 0,
            "looks": Look.objects.filter(owner=leaver).count() if leaver else 0,
            "made": leaver.restyles.count() + leaver.imaginings.count() if leaver else 0,
            "patterns": leaver.patterns.count() if leaver else 0,
        }
        return super().get_context_data(**kwargs, **counts)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "leaver": people.person(self.request)}

    def form_valid(self, form: LeaveForm) -> HttpResponse:  # noqa: ARG002
        people.delete_everything(self.request)
        messages.success(self.request, "Everything of yours is deleted: photos, looks, patterns, pictures and account.")
        return HttpResponseRedirect(reverse("studio"))
