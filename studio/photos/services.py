"""A person's photos: uploaded, or copied from a picture that was made here."""

from __future__ import annotations

import posixpath
import uuid
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from ml_backend.errors import BadInput
from ml_backend.serving import jobs
from ml_backend.serving.storage import kept_together
from patterns.made import Published

from .. import pictures
from ..account.models import User
from .ingest import ingest, ingest_mask
from .models import Garment, Mask, Photo, Wearable

Source = Published | Garment
"""What a photo can be copied from."""
NOT_THERE = "This photo is not there any more. Choose another one."


def add_photo(owner: User, upload: UploadedFile[Any]) -> Photo:
    """The normalised photo, saved, and the search for its cloth queued."""
    return _sought(ingest(upload, owner))


def _sought(photo: Photo) -> Photo:
    """``photo``, the search for its cloth queued; where it cannot be, the photo goes again."""
    try:
        find_cloth(photo)
    except BadInput:
        photo.delete()
        raise
    return photo


def find_cloth(photo: Photo) -> None:
    """Queue the search for the cloth in ``photo``."""
    with transaction.atomic():
        photo.job = jobs.submit(photo.owner, "segment", queue=settings.MODEL_QUEUE)
        photo.save(update_fields=["job"])


def move(photo: Photo, by: int = 0, before: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Lay ``photo`` elsewhere in its owner's strip; the ids of all in their new order.

    Before another photo where that is named, else ``by`` places further right; over an end it stays there.
    """
    with transaction.atomic():
        rows = list(Photo.objects.select_for_update().filter(owner_id=photo.owner_id).as_strip().only("pk", "place"))
        order = [row.pk for row in rows]
        if photo.pk not in order or (before is not None and before not in order):
            raise BadInput(NOT_THERE)
        at = order.index(photo.pk)
        order.remove(photo.pk)
        if before != photo.pk:
            at = order.index(before) if before is not None else min(len(order), max(0, at + by))
        order.insert(at, photo.pk)
        places = {pk: len(order) - number for number, pk in enumerate(order)}
        for row in rows:
            row.place = places[row.pk]
        Photo.objects.bulk_update(rows, ["place"])
    return order


def photo_of(owner: User, source: Source) -> Photo:
    """``source`` as a photo of ``owner``'s own, to repaint or to wear fabrics in the studio.

    The file is copied as it is, and the search for its cloth queued; of a default garment the cloth is known, and
    copied too.  Asked again for the same source, the first copy is the answer.
    """
    if not _may_see(owner, source):
        raise BadInput("This picture is not there any more. Choose another one.")
    name = f"{source._meta.model_name}:{source.pk}"
    known = Photo.objects.visible_to(owner).filter(source=name).first()
    if known is not None:
        return known
    photo = _copied(owner, source, name)
    return photo if photo.ready else _sought(photo)


def _may_see(owner: User, source: Source) -> bool:
    if isinstance(source, Garment):
        return True
    return type(source)._default_manager.filter(pk=source.pk, owner=owner).exists() or source.public


def _copied(owner: User, source: Source, name: str) -> Photo:
    key = str(source.image if isinstance(source, Garment) else getattr(source, source.main_file))
    if not key:
        raise BadInput("This picture is still being made; try again in a moment.")
    picture = pictures.load(key, "RGB")
    photo = Photo(owner=owner, source=name, width=picture.width, height=picture.height)
    copies = {"image": key}
    if isinstance(source, Garment) and source.ready:
        cloth = {field: str(getattr(source, field)) for field in Wearable.file_fields if field != "thumb"}
        copies |= {field: there for field, there in cloth.items() if there}
        photo.fit, photo.classes = source.fit, source.classes
    with kept_together(owner.pk) as keep:
        photo.thumb = keep(f"{photo.folder}/thumb.webp", pictures.thumb(picture))
        for field, there in copies.items():
            with default_storage.open(there) as file:
                setattr(photo, field, keep(f"{photo.folder}/{field}{posixpath.splitext(there)[1]}", file.read()))
        photo.save()
    return photo


def garment_of(photo: Photo) -> Garment | None:
    """The default garment that a photo is a copy of, whose cloth is known; None of all others."""
    kind, _, pk = photo.source.partition(":")
    known = kind == "garment" and photo.ready and not photo.mended
    return Garment.objects.filter(pk=pk).first() if known else None


def add_mask(owner: User, photo: Photo, upload: UploadedFile[Any]) -> Mask:
    """A drawn mask, ready at once: grey values count, or what is not transparent; stretched to the photo's size."""
    check_own(owner, photo)
    data = ingest_mask(upload, photo)
    mask = Mask(owner=owner, photo=photo, origin=Mask.Origin.BRUSH)
    with kept_together(owner.pk) as keep:
        mask.file = keep(f"{mask.folder}/mask.png", data)
        mask.save()
    return mask


def check_own(owner: User, photo: Photo) -> None:
    """Raises :class:`BadInput` unless the photo is the owner's."""
    if photo.owner_id != owner.pk:
        raise BadInput(NOT_THERE)
