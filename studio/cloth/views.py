"""Your cloth: a photo goes in, its corners and repeat are shown and set right, and a fabric comes out."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_backend.errors import BadInput
from ml_backend.requests import MAX_INKS, MIN_INKS, ClothRequest
from patterns import files

from .. import publishing
from ..account.services import ensure_person
from ..answers import refuse, refusing, valid
from ..photos.forms import PhotoForm
from . import services
from .forms import AXES, CORNERS, CUTS, WHOLE, ClothForm, cut_of
from .models import ClothPhoto

MOST = 24


@require_safe
def cloths(request: HttpRequest) -> HttpResponse:
    """One's own cloths, and the place to add one."""
    rows = ClothPhoto.objects.of(request.user)[:MOST]
    return render(request, "studio/cloth/cloths.html", {"cloths": rows, "room": "studio"})


@require_POST
@refusing
def upload(request: HttpRequest) -> HttpResponse:
    form = valid(PhotoForm(request.POST, request.FILES))
    row = services.add_cloth(ensure_person(request), form.cleaned_data["image"])
    return redirect("cloth", pk=row.pk)


@require_safe
@refusing
def cloth(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The photo with its corners, the repeat that is found, and nine tiles of it; the address sets them."""
    row = _own(request, pk)
    return render(request, "studio/cloth/cloth.html", {**_shown(row, request.GET), "room": "studio"})


@require_safe
def found(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What of the page changes with the form."""
    row = _own(request, pk)
    try:
        return render(request, "studio/cloth/_found.html", _shown(row, request.GET))
    except BadInput as error:
        return refuse(request, error)


@require_safe
def nine(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Three by three tiles as they would be cut."""
    row = _own(request, pk)
    try:
        content = services.nine(row, _asked(row, request.GET))
    except BadInput as error:
        return HttpResponse(str(error), status=422, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content, content_type="image/webp", headers={"Cache-Control": "private, max-age=600"})
    files.guarded(response)
    return response


@require_POST
@refusing
def keep(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A fabric of it, which the studio shows as soon as it is cut; other fields change nothing but what is shown."""
    row = _own(request, pk)
    asked = _asked(row, request.POST)
    if "show" in request.POST:
        return redirect(f"{reverse('cloth', args=[row.pk])}?{_query(request.POST)}")
    fabric = services.keep(row, asked)
    return redirect(f"{reverse('studio')}?{urlencode({'pattern': fabric.pk, 'scale_cm': f'{asked.side_cm:g}'})}")


def _own(request: HttpRequest, pk: uuid.UUID) -> ClothPhoto:
    return get_object_or_404(ClothPhoto.objects.visible_to(request.user).select_related("owner"), pk=pk)


def _asked(row: ClothPhoto, data: QueryDict) -> ClothRequest:
    return valid(ClothForm(data)).request(row.request)


def _query(data: QueryDict) -> str:
    return urlencode([(name, value) for name, value in data.items() if name in ClothForm().fields])


def _shown(row: ClothPhoto, data: QueryDict) -> dict[str, Any]:
    asked = _asked(row, data)
    corners = asked.corners or WHOLE
    points = [(corners[k] * row.width, corners[k + 1] * row.height) for k in range(0, 8, 2)]
    labels = [f"{corner}, {axis}" for corner in CORNERS for axis in AXES]
    known = services.found(row, asked)
    told = {
        **{f"corner_{k}": f"{100 * value:.2f}" for k, value in enumerate(corners)},
        "cut": cut_of(asked),
        "inks": asked.inks,
    }
    if asked.period is not None:
        told |= {"repeat_width": asked.period[0], "repeat_height": asked.period[1]}
    return {
        "cloth": row,
        "asked": asked,
        "cut": cut_of(asked),
        "cuts": CUTS,
        "found": known,
        "ring": " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        "corners": [(name, 2 * k, *points[k]) for k, name in enumerate(CORNERS)],
        "numbers": [(k, labels[k], f"{100 * value:.1f}") for k, value in enumerate(corners)],
        "radius": max(row.width, row.height) / 45,
        "least_inks": MIN_INKS,
        "most_inks": MAX_INKS,
        "nine": f"{reverse('cloth-nine', args=[row.pk])}?{urlencode(told)}",
    }


def _words(row: ClothPhoto) -> dict[str, Any]:
    return {
        "thumb": row.thumb_url,
        "alt": "The photo of the cloth",
        "goes": "The photo goes for good. Fabrics that were cut from it are kept.",
        "keep": reverse("cloth", args=[row.pk]),
    }


delete = publishing.deleter(
    ClothPhoto,
    "photo of a cloth",
    _words,
    "The photo is gone. Fabrics cut from it are kept.",
    lambda _: reverse("cloths"),
)
