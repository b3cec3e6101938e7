"""What every route does alike: who asks, which row is meant, lists, files, publishing, deleting."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from ninja import Schema

from ml_backend.models import Job
from ml_backend.serving import registry

from ..models import User
from . import schemas
from .errors import CODES, ApiError

M = TypeVar("M", bound=Model)
S = TypeVar("S", bound=Schema)


def owner(request: HttpRequest) -> User:
    """Whose token this is; the routes are not reached without one."""
    assert isinstance(request.user, User)
    return request.user


def mine(request: HttpRequest, visible: QuerySet[M], pk: uuid.UUID) -> M:
    """One's own row, to change it.  404 when it cannot be seen, 403 when it is another person's."""
    row = get_object_or_404(visible, pk=pk)
    if getattr(row, "owner_id", None) != request.user.pk:
        raise ApiError(403, *CODES[403])
    return row


def page(
    request: HttpRequest, rows: QuerySet[M], paging: schemas.Paging, show: Callable[[HttpRequest, list[M]], list[S]]
) -> schemas.Page[S]:
    """The rows asked for, and where the next ones are."""
    total = rows.count()
    end = paging.offset + paging.limit
    query = request.GET.copy()
    query["limit"], query["offset"] = str(paging.limit), str(end)
    return schemas.Page(
        items=show(request, list(rows[paging.offset : end])),
        total=total,
        next=request.build_absolute_uri(f"{request.path}?{query.urlencode()}") if end < total else None,
    )


def file(request: HttpRequest, row: Any, name: str, view: Callable[..., HttpResponseBase]) -> HttpResponseBase:
    """A stored file, by the view that serves it to pages.  409 while it is still being made."""
    made = bool(getattr(row, name)) if name in row.file_fields else None
    if made is None:
        raise Http404
    if not made and row.state in (Job.State.QUEUED, Job.State.RUNNING):
        raise ApiError(409, "not_ready", "This is still being made; follow its job, then ask again.")
    return private(view(request, row.pk, name))


def private(response: HttpResponseBase) -> HttpResponseBase:
    """Nobody else's token gets it from a cache."""
    patch_vary_headers(response, ["Authorization"])
    return response


def needs_model(capability: str) -> None:
    """503 when nothing serves ``capability`` here."""
    if not registry.serves(capability):
        what = registry.WORK.get(capability, capability)
        raise ApiError(503, "no_model", f"No model to {what} is installed here; whoever runs this site can add one.")
