"""What staff alone may do: take published things down, and dress the shop window.  For others there is no such page."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from ml_backend.errors import BadInput
from patterns import moderation
from patterns.models import Pattern

from .. import window
from ..models import Garment, Imagining, Look, Restyle

KINDS: dict[str, tuple[Any, str, str]] = {
    "fabric": (Pattern, "pattern", "gallery"),
    "look": (Look, "look", "looks"),
    "restyle": (Restyle, "restyled", "restyled-wall"),
    "imagining": (Imagining, "imagined", "imagined-wall"),
}
"""What can be published, by its name in the address: the model, the page of one, the wall of all."""


def _check_staff(request: HttpRequest) -> None:
    if not getattr(request.user, "is_staff", False):
        raise Http404


@require_POST
def take_down(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """Hide something published from everybody but its owner, who reads ``why``."""
    _check_staff(request)
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
def dress_window(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put a published fabric, on the garment ``on``, first for everybody who has made nothing yet; or take it out."""
    _check_staff(request)
    pattern = get_object_or_404(Pattern.objects.public(), pk=pk)
    if "out" in request.POST:
        window.dress(None, None)
        messages.success(request, "The window shows what ships with Toile again.")
        return redirect("pattern", pk)
    garment = get_object_or_404(Garment, slug=request.POST.get("on", ""))
    window.dress(pattern, garment)
    messages.success(request, f"Visitors see this fabric first now, on the {garment.name.lower()}.")
    return redirect(reverse("pattern", args=[pk]))
