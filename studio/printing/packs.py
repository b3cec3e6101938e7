"""Tech packs of stored fabrics: the garments dressed, what is told gathered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from ml_backend.errors import BadInput
from ml_backend.printing.painting import painted
from ml_backend.printing.plan import MAX_COLOURWAYS
from ml_backend.requests import OutfitRequest, OverlayRequest
from ml_backend.serving import jobs
from patterns.models import Pattern
from patterns.passport import passport
from patterns.templatetags.cloth import colour_words, seeds, titled

from ..photos.fitting import fitted
from ..photos.models import Garment
from .designs import to_print
from .models import Print
from .requests import PackRequest
from .services import colourways_of, ways_called

TILE_PX = 1024
"""Side of the tile that garments wear."""
BACK = "-back"
"""The end of the slug of a garment's back, where one is photographed."""


def write(
    path: Path, row: Print, pattern: Pattern, report: jobs.Report, should_stop: jobs.ShouldStop
) -> dict[str, Any]:
    """The pages; what they hold is the answer."""
    from PIL import Image

    from ml_backend.printing.tech_pack import Pack, Way, write_pack

    request = PackRequest.from_dict(row.params)
    report(0.02, "Looking out the inks")
    design = to_print(pattern, request.repeat).at(TILE_PX)
    tile = Image.fromarray(painted(design, TILE_PX))
    flats = _flats(request, tile, report, should_stop)
    others = colourways_of(row, pattern)[: MAX_COLOURWAYS - 1]
    ways = [pattern, *others]
    stamps = passport([pattern])
    pack = Pack(
        name=_named(pattern),
        line=f"in {colour_words(pattern)}" if pattern.colours else pattern.engine,
        repeat=request.repeat,
        scale_cm=request.scale_cm,
        ways=[Way(name, tuple(one.palette)) for name, one in zip(ways_called(ways), ways, strict=True)],
        flats=flats,
        notes=request.notes,
        recipe=recipe_rows(pattern),
        models=[(one.reference, one.does, one.licence) for one in stamps.stamps],
        warnings=stamps.warnings,
        address=settings.SITE_URL + reverse("pattern", args=[pattern.pk]),
        date=f"{timezone.now():%-d %B %Y}",
    )
    pages = write_pack(path, pack, design, lambda share, stage: report(0.7 + 0.3 * share, stage), should_stop)
    return {"pages": pages, "colourways": len(pack.ways), "flats": len(flats), "models": stamps.told()}


def _named(pattern: Pattern) -> str:
    name = titled(pattern).split(" in ")[0]
    return name if pattern.photographed else f"{name} {pattern.seed}"


def _flats(request: PackRequest, tile: Any, report: jobs.Report, should_stop: Callable[[], bool]) -> list[Any]:
    """Each garment from the front, and from the back where it is photographed from there."""
    from ml_backend.pipelines import overlay
    from ml_backend.printing.tech_pack import Flat

    wanted = [slug + end for slug in request.garments for end in ("", BACK)]
    there = Garment.objects.in_bulk(wanted, field_name="slug")
    if not there:
        raise BadInput("These garments are not there any more. Choose another one.")
    worn = [there[slug] for slug in wanted if slug in there]
    outfit = OutfitRequest((OverlayRequest(scale_cm=request.scale_cm, repeat=request.repeat),))
    flats = []
    for number, garment in enumerate(worn):
        first = 0.05 + 0.65 * number / len(worn)
        report(first, f"Dressing the {garment.name.lower()}")
        photo, fit = fitted(garment)
        picture = overlay.dress(photo, fit, [tile], outfit, None, should_stop)
        front, side = garment.slug.removesuffix(BACK), "back" if garment.slug.endswith(BACK) else "front"
        flats.append(Flat(f"{there[front].name}, {side}", picture))
    return flats


def recipe_rows(pattern: Pattern) -> list[tuple[str, str]]:
    """The recipe in words, without what is not said; of a photographed cloth how it was cut, for it has no seed."""
    if pattern.photographed:
        return [
            ("Made", "of a photographed cloth"),
            ("Cut", seeds(pattern)),
            ("Repeat", pattern.repeat + (", seams mended" if pattern.mended else "")),
            ("Tile, pixels", str(pattern.size)),
            ("Colours", ", ".join(pattern.palette)),
        ]
    names = {"pattern_type": "Type", "engine": "Made", "seed": "Seed", "size": "Tile, pixels", "palette": "Colours"}
    rows = []
    for name, value in pattern.request.to_dict().items():
        if value in (None, "", 0.0, []) and name != "seed":
            continue
        told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        rows.append((names.get(name, name.replace("_", " ").capitalize()), told))
    return rows
