"""What a person does with patterns.  Every function raises :class:`BadInput` with a sentence for the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from ml_backend.errors import BadInput
from ml_backend.inks import fit_palette
from ml_backend.models import Job
from ml_backend.requests import GenerateRequest, Request, parse_palette
from ml_backend.serving import jobs, registry
from ml_backend.serving.storage import kept_together

from . import cutting
from .models import LARGE_SIZE, Favourite, Pattern

NOT_READY = Pattern.not_ready()


@dataclasses.dataclass(frozen=True)
class LargeRequest(Request):
    """The tile of a pattern again at ``size`` pixels a side."""

    size: int


def ask(
    owner: AbstractBaseUser, request: GenerateRequest, parent: Pattern | None = None, partner: Pattern | None = None
) -> Pattern:
    """A new pattern, queued to be made; a model that it names, by name or reference, must be one that serves."""
    if request.model is not None:
        request = dataclasses.replace(request, model=_serving(request))
    row = Pattern(owner_id=owner.pk, parent=parent, partner=partner)
    row.take(request)
    with transaction.atomic():
        row.job = jobs.submit(owner, "generate", queue=queue_for(request.engine))
        row.save()
    return row


def _serving(request: GenerateRequest) -> str:
    if request.engine == "drawn":
        raise BadInput("A drawn fabric needs no model; leave it away, or choose a dreamed one.")
    return registry.resolve("generate", request.model or "")


def queue_for(engine: str) -> str:
    """Drawn fabrics need no network."""
    return "default" if engine == "drawn" else settings.MODEL_QUEUE


def ask_large(pattern: Pattern, size: int = LARGE_SIZE) -> Job | None:
    """The job that makes the print-size tile: the one under way or a new one; None when the tile is there already."""
    request = LargeRequest(dataclasses.replace(pattern.request, size=size).size)
    with transaction.atomic():
        row = Pattern.objects.select_for_update().get(pk=pattern.pk)
        if row.large:
            return None
        current = row.large_job
        if current is not None and current.active:
            return current
        job = jobs.submit(row.owner, "upscale", request.to_dict(), queue=queue_for(row.engine), after=[row.job])
        Pattern.objects.filter(pk=row.pk).update(large_job=job)
    pattern.refresh_from_db()
    return job


def recolour(
    owner: AbstractBaseUser, pattern: Pattern, palette: Sequence[str], partner: Pattern | None = None
) -> Pattern:
    """A colourway: the same inks in other colours, made at once as a pattern of ``owner``'s own.

    ``partner`` is the pattern whose colours they are, where they are another's; a blend or a drawing keeps its own.
    """
    colours = parse_palette(list(palette))
    if not pattern.ready:
        raise BadInput(NOT_READY)
    inks = cutting.stored_inks(pattern)
    colours = fit_palette(colours, len(inks))
    partner = pattern.partner if pattern.move in ("blend", "drawing") else partner
    row = Pattern(owner_id=owner.pk, parent=pattern, partner=partner)
    row.take(dataclasses.replace(pattern.request, palette=colours))
    row.mended = pattern.mended
    done = cutting.cut(inks, colours, row.recipe())
    store(row, done)
    return row


def store(row: Pattern, done: cutting.Cut) -> None:
    """Write the files and save the row; if the row cannot be saved the files go again."""
    with kept_together(row.owner_id) as keep:
        for name, data in done.files.items():
            setattr(row, name, keep(f"{row.folder}/{name}.{cutting.SUFFIXES[name]}", data))
        row.colours = done.colours
        row.save()


def favourite(user: AbstractBaseUser, pattern: Pattern, on: bool) -> None:
    """Add to or take from the person's favourites; asking twice changes nothing."""
    if on:
        Favourite.objects.get_or_create(user_id=user.pk, pattern=pattern)
    else:
        Favourite.objects.filter(user_id=user.pk, pattern=pattern).delete()
