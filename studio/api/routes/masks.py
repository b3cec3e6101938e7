"""Masks: where a photo is to be repainted, from words or drawn."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, Router, Status, UploadedFile

from ... import files
from ...photos.models import Mask, Photo
from ...photos.services import add_mask
from ...restyle.services import ask_mask
from .. import house, schemas, shown
from ..idempotency import PARAMETER, makes

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
    house.needs_model("text-mask")
    return Status(202, shown.mask(request, ask_mask(house.owner(request), photo, wanted)))


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
    return Status(201, shown.mask(request, add_mask(house.owner(request), own, mask)))


@router.get(
    "",
    response={200: schemas.Page[schemas.Mask], **schemas.refusals(422)},
    operation_id="list_masks",
    summary="Your masks",
)
def masks(
    request: HttpRequest, paging: Query[schemas.Paging], photo: uuid.UUID | None = None
) -> schemas.Page[schemas.Mask]:
    """Newest first; ``photo`` names one photo's."""
    rows = Mask.objects.visible_to(request.user).select_related("job")
    return house.page(request, rows.filter(photo=photo) if photo else rows, paging, shown.each(shown.mask))


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Mask, **schemas.refusals(404)},
    operation_id="get_mask",
    summary="One mask",
    url_name="mask",
)
def mask(request: HttpRequest, pk: uuid.UUID) -> schemas.Mask:
    """``found`` says how surely each phrase was found."""
    rows = Mask.objects.visible_to(request.user).select_related("job")
    return shown.mask(request, get_object_or_404(rows, pk=pk))


@router.get(
    "/{uuid:pk}/files/{slug:name}",
    response={200: None, **schemas.refusals(404, 409)},
    operation_id="get_mask_file",
    summary="A mask's picture",
    url_name="mask-file",
    openapi_extra=schemas.PICTURE,
)
def file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """``file``: an 8-bit grey PNG of the photo's size, white where to repaint."""
    row = get_object_or_404(Mask.objects.visible_to(request.user).select_related("job"), pk=pk)
    return house.file(request, row, name, files.mask_file)


@router.delete(
    "/{uuid:pk}",
    response={204: None, **schemas.refusals(404)},
    operation_id="delete_mask",
    summary="Delete a mask",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """Pictures made with it are kept."""
    house.mine(request, Mask.objects.visible_to(request.user), pk).delete()
    return Status(204, None)
