"""Looks: a photo or garment wearing a pattern."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from ml_backend.errors import BadInput, quoted
from ml_backend.garments import SIDES
from patterns.models import Pattern

from ...looks.models import Look
from ...looks.services import Part, ask_outfit
from ...photos.models import Garment, Photo
from .. import schemas, serializers
from ..auth import owner
from ..idempotency import PARAMETER, makes
from ..things import Kind, add_routes

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
    look = ask_outfit(owner(request), parts, _wearable(request, body), body.format)
    return Status(202, serializers.look(request, look))


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
    if body.side not in SIDES:
        raise BadInput(f"A garment has a front and a back, no {quoted(body.side)}.")
    named = get_object_or_404(Garment, slug=body.garment)
    wanted_back = body.side == Garment.Side.BACK and not named.is_back
    return get_object_or_404(Garment, slug=named.turned) if wanted_back else named


add_routes(
    router,
    Kind(
        Look,
        schemas.Look,
        serializers.look,
        lambda rows: rows.select_related("job", "garment").with_parts(),
        several="Looks",
        one="One look",
        one_says="Your own, or a published one.",
        file="A look's file",
        file_says="``file`` at full size, or ``thumb``.",
        delete_says="The pattern and the photo are kept.",
        listing=schemas.Whose,
    ),
)
