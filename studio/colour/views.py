"""The ink table of a fabric, the colourways dyed from it, and the palettes that a person keeps."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from ml_backend.errors import BadInput
from ml_backend.palettes import files
from ml_backend.palettes.extraction import Extracted
from ml_backend.palettes.facts import facts
from ml_backend.palettes.held import MAX_HELD, MAX_NAME, MIN_HELD, Held
from patterns.files import NOBODY
from patterns.models import Pattern

from ..account.services import ensure_person
from ..answers import is_htmx, refuse, refusing, valid
from ..photos.models import Photo
from ..publishing import deleter
from ..workspace.fabrics import fresh_cells
from . import inks, services, suggesting
from .forms import ColourwaysForm, DyeForm, MoodForm, SaveForm, UploadForm
from .models import SavedPalette


@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """The ink table of ``fabric``: a fragment to htmx, a page of its own to everybody else."""
    return _table(request, _fabric(request, request.GET.get("fabric", "")))


@require_POST
@refusing
def mood(request: HttpRequest) -> HttpResponse:
    """The ink table with colourways from a picture that is sent; the picture is not kept."""
    form = valid(MoodForm(request.POST, request.FILES))
    fabric = _fabric(request, str(form.cleaned_data["fabric"]))
    found = services.colours_of_mood(ensure_person(request), form.cleaned_data["mood"])
    return _table(request, fabric, found)


def _table(request: HttpRequest, fabric: Pattern, found: Extracted | None = None) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    context = {"table": inks.table(request, fabric, data, found), "pattern": fabric, "room": "studio"}
    if is_htmx(request):
        return render(request, "studio/colour/_table.html", context)
    return render(request, "studio/colour/inks.html", context)


def _fabric(request: HttpRequest, text: str) -> Pattern:
    found = Pattern.objects.visible_to(request.user).ready().exclude(inks="").named(text)
    if found is None:
        raise Http404
    return found


@require_POST
@refusing
def dye(request: HttpRequest) -> HttpResponse:
    """The fabric in the colours ``ink``, or with ``several`` in each of the palettes ``way``; ready at once.

    The same colours twice are one colourway.
    """
    form = valid((ColourwaysForm if "several" in request.POST else DyeForm)(request.POST))
    data = form.cleaned_data
    fabric = get_object_or_404(Pattern.objects.visible_to(request.user), pk=data["fabric"])
    return fresh_cells(request, services.dye(ensure_person(request), fabric, data.get("way") or [data["ink"]]))


@require_safe
@refusing
def table_file(request: HttpRequest, suffix: str) -> HttpResponse:
    """The colours ``ink`` of an address as a palette file, called ``name``."""
    name = request.GET.get("name", "")[:MAX_NAME] or "Palette"
    form = valid(SaveForm({"ink": request.GET.getlist("ink"), "name": name}))
    return file_of(Held(form.cleaned_data["name"], form.cleaned_data["ink"]), suffix)


def file_of(palette: Held, suffix: str) -> HttpResponse:
    """The palette as a download; 404 for a suffix that palettes are not written with."""
    if suffix not in files.WRITERS:
        raise Http404
    kinds = {"json": "application/json", "gpl": "text/plain; charset=utf-8"}
    response = HttpResponse(files.write(palette, suffix), content_type=kinds.get(suffix, "application/octet-stream"))
    title = f"{slugify(palette.name) or 'palette'}.{suffix}"
    response.headers["Content-Disposition"] = content_disposition_header(True, title) or "attachment"
    response.headers["Cache-Control"] = NOBODY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


# --- what goes with a photo ---


@require_safe
def suggestions(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Fabrics and colourways that go with one's own photo, for its ``garment``; ``pattern`` is the fabric to dye."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).select_related("job", "owner"), pk=pk)
    fabric = Pattern.objects.visible_to(request.user).ready().exclude(inks="").named(request.GET.get("pattern"))
    context: dict[str, Any] = {"photo": photo, "pattern": fabric, "room": "studio"}
    try:
        context["found"] = suggesting.suggestions(photo.owner, photo, request.GET.get("garment", ""), fabric)
    except BadInput as error:
        context["why"] = str(error)
    response = render(request, "studio/colour/suggestions.html", context)
    response.headers["Cache-Control"] = NOBODY
    return response


# --- palettes that are kept ---


@require_safe
def palettes(request: HttpRequest) -> HttpResponse:
    mine = [(one, [facts(colour) for colour in one.colours]) for one in SavedPalette.objects.of(request.user)]
    context = {"palettes": mine, "suffixes": list(files.WRITERS), "least": MIN_HELD, "most": MAX_HELD}
    return render(request, "studio/colour/palettes.html", {**context, "room": "studio"})


@require_POST
@refusing
def save(request: HttpRequest) -> HttpResponse:
    """Keep the colours ``ink`` by ``name``; answers htmx with a sentence."""
    form = valid(SaveForm(request.POST))
    kept = services.save(ensure_person(request), Held(form.cleaned_data["name"], form.cleaned_data["ink"]))
    if is_htmx(request):
        return render(request, "studio/colour/_saved.html", {"palette": kept})
    messages.success(request, f"{kept.name} is kept among your palettes.")
    return redirect("palettes")


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Keep the palette of an .ase, .gpl or .json file."""
    try:
        form = valid(UploadForm(request.POST, request.FILES))
        kept = services.save(ensure_person(request), services.read_upload(form.cleaned_data["file"]))
    except BadInput as error:
        if is_htmx(request):
            return refuse(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, f"{kept.name} is kept among your palettes, {len(kept.colours)} colours.")
    return redirect("palettes")


@require_safe
def palette_file(request: HttpRequest, pk: uuid.UUID, suffix: str) -> HttpResponse:
    return file_of(get_object_or_404(SavedPalette.objects.of(request.user), pk=pk).held, suffix)


def _words(palette: SavedPalette) -> dict[str, Any]:
    return {
        "room": "studio",
        "lede": f"{palette.name}, {len(palette.colours)} colours.",
        "goes": "The palette goes for good. Fabrics dyed in it are kept.",
        "keep": reverse("palettes"),
    }


delete = deleter(
    SavedPalette, "palette", _words, "The palette is gone. Fabrics dyed in it are kept.", lambda _: reverse("palettes")
)
