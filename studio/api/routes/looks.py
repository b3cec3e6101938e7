"""Looks: a photo or garment wearing a pattern."""

from __future__ import annotations

import uuid
from typing import Literal

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from ml_backend.errors import BadInput
from patterns.models import Pattern

from ... import files
from ...looks.models import Look
from ...looks.services import Part, ask_outfit
from ...photos.models import Garment, Photo
from .. import house, schemas, shown
from ..idempotency import PARAMETER, makes

router = Router(tags=["Looks"])


@router.post(
    "",
    response={202: schemas.Look, **schemas.refusals(400, 404, 409, 422, 429)},
    operation_id="overlay",
    summary="Wear a pattern, or an outfit of several",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def overlay(request: HttpRequest, body: schemas.NewLook) -> Status[schemas.Look]:
    """Queues the picture at the photo's full size. Patterns and photo may still be in work: it waits for them."""
    parts = _parts(request, body)
    look = ask_outfit(house.owner(request), parts, _wearable(request, body), body.format)
    return Status(202, shown.look(request, look))


def _parts(request: HttpRequest, body: schemas.NewLook) -> list[Part]:
    worn = body.worn()
    seen = Pattern.objects.visible_to(request.user).select_related("job")
    patterns = seen.in_bulk([pattern for pattern, _ in worn])
    if any(pattern not in patterns for pattern, _ in worn):
        raise Http404
    return [(patterns[pattern], one) for pattern, one in worn]


def _wearable(request: HttpRequest, body: schemas.NewLook) -> Photo | Garment:
    if (body.photo is None) == (body.garment is None):
        raise BadInput("Say what wears it: either a photo of yours, or a garment.")
    if body.photo is not None:
        return get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=body.photo)
    return get_object_or_404(Garment, slug=body.garment)


@router.get(
    "",
    response={200: schemas.Page[schemas.Look], **schemas.refusals(422)},
    operation_id="list_looks",
    summary="Looks",
)
def looks(
    request: HttpRequest, paging: Query[schemas.Paging], whose: Literal["mine", "public"] = "mine"
) -> schemas.Page[schemas.Look]:
    """Your own in every state, or what everybody has published; newest first."""
    rows = Look.objects.of(request.user) if whose == "mine" else Look.objects.public()
    rows = rows.select_related("job", "garment").with_parts()
    return house.page(request, rows, paging, shown.each(shown.look))


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Look, **schemas.refusals(404)},
    operation_id="get_look",
    summary="One look",
    url_name="look",
)
def look(request: HttpRequest, pk: uuid.UUID) -> schemas.Look:
    """Your own, or a published one."""
    rows = Look.objects.visible_to(request.user).select_related("job", "garment").with_parts()
    return shown.look(request, get_object_or_404(rows, pk=pk))


@router.get(
    "/{uuid:pk}/files/{slug:name}",
    response={200: None, **schemas.refusals(404, 409)},
    operation_id="get_look_file",
    summary="A look's file",
    url_name="look-file",
    openapi_extra=schemas.PICTURE,
)
def file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """``file`` at full size, or ``thumb``."""
    row = get_object_or_404(Look.objects.visible_to(request.user).select_related("job"), pk=pk)
    return house.file(request, row, name, files.look_file)


@router.patch(
    "/{uuid:pk}",
    response={200: schemas.Look, **schemas.refusals(400, 403, 404, 422)},
    operation_id="publish_look",
    summary="Publish a look, or take it back",
)
def publish(request: HttpRequest, pk: uuid.UUID, body: schemas.Publishing) -> schemas.Look:
    """Everybody can see it in the gallery, or only you."""
    row = house.mine(request, Look.objects.visible_to(request.user).select_related("job", "garment").with_parts(), pk)
    row.publish(body.public)
    return shown.look(request, row)


@router.delete(
    "/{uuid:pk}",
    response={204: None, **schemas.refusals(403, 404)},
    operation_id="delete_look",
    summary="Delete a look",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """The pattern and the photo are kept."""
    house.mine(request, Look.objects.visible_to(request.user), pk).delete()
    return Status(204, None)
