"""Making fabrics from the workspace: new ones, neighbours, colourways, and the print-size tile."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from ml_backend.inks import fit_palette
from patterns import repeats, services
from patterns.models import Pattern

from ..account.services import ensure_person
from ..answers import go_back, is_htmx, refuse, refusing, valid
from .forms import FabricForm, RecolourForm, RepeatForm
from .services import same_colourway, wanted_fabrics

MAX_ASKED = 64


@require_POST
@refusing
def make(request: HttpRequest) -> HttpResponse:
    """Several new fabrics; answers htmx with their cells."""
    form = valid(FabricForm(request.POST))
    owner = ensure_person(request)
    like = _like(request, form)
    with transaction.atomic():
        made = [services.ask(owner, one, parent=like, fresh=True) for one in wanted_fabrics(owner, form, like)]
    return fresh_cells(request, made)


def fresh_cells(request: HttpRequest, made: Sequence[Pattern]) -> HttpResponse:
    """New fabrics of the tray; to a plain form the page, with the first of them on the stage."""
    if not is_htmx(request):
        return go_back(request, pattern=made[0].pk, type=made[0].pattern_type, engine=made[0].engine, look=None)
    return render(request, "studio/workspace/_cells.html", {"cells": made, "fresh": True})


def _like(request: HttpRequest, form: FabricForm) -> Pattern | None:
    pk = form.cleaned_data["like"]
    return get_object_or_404(Pattern.objects.visible_to(request.user), pk=pk) if pk else None


@require_safe
def cells(request: HttpRequest) -> HttpResponse:
    """How the fabrics ``id`` (many) stand, as cells that find their own place on the page."""
    try:
        asked = [uuid.UUID(text) for text in request.GET.getlist("id")[:MAX_ASKED]]
    except ValueError:
        return refuse(request, "This is not a fabric.")
    found = Pattern.objects.of(request.user).select_related("job").filter(pk__in=asked)
    gone = set(asked) - {one.pk for one in found}
    return render(request, "studio/workspace/_cells.html", {"cells": found, "gone": gone, "oob": True})


@require_POST
@refusing
def recolour(request: HttpRequest) -> HttpResponse:
    """A colourway: the same inks in another palette, ready at once.  The same palette twice is one colourway."""
    form = valid(RecolourForm(request.POST))
    pattern = get_object_or_404(Pattern.objects.visible_to(request.user).ready(), pk=form.cleaned_data["of"])
    owner = ensure_person(request)
    inks = len(pattern.palette)
    wanted = form.cleaned_data["palette"]
    palette = fit_palette(wanted, inks) if wanted else services.own_colours(pattern)
    colourway = same_colourway(owner, pattern, palette) or services.recolour(owner, pattern, palette, fresh=True)
    if not is_htmx(request):
        return go_back(request, pattern=colourway.pk, look=None)
    return render(request, "studio/workspace/_cells.html", {"cells": [colourway], "fresh": True})


@require_POST
@refusing
def for_repeat(request: HttpRequest) -> HttpResponse:
    """The fabric made for another repeat, or its seams mended for it; asked for twice it is one fabric."""
    form = valid(RepeatForm(request.POST))
    pattern = get_object_or_404(Pattern.objects.visible_to(request.user).ready(), pk=form.cleaned_data["of"])
    made = repeats.in_repeat(ensure_person(request), pattern, form.cleaned_data["repeat"])
    if not is_htmx(request):
        return go_back(request, pattern=made.pk, repeat=made.repeat, look=None)
    return render(request, "studio/workspace/_cells.html", {"cells": [made], "fresh": True})


@require_POST
@refusing
def large(request: HttpRequest) -> HttpResponse:
    """Ask for the print-size tile of one's own pattern (field ``pattern``); somebody else's is copied first."""
    try:
        pk = uuid.UUID(request.POST.get("pattern", ""))
    except ValueError:
        return refuse(request, "Choose a fabric first.")
    pattern = get_object_or_404(Pattern.objects.visible_to(request.user).ready(), pk=pk)
    owner = ensure_person(request)
    if pattern.owner_id != owner.pk and not pattern.large:
        palette = tuple(pattern.palette)
        pattern = same_colourway(owner, pattern, palette) or services.recolour(owner, pattern, palette)
    services.ask_large(pattern)
    if not is_htmx(request):
        return go_back(request, pattern=pattern.pk)
    return _large(request, pattern.pk)


@require_safe
def large_following(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _large(request, pk)


def _large(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One query for pattern and job: read apart, the job could be done and the file not yet there."""
    rows = Pattern.objects.visible_to(request.user).select_related("large_job")
    return render(
        request, "studio/workspace/_large_status.html", {"pattern": get_object_or_404(rows, pk=pk), "now": True}
    )
