"""What a person does in the studio.  Every function raises :class:`BadInput` with a sentence for the page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from ml_backend import jobs
from ml_backend.errors import BadInput
from ml_backend.requests import OverlayRequest
from patterns.models import Pattern

from .ingest import ingest
from .models import Garment, Look, Photo, User


def add_photo(owner: User, upload: UploadedFile[Any]) -> Photo:
    """The normalised photo, saved, and the search for its cloth queued."""
    photo = ingest(upload, owner)
    try:
        find_cloth(photo)
    except BadInput:
        photo.delete()
        raise
    return photo


def find_cloth(photo: Photo) -> None:
    """Queue the search for the cloth in ``photo``."""
    with transaction.atomic():
        photo.job = jobs.submit(photo.owner, "segment", {"photo": str(photo.pk)}, queue=settings.MODEL_QUEUE)
        photo.save(update_fields=["job"])


def ask_look(
    owner: User, pattern: Pattern, wearable: Photo | Garment, request: OverlayRequest, format: str = Look.Format.PNG
) -> Look:
    """A look, queued to be rendered at full size; it waits for a pattern or photo that is still in work."""
    if format not in Look.Format.values:
        raise BadInput(f"A look can be saved as PNG or JPEG, not as {format!r}.")
    needed = [] if pattern.ready else [pattern.job]
    if isinstance(wearable, Photo) and not wearable.ready:
        needed.append(wearable.job)
    with transaction.atomic():
        look = Look(
            owner=owner,
            pattern=pattern,
            photo=wearable if isinstance(wearable, Photo) else None,
            garment=wearable if isinstance(wearable, Garment) else None,
            params=request.to_dict(),
            format=format,
        )
        look.job = jobs.submit(owner, "wear", {"look": str(look.pk), **request.to_dict()}, after=needed)
        look.save()
    return look


def publish(look: Look, public: bool) -> None:
    """Show in the gallery to everybody, or to its owner only."""
    if public and not look.ready:
        raise BadInput("This look is still being made; try again in a moment.")
    Look.objects.filter(pk=look.pk).update(public=public)
    look.public = public
