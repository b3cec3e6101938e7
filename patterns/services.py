"""What a person does with patterns.  Every function raises :class:`BadInput` with a sentence for the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.inks import compose, fit_palette
from ml_backend.models import Job
from ml_backend.requests import GenerateRequest, parse_palette
from ml_backend.serving import jobs, registry
from ml_backend.serving.storage import delete_files, keep

from . import cutting
from .models import LARGE_SIZE, Favourite, Pattern

NOT_READY = Pattern.not_ready()


def ask(
    owner: AbstractBaseUser, request: GenerateRequest, parent: Pattern | None = None, partner: Pattern | None = None
) -> Pattern:
    """A new pattern, queued to be made; a model that it names, by name or reference, must be one that serves."""
    if request.model is not None:
        request = dataclasses.replace(request, model=_serving(request))
    row = Pattern(owner_id=owner.pk, parent=parent, partner=partner)
    row.take(request)
    with transaction.atomic():
        row.job = jobs.submit(owner, "generate", {"pattern": str(row.pk)}, queue=queue_for(request.engine))
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
    with transaction.atomic():
        row = Pattern.objects.select_for_update().get(pk=pattern.pk)
        if row.large:
            return None
        current = row.large_job
        if current is not None and current.active:
            return current
        job = jobs.submit(
            row.owner, "upscale", {"pattern": str(row.pk), "size": size}, queue=queue_for(row.engine), after=[row.job]
        )
        Pattern.objects.filter(pk=row.pk).update(large_job=job)
    pattern.refresh_from_db()
    return job


def recolour(
    owner: AbstractBaseUser, pattern: Pattern, palette: Sequence[str], partner: Pattern | None = None
) -> Pattern:
    """A colourway: the same inks in other colours, made at once as a pattern of ``owner``'s own.

    ``partner`` is the pattern whose colours they are, where they are another's; a blend or a drawing keeps its own.
    """
    inks, colours = _painted(pattern, palette)
    partner = pattern.partner if pattern.move in ("blend", "drawing") else partner
    row = Pattern(owner_id=owner.pk, parent=pattern, partner=partner)
    row.take(dataclasses.replace(pattern.request, palette=colours))
    done = cutting.cut(inks, colours, row.recipe())
    store(row, done)
    return row


def store(row: Pattern, done: cutting.Cut) -> None:
    """Write the files and save the row; if the row cannot be saved the files go again."""
    keys = {}
    try:
        for name, data in done.files.items():
            keys[name] = keep(row.owner_id, f"{row.folder}/{name}.{cutting.SUFFIXES[name]}", data)
            setattr(row, name, keys[name])
        row.colours = done.colours
        row.save()
    except BaseException:
        delete_files(list(keys.values()))
        raise


def preview_tile(pattern: Pattern, palette: Sequence[str], size: int | None = None) -> bytes:
    """The tile as it would look in ``palette``, as PNG bytes; ``size`` is the side in pixels (its own if None)."""
    inks, colours = _painted(pattern, palette)
    tile = Image.fromarray(compose(inks, colours))
    if size is not None:
        tile = tile.resize((size, size), Image.Resampling.LANCZOS)
    return cutting.png(tile, {**pattern.recipe(), "palette": list(colours)})


def _painted(pattern: Pattern, palette: Sequence[str]) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    colours = parse_palette(list(palette))
    if not pattern.ready:
        raise BadInput(NOT_READY)
    inks = cutting.stored_inks(pattern)
    return inks, fit_palette(colours, len(inks))


def favourite(user: AbstractBaseUser, pattern: Pattern, on: bool) -> None:
    """Add to or take from the person's favourites; asking twice changes nothing."""
    if on:
        Favourite.objects.get_or_create(user_id=user.pk, pattern=pattern)
    else:
        Favourite.objects.filter(user_id=user.pk, pattern=pattern).delete()
