"""What a person does with patterns.  Every function raises :class:`BadInput` with a sentence for the page."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from ml_backend.errors import BadInput
from ml_backend.inks import fit_palette, own_palette
from ml_backend.models import Job
from ml_backend.requests import PHOTOGRAPHED, GenerateRequest, Request, parse_palette
from ml_backend.serving import jobs, registry
from ml_backend.serving.storage import kept_together

from . import cutting
from .happenings import FAVOURITED, tell
from .models import LARGE_SIZE, Favourite, Pattern

NOT_READY = Pattern.not_ready()
GONE = "This fabric is not there any more. Make a new one, or choose another."
UNREPEATABLE = "A photographed cloth is one of its kind. It can be recoloured and worn, but not made again from a seed."


@dataclasses.dataclass(frozen=True)
class LargeRequest(Request):
    """The tile of a pattern again at ``size`` pixels a side."""

    size: int


def ask(
    owner: AbstractBaseUser,
    request: GenerateRequest,
    parent: Pattern | None = None,
    partner: Pattern | None = None,
    *,
    fresh: bool = False,
) -> Pattern:
    """A new pattern, queued to be made; a model that it names, by name or reference, must be one that serves.

    A ``fresh`` one goes again unless it is kept.
    """
    if request.engine == PHOTOGRAPHED:
        raise BadInput(UNREPEATABLE)
    if request.model is not None:
        request = dataclasses.replace(request, model=_serving(request))
    row = Pattern(owner_id=owner.pk, parent=parent, partner=partner, fresh_until=fresh_until() if fresh else None)
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
        row.keep()
        if row.large:
            return None
        current = row.large_job
        if current is not None and current.active:
            return current
        job = jobs.submit(row.owner, "upscale", request.to_dict(), queue=queue_for(row.engine), after=[row.job])
        Pattern.objects.filter(pk=row.pk).update(large_job=job)
    pattern.refresh_from_db()
    return job


def fresh_until() -> datetime | None:
    """Until when a fabric that is made now stays without being kept; None where all are kept."""
    return timezone.now() + timedelta(days=settings.FRESH_DAYS) if settings.FRESH_DAYS > 0 else None


def keep(owner: AbstractBaseUser, which: Collection[uuid.UUID]) -> int:
    """Those of ``owner``'s fabrics stay; how many of them there are.  Asking twice changes nothing."""
    return Pattern.objects.filter(owner_id=owner.pk, pk__in=which).update(fresh_until=None)


def discard(owner: AbstractBaseUser, which: Collection[uuid.UUID]) -> int:
    """Fresh fabrics of ``owner``'s are out of sight at once, and go a little later; how many.  Kept ones stay."""
    return Pattern.objects.fresh().filter(owner_id=owner.pk, pk__in=which).update(fresh_until=timezone.now())


def recolour(
    owner: AbstractBaseUser,
    pattern: Pattern,
    palette: Sequence[str],
    partner: Pattern | None = None,
    *,
    fresh: bool = False,
) -> Pattern:
    """A colourway: the same inks in other colours, made at once as a pattern of ``owner``'s own.

    Who recolours a fabric of theirs keeps it; the colourway itself, where it is ``fresh``, goes unless it is kept.
    ``partner`` is the pattern whose colours they are, where they are another's; a blend or a drawing keeps its own.
    """
    colours = parse_palette(list(palette))
    if not pattern.ready:
        raise BadInput(NOT_READY)
    inks = cutting.stored_inks(pattern)
    colours = fit_palette(colours, len(inks))
    partner = pattern.partner if pattern.move in ("blend", "drawing") else partner
    row = Pattern(owner_id=owner.pk, parent=pattern, partner=partner, fresh_until=fresh_until() if fresh else None)
    row.take(dataclasses.replace(pattern.request, palette=colours))
    row.cloth, row.mended = pattern.cloth, pattern.mended
    done = cutting.cut(inks, colours, row.recipe())
    store(row, done)
    if pattern.owner_id == owner.pk:
        pattern.keep()
    return row


def own_colours(pattern: Pattern) -> tuple[str, ...]:
    """The palette that it has of itself: that of its seed, or the one that was found in the photo."""
    if pattern.photographed:
        return fit_palette(pattern.cloth["palette"], len(pattern.palette))
    return own_palette(pattern.request, len(pattern.palette))


def store(row: Pattern, done: cutting.Cut) -> None:
    """Write the files and save the row; if the row cannot be saved the files go again."""
    with kept_together(row.owner_id) as keep:
        for name, data in done.files.items():
            setattr(row, name, keep(f"{row.folder}/{name}.{cutting.SUFFIXES[name]}", data))
        row.colours, row.shares = done.colours, done.shares
        row.save()


def count_shares(most: int = 200) -> int:
    """Count what each ink covers in fabrics of before that was kept, ``most`` at a time; how many were."""
    uncounted = Pattern.objects.ready().filter(shares=[]).exclude(palette=[])[:most]
    for row in uncounted:
        try:
            shares = cutting.shares_of(cutting.stored_inks(row))
        except (BadInput, OSError, ValueError):
            shares = row.coverage  # its inks cannot be read, now or later
        Pattern.objects.filter(pk=row.pk).update(shares=shares)
    return len(uncounted)


def favourite(user: AbstractBaseUser, pattern: Pattern, on: bool) -> None:
    """Add to or take from the person's favourites; asking twice changes nothing."""
    if on:
        _, is_new = Favourite.objects.get_or_create(user_id=user.pk, pattern=pattern)
        if is_new:
            tell(FAVOURITED, pattern, user.pk)
        if pattern.owner_id == user.pk:
            pattern.keep()
    else:
        Favourite.objects.filter(user_id=user.pk, pattern=pattern).delete()
