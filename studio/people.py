"""Guests and members: who is here, and what happens to their work when they sign up, sign in or leave.

A guest is a real row, made at the first thing worth keeping, so everything else treats guests and members alike.
"""

from __future__ import annotations

import uuid

from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest

from ml_backend.models import Job
from patterns.models import Favourite, Pattern

from .models import Imagining, Look, Mask, Photo, Restyle, User

BACKEND = "django.contrib.auth.backends.ModelBackend"


def person(request: HttpRequest) -> User | None:
    """Who is here; None for a visitor who has not done anything yet."""
    return request.user if isinstance(request.user, User) else None


def ensure_person(request: HttpRequest) -> User:
    """Who is here, made a guest now if they were nobody.  Call it only on POST: reading a page makes no rows."""
    known = person(request)
    if known is not None:
        return known
    guest = User(username=f"guest-{uuid.uuid4().hex}", is_guest=True)
    guest.set_unusable_password()
    guest.save()
    login(request, guest, backend=BACKEND)
    return guest


def sign_up(request: HttpRequest, username: str, password: str, email: str = "") -> User:
    """A new member, signed in.  A guest becomes the member and keeps all work; the caller has validated the values."""
    member = person(request)
    if member is None or not member.is_guest:
        member = User()
    member.username, member.email, member.is_guest = username, email, False
    member.set_password(password)
    member.save()
    login(request, member, backend=BACKEND)
    return member


def sign_in(request: HttpRequest, member: User) -> None:
    """Sign ``member`` in (already authenticated); what this session's guest made moves over."""
    guest = person(request)
    if guest is not None and guest.is_guest and guest.pk != member.pk:
        merge(guest, member)
    login(request, member, backend=BACKEND)


def merge(guest: User, member: User) -> None:
    """Move everything of ``guest`` to ``member`` and delete the guest.  A running job goes on; it has a new owner."""
    with transaction.atomic():
        for model in (Job, Pattern, Photo, Look, Mask, Restyle, Imagining):
            model._default_manager.filter(owner=guest).update(owner=member)
        kept = Favourite.objects.filter(user=member).values("pattern")
        Favourite.objects.filter(user=guest).exclude(pattern__in=kept).update(user=member)
        guest.delete()


def delete_everything(request: HttpRequest) -> None:
    """Delete this person: photos, pictures, patterns, favourites, jobs, the account, and every file of theirs."""
    leaver = person(request)
    if leaver is not None:
        with transaction.atomic():
            leaver.delete()
    logout(request)
