"""What a person does with colours.  Every function raises :class:`BadInput` with a sentence for the page."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.palettes import files
from ml_backend.palettes.extraction import Extracted, extract
from ml_backend.palettes.held import MAX_HELD, Held, worn_by
from patterns import services
from patterns.models import Pattern

from ..account.models import User
from ..photos import ingest
from ..workspace.services import same_colourway
from .models import SavedPalette

MAX_SAVED = 200
"""Palettes that one person keeps."""


def dye(owner: User, fabric: Pattern, palettes: Iterable[Sequence[str]]) -> list[Pattern]:
    """Colourways of ``fabric``, one for each palette, ready at once; one that the person has already is that one.

    A palette of more colours than the fabric has inks is worn as far as these go.
    """
    if not fabric.ready:
        raise BadInput(services.NOT_READY)
    inks = len(fabric.palette)
    worn = dict.fromkeys(worn_by(tuple(colours), inks) for colours in palettes)
    with transaction.atomic():
        return [same_colourway(owner, fabric, one) or services.recolour(owner, fabric, one) for one in worn]


def colours_of_mood(owner: User, upload: UploadedFile[Any]) -> Extracted:
    """The colours of a picture that somebody sends; nothing of the picture is kept."""
    with Image.open(io.BytesIO(ingest.opened(upload, owner).thumb)) as small:
        return extract(np.asarray(small.convert("RGB")), MAX_HELD)


def save(owner: User, palette: Held) -> SavedPalette:
    """Keep a palette; the one that had this name before it makes room."""
    with transaction.atomic():
        mine = SavedPalette.objects.of(owner)
        before = mine.filter(name=palette.name)
        if not before and mine.count() >= MAX_SAVED:
            raise BadInput(f"You keep {MAX_SAVED} palettes already. Delete one, then save again.")
        before.delete()
        return SavedPalette.objects.create(
            owner=owner, name=palette.name, colours=list(palette.colours), names=list(palette.names)
        )


def read_upload(upload: UploadedFile[Any]) -> Held:
    """The palette in a file of some other program."""
    return files.read(upload.read(files.MAX_BYTES + 1), PurePath(upload.name or "").stem)
