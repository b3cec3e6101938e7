"""What a person has printed.  Every function raises :class:`BadInput` with a sentence for the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet

from ml_backend.errors import BadInput
from ml_backend.palettes.facts import called
from ml_backend.printing.plan import PrintRequest, can_press, title
from ml_backend.printing.press import MAX_BYTES, tried
from ml_backend.serving import jobs
from ml_backend.serving.storage import kept_together
from ml_backend.swatches import MAX_SIZE
from patterns.models import Pattern
from patterns.services import queue_for
from patterns.templatetags.cloth import colour_words

from ..account.models import User
from ..photos.models import Garment
from .models import PressProfile, Print
from .requests import PackRequest

MOST_PROFILES = 12
MORE_PROFILES = f"You keep {MOST_PROFILES} profiles already; delete one that you no longer need first."


def name_of(pattern: Pattern) -> str:
    """What files call a fabric."""
    number = pattern.pk.hex[:8] if pattern.photographed else pattern.seed
    return f"{pattern.subtype or pattern.pattern_type}-{number}"


def colourways_of(row: Print, pattern: Pattern) -> QuerySet[Pattern]:
    """The other colourways of a fabric that may be shown to the print's owner, the newest first."""
    return pattern.twins().filter(owner_id=row.owner_id).ready().exclude(pk=pattern.pk)


def ways_called(ways: Sequence[Pattern]) -> list[str]:
    """A name of its own for each colourway: ``Red and white``, or ``Red and white, rust`` by an ink it has alone."""
    plain = [words[:1].upper() + words[1:] for words in (colour_words(way) or way.palette[0] for way in ways)]
    names: list[str] = []
    for number, (way, name) in enumerate(zip(ways, plain, strict=True)):
        alike = [other.palette for other, words in zip(ways, plain, strict=True) if words == name and other != way]
        shades = dict.fromkeys(called(ink) for ink in way.palette if alike and all(ink not in other for other in alike))
        told = [f"{name}, {shade}" for shade in shades] if alike else [name]
        free = [one for one in told if one not in names]
        names.append(free[0] if free else f"{name} {number + 1}")
    return names


def held_by(pattern: Pattern, request: PrintRequest) -> int:
    """Pixels a side of real detail that a print of it will have, as far as can be told before it is made."""
    return max(pattern.size, min(request.repeat_px, MAX_SIZE) if pattern.engine == "drawn" else 0)


def ask_print(owner: User, pattern: Pattern, request: PrintRequest, profile: PressProfile | None = None) -> Print:
    """A print file, queued to be made; it waits for a fabric that is still in work."""
    if profile is not None:
        can_press(request)
    return _ask(
        Print(
            owner=owner,
            pattern=pattern,
            profile=profile,
            in_cmyk=profile is not None,
            title=title(name_of(pattern), request),
            params=request.to_dict(),
        )
    )


def ask_pack(owner: User, pattern: Pattern, request: PackRequest) -> Print:
    """A tech pack, queued to be made."""
    known = set(Garment.objects.filter(slug__in=request.garments).values_list("slug", flat=True))
    missing = [slug for slug in request.garments if slug not in known]
    if missing:
        raise BadInput("One of these garments is not there any more. Choose another one.")
    called = f"toile-{name_of(pattern)}-{request.repeat}-{request.scale_cm:g}cm-tech-pack"
    return _ask(Print(owner=owner, pattern=pattern, kind=Print.Kind.PACK, title=called, params=request.to_dict()))


def _ask(row: Print) -> Print:
    assert row.pattern is not None
    needed = [] if row.pattern.ready else [row.pattern.job]
    with transaction.atomic():
        row.job = jobs.submit(row.owner, row.kind, queue=queue_for("drawn"), after=needed)
        row.save()
    return row


def add_profile(owner: User, upload: UploadedFile[Any]) -> PressProfile:
    """A printer's profile, tried and kept; the same one again is the one that is there."""
    if upload.size is None or upload.size > MAX_BYTES:
        raise BadInput("This file is too large for a printer's profile; those have at most 8 MB.")
    data = upload.read()
    name = tried(data).name
    for known in PressProfile.objects.of(owner).filter(name=name):
        with known.file.open() as file:
            if file.read() == data:
                return known
    if PressProfile.objects.of(owner).count() >= MOST_PROFILES:
        raise BadInput(MORE_PROFILES)
    row = PressProfile(owner=owner, name=name)
    with kept_together(owner.pk) as keep:
        row.file.name = keep(f"{row.folder}/profile.icc", data)
        row.save()
    return row
