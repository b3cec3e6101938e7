"""Staff's pages of the models: which there are, what each is, how they move on, what was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_backend.errors import BadPackage
from ml_backend.models import CurationEvent, Job, ModelVersion, TrainingRun
from ml_backend.serving import copies, curation, registry
from patterns import files

from ..account.models import User
from ..answers import first_error, staff_only
from ..workshop import curves
from . import cards, comparing, figures
from .forms import NoteForm
from .models import Comparison

A_PAGE = 50
"""Events of the log on one page."""
FIRST_FIGURES = 12
"""Rows of figures that are seen at once on the page of a version."""
MOST_BESIDE = 6
"""Versions whose figures stand side by side."""

TITLES = {
    "generate": "Dreams fabrics",
    "upscale": "Enlarges fabrics",
    "segment": "Finds cloth",
    "surface": "Reads light and folds",
    "classify": "Recognises patterns",
    "text-mask": "Finds things by words",
    "restyle": "Repaints photos",
    "imagine": "Paints from words",
    "lora": "LoRAs",
}
"""What each capability does, as a heading."""


@dataclass(frozen=True)
class Shelf:
    """The versions of one capability, as the page of all shows them."""

    capability: str
    title: str
    versions: list[ModelVersion]
    serves: str
    """Reference of what serves unnamed; empty for nothing, and for LoRAs."""
    can_roll_back: bool


@require_safe
@staff_only
def models(request: HttpRequest) -> HttpResponse:
    """All versions, a shelf for each capability, the default first."""
    kept = list(ModelVersion.objects.select_related("owner"))
    shelves = [_shelf(capability, [one for one in kept if one.capability == capability]) for capability in TITLES]
    context = {"shelves": shelves, "room": "workshop", "place": "models"}
    return render(request, "studio/curation/models.html", context)


def _shelf(capability: str, kept: list[ModelVersion]) -> Shelf:
    adopted = {version.starter for version in kept}
    shipped = [curation.shipped(folder) for folder in registry.starters(capability) if folder not in adopted]
    versions = kept + [one for one in shipped if one is not None]
    serves = registry.reference(capability) if capability != "lora" and registry.serves(capability) else ""
    order = {status: number for number, status in enumerate(("serving", "candidate", "draft", "retired"))}
    versions.sort(key=lambda one: (one.reference != serves, order[one.status], -one.created_at.timestamp()))
    return Shelf(capability, TITLES[capability], versions, serves, curation.last_change(capability) is not None)


# --- one version ------------------------------------------------------------------------------------------------------


@require_safe
@staff_only
def model(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, get_object_or_404(ModelVersion.objects.select_related("owner", "parent"), pk=pk))


@require_safe
@staff_only
def starter(request: HttpRequest, folder: str) -> HttpResponse:
    """The page of a starter that has no row."""
    version = curation.shipped(folder) if folder in registry.all_starters() else None
    if version is None:
        raise Http404
    return redirect("model", version.pk) if version.pk else _page(request, version)


def _page(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    serves = registry.serves(version.capability) if version.capability != "lora" else False
    context = {
        "version": version,
        "title": TITLES.get(version.capability, version.capability),
        "is_default": serves and registry.reference(version.capability) == version.reference,
        "people_choose": curation.people_choose(version.capability),
        "card": cards.rendered(version.card) if version.card else "",
        "samples": range(len(_samples(version))),
        **_training(version),
        "beside": _beside(version),
        "ran": Job.objects.filter(version__contains=version.reference).count(),
        "days": settings.JOB_KEEP_DAYS,
        "works": comparing.works_of(version) if version.pk else [],
        "comparisons": Comparison.objects.filter(one=version.reference)
        | Comparison.objects.filter(other=version.reference),
        "events": version.events.all()[:A_PAGE] if version.pk else [],
        "note": NoteForm(),
        "room": "workshop",
        "place": "models",
    }
    return render(request, "studio/curation/model.html", context)


def _samples(version: ModelVersion) -> list[str]:
    names = [] if version.starter else version.manifest.get("samples") or []
    return [name for name in names if isinstance(name, str)]


def _training(version: ModelVersion) -> dict[str, Any]:
    """The run that made it, with its curve."""
    made_by = version.recipe.get("run")
    run = TrainingRun.objects.filter(pk=made_by).first() if isinstance(made_by, int) else None
    return {"run": run, "drawing": curves.drawn(run.curve, int(run.config.get("steps") or 0)) if run else None}


def _beside(version: ModelVersion) -> dict[str, Any]:
    """Its figures beside those of its parent and of what serves."""
    others = [version.parent, curation.default_of(version.capability)]
    if others[1] is None and version.capability in registry.STARTERS:
        others[1] = curation.shipped(registry.STARTERS[version.capability])
    versions = list({one.reference: one for one in (version, *others) if one is not None}.values())
    rows = figures.side_by_side(versions)
    return {"versions": versions, "rows": rows, "first": rows[:FIRST_FIGURES], "more": rows[FIRST_FIGURES:]}


@require_safe
@staff_only
def sample(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:  # noqa: ARG001
    """A picture that a package shows of itself."""
    version = get_object_or_404(ModelVersion, pk=pk)
    names = _samples(version)
    if number >= len(names) or not names[number].lower().endswith(copies.SAMPLE_KINDS):
        raise Http404
    kind = "image/" + {"jpg": "jpeg"}.get(suffix := names[number].lower().rpartition(".")[2], suffix)
    return files.guarded(files.read(f"{version.folder}/{copies.SAMPLES}/{names[number]}", kind))


@require_safe
@staff_only
def side_by_side(request: HttpRequest) -> HttpResponse:
    """The figures of the versions that the address names by ``of``: numbers of rows, or folders of starters."""
    named = list(dict.fromkeys(request.GET.getlist("of")))[:MOST_BESIDE]
    found = [_named(text) for text in named]
    versions = [version for version in found if version is not None]
    context = {
        "versions": versions,
        "rows": figures.side_by_side(versions),
        "most": MOST_BESIDE,
        "room": "workshop",
        "place": "models",
    }
    return render(request, "studio/curation/figures.html", context)


def _named(text: str) -> ModelVersion | None:
    if text.isdecimal() and len(text) < 18:
        return ModelVersion.objects.filter(pk=int(text)).first()
    return curation.shipped(text) if text in registry.all_starters() else None


# --- moving on --------------------------------------------------------------------------------------------------------

Act = Callable[[ModelVersion, User], object]


def _mover(act: Act, said: str) -> Callable[[HttpRequest, int], HttpResponse]:
    """The view that does ``act`` to a version and says so."""

    @require_POST
    @staff_only
    def move(request: HttpRequest, pk: int) -> HttpResponse:
        version = get_object_or_404(ModelVersion, pk=pk)
        assert isinstance(request.user, User)  # staff
        try:
            act(version, request.user)
        except BadPackage as error:
            messages.error(request, str(error))
        else:
            messages.success(request, said.format(version.name, status=version.status))
        return redirect("model", pk)

    return move


promote = _mover(curation.promote, "{0} is {status} now. Workers know with their next job.")
make_default = _mover(curation.serve, "{0} is the default now. Workers take it up with their next job.")
retire = _mover(curation.withdraw, "{0} has retired. What it made can be made again while its files are kept.")


@require_POST
@staff_only
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a version and delete its files."""
    version = get_object_or_404(ModelVersion, pk=pk)
    try:
        curation.remove(version, request.user)  # type: ignore[arg-type]  # staff
    except BadPackage as error:
        messages.error(request, str(error))
        return redirect("model", pk)
    messages.success(request, f"{version.name} and its files are deleted. The log keeps what was done.")
    return redirect("models")


@require_POST
@staff_only
def serve_starter(request: HttpRequest, folder: str) -> HttpResponse:
    """Let a starter serve what it is the starter of."""
    if folder not in registry.all_starters() or curation.shipped(folder) is None:
        raise Http404
    curation.serve_starter(folder, request.user)  # type: ignore[arg-type]  # staff
    messages.success(request, f"{folder} serves. Workers take it up with their next job.")
    return redirect("models")


@require_POST
@staff_only
def roll_back(request: HttpRequest, capability: str) -> HttpResponse:
    """Back to the default before the last change; ``seen`` is what the page showed as the default."""
    if capability not in registry.STARTERS:
        raise Http404
    try:
        curation.roll_back(capability, request.user, seen=request.POST.get("seen"))  # type: ignore[arg-type]  # staff
    except BadPackage as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{registry.reference(capability)} serves again. Rolling back once more undoes it.")
    return redirect(reverse("models") + f"#{capability}")


@require_POST
@staff_only
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a remark into the log of a version."""
    version = get_object_or_404(ModelVersion, pk=pk)
    form = NoteForm(request.POST)
    if form.is_valid():
        curation.note(version, request.user, form.cleaned_data["text"])  # type: ignore[arg-type]  # staff
        messages.success(request, "Your note is in the log.")
    else:
        messages.error(request, first_error(form))
    return redirect(reverse("model", args=[pk]) + "#log")


@require_safe
@staff_only
def log(request: HttpRequest) -> HttpResponse:
    """Everything that was done, newest first; ``of`` names one capability."""
    events = CurationEvent.objects.select_related("version", "by")
    capability = request.GET.get("of", "")
    if capability in TITLES:
        events = events.filter(capability=capability)
    context = {
        "page": Paginator(events, A_PAGE).get_page(request.GET.get("page")),
        "titles": TITLES.items(),
        "capability": capability,
        "room": "workshop",
        "place": "log",
    }
    return render(request, "studio/curation/log.html", context)
