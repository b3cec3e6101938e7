"""Masks, restyles and pictures from words."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from ml_backend.errors import BadInput
from ml_backend.requests import MAX_SEED, ImagineRequest, RestyleRequest, TextMaskRequest
from ml_backend.serving import jobs, registry
from ml_backend.serving.storage import delete_files, keep
from ml_backend.words.reading import read
from patterns.models import Viewer

from ..ingest import ingest_mask
from ..models import FromWords, Garment, Imagining, Mask, Photo, Restyle, User
from .photos import garment_of

R = TypeVar("R", RestyleRequest, ImagineRequest)

MAX_COUNT = 8
"""Pictures of one batch."""

HISTORY = 400
"""How many of a person's newest batches are looked through for their words."""


def ask_mask(owner: User, photo: Photo, request: TextMaskRequest) -> Mask:
    """A mask of the words in ``photo``, queued to be found; by the model the request names, if it does.

    A default garment's cloth is known: a word for it is answered with that, at once.
    """
    _check_own(owner, photo)
    garment = garment_of(photo)
    if garment is not None and request == TextMaskRequest(request.prompt) and _is_word_for(garment, request.prompt):
        return _whole(owner, photo, request)
    request = registry.settled("text-mask", request)
    with transaction.atomic():
        mask = Mask(owner=owner, photo=photo, origin=Mask.Origin.WORDS, words=request.prompt, params=request.to_dict())
        mask.job = jobs.submit(owner, "text-mask", {"mask": str(mask.pk)}, queue=settings.MODEL_QUEUE)
        mask.save()
    return mask


def words_for(garment: Garment) -> str:
    """What a person would say to change it: "the dress"."""
    return f"the {garment.name.lower()}"


def _is_word_for(garment: Garment, words: str) -> bool:
    """Whether the words are the garment's name, or one word for clothes of its kind."""
    bare = words.lower().removeprefix("the ").removeprefix("all the ").strip()
    return bare == garment.name.lower() or (" " not in bare and list(read(bare).garments) == garment.classes)


def _whole(owner: User, photo: Photo, request: TextMaskRequest) -> Mask:
    """All the cloth of ``photo`` as the mask of these words."""
    found = [{"text": request.prompt, "subtract": False, "confidence": 1.0}]
    mask = Mask(owner=owner, photo=photo, origin=Mask.Origin.WORDS, words=request.prompt, params=request.to_dict())
    mask.found = found
    with default_storage.open(str(photo.mask)) as file:
        mask.file = keep(owner.pk, f"{mask.folder}/mask.png", file.read())
    try:
        mask.save()
    except BaseException:
        delete_files([str(mask.file)])
        raise
    return mask


def add_mask(owner: User, photo: Photo, upload: UploadedFile[Any]) -> Mask:
    """A drawn mask, ready at once: grey values count, or what is not transparent; stretched to the photo's size."""
    _check_own(owner, photo)
    data = ingest_mask(upload, photo)
    mask = Mask(owner=owner, photo=photo, origin=Mask.Origin.BRUSH)
    key = keep(owner.pk, f"{mask.folder}/mask.png", data)
    try:
        mask.file = key
        mask.save()
    except BaseException:
        delete_files([key])
        raise
    return mask


def ask_restyle(owner: User, photo: Photo, mask: Mask, request: RestyleRequest, count: int = 1) -> list[Restyle]:
    """``count`` pictures of ``photo`` repainted inside ``mask``, of the request's seed and those after it.

    They are one batch, made by one job, and each is there as soon as it is made.  A mask still in work is waited for.
    """
    _check_own(owner, photo)
    if mask.owner_id != owner.pk or mask.photo_id != photo.pk:
        raise BadInput("This mask belongs to another photo. Mark again what to change.")
    requests = _series(registry.settled("restyle", request), count)
    needed = [] if mask.ready else [mask.job]
    if not mask.ready and mask.job is None:
        raise BadInput("This mask was never made. Mark again what to change.")
    with transaction.atomic():
        common = {**_batch(owner), "photo": photo, "mask": mask}
        job = jobs.submit(owner, "restyle", {"batch": str(common["batch"])}, queue=settings.MODEL_QUEUE, after=needed)
        rows = [Restyle(job=job, number=n, params=one.to_dict(), **common) for n, one in enumerate(requests)]
        return Restyle.objects.bulk_create(rows)


def ask_imagine(owner: User, request: ImagineRequest, count: int = 1) -> list[Imagining]:
    """``count`` pictures from words, of the request's seed and those after it; one batch, made by one job."""
    requests = _series(registry.settled("imagine", request), count)
    with transaction.atomic():
        common = _batch(owner)
        job = jobs.submit(owner, "imagine", {"batch": str(common["batch"])}, queue=settings.MODEL_QUEUE)
        rows = [Imagining(job=job, number=n, params=one.to_dict(), **common) for n, one in enumerate(requests)]
        return Imagining.objects.bulk_create(rows)


def prompts_of(person: Viewer, kind: str, limit: int = 30) -> list[str]:
    """The words a person has used, newest first, each once; ``kind`` is "mask", "restyle" or "imagine"."""
    if not person.pk:
        return []
    words = _words_of(person, kind)
    return list(dict.fromkeys(words))[:limit]


def _words_of(person: Viewer, kind: str) -> Sequence[str]:
    if kind == "mask":
        rows = Mask.objects.visible_to(person).exclude(words="")
        return list(rows.values_list("words", flat=True)[:HISTORY])
    if kind not in ("restyle", "imagine"):
        raise ValueError(f"There is no history of {kind!r}.")
    model: type[FromWords] = Restyle if kind == "restyle" else Imagining
    firsts = model._default_manager.filter(owner_id=person.pk, number=0)
    return list(firsts.values_list("params__prompt", flat=True)[:HISTORY])


def _check_own(owner: User, photo: Photo) -> None:
    if photo.owner_id != owner.pk:
        raise BadInput("This photo is not there any more. Choose another one.")


def _series(request: R, count: int) -> list[R]:
    if not 1 <= count <= MAX_COUNT:
        raise BadInput(f"Between 1 and {MAX_COUNT} pictures can be made at a time, not {count}.")
    return [dataclasses.replace(request, seed=(request.seed + n) % (MAX_SEED + 1)) for n in range(count)]


def _batch(owner: User) -> dict[str, Any]:
    """What the rows of one batch have in common; the same moment keeps them together in every list."""
    return {"owner": owner, "batch": uuid.uuid4(), "created_at": timezone.now()}
