"""Correcting by hand what was found in a photo: one garment after the other."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from ml_backend.errors import BadInput
from ml_backend.requests import parse_garment
from ml_backend.serving import jobs

from ..models import Photo, User
from .words import add_mask

BUSY = "This photo is still being worked on; try again in a moment. Nothing of yours is lost."
NO_SUCH = "This garment is not in the photo. Choose one that is."


def garment_mask(photo: Photo, name: str) -> bytes:
    """The soft mask of one garment as an 8-bit grey PNG, at the size at which it is painted on."""
    from ml_backend.pipelines import mending

    from .. import pictures

    check_garment(photo, name)
    mask = pictures.load_mask(str(photo.mask))
    one = mending.of_garment(mask, pictures.load_labels(str(photo.labels)), parse_garment(name))
    return pictures.mask_file(mending.reduced(one))


def ask_mend(owner: User, photo: Photo, name: str, drawn: UploadedFile[Any]) -> None:
    """Queue the correction of the garment ``name`` to what was ``drawn``: grey, white where the garment is."""
    check_garment(photo, name)
    mask = add_mask(owner, photo, drawn)
    try:
        _submit(owner, photo, {"garment": name, "mask": str(mask.pk)})
    except BadInput:
        mask.delete()
        raise


def ask_as_found(owner: User, photo: Photo) -> None:
    """Queue the return to the garments as they were found, without any correction by hand."""
    if not photo.mended:
        raise BadInput("The garments of this photo are as they were found.")
    _submit(owner, photo, {"garment": "", "mask": ""})


def _submit(owner: User, photo: Photo, request: dict[str, str]) -> None:
    with transaction.atomic():
        row = Photo.objects.select_for_update().select_related(None).get(pk=photo.pk)
        if row.job is not None and row.job.active:
            raise BadInput(BUSY)
        photo.job = row.job = jobs.submit(owner, "mend", {"photo": str(photo.pk), **request})
        row.save(update_fields=["job"])


def check_garment(photo: Photo, name: str) -> None:
    """Raises :class:`BadInput` unless ``name`` was found in ``photo``."""
    if not photo.ready or not photo.labels:
        raise BadInput("The clothes in this photo have not been found yet. Try the photo again first.")
    if name not in photo.classes:
        raise BadInput(NO_SUCH)
