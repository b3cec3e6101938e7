"""Restyles: a masked region of a photo, repainted from words."""

from __future__ import annotations

import uuid
from typing import Literal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from ml_backend.errors import BadInput
from ml_backend.requests import TextMaskRequest
from ml_backend.serving import registry

from ... import files, services
from ...models import Mask, Photo, Restyle
from .. import house, schemas, shown
from ..idempotency import PARAMETER, makes

router = Router(tags=["Restyles"])


@router.post(
    "",
    response={202: schemas.Batch[schemas.Restyle], **schemas.refusals(400, 404, 409, 422, 429, 503)},
    operation_id="restyle",
    summary="Repaint a region from words",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def restyle(request: HttpRequest, body: schemas.NewRestyle) -> Status[schemas.Batch[schemas.Restyle]]:
    """Queues one job for all pictures; each is there as soon as it is made. Where to repaint is a ``mask``, or a
    ``region`` in words. The same seed with the same words makes the same picture again."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=body.photo)
    wanted = body.request(body.engine or registry.default_engine("restyle"))
    house.needs_model(registry.model_of("restyle", wanted.engine))
    mask = _mask(request, photo, body)
    made = services.ask_restyle(house.owner(request), photo, mask, wanted, body.count)
    return Status(202, batch_of(request, made))


def _mask(request: HttpRequest, photo: Photo, body: schemas.NewRestyle) -> Mask:
    if (body.mask is None) == (body.region is None):
        raise BadInput("Say where to repaint: either a mask, or a region in words.")
    if body.mask is not None:
        return get_object_or_404(Mask.objects.visible_to(request.user).select_related("job"), pk=body.mask)
    words = TextMaskRequest(body.region or "")
    house.needs_model("text-mask")
    return services.ask_mask(house.owner(request), photo, words)


def batch_of(request: HttpRequest, made: list[Restyle]) -> schemas.Batch[schemas.Restyle]:
    job = made[0].job
    assert job is not None
    items = [shown.restyle(request, row) for row in made]
    return schemas.Batch[schemas.Restyle](batch=made[0].batch, job=shown.job(request, job), items=items)


@router.get(
    "",
    response={200: schemas.Page[schemas.Restyle], **schemas.refusals(422)},
    operation_id="list_restyles",
    summary="Restyled pictures",
)
def restyles(
    request: HttpRequest,
    paging: Query[schemas.Paging],
    whose: Literal["mine", "public"] = "mine",
    batch: uuid.UUID | None = None,
) -> schemas.Page[schemas.Restyle]:
    """Your own in every state, or what everybody has published; newest first."""
    rows = Restyle.objects.of(request.user) if whose == "mine" else Restyle.objects.public()
    rows = rows.filter(batch=batch) if batch else rows
    return house.page(request, rows.select_related("job"), paging, shown.each(shown.restyle))


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Restyle, **schemas.refusals(404)},
    operation_id="get_restyle",
    summary="One restyled picture",
    url_name="restyle",
)
def one(request: HttpRequest, pk: uuid.UUID) -> schemas.Restyle:
    """With its recipe, which makes it again."""
    rows = Restyle.objects.visible_to(request.user).select_related("job")
    return shown.restyle(request, get_object_or_404(rows, pk=pk))


@router.get(
    "/{uuid:pk}/files/{slug:name}",
    response={200: None, **schemas.refusals(404, 409)},
    operation_id="get_restyle_file",
    summary="A restyled picture's file",
    url_name="restyle-file",
    openapi_extra=schemas.PICTURE,
)
def file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """``file`` in the photo's full size, or ``thumb``."""
    row = get_object_or_404(Restyle.objects.visible_to(request.user).select_related("job"), pk=pk)
    return house.file(request, row, name, files.restyle_file)


@router.patch(
    "/{uuid:pk}",
    response={200: schemas.Restyle, **schemas.refusals(400, 403, 404, 422)},
    operation_id="publish_restyle",
    summary="Publish a restyled picture, or take it back",
)
def publish(request: HttpRequest, pk: uuid.UUID, body: schemas.Publishing) -> schemas.Restyle:
    """Everybody can see it in the gallery, or only you."""
    row = house.mine(request, Restyle.objects.visible_to(request.user).select_related("job"), pk)
    services.publish(row, body.public)
    return shown.restyle(request, row)


@router.delete(
    "/{uuid:pk}",
    response={204: None, **schemas.refusals(403, 404)},
    operation_id="delete_restyle",
    summary="Delete a restyled picture",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """The photo and the mask are kept."""
    house.mine(request, Restyle.objects.visible_to(request.user), pk).delete()
    return Status(204, None)
