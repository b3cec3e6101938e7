"""A fabric made for another repeat: a fabric of its own, a child of the first, made once and found again."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from ml_backend.errors import BadInput
from ml_backend.lattices import lattice_of
from ml_backend.models import Job
from ml_backend.serving import jobs, registry

from . import services
from .models import Pattern


def can_be_made(pattern: Pattern) -> bool:
    """Whether its recipe makes a fabric of any repeat; else its seams can be mended."""
    if pattern.mended:
        return False
    return pattern.engine == "drawn" or registry.can_make_again("generate", pattern.model)


def in_repeat(owner: AbstractBaseUser, pattern: Pattern, repeat: str) -> Pattern:
    """``pattern`` for ``repeat``, in the same colours: itself, the one of ``owner`` that is there, or a new one.

    A new one is made anew from the recipe, or, where nothing can make it anew, mended from the inks.
    Raises :class:`BadInput` for what is not a repeat, and for a fabric that is not ready.
    """
    lattice_of(repeat)
    if pattern.repeat == repeat:
        return pattern
    if not pattern.ready:
        raise BadInput(services.NOT_READY)
    return _found(owner, pattern, repeat) or (_made if can_be_made(pattern) else _mended)(owner, pattern, repeat)


def _found(owner: AbstractBaseUser, pattern: Pattern, repeat: str) -> Pattern | None:
    """One that is there or still to come: what it was made from for another repeat, or one of the owner's."""
    before = pattern.parent
    seen = before is not None and before.ready and (before.public or before.owner_id == owner.pk)
    if before and seen and before.request == replace(pattern.request, repeat=repeat, model=before.model or None):
        return before
    told = pattern.request.to_dict()
    alike = {name: getattr(pattern, name) for name in told if name not in ("repeat", "palette")}
    kin = Pattern.objects.filter(owner_id=owner.pk, repeat=repeat, palette=pattern.palette, **alike)
    ended = (Job.State.FAILED, Job.State.CANCELLED)
    kin = kin.filter(parent=pattern) if pattern.mended or not can_be_made(pattern) else kin.filter(mended=False)
    return kin.exclude(tile="", job__state__in=ended).first()


def _made(owner: AbstractBaseUser, pattern: Pattern, repeat: str) -> Pattern:
    request = replace(pattern.request, repeat=repeat, palette=tuple(pattern.palette) or None)
    return services.ask(owner, request, parent=pattern, partner=pattern.partner)


def _mended(owner: AbstractBaseUser, pattern: Pattern, repeat: str) -> Pattern:
    row = Pattern(owner_id=owner.pk, parent=pattern, partner=pattern.partner)
    row.take(replace(pattern.request, repeat=repeat))
    row.mended = True
    with transaction.atomic():
        row.job = jobs.submit(owner, "repair", queue="default")
        row.save()
    return row
