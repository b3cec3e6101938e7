"""What lies on the Restyle page's table, read from its address: a picture, its mask, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ml_backend.requests import ImagineRequest, RestyleRequest
from ml_backend.serving import registry
from patterns.made import Viewer
from patterns.templatetags.cloth import described_look

from .. import batches
from ..answers import retired_but_kept, say_if_retired
from ..imagine.models import Imagining
from ..looks.models import Look
from ..photos.models import Garment, Mask, Photo
from ..photos.services import garment_of
from . import forms as restyling
from .models import Restyle
from .services import words_for

Source = Photo | Look | Restyle | Imagining | Garment


@dataclass(frozen=True)
class Batch(batches.Batch[Restyle]):
    """One photo repainted several times."""

    @property
    def photo(self) -> Photo:
        return self.first.photo

    @property
    def request(self) -> RestyleRequest | ImagineRequest:
        return self.first.request


@dataclass(frozen=True)
class Table:
    """``source`` is what is to be restyled; ``mask`` what is marked in it; ``batch`` the pictures shown below."""

    kind: str
    source: Source | None
    mask: Mask | None
    batch: Batch | None
    params: dict[str, Any]

    @property
    def photo(self) -> Photo | None:
        return self.source if isinstance(self.source, Photo) else None

    @property
    def name(self) -> str:
        """How forms and addresses name the source."""
        return str(self.source.slug if isinstance(self.source, Garment) else self.source.pk) if self.source else ""

    @property
    def image_url(self) -> str:
        return picture_of(self.source) if self.source else ""

    @property
    def alt(self) -> str:
        source = self.source
        if isinstance(source, Garment):
            return source.alt or source.name
        if isinstance(source, Look):
            return described_look(source)
        if isinstance(source, Restyle | Imagining):
            return source.prompt
        return "Your photo"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        if self.source is None:
            return 0, 0
        sized = self.source.wearable if isinstance(self.source, Look) else self.source
        return sized.width, sized.height

    @property
    def cloth_url(self) -> str:
        """The mask of all cloth, where it was found; empty otherwise."""
        return self.source.url_of("mask") if isinstance(self.source, Photo | Garment) else ""

    @property
    def garment(self) -> Garment | None:
        """The default garment that it shows, whose cloth is known."""
        if isinstance(self.source, Garment):
            return self.source if self.source.ready else None
        return garment_of(self.source) if isinstance(self.source, Photo) else None

    @property
    def region(self) -> str:
        """The words to begin with: those of the mask, else what one would call the garment."""
        if self.mask is not None:
            return self.mask.words
        return words_for(self.garment) if self.garment else ""

    def to_json(self) -> dict[str, Any]:
        """What the page's script starts from."""
        width, height = self.size
        return {
            "source": {
                "kind": self.kind,
                "id": self.name,
                "image": self.image_url,
                "alt": self.alt,
                "width": width,
                "height": height,
                "cloth": self.cloth_url,
                "known": self.mask is None and self.garment is not None,
            }
            if self.source
            else None,
            "mask": {"id": str(self.mask.pk), "url": self.mask.file_url} if self.mask and self.mask.ready else None,
        }


def read(request: HttpRequest) -> Table:
    """The table of this address; unknown, invisible or malformed values fall back to what is there."""
    query, person = request.GET, request.user
    if remixed := Restyle.objects.visible_to(person).select_related("photo", "mask").named(query.get("remix")):
        return _remixed(request, remixed)
    batch = batch_of(request, query.get("batch"))
    mask = Mask.objects.visible_to(person).select_related("photo", "job").named(query.get("mask"))
    params = {**batch.request.to_dict(), "count": len(batch.pictures)} if batch else {}
    if batch:
        mask = mask if mask and mask.photo_id == batch.photo.pk else batch.pictures[0].mask
        return Table("photo", batch.photo, mask, batch, _again(params))
    if mask:
        return Table("photo", mask.photo, mask, None, {})
    kind, source = _asked(request)
    return Table(kind, source, None, None, {})


def _again(params: dict[str, Any]) -> dict[str, Any]:
    """Pictures that are there leave the form open for others: the seed was chosen by chance and is not kept."""
    model = retired_but_kept("restyle", params["engine"], params.get("model") or "") if params else ""
    return {name: value for name, value in params.items() if name != "seed"} | {"model": model}


def _remixed(request: HttpRequest, made: Restyle) -> Table:
    """Everything as it was; of somebody else's published picture, the picture itself and the words."""
    params = {**made.params, "count": 1, "model": say_if_retired(request, "restyle", made)}
    if made.owner_id == request.user.pk:
        return Table("photo", made.photo, made.mask, batch_of(request, str(made.batch)), params)
    return Table("restyle", made, None, None, params)


def batch_of(request: HttpRequest, text: str | None) -> Batch | None:
    """A batch of one's own, or None."""
    try:
        pk = uuid.UUID(text or "")
    except ValueError:
        return None
    rows = Restyle.objects.of(request.user).filter(batch=pk).select_related("job", "photo", "mask").order_by("number")
    pictures = tuple(rows)
    return Batch(pk, pictures) if pictures else None


def rows_of(request: HttpRequest, kind: str) -> Any:
    """What of ``kind`` this person may put on the table."""
    if kind == "garment":
        return Garment.objects.all()
    if kind == "photo":
        return Photo.objects.visible_to(request.user)
    models = {"look": Look, "restyle": Restyle, "imagining": Imagining}
    return models[kind]._default_manager.visible_to(request.user).exclude(file="")  # type: ignore[attr-defined]


def picture_of(source: Source) -> str:
    """Address of its picture at full size."""
    return source.image_url if isinstance(source, Photo | Garment) else source.file_url


def _asked(request: HttpRequest) -> tuple[str, Source | None]:
    for kind in restyling.SOURCES:
        text = request.GET.get(kind)
        found = _by_slug(text) if kind == "garment" else rows_of(request, kind).named(text)
        if found is not None:
            return kind, found
    if newest := Photo.objects.visible_to(request.user).first():
        return "photo", newest
    return "garment", Garment.favoured({garment.slug: garment for garment in Garment.objects.all()})


def _by_slug(text: str | None) -> Garment | None:
    return Garment.objects.filter(slug=text).first() if text else None


def offered_loras(person: Viewer) -> Sequence[str]:
    """LoRAs that fit the model that repaints, the person's own among them."""
    return tuple(registry.loras("restyle", person))
