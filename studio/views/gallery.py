"""The rooms of the gallery for pictures made from words: restyled photos and imagined garments.

Fabrics have their room in :mod:`patterns.views`, looks theirs in :mod:`.looks`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from .. import said
from ..models import FromWords, Imagining, Restyle
from .answers import is_htmx

A_PAGE = 48
MAX_SOUGHT = 100
"""Characters of a search that are read."""


@require_http_methods(["GET", "HEAD", "POST"])
def restyled(request: HttpRequest) -> HttpResponse:
    """The wall of repainted photos, published ones or one's own; POST seeks the words ``q`` in what was asked for."""
    return _wall(request, Restyle, "restyled")


@require_http_methods(["GET", "HEAD", "POST"])
def imagined(request: HttpRequest) -> HttpResponse:
    """The wall of pictures from words alone, published ones or one's own; POST seeks the words ``q`` in theirs."""
    return _wall(request, Imagining, "imagined")


def _wall(request: HttpRequest, model: type[FromWords], wall: str) -> HttpResponse:
    if request.method == "POST":
        return _seek(request)
    mine = request.GET.get("whose") == "mine"
    manager: Any = model._default_manager
    rows = manager.of(request.user).ready() if mine else manager.public()
    sought = said.sought(request, request.GET.get("sought", ""))
    for word in sought.split():
        rows = rows.filter(params__prompt__icontains=word)
    context = {
        "page": Paginator(rows, A_PAGE).get_page(request.GET.get("page")),
        "whose": "mine" if mine else "public",
        "mine": mine,
        "sought": sought,
        "room": "gallery",
        "wall": wall,
        "here": f"{wall}-wall",
        "to_item": "imagined" if wall == "imagined" else "restyled",
    }
    return render(request, "studio/_words_wall.html" if is_htmx(request) else "studio/words_wall.html", context)


def _seek(request: HttpRequest) -> HttpResponse:
    """To the same wall, whose address names the words that are sought by a key."""
    words = " ".join(request.POST.get("q", "").replace("\0", "").split())[:MAX_SOUGHT]
    query = {"whose": "mine"} if request.POST.get("whose") == "mine" else {}
    if words:
        query["sought"] = said.keep_sought(request, words)
    return redirect(f"{request.path}?{urlencode(query)}" if query else request.path)
