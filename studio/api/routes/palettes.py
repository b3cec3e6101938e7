"""Palettes that a person keeps, what is said of colours, and what goes with a photo."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from ml_backend.errors import BadInput
from ml_backend.palettes.held import Held, held_colours

from ...colour import services
from ...colour.models import SavedPalette
from ...colour.suggesting import suggestions
from ...colour.views import file_of
from ...photos.models import Photo
from .. import schemas
from ..auth import owner
from ..idempotency import PARAMETER, makes
from ..things import page, private

router = Router(tags=["Palettes"])


@router.get(
    "/palettes",
    response={200: schemas.Page[schemas.KeptPalette], **schemas.refusals(422)},
    operation_id="list_palettes",
    summary="Your palettes",
)
def listed(request: HttpRequest, sought: Query[schemas.Paging]) -> schemas.Page[schemas.KeptPalette]:
    """Those that you keep by name, newest first; nobody else sees them."""
    rows = SavedPalette.objects.of(request.user)
    return page(request, rows, sought, lambda some: [schemas.KeptPalette.of(row) for row in some])


@router.post(
    "/palettes",
    response={201: schemas.KeptPalette, **schemas.refusals(400, 409, 422)},
    operation_id="keep_palette",
    summary="Keep a palette",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes(whole=False)
def keep(request: HttpRequest, body: schemas.NewPalette) -> Status[schemas.KeptPalette]:
    """Two to twelve colours by a name. The palette that had this name before makes room."""
    if not body.name.strip():
        raise BadInput("Give the palette a name first.")
    held = Held(body.name, held_colours(body.colours), tuple(body.names))
    return Status(201, schemas.KeptPalette.of(services.save(owner(request), held)))


@router.get(
    "/palettes/{uuid:pk}/files/{slug:suffix}",
    response={200: None, **schemas.refusals(404)},
    operation_id="get_palette_file",
    summary="A palette as a file",
    openapi_extra=schemas.PALETTE_FILE,
)
def file(request: HttpRequest, pk: uuid.UUID, suffix: str) -> HttpResponse:
    """``ase`` (Adobe Swatch Exchange), ``gpl`` (GIMP) or ``json`` (with CIELAB under D50 and HLC codes)."""
    response = file_of(get_object_or_404(SavedPalette.objects.of(request.user), pk=pk).held, suffix)
    private(response)
    return response


@router.delete(
    "/palettes/{uuid:pk}",
    response={204: None, **schemas.refusals(404)},
    operation_id="delete_palette",
    summary="Delete a palette",
)
def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
    """Patterns in its colours are kept."""
    get_object_or_404(SavedPalette.objects.of(request.user), pk=pk).delete()
    return Status(204, None)


@router.get(
    "/photos/{uuid:pk}/suggestions",
    response={200: schemas.Suggestions, **schemas.refusals(404, 422)},
    operation_id="suggest_for_photo",
    summary="What goes with a photo",
)
def suggest(request: HttpRequest, pk: uuid.UUID, garment: schemas.Name = "") -> schemas.Suggestions:
    """Patterns and palettes for one garment of your photo (its largest, unless named), beside the colours of everything
    else that is worn there, each with a reason in words."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=pk)
    found = suggestions(owner(request), photo, garment)
    return schemas.Suggestions(
        garment=found.dressed.name,
        seen=[schemas.Seen(name=one.name, colours=list(one.colours), share=one.share) for one in found.seen],
        patterns=[
            schemas.Suggested(
                pattern=one.fabric.pk if one.fabric else None, colours=list(one.colours), reason=one.reason
            )
            for one in found.fabrics
        ],
        palettes=[
            schemas.Suggested(pattern=None, colours=list(one.colours), reason=one.reason) for one in found.colourways
        ],
    )
