"""A person's own photos: upload, waiting for the cloth, deleting."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from ml_backend.models import Job
from patterns import files

from .. import outfits
from ..account.services import ensure_person
from ..answers import go_back, is_htmx, refusing, valid
from ..publishing import deleter, mine
from . import services
from .forms import DrawnForm, MoveForm, NameForm, PhotoForm
from .mending import ask_as_found, ask_mend, garment_mask
from .models import Mask, Photo
from .services import add_photo
from .tapping import ask_tap, read_taps

PRIVATE = {"Cache-Control": files.NOBODY}


def uploaded(request: HttpRequest) -> Photo:
    """The photo that is sent, taken in.  Raises :class:`BadInput`."""
    form = valid(PhotoForm(request.POST, request.FILES))
    return add_photo(ensure_person(request), form.cleaned_data["image"])


@require_POST
@refusing
def upload(request: HttpRequest) -> HttpResponse:
    """Take a photo in; it is shown at once and can be dressed when its cloth is found."""
    photo = uploaded(request)
    if not is_htmx(request):
        return go_back(request, photo=photo.pk, garments=outfits.FIRST, on=None, look=None, wear=None)
    return render(request, "studio/photos/_added.html", {"photo": photo})


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=pk)
    return render(request, "studio/photos/_status.html", {"photo": photo, "oob": True})


@require_http_methods(["GET", "HEAD", "POST"])
@refusing
def garment(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    """The mask of one garment as a picture; POST ``file`` corrects it and answers with how that stands."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=pk)
    if request.method != "POST":
        return _mask(photo, name)
    form = valid(DrawnForm(request.POST, request.FILES))
    ask_mend(photo.owner, photo, name, form.cleaned_data["file"])
    return _mended(request, photo)


def _mask(photo: Photo, name: str) -> HttpResponse:
    try:
        content = garment_mask(photo, name)
    except BadInput as error:
        raise Http404 from error
    return HttpResponse(content, content_type="image/png", headers=PRIVATE)


@require_POST
@refusing
def tap(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask what taps mean (the JSON of a ``TapRequest``); answers 202 with the address that tells."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job", "owner"), pk=pk)
    mask = ask_tap(photo.owner, photo, read_taps(request))
    address = reverse("photo-tapped", args=[photo.pk, mask.pk])
    return JsonResponse({"at": address}, status=202, headers={"Location": address, **PRIVATE})


@require_safe
def tapped(request: HttpRequest, pk: uuid.UUID, mask: uuid.UUID) -> HttpResponseBase:
    """What a tap adds or takes, as a grey picture; before that 202 with how it stands, 422 where nothing came of it."""
    answers = Mask.objects.answers_to(request.user).filter(photo=pk).select_related("job")
    found = get_object_or_404(answers, pk=mask)
    if found.ready:
        response = files.read(str(found.file), "image/png")
        response.headers["Cache-Control"] = files.NOBODY
        return files.guarded(response)
    if found.state in (Job.State.QUEUED, Job.State.RUNNING):
        stands = {"state": found.state, "why": found.job.why_waiting if found.job else ""}
        return JsonResponse(stands, status=202, headers=PRIVATE)
    why = (found.job.message if found.job else "") or "Nothing came of this tap. What is marked so far is safe."
    return HttpResponse(why, status=422, content_type="text/plain; charset=utf-8", headers=PRIVATE)


@require_POST
@refusing
def as_found(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Back to the garments as they were found."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job"), pk=pk)
    ask_as_found(photo.owner, photo)
    return _mended(request, photo)


def _mended(request: HttpRequest, photo: Photo) -> HttpResponse:
    if not is_htmx(request):
        return go_back(request, photo=photo.pk)
    return render(request, "studio/photos/_status.html", {"photo": photo})


@require_POST
@refusing
def rename(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Another name; answers with the one that it bears now."""
    photo: Photo = mine(request, Photo, pk)
    photo.name = " ".join(valid(NameForm(request.POST)).cleaned_data["name"].split())
    photo.save(update_fields=["name"])
    if not is_htmx(request):
        return go_back(request)
    return HttpResponse(photo.title, content_type="text/plain; charset=utf-8", headers=PRIVATE)


@require_POST
@refusing
def move(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Another place in the strip; answers with the ids of all, in their order."""
    data = valid(MoveForm(request.POST)).cleaned_data
    order = services.move(mine(request, Photo, pk), by=data["by"] or 0, before=data["before"])
    if not is_htmx(request):
        return go_back(request)
    return JsonResponse({"order": [str(one) for one in order]}, headers=PRIVATE)


def _words(photo: Photo) -> dict[str, Any]:
    looks = photo.looks.count()
    worn = f", and with them the {looks} look{pluralize(looks)} it wears" if looks else ""
    return {
        "thumb": photo.thumb_url or photo.image_url,
        "alt": photo.title,
        "goes": f"The photo and the mask found in it go for good{worn}. Fabrics are kept.",
        "keep": f"{reverse('studio')}?photo={photo.pk}",
    }


delete = deleter(Photo, "photo", _words, "The photo, its mask and its looks are gone.", lambda _: reverse("studio"))
