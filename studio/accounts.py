"""Signing up, in and out, a new password, and leaving with everything."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.views.generic import FormView, TemplateView

from . import people
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


class PasswordChange(MembersOnly, PasswordChangeView):
    """Template ``account/password_change.html`` with ``form``."""

    template_name = "account/password_change.html"
    success_url = reverse_lazy("studio")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your new password is set.")
        return super().form_valid(form)


class DeleteEverything(TemplateView):
    """GET asks (template ``account/delete.html`` with ``photos``, ``looks``, ``patterns``, ``made``); POST does it."""

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

    def post(self, *_: Any, **__: Any) -> HttpResponse:
        people.delete_everything(self.request)
        messages.success(self.request, "Everything of yours is deleted: photos, looks, patterns, pictures and account.")
        return HttpResponseRedirect(reverse("studio"))
