"""Looks: asking for the full-size picture, following it, keeping, publishing, deleting."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from patterns.models import Pattern

from ..account.services import ensure_person
from ..answers import first_error, is_htmx, refuse
from ..photos.models import Garment, Photo
from .forms import LookForm
from .models import Look
from .services import ask_outfit

A_PAGE = 48


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Ask for a look at full size; answers htmx with its progress, a plain form with its page."""
    form = LookForm(request.POST)
    if not form.is_valid():
        return refuse(request, first_error(form))
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
    try:
        parts = [(patterns[one.pattern], one.request) for one in worn]
        look = ask_outfit(ensure_person(request), parts, wearable, data["format"] or "png")
    except BadInput as error:
        return refuse(request, error)
    if is_htmx(request):
        return render(request, "studio/looks/_status.html", {"look": look, "now": True})
    return redirect("look", look.pk)


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    look = get_object_or_404(Look.objects.of(request.user).select_related("job"), pk=pk)
    return render(request, "studio/looks/_status.html", {"look": look, "now": True})


@require_safe
def looks(request: HttpRequest) -> HttpResponse:
    """The wall of looks, one's own or published ones."""
    mine = request.GET.get("whose") == "mine"
    rows = Look.objects.of(request.user).exclude(file="") if mine else Look.objects.public()
    page = Paginator(rows.select_related("garment", "photo").with_parts(), A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "mine": mine, "room": "gallery", "wall": "looks", "whose": "mine" if mine else "public"}
    return render(
        request, "studio/gallery/_looks_wall.html" if is_htmx(request) else "studio/gallery/looks.html", context
    )


@require_safe
def look(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    rows = Look.objects.visible_to(request.user).select_related("job", "photo", "garment").with_parts()
    found = get_object_or_404(rows, pk=pk)
    shown = Pattern.objects.visible_to(request.user).in_bulk([pattern.pk for pattern in found.patterns])
    parts = [(part.request, shown.get(part.pattern_id)) for part in found.parts.all()]
    mine = found.owner_id == request.user.pk
    return render(request, "studio/looks/look.html", {"look": found, "parts": parts, "mine": mine, "room": "gallery"})


def _mine(request: HttpRequest, pk: uuid.UUID) -> Look:
    return get_object_or_404(Look.objects.of(request.user), pk=pk)


@require_POST
def publish(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Field ``public`` set shows the look to everybody; unset takes it back."""
    found = _mine(request, pk)
    public = "public" in request.POST
    try:
        found.publish(public)
    except BadInput as error:
        messages.error(request, str(error))
        return redirect("look", pk)
    messages.success(request, "Everybody can see this look now." if public else "Only you can see this look now.")
    return redirect("look", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = _mine(request, pk)
    if request.method != "POST":
        return render(request, "studio/looks/delete.html", {"look": found})
    found.delete()
    messages.success(request, "The look is gone. Its fabric and its photo are kept.")
    return redirect("looks")
