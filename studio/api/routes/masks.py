"""Masks: where a photo is to be repainted, from words or drawn."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import File, Form, Router, Status, UploadedFile

from ...photos.models import Mask, Photo
from ...photos.services import add_mask
from ...restyle.services import ask_mask
from .. import schemas, serializers
from ..auth import owner
from ..errors import needs_model
from ..idempotency import PARAMETER, makes
from ..things import Kind, add_routes

router = Router(tags=["Masks"])


@router.post(
    "",
    response={202: schemas.Mask, **schemas.refusals(400, 404, 409, 422, 429, 503)},
    operation_id="text_mask",
    summary="Find a region by words",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def text_mask(request: HttpRequest, body: schemas.NewMask) -> Status[schemas.Mask]:
    """Queues the search; the mask's ``file`` is there when its job is done."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=body.photo)
    wanted = body.request()
    needs_model("text-mask")
    return Status(202, serializers.mask(request, ask_mask(owner(request), photo, wanted)))


@router.post(
    "/upload",
    response={201: schemas.Mask, **schemas.refusals(400, 404, 409, 413, 415, 422, 503)},
    operation_id="upload_mask",
    summary="Upload a drawn mask",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes(whole=False)
def upload(request: HttpRequest, photo: Form[uuid.UUID], mask: File[UploadedFile]) -> Status[schemas.Mask]:
    """A grey picture, white where to repaint, or one that is transparent elsewhere, in the photo's proportions; ready
    at once.

        curl -H "Authorization: Bearer $TOKEN" -F photo=$PHOTO -F mask=@mask.png $TOILE/api/v1/masks/upload
    """
    own = get_object_or_404(Photo.objects.visible_to(request.user), pk=photo)
    return Status(201, serializers.mask(request, add_mask(owner(request), own, mask)))


add_routes(
    router,
    Kind(
        Mask,
        schemas.Mask,
        serializers.mask,
        lambda rows: rows.select_related("job"),
        several="Your masks",
        one="One mask",
        one_says="``found`` says how surely each phrase was found.",
        file="A mask's picture",
        file_says="``file``: an 8-bit grey PNG of the photo's size, white where to repaint.",
        delete_says="Pictures made with it are kept.",
        listing=schemas.OfPhoto,
        list_says="Newest first; ``photo`` names one photo's.",
    ),
)
