"""Guessing passwords: every check of a password is counted before it is made, and a right one clears its count.

Counted are the name from that address (few), the name from anywhere (more, so that a stranger cannot easily keep its
owner out), and the address with all names.  Whoever is refused is not told whether the password was right.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from .. import limits
from .models import User


class CountedGuesses(ModelBackend):
    """Django's own backend, counted: wherever a name and a password are asked for, the admin pages too."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> User:
        """Raises :class:`limits.TooFast`, and ``PermissionDenied`` so that no other backend looks at it again."""
        if username is not None and password is not None:
            count(username)
        known = super().authenticate(request, username, password, **more)
        if not isinstance(known, User):
            raise PermissionDenied
        return known


def count(username: str) -> None:
    """Before a password of ``username`` is looked at.  Raises :class:`limits.TooFast`."""
    if where := limits.origin():
        limits.spend("guesses_address", where)
        limits.spend("guesses_name", _name(username))
        limits.spend("guesses", where, _name(username))


def is_password(user: User, password: str) -> bool:
    """Whether that is the password of ``user``, who is signed in.  Raises :class:`limits.TooFast`."""
    count(user.username)
    right: bool = user.check_password(password)
    if right:
        forgive(user.username)
    return right


def forgive(username: str) -> None:
    """The password was right: those who mistyped before are not held up the next time."""
    if where := limits.origin():
        limits.forgive("guesses", where, _name(username))


@receiver(user_logged_in)
def signed_in(user: User, **_: Any) -> None:
    if not user.is_guest:
        forgive(user.username)


def _name(username: str) -> str:
    """Names that differ in case or spaces only are one; what somebody typed is not kept."""
    plain = username.strip().casefold().encode("utf-8", "surrogatepass").hex()
    return salted_hmac("toile.guesses", plain, algorithm="sha256").hexdigest()[:24]
