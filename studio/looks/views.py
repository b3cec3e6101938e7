"""Looks: asking for the full-size picture, following it, keeping, publishing, deleting."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from patterns.models import Pattern
from patterns.templatetags.cloth import described_look

from ..account.services import ensure_person
from ..answers import is_htmx, refusing, valid
from ..photos.models import Garment, Photo
from ..publishing import deleter, page_of, publisher
from .forms import LookForm
from .models import Look
from .services import ask_outfit


@require_POST
@refusing
def make(request: HttpRequest) -> HttpResponse:
    """Ask for a look at full size; answers htmx with its progress, a plain form with its page."""
    form = valid(LookForm(request.POST))
    data = form.cleaned_data
    worn = form.parts()
    patterns = Pattern.objects.visible_to(request.user).select_related("job").in_bulk([one.pattern for one in worn])
    if any(one.pattern not in patterns for one in worn):
        raise Http404
    wearable: Photo | Garment
    if data["photo"]:
        wearable = get_object_or_404(Photo.objects.visible_to(request.user), pk=data["photo"])
    else:
        wearable = get_object_or_404(Garment, slug=data["on"])
    parts = [(patterns[one.pattern], one.request) for one in worn]
    look = ask_outfit(ensure_person(request), parts, wearable, data["format"] or "png")
    if is_htmx(request):
        return render(request, "studio/looks/_status.html", {"look": look, "now": True})
    return redirect("look", look.pk)


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    look = get_object_or_404(Look.objects.of(request.user).select_related("job"), pk=pk)
    return render(request, "studio/looks/_status.html", {"look": look, "now": True})


@require_safe
def look(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    rows = Look.objects.visible_to(request.user).select_related("job", "photo", "garment", "owner").with_parts()
    found = get_object_or_404(rows, pk=pk)
    shown = Pattern.objects.visible_to(request.user).in_bulk([pattern.pk for pattern in found.patterns])
    parts = [(part.request, shown.get(part.pattern_id)) for part in found.parts.all()]
    mine = found.owner_id == request.user.pk
    return render(request, "studio/looks/look.html", {"look": found, "parts": parts, "mine": mine, "room": "gallery"})


def _words(look: Look) -> dict[str, Any]:
    lede, goes = f"{described_look(look)}.", "The picture goes for good. Its fabric and its photo are kept."
    return {"lede": lede, "goes": goes, "keep": page_of("look", look)}


publish = publisher(Look, "look", "look")
delete = deleter(
    Look, "look", _words, "The look is gone. Its fabric and its photo are kept.", lambda _: reverse("looks")
)
