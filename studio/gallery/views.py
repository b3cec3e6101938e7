"""The walls of the gallery for looks, restyled photos and imagined garments, and what staff alone may do there.

That of fabrics stands in :mod:`.fabrics`.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from patterns import moderation
from patterns.models import Pattern

from .. import said
from ..answers import is_htmx, staff_only
from ..batches import FromWords
from ..imagine.models import Imagining
from ..looks.models import Look
from ..photos.models import Garment
from ..restyle.models import Restyle
from . import window

A_PAGE = 48
MAX_SOUGHT = 100
"""Characters of a search that are read."""


@require_safe
def looks(request: HttpRequest) -> HttpResponse:
    """The wall of looks, one's own or published ones."""
    mine = request.GET.get("whose") == "mine"
    rows = Look.objects.of(request.user).ready() if mine else Look.objects.public()
    page = Paginator(rows.select_related("garment", "photo", "owner").with_parts(), A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {"page": page, "mine": mine, "room": "gallery", "wall": "looks", "whose": "mine" if mine else "public"}
    template = "studio/gallery/_looks_wall.html" if is_htmx(request) else "studio/gallery/looks.html"
    return render(request, template, context)


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
        "page": Paginator(rows.select_related("owner"), A_PAGE).get_page(request.GET.get("page")),
        "whose": "mine" if mine else "public",
        "mine": mine,
        "sought": sought,
        "room": "gallery",
        "wall": wall,
        "here": f"{wall}-wall",
        "to_item": "imagined" if wall == "imagined" else "restyled",
    }
    return render(
        request, "studio/gallery/_words_wall.html" if is_htmx(request) else "studio/gallery/words_wall.html", context
    )


def _seek(request: HttpRequest) -> HttpResponse:
    """To the same wall, whose address names the words that are sought by a key."""
    words = " ".join(request.POST.get("q", "").replace("\0", "").split())[:MAX_SOUGHT]
    query = {"whose": "mine"} if request.POST.get("whose") == "mine" else {}
    if words:
        query["sought"] = said.keep_sought(request, words)
    return redirect(f"{request.path}?{urlencode(query)}" if query else request.path)


KINDS: dict[str, tuple[Any, str, str]] = {
    "fabric": (Pattern, "pattern", "gallery"),
    "look": (Look, "look", "looks"),
    "restyle": (Restyle, "restyled", "restyled-wall"),
    "imagining": (Imagining, "imagined", "imagined-wall"),
}
"""What can be published, by its name in the address: the model, the page of one, the wall of all."""


@require_POST
@staff_only
def take_down(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """Hide something published from everybody but its owner, who reads ``why``."""
    if kind not in KINDS:
        raise Http404
    model, page, wall = KINDS[kind]
    found = get_object_or_404(model.objects.public(), pk=pk)
    try:
        moderation.take_down(found, request.POST.get("why", ""))
    except BadInput as error:
        messages.error(request, str(error))
        return redirect(page, pk)
    messages.success(
        request, "It is taken down. Only its owner sees it now, with your reason; the workshop can lift it."
    )
    return redirect(page, pk) if found.owner_id == request.user.pk else redirect(wall)


@require_POST
@staff_only
def dress_window(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a published fabric, on the garment ``on``, first for everybody who has made nothing yet; or take it out."""
    pattern = get_object_or_404(Pattern.objects.public(), pk=pk)
    if "out" in request.POST:
        window.dress(None, None)
        messages.success(request, "The window shows what ships with Toile again.")
        return redirect("pattern", pk)
    garment = get_object_or_404(Garment, slug=request.POST.get("on", ""))
    window.dress(pattern, garment)
    messages.success(request, f"Visitors see this fabric first now, on the {garment.name.lower()}.")
    return redirect(reverse("pattern", args=[pk]))
