"""Staff's pages of two versions side by side: ask, vote without knowing, and see the sheet."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from ml_backend.models import ModelVersion
from ml_backend.requests import PATTERN_TYPES
from ml_backend.serving import registry
from patterns import files

from ..account.models import User
from ..answers import staff_only, valid
from ..photos.models import Garment
from . import comparing
from .forms import MOST_SEEDS, CompareForm
from .models import ComparedPicture, Comparison

WORDS = {
    "restyle": "a red plaid skirt\nlight cotton with small flowers\nnavy and white stripes",
    "imagine": "an image of a Casual Summer Yellow Women's Dress\na linen shirt with fine blue stripes",
}
"""Questions to begin with."""


@require_safe
@staff_only
def comparisons(request: HttpRequest) -> HttpResponse:
    made = Comparison.objects.select_related("owner", "job")[:100]
    context = {
        "comparisons": [(one, comparing.tally(one)) for one in made],
        "room": "workshop",
        "place": "comparisons",
    }
    return render(request, "studio/curation/comparisons.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a version and another the same; ``work`` in the address says at what."""
    version = get_object_or_404(ModelVersion, pk=pk)
    works = comparing.works_of(version)
    work = request.POST.get("work") or request.GET.get("work") or next(iter(works), "")
    if work not in works:
        raise Http404
    if request.method == "POST":
        assert isinstance(request.user, User)  # staff
        try:
            form = valid(CompareForm(request.POST))
            made = comparing.compare(request.user, version, form.cleaned_data["other"], work, form.asked())
        except BadInput as error:
            messages.error(request, str(error))
        else:
            return redirect("comparison", made.pk)
    return render(request, "studio/curation/compare.html", _choices(request, version, work), status=_status(request))


def _status(request: HttpRequest) -> int:
    return 422 if request.method == "POST" else 200


def _choices(request: HttpRequest, version: ModelVersion, work: str) -> dict[str, Any]:
    sent, is_sent = request.POST, request.method == "POST"
    garments = Garment.objects.fronts()
    return {
        "version": version,
        "work": work,
        "works": comparing.works_of(version),
        "opponents": comparing.opponents(version, work).items(),
        "other": sent.get("other", "" if version.capability == "lora" else registry.reference(work)),
        "words": sent.get("words", WORDS.get(work, "")),
        "types": [(name, name in (sent.getlist("types") if is_sent else PATTERN_TYPES[:6])) for name in PATTERN_TYPES],
        "garments": [
            (garment, garment.slug in (sent.getlist("garments") if is_sent else [one.slug for one in garments[:2]]))
            for garment in garments
        ],
        "seed": sent.get("seed", "1"),
        "seeds": sent.get("seeds", "2"),
        "counts": [str(count) for count in range(1, MOST_SEEDS + 1)],
        "most": comparing.MOST_PICTURES,
        "room": "workshop",
        "place": "comparisons",
    }


@require_safe
@staff_only
def comparison(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The pictures: without names until one has voted on all of them, or asks for the sheet."""
    found = get_object_or_404(Comparison.objects.select_related("job"), pk=pk)
    assert isinstance(request.user, User)  # staff
    pairs = comparing.blind(found, request.user)
    still_open = comparing.open_numbers(found, request.user, pairs)
    made = sum(pair.is_whole for pair in pairs)
    told = "sheet" in request.GET or (made == len(pairs) and not still_open)
    context = {
        "comparison": found,
        "pairs": comparing.sheet(found) if told else [pair for pair in pairs if pair.question.number in still_open],
        "told": told,
        "made": made,
        "asked": len(pairs),
        "one": comparing.version_of(found.one),
        "other": comparing.version_of(found.other),
        "tally": comparing.tally(found),
        "room": "workshop",
        "place": "comparisons",
    }
    return render(request, "studio/curation/comparison.html", context)


@require_POST
@staff_only
def vote(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Fields ``q0``, ``q1`` ...: the id of the preferred picture, or "neither"."""
    found = get_object_or_404(Comparison, pk=pk)
    assert isinstance(request.user, User)  # staff
    try:
        for question in comparing.asked_of(found):
            if chosen := request.POST.get(f"q{question.number}"):
                comparing.vote(found, request.user, question.number, chosen)
    except BadInput as error:
        messages.error(request, str(error))
    return redirect("comparison", pk)


@require_safe
@staff_only
def cell(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """A picture of a comparison; its address tells nothing of its side."""
    return files.answer(request, get_object_or_404(ComparedPicture, pk=pk), "file")


@require_POST
@staff_only
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Comparison, pk=pk)
    comparing.forget(found)
    messages.success(request, "The comparison, its pictures and its votes are deleted.")
    return redirect("comparisons")
