"""Deleting what nobody needs any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from .models import Look, Photo, User

EMPTY_GUEST_DAYS = 30


def delete_old_photos() -> int:
    """Photos, and the private looks made from them, unused for ``PHOTO_RETENTION_DAYS``; the number of photos.

    A photo counts as used when it was uploaded and whenever a look was made from it; one with a published look stays.
    """
    if settings.PHOTO_RETENTION_DAYS <= 0:
        return 0
    old = _days_ago(settings.PHOTO_RETENTION_DAYS)
    looks = Look.objects.filter(photo=OuterRef("pk"))
    unused = Photo.objects.filter(created_at__lt=old).exclude(
        Exists(looks.filter(created_at__gte=old)) | Exists(looks.filter(public=True))
    )
    return unused.delete()[1].get("studio.Photo", 0)


def delete_empty_guests() -> int:
    """Guests who left nothing behind; their number."""
    old = _days_ago(EMPTY_GUEST_DAYS)
    gone = User.objects.filter(
        is_guest=True,
        date_joined__lt=old,
        patterns=None,
        photos=None,
        looks=None,
        jobs=None,
        favourites=None,
    )
    return gone.delete()[1].get("studio.User", 0)


def delete_expired_sessions() -> int:
    """Sessions that nobody can use any more."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def _days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
