"""Deleting what nobody needs any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from ml_backend.models import Job
from patterns.models import Pattern

from .account.models import User
from .cloth.models import ClothPhoto
from .looks.models import Look, LookPart
from .photos.models import Mask, Photo
from .restyle.models import Restyle

EMPTY_GUEST_DAYS = 30
LOOSE_MASK_DAYS = 7
"""A mask that nothing was made with is a draft: every stroke of the brush may leave one."""
TAP_HOURS = 1
"""The answer to a tap is fetched at once, by the page that tapped."""
DISCARDED_HOURS = 1
"""For so long a fabric that was discarded can be brought back."""


def delete_old_photos() -> int:
    """Photos, and the private pictures made from them, unused for ``PHOTO_RETENTION_DAYS``; the number of photos.

    A photo counts as used when it was uploaded and whenever a picture was made from it; one with a published picture
    stays.  That of a cloth is not needed once it is cut: its fabrics stay.
    """
    if settings.PHOTO_RETENTION_DAYS <= 0:
        return 0
    old = _days_ago(settings.PHOTO_RETENTION_DAYS)
    unused = Photo.objects.filter(created_at__lt=old)
    for made in (Look.objects.all(), Restyle.objects.all()):
        unused = unused.exclude(Exists(made.filter(Q(created_at__gte=old) | Q(public=True), photo=OuterRef("pk"))))
    cloths = ClothPhoto.objects.filter(created_at__lt=old).delete()[1].get("studio.ClothPhoto", 0)
    return unused.delete()[1].get("studio.Photo", 0) + cloths


def delete_unkept_fabrics() -> int:
    """New fabrics that nobody has kept in time, and discarded ones; never one that a look wears; their number."""
    at_work = Job.objects.filter(pk=OuterRef("job"), state__in=(Job.State.QUEUED, Job.State.RUNNING))
    over = Pattern.objects.filter(fresh_until__lt=timezone.now() - timedelta(hours=DISCARDED_HOURS)).exclude(
        Exists(LookPart.objects.filter(pattern=OuterRef("pk"))) | Exists(at_work)
    )
    gone = 0
    for pk in list(over.values_list("pk", flat=True)):
        with transaction.atomic():  # somebody may be keeping it, or putting it on, at this very moment
            for row in over.filter(pk=pk).select_for_update(of=("self",)):
                row.delete()
                gone += 1
    return gone


def delete_loose_masks() -> int:
    """Masks of more than ``LOOSE_MASK_DAYS`` ago that no picture was made with, and answers to taps; their number."""
    old = Q(created_at__lt=_days_ago(LOOSE_MASK_DAYS), restyles=None)
    fetched = Q(origin=Mask.Origin.TAPS, created_at__lt=timezone.now() - timedelta(hours=TAP_HOURS))
    return Mask.objects.filter(old | fetched).delete()[1].get("studio.Mask", 0)


def delete_empty_guests() -> int:
    """Guests who left nothing behind; their number."""
    old = _days_ago(EMPTY_GUEST_DAYS)
    theirs = {link.name: None for link in User._meta.related_objects if link.field.name == "owner"}
    gone = User.objects.filter(is_guest=True, date_joined__lt=old, favourites=None, **theirs)
    return gone.delete()[1].get("studio.User", 0)


def delete_expired_sessions() -> int:
    """Sessions that nobody can use any more."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def _days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
