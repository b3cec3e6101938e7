"""Photos of one's own."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import File, Router, Status, UploadedFile

from ml_backend.errors import BadInput

from ...imagine.models import Imagining
from ...looks.models import Look
from ...photos.models import Garment, Photo
from ...photos.services import Source, add_photo, photo_of
from ...restyle.models import Restyle
from .. import schemas, serializers
from ..auth import owner
from ..idempotency import PARAMETER, makes
from ..things import Kind, add_routes

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
    return Status(201, serializers.photo(request, add_photo(owner(request), image)))


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
    return Status(201, serializers.photo(request, photo_of(owner(request), _source(request, body))))


@router.patch(
    "/{uuid:pk}",
    response={200: schemas.Photo, **schemas.refusals(400, 404, 422)},
    operation_id="name_photo",
    summary="Give a photo another name",
)
def rename(request: HttpRequest, pk: uuid.UUID, body: schemas.PhotoName) -> schemas.Photo:
    """Nobody else reads it."""
    row = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=pk)
    row.name = " ".join(body.name.split())
    row.save(update_fields=["name"])
    return serializers.photo(request, row)


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


add_routes(
    router,
    Kind(
        Photo,
        schemas.Photo,
        serializers.photo,
        lambda rows: rows.select_related("job"),
        several="Your photos",
        one="One photo",
        one_says="Its ``state`` says how the search for clothes stands.",
        file="A file of a photo",
        file_says="``name`` is one of ``files``: image, thumb, mask (of all clothes), labels and the previews.",
        delete_says="With everything made from it: masks, looks and restyles, files and all.",
        list_says="Newest first.",
    ),
)
