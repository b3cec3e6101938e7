"""How a run is asked to stop from outside: a file in its folder, or a signal.  It stops between two steps."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ..pipelines.base import ShouldStop

STOP = "stop"
"""Whoever writes this file into a run's folder stops the run; the run takes it away when it has stopped."""


def heeding(run_dir: Path | str, should_stop: ShouldStop | None) -> ShouldStop:
    """``should_stop``, or the file."""
    file = Path(run_dir) / STOP
    return lambda: file.exists() or (should_stop is not None and should_stop())


def heeded(run_dir: Path | str) -> None:
    """Take the file away."""
    (Path(run_dir) / STOP).unlink(missing_ok=True)


@contextmanager
def terminated() -> Iterator[ShouldStop]:
    """Within the block SIGTERM ends nothing, but is remembered: the yielded function says whether it came.

    Not so for one of several processes: whoever started them ends the rest by it when one is lost.  Nor in a thread.
    """
    came: list[int] = []
    if os.environ.get("WORLD_SIZE", "1") != "1" or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def remember(number: int, frame: FrameType | None) -> None:
        del frame
        came.append(number)

    before = signal.signal(signal.SIGTERM, remember)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)
