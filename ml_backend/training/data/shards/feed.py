"""Pictures from shards in a seeded order, shared among workers, read and decoded ahead of the training loop.

The shards of an epoch are shuffled and dealt to a fixed number of *lanes*; each lane reads its shards from front to
back and shuffles its pictures within a window.  A step takes one picture from every lane.  What a step sees is
therefore a function of (seed, lanes, window, step): it does not depend on how many workers share the lanes, and a run
that goes on at another step finds its place by counting.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ....errors import BadInput
from .access import Access
from .index import Index, Shard
from .reading import Encoded, decode, read_shard

Picture = NDArray[np.uint8]
_PATIENCE = 0.2
"""Seconds after which a waiting reader looks whether it is still wanted."""


class Lane:
    """One of ``lanes`` sequences of pictures without end.  ``window`` encoded pictures are held to be shuffled.

    Raises :class:`BadInput` when there are fewer shards than lanes.
    """

    def __init__(self, index: Index, access: Access, *, seed: int, lane: int, lanes: int, window: int) -> None:
        if len(index.shards) < lanes:
            raise BadInput(
                f"{len(index.shards)} shards cannot feed {lanes} lanes; ask for fewer lanes or write smaller shards."
            )
        self.index, self.access = index, access
        self.seed, self.lane, self.lanes, self.window = seed, lane, lanes, window

    def pictures(self, position: int) -> Iterator[Encoded]:
        """The sequence from its picture number ``position`` on, for ever."""
        epoch = 0
        while position >= (length := sum(shard.samples for shard in self._shards(epoch))):
            position, epoch = position - length, epoch + 1
        while True:
            yield from self._epoch(epoch, position)
            position, epoch = 0, epoch + 1

    def _shards(self, epoch: int) -> list[Shard]:
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.index.shards))
        return [self.index.shards[number] for number in order[self.lane :: self.lanes]]

    def _epoch(self, epoch: int, position: int) -> Iterator[Encoded]:
        number, inside = divmod(position, self.window)
        coming = self._from(self._shards(epoch), number * self.window)
        while held := [encoded for _, encoded in zip(range(self.window), coming, strict=False)]:
            order = np.random.default_rng((self.seed, epoch, self.lane, number)).permutation(len(held))
            yield from (held[place] for place in order[inside:])
            number, inside = number + 1, 0

    def _from(self, shards: list[Shard], skip: int) -> Iterator[Encoded]:
        for shard in shards:
            if skip < shard.samples:
                yield from read_shard(shard, self.access, skip)
            skip = max(0, skip - shard.samples)


class Feed:
    """``feed(step)`` is the list of that step's pictures, one from each lane in ``mine``, decoded; (H, W, 3) each.

    Asked for one step after the other it has them ready: every lane has a thread that reads up to a window ahead, and
    ``threads`` (as many as there are cores, at most 8) decode the next ``ahead`` pictures of each lane: Pillow decodes
    outside the interpreter's lock.  Asked for another step it goes there.  Errors of the readers are raised where their
    picture is asked for.
    """

    def __init__(
        self,
        index: Index,
        access: Access | None = None,
        *,
        seed: int,
        lanes: int,
        mine: slice | None = None,
        window: int = 256,
        threads: int | None = None,
        ahead: int = 4,
    ) -> None:
        own = range(lanes)[mine or slice(None)]
        settings = {"seed": seed, "lanes": lanes, "window": window}
        self._lanes = [Lane(index, access or Access(), lane=lane, **settings) for lane in own]
        self._pool = ThreadPoolExecutor(threads or min(8, os.cpu_count() or 1), thread_name_prefix="decode")
        self._ahead = ahead
        self._readers: list[_Reader] = []
        self._next = -1

    def __call__(self, step: int) -> list[Picture]:
        if step != self._next:
            self._stop()
            self._readers = [_Reader(lane.pictures(step), lane.window) for lane in self._lanes]
        self._next = step + 1
        for reader in self._readers:
            reader.decode_ahead(self._pool, self._ahead)
        return [reader.take(self._pool) for reader in self._readers]

    def _stop(self) -> None:
        for reader in self._readers:
            reader.stop()
        self._readers = []

    def close(self) -> None:
        self._stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Feed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Reader:
    """A thread that keeps up to ``most`` encoded pictures ready, and the decoded ones that come next."""

    def __init__(self, source: Iterator[Encoded], most: int) -> None:
        self._read: Queue[Encoded | Exception] = Queue(most)
        self._decoded: deque[Future[Picture]] = deque()
        self._wanted = True
        self._thread = threading.Thread(target=self._run, args=(source,), name="shards", daemon=True)
        self._thread.start()

    def _run(self, source: Iterator[Encoded]) -> None:
        try:
            for encoded in source:
                if not self._put(encoded):
                    return
        except Exception as error:  # raised again where the picture is asked for
            self._put(error)

    def _put(self, item: Encoded | Exception) -> bool:
        while self._wanted:
            try:
                self._read.put(item, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False

    def decode_ahead(self, pool: ThreadPoolExecutor, ahead: int) -> None:
        """Have the next ``ahead`` pictures decoded, as far as they have been read."""
        while len(self._decoded) < ahead:
            try:
                self._decoded.append(_decoding(pool, self._read.get_nowait()))
            except Empty:
                return

    def take(self, pool: ThreadPoolExecutor) -> Picture:
        if not self._decoded:
            self._decoded.append(_decoding(pool, self._read.get()))
        return self._decoded.popleft().result()

    def stop(self) -> None:
        self._wanted = False
        for future in self._decoded:
            future.cancel()


def _decoding(pool: ThreadPoolExecutor, item: Encoded | Exception) -> Future[Picture]:
    if isinstance(item, Exception):
        failed: Future[Picture] = Future()
        failed.set_exception(item)
        return failed
    return pool.submit(decode, item)
