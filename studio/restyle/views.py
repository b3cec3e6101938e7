"""Restyle: mark a part of a picture by words or by hand, say what it should become, and follow the variations."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from ml_backend.errors import BadInput
from ml_backend.requests import TextMaskRequest
from ml_backend.serving import registry

from .. import said, sampling
from ..account.models import User
from ..account.services import ensure_person
from ..answers import go_back, is_htmx, refuse, refusing, refusing_by, valid
from ..batches import prompts_of
from ..photos.models import Garment, Mask, Photo
from ..photos.services import add_mask, garment_of, photo_of
from ..photos.views import uploaded
from ..publishing import deleter, page_of, publisher
from ..said import WORDS, Said
from ..zipping import zip_of
from . import forms as restyling
from . import table
from .models import Restyle
from .services import ask_mask, ask_restyle, words_for

STRIP = 12
HISTORY = 12
EARLIER = 12


@require_safe
def restyle(request: HttpRequest) -> HttpResponse:
    """The table: what lies on it, the words, and the pictures that came of them."""
    now = table.read(request)
    wanted = restyling.wanted(
        _words(request),
        now.params,
        region=now.region,
        engine=registry.default_engine("restyle"),
        offered=table.offered_loras(request.user),
        sketch=registry.begins_from(),
    )
    served = registry.engines("restyle")
    if wanted.engine not in served:
        wanted = replace(wanted, engine=served[0])
    under_way = bool((now.batch and now.batch.active) or (now.mask and now.mask.job and now.mask.job.active))
    return render(
        request,
        "studio/restyle/restyle.html",
        {
            "room": "restyle",
            "table": now,
            "state": now.to_json(),
            "mask": now.mask,
            "verdict": restyling.verdict(now.mask.found) if now.mask else "",
            "batch": now.batch,
            "wanted": wanted,
            "under_way": under_way,
            **_choices(request),
            **_strip(request, now),
        },
    )


def _words(request: HttpRequest) -> dict[str, str]:
    """The address, with the words that it names: a preset's, earlier ones, what was typed before it came to this."""
    query = {name: str(value) for name, value in request.GET.items()}
    if text := said.named(restyling.REGION_WORDS, query.get("common", "")):
        query["region"] = text
    if text := said.named((preset.prompt for preset in restyling.PRESETS), query.get("preset", "")):
        query["prompt"] = text
    if key := query.get("said"):
        query["prompt"] = said.named(prompts_of(request.user, Restyle, HISTORY), key)
    return {**query, **said.typed(request)}


def _choices(request: HttpRequest) -> dict[str, Any]:
    return {
        **sampling.choices("restyle", restyling.SKETCHED),
        "source_kinds": restyling.SOURCES,
        "region_words": [Said(text) for text in restyling.REGION_WORDS],
        "presets": restyling.PRESETS,
        "history": [Said(text) for text in prompts_of(request.user, Restyle, HISTORY)],
    }


def _strip(request: HttpRequest, now: table.Table) -> dict[str, Any]:
    """What else could lie on the table, and what was made of this photo before."""
    photos = list(Photo.objects.visible_to(request.user).as_strip()[:STRIP])
    if now.photo and now.photo not in photos:
        photos.append(now.photo)
    made = Restyle.objects.of(request.user).ready().filter(photo=now.photo) if now.photo else Restyle.objects.none()
    if now.batch:
        made = made.exclude(batch=now.batch.id)
    return {"photos": photos, "garments": Garment.objects.fronts(), "earlier": made[:EARLIER]}


def _refuse(request: HttpRequest, why: str | BadInput) -> HttpResponse:
    """:func:`refuse`, which leaves a plain form's words in their fields."""
    answer = refuse(request, why)
    if isinstance(answer, HttpResponseRedirect):
        said.keep_typed(request, {name: request.POST.get(name) for name in WORDS})
    return answer


@require_POST
@refusing
def upload(request: HttpRequest) -> HttpResponse:
    """Take a photo in and put it on the table; the words that were there stay."""
    photo = uploaded(request)
    fresh = dict.fromkeys((*restyling.SOURCES, "mask", "batch", "remix"))
    if not is_htmx(request):
        said.keep_typed(request, dict(parse_qsl(urlsplit(request.POST.get("next", "")).query)))
    answer = go_back(request, **{**fresh, "photo": photo.pk})
    if is_htmx(request):
        return HttpResponseClientRedirect(answer.url)
    return answer


# --- the mask


@require_POST
@refusing_by(_refuse)
def find(request: HttpRequest) -> HttpResponse:
    """Look for the words in the picture; answers htmx with how the search stands."""
    form = valid(restyling.RegionForm(request.POST))
    wanted = form.request()
    owner, photo = _owned(request, form)
    return _marked_answer(request, ask_mask(owner, photo, wanted))


@require_POST
@refusing_by(_refuse)
def draw(request: HttpRequest) -> HttpResponse:
    """Take a painted mask in; answers htmx with it, a plain form with the table."""
    form = valid(restyling.MaskForm(request.POST, request.FILES))
    owner, photo = _owned(request, form)
    return _marked_answer(request, add_mask(owner, photo, form.cleaned_data["file"]))


def _marked_answer(request: HttpRequest, mask: Mask) -> HttpResponse:
    """A new mask; to a plain form the page again, with the words that were typed."""
    if is_htmx(request):
        return _mask_answer(request, mask)
    fresh = dict.fromkeys((*restyling.SOURCES, "batch", "remix"))
    said.keep_typed(request, {name: request.POST.get(name) for name in WORDS if name != "region"})
    return go_back(request, **{**fresh, "photo": mask.photo_id, "mask": mask.pk})


@require_safe
def mask_status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return _mask_answer(request, get_object_or_404(Mask.objects.visible_to(request.user).select_related("job"), pk=pk))


def _mask_answer(request: HttpRequest, mask: Mask) -> HttpResponse:
    context = {"mask": mask, "verdict": restyling.verdict(mask.found), "fresh": True}
    return render(request, "studio/restyle/_mask.html", context)


# --- the pictures


@require_POST
@refusing_by(_refuse)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for variations; answers htmx with their grid, a plain form with the page that waits for them."""
    offered = table.offered_loras(request.user)
    form = valid(restyling.RestyleForm(request.POST, offered=offered, engine=registry.default_engine("restyle")))
    style = form.style()
    owner, photo = _owned(request, form)
    with transaction.atomic():
        mask = _marked(owner, photo, form)
        rows = ask_restyle(owner, photo, mask, style, form.wanted_count)
    if not is_htmx(request):
        return redirect(f"{reverse('restyle')}?batch={rows[0].batch}")
    context: dict[str, Any] = {"batch": table.Batch(rows[0].batch, tuple(rows))}
    if not form.cleaned_data["mask"]:
        context |= {"mask": mask, "fresh": True, "oob": True}  # the search for the words shows itself too
    return render(request, "studio/restyle/_grid.html", context)


def _marked(owner: User, photo: Photo, form: restyling.RestyleForm) -> Mask:
    """The mask that was named, else a search for the words; without any, all the cloth of a default garment."""
    if pk := form.cleaned_data["mask"]:
        return get_object_or_404(Mask.objects.visible_to(owner).filter(photo=photo), pk=pk)
    if form.cleaned_data["region"].strip():
        return ask_mask(owner, photo, form.request())
    garment = garment_of(photo)
    if garment is None:
        raise BadInput("Mark what to change first: say it in words, or paint over it with the brush.")
    return ask_mask(owner, photo, TextMaskRequest(words_for(garment)))


def _owned(request: HttpRequest, form: restyling.TableForm) -> tuple[User, Photo]:
    """Who asks (a visitor becomes a guest) and the picture as a photo of their own, copied if need be."""
    kind, name = form.source()
    rows = table.rows_of(request, kind)
    source = get_object_or_404(rows, slug=name) if kind == "garment" else get_object_or_404(rows, pk=name)
    owner = ensure_person(request)
    return owner, source if isinstance(source, Photo) else photo_of(owner, source)


@require_safe
def batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How a batch stands: its grid to htmx, the whole page to others."""
    found = table.batch_of(request, str(pk))
    if not is_htmx(request):
        return redirect(f"{reverse('restyle')}?batch={pk}")
    if found is None:
        return HttpResponse(status=404)
    return render(request, "studio/restyle/_grid.html", {"batch": found})


@require_safe
def batch_zip(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """All finished pictures of a batch in one file."""
    found = table.batch_of(request, str(pk))
    if found is None or not found.made:
        return render(request, "404.html", status=404)
    return zip_of(found.made, "toile-restyle")


# --- one picture


@require_safe
def restyled(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One picture with its recipe."""
    found = get_object_or_404(Restyle.objects.visible_to(request.user).select_related("photo", "mask", "job"), pk=pk)
    context = {
        "picture": found,
        "mine": found.owner_id == request.user.pk,
        "made": restyling.made_with(found),
        "room": "gallery",
    }
    return render(request, "studio/restyle/restyled.html", context)


def _deleting(picture: Restyle) -> dict[str, Any]:
    goes = "The picture goes for good. Its photo is kept."
    return {"lede": f"{picture.prompt}.", "goes": goes, "keep": page_of("restyled", picture)}


def _rest(picture: Restyle) -> str:
    """What is left of its batch, else its photo."""
    others = Restyle.objects.filter(batch=picture.batch).exclude(pk=picture.pk)
    query = f"batch={picture.batch}" if others.exists() else f"photo={picture.photo_id}"
    return f"{reverse('restyle')}?{query}"


publish = publisher(Restyle, "restyled", "picture")
delete = deleter(Restyle, "picture", _deleting, "The picture is gone. Its photo is kept.", _rest)
