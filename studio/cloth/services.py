"""What a person does with a photo of a cloth.  Every function raises :class:`BadInput` with a sentence for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from ml_backend.images import encoded
from ml_backend.pipelines.cloth import Looked, look, outlines, tile_of
from ml_backend.requests import PHOTOGRAPHED, ClothRequest, Request
from ml_backend.serving import jobs
from ml_backend.serving.storage import kept_together
from patterns.models import Pattern

from .. import pictures
from ..account.models import User
from ..photos.ingest import opened
from .models import ClothPhoto

LOOKING_SIDE = 512
"""Pixels at which a page looks for the repeat: half of what it is cut at, a quarter of the time."""
SHOWN_SIDE = 150
"""Pixels of one tile of the nine that are shown."""
UNSURE = 0.35


@dataclass(frozen=True)
class ClothOrder(Request):
    """Which photo a fabric is cut from."""

    photo: str


@dataclass(frozen=True)
class Found:
    """What a page tells of a cloth: ``width`` and ``height`` of the repeat in pixels at the size it is cut at, its
    place in the photo as points of polygons, and a sentence.
    """

    width: float
    height: float
    polygons: list[str]
    said: str
    counts: tuple[int, int]


def add_cloth(owner: User, upload: UploadedFile[Any]) -> ClothPhoto:
    """The normalised photo, saved; decoded in a process of its own as every upload is."""
    decoded = opened(upload, owner)
    row = ClothPhoto(owner=owner, width=decoded.width, height=decoded.height, params=ClothRequest().to_dict())
    with kept_together(owner.pk) as keep:
        row.image = keep(f"{row.folder}/image.{decoded.suffix}", decoded.image)
        row.thumb = keep(f"{row.folder}/thumb.webp", decoded.thumb)
        row.save()
    return row


def looked(row: ClothPhoto, request: ClothRequest) -> Looked:
    return look(pictures.load(str(row.image), "RGB"), request, LOOKING_SIDE)


def found(row: ClothPhoto, request: ClothRequest) -> Found:
    """The repeat of ``row`` as ``request`` has it."""
    seen = looked(row, request)
    width, height = (round(side, 1) for side in seen.period)
    polygons = [
        " ".join(f"{x * row.width:.1f},{y * row.height:.1f}" for x, y in points) for points in outlines(seen, request)
    ]
    return Found(width, height, polygons, _said(seen, request), seen.counts)


def _said(seen: Looked, request: ClothRequest) -> str:
    repeat = seen.repeat
    if request.period is not None:
        return "The repeat is the one that you set."
    if repeat.kind == "none":
        asked = "As you asked, a" if request.whole_piece else "No repeat was found, so a"
        return f"{asked} piece is taken and its edges are joined."
    what = "Stripes were found" if repeat.kind == "stripes" else "A repeat was found"
    sure = "; look whether it is right, or set it yourself." if repeat.confidence < UNSURE else "."
    return what + sure


def nine(row: ClothPhoto, request: ClothRequest) -> bytes:
    """Three by three tiles as a WebP, in the cloth's own colours, its inks not parted yet."""
    from PIL import Image

    tile, _ = tile_of(looked(row, request), SHOWN_SIDE)
    one = Image.fromarray(tile.astype("uint8"))
    wall = Image.new("RGB", (3 * SHOWN_SIDE, 3 * SHOWN_SIDE))
    for x in range(3):
        for y in range(3):
            wall.paste(one, (x * SHOWN_SIDE, y * SHOWN_SIDE))
    return encoded(wall, format="WEBP", quality=88, method=2)


def keep(row: ClothPhoto, request: ClothRequest) -> Pattern:
    """A fabric of this cloth, queued to be cut; private until its owner shows it."""
    fabric = Pattern(owner=row.owner, engine=PHOTOGRAPHED, pattern_type="abstract", seed=0, size=request.size)
    fabric.cloth = request.to_dict()
    with transaction.atomic():
        ClothPhoto.objects.filter(pk=row.pk).update(params=request.to_dict())
        order = ClothOrder(photo=str(row.pk))
        fabric.job = jobs.submit(row.owner, "cloth", order.to_dict(), queue=settings.MODEL_QUEUE)
        fabric.save()
    return fabric
