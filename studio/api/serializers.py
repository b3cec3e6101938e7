"""Rows as the API shows them.

Of other people's published things only what stands here is told: no id of a job, nor of a photo, mask or pattern that
who asks may not see (:func:`_thing`, :func:`_if_seen`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Model, Prefetch, prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse

from ml_backend.models import Job
from ml_backend.serving import jobs
from patterns.made import Made
from patterns.models import Pattern

from ..batches import FromWords
from ..collections.models import Board, BoardItem, BoardLink
from ..imagine.models import Imagining
from ..looks.models import Look
from ..photos.models import Garment, Mask, Photo
from ..printing.models import PressProfile, Print
from ..restyle.models import Restyle
from . import schemas


def address(request: HttpRequest, route: str, *args: Any) -> str:
    """The whole address of a route of the API."""
    return request.build_absolute_uri(reverse(f"api:{route}", args=args))


def _kind(row: Model) -> str:
    return str(row._meta.model_name)


def _files(request: HttpRequest, row: Made) -> dict[str, str]:
    there = [name for name in row.file_fields if getattr(row, name)]
    return {name: address(request, f"{_kind(row)}-file", row.pk, name) for name in there}


def _is_own(request: HttpRequest, row: Any) -> bool:
    return bool(row.owner_id == request.user.pk)


def _if_seen(request: HttpRequest, row: Pattern | None) -> uuid.UUID | None:
    """The id of a pattern that another thing is made of, for who may see that pattern itself."""
    return row.pk if row is not None and row.is_visible_to(request.user) else None


def _thing(request: HttpRequest, row: Made) -> dict[str, Any]:
    """What all have in common; a job is its owner's alone."""
    return {
        "id": row.pk,
        "url": address(request, _kind(row), row.pk),
        "state": row.state,
        "job": row.job_id if _is_own(request, row) else None,
        "files": _files(request, row),
        "created_at": row.created_at,
    }


def photo(request: HttpRequest, row: Photo) -> schemas.Photo:
    return schemas.Photo(
        **_thing(request, row), name=row.title, width=row.width, height=row.height, classes=row.classes
    )


def mask(request: HttpRequest, row: Mask) -> schemas.Mask:
    found = [schemas.Phrase(**one) for one in row.found]
    return schemas.Mask(**_thing(request, row), photo=row.photo_id, origin=row.origin, words=row.words, found=found)


def _made(request: HttpRequest, row: FromWords) -> dict[str, Any]:
    assert isinstance(row, Restyle | Imagining)
    names = ("batch", "number", "prompt", "seed", "recipe", "notes", "refused", "width", "height", "public")
    return {**_thing(request, row), **{name: getattr(row, name) for name in names}, "request": row.params}


def restyle(request: HttpRequest, row: Restyle) -> schemas.Restyle:
    """Of somebody else's published picture, photo and mask are not told."""
    mine = _is_own(request, row)
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
        **_thing(request, row),
        **made,
        shares=row.shares,
        mended=row.mended,
        parent=_if_seen(request, row.parent),
        public=row.public,
        large_job=row.large_job_id if _is_own(request, row) else None,
    )


def look(request: HttpRequest, row: Look) -> schemas.Look:
    """Of somebody else's published look, the photo is not told, nor a fabric that is not published."""
    parts = [schemas.WornPart(pattern=_if_seen(request, part.pattern), request=part.params) for part in row.parts.all()]
    return schemas.Look(
        **_thing(request, row),
        parts=parts,
        pattern=parts[0].pattern if parts else None,
        photo=row.photo_id if _is_own(request, row) else None,
        garment=row.garment.slug if row.garment else None,
        format=row.format,
        request=parts[0].request if parts else {},
        public=row.public,
    )


def printed(request: HttpRequest, row: Print) -> schemas.Print:
    names = ("kind", "title", "words", "facts", "size")
    told = {name: getattr(row, name) for name in names}
    return schemas.Print(
        **_thing(request, row), **told, pattern=row.pattern_id, profile=row.profile_id, request=row.params
    )


def profile(request: HttpRequest, row: PressProfile) -> schemas.PressProfile:
    return schemas.PressProfile(**_thing(request, row), name=row.name)


def garment(request: HttpRequest, row: Garment) -> schemas.Garment:
    there = [name for name in row.file_fields if getattr(row, name)]
    return schemas.Garment(
        slug=row.slug,
        cut=row.cut or row.slug,
        side=row.side,
        wearer=row.wearer,
        name=row.name,
        width=row.width,
        height=row.height,
        classes=row.classes,
        files={name: address(request, "garment-file", row.slug, name) for name in there},
    )


def job(request: HttpRequest, row: Job) -> schemas.Job:
    """One job; of a list :func:`all_jobs` asks for everything at once."""
    return all_jobs(request, [row])[0]


def all_jobs(request: HttpRequest, rows: Sequence[Job]) -> list[schemas.Job]:
    """Jobs with their places and what they make, in a number of queries that does not grow with them."""
    places = jobs.places(rows)
    prefetch_related_objects(rows, *RESULTS.values())
    return [_job(request, row, places[row.pk]) for row in rows]


def _job(request: HttpRequest, row: Job, place: int) -> schemas.Job:
    names = ("id", "kind", "state", "progress", "stage", "created_at", "started_at", "finished_at")
    return schemas.Job(
        **{name: getattr(row, name) for name in names},
        message=row.why_waiting or row.message,
        url=address(request, "job", row.pk),
        place=place,
        preview=address(request, "job-preview", row.pk) if row.preview else None,
        results=_results(request, row),
    )


RESULTS: dict[str, Prefetch[Any]] = {
    name: Prefetch(name, rows.only("pk", link, order).order_by(order), f"{name}_shown")
    for name, rows, link, order in (
        ("photos", Photo.objects, "job", "created_at"),
        ("masks", Mask.objects.exclude(origin=Mask.Origin.TAPS), "job", "created_at"),
        ("restyles", Restyle.objects, "job", "number"),
        ("imaginings", Imagining.objects, "job", "number"),
        ("patterns", Pattern.objects, "job", "created_at"),
        ("large_patterns", Pattern.objects, "large_job", "created_at"),
        ("looks", Look.objects, "job", "created_at"),
        ("prints", Print.objects, "job", "created_at"),
    )
}
"""What a job may make: ids alone, a batch in its order; the mend editor's drafts have no address here."""


def _results(request: HttpRequest, row: Job) -> list[schemas.Result]:
    made = [one for name in RESULTS for one in getattr(row, f"{name}_shown")]
    return [schemas.Result(kind=_kind(one), id=one.pk, url=address(request, _kind(one), one.pk)) for one in made]


def collection(request: HttpRequest, row: Board) -> schemas.Collection:
    return collections(request, [row])[0]


def collections(request: HttpRequest, rows: Sequence[Board]) -> list[schemas.Collection]:
    """One's own boards with what is on them, in a number of queries that does not grow with them."""
    items: dict[uuid.UUID, list[BoardItem]] = {row.pk: [] for row in rows}
    links: dict[uuid.UUID, list[BoardLink]] = {row.pk: [] for row in rows}
    for item in BoardItem.objects.filter(board__in=items).seen_by(request.user.pk or 0):
        items[item.board_id].append(item)
    for one in BoardLink.objects.open().filter(board__in=links):
        links[one.board_id].append(one)
    return [_collection(request, row, items[row.pk], links[row.pk]) for row in rows]


def _collection(request: HttpRequest, row: Board, items: list[BoardItem], links: list[BoardLink]) -> schemas.Collection:
    return schemas.Collection(
        id=row.pk,
        url=address(request, "collection", row.pk),
        name=row.name,
        notes=row.notes,
        items=[_item(item) for item in items],
        links=[link(request, one) for one in links],
        created_at=row.created_at,
    )


def _item(row: BoardItem) -> schemas.CollectionItem:
    names = ("id", "part", "scale_cm", "note")
    given = {name: getattr(row, name) for name in names}
    return schemas.CollectionItem(**given, pattern=row.pattern_id, look=row.look_id)


def link(request: HttpRequest, row: BoardLink) -> schemas.CollectionLink:
    url = request.build_absolute_uri(row.get_absolute_url())
    return schemas.CollectionLink(id=row.pk, url=url, expires_at=row.expires_at)
