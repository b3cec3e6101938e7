"""Masks, restyles and pictures from words."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from ml_backend.errors import BadInput
from ml_backend.requests import RestyleRequest, TextMaskRequest
from ml_backend.serving import jobs, registry
from ml_backend.serving.storage import kept_together
from ml_backend.words.reading import read

from ..account.models import User
from ..batches import common_to, series
from ..photos.models import Garment, Mask, Photo
from ..photos.services import check_own, garment_of
from .models import Restyle


def ask_mask(owner: User, photo: Photo, request: TextMaskRequest) -> Mask:
    """A mask of the words in ``photo``, queued to be found; by the model the request names, if it does.

    A default garment's cloth is known: a word for it is answered with that, at once.
    """
    check_own(owner, photo)
    garment = garment_of(photo)
    if garment is not None and request == TextMaskRequest(request.prompt) and _is_word_for(garment, request.prompt):
        return _whole(owner, photo, request)
    request = registry.settled("text-mask", request)
    with transaction.atomic():
        mask = Mask(owner=owner, photo=photo, origin=Mask.Origin.WORDS, params=request.to_dict())
        mask.job = jobs.submit(owner, "text-mask", queue=settings.MODEL_QUEUE)
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
    mask = Mask(owner=owner, photo=photo, origin=Mask.Origin.WORDS, params=request.to_dict())
    mask.found = [{"text": request.prompt, "subtract": False, "confidence": 1.0}]
    with default_storage.open(str(photo.mask)) as file, kept_together(owner.pk) as keep:
        mask.file = keep(f"{mask.folder}/mask.png", file.read())
        mask.save()
    return mask


def ask_restyle(owner: User, photo: Photo, mask: Mask, request: RestyleRequest, count: int = 1) -> list[Restyle]:
    """``count`` pictures of ``photo`` repainted inside ``mask``, of the request's seed and those after it.

    They are one batch, made by one job, and each is there as soon as it is made.  A mask still in work is waited for.
    """
    check_own(owner, photo)
    if mask.owner_id != owner.pk or mask.photo_id != photo.pk:
        raise BadInput("This mask belongs to another photo. Mark again what to change.")
    requests = series(registry.settled("restyle", request, owner), count)
    needed = [] if mask.ready else [mask.job]
    if not mask.ready and mask.job is None:
        raise BadInput("This mask was never made. Mark again what to change.")
    with transaction.atomic():
        common = {**common_to(owner), "photo": photo, "mask": mask}
        job = jobs.submit(owner, "restyle", queue=settings.MODEL_QUEUE, after=needed)
        rows = [Restyle(job=job, number=n, params=one.to_dict(), **common) for n, one in enumerate(requests)]
        return Restyle.objects.bulk_create(rows)
