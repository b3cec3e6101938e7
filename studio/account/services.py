"""Guests and members: who is here, and what happens to their work when they sign up, sign in or leave.

A guest is a real row, made at the first thing worth keeping, so everything else treats guests and members alike.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.contrib.auth import login, logout
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from ml_backend.serving import jobs
from patterns.models import Favourite

from .. import limits
from . import visitors
from .models import User

BEGINNING = timedelta(minutes=5)
"""Requests of one browser that are sent before the first is answered come within so long of it."""

BACKEND = "django.contrib.auth.backends.ModelBackend"


def person(request: HttpRequest) -> User | None:
    """Who is here; None for a visitor who has not done anything yet."""
    return request.user if isinstance(request.user, User) else None


def ensure_person(request: HttpRequest) -> User:
    """Who is here, made a guest now if they were nobody.  Call it only on POST: reading a page makes no rows."""
    known = person(request)
    if known is not None:
        return known
    guest = _guest_of(request)
    login(request, guest, backend=BACKEND)
    return guest


def _guest_of(request: HttpRequest) -> User:
    """The guest that this browser began to be a moment ago, in a request beside this one; else a new one.

    The user name is what the browser's own cookie makes it, and unique: of two first requests at once, one makes the
    row and the other finds it.
    """
    name = visitors.guest_name(request)
    for _ in range(2 if name else 0):
        begun = User.objects.filter(username=name, is_guest=True, date_joined__gte=timezone.now() - BEGINNING).first()
        if begun is not None:
            return begun
        if User.objects.filter(username=name).exists():
            break  # a cookie of long ago enters nothing
        try:
            return _new_guest(name)
        except IntegrityError:
            continue
    return _new_guest(f"guest-{uuid.uuid4().hex}")


def _new_guest(name: str) -> User:
    limits.new_guest()
    guest = User(username=name, is_guest=True, origin=limits.origin())
    guest.set_unusable_password()
    with transaction.atomic():
        guest.save()
    return guest


def sign_up(request: HttpRequest, username: str, password: str, email: str = "") -> User:
    """A new member, signed in.  A guest becomes the member and keeps all work; the caller has validated the values.

    Raises :class:`limits.TooFast`.
    """
    limits.new_member()
    member = person(request)
    if member is None or not member.is_guest:
        member = User()
    member.username, member.email, member.is_guest = username, email, False
    member.set_password(password)
    member.save()
    jobs.share_turn(member)
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
        for link in User._meta.related_objects:
            if link.field.name == "owner":
                if make_way := getattr(link.related_model._default_manager, "make_way", None):
                    make_way(guest, member)
                link.related_model._default_manager.filter(owner=guest).update(owner=member)
        jobs.share_turn(member)
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
