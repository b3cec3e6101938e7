"""The rooms of the gallery for pictures made from words: restyled photos and imagined garments.

Fabrics have their room in :mod:`patterns.views`, looks theirs in :mod:`.looks`.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..models import FromWords, Imagining, Restyle
from .answers import is_htmx

A_PAGE = 48
MAX_SOUGHT = 100
"""Characters of a search that are read."""


@require_safe
def restyled(request: HttpRequest) -> HttpResponse:
    """The wall of repainted photos, published ones or one's own; ``q`` seeks a word in what was asked for."""
    return _wall(request, Restyle, "restyled")


@require_safe
def imagined(request: HttpRequest) -> HttpResponse:
    """The wall of pictures from words alone, published ones or one's own; ``q`` seeks in the words."""
    return _wall(request, Imagining, "imagined")


def _wall(request: HttpRequest, model: type[FromWords], wall: str) -> HttpResponse:
    mine = request.GET.get("whose") == "mine"
    manager: Any = model._default_manager
    rows = manager.of(request.user).ready() if mine else manager.public()
    sought = " ".join(request.GET.get("q", "").replace("\0", "").split())[:MAX_SOUGHT]
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
