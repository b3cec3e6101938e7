"""Where limits are counted: one row a limit and person or address, in the database that every process has anyway.

A storage of the library ``limits``.  Its memory is of one process only, and its servers (Redis, Memcached) are not
there on a machine of one's own; a row that is counted up by one UPDATE is right in both cases.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import Error, IntegrityError, models, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone
from limits.storage import Storage


class Counters(Storage):
    """Counts in :class:`Counter` rows.  A refused transaction takes its counts along."""

    STORAGE_SCHEME = ["toile"]

    @property
    def base_exceptions(self) -> type[Exception]:
        return Error

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """The count of ``key`` with ``amount`` more; it begins anew ``expiry`` seconds after its first."""
        now = timezone.now()
        over = When(until__lte=now, then=Value(amount))
        anew = When(until__lte=now, then=Value(now + timedelta(seconds=expiry)))
        rows = Counter.objects.filter(key=key)
        with transaction.atomic():
            if not rows.update(count=Case(over, default=F("count") + amount), until=Case(anew, default=F("until"))):
                try:
                    with transaction.atomic():
                        Counter.objects.create(key=key, count=amount, until=now + timedelta(seconds=expiry))
                except IntegrityError:  # another process was first: its row can be counted up
                    return self.incr(key, expiry, amount)
            return rows.values_list("count", flat=True).get()  # the update holds the row until the end

    def get(self, key: str) -> int:
        found = Counter.objects.filter(key=key, until__gt=timezone.now()).values_list("count", flat=True).first()
        return found or 0

    def get_expiry(self, key: str) -> float:
        """When the count ends, in seconds since 1970; now, if there is none."""
        until = Counter.objects.filter(key=key).values_list("until", flat=True).first()
        return max(time.time(), (until or datetime.fromtimestamp(0, UTC)).timestamp())

    def check(self) -> bool:
        return True

    def clear(self, key: str) -> None:
        Counter.objects.filter(key=key).delete()

    def reset(self) -> int | None:
        return Counter.objects.all().delete()[0]


def delete_over() -> int:
    """Delete counts whose time is over; their number."""
    return Counter.objects.filter(until__lt=timezone.now()).delete()[0]


class Counter(models.Model):
    """A count towards a limit; see :mod:`studio.counting`."""

    key = models.CharField(max_length=200, unique=True)
    count = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)
    """When it begins anew."""

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
