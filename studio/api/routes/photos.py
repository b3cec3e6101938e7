"""Photos of one's own."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Query, Router, Status, UploadedFile

from ml_backend.errors import BadInput

from ... import files
from ...imagine.models import Imagining
from ...looks.models import Look
from ...photos.models import Garment, Photo
from ...photos.services import Source, add_photo, photo_of
from ...restyle.models import Restyle
from .. import house, schemas, shown
from ..idempotency import PARAMETER, makes

router = Router(tags=["Photos"])


@router.post(
    "",
    response={201: schemas.Photo, **schemas.refusals(400, 409, 413, 415, 422, 429, 503)},
    operation_id="upload_photo",
    summary="Upload a photo",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes(whole=False)
def upload(request: HttpRequest, image: File[UploadedFile]) -> Status[schemas.Photo]:
    """A JPEG, PNG, WebP, HEIC or AVIF photo. It is turned upright, freed of metadata and seen by nobody but you;
    the search for the clothes in it is queued at once.

        curl -H "Authorization: Bearer $TOKEN" -F image=@me.jpg $TOILE/api/v1/photos
    """
    return Status(201, shown.photo(request, add_photo(house.owner(request), image)))


@router.post(
    "/copies",
    response={201: schemas.Photo, **schemas.refusals(400, 404, 409, 422, 429)},
    operation_id="copy_photo",
    summary="Use a picture as a photo",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes(whole=False)
def copy(request: HttpRequest, body: schemas.PhotoCopy) -> Status[schemas.Photo]:
    """A look, a restyle, an imagined picture or a garment as a photo of your own, to go on with. The same one asked
    for again is the same photo."""
    return Status(201, shown.photo(request, photo_of(house.owner(request), _source(request, body))))


def _source(request: HttpRequest, body: schemas.PhotoCopy) -> Source:
    given = [name for name in schemas.PhotoCopy.model_fields if getattr(body, name) is not None]
    if len(given) != 1:
        raise BadInput("Name exactly one of look, restyle, imagining and garment.")
    if body.garment is not None:
        return get_object_or_404(Garment, slug=body.garment)
    if body.look is not None:
        return get_object_or_404(Look.objects.visible_to(request.user), pk=body.look)
    if body.restyle is not None:
        return get_object_or_404(Restyle.objects.visible_to(request.user), pk=body.restyle)
    return get_object_or_404(Imagining.objects.visible_to(request.user), pk=body.imagining)


@router.get(
    "",
    response={200: schemas.Page[schemas.Photo], **schemas.refusals(422)},
    operation_id="list_photos",
    summary="Your photos",
)
def photos(request: HttpRequest, paging: Query[schemas.Paging]) -> schemas.Page[schemas.Photo]:
    """Newest first."""
    rows = Photo.objects.visible_to(request.user).select_related("job")
    return house.page(request, rows, paging, shown.each(shown.photo))


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Photo, **schemas.refusals(404)},
    operation_id="get_photo",
    summary="One photo",
    url_name="photo",
)
def photo(request: HttpRequest, pk: uuid.UUID) -> schemas.Photo:
    """Its ``state`` says how the search for clothes stands."""
    rows = Photo.objects.visible_to(request.user).select_related("job")
    return shown.photo(request, get_object_or_404(rows, pk=pk))


@router.get(
    "/{uuid:pk}/files/{slug:name}",
    response={200: None, **schemas.refusals(404, 409)},
    operation_id="get_photo_file",
    summary="A file of a photo",
    url_name="photo-file",
    openapi_extra=schemas.PICTURE,
)
def file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """``name`` is one of ``files``: image, thumb, mask (of all clothes), labels and the previews."""
    row = get_object_or_404(Photo.objects.visible_to(request.user), pk=pk)
    return house.file(request, row, name, files.photo_file)


@router.delete(
    "/{uuid:pk}",
    response={204: None, **schemas.refusals(404)},
    operation_id="delete_photo",
    summary="Delete a photo",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """With everything made from it: masks, looks and restyles, files and all."""
    house.mine(request, Photo.objects.visible_to(request.user), pk).delete()
    return Status(204, None)
