"""Training runs, for staff: begun, watched, paused, gone on with, and candidates made of their checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from ml_backend.models import Job, ModelVersion, TrainingRun
from patterns import files
from patterns.htmx import is_htmx

from ..account.models import User
from ..answers import staff_only, valid
from . import curves, runs
from .forms import RunForm, StepForm
from .models import DataSet
from .presets import ADVANCED, PRESETS, base_named, bases
from .refusing import refusing_at

MOST_SHOWN = 100
PLACE = {"room": "workshop", "place": "runs"}


refusing = refusing_at("training-run", lambda request: _runs_page(request, RunForm(request.POST)))


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
@refusing
def training_runs(request: HttpRequest) -> HttpResponse:
    """All runs, newest first; POST begins one."""
    if request.method != "POST":
        return _runs_page(request, RunForm(initial={"data_set": request.GET.get("data", "")}))
    assert isinstance(request.user, User)
    form = valid(RunForm(request.POST))
    data = form.cleaned_data
    data_set = DataSet.objects.visible_to(request.user).frozen().filter(pk=data["data_set"]).first()
    if data_set is None:
        raise BadInput("Choose a data set that is frozen.")
    preset, base = PRESETS[data["preset"]], base_named(data["base"])
    run = runs.start(request.user, data_set, base, preset, data["name"].strip(), form.asked())
    return redirect("training-run", run.pk)


def _runs_page(request: HttpRequest, form: RunForm) -> HttpResponse:
    rows = TrainingRun.objects.select_related("job", "owner", "made_for", "result").order_by("-created_at", "-pk")
    preset = form["preset"].value() or next(iter(PRESETS))
    context = {
        **PLACE,
        "runs": [(run, runs.state_of(run)) for run in rows[:MOST_SHOWN]],
        "data_sets": DataSet.objects.visible_to(request.user).frozen().select_related("owner"),
        "bases": bases(),
        "presets": PRESETS.values(),
        "chosen": PRESETS.get(preset) or next(iter(PRESETS.values())),
        "form": form,
        "advanced": [form[name] for name in ADVANCED],
    }
    status = 422 if form.is_bound else 200
    return render(request, "studio/workshop/training_runs.html", context, status=status)


@staff_only
@require_safe
def training_run(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "studio/workshop/training_run.html", _shown(pk))


@staff_only
@require_safe
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """How the run stands."""
    return render(request, "studio/workshop/_run.html", _shown(pk))


def _shown(pk: int) -> dict[str, Any]:
    run = _run(pk)
    keeping = Job.objects.filter(kind=runs.KEEP, request__run=run.pk).order_by("-created_at").first()
    steps = int(run.config.get("steps") or 0)
    return {
        **PLACE,
        "run": run,
        "state": runs.state_of(run),
        "keeping": keeping if keeping is not None and keeping.state != Job.State.DONE else None,
        "active": bool(run.job and run.job.active) or bool(keeping and keeping.active),
        "drawing": curves.drawn(run.curve, steps),
        "settings": [(name, run.config[name]) for name in ADVANCED if name in run.config],
        "candidates": ModelVersion.objects.filter(recipe__run=run.pk).order_by("-created_at", "-pk"),
        "samples": run.samples[::-1],
    }


def _run(pk: int) -> TrainingRun:
    rows = TrainingRun.objects.select_related("job", "owner", "made_for", "base", "result")
    return get_object_or_404(rows, pk=pk)


@staff_only
@require_safe
def sample(_: HttpRequest, pk: int, step: int) -> HttpResponseBase:
    """A sheet of samples."""
    run = get_object_or_404(TrainingRun, pk=pk)
    key = next((one["key"] for one in run.samples if one["step"] == step), None)
    if key is None:
        raise Http404
    response = files.guarded(files.read(key, "image/webp"))
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _doing(action: Callable[[TrainingRun], None]) -> Callable[..., HttpResponse]:
    """The view that does so with a run."""

    @staff_only
    @require_POST
    @refusing
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        action(_run(pk))
        return _back(request, pk)

    return view


pause, resume, cancel = map(_doing, (runs.pause, runs.resume, runs.cancel))


@staff_only
@require_POST
@refusing
def candidate(request: HttpRequest, pk: int) -> HttpResponse:
    """Field ``step`` names the checkpoint; 0 is the result."""
    assert isinstance(request.user, User)
    runs.ask_keep(_run(pk), request.user, valid(StepForm(request.POST)).cleaned_data["step"])
    return _back(request, pk)


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
@refusing
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks on GET, deletes on POST."""
    run = _run(pk)
    if request.method == "POST":
        runs.forget(run)
        messages.success(request, "The run is gone; candidates made of it are kept.")
        return redirect("training-runs")
    goes = "Its checkpoints, samples and log go for good. Candidates made of it are kept."
    return render(
        request,
        "studio/delete.html",
        {
            "title": "Delete a run",
            "called": "run",
            "lede": run.name,
            "goes": goes,
            "keep": reverse("training-run", args=[run.pk]),
        },
    )


def _back(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(status=204) if is_htmx(request) else redirect("training-run", pk)
