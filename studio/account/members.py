"""Pages that are not for everybody."""

from __future__ import annotations

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from .models import User


def _is_member(person: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(person, User) and not person.is_guest


members_only = user_passes_test(_is_member)
"""Of a view: visitors and guests are asked to sign in first."""
