"""Counting what people do with fabrics, without keeping who did it, and telling what may be told of it."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q
from django.dispatch import receiver
from django.utils import timezone

from patterns.happenings import DOWNLOADED, FAVOURITED, WORN, happened
from patterns.made import Viewer
from patterns.models import Pattern

from ..account.models import User
from .models import Period, Seen, Tally, TallyKey

K = 5
"""A cell of fewer different people is shown to nobody."""
WHAT = {WORN: "worn", FAVOURITED: "favourited", DOWNLOADED: "downloaded"}
BY = {"type": "pattern type", "colour": "colour", "garment": "garment"}
SPANS = {Period.DAY: 28, Period.WEEK: 12}
"""How many of each period a page shows, the running one last."""
DESIGNERS = "Designers"
"""Who is in this group sees the whole site's, as staff do."""


# --- counting -----------------------------------------------------------------------------------------------------


@receiver(happened)
def _count(what: str, pattern: Pattern, by: int, garments: Iterable[str], **_: object) -> None:
    record(what, pattern, by, garments)


def record(what: str, pattern: Pattern, person: int, garments: Iterable[str] = ()) -> None:
    """Count what ``person`` did with ``pattern`` in this day and week: for the site, and for its maker if another."""
    today = timezone.now().date()
    makers = [None] if person == pattern.owner_id else [None, pattern.owner_id]
    cells = [(by, value, maker) for by, value in _cells(pattern, garments) for maker in makers]
    with transaction.atomic():
        for period in Period:
            start = start_of(period, today)
            TallyKey.objects.get_or_create(period=period, start=start)
            # The key is held, so that one who asks twice at once is not taken for two.
            _add(TallyKey.objects.select_for_update().get(period=period, start=start), what, cells, person)


def _cells(pattern: Pattern, garments: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield "type", pattern.pattern_type
    for colour in dict.fromkeys(name for name in pattern.colours.split("|") if name):
        yield "colour", colour
    for garment in dict.fromkeys(garments):
        yield "garment", garment


Cell = tuple[str, str, int | None]
"""What a value is, the value, and whose fabrics are counted."""


def _add(key: TallyKey, what: str, cells: list[Cell], person: int) -> None:
    """Once more in all of ``cells``; one more person in those where this one was not seen yet."""
    digests = {cell: _digest(key, what, cell, person) for cell in cells}
    known = set(Seen.objects.filter(digest__in=digests.values()).values_list("digest", flat=True))
    Seen.objects.bulk_create(Seen(key=key, digest=digest) for digest in digests.values() if digest not in known)
    rows = {cell: _tally(key, what, cell) for cell in cells}
    Tally.objects.bulk_create(rows.values(), ignore_conflicts=True)
    makers = {maker for _, _, maker in cells}
    there = Tally.objects.filter(period=key.period, start=key.start, what=what, value__in={cell[1] for cell in cells})
    ours = there.filter(Q(maker__in=makers - {None}) | Q(maker=None))
    keys = {(row.by, row.value, row.maker_id): row.pk for row in ours}
    Tally.objects.filter(pk__in=[keys[cell] for cell in cells]).update(count=F("count") + 1)
    new = [keys[cell] for cell in cells if digests[cell] not in known]
    Tally.objects.filter(pk__in=new).update(people=F("people") + 1)


def _digest(key: TallyKey, what: str, cell: Cell, person: int) -> str:
    return hmac.new(bytes.fromhex(key.key), f"{person} {what} {cell}".encode(), "sha256").hexdigest()


def _tally(key: TallyKey, what: str, cell: Cell) -> Tally:
    by, value, maker = cell
    return Tally(period=key.period, start=key.start, what=what, by=by, value=value, maker_id=maker)


def start_of(period: str, day: date) -> date:
    """The day itself, or the Monday of its week."""
    return day - timedelta(days=day.weekday()) if period == Period.WEEK else day


def forget() -> int:
    """Delete the keys of periods that are over, and with them all that told people apart; the number of keys."""
    today = timezone.now().date()
    over = TallyKey.objects.none()
    for period in Period:
        over |= TallyKey.objects.filter(period=period, start__lt=start_of(period, today))
    return over.delete()[1].get("studio.TallyKey", 0)


# --- telling ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One type, colour or garment: a cell a period, None where too few people did it to be told."""

    value: str
    cells: tuple[Tally | None, ...]

    @property
    def total(self) -> int:
        """Of the cells that are told."""
        return sum(cell.count for cell in self.cells if cell)


@dataclass(frozen=True)
class Trend:
    """What was done in the latest periods, by type, colour or garment; the most first."""

    what: str
    by: str
    period: str
    starts: tuple[date, ...]
    rows: tuple[Row, ...]


def trend(what: str, by: str, period: str, maker: User | None, today: date | None = None) -> Trend:
    """Of the fabrics of ``maker``, or of the whole site; cells of fewer than :data:`K` people are left out."""
    today = today or timezone.now().date()
    step = timedelta(days=7 if period == Period.WEEK else 1)
    last = start_of(period, today)
    starts = tuple(last - step * back for back in reversed(range(SPANS[Period(period)])))
    told = Tally.objects.filter(
        period=period, what=what, by=by, maker=maker, start__gte=starts[0], start__lte=last, people__gte=K
    )
    found: dict[str, dict[date, Tally]] = {}
    for cell in told:
        found.setdefault(cell.value, {})[cell.start] = cell
    rows = [Row(value, tuple(cells.get(start) for start in starts)) for value, cells in found.items()]
    return Trend(what, by, period, starts, tuple(sorted(rows, key=lambda row: (-row.total, row.value))))


def sees_the_site(person: Viewer) -> bool:
    """Staff, and whom they have made a designer."""
    if not isinstance(person, User):
        return False
    return person.is_staff or person.groups.filter(name=DESIGNERS).exists()


def designers() -> list[User]:
    return list(User.objects.filter(groups__name=DESIGNERS).order_by("username"))


def set_designer(member: User, on: bool) -> None:
    """Let a member see the whole site's trends, or no longer."""
    group, _ = Group.objects.get_or_create(name=DESIGNERS)
    if on:
        member.groups.add(group)
    else:
        member.groups.remove(group)
