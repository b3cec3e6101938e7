"""Staff's page where a model comes in through the browser, and what its script talks to."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_backend.errors import BadInput

from ..account.models import User
from ..answers import refusing_by, staff_only, valid
from . import uploading
from .forms import PartForm, UploadForm
from .models import ModelUpload


def _refused(request: HttpRequest, error: BadInput) -> HttpResponse:  # noqa: ARG001
    if isinstance(error, uploading.OutOfStep):
        return JsonResponse({"received": error.received}, status=409)
    return JsonResponse({"error": str(error)}, status=422)


_refusing = refusing_by(_refused)


def _mine(request: HttpRequest, pk: uuid.UUID) -> ModelUpload:
    return get_object_or_404(ModelUpload.objects.select_related("job", "version"), pk=pk, owner_id=request.user.pk)


@require_safe
@staff_only
def upload(request: HttpRequest) -> HttpResponse:
    mine = ModelUpload.objects.filter(owner_id=request.user.pk).select_related("job", "version")[:20]
    context = {"uploads": mine, "most": settings.MAX_MODEL_BYTES, "room": "workshop", "place": "upload"}
    return render(request, "studio/curation/upload.html", context)


@require_POST
@staff_only
@_refusing
def begin(request: HttpRequest) -> HttpResponse:
    """Fields ``name`` and ``size``; answers where to send parts, how large they are and where to begin."""
    form = valid(UploadForm(request.POST))
    assert isinstance(request.user, User)  # staff
    begun = uploading.begin(request.user, form.cleaned_data["name"], form.cleaned_data["size"])
    return JsonResponse(_told(begun), status=201)


@require_POST
@staff_only
@_refusing
def part(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Fields ``offset`` and ``part``; 409 with ``received`` where the part does not begin there."""
    begun = _mine(request, pk)
    form = valid(PartForm(request.POST, request.FILES))
    sent = form.cleaned_data["part"]
    data = sent.read(uploading.PART + 1)
    return JsonResponse(_told(uploading.take(begun, form.cleaned_data["offset"], data)))


def _told(begun: ModelUpload) -> dict[str, object]:
    return {
        "at": reverse("model-upload-part", args=[begun.pk]),
        "received": begun.received,
        "size": begun.size,
        "part": uploading.PART,
    }


@require_safe
@staff_only
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How an upload stands, as a fragment."""
    return render(request, "studio/curation/_upload.html", {"upload": _mine(request, pk)})


@require_POST
@staff_only
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Give an upload up; the parts go.  The model that came of it stays."""
    _mine(request, pk).delete()
    return redirect("model-upload")
