"""Models kept in memory, the least recently used put away when another needs the room.

Shared by everything in a process: restyle and imagine of one folder hold one copy of its weights.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Generic, Protocol, TypeVar

RESERVE = 0.1
"""Part of the device's memory that models leave for the work itself."""


class Heavy(Protocol):
    """Something worth putting away."""

    def release(self) -> None:
        """Give the memory back; nobody is using it."""


T = TypeVar("T", bound=Heavy)
Memory = Callable[[str], tuple[int, int]]
"""Free and total bytes of a device."""


def memory_of(device: str) -> tuple[int, int]:
    """Free and total bytes of the GPU's memory, or of main memory."""
    if device.startswith("cuda"):
        import torch

        free, total = torch.cuda.mem_get_info(torch.device(device))
        # what torch has set aside and not handed out is free to us
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device), total
    page = os.sysconf("SC_PAGE_SIZE")
    return _available() or os.sysconf("SC_AVPHYS_PAGES") * page, os.sysconf("SC_PHYS_PAGES") * page


def _available() -> int:
    """Linux's own estimate, which counts files kept in memory as free; 0 where there is none."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), 0)


@dataclass
class _Slot(Generic[T]):
    device: str
    lock: RLock = field(default_factory=RLock)
    users: int = 0
    held: T | None = None


class Residency(Generic[T]):
    """``with residency.use(key, device, need, load) as model:`` loads once, keeps, and evicts by free memory.

    Thread-safe: one thread at a time uses a model, different models run side by side.  A model in use is never put
    away.
    """

    def __init__(self, memory: Memory = memory_of) -> None:
        self._memory = memory
        self._slots: OrderedDict[Hashable, _Slot[T]] = OrderedDict()
        self._changed = RLock()

    @contextmanager
    def use(self, key: Hashable, device: str, need: int, load: Callable[[], T]) -> Iterator[T]:
        """The model of that key, made by ``load`` if it is not here; ``need`` is about how many bytes it takes."""
        with self._changed:
            slot = self._slots.setdefault(key, _Slot(device))
            self._slots.move_to_end(key)
            slot.users += 1
        try:
            with slot.lock:
                if slot.held is None:
                    self.make_room(device, need)
                    slot.held = load()
                yield slot.held
        finally:
            with self._changed:
                slot.users -= 1
                if slot.held is None and not slot.users and self._slots.get(key) is slot:
                    del self._slots[key]

    def make_room(self, device: str, need: int) -> None:
        """Put away idle models of that device, the longest unused first, until ``need`` bytes and a reserve fit."""
        with self._changed:
            for key, slot in list(self._slots.items()):
                free, total = self._memory(device)
                if free >= need + RESERVE * total:
                    return
                if slot.device == device and not slot.users:
                    self._put_away(key)

    def clear(self) -> None:
        """Put away every model that is not in use."""
        with self._changed:
            for key, slot in list(self._slots.items()):
                if not slot.users:
                    self._put_away(key)

    def keys(self) -> tuple[Hashable, ...]:
        """What is resident, the longest unused first."""
        with self._changed:
            return tuple(key for key, slot in self._slots.items() if slot.held is not None)

    def _put_away(self, key: Hashable) -> None:
        slot = self._slots.pop(key)
        if slot.held is not None:
            slot.held.release()
            slot.held = None
