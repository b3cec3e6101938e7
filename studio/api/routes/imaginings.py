"""Imaginings: pictures of garments from words alone."""

from __future__ import annotations

import uuid
from typing import Literal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from ml_backend.serving import registry

from ... import files, services
from ...models import Imagining
from .. import house, schemas, shown
from ..idempotency import PARAMETER, makes

router = Router(tags=["Imaginings"])


@router.post(
    "",
    response={202: schemas.Batch[schemas.Imagining], **schemas.refusals(400, 409, 422, 429, 503)},
    operation_id="imagine",
    summary="Make pictures from words",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def imagine(request: HttpRequest, body: schemas.NewImagining) -> Status[schemas.Batch[schemas.Imagining]]:
    """Queues one job for all pictures; each is there as soon as it is made. The same seed with the same words makes
    the same picture again."""
    wanted = body.request(body.engine or registry.default_engine("imagine"))
    house.needs_model(registry.model_of("imagine", wanted.engine))
    made = services.ask_imagine(house.owner(request), wanted, body.count)
    job = made[0].job
    assert job is not None
    items = [shown.imagining(request, row) for row in made]
    batch = schemas.Batch[schemas.Imagining](batch=made[0].batch, job=shown.job(request, job), items=items)
    return Status(202, batch)


@router.get(
    "",
    response={200: schemas.Page[schemas.Imagining], **schemas.refusals(422)},
    operation_id="list_imaginings",
    summary="Imagined pictures",
)
def imaginings(
    request: HttpRequest,
    paging: Query[schemas.Paging],
    whose: Literal["mine", "public"] = "mine",
    batch: uuid.UUID | None = None,
) -> schemas.Page[schemas.Imagining]:
    """Your own in every state, or what everybody has published; newest first."""
    rows = Imagining.objects.of(request.user) if whose == "mine" else Imagining.objects.public()
    rows = rows.filter(batch=batch) if batch else rows
    return house.page(request, rows.select_related("job"), paging, shown.each(shown.imagining))


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Imagining, **schemas.refusals(404)},
    operation_id="get_imagining",
    summary="One imagined picture",
    url_name="imagining",
)
def one(request: HttpRequest, pk: uuid.UUID) -> schemas.Imagining:
    """With its recipe, which makes it again."""
    rows = Imagining.objects.visible_to(request.user).select_related("job")
    return shown.imagining(request, get_object_or_404(rows, pk=pk))


@router.get(
    "/{uuid:pk}/files/{slug:name}",
    response={200: None, **schemas.refusals(404, 409)},
    operation_id="get_imagining_file",
    summary="An imagined picture's file",
    url_name="imagining-file",
    openapi_extra=schemas.PICTURE,
)
def file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """``file`` or ``thumb``."""
    row = get_object_or_404(Imagining.objects.visible_to(request.user).select_related("job"), pk=pk)
    return house.file(request, row, name, files.imagining_file)


@router.patch(
    "/{uuid:pk}",
    response={200: schemas.Imagining, **schemas.refusals(400, 403, 404, 422)},
    operation_id="publish_imagining",
    summary="Publish an imagined picture, or take it back",
)
def publish(request: HttpRequest, pk: uuid.UUID, body: schemas.Publishing) -> schemas.Imagining:
    """Everybody can see it in the gallery, or only you."""
    row = house.mine(request, Imagining.objects.visible_to(request.user).select_related("job"), pk)
    services.publish(row, body.public)
    return shown.imagining(request, row)


@router.delete(
    "/{uuid:pk}",
    response={204: None, **schemas.refusals(403, 404)},
    operation_id="delete_imagining",
    summary="Delete an imagined picture",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """The others of its batch are kept."""
    house.mine(request, Imagining.objects.visible_to(request.user), pk).delete()
    return Status(204, None)
