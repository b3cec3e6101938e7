"""Looks, and what everybody may see."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from ml_backend.errors import BadInput, quoted
from ml_backend.requests import OutfitRequest, OverlayRequest
from ml_backend.serving import jobs
from patterns import services as pattern_services
from patterns.happenings import WORN, tell
from patterns.models import Pattern

from ..account.models import User
from ..photos.models import Garment, Photo
from .models import Look, LookPart

Part = tuple[Pattern, OverlayRequest]
"""A pattern and how it is worn."""


def ask_look(
    owner: User, pattern: Pattern, wearable: Photo | Garment, request: OverlayRequest, format: str = Look.Format.PNG
) -> Look:
    """:func:`ask_outfit` for one pattern."""
    return ask_outfit(owner, [(pattern, request)], wearable, format)


def ask_outfit(owner: User, parts: Sequence[Part], wearable: Photo | Garment, format: str = Look.Format.PNG) -> Look:
    """A look, queued to be rendered at full size; it waits for patterns and a photo that are still in work."""
    if format not in Look.Format.values:
        raise BadInput(f"A look can be saved as PNG or JPEG, not as {quoted(format)}.")
    OutfitRequest(tuple(request for _, request in parts))  # or a sentence on what cannot be worn together
    needed = [pattern.job for pattern, _ in parts if not pattern.ready]
    if isinstance(wearable, Photo) and (not wearable.ready or wearable.mending):
        needed.append(wearable.job)
    with transaction.atomic():
        _keep(owner, [pattern for pattern, _ in parts])
        look = Look(
            owner=owner,
            photo=wearable if isinstance(wearable, Photo) else None,
            garment=wearable if isinstance(wearable, Garment) else None,
            format=format,
        )
        look.job = jobs.submit(owner, "wear", after=needed)
        look.save()
        LookPart.objects.bulk_create(
            LookPart(look=look, place=place, pattern=pattern, params=request.to_dict())
            for place, (pattern, request) in enumerate(parts)
        )
        for pattern, request in parts:
            tell(WORN, pattern, owner.pk, _garments(wearable, request))
    return look


def _garments(wearable: Photo | Garment, request: OverlayRequest) -> list[str]:
    """What wears a pattern: the default garment, or the kinds of cloth that are chosen of a photo."""
    if isinstance(wearable, Garment):
        return [wearable.slug]
    return [name.rpartition("-")[0] if name[-1].isdigit() else name for name in request.garments or wearable.classes]


def _keep(owner: User, patterns: list[Pattern]) -> None:
    """What one wears stays.  Raises :class:`BadInput` where one of them has gone meanwhile."""
    own = {pattern.pk for pattern in patterns if pattern.owner_id == owner.pk}
    if pattern_services.keep(owner, own) != len(own):
        raise BadInput(pattern_services.GONE)
