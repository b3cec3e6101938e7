"""Patterns: generated fabrics, their colourways and print-size tiles."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from ml_backend.errors import BadInput
from ml_backend.inks import fit_palette
from ml_backend.requests import parse_palette
from patterns import services
from patterns.models import Pattern

from ...workspace.forms import MAX_BATCH
from .. import schemas, serializers
from ..auth import owner
from ..errors import ApiError
from ..idempotency import PARAMETER, makes
from ..things import Kind, add_routes, mine

router = Router(tags=["Patterns"])


@router.post(
    "",
    response={202: schemas.Patterns, **schemas.refusals(400, 409, 422, 429)},
    operation_id="generate_patterns",
    summary="Make patterns",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def generate(request: HttpRequest, body: schemas.NewPatterns) -> Status[schemas.Patterns]:
    """Queues a job for each: all or, beyond your limit, none. The same seed makes the same pattern again."""
    if not 1 <= body.count <= MAX_BATCH:
        raise BadInput(f"Between 1 and {MAX_BATCH} patterns can be made at a time, not {body.count}.")
    made = [services.ask(owner(request), one) for one in body.requests()]
    return Status(202, schemas.Patterns(items=[serializers.pattern(request, row) for row in made]))


@router.post(
    "/{uuid:pk}/colourways",
    response={201: schemas.Pattern, **schemas.refusals(400, 404, 409, 422)},
    operation_id="recolour_pattern",
    summary="Another palette",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes(whole=False)
def recolour(request: HttpRequest, pk: uuid.UUID, body: schemas.Recolouring) -> Status[schemas.Pattern]:
    """The same inks in other colours, as a pattern of your own, ready at once."""
    row = get_object_or_404(Pattern.objects.visible_to(request.user), pk=pk)
    if not row.ready:
        raise ApiError(409, "not_ready", services.NOT_READY)
    palette = fit_palette(parse_palette(body.palette), len(row.palette))
    return Status(201, serializers.pattern(request, services.recolour(owner(request), row, palette)))


@router.post(
    "/{uuid:pk}/large",
    response={202: schemas.Pattern, **schemas.refusals(400, 403, 404, 409, 429)},
    operation_id="enlarge_pattern",
    summary="Ask for the print-size tile",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def large(request: HttpRequest, pk: uuid.UUID) -> Status[schemas.Pattern]:
    """Of your own pattern, 2048 pixels a side. ``large_job`` says how it stands; asked again, nothing more is made."""
    row = mine(request, Pattern.objects.visible_to(request.user).select_related("job", "large_job", "parent"), pk)
    services.ask_large(row)
    return Status(202, serializers.pattern(request, row))


add_routes(
    router,
    Kind(
        Pattern,
        schemas.Pattern,
        serializers.pattern,
        lambda rows: rows.select_related("job", "large_job", "parent"),
        several="Patterns",
        one="One pattern",
        one_says="Your own, or a published one.",
        file="A file of a pattern",
        file_says="``tile`` (seamless, its recipe inside), ``large``, ``thumb`` or ``inks`` (the coverage maps).",
        delete_says="Looks that wear it are kept.",
        listing=schemas.SoughtPatterns,
        list_says="Your own in every state, published ones, or your favourites; of one type or colour. Newest "
        "first, or nearest to a colour.",
    ),
)
