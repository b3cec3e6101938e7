"""Prints: files for printers, tech packs, and printers' colour profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile

from ml_backend.printing.plan import PrintRequest
from patterns.models import Pattern

from ... import limits
from ...printing import services
from ...printing.models import PressProfile, Print
from ...printing.requests import PackRequest
from .. import schemas, serializers
from ..auth import owner
from ..idempotency import PARAMETER, makes
from ..things import Kind, add_routes

R = TypeVar("R", PrintRequest, PackRequest)

router = Router(tags=["Prints"])
profiles = Router(tags=["Prints"])


@router.post(
    "",
    response={202: schemas.Print, **schemas.refusals(400, 404, 409, 422, 429)},
    operation_id="make_print",
    summary="Make a print file",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def make(request: HttpRequest, body: schemas.NewPrint) -> Status[schemas.Print]:
    """Queues a file of true size: one repeat, a panel, plates, a strike-off sheet."""
    fabric = get_object_or_404(Pattern.objects.visible_to(request.user).select_related("job"), pk=body.pattern)
    profile = None
    if body.profile is not None:
        profile = get_object_or_404(PressProfile.objects.of(request.user).ready(), pk=body.profile)
    row = services.ask_print(
        owner(request), fabric, _lies(fabric, body, schemas.request_of(PrintRequest, body)), profile
    )
    return Status(202, serializers.printed(request, row))


@router.post(
    "/packs",
    response={202: schemas.Print, **schemas.refusals(400, 404, 409, 422, 429)},
    operation_id="make_tech_pack",
    summary="Make a tech pack",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes()
def pack(request: HttpRequest, body: schemas.NewPack) -> Status[schemas.Print]:
    """Queues A4 pages for the maker: repeat, colourways, garments, notes, recipe and licence, as PDF."""
    fabric = get_object_or_404(Pattern.objects.visible_to(request.user).select_related("job"), pk=body.pattern)
    row = services.ask_pack(owner(request), fabric, _lies(fabric, body, schemas.request_of(PackRequest, body)))
    return Status(202, serializers.printed(request, row))


def _lies(fabric: Pattern, body: Schema, request: R) -> R:
    """In the repeat that was asked for, else in the one that the fabric is made for."""
    return request if "repeat" in body.model_fields_set else replace(request, repeat=fabric.repeat)


add_routes(
    router,
    Kind(
        Print,
        schemas.Print,
        serializers.printed,
        lambda rows: rows.select_related("job", "pattern"),
        several="Prints",
        one="One print",
        one_says="Your own.",
        file="A print's file",
        file_says="``file``: TIFF, PNG, PDF, SVG or a zip of plates.",
        delete_says="The pattern is kept.",
        list_says="Your own in every state; newest first.",
    ),
)


@profiles.post(
    "",
    response={201: schemas.PressProfile, **schemas.refusals(400, 422, 429)},
    operation_id="add_profile",
    summary="Add a printer's CMYK profile",
    openapi_extra={"parameters": [PARAMETER]},
)
@makes(whole=False)
def add(request: HttpRequest, file: File[UploadedFile]) -> Status[schemas.PressProfile]:
    """An ICC profile for CMYK of a printer, at most 8 MB; it is read before it is kept.

    curl -H "Authorization: Bearer $TOKEN" -F file=@coated.icc $TOILE/api/v1/profiles
    """
    limits.new_upload(owner(request))
    row = services.add_profile(owner(request), file)
    return Status(201, serializers.profile(request, row))


add_routes(
    profiles,
    Kind(
        PressProfile,
        schemas.PressProfile,
        serializers.profile,
        lambda rows: rows.select_related("job"),
        several="Printers' profiles",
        one="One profile",
        one_says="Your own.",
        file="A profile's file",
        file_says="``file``, as it was sent.",
        delete_says="Prints in it are kept.",
        list_says="Your own, newest first.",
    ),
)
