"""Looks, and what everybody may see."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from ml_backend.errors import BadInput, quoted
from ml_backend.requests import OutfitRequest, OverlayRequest
from ml_backend.serving import jobs
from patterns.models import Pattern

from ..models import Garment, Imagining, Look, LookPart, Photo, Restyle, User

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
    outfit = OutfitRequest(tuple(request for _, request in parts))
    needed = [pattern.job for pattern, _ in parts if not pattern.ready]
    if isinstance(wearable, Photo) and (not wearable.ready or wearable.mending):
        needed.append(wearable.job)
    with transaction.atomic():
        look = Look(
            owner=owner,
            photo=wearable if isinstance(wearable, Photo) else None,
            garment=wearable if isinstance(wearable, Garment) else None,
            format=format,
        )
        look.job = jobs.submit(owner, "wear", {"look": str(look.pk), **outfit.to_dict()}, after=needed)
        look.save()
        LookPart.objects.bulk_create(
            LookPart(look=look, place=place, pattern=pattern, params=request.to_dict())
            for place, (pattern, request) in enumerate(parts)
        )
    return look


def publish(made: Look | Restyle | Imagining, public: bool) -> None:
    """Show in the gallery to everybody, or to its owner only; what staff took down stays so."""
    if public and not made.ready:
        what = "look" if isinstance(made, Look) else "picture"
        raise BadInput(f"This {what} is still being made; try again in a moment.")
    made.show(public)
