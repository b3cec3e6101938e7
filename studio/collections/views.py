"""One's own collections: boards, what is on them, what goes with it, and who may look."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_backend.errors import BadInput
from patterns.models import Pattern

from ..account.models import User
from ..account.services import ensure_person
from ..answers import is_htmx, refusing, valid
from ..looks.models import Look
from ..publishing import deleter, mine
from ..zipping import zipped
from . import services, sheet
from .forms import NEW, AddForm, BoardForm, ItemForm, ShareForm
from .models import Board, BoardItem, BoardLink

SHOWN = 4
DAYS = (1, 7, 30, 90)
COMPARED = (2, 4)
"""Looks side by side: at least and at most."""


@require_http_methods(["GET", "HEAD", "POST"])
@refusing
def boards(request: HttpRequest) -> HttpResponse:
    """One's own, newest first; POST makes one."""
    if request.method == "POST":
        data = valid(BoardForm(request.POST)).cleaned_data
        return redirect("board", services.make(ensure_person(request), data["name"], data["notes"]).pk)
    rows = list(Board.objects.of(request.user).annotate(count=Count("items")))
    return render(request, "studio/collections/boards.html", {"boards": _with_pictures(rows), "room": "gallery"})


def _with_pictures(rows: list[Board]) -> list[tuple[Board, list[str]]]:
    """Each board with the addresses of its first pictures, in one more query."""
    pictures: dict[uuid.UUID, list[str]] = {row.pk: [] for row in rows}
    if rows:
        items = BoardItem.objects.filter(board__in=rows).seen_by(rows[0].owner_id)
        for item in items:
            shown = pictures[item.board_id]
            if len(shown) < SHOWN and item.thing.thumb_url:
                shown.append(item.thing.thumb_url)
    return [(row, pictures[row.pk]) for row in rows]


@require_safe
def board(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return render(request, "studio/collections/board.html", _shown(request, mine(request, Board, pk)))


@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The items as they stand."""
    return render(request, "studio/collections/_items.html", _shown(request, mine(request, Board, pk)))


def _shown(request: HttpRequest, found: Board) -> dict[str, Any]:
    items = list(found.seen_items.with_parts())
    active = any(item.pattern and item.pattern.state in ("queued", "running") for item in items)
    return {
        "board": found,
        "items": items,
        "active": active,
        "looks": sum(item.look is not None for item in items),
        "parts": BoardItem.Part.choices,
        "links": [(link, request.build_absolute_uri(link.get_absolute_url())) for link in found.links.all()],
        "days": DAYS,
        "room": "gallery",
    }


def _back(request: HttpRequest, pk: uuid.UUID, said: str = "") -> HttpResponse:
    """To htmx how the items stand now, to a plain form the page."""
    if is_htmx(request):
        return render(request, "studio/collections/_items.html", _shown(request, mine(request, Board, pk)))
    if said:
        messages.success(request, said)
    return redirect("board", pk)


@require_POST
@refusing
def change(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Another name, other notes."""
    found: Board = mine(request, Board, pk)
    data = valid(BoardForm(request.POST)).cleaned_data
    services.change(found, data["name"], data["notes"])
    return HttpResponse(status=204) if is_htmx(request) else _back(request, pk, "Kept.")


@require_POST
@refusing
def add(request: HttpRequest) -> HttpResponse:
    """A fabric or a look that one may see, onto a board of one's own or a new one."""
    data = valid(AddForm(request.POST)).cleaned_data
    thing = _thing(request, data)
    owner = ensure_person(request)
    with transaction.atomic():
        found = services.make(owner, data["name"]) if data["board"] == NEW else _named(owner, data["board"])
        services.add(found, thing)
    messages.success(request, f"It is in the collection “{found.name}” now.")
    return redirect("board", found.pk)


def _named(owner: User, text: str) -> Board:
    try:
        return get_object_or_404(Board.objects.of(owner), pk=uuid.UUID(text))
    except ValueError as error:
        raise BadInput("Choose a collection, or name a new one.") from error


def _thing(request: HttpRequest, data: dict[str, Any]) -> Pattern | Look:
    if data["pattern"]:
        return get_object_or_404(Pattern.objects.visible_to(request.user), pk=data["pattern"])
    if data["look"]:
        return get_object_or_404(Look.objects.visible_to(request.user), pk=data["look"])
    raise BadInput("Choose a fabric or a look first.")


def _item(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID) -> BoardItem:
    rows = BoardItem.objects.select_related("board__owner", "pattern", "look")
    return get_object_or_404(rows, pk=item, board=mine(request, Board, pk))


@require_POST
@refusing
def change_item(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID) -> HttpResponse:
    """A note, a part, another place: whatever is sent."""
    found = _item(request, pk, item)
    data = valid(ItemForm(request.POST)).cleaned_data
    if "note" in request.POST:
        services.note(found, data["note"])
    if "part" in request.POST:
        services.play(found, data["part"])
    if data["by"]:
        services.move(found, data["by"])
    return _back(request, pk)


@require_POST
@refusing
def take_out(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID) -> HttpResponse:
    """Off the board; the fabric or look itself stays."""
    _item(request, pk, item).delete()
    return _back(request, pk, "Taken out. The thing itself is kept.")


@require_POST
@refusing
def match(request: HttpRequest, pk: uuid.UUID, item: uuid.UUID) -> HttpResponse:
    """Coordinates and blenders for a hero."""
    made = services.match(_item(request, pk, item))
    return _back(request, pk, f"{len(made)} fabrics are being made to go with it.")


@require_POST
@refusing
def share(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """A new private link."""
    services.share(mine(request, Board, pk), valid(ShareForm(request.POST)).cleaned_data["days"])
    messages.success(request, "Whoever has the new link sees this collection, and nothing else of yours.")
    return redirect(f"{reverse('board', args=[pk])}#share")


@require_POST
def revoke(request: HttpRequest, pk: uuid.UUID, link: uuid.UUID) -> HttpResponse:
    """The link opens nothing from now on."""
    get_object_or_404(BoardLink, pk=link, board=mine(request, Board, pk)).delete()
    messages.success(request, "The link is revoked; it opens nothing any more.")
    return redirect(f"{reverse('board', args=[pk])}#share")


@require_safe
def download(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Everything on it in one file."""
    found: Board = mine(request, Board, pk)
    items = list(found.seen_items.with_parts())
    return zipped(sheet.entries(found, items), sheet.file_title(found))


@require_safe
def beside(request: HttpRequest) -> HttpResponse:
    """Two to four looks side by side: their ids are the fields ``look``."""
    try:
        asked = list(dict.fromkeys(uuid.UUID(text) for text in request.GET.getlist("look")[: COMPARED[1]]))
    except ValueError as error:
        raise Http404 from error
    seen = Look.objects.visible_to(request.user).ready().select_related("garment", "photo").with_parts().in_bulk(asked)
    looks = [seen[pk] for pk in asked if pk in seen]
    return render(
        request,
        "studio/collections/beside.html",
        {"looks": looks, "enough": len(looks) >= COMPARED[0], "room": "gallery"},
    )


def _words(found: Board) -> dict[str, Any]:
    return {
        "room": "gallery",
        "lede": f"{found.name}.",
        "goes": "The collection, its notes and its links go for good. Fabrics and looks on it are kept.",
        "keep": reverse("board", args=[found.pk]),
    }


delete = deleter(
    Board,
    "collection",
    _words,
    "The collection is gone. What was on it is kept.",
    lambda _: reverse("boards"),
)
