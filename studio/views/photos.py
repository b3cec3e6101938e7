"""A person's own photos: upload, waiting for the cloth, deleting."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput

from .. import outfits, services
from ..forms import PhotoForm, first_error
from ..models import Photo
from ..people import ensure_person
from ..restyling import MaskForm
from .answers import go_back, is_htmx, refuse


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take a photo in; it is shown at once and can be dressed when its cloth is found."""
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        return refuse(request, first_error(form))
    try:
        photo = services.add_photo(ensure_person(request), form.cleaned_data["image"])
    except BadInput as error:
        return refuse(request, error)
    if not is_htmx(request):
        return go_back(request, photo=photo.pk, garments=outfits.FIRST, on=None, look=None, wear=None)
    return render(request, "studio/_photo_added.html", {"photo": photo})


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=pk)
    return render(request, "studio/_photo_status.html", {"photo": photo, "oob": True})


@require_http_methods(["GET", "HEAD", "POST"])
def garment(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """The mask of one garment as a picture; POST ``file`` corrects it and answers with how that stands."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=pk)
    if request.method != "POST":
        return _mask(photo, name)
    form = MaskForm(request.POST, request.FILES)
    if not form.is_valid():
        return refuse(request, first_error(form))
    return _mended(request, photo, lambda: services.ask_mend(photo.owner, photo, name, form.cleaned_data["file"]))


def _mask(photo: Photo, name: str) -> HttpResponse:
    try:
        content = services.garment_mask(photo, name)
    except BadInput as error:
        raise Http404 from error
    response = HttpResponse(content, content_type="image/png")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
def as_found(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Back to the garments as they were found."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=pk)
    return _mended(request, photo, lambda: services.ask_as_found(photo.owner, photo))


def _mended(request: HttpRequest, photo: Photo, ask: Callable[[], None]) -> HttpResponse:
    try:
        ask()
    except BadInput as error:
        return refuse(request, error)
    if not is_htmx(request):
        return go_back(request, photo=photo.pk)
    return render(request, "studio/_photo_status.html", {"photo": photo})


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Asks on GET, deletes on POST: the photo, what was found in it, and the looks it wears."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return render(request, "studio/photo_delete.html", {"photo": photo, "looks": photo.looks.count()})
    photo.delete()
    messages.success(request, "The photo, its mask and its looks are gone.")
    return redirect("studio")
