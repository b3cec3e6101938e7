"""Taps on a photo: a place is shown to the segmentation, which says where the garment that is meant ends."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from ml_backend.errors import BadInput
from ml_backend.requests import TapRequest
from ml_backend.serving import jobs

from ..models import Mask, Photo, User
from .mending import BUSY, check_garment

UNREADABLE = "These taps could not be read. What is marked so far is safe; please tap again."
NO_GARMENT = "Say which garment is mended: taps without one are not taken here."


def read_taps(request: HttpRequest) -> TapRequest:
    """The JSON of a :class:`TapRequest`: all taps so far, in pixels of the picture that was shown, the newest last."""
    if request.content_type != "application/json":  # a form's body has been read by then, to find the CSRF token
        raise BadInput(UNREADABLE)
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadInput(UNREADABLE) from error
    if not isinstance(data, Mapping):
        raise BadInput(UNREADABLE)
    taps = TapRequest.from_dict(data)
    if taps.garment is None:
        raise BadInput(NO_GARMENT)
    return dataclasses.replace(taps, model=None)


def ask_tap(owner: User, photo: Photo, request: TapRequest) -> Mask:
    """Queue what the last of the taps adds to its garment, or takes from it; answers to earlier ones are dropped.

    What comes of it is a draft of the person at the mend editor, gone after the next tap or an hour.
    """
    check_garment(photo, request.garment or "")
    if photo.job is not None and photo.job.active:
        raise BadInput(BUSY)
    meant = _on_photo(request, photo)
    with transaction.atomic():
        Mask.objects.filter(owner=owner, photo=photo, origin=Mask.Origin.TAPS).delete()
        mask = Mask(owner=owner, photo=photo, origin=Mask.Origin.TAPS)
        asked = {"mask": str(mask.pk), "taps": meant.to_dict()}
        mask.job = jobs.submit(owner, "tap", asked, queue=settings.MODEL_QUEUE)
        mask.save()
    return mask


def _on_photo(request: TapRequest, photo: Photo) -> TapRequest:
    """The taps in pixels of the photo itself, of which a smaller picture may have been shown."""
    width, height = photo.width, photo.height
    taps = tuple(
        ((2 * x + 1) * width // (2 * request.width), (2 * y + 1) * height // (2 * request.height), on)
        for x, y, on in request.taps
    )
    return TapRequest(width, height, taps, request.garment)
