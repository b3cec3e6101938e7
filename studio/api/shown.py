"""Rows as the API shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from ml_backend import jobs
from ml_backend.models import Job
from patterns.models import Pattern

from ..models import FromWords, Garment, Imagining, Look, Mask, Photo, Restyle
from . import schemas

Row = Photo | Mask | Restyle | Imagining | Pattern | Look


def address(request: HttpRequest, route: str, *args: Any) -> str:
    """The whole address of a route of the API."""
    return request.build_absolute_uri(reverse(f"api:{route}", args=args))


def _kind(row: Model) -> str:
    return str(row._meta.model_name)


def _files(request: HttpRequest, row: Row) -> dict[str, str]:
    there = [name for name in row.file_fields if getattr(row, name)]
    return {name: address(request, f"{_kind(row)}-file", row.pk, name) for name in there}


def _thing(request: HttpRequest, row: Row) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": address(request, _kind(row), row.pk),
        "state": row.state,
        "job": row.job_id,
        "files": _files(request, row),
        "created_at": row.created_at,
    }


def photo(request: HttpRequest, row: Photo) -> schemas.Photo:
    return schemas.Photo(**_thing(request, row), width=row.width, height=row.height, classes=row.classes)


def mask(request: HttpRequest, row: Mask) -> schemas.Mask:
    found = [schemas.Phrase(**one) for one in row.found]
    return schemas.Mask(**_thing(request, row), photo=row.photo_id, origin=row.origin, words=row.words, found=found)


def _made(request: HttpRequest, row: FromWords) -> dict[str, Any]:
    assert isinstance(row, Restyle | Imagining)
    names = ("batch", "number", "prompt", "seed", "recipe", "notes", "refused", "width", "height", "public")
    return {**_thing(request, row), **{name: getattr(row, name) for name in names}, "request": row.params}


def restyle(request: HttpRequest, row: Restyle) -> schemas.Restyle:
    """Of somebody else's published picture, photo and mask are not told."""
    mine = row.owner_id == request.user.pk
    return schemas.Restyle(
        **_made(request, row),
        photo=row.photo_id if mine else None,
        mask=row.mask_id if mine else None,
        engine=row.engine,
    )


def imagining(request: HttpRequest, row: Imagining) -> schemas.Imagining:
    return schemas.Imagining(**_made(request, row), engine=row.engine)


def pattern(request: HttpRequest, row: Pattern) -> schemas.Pattern:
    made = {**row.request.to_dict(), "palette": row.palette}
    return schemas.Pattern(
        **_thing(request, row), **made, parent=row.parent_id, public=row.public, large_job=row.large_job_id
    )


def look(request: HttpRequest, row: Look) -> schemas.Look:
    """Of somebody else's published look, the photo is not told."""
    parts = [schemas.WornPart(pattern=part.pattern_id, request=part.params) for part in row.parts.all()]
    return schemas.Look(
        **_thing(request, row),
        parts=parts,
        pattern=parts[0].pattern if parts else None,
        photo=row.photo_id if row.owner_id == request.user.pk else None,
        garment=row.garment.slug if row.garment else None,
        format=row.format,
        request=parts[0].request if parts else {},
        public=row.public,
    )


def garment(request: HttpRequest, row: Garment) -> schemas.Garment:
    there = [name for name in row.file_fields if getattr(row, name)]
    return schemas.Garment(
        slug=row.slug,
        name=row.name,
        width=row.width,
        height=row.height,
        classes=row.classes,
        files={name: address(request, "garment-file", row.slug, name) for name in there},
    )


def job(request: HttpRequest, row: Job) -> schemas.Job:
    names = ("id", "kind", "state", "progress", "stage", "message", "created_at", "started_at", "finished_at")
    return schemas.Job(
        **{name: getattr(row, name) for name in names},
        url=address(request, "job", row.pk),
        place=jobs.place(row),
        preview=address(request, "job-preview", row.pk) if row.preview else None,
        results=_results(request, row),
    )


def _results(request: HttpRequest, row: Job) -> list[schemas.Result]:
    """What the job makes or has made: a batch in its order."""
    kinds = {
        "photo": row.photos.order_by("created_at"),
        "mask": row.masks.order_by("created_at"),
        "restyle": row.restyles.order_by("number"),
        "imagining": row.imaginings.order_by("number"),
        "pattern": Pattern.objects.filter(pk__in=[*_ids(row.patterns), *_ids(row.large_patterns)]),
        "look": row.looks.order_by("created_at"),
    }
    return [
        schemas.Result(kind=kind, id=pk, url=address(request, kind, pk))
        for kind, rows in kinds.items()
        for pk in _ids(rows)
    ]


def _ids(rows: Any) -> list[Any]:
    return list(rows.values_list("pk", flat=True))
