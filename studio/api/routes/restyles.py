"""Restyles: a masked region of a photo, repainted from words."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from ml_backend.engines import RESTYLE
from ml_backend.errors import BadInput
from ml_backend.requests import TextMaskRequest
from ml_backend.serving import registry

from ...photos.models import Mask, Photo
from ...restyle.models import Restyle
from ...restyle.services import ask_mask, ask_restyle
from .. import schemas, serializers
from ..auth import owner
from ..errors import needs_model
from ..idempotency import PARAMETER, makes
from ..things import Kind, add_routes

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
    needs_model(RESTYLE[wanted.engine].model)
    mask = _mask(request, photo, body)
    made = ask_restyle(owner(request), photo, mask, wanted, body.count)
    return Status(202, batch_of(request, made))


def _mask(request: HttpRequest, photo: Photo, body: schemas.NewRestyle) -> Mask:
    if (body.mask is None) == (body.region is None):
        raise BadInput("Say where to repaint: either a mask, or a region in words.")
    if body.mask is not None:
        return get_object_or_404(Mask.objects.visible_to(request.user).select_related("job"), pk=body.mask)
    words = TextMaskRequest(body.region or "")
    needs_model("text-mask")
    return ask_mask(owner(request), photo, words)


def batch_of(request: HttpRequest, made: list[Restyle]) -> schemas.Batch[schemas.Restyle]:
    job = made[0].job
    assert job is not None
    items = [serializers.restyle(request, row) for row in made]
    return schemas.Batch[schemas.Restyle](batch=made[0].batch, job=serializers.job(request, job), items=items)


add_routes(
    router,
    Kind(
        Restyle,
        schemas.Restyle,
        serializers.restyle,
        lambda rows: rows.select_related("job"),
        several="Restyled pictures",
        one="One restyled picture",
        one_says="With its recipe, which makes it again.",
        file="A restyled picture's file",
        file_says="``file`` in the photo's full size, or ``thumb``.",
        delete_says="The photo and the mask are kept.",
        listing=schemas.OfBatch,
    ),
)
