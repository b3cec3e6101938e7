"""The workspace: fabric, stage, fit, all on one page."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.defaultfilters import capfirst
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_backend.models import Job
from ml_backend.requests import PATTERN_TYPES, REPEATS
from ml_backend.serving import jobs, registry
from ml_backend.swatches import TYPES
from patterns import files
from patterns.models import Pattern
from patterns.templatetags.cloth import described_look, worn_name

from .. import limits
from ..answers import go_back, is_htmx, refusing
from ..gallery import window
from ..looks.models import Look
from ..photos.models import Garment, Photo
from . import chips as garments
from . import mixing, state

TRAY = 12
FIRST = 8
"""Fabrics in the tray of somebody who has none."""
STRIP = 12
HISTORY = 24


@require_safe
def workspace(request: HttpRequest) -> HttpResponse:
    now = state.read(request)
    tray, tray_is_mine = _tray(request, now.pattern)
    photos = _photos(request, now.photo)
    states = {*(pattern.state for pattern in tray), *(photo.state for photo in photos)}
    under_way = bool(states & {Job.State.QUEUED, Job.State.RUNNING})
    return render(
        request,
        "studio/workspace/workspace.html",
        {
            **_choices(now),
            **_stage(now),
            "stand_in": now.stand_in,
            "tray": tray,
            "photos": photos,
            "room": "studio",
            "mix": mixing.mix_of(request, now.shown, request.GET.get("with", "")),
            "tray_is_mine": tray_is_mine,
            "fresh_days": settings.FRESH_DAYS,
            "under_way": under_way or bool(now.look and not now.look.ready),
            **_rails(),
            "looks": Look.objects.of(request.user).exclude(thumb="").select_related("garment").with_parts()[:HISTORY],
        },
    )


def _rails() -> dict[str, Any]:
    """The garments of the house by who wears them, the back of each after its front."""
    every = sorted(Garment.objects.all(), key=lambda one: (one.order, one.cut, one.is_back))
    rails = [(wearer, [one for one in every if one.wearer == wearer]) for wearer in Garment.Wearer]
    return {"garments": [(wearer, rows) for wearer, rows in rails if rows], "turned": {one.slug for one in every}}


def _choices(now: state.Workspace) -> dict[str, Any]:
    palettes = state.named_palettes()
    names = {palette.value: palette.name for palette in palettes}
    return {
        "pattern_types": PATTERN_TYPES,
        "chosen_type": now.pattern_type,
        "designs": {name: kind.subtypes for name, kind in TYPES.items() if kind.subtypes},
        "chosen_subtype": now.subtype,
        "chosen_engine": now.engine,
        **_models(now.pattern),
        "palettes": palettes,
        "chosen_palette": now.palette,
        "chosen_palette_name": names.get(now.palette, "the seed's own"),
        "repeats": REPEATS,
        "fit": now.fit,
        "bare": now.bare,
        "wear": now.wear,
        "query": now.query,
        "here": f"{reverse('studio')}?{now.query.urlencode()}",
        "chips": garments.chips(now),
        "everything": garments.everything(now),
        "as_photographed": garments.bare(now),
    }


def _models(pattern: Pattern | None) -> dict[str, Any]:
    """The models to choose from; a fabric whose model no longer serves is said to be one."""
    offers = registry.offered("generate")
    dreamed = pattern.model if pattern else ""
    known = {offer.reference for offer in offers}
    return {
        "models": offers,
        "chosen_model": dreamed if dreamed in known else next(iter(offers)).reference if offers else "",
        "retired": bool(dreamed) and dreamed not in known,
    }


def _stage(now: state.Workspace) -> dict[str, Any]:
    return {
        "state": now.to_json(),
        "pattern": now.shown,
        "wearable": now.wearable,
        "worn": now.wearable,
        "worn_kind": "photo" if now.photo else "garment",
        "photo": now.photo,
        **_still(now),
        "garment": now.garment,
        "look": now.look,
    }


def _still(now: state.Workspace) -> dict[str, str]:
    """The picture for those without scripts: the finished look, else what will wear it, undressed."""
    worn = now.wearable
    if now.look and now.look.ready:
        return {"still": now.look.file_url, "still_alt": described_look(now.look)}
    if worn is None:
        return {"still": "", "still_alt": ""}
    words = worn.alt if isinstance(worn, Garment) and worn.alt else capfirst(worn_name(worn))
    return {"still": worn.preview().get("preview_photo", "") or worn.image_url, "still_alt": words}


def _tray(request: HttpRequest, chosen: Pattern | None) -> tuple[list[Pattern], bool]:
    """The newest fabrics of one's own, or those of the window before the first; the chosen one is always among them."""
    rows = Pattern.objects.of(request.user).at_hand().select_related("job")
    mine = list(rows.exclude(job__state="cancelled", tile="")[:TRAY])
    tray = mine or window.fabrics(FIRST)
    if chosen and chosen.pk not in {pattern.pk for pattern in tray}:
        tray = [chosen, *tray[: TRAY - 1]]
    return tray, bool(mine)


def _photos(request: HttpRequest, chosen: Photo | None) -> list[Photo]:
    photos = list(Photo.objects.visible_to(request.user).as_strip().select_related("job")[:STRIP])
    if chosen and chosen.pk not in {photo.pk for photo in photos}:
        photos.append(chosen)
    return photos


@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop a job that waits or runs; one that has ended stays as it is."""
    job = own_job(request, pk)
    if not jobs.cancel(job) and not is_htmx(request):
        messages.info(request, "This had already ended; nothing was changed.")
    return _done(request)


@require_POST
@refusing
def retry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Queue a failed or cancelled job again, unless what it works on is gone or too much is under way."""
    job = own_job(request, pk)
    if job.can_retry:
        limits.new_job(job.owner)
    if not jobs.retry(job) and not is_htmx(request):
        messages.info(request, "This is already under way.")
    return _done(request)


def own_job(request: HttpRequest, pk: uuid.UUID) -> Job:
    return get_object_or_404(Job.objects.filter(owner_id=request.user.pk), pk=pk)


def _done(request: HttpRequest) -> HttpResponse:
    """Nothing to htmx: the page looks by itself how what shows this job stands now."""
    return HttpResponse(status=204) if is_htmx(request) else go_back(request)


@require_safe
def preview(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """What the picture in work looks like so far, for its owner; an empty answer before the first and after the end."""
    data = Job.objects.filter(pk=pk, owner_id=request.user.pk).values_list("preview", flat=True).first()
    if data is None:
        raise Http404
    if not data:
        return HttpResponse(status=204)  # the job may end between a page and its picture: no error
    content = bytes(data)
    response = HttpResponse(content, content_type="image/webp" if content[8:12] == b"WEBP" else "image/jpeg")
    response.headers["Cache-Control"] = files.NOBODY
    return files.guarded(response)
