"""Looks, and what everybody may see."""

from __future__ import annotations

from django.db import transaction

from ml_backend import jobs
from ml_backend.errors import BadInput, quoted
from ml_backend.requests import OverlayRequest
from patterns.models import Pattern

from ..models import Garment, Imagining, Look, Photo, Restyle, User


def ask_look(
    owner: User, pattern: Pattern, wearable: Photo | Garment, request: OverlayRequest, format: str = Look.Format.PNG
) -> Look:
    """A look, queued to be rendered at full size; it waits for a pattern or photo that is still in work."""
    if format not in Look.Format.values:
        raise BadInput(f"A look can be saved as PNG or JPEG, not as {quoted(format)}.")
    needed = [] if pattern.ready else [pattern.job]
    if isinstance(wearable, Photo) and not wearable.ready:
        needed.append(wearable.job)
    with transaction.atomic():
        look = Look(
            owner=owner,
            pattern=pattern,
            photo=wearable if isinstance(wearable, Photo) else None,
            garment=wearable if isinstance(wearable, Garment) else None,
            params=request.to_dict(),
            format=format,
        )
        look.job = jobs.submit(owner, "wear", {"look": str(look.pk), **request.to_dict()}, after=needed)
        look.save()
    return look


def publish(made: Look | Restyle | Imagining, public: bool) -> None:
    """Show in the gallery to everybody, or to its owner only; what staff took down stays so."""
    if public and not made.ready:
        what = "look" if isinstance(made, Look) else "picture"
        raise BadInput(f"This {what} is still being made; try again in a moment.")
    made.show(public)
