"""What there is to choose from here, and how much of it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Router

from ml_backend.errors import BadPackage
from ml_backend.inks import PALETTES
from ml_backend.models import Job
from ml_backend.requests import (
    CLOTH_CLASSES,
    ENGINES,
    MAX_PROMPT,
    NORMALISATIONS,
    PATTERN_TYPES,
    REPEATS,
    SCHEDULERS,
)
from ml_backend.serving import registry
from ml_backend.swatches import TYPES
from patterns import files

from ...photos.models import Garment
from ...sampling import MAX_PICTURES
from ...workspace.forms import MAX_BATCH
from .. import schemas, serializers
from ..idempotency import KEPT
from ..things import private

router = Router(tags=["Catalogue"])


@router.get(
    "/options",
    response={200: schemas.Options, **schemas.refusals()},
    operation_id="list_options",
    summary="Pattern types, engines, palettes and other choices",
)
def options(request: HttpRequest) -> schemas.Options:  # noqa: ARG001
    """The names that the other requests take."""
    return schemas.Options(
        pattern_types=list(PATTERN_TYPES),
        subtypes={name: [one.name for one in kind.subtypes] for name, kind in TYPES.items()},
        pattern_engines=list(ENGINES),
        palettes={name: list(colours) for name, colours in PALETTES.items()},
        repeats=list(REPEATS),
        cloth_classes=list(CLOTH_CLASSES),
        restyle_engines=registry.engines("restyle"),
        restyle_engine=registry.default_engine("restyle"),
        imagine_engines=registry.engines("imagine"),
        imagine_engine=registry.default_engine("imagine"),
        schedulers=list(SCHEDULERS),
        normalisations=list(NORMALISATIONS),
    )


@router.get(
    "/garments",
    response={200: schemas.Garments, **schemas.refusals()},
    operation_id="list_garments",
    summary="Garments that can wear a pattern",
)
def garments(request: HttpRequest) -> schemas.Garments:
    """Name one by its ``slug``."""
    return schemas.Garments(items=[serializers.garment(request, row) for row in Garment.objects.all()])


@router.get(
    "/garments/{slug:slug}/files/{slug:name}",
    response={200: None, **schemas.refusals(404)},
    operation_id="get_garment_file",
    summary="A file of a garment",
    url_name="garment-file",
    openapi_extra=schemas.PICTURE,
)
def garment_file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """``image``, ``thumb``, ``mask`` and others."""
    row = get_object_or_404(Garment, slug=slug)
    return private(files.answer(request, row, name))


@router.get(
    "/models",
    response={200: schemas.Models, **schemas.refusals()},
    operation_id="list_models",
    summary="Models that serve",
)
def models(request: HttpRequest) -> schemas.Models:
    """Which model does what, by the name that recipes give it."""
    items = [
        schemas.Model(
            capability=name,
            serves=registry.serves(name),
            reference=_reference(name),
            choices=[offer.reference for offer in registry.offered(name)] if name in registry.WORK else [],
        )
        for name in registry.STARTERS
    ]
    return schemas.Models(items=items, loras=list(registry.loras("imagine", request.user)))


def _reference(capability: str) -> str | None:
    try:
        return registry.reference(capability)
    except BadPackage:
        return None


@router.get(
    "/limits",
    response={200: schemas.Limits, **schemas.refusals()},
    operation_id="get_limits",
    summary="Limits",
)
def limits(request: HttpRequest) -> schemas.Limits:
    """The same as on the pages."""
    active = Job.objects.filter(owner_id=request.user.pk, state__in=(Job.State.QUEUED, Job.State.RUNNING))
    return schemas.Limits(
        max_upload_bytes=settings.MAX_UPLOAD_BYTES,
        max_photo_pixels=settings.MAX_PHOTO_PIXELS,
        max_active_jobs=settings.MAX_ACTIVE_JOBS,
        active_jobs=active.count(),
        max_pictures=MAX_PICTURES,
        max_patterns=MAX_BATCH,
        max_prompt=MAX_PROMPT,
        idempotency_hours=int(KEPT.total_seconds() // 3600),
    )
