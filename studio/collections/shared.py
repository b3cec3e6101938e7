"""What whoever has a private link sees: one board, and of the site nothing that is not on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from patterns import files

from . import services
from .models import BoardLink

SHOWN = {"pattern": ("web", "tile", "thumb"), "look": ("file", "thumb")}
"""Files that a page of a shared board shows: never inks, photos or print sizes."""

View = Callable[..., HttpResponseBase]


def _unlisted(view: View) -> View:
    """Of a view: found by no search engine, kept by nobody, and its address told to no other site."""

    @wraps(view)
    def guarded(request: HttpRequest, pk: uuid.UUID, secret: str, **which: object) -> HttpResponseBase:
        link = services.opened(pk, secret)
        response = _over(request) if link is None else view(request, link, **which)
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = files.NOBODY
        return response

    return guarded


def _over(request: HttpRequest) -> HttpResponse:
    """The same for a link that never was, is wrong, has expired or was revoked."""
    return render(request, "studio/collections/over.html", status=404)


@require_safe
@_unlisted
def board(request: HttpRequest, link: BoardLink) -> HttpResponse:
    found = link.board
    items = [item for item in found.seen_items.with_parts() if item.thing.ready]
    return render(request, "studio/collections/shared.html", {"board": found, "link": link, "items": items})


@require_safe
@_unlisted
def file(request: HttpRequest, link: BoardLink, item: uuid.UUID, name: str) -> HttpResponseBase:
    found = link.board
    row = get_object_or_404(found.seen_items, pk=item)
    if name not in SHOWN["pattern" if row.pattern else "look"]:
        raise Http404
    return files.answer(request, row.thing, name)
