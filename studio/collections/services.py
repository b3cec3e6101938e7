"""Boards: made, filled, ordered, matched, shared.  Every function raises :class:`BadInput` with a sentence."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from ml_backend.errors import BadInput
from patterns import services as fabrics
from patterns.models import Pattern

from ..account.models import User
from ..looks.models import Look
from . import matching
from .models import MOST_NAME, MOST_NOTE, MOST_NOTES, Board, BoardItem, BoardLink

MOST_BOARDS, MOST_ITEMS, MOST_LINKS = 200, 60, 20
LONGEST_DAYS = 90

UNNAMED = f"Give the collection a name of at most {MOST_NAME} characters, so that you find it again."
LONG_NOTES = f"Notes can be at most {MOST_NOTES} characters. Nothing was changed."
LONG_NOTE = f"A note can be at most {MOST_NOTE} characters. Nothing was changed."
FULL = f"A collection holds at most {MOST_ITEMS} things. Take something out first, or begin another one."
NOT_THERE = "This is not in the collection any more. Nothing was changed."
NO_HERO = "Only a finished fabric can be the hero. Wait until it is made, or choose another."


def make(owner: User, name: str, notes: str = "") -> Board:
    if Board.objects.of(owner).count() >= MOST_BOARDS:
        raise BadInput(f"You have {MOST_BOARDS} collections already. Delete one that is no longer needed.")
    return Board.objects.create(owner=owner, name=_name(name), notes=_notes(notes))


def change(board: Board, name: str, notes: str) -> None:
    board.name, board.notes = _name(name), _notes(notes)
    board.save(update_fields=["name", "notes"])


def _name(text: str) -> str:
    said = " ".join(text.split())
    if not said or len(said) > MOST_NAME:
        raise BadInput(UNNAMED)
    return said


def _notes(text: str) -> str:
    if len(text) > MOST_NOTES:
        raise BadInput(LONG_NOTES)
    return text.strip()


def add(board: Board, thing: Pattern | Look, part: str = "", scale_cm: float | None = None) -> BoardItem:
    """``thing`` on the board, at its end; once is enough.  A new fabric of one's own is kept by it."""
    field = "pattern" if isinstance(thing, Pattern) else "look"
    with transaction.atomic():
        locked = _locked(board)
        known = locked.items.filter(**{field: thing}).first()
        if known is not None:
            return known
        if locked.items.count() >= MOST_ITEMS:
            raise BadInput(FULL)
        if isinstance(thing, Pattern):
            if thing.owner_id == board.owner_id:
                thing.keep()
            part = part or ("" if locked.items.filter(part=BoardItem.Part.HERO).exists() else BoardItem.Part.HERO)
            scale_cm = scale_cm or matching.scale_of(thing.pattern_type, part)
        place = 1 + (locked.items.aggregate(last=Max("place"))["last"] or 0)
        return BoardItem.objects.create(board=locked, place=place, part=part, scale_cm=scale_cm, **{field: thing})


def note(item: BoardItem, text: str) -> None:
    said = " ".join(text.split())
    if len(said) > MOST_NOTE:
        raise BadInput(LONG_NOTE)
    BoardItem.objects.filter(pk=item.pk).update(note=said)


def play(item: BoardItem, part: str) -> None:
    """Another part.  There may be several heroes; a look plays none."""
    if part not in BoardItem.Part.values or item.pattern is None:
        raise BadInput("Only a fabric plays a part: hero, coordinate, blender or none. Nothing was changed.")
    scale_cm = matching.scale_of(item.pattern.pattern_type, part)
    BoardItem.objects.filter(pk=item.pk).update(part=part, scale_cm=scale_cm)


def move(item: BoardItem, by: int) -> None:
    """``by`` places further on; over an end it stays there."""
    with transaction.atomic():
        rows = list(_locked(item.board).items.all())
        order = [row.pk for row in rows]
        if item.pk not in order:
            raise BadInput(NOT_THERE)
        at = order.index(item.pk)
        order.insert(min(len(order) - 1, max(0, at + by)), order.pop(at))
        places = {pk: number for number, pk in enumerate(order)}
        for row in rows:
            row.place = places[row.pk]
        BoardItem.objects.bulk_update(rows, ["place"])


def match(item: BoardItem) -> list[BoardItem]:
    """Coordinates and blenders made for a hero: a job each, on the board at once; pressed again there are others."""
    hero = item.pattern
    if hero is None or not hero.ready:
        raise BadInput(NO_HERO)
    owner = item.board.owner
    with transaction.atomic():
        board = _locked(item.board)
        wanted = matching.matches(hero, before=board.items.filter(pattern__parent=hero).count())
        if board.items.count() + len(wanted) > MOST_ITEMS:
            raise BadInput(FULL)
        BoardItem.objects.filter(pk=item.pk).exclude(part=BoardItem.Part.HERO).update(
            part=BoardItem.Part.HERO, scale_cm=matching.scale_of(hero.pattern_type, BoardItem.Part.HERO)
        )
        return [add(board, fabrics.ask(owner, one.request, parent=hero), one.part, one.scale_cm) for one in wanted]


def share(board: Board, days: int) -> BoardLink:
    """A new private link that is good for so many days."""
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(f"A link is good for 1 to {LONGEST_DAYS} days.")
    if board.open_links.count() >= MOST_LINKS:
        raise BadInput(f"{MOST_LINKS} links to this collection are open. Revoke one that is no longer needed.")
    return BoardLink.objects.create(board=board, expires_at=timezone.now() + timedelta(days=days))


def opened(pk: uuid.UUID, secret: str) -> BoardLink | None:
    """The link that an address means, with its board.

    None for one that is unknown, wrong, revoked or expired, or of somebody barred.
    """
    links = BoardLink.objects.open().filter(board__owner__is_active=True)
    link = links.select_related("board__owner").filter(pk=pk).first()
    return link if link is not None and link.opens_with(secret) else None


def _locked(board: Board) -> Board:
    locked = Board.objects.select_for_update().filter(pk=board.pk).first()
    if locked is None:
        raise BadInput("This collection is not there any more.")
    return locked
