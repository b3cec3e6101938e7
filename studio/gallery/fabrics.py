"""The gallery of fabrics: everybody's published fabrics, one's own, and one's favourites; a page per fabric."""

from __future__ import annotations

import shlex
import uuid
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.images import encoded
from ml_backend.inks import compose, palette_from_seed
from ml_backend.palettes.facts import facts
from ml_backend.palettes.held import hex_colour
from ml_backend.requests import PATTERN_TYPES
from ml_backend.serving import registry
from ml_backend.swatches import TYPES
from ml_backend.swatches.drawing.tile import draw_inks
from patterns import services
from patterns.colours import BUCKETS
from patterns.htmx import is_htmx
from patterns.models import Favourite, Pattern, PatternQuerySet
from patterns.passport import passport
from patterns.templatetags.cloth import titled

from ..photos.models import Garment
from ..publishing import deleter, page_of, publisher

A_PAGE = 60
A_WEEK = "public, max-age=604800"
SAMPLE_SIDES = (128, 512)
"""Pixels of the pictures of pattern types: on buttons, and worn until the first fabric is made."""
WHOSE = ("public", "mine", "fresh", "favourites")


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """A dense wall; ``whose``, ``type``, ``colour``, ``near`` and ``page`` in the address, unknown values ignored.

    ``near`` is any colour: the fabrics that come nearest to it stand first.
    """
    whose = _known(request, "whose", WHOSE) or "public"
    kind = _known(request, "type", PATTERN_TYPES)
    colour = _known(request, "colour", tuple(BUCKETS))
    rows = _of(request, whose)
    if kind:
        rows = rows.filter(pattern_type=kind)
    if colour:
        rows = rows.coloured(colour)
    near = _near(request)
    liked = _with_likes(rows, request).select_related("owner")
    shown: Any = liked.nearest(near) if near else liked
    page = Paginator(shown, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "whose": whose,
        "kind": kind,
        "colour": colour,
        "near": facts(near) if near else None,
        "room": "gallery",
        "wall": "fabrics",
        "pattern_types": PATTERN_TYPES,
        "buckets": BUCKETS,
        "fresh_count": Pattern.objects.of(request.user).fresh().ready().count() if whose in ("mine", "fresh") else 0,
        "fresh_days": settings.FRESH_DAYS,
    }
    fragment = is_htmx(request)
    return render(request, "studio/gallery/_wall.html" if fragment else "studio/gallery/gallery.html", context)


def _known(request: HttpRequest, name: str, allowed: tuple[str, ...]) -> str:
    value = request.GET.get(name, "")
    return value if value in allowed else ""


def _near(request: HttpRequest) -> str:
    """The colour that is sought, typed (``hex``) or picked; empty for none, and for what is none."""
    for name in ("hex", "near"):
        try:
            return hex_colour(request.GET.get(name, ""))
        except BadInput:
            continue
    return ""


def _of(request: HttpRequest, whose: str) -> PatternQuerySet:
    if whose == "mine":
        return Pattern.objects.of(request.user).kept().ready()
    if whose == "fresh":
        return Pattern.objects.of(request.user).fresh().ready()
    if whose == "favourites":
        return Pattern.objects.visible_to(request.user).ready().filter(favourites__user_id=request.user.pk or 0)
    return Pattern.objects.public()


def _with_likes(rows: PatternQuerySet, request: HttpRequest) -> PatternQuerySet:
    return rows.annotate(liked=Exists(Favourite.objects.filter(pattern=OuterRef("pk"), user_id=request.user.pk or 0)))


@require_safe
def type_picture(_request: HttpRequest, name: str, side: int) -> HttpResponse:
    """A design that stands for a pattern type, as WebP: drawn when it is first asked for."""
    if name not in TYPES or side not in SAMPLE_SIDES:
        raise Http404
    return HttpResponse(_sample(name, side), headers={"Content-Type": "image/webp", "Cache-Control": A_WEEK})


@lru_cache(maxsize=len(SAMPLE_SIDES) * len(TYPES))
def _sample(name: str, side: int) -> bytes:
    seed = TYPES[name].sample_seed
    tile = Image.fromarray(compose(draw_inks(name, seed, side), palette_from_seed(name, seed)))
    return encoded(tile, format="WEBP", quality=82)


@require_safe
def pattern(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    rows = _with_likes(Pattern.objects.visible_to(request.user), request).select_related(
        "job", "large_job", "parent", "owner"
    )
    found = get_object_or_404(rows, pk=pk)
    visible = Pattern.objects.visible_to(request.user).ready()
    context = {
        "pattern": found,
        "mine": found.owner_id == request.user.pk,
        "partner": visible.filter(pk=found.partner_id).first() if found.partner_id else None,
        "kin": visible.filter(pattern_type=found.pattern_type).exclude(pk=pk)[:8],
        "command": "" if found.photographed else _command(found),
        "garments": [garment for garment in Garment.objects.fronts() if garment.ready],
        "passport": passport([found]),
        "room": "gallery",
    }
    return render(request, "studio/gallery/pattern.html", context)


def _command(pattern: Pattern) -> str:
    """The shell line that makes this fabric again."""
    palette = f" --palette '{','.join(pattern.palette)}'" if pattern.palette else ""
    varied = "" if pattern.vary_of is None else f" --vary-of {pattern.vary_of} --vary-amount {pattern.vary_amount:g}"
    varied += _moves(pattern)
    subtype = f" --subtype {pattern.subtype}" if pattern.subtype else ""
    varied += "" if pattern.repeat == "basic" else f" --repeat {pattern.repeat}"
    return (
        f"python -m ml_backend generate --type {pattern.pattern_type}{subtype} --seed {pattern.seed} --count 1"
        f" --size {pattern.size} --engine {pattern.engine}{_model(pattern)}{varied}{palette} --out ."
    )


def _model(pattern: Pattern) -> str:
    """Which package, where it is not the starter that the command takes by itself."""
    name = pattern.model.partition("@")[0]
    if not name or name == registry.STARTERS["generate"]:
        return ""
    return f" --model {'ml_backend/weights/' if name in registry.all_starters() else ''}{shlex.quote(name)}"


def _moves(pattern: Pattern) -> str:
    """The options of a blend or mix."""
    said = ""
    if pattern.morph_to is not None:
        said += f" --morph-to {pattern.morph_to} --morph-amount {pattern.morph_amount:g}"
        said += f" --morph-type {pattern.morph_type}" if pattern.morph_type else ""
    if pattern.colours_of is not None:
        said += f" --colours-of {pattern.colours_of}"
    return said + ("" if pattern.detail_of is None else f" --detail-of {pattern.detail_of}")


@require_POST
def favourite(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Field ``on`` set keeps the fabric among one's favourites; unset lets it go."""
    found = get_object_or_404(Pattern.objects.visible_to(request.user).ready(), pk=pk)
    if not request.user.is_authenticated:
        messages.info(request, "Make a fabric or sign in first; then your favourites can be kept.")
        return _after(request, pk)
    services.favourite(request.user, found, "on" in request.POST)
    if is_htmx(request):
        context: dict[str, Any] = {"pattern": _with_likes(Pattern.objects.filter(pk=pk), request).get()}
        return render(request, "studio/gallery/_heart.html", context)
    return _after(request, pk)


def _after(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(target if safe else reverse("pattern", args=[pk]))


def _words(pattern: Pattern) -> dict[str, Any]:
    return {
        "room": "gallery",
        "lede": _("{title}, seed {seed}.").format(title=titled(pattern), seed=pattern.seed),
        "goes": "The tile, its inks and the large print go for good. Looks made of it are kept.",
        "keep": page_of("pattern", pattern),
    }


publish = publisher(Pattern, "pattern", "fabric")
delete = deleter(
    Pattern,
    "fabric",
    _words,
    "The fabric and its files are gone. Looks made of it are kept.",
    lambda _: f"{reverse('gallery')}?whose=mine",
)
