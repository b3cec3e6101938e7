"""A few places for heavy work inside this process, so shared that nobody can take them all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Taken(Exception):
    """No place became free in time; ``own`` when it is one's own work that stands in the way."""

    def __init__(self, own: bool) -> None:
        super().__init__("own" if own else "others")
        self.own = own


class Places:
    """``most`` places in all and one a party; of one party no more than ``waiting`` may wait.

    Those who wait hold no place: while one party sends a hundred pictures, the other places are for others.
    """

    def __init__(self, most: int, waiting: int) -> None:
        self.most, self.waiting = most, waiting
        self._changed = threading.Condition()
        self._inside = 0
        self._busy: set[str] = set()
        self._queues: Counter[str] = Counter()

    @contextmanager
    def one(self, parties: Iterable[str], patience: float) -> Iterator[None]:
        """A place for work that all of ``parties`` stand for.  Raises :class:`Taken` after ``patience`` seconds."""
        names = frozenset(parties)
        self._take(names, time.monotonic() + patience)
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._busy -= names
                self._changed.notify_all()

    def _take(self, names: frozenset[str], until: float) -> None:
        with self._changed:
            if any(self._queues[name] >= self.waiting for name in names):
                raise Taken(own=True)
            self._queues.update(names)
            try:
                if not self._changed.wait_for(lambda: self._free(names), until - time.monotonic()):
                    raise Taken(own=bool(names & self._busy))
            finally:
                self._queues.subtract(names)
                self._queues += Counter()  # forgets those at zero
            self._inside += 1
            self._busy |= names

    def _free(self, names: frozenset[str]) -> bool:
        return self._inside < self.most and not names & self._busy
