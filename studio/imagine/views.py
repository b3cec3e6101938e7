"""Imagine: garments from words alone, on a wall of one's own."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.engines import IMAGINE
from ml_backend.errors import BadInput
from ml_backend.serving import jobs, registry
from ml_backend.words.builder import CHOICES, COLOURS, GENDERS, PLURALS

from .. import said, sampling
from ..account.services import ensure_person
from ..answers import first_error, is_htmx, refuse, say_if_retired
from ..batches import Batch, prompts_of
from ..limits import TooFast
from ..photos.services import photo_of
from ..publishing import deleter, page_of, publisher
from ..zipping import zip_of
from . import forms as imagining
from .models import Imagining
from .services import ask_imagine

BATCHES = 12
"""Batches on one page of the wall."""
HISTORY = 12
SAMPLES = 10
"""Other people's pictures on a wall that is bare."""

UNSAID = {
    "year": "any year",
    "usage": "any use",
    "season": "any season",
    "colour": "any colour",
    "gender": "anybody’s",
    "article": "garment",
}
"""What stands in the sentence where nothing is chosen."""


# --- the page -----------------------------------------------------------------------------------------------------


@require_safe
def imagine(request: HttpRequest) -> HttpResponse:
    """The words, and the wall of what came of them.

    The address fills the form in: ``said`` words only, by their key, ``remix`` a picture's whole recipe, ``again`` the
    same without its seed; ``engine`` goes before the picture's.
    """
    page = _batches(request)
    if is_htmx(request):
        return render(request, "studio/imagine/_batches.html", {"page": page})
    return _page(request, page, _wanted(request))


def _page(request: HttpRequest, page: Page[Any], wanted: imagining.Wanted, status: int = 200) -> HttpResponse:
    offered = sampling.choices("imagine", imagining.SKETCHED)
    served = [engine.name for engine in offered["engines"] if engine.served]
    if wanted.engine not in served:
        wanted = replace(wanted, engine=served[0])
    context = {
        "page": page,
        "samples": [] if page.paginator.count else Imagining.objects.public()[:SAMPLES],
        "under_way": any(batch.active for batch in page),
        "wanted": wanted,
        "parts": _parts(wanted),
        **offered,
        "presets": imagining.PRESETS,
        "history": [imagining.Words(text) for text in prompts_of(request.user, Imagining, HISTORY)],
        "room": "imagine",
    }
    return render(request, "studio/imagine/imagine.html", context, status=status)


def _wanted(request: HttpRequest) -> imagining.Wanted:
    params = _params(request)
    if request.GET.get("engine") in IMAGINE:
        params["engine"] = request.GET["engine"]
    offered = tuple(registry.loras("imagine"))
    return imagining.wanted(params, offered, engine=registry.default_engine("imagine"))


def _params(request: HttpRequest) -> dict[str, Any]:
    for name in ("remix", "again"):
        picture = Imagining.objects.visible_to(request.user).named(request.GET.get(name))
        if picture is not None:
            model = say_if_retired(request, "imagine", picture)
            seed = picture.seed if name == "remix" else None
            return {**picture.params, "engine": picture.engine, "seed": seed, "model": model}
    if key := request.GET.get("said"):
        known = [words.text for words in imagining.PRESETS] + prompts_of(request.user, Imagining, HISTORY)
        return {"prompt": said.named(known, key)}
    return {"prompt": request.GET.get("prompt", "")}


@dataclass(frozen=True)
class Option:
    """A word of the builder; ``said`` is how the sentence says it."""

    value: str
    said: str
    plural: bool = False
    colour: str = ""


@dataclass(frozen=True)
class Part:
    """One gap of the builder's sentence."""

    name: str
    unsaid: str
    chosen: str
    options: tuple[Option, ...]


def _parts(wanted: imagining.Wanted) -> list[Part]:
    def option(word: str) -> Option:
        return Option(word, GENDERS.get(word, word), word in PLURALS, COLOURS.get(word, ""))

    return [
        Part(name, UNSAID[name], getattr(wanted.outfit, name), tuple(option(word) for word in words))
        for name, words in CHOICES.items()
    ]


# --- asking -------------------------------------------------------------------------------------------------------


@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for some pictures; answers htmx with their batch, a plain form with the page that waits for them."""
    form = imagining.ImagineForm(
        request.POST, offered=tuple(registry.loras("imagine")), engine=registry.default_engine("imagine")
    )
    if not form.is_valid():
        return _refuse(request, first_error(form), form)
    try:
        rows = ask_imagine(ensure_person(request), form.request(), form.cleaned_data["count"])
    except BadInput as error:
        return _refuse(request, error, form)
    if not is_htmx(request):
        return redirect(f"{reverse('imagine')}?again={rows[0].pk}")
    return render(request, "studio/imagine/_batch.html", {"batch": Batch(rows[0].batch, tuple(rows)), "fresh": True})


def _refuse(request: HttpRequest, why: str | BadInput, form: imagining.ImagineForm) -> HttpResponse:
    """To a plain form the page again, with everything as it was typed."""
    if is_htmx(request) or isinstance(why, jobs.TooManyJobs | TooFast):
        return refuse(request, why)
    messages.error(request, str(why))
    return _page(request, _batches(request), form.typed(), 422)


# --- batches ------------------------------------------------------------------------------------------------------


def _batches(request: HttpRequest) -> Page[Any]:
    """A page of the person's :class:`Batch`es, newest first."""
    rows = Imagining.objects.of(request.user)
    newest = rows.order_by().values("batch").annotate(newest=Max("created_at")).order_by("-newest", "batch")
    page = Paginator(newest.values_list("batch", flat=True), BATCHES).get_page(request.GET.get("page"))
    gathered: Any = list(_gathered(rows, list(page.object_list)))
    page.object_list = gathered
    return page


def _gathered(rows: Any, ids: list[uuid.UUID]) -> Iterable[Batch[Imagining]]:
    pictures: dict[uuid.UUID, list[Imagining]] = {}
    for row in rows.filter(batch__in=ids).select_related("job").order_by("number"):
        pictures.setdefault(row.batch, []).append(row)
    return (Batch(pk, tuple(pictures[pk])) for pk in ids if pk in pictures)


def _batch(request: HttpRequest, batch: uuid.UUID) -> Batch[Imagining]:
    for found in _gathered(Imagining.objects.of(request.user), [batch]):
        return found
    raise Http404


@require_safe
def following(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    """How a batch stands, as its piece of the wall."""
    return render(request, "studio/imagine/_batch.html", {"batch": _batch(request, batch)})


@require_safe
def download(request: HttpRequest, batch: uuid.UUID) -> HttpResponseBase:
    """The finished pictures of a batch in one file."""
    made = _batch(request, batch).made
    if not made:
        raise Http404
    return zip_of(made, "toile-imagined")


@require_http_methods(["GET", "HEAD", "POST"])
def delete_batch(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    """Asks on GET; on POST deletes all pictures of a batch, made or not."""
    found = _batch(request, batch)
    if request.method != "POST":
        return render(request, "studio/imagine/delete.html", {"batch": found, "room": "imagine"})
    jobs.cancel_by_id(found.job.pk if found.job else None)
    Imagining.objects.of(request.user).filter(batch=batch).delete()
    messages.success(request, "The pictures are gone.")
    return redirect("imagine")


# --- one picture --------------------------------------------------------------------------------------------------


@require_safe
def picture(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Imagining.objects.visible_to(request.user).select_related("job"), pk=pk)
    mine = found.owner_id == request.user.pk
    asked = _asked(found)
    context = {"picture": found, "mine": mine, "asked": asked, "command": _command(asked), "room": "gallery"}
    return render(request, "studio/imagine/imagined.html", context)


def _asked(picture: Imagining) -> dict[str, Any]:
    """What the picture's engine was told; what it does not heed is left out, though the form may have sent it."""
    told = {**picture.params, **picture.recipe.get("imagine", {})}
    kept = ("model", "prompt", "seed", *IMAGINE[picture.engine].heeds)
    return {"engine": picture.engine, **{name: told.get(name) for name in kept}}


def _command(asked: dict[str, Any]) -> str:
    """The shell line that makes this picture again."""
    words = ["python", "-m", "ml_backend", "imagine", "--prompt", asked["prompt"]]
    words += ["--engine", asked["engine"], "--seed", str(asked["seed"])]
    for name in imagining.SETTINGS:
        value = asked.get(name)
        if value not in (None, ""):
            words += [f"--{name.replace('_', '-')}", f"{value:g}" if isinstance(value, float) else str(value)]
    for lora in asked.get("loras") or []:
        words += ["--lora", lora]
    return " ".join(_quoted(word) for word in [*words, "--count", "1", "--out", "."])


def _quoted(word: str) -> str:
    """For a shell; an apostrophe goes between double quotes where nothing in the word means anything there."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


@require_POST
def to_studio(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take a picture to the studio, as the photo that fabrics are worn on."""
    found = get_object_or_404(Imagining.objects.visible_to(request.user).ready(), pk=pk)
    try:
        photo = photo_of(ensure_person(request), found)
    except BadInput as error:
        messages.error(request, str(error))
        return redirect("imagined", pk)
    return redirect(f"{reverse('studio')}?photo={photo.pk}")


def _words(picture: Imagining) -> dict[str, Any]:
    return {
        "title": "Delete",
        "room": "imagine",
        "thumb": picture.thumb_url,
        "alt": picture.prompt,
        "lede": f"{picture.prompt}, seed {picture.seed}.",
        "goes": "It goes for good. Photos made from it are kept.",
        "keep": page_of("imagined", picture),
    }


publish = publisher(Imagining, "imagined", "picture")
delete = deleter(Imagining, "picture", _words, "The picture is gone.", lambda _: reverse("imagine"))
