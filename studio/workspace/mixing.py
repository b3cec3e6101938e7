"""Two fabrics on one table: blends, one in the drawing of the other, one in the colours of the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from ml_backend.errors import BadInput
from ml_backend.requests import PATTERN_TYPES
from patterns import mixing, services
from patterns.mixing import Other
from patterns.models import Pattern, PatternQuerySet

from ..account.models import User
from ..account.services import ensure_person
from ..answers import refusing, valid
from ..gallery import window
from .fabrics import fresh_cells
from .forms import MixForm
from .services import same_colourway

OFFERED = 20
FOR_COLOURS = 8
"""Second fabrics to choose from: one's own that can be blended, and drawn or mixed ones that have colours to give."""
FEW = 6
"""With fewer than this of one's own, published ones are offered too."""


@dataclass(frozen=True)
class Candidate:
    """A fabric that may be the second one; ``moves`` are those it is good for."""

    pattern: Pattern
    moves: str
    chosen: bool


@dataclass(frozen=True)
class Mix:
    """What the drawer shows for the fabric ``one``; ``alone`` says why it can only change its colours.

    ``others`` begin with those that are good for more than their colours.
    """

    one: Pattern
    first: Pattern
    alone: str
    move: str
    others: list[Candidate]
    seed: int | None
    other_type: str
    amount: float
    is_open: bool


def mix_of(request: HttpRequest, one: Pattern | None, asked: str = "") -> Mix | None:
    """The drawer for ``one``; ``asked`` is the id of a second fabric to begin with.  A mix restores what made it."""
    if one is None or not one.ready:
        return None
    alone = mixing.why_alone(one)
    wanted = _visible(request, asked)
    wanted = None if wanted == one else wanted
    other = wanted or (one.partner if one.partner_id and _visible(request, str(one.partner_id)) else None)
    usual = "colours" if alone else one.move or "blend"
    move = _moves(one, wanted, alone).split()[0] if wanted else usual
    seed = None if other else one.morph_to if one.morph_to is not None else one.detail_of
    others = _others(request, one, other)
    if other is None and seed is None:
        other = next((pattern for pattern in others if move == "colours" or _can(move, one, pattern)), None)
    candidates = [Candidate(pattern, _moves(one, pattern, alone), pattern == other) for pattern in others]
    return Mix(
        one=one,
        first=mixing.first_half(one),
        alone=alone,
        move=move,
        others=sorted(candidates, key=lambda candidate: candidate.moves == "colours"),
        seed=seed,
        other_type=one.morph_type or one.pattern_type,
        amount=one.morph_amount if one.move == "blend" and not wanted else 0.5,
        is_open=bool(wanted or one.move),
    )


def _others(request: HttpRequest, one: Pattern, other: Pattern | None) -> list[Pattern]:
    rows = _some(Pattern.objects.of(request.user).at_hand().ready(), one)
    if len(rows) < FEW:
        # Who has fabrics chooses among everybody's too; the first visit shows what the house stands for.
        others = Pattern.objects.public() if rows else window.shipped()
        rows += [row for row in _some(others, one) if row not in rows]
    return [other, *rows] if other is not None and other not in rows and other != one else rows


def _some(rows: PatternQuerySet, one: Pattern) -> list[Pattern]:
    """The newest that can be blended, then the newest that cannot."""
    whole = Q(morph_to=None, detail_of=None) & ~Q(engine="drawn")
    others = rows.exclude(pk=one.pk)
    return [*others.filter(whole)[:OFFERED], *others.exclude(whole)[:FOR_COLOURS]]


def _moves(one: Pattern, other: Pattern, alone: str) -> str:
    return " ".join(move for move in mixing.MOVES if (move == "colours" or not alone) and _can(move, one, other))


def _can(move: str, one: Pattern, other: Pattern) -> bool:
    return not mixing.why_not(move, one, Other.of(other))


def _visible(request: HttpRequest, text: str) -> Pattern | None:
    return Pattern.objects.visible_to(request.user).ready().named(text)


@require_safe
def drawer(request: HttpRequest) -> HttpResponse:
    """The drawer for the fabric ``of``, and with the second one ``with`` where it is given."""
    one = _visible(request, request.GET.get("of", ""))
    context = {"mix": mix_of(request, one, request.GET.get("with", "")), "pattern_types": PATTERN_TYPES}
    return render(request, "studio/workspace/_mix.html", context)


@require_POST
@refusing
def make(request: HttpRequest) -> HttpResponse:
    """What becomes of two fabrics; answers htmx with their cells."""
    form = valid(MixForm(request.POST))
    visible = Pattern.objects.visible_to(request.user)
    one = get_object_or_404(visible.select_related("parent"), pk=form.cleaned_data["of"])
    other = form.other(one, lambda pk: get_object_or_404(visible, pk=pk))
    owner = ensure_person(request)
    with transaction.atomic():
        made = list(_made(owner, form, one, other))
    return fresh_cells(request, made)


def _made(owner: User, form: MixForm, one: Pattern, other: Other) -> Iterator[Pattern]:
    move = form.cleaned_data["move"]
    if move == "colours":
        yield _in_colours(owner, one, other)
        return
    mixed = [mixing.drawing(one, other)] if move == "drawing" else mixing.blends(one, other, form.amounts())
    for each in mixed:
        yield services.ask(owner, each.request, parent=each.parent, partner=each.partner, fresh=True)


def _in_colours(owner: User, one: Pattern, other: Other) -> Pattern:
    if reason := mixing.why_not("colours", one, other):
        raise BadInput(reason)
    if not one.ready:
        raise BadInput(services.NOT_READY)
    palette = other.palette(len(one.palette))
    known = same_colourway(owner, one, palette)
    return known or services.recolour(owner, one, palette, partner=other.pattern, fresh=True)
