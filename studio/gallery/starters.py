"""What a fresh installation shows at once: default garments and a small gallery of sample patterns.

Both loaders are idempotent: what is there and unchanged is left alone, so a second start costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import Image

import ml_backend
from ml_backend import garments
from ml_backend.errors import BadPackage
from ml_backend.inks import PALETTES
from ml_backend.requests import GenerateRequest
from ml_backend.serving import loading, registry
from ml_backend.serving.storage import delete_after_commit, delete_files
from patterns import cutting, services
from patterns.models import Pattern

from ..account.models import User
from ..photos.models import Garment

GARMENTS = garments.ROOT
SAMPLES = Path(__file__).resolve().parent / "samples.json"
CARD_SIDE = 240
"""Longer side, in pixels, of a garment's thumbnail: twice what its card in the strip takes."""
GARMENT_SIDE = 960
"""Longer side of a default garment's preview, which the first view of everybody loads."""
HOUSE = "toile"
"""The person who owns the sample gallery; nobody can sign in as it."""


# --- garments -----------------------------------------------------------------------------------------------------


def load_garments(folder: Path = GARMENTS) -> int:
    """Load each ``<slug>/`` that has a ``meta.json`` and is new or changed; how many were.

    They are measured side by side: the first start waits for it, and encoders use every core they are given.
    """
    changed = [meta.parent for meta in sorted(folder.glob("*/meta.json")) if not _is_loaded(meta.parent)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for garment in pool.map(_measured, changed):
            _store(garment)
    return len(changed)


def load_garment(folder: Path) -> bool:
    """Load a garment from ``photo.*``, ``mask.png``, ``labels.png`` and ``meta.json`` (name, order, alt, px_per_cm)."""
    if _is_loaded(folder):
        return False
    _store(_measured(folder))
    return True


def _is_loaded(folder: Path) -> bool:
    return Garment.objects.filter(slug=folder.name, source=_digest(folder)).exists()


@dataclass(frozen=True)
class _Measured:
    """A garment ready to be stored: what its folder says, its files by field, the figures of its fit."""

    slug: str
    digest: str
    about: dict[str, Any]
    size: tuple[int, int]
    names: dict[str, str]
    files: dict[str, bytes]
    figures: dict[str, Any]


def _measured(folder: Path) -> _Measured:
    from ml_backend.pipelines import overlay

    from .. import pictures

    about = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    path = next(folder.glob("photo.*"))
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    fit = overlay.measured(folder, photo, about.get("px_per_cm"))
    files, figures = pictures.fitted_files(photo, fit, GARMENT_SIDE)
    files |= {"image": path.read_bytes(), "thumb": pictures.thumb(photo, CARD_SIDE)}
    names = {**pictures.SUFFIXES, "image": path.name, "thumb": "thumb.webp"}
    return _Measured(folder.name, _digest(folder), about, photo.size, names, files, figures)


def _store(found: _Measured) -> None:
    garment = Garment.objects.filter(slug=found.slug).first() or Garment(slug=found.slug)
    about, keys = found.about, list[str]()
    try:
        with transaction.atomic():
            delete_after_commit(garment, Garment.file_fields)
            for field, content in found.files.items():
                name = f"{garment.folder}/{found.digest[:12]}-{found.names[field]}"
                keys.append(default_storage.save(name, ContentFile(content)))
                setattr(garment, field, keys[-1])
            garment.name = about.get("name") or found.slug.replace("-", " ").title()
            garment.order = int(about.get("order", 0))
            garment.alt = about.get("alt", "")
            garment.cut, garment.side = about.get("cut", found.slug), about.get("side", Garment.Side.FRONT)
            garment.wearer = about.get("wearer", Garment.Wearer.EVERYBODY)
            garment.width, garment.height = found.size
            garment.fit, garment.classes, garment.source = found.figures, found.figures["classes"], found.digest
            garment.save()
    except BaseException:
        delete_files(keys)
        raise


def _digest(folder: Path) -> str:
    """Of every file of the garment and of the code that loads it (found, not imported: a start must be quick)."""
    digest = hashlib.sha256()
    measuring = (Path(ml_backend.__file__).parent / "pipelines" / "overlay").glob("*.py")
    loading = (Path(__file__), Path(__file__).parents[1] / "pictures.py")
    of_the_garment = sorted(path for path in folder.iterdir() if path.is_file())
    for path in (*of_the_garment, *sorted(measuring), *loading):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


# --- the sample gallery -------------------------------------------------------------------------------------------


def load_samples(path: Path = SAMPLES) -> int:
    """Make the public patterns listed in ``path`` that are not there yet; how many were made.

    A dreamed sample is made again when another starter model has taken the place of the one that made it; without any
    model only the drawn ones are made.
    """
    house = house_person()
    made = 0
    for request in _samples(path):
        known = Pattern.objects.filter(
            owner=house, parent=None, pattern_type=request.pattern_type, seed=request.seed, engine=request.engine
        )
        if known.filter(model=request.model or "").ready().exists():
            continue
        _make_sample(house, request)
        known.exclude(model=request.model or "").delete()
        made += 1
    return made


def house_person() -> User:
    house, created = User.objects.get_or_create(username=HOUSE, defaults={"is_active": False})
    if created:
        house.set_unusable_password()
        house.save()
    if not house.public_name and not User.objects.filter(public_name__iexact=HOUSE).exists():
        house.public_name = HOUSE.title()
        house.save(update_fields=["public_name"])
    return house


def _samples(path: Path) -> Iterator[GenerateRequest]:
    """The listed requests, the model filled in; the last one is the newest and is shown first."""
    try:
        dreams = registry.serving("generate").manifest.reference
    except BadPackage:
        dreams = None
    for entry in json.loads(path.read_text(encoding="utf-8")):
        palette = entry.pop("palette", None)
        dreamed = entry["engine"] != "drawn"
        if dreamed and dreams is None:
            continue
        yield GenerateRequest(
            **entry, palette=PALETTES[palette] if palette else None, model=dreams if dreamed else None
        )


def _make_sample(house: User, request: GenerateRequest) -> None:
    pipeline = loading.pipeline("draw" if request.engine == "drawn" else "generate")
    fabric = pipeline(request)
    row = Pattern(
        owner=house,
        pattern_type=request.pattern_type,
        seed=request.seed,
        engine=request.engine,
        palette=list(fabric.palette),
        size=request.size,
        model=fabric.model or "",
        public=True,
    )
    services.store(row, cutting.cut(fabric.inks, fabric.palette, row.recipe()))
