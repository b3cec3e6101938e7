"""Signing up, in and out, a new password, and leaving with everything."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import FormView

from ml_backend.serving.storage import used_by

from . import services as people
from .forms import LeaveForm, NewPasswordForm, PublicNameForm, SignUpForm
from .members import members_only
from .models import User
from .services import person


class SignUp(FormView):  # type: ignore[type-arg]
    """Template ``studio/account/sign_up.html`` with ``form``.  A guest's work stays with the new member."""

    template_name = "studio/account/sign_up.html"
    form_class = SignUpForm
    success_url = reverse_lazy("studio")

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        data = form.cleaned_data
        people.sign_up(self.request, data["username"], data["password1"], data.get("email", ""))
        messages.success(self.request, f"Welcome, {data['username']}. Everything you made is kept with your name.")
        return super().form_valid(form)


class SignIn(LoginView):
    """Template ``studio/account/sign_in.html`` with ``form`` and ``next``.  A guest's work moves to the member."""

    template_name = "studio/account/sign_in.html"

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
    """Template ``studio/account/password_change.html`` with ``form``."""

    template_name = "studio/account/password_change.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("studio")

    def form_valid(self, form: Any) -> HttpResponse:
        had_tokens = form.user.api_tokens.exists()
        answer = super().form_valid(form)
        revoked = " The tokens of your programs are revoked; make new ones on your account page." if had_tokens else ""
        messages.success(self.request, f"Your new password is set.{revoked}")
        return answer


class DeleteEverything(FormView):  # type: ignore[type-arg]
    """GET asks (template ``studio/account/delete.html`` with ``form`` and how much of each kind); POST does it."""

    form_class = LeaveForm
    template_name = "studio/account/delete.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        leaver = people.person(self.request)
        counts = {
            "photos": leaver.photos.count() if leaver else 0,
            "looks": leaver.looks.count() if leaver else 0,
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


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here and what is kept of mine."""
    me = person(request)
    kept = _kept(me) if me else dict.fromkeys(KINDS, 0)
    photos = me.photos.as_strip()[:24] if me else []
    return render(request, "studio/account/account.html", {**kept, "me": me, "newest_photos": photos})


@members_only
@require_POST
def public_name(request: HttpRequest) -> HttpResponse:
    """The name under what one publishes; empty takes it away everywhere."""
    me = request.user
    assert isinstance(me, User)
    form = PublicNameForm(request.POST, instance=me)
    if not form.is_valid():
        messages.error(request, str(form.errors["public_name"][0]))
    else:
        form.save()
        said = f"What you publish bears the name {me.public_name} now." if me.public_name else NAMELESS
        messages.success(request, said)
    return redirect("account")


NAMELESS = "What you publish bears no name now."

KINDS = ("photos", "looks", "restyles", "imaginings", "patterns", "tokens", "used")


def _kept(me: User) -> dict[str, int]:
    """How much of each of :data:`KINDS`; ``used`` is bytes."""
    rows = (me.photos, me.looks, me.restyles.ready(), me.imaginings.ready(), me.patterns, me.api_tokens)
    return dict(zip(KINDS, [*(some.count() for some in rows), used_by(me)], strict=True))
