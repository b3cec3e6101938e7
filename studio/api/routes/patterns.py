"""Patterns: generated fabrics, their colourways and print-size tiles."""

from __future__ import annotations

import uuid
from typing import Literal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from ml_backend.errors import BadInput, quoted
from ml_backend.inks import fit_palette
from ml_backend.requests import PATTERN_TYPES, parse_palette
from patterns import services
from patterns.colours import BUCKETS
from patterns.models import Pattern

from ... import files
from ...workspace.forms import MAX_BATCH
from .. import house, schemas, shown
from ..errors import ApiError
from ..idempotency import PARAMETER, makes

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
    made = [services.ask(house.owner(request), one) for one in body.requests()]
    return Status(202, schemas.Patterns(items=[shown.pattern(request, row) for row in made]))


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
    return Status(201, shown.pattern(request, services.recolour(house.owner(request), row, palette)))


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
    row = house.mine(request, Pattern.objects.visible_to(request.user).select_related("job", "large_job", "parent"), pk)
    services.ask_large(row)
    return Status(202, shown.pattern(request, row))


@router.get(
    "",
    response={200: schemas.Page[schemas.Pattern], **schemas.refusals(422)},
    operation_id="list_patterns",
    summary="Patterns",
)
def patterns(
    request: HttpRequest,
    paging: Query[schemas.Paging],
    sought: Query[schemas.Sought],
    whose: Literal["mine", "public", "favourites"] = "mine",
) -> schemas.Page[schemas.Pattern]:
    """Your own in every state, published ones, or your favourites; of one type or colour. Newest first."""
    rows = Pattern.objects.of(request.user)
    if whose == "public":
        rows = Pattern.objects.public()
    if whose == "favourites":
        rows = Pattern.objects.visible_to(request.user).ready().filter(favourites__user_id=house.owner(request).pk)
    if sought.pattern_type:
        rows = rows.filter(pattern_type=_known("pattern type", sought.pattern_type, PATTERN_TYPES))
    if sought.colour:
        rows = rows.coloured(_known("colour", sought.colour, tuple(BUCKETS)))
    return house.page(request, rows.select_related("job", "parent"), paging, shown.each(shown.pattern))


def _known(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise BadInput(f"{quoted(value)} is not a {what}; choose one of {', '.join(allowed)}.")
    return value


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Pattern, **schemas.refusals(404)},
    operation_id="get_pattern",
    summary="One pattern",
    url_name="pattern",
)
def pattern(request: HttpRequest, pk: uuid.UUID) -> schemas.Pattern:
    """Your own, or a published one."""
    rows = Pattern.objects.visible_to(request.user).select_related("job", "parent")
    return shown.pattern(request, get_object_or_404(rows, pk=pk))


@router.get(
    "/{uuid:pk}/files/{slug:name}",
    response={200: None, **schemas.refusals(404, 409)},
    operation_id="get_pattern_file",
    summary="A file of a pattern",
    url_name="pattern-file",
    openapi_extra=schemas.PICTURE,
)
def file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """``tile`` (seamless, its recipe inside), ``large``, ``thumb`` or ``inks`` (the coverage maps)."""
    row = get_object_or_404(Pattern.objects.visible_to(request.user).select_related("job", "large_job"), pk=pk)
    if name == "large" and row.large_job is not None and row.large_job.active:
        raise ApiError(409, "not_ready", "The print-size tile is still being made; follow its job, then ask again.")
    return house.file(request, row, name, files.pattern_file)


@router.patch(
    "/{uuid:pk}",
    response={200: schemas.Pattern, **schemas.refusals(400, 403, 404, 422)},
    operation_id="publish_pattern",
    summary="Publish a pattern, or take it back",
)
def publish(request: HttpRequest, pk: uuid.UUID, body: schemas.Publishing) -> schemas.Pattern:
    """Everybody can see it in the gallery, or only you."""
    row = house.mine(request, Pattern.objects.visible_to(request.user).select_related("job", "parent"), pk)
    row.publish(body.public)
    return shown.pattern(request, row)


@router.delete(
    "/{uuid:pk}",
    response={204: None, **schemas.refusals(403, 404)},
    operation_id="delete_pattern",
    summary="Delete a pattern",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """Looks that wear it are kept."""
    house.mine(request, Pattern.objects.visible_to(request.user), pk).delete()
    return Status(204, None)
