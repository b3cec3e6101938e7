"""Data sets: made, filled, captioned, frozen, copied, taken away."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from patterns.htmx import is_htmx

from ..account.members import members_only
from ..account.models import User
from ..answers import valid
from ..limits import TooFast
from ..publishing import deleter, mine
from ..zipping import zipped
from . import learned, services
from .forms import DataSetForm
from .hints import HINTS
from .models import SIDES, DataSet, TrainingPicture
from .refusing import refusing_at

CHOICES = {"room": "workshop", "place": "data", "shapes": DataSet.Shape.choices, "sides": SIDES}


refusing = refusing_at("data-set", lambda _: redirect("data-sets"))


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
@refusing
def data_sets(request: HttpRequest) -> HttpResponse:
    """One's own, newest first, and for staff those shared with the house; POST makes one."""
    me = _person(request)
    if request.method == "POST":
        made = services.make(me, **valid(DataSetForm(request.POST)).asked())
        return redirect("data-set", made.pk)
    rows = DataSet.objects.visible_to(me).select_related("job", "owner").annotate(count=Count("pictures"))
    rows = rows.prefetch_related("pictures")
    return render(
        request,
        "studio/workshop/data_sets.html",
        {
            "mine": [row for row in rows if row.owner_id == me.pk],
            "others": [row for row in rows if row.owner_id != me.pk],
            "new": DataSet(),
            **CHOICES,
        },
    )


@members_only
@require_safe
def data_set(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return render(request, "studio/workshop/data_set.html", _shown(request, pk))


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The pictures with their captions, as they stand."""
    return render(request, "studio/workshop/_pictures.html", _shown(request, pk))


def _shown(request: HttpRequest, pk: uuid.UUID) -> dict[str, Any]:
    rows = DataSet.objects.visible_to(request.user).select_related("job", "owner")
    found = get_object_or_404(rows, pk=pk)
    mine = found.owner_id == request.user.pk
    pictures = list(found.pictures.all())
    return {
        "data_set": found,
        "pictures": pictures,
        "waiting": sum(not picture.file for picture in pictures),
        "mine": mine,
        "open": mine and not found.frozen,
        "learned": learned.of(found) if found.frozen else None,
        "hints": HINTS,
        "least": services.LEAST_PICTURES,
        "most": services.MOST_PICTURES,
        **CHOICES,
    }


@require_POST
@refusing
def add(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take pictures in, one or several in the field ``image``.  What cannot be taken is said; the others are kept."""
    found: DataSet = mine(request, DataSet, pk)
    files: list[UploadedFile[Any]] = request.FILES.getlist("image")
    if not files:
        raise BadInput("Choose a few pictures first.")
    if len(files) == 1:
        services.add_picture(found, files[0])
    else:
        _add_each(request, found, files)
    return _back(request, found)


def _add_each(request: HttpRequest, found: DataSet, files: list[UploadedFile[Any]]) -> None:
    for file in files:
        try:
            services.add_picture(found, file)
        except TooFast:
            raise
        except BadInput as error:
            messages.error(request, f"{file.name}: {error}")


@require_POST
@refusing
def captions(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Fields ``caption-ID`` of the pictures."""
    found: DataSet = mine(request, DataSet, pk)
    prefix = "caption-"
    said = {name.removeprefix(prefix): text for name, text in request.POST.items() if name.startswith(prefix)}
    services.caption(found, {name: str(text) for name, text in said.items()})
    return _back(request, found, "The captions are kept.")


@require_POST
@refusing
def change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Another name, other squares."""
    found: DataSet = mine(request, DataSet, pk)
    services.change(found, **valid(DataSetForm(request.POST)).asked())
    return _back(request, found, "Changed.")


@require_POST
@refusing
def look_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found: DataSet = mine(request, DataSet, pk)
    services.look_again(found)
    return _back(request, found)


@require_POST
@refusing
def freeze(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found: DataSet = mine(request, DataSet, pk)
    services.freeze(found)
    return _back(request, found, f"“{found}” is frozen: what learns from it will always be told by it.")


@require_POST
@refusing
def share(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Field ``shared`` set lets staff see it and train with it; unset takes it back."""
    found: DataSet = mine(request, DataSet, pk)
    shared = "shared" in request.POST
    services.share(found, shared)
    return _back(request, found, "Staff can see it and train with it now." if shared else "Only you can see it now.")


@members_only
@require_POST
@refusing
def copy(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A data set of one's own with the same pictures, to be changed."""
    found = get_object_or_404(DataSet.objects.visible_to(request.user), pk=pk)
    return redirect("data-set", services.copy(found, _person(request)).pk)


@require_safe
def download(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The folder as a ZIP, as other tools for training read it."""
    found = get_object_or_404(DataSet.objects.visible_to(request.user), pk=pk)
    return zipped(services.entries(found), f"toile-data-set-{found.sha256[:12] or found.pk.hex[:12]}")


@require_POST
@refusing
def take_out(request: HttpRequest, pk: uuid.UUID, picture: uuid.UUID) -> HttpResponse:
    found: DataSet = mine(request, DataSet, pk)
    services.take_out(get_object_or_404(TrainingPicture.objects.select_related("data_set"), data_set=found, pk=picture))
    return _back(request, found)


def _back(request: HttpRequest, found: DataSet, said: str = "") -> HttpResponse:
    if is_htmx(request):
        return HttpResponse(status=204)
    if said:
        messages.success(request, said)
    return redirect("data-set", found.pk)


def _words(found: DataSet) -> dict[str, Any]:
    first = found.pictures.first()
    return {
        "lede": found.name,
        "thumb": first.thumb_url if first else "",
        "alt": "The first picture of the data set",
        "goes": f"{learned.told(found)} Its pictures and captions go for good.",
        "keep": reverse("data-set", args=[found.pk]),
    }


delete = deleter(DataSet, "data set", _words, "The data set and its pictures are gone.", lambda _: reverse("data-sets"))
