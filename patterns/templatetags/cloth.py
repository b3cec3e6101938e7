"""Words and small pieces of markup for fabrics, looks and their makers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from ml_backend.lattices import lattice_of
from ml_backend.models import Job
from ml_backend.serving import jobs
from ml_backend.swatches import TYPES

from ..models import Pattern
from ..phrasebook import listed, said

register = template.Library()

FOLLOWING = '{"timeout": 20000}'
"""A look that hangs for as many milliseconds is given up, and the next one follows."""


@register.simple_tag
def follow(name: str, *args: Any, active: object = True, target: str = "this", swap: str = "morph") -> SafeString:
    """Attributes of an element that shows something being made: htmx asks the URL ``name``, at the times that
    ``static/js/follow.js`` chooses and as long as it is ``active``, and morphs the answer into ``target``.

    A ``target`` that is not the element itself is cut out of a whole page.  The extension is named here and not for the
    whole body: where it is heard it takes every out-of-band swap for one of whole elements, ``afterend`` too.
    """
    return format_html(
        'hx-ext="morph" hx-get="{}" hx-trigger="follow" hx-target="{}"{} hx-swap="{}" hx-request="{}"{}',
        reverse(name, args=args),
        target,
        format_html(' hx-select="{}"', target) if target != "this" else "",
        swap,
        FOLLOWING,
        mark_safe(" data-follow") if active else "",
    )


@register.simple_tag(takes_context=True)
def place(context: Context, job: Job) -> int:
    """Place in the queue, 1 being next.

    The jobs on a page are those of the person who looks at it: the first that is shown asks for the places of all.
    """
    known: dict[Any, int] = context.get("places") or context.dicts[0].setdefault("places", {})
    if job.pk not in known:
        mine = Job.objects.filter(owner=job.owner_id, state=Job.State.QUEUED).only(
            "queue", "owner", "state", "not_before"
        )
        known |= jobs.places([*mine, job])
    return known[job.pk]


@register.filter
def colour_words(pattern: Pattern) -> str:
    """``red, blue and white``."""
    return listed([said(name) for name in pattern.colours.split("|") if name])


@register.filter
def titled(pattern: Pattern) -> str:
    """The caption: ``Floral in red and white``."""
    kind, colours = kinds(pattern).capitalize(), colour_words(pattern)
    return _("{kind} in {colours}").format(kind=kind, colours=colours) if colours else kind


@register.filter
def kinds(pattern: Pattern) -> str:
    """The design by its name, the pattern type, or both of a blend: ``houndstooth``, ``floral and plaid``."""
    if pattern.photographed:
        return said(str(pattern.cloth.get("looks_like") or pattern.pattern_type).replace("-", " "))
    if pattern.subtype:
        return said(pattern.subtype.replace("-", " "))
    return listed([said(kind) for kind in (pattern.pattern_type, pattern.morph_type) if kind])


@register.filter
def seeds(pattern: Pattern) -> str:
    """``seed 7``, and what was made of it: ``seed 7, 40 % of plaid 12``; of a photographed cloth how it was cut."""
    if pattern.photographed:
        seen = pattern.cloth.get("mean_of", 1)
        return _("the mean of {count} repeats of a photo").format(count=seen) if seen > 1 else _("from a photo")
    seed = _("seed {number}").format(number=pattern.seed)
    if pattern.morph_to is not None:
        other = f"{said(pattern.morph_type or 'seed')} {pattern.morph_to}"
        share = f"{percent(pattern.morph_amount)} %"
        return _("{seed}, {share} of {other}").format(seed=seed, share=share, other=other)
    if pattern.detail_of is not None:
        return _("{seed}, drawn like {other}").format(seed=seed, other=pattern.detail_of)
    return seed


@register.filter
def described(pattern: Pattern) -> str:
    """Alternative text of a swatch."""
    kind, colours, seed = kinds(pattern).capitalize(), colour_words(pattern), seeds(pattern)
    if not colours:
        return _("{kind} fabric, {seed}").format(kind=kind, seed=seed)
    return _("{kind} fabric in {colours}, {seed}").format(kind=kind, colours=colours, seed=seed)


@register.filter
def worn_name(item: Any) -> str:
    """What a garment or a photo is called."""
    return str(getattr(item, "title", "") or said(item.name.lower()))


@register.filter
def wid(item: Any) -> str:
    """A garment's slug or a photo's id."""
    return str(getattr(item, "slug", "") or item.pk)


@register.filter
def described_look(look: Any) -> str:
    """Alternative text of a look, which may have outlived its fabrics: ``Photo in floral and plaid fabrics``."""
    kinds = [part.pattern.pattern_type if part.pattern else "" for part in look.parts.all()]
    if not all(kinds):
        told = look.recipe.get("parts") or [look.recipe]
        kinds = [(part.get("pattern") or {}).get("pattern_type", "") for part in told]
    names = [said(kind) for kind in sorted({kind for kind in kinds if kind}, key=kinds.index)]
    worn = said(look.garment.name.lower() if look.garment else "photo").capitalize()
    if not names:
        return _("{worn} in a fabric of its own").format(worn=worn)
    if len(names) > 1:
        return _("{worn} in {kinds} fabrics").format(worn=worn, kinds=listed(names))
    return _("{worn} in {kinds} fabric").format(worn=worn, kinds=names[0])


@register.filter
def unlocalized(value: float) -> str:
    """A number as HTML attributes want it."""
    return f"{value:g}" if value is not None else ""


@register.filter
def percent(value: float) -> int:
    return round(value * 100)


@register.filter
def on_button(name: str) -> SafeString:
    """A pattern type's name where there is little room: the end of a long one is only heard."""
    whole = said(name)
    seen = TYPES[name].short if whole == name else ""
    if seen and whole.startswith(seen):
        return format_html('{}<span class="visually-hidden">{}</span>', seen, whole.removeprefix(seen))
    return format_html('{}<span class="visually-hidden"></span>', whole)


@register.filter
def on_repeat(name: str) -> str:
    """A repeat's name where there is little room: without the half that its drawing shows."""
    whole = said(name)
    return whole if whole != name else name.replace("half-", "")


@register.simple_tag
def laid(url: str, repeat: str, side: float = 1.0, across: float = 3.0) -> SafeString:
    """The tile at ``url`` laid as its ``repeat`` lays it, filling an element whose longer side shows ``across`` units;
    a tile's is ``side``.  Decoration: the words stand on the element.

    Style alone would lay every tile straight beside the one before, and cut the motifs of a half-drop.
    """
    lattice = lattice_of(repeat)
    drop, slide = (lattice.drop, lattice.slide) if lattice.area == 1 else (0, 0)  # other tiles hold their neighbours
    columns, rows = drop.denominator, slide.denominator
    places = [(x + slide * y, y + drop * x) for x in range(columns) for y in range(rows)]
    copies = places + [(x - 1, y) if slide else (x, y - 1) for x, y in places]
    name = f"laid-{crc32(f'{url} {repeat} {side} {across}'.encode()):08x}"
    pictures = format_html_join(
        "",
        '<image href="{}" x="{}" y="{}" width="1.004" height="1.004" preserveAspectRatio="none"/>',
        ((url, f"{float(x) - 0.002:.4f}", f"{float(y) - 0.002:.4f}") for x, y in copies),
    )
    return format_html(
        '<svg class="laid" viewBox="0 0 {2} {2}" preserveAspectRatio="xMidYMid slice" aria-hidden="true">'
        '<pattern id="{0}" width="{3}" height="{4}" patternUnits="userSpaceOnUse"'
        ' patternTransform="scale({1})">{5}</pattern>'
        '<rect width="{2}" height="{2}" fill="url(#{0})"/></svg>',
        name,
        unlocalized(side),
        unlocalized(across),
        columns,
        rows,
        pictures,
    )


@register.simple_tag
def palette(colours: Sequence[str]) -> SafeString:
    """Colours side by side; decoration, so the words stand elsewhere."""
    bands = format_html_join("", '<span style="--c:{}"></span>', ((colour,) for colour in colours))
    return format_html('<span class="palette" aria-hidden="true">{}</span>', bands)
