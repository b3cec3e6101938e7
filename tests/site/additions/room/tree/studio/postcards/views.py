"""Postcards: a room of a test."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..photos.models import Garment


@require_safe
def postcards(request: HttpRequest) -> HttpResponse:
    """The counter."""
    return render(request, "studio/postcards/counter.html", {"garments": Garment.objects.count(), "room": "postcards"})
