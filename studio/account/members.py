"""Pages that are not for everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse

from .models import User


def _is_member(person: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(person, User) and not person.is_guest


members_only = user_passes_test(_is_member)
"""Of a view: visitors and guests are asked to sign in first."""


def staff_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Of a view: for anybody else who is signed in there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not getattr(request.user, "is_staff", False):
            raise Http404
        return view(request, *args, **kwargs)

    return members_only(guarded)
