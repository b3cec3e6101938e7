"""Imaginings: pictures of garments from words alone."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status

from ml_backend.engines import IMAGINE
from ml_backend.serving import registry

from ...imagine.models import Imagining
from ...imagine.services import ask_imagine
from .. import schemas, serializers
from ..auth import owner
from ..errors import needs_model
from ..idempotency import PARAMETER, makes
from ..things import Kind, add_routes

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
    needs_model(IMAGINE[wanted.engine].model)
    made = ask_imagine(owner(request), wanted, body.count)
    job = made[0].job
    assert job is not None
    items = [serializers.imagining(request, row) for row in made]
    batch = schemas.Batch[schemas.Imagining](batch=made[0].batch, job=serializers.job(request, job), items=items)
    return Status(202, batch)


add_routes(
    router,
    Kind(
        Imagining,
        schemas.Imagining,
        serializers.imagining,
        lambda rows: rows.select_related("job"),
        several="Imagined pictures",
        one="One imagined picture",
        one_says="With its recipe, which makes it again.",
        file="An imagined picture's file",
        file_says="``file`` or ``thumb``.",
        delete_says="The others of its batch are kept.",
        listing=schemas.OfBatch,
        article="an",
    ),
)
