"""The routes that every kind of thing has: its list, one, its files, publishing, deleting."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from ninja import Query, Router, Schema, Status

from patterns import files
from patterns.made import Made, MadeQuerySet, Published
from patterns.nearest import Ranked

from . import schemas
from .errors import CODES, ApiError

M = TypeVar("M", bound=Made)
S = TypeVar("S", bound=Schema)


@dataclass(frozen=True)
class Kind(Generic[M, S]):
    """What is particular to a kind of thing: how it is shown, and the sentences of the documentation."""

    model: type[M]
    schema: type[S]
    show: Callable[[HttpRequest, M], S]
    with_all: Callable[[Any], Any]
    """The rows together with what showing them reads."""
    several: str
    one: str
    one_says: str
    file: str
    file_says: str
    delete_says: str
    listing: type[schemas.Paging] = schemas.Paging
    """Which of them a list may ask for."""
    list_says: str = "Your own in every state, or what everybody has published; newest first."
    article: str = "a"

    @property
    def name(self) -> str:
        return str(self.model._meta.model_name)

    def visible(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = self.model._default_manager
        assert isinstance(rows.all(), MadeQuerySet)
        return self.with_all(rows.visible_to(request.user))  # type: ignore[no-any-return]


def add_routes(router: Router, kind: Kind[Any, Any]) -> None:
    """The routes of ``kind``, those that make one apart."""
    name, article = kind.name, kind.article
    shown = kind.one.removeprefix("One ")

    @router.get(
        "",
        response={200: schemas.Page[kind.schema], **schemas.refusals(422)},  # type: ignore[name-defined]
        operation_id=f"list_{name}s",
        summary=kind.several,
        description=kind.list_says,
        url_name=f"{name}s",
    )
    def listed(request: HttpRequest, sought: Query[kind.listing]) -> Any:  # type: ignore[name-defined]
        rows = sought.of(request, kind.with_all(kind.model._default_manager))
        return page(request, rows, sought, lambda some: [kind.show(request, row) for row in some])

    @router.get(
        "/{uuid:pk}",
        response={200: kind.schema, **schemas.refusals(404)},
        operation_id=f"get_{name}",
        summary=kind.one,
        description=kind.one_says,
        url_name=name,
    )
    def one(request: HttpRequest, pk: uuid.UUID) -> Any:
        return kind.show(request, get_object_or_404(kind.visible(request), pk=pk))

    @router.get(
        "/{uuid:pk}/files/{slug:name}",
        response={200: None, **schemas.refusals(404, 409)},
        operation_id=f"get_{name}_file",
        summary=kind.file,
        description=kind.file_says,
        url_name=f"{name}-file",
        openapi_extra=schemas.PICTURE,
    )
    def file(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
        return stored(request, get_object_or_404(kind.visible(request), pk=pk), name)

    published = issubclass(kind.model, Published)
    if published:

        @router.patch(
            "/{uuid:pk}",
            response={200: kind.schema, **schemas.refusals(400, 403, 404, 422)},
            operation_id=f"publish_{name}",
            summary=f"Publish {article} {shown}, or take it back",
            description="Everybody can see it in the gallery, or only you.",
            url_name="publish",
        )
        def publish(request: HttpRequest, pk: uuid.UUID, body: schemas.Publishing) -> Any:
            row = mine(request, kind.visible(request), pk)
            row.publish(body.public)
            return kind.show(request, row)

    @router.delete(
        "/{uuid:pk}",
        response={204: None, **schemas.refusals(*((403, 404) if published else (404,)))},
        operation_id=f"delete_{name}",
        summary=f"Delete {article} {shown}",
        description=kind.delete_says,
        url_name="delete",
    )
    def delete(request: HttpRequest, pk: uuid.UUID) -> Status[None]:
        mine(request, kind.visible(request), pk).delete()
        return Status(204, None)


def mine(request: HttpRequest, visible: QuerySet[M], pk: uuid.UUID) -> M:
    """One's own row, to change it.  404 when it cannot be seen, 403 when it is another person's."""
    row = get_object_or_404(visible, pk=pk)
    if row.owner_id != request.user.pk:
        raise ApiError(403, *CODES[403])
    return row


def page(
    request: HttpRequest,
    rows: QuerySet[Any] | Ranked[Any],
    paging: schemas.Paging,
    show: Callable[[list[Any]], list[S]],
) -> schemas.Page[S]:
    """The rows asked for, and where the next ones are."""
    total = rows.count()
    end = paging.offset + paging.limit
    query = request.GET.copy()
    query["limit"], query["offset"] = str(paging.limit), str(end)
    return schemas.Page(
        items=show(list(rows[paging.offset : end])),
        total=total,
        next=request.build_absolute_uri(f"{request.path}?{query.urlencode()}") if end < total else None,
    )


def stored(request: HttpRequest, row: Made, name: str) -> HttpResponseBase:
    """A stored file, as it is served to pages.  409 while it is still being made."""
    if name not in row.file_fields:
        raise Http404
    if row.is_coming(name):
        raise ApiError(409, "not_ready", "This is still being made; follow its job, then ask again.")
    return private(files.answer(request, row, name))


def private(response: HttpResponseBase) -> HttpResponseBase:
    """Nobody else's token gets it from a cache."""
    patch_vary_headers(response, ["Authorization"])
    return response
