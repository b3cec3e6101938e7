"""What the workspace shows, read from its address: everything that a refresh or a second tab must find again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from django.http import HttpRequest, QueryDict

from ml_backend.inks import PALETTES, fit_palette
from ml_backend.requests import ENGINES, MAX_INKS, MIN_INKS, PATTERN_TYPES, SUBTYPE_NAMES, OverlayRequest, engine_of
from ml_backend.words.wardrobe import WARDROBE
from patterns.models import Pattern
from patterns.templatetags.cloth import seeds, worn_name

from .. import outfits
from ..gallery import window
from ..looks.forms import FitForm
from ..looks.models import Look
from ..photos.models import Garment, Photo
from .forms import DEFAULT_ENGINE

GARMENT_STEP = 32
"""What a garment's value in a label map is times in a preview that does not say."""
FIT_FIELDS = tuple(FitForm.base_fields)


@dataclass(frozen=True)
class Workspace:
    """``pattern`` may still be in work; ``shown`` is the one on the stage meanwhile.

    ``fit`` names the chosen garments; with ``bare`` they are as photographed.  ``others`` are the other garments of the
    outfit, each part with its pattern.
    """

    pattern: Pattern | None
    shown: Pattern | None
    photo: Photo | None
    garment: Garment | None
    look: Look | None
    fit: OverlayRequest
    bare: bool
    others: tuple[tuple[Pattern, OverlayRequest], ...]
    pattern_type: str
    subtype: str
    engine: str
    palette: str
    query: QueryDict
    """The address with everything said that a look in it, or a photo that is opened, stands for."""
    stand_in: str = ""
    """A sentence for a remix that cannot be worn as it was."""

    @property
    def wearable(self) -> Photo | Garment | None:
        return self.photo or self.garment

    @property
    def worn_classes(self) -> list[str]:
        """Garments that the picture holds, largest first."""
        return self.wearable.classes if self.wearable else []

    @property
    def wear(self) -> list[str]:
        """The other parts as an address and a form tell them."""
        return [outfits.written(outfits.Worn(pattern.pk, request)) for pattern, request in self.others]

    def to_json(self) -> dict[str, Any]:
        """What the page's script starts from."""
        awaited = str(self.pattern.pk) if self.pattern and not self.pattern.ready and self.pattern.job else None
        return {
            "pattern": _pattern_json(self.shown) if self.shown else None,
            "awaited": awaited,
            "fit": self.fit.to_dict(),
            "bare": self.bare,
            "others": [
                {"garments": list(request.garments), "pattern": _pattern_json(pattern), "fit": request.to_dict()}
                for pattern, request in self.others
            ],
            "worn": _worn_json(self.photo, self.garment),
        }


def read(request: HttpRequest) -> Workspace:
    """The workspace of this address; unknown, invisible or malformed values fall back to what is there."""
    query = request.GET
    look = Look.objects.visible_to(request.user).select_related("job").with_parts().named(query.get("look"))
    parts = _parts(request, look)
    bare = query.get("pattern") == outfits.NONE
    pattern = Pattern.objects.visible_to(request.user).named(query.get("pattern"))
    if not pattern and not bare and parts:
        pattern = parts[0][0]
    photo, garment, stands_in = _worn(request, look)
    shown = pattern if pattern and pattern.ready else _newest(request)
    asked = pattern or shown
    fit = _fit(query, parts[0][1] if parts else None, photo, garment)
    if shown and "repeat" not in query and not parts:
        fit = replace(fit, repeat=shown.repeat)
    others = _others(request, parts, fit, photo or garment)
    return Workspace(
        pattern=asked,
        shown=shown,
        photo=photo,
        garment=garment,
        look=look if look and look.owner_id == request.user.pk else None,
        fit=fit,
        bare=bare,
        others=others,
        pattern_type=_one_of(query.get("type"), PATTERN_TYPES) or (asked.pattern_type if asked else PATTERN_TYPES[0]),
        subtype=_subtype_of(query, asked),
        engine=_one_of(engine_of(query.get("engine")), ENGINES) or _engine_of(request, pattern or shown),
        palette=_named_palette(asked),
        query=_told(query, fit, others) if parts or photo else query,
        stand_in=_said(garment if stands_in else None, pattern) if look else "",
    )


@dataclass(frozen=True)
class NamedPalette:
    """A palette of the page; ``fitted`` is what it becomes on 4, 5 and 6 inks."""

    name: str
    colours: tuple[str, ...]

    @property
    def value(self) -> str:
        return ",".join(self.colours)

    @cached_property
    def fitted(self) -> str:
        return ";".join(",".join(fit_palette(self.colours, count)) for count in range(MIN_INKS, MAX_INKS + 1))


@cache
def named_palettes() -> tuple[NamedPalette, ...]:
    return tuple(NamedPalette(name, colours) for name, colours in PALETTES.items())


def _worn(request: HttpRequest, look: Look | None) -> tuple[Photo | None, Garment | None, bool]:
    """What wears the fabric, and whether a garment stands in for a photo that is somebody else's."""
    photo = Photo.objects.visible_to(request.user).named(request.GET.get("photo"))
    if photo:
        return photo, None, False
    garments = {garment.slug: garment for garment in Garment.objects.all()}
    if (slug := request.GET.get("on", "")) in garments:
        return None, garments[slug], False
    if look and look.photo and look.photo.owner_id == request.user.pk:
        return look.photo, None, False
    if look and look.garment:
        return None, look.garment, False
    if look and look.photo:
        return None, _of_that_kind(look, garments), True
    return None, window.garment(garments), False


def _of_that_kind(look: Look, garments: dict[str, Garment]) -> Garment | None:
    """The default garment most like what wore the fabric in a photo: the first of its garments that there is."""
    photographed = look.photo.classes if look.photo else []
    for name in [name for one in look.outfit.parts for name in one.garments] or photographed:
        slugs = [slug for slug, garment in garments.items() if name in garment.classes and not garment.is_back]
        slugs += [form.slug for form in WARDROBE if form.garment_class == name and form.slug in garments]
        if slugs:
            return garments[name if name in slugs else slugs[0]]
    return window.garment(garments)


def _said(stand_in: Garment | None, pattern: Pattern | None) -> str:
    """What of a remix is not as it was."""
    said = []
    if stand_in is not None:
        name = stand_in.name.lower()
        said.append(f"This look was worn on somebody’s own photo, which stays theirs; here our {name} wears it.")
    if pattern is None:
        said.append("Its fabric is not published, so another one is on the stage.")
    return " ".join(said)


Part = tuple[Pattern | None, OverlayRequest]
"""What some garments wear; None is a pattern that is gone or not to be seen."""


def _parts(request: HttpRequest, look: Look | None) -> list[Part]:
    """What ``look`` wears, as far as this person may see it."""
    if look is None:
        return []
    seen = Pattern.objects.visible_to(request.user).select_related("job")
    patterns = seen.in_bulk([pattern.pk for pattern in look.patterns])
    return [(patterns.get(part.pattern_id), part.request) for part in look.parts.all()]


def _others(
    request: HttpRequest, parts: list[Part], fit: OverlayRequest, worn: Photo | Garment | None
) -> tuple[tuple[Pattern, OverlayRequest], ...]:
    """The parts of the outfit but the chosen one: those of the address, or else those of the look that it names."""
    texts = request.GET.getlist("wear")
    if not texts:
        texts = [outfits.written(outfits.Worn(pattern.pk, one)) for pattern, one in parts[1:] if pattern]
    if not texts or not fit.garments or worn is None:
        return ()
    known = outfits.apart(texts, fit.garments, worn.classes)
    seen = Pattern.objects.visible_to(request.user).select_related("job")
    patterns = seen.in_bulk([one.pattern for one in known])
    return tuple((patterns[one.pattern], one.request) for one in known if one.pattern in patterns)


def _fit(query: QueryDict, kept: OverlayRequest | None, photo: Photo | None, garment: Garment | None) -> OverlayRequest:
    """How the chosen garments wear it: what the address says goes before what was ``kept`` with a look."""
    known = kept.to_dict() if kept else {}
    data = QueryDict(mutable=True)
    for name in FIT_FIELDS:
        values = query.getlist(name) if name in query else known.get(name, [])
        data.setlist(name, [str(value) for value in (values if isinstance(values, list | tuple) else [values])])
    data.setlist("garments", _garments(query, known, photo, garment))
    return FitForm(data).request()


def _garments(query: QueryDict, known: dict[str, Any], photo: Photo | None, garment: Garment | None) -> list[str]:
    """The garments that are chosen; empty means all the cloth.

    A photo that is opened has its largest garment chosen.  Addresses of before that was so name a pattern and no
    garments, and mean all of them, as they always did.
    """
    worn = photo or garment
    present = worn.classes if worn else []
    if "garments" in query:
        asked = query.getlist("garments")
    elif known:
        asked = known["garments"]
    else:
        opened = photo is not None and "pattern" not in query
        asked = [outfits.FIRST] if opened else []
    if outfits.EVERYTHING in asked:
        return []
    left = [name for name in asked if name in present or (not present and name in outfits.GARMENT_NAMES)]
    return left or (present[:1] if photo and asked else [])


def _told(query: QueryDict, fit: OverlayRequest, others: tuple[tuple[Pattern, OverlayRequest], ...]) -> QueryDict:
    """``query`` saying itself what is worn, and no longer by the look that it names or by leaving it out."""
    told = query.copy()
    told.pop("look", None)
    told.update({name: value for name, value in outfits.fit_words(fit).items() if name not in query})
    if "garments" not in query:
        told.setlist("garments", list(fit.garments) or [outfits.EVERYTHING])
    told.setlist("wear", [outfits.written(outfits.Worn(pattern.pk, request)) for pattern, request in others])
    return told


def _newest(request: HttpRequest) -> Pattern | None:
    """One's own newest fabric; before the first, what is in the window."""
    return Pattern.objects.of(request.user).at_hand().ready().first() or window.fabric()


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    return str(value) if value in allowed else ""


def _subtype_of(query: QueryDict, asked: Pattern | None) -> str:
    """The design that the address names, else the fabric's own unless another type is asked for."""
    named = _one_of(query.get("subtype"), SUBTYPE_NAMES)
    if named or asked is None:
        return named
    return asked.subtype if query.get("type", asked.pattern_type) == asked.pattern_type else ""


def _engine_of(request: HttpRequest, chosen: Pattern | None) -> str:
    """How the fabric that was asked for, or one's own, is made; a sample that only fills the stage decides nothing."""
    if chosen is None:
        return DEFAULT_ENGINE
    asked_for = "pattern" in request.GET or "look" in request.GET
    return chosen.engine if asked_for or chosen.owner_id == request.user.pk else DEFAULT_ENGINE


def _named_palette(pattern: Pattern | None) -> str:
    """The palette's value in the form, where the pattern wears one of the named ones."""
    mine = tuple(pattern.palette) if pattern else ()
    if len(mine) < MIN_INKS:
        return ",".join(mine)
    for colours in PALETTES.values():
        if mine == fit_palette(colours, len(mine)):
            return ",".join(colours)
    return ""


def _pattern_json(pattern: Pattern) -> dict[str, Any]:
    return {
        "id": str(pattern.pk),
        "tile": pattern.web_url,
        "file": pattern.tile_url,
        "inks": pattern.inks_url if pattern.inks else "",
        "type": pattern.pattern_type,
        "subtype": pattern.subtype,
        "engine": pattern.engine,
        "seed": pattern.seed,
        "seeds": seeds(pattern),
        "model": pattern.model,
        "palette": pattern.palette,
        "repeat": pattern.repeat,
        "mended": pattern.mended,
    }


def _worn_json(photo: Photo | None, garment: Garment | None) -> dict[str, Any] | None:
    worn = photo or garment
    if worn is None:
        return None
    preview = worn.preview()
    return {
        "kind": "photo" if photo else "garment",
        "id": str(photo.pk) if photo else str(garment.slug if garment else ""),
        "name": worn_name(worn),
        "image": worn.image_url,
        "photo": preview.get("preview_photo", ""),
        "maps": preview.get("preview_maps", ""),
        "mask": preview.get("preview_mask", ""),
        "pxPerCm": preview.get("px_per_cm", 0),
        "classes": worn.classes,
        "mended": photo.mended if photo else False,
        "step": preview.get("garment_step", GARMENT_STEP),
        "turned": garment.turned if garment else "",
        "pairs": bool(preview.get("pairs")),
    }
