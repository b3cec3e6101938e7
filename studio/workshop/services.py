"""Data sets: pictures brought in, looked at, captioned, frozen, copied, written out."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from ml_backend.errors import BadInput
from ml_backend.requests import MAX_PROMPT
from ml_backend.serving import jobs
from ml_backend.serving.storage import delete_after_commit, kept_together

from ..account.models import User
from ..photos.ingest import opened
from ..zipping import Entry
from .models import MOST_NAME, DataSet, TrainingPicture

MOST_PICTURES, LEAST_PICTURES = 100, 3
METADATA = "metadata.jsonl"
SQUARED = ("file", "mask")

FROZEN = "This data set is frozen: what learned from it would no longer be told by it. Copy it to change something."
FULL = f"A data set holds at most {MOST_PICTURES} pictures. Those that arrived are kept."
TOO_FEW = f"At least {LEAST_PICTURES} pictures are needed to teach a style; a dozen is a good number."
LOOKING = "The pictures are still being looked at. Nothing was frozen; try again in a moment."
NOT_SQUARED = "Some pictures were not looked at yet. Nothing was frozen; have them looked at, or take them out."
UNSAID = "Picture {number} has no caption. Nothing was frozen; say in a few words what it shows."
LONG = f"A caption can be at most {MAX_PROMPT} characters."
UNNAMED = "Give it a name, so that you find it again."


def make(owner: User, name: str, shape: str, side: int) -> DataSet:
    """An empty data set.  Raises :class:`BadInput` without a name."""
    return DataSet.objects.create(owner=owner, name=_name(name), shape=shape, side=side)


def _name(text: str) -> str:
    said = " ".join(text.split())[:MOST_NAME]
    if not said:
        raise BadInput(UNNAMED)
    return said


def change(data_set: DataSet, name: str, shape: str, side: int) -> None:
    """Another name, or another square: then all pictures are squared anew.  The captions stay.

    Of a frozen one only the name may change.  Raises :class:`BadInput`.
    """
    with transaction.atomic():
        locked = _locked(data_set)
        squares = (locked.shape, locked.side) != (shape, side)
        if squares and locked.frozen:
            raise BadInput(FROZEN)
        locked.name, locked.shape, locked.side = _name(name), shape, side
        locked.save(update_fields=["name", "shape", "side"])
        if squares:
            for picture in locked.pictures.exclude(file=""):
                delete_after_commit(picture, SQUARED)
            locked.pictures.update(file="", mask="", sha256="", mask_sha256="")
            look(locked)


def share(data_set: DataSet, shared: bool) -> None:
    """Let staff see it and train with it, or no longer."""
    DataSet.objects.filter(pk=data_set.pk).update(shared=shared)


def add_picture(data_set: DataSet, upload: UploadedFile[Any]) -> TrainingPicture:
    """The picture that is sent, normalised and kept, and a look at it queued.  Raises :class:`BadInput`."""
    _check_room(data_set)
    decoded = opened(upload, data_set.owner)
    picture = TrainingPicture(data_set=data_set, width=decoded.width, height=decoded.height)
    with kept_together(data_set.owner_id) as keep:
        picture.image = keep(f"{picture.folder}/image.{decoded.suffix}", decoded.image)
        picture.thumb = keep(f"{picture.folder}/thumb.webp", decoded.thumb)
        with transaction.atomic():
            locked = _locked(data_set)
            _check_room(locked)
            picture.number = 1 + (locked.pictures.aggregate(last=Max("number"))["last"] or 0)
            picture.save()
            look(locked)
    return picture


def _check_room(data_set: DataSet) -> None:
    if data_set.frozen:
        raise BadInput(FROZEN)
    if data_set.pictures.count() >= MOST_PICTURES:
        raise BadInput(FULL)


def look(data_set: DataSet) -> None:
    """Have its pictures squared and looked at, unless that is under way: who is at it does those that came since."""
    if data_set.looking or not data_set.pictures.filter(file="").exists():
        return
    data_set.job = jobs.submit(data_set.owner, "look-at-pictures")
    data_set.save(update_fields=["job"])


def look_again(data_set: DataSet) -> None:
    """:func:`look`, asked for by its owner.  Raises :class:`BadInput` once it is frozen."""
    with transaction.atomic():
        locked = _locked(data_set)
        if locked.frozen:
            raise BadInput(FROZEN)
        look(locked)


def take_out(picture: TrainingPicture) -> None:
    """Delete one picture.  Raises :class:`BadInput` once its data set is frozen."""
    with transaction.atomic():
        if _locked(picture.data_set).frozen:
            raise BadInput(FROZEN)
        picture.delete()


def caption(data_set: DataSet, said: Mapping[str, str]) -> None:
    """New captions by the pictures' ids; other ids are passed over.  Raises :class:`BadInput`; then none is changed."""
    with transaction.atomic():
        if _locked(data_set).frozen:
            raise BadInput(FROZEN)
        for picture in data_set.pictures.all():
            text = " ".join(said.get(str(picture.pk), picture.caption).split())
            if len(text) > MAX_PROMPT:
                raise BadInput(LONG)
            if text != picture.caption:
                TrainingPicture.objects.filter(pk=picture.pk).update(caption=text)


def freeze(data_set: DataSet) -> None:
    """Fix pictures and captions for good and name them by their hash.  Raises :class:`BadInput`; then nothing is."""
    with transaction.atomic():
        locked = _locked(data_set)
        if locked.frozen:
            return
        pictures = list(locked.pictures.all())
        if len(pictures) < LEAST_PICTURES:
            raise BadInput(TOO_FEW)
        if locked.looking:
            raise BadInput(LOOKING)
        if not all(picture.file for picture in pictures):
            raise BadInput(NOT_SQUARED)
        for place, picture in enumerate(pictures, 1):
            if not picture.caption:
                raise BadInput(UNSAID.format(number=place))
        locked.sha256, locked.frozen_at = digest_of(pictures), timezone.now()
        locked.save(update_fields=["sha256", "frozen_at"])
    data_set.refresh_from_db()


def digest_of(pictures: Iterable[TrainingPicture]) -> str:
    """SHA-256 of what there is to learn: each picture's and mask's own SHA-256 with the caption, in their order.

    Their numbers, dates and owner say nothing of that: a copy of a data set has the same hash until it is changed.
    """
    digest = hashlib.sha256()
    for picture in pictures:
        line = {"mask": picture.mask_sha256, "picture": picture.sha256, "text": picture.caption}
        digest.update(json.dumps(line, sort_keys=True, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def copy(data_set: DataSet, owner: User) -> DataSet:
    """A data set of ``owner``'s with the same pictures and captions, free to be changed.  Raises :class:`BadInput`."""
    made = DataSet(owner=owner, name=f"{data_set.name} (copy)"[:MOST_NAME])
    made.shape, made.side = data_set.shape, data_set.side
    with kept_together(owner.pk) as keep, transaction.atomic():
        made.save()
        for picture in data_set.pictures.all():
            again = _copied(picture, made)
            for field in TrainingPicture.file_fields:
                if key := str(getattr(picture, field)):
                    name = f"{again.folder}/{field}.{key.rpartition('.')[2]}"
                    setattr(again, field, keep(name, _content(key)))
            again.save()
        look(made)
    return made


def _copied(picture: TrainingPicture, into: DataSet) -> TrainingPicture:
    """Of a picture all but its files and its place in time."""
    kept = ("number", "width", "height", "caption", "suggestion", "sha256", "mask_sha256")
    return TrainingPicture(data_set=into, **{name: getattr(picture, name) for name in kept})


def entries(data_set: DataSet) -> list[Entry]:
    """The files of its folder, as stock tools read it (Hugging Face's ``imagefolder``), ``metadata.jsonl`` first."""
    pictures = [picture for picture in data_set.pictures.all() if picture.file]
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in map(_line, pictures))
    files: Iterator[Entry] = ((picture.file_name, str(picture.file)) for picture in pictures)
    masks: Iterator[Entry] = ((picture.mask_name, str(picture.mask)) for picture in pictures if picture.mask)
    return [(METADATA, lines.encode()), *files, *masks]


def _line(picture: TrainingPicture) -> dict[str, str]:
    line = {"file_name": picture.file_name, "text": picture.caption}
    return {**line, "mask": picture.mask_name} if picture.mask else line


def write_folder(data_set: DataSet, folder: Path) -> None:
    """The folder that a recipe learns from; whatever lay there before goes."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in entries(data_set):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_content(content) if isinstance(content, str) else content)


def _content(key: str) -> bytes:
    with default_storage.open(key) as file:
        content: bytes = file.read()
    return content


def _locked(data_set: DataSet) -> DataSet:
    """Its row as it is now, held until the transaction ends."""
    return DataSet.objects.select_for_update(of=("self",)).select_related("owner", "job").get(pk=data_set.pk)
