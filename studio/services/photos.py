"""A person's photos: uploaded, or copied from a picture that was made here."""

from __future__ import annotations

import posixpath
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from ml_backend import jobs
from ml_backend.errors import BadInput
from ml_backend.storage import delete_files

from .. import pictures
from ..ingest import ingest
from ..models import Garment, Imagining, Look, Photo, Restyle, User

Source = Look | Restyle | Imagining | Garment
"""What a photo can be copied from."""


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


def photo_of(owner: User, source: Source) -> Photo:
    """``source`` as a photo of ``owner``'s own, to repaint or to wear fabrics in the studio.

    The file is copied as it is, and the search for its cloth queued.  Asked again for the same source, the first copy
    is the answer.
    """
    if not _may_see(owner, source):
        raise BadInput("This picture is not there any more. Choose another one.")
    name = f"{source._meta.model_name}:{source.pk}"
    known = Photo.objects.visible_to(owner).filter(source=name).first()
    if known is not None:
        return known
    photo = _copied(owner, source, name)
    try:
        find_cloth(photo)
    except BadInput:
        photo.delete()
        raise
    return photo


def _may_see(owner: User, source: Source) -> bool:
    if isinstance(source, Garment):
        return True
    return type(source)._default_manager.filter(pk=source.pk, owner=owner).exists() or source.public


def _copied(owner: User, source: Source, name: str) -> Photo:
    key = str(source.image if isinstance(source, Garment) else source.file)
    if not key:
        raise BadInput("This picture is still being made; try again in a moment.")
    picture = pictures.load(key, "RGB")
    photo = Photo(owner=owner, source=name, width=picture.width, height=picture.height)
    keys: list[str] = []
    try:
        with default_storage.open(key) as file:
            keys.append(default_storage.save(f"{photo.folder}/image{posixpath.splitext(key)[1]}", file))
        keys.append(default_storage.save(f"{photo.folder}/thumb.webp", ContentFile(pictures.thumb(picture))))
        photo.image, photo.thumb = keys
        photo.save()
    except BaseException:
        delete_files(keys)
        raise
    return photo
