"""The embedded broker in a process that forks.

SQLite keeps in memory which locks its process has on a file.  A child that is forked while another thread has one
inherits that note, and takes the file for locked as long as it lives.  So nothing is forked while a thread is at the
broker's file: the worker's main process has several, and forks whenever a process of its pool is replaced.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from kombu.transport import sqlalchemy

_turn = threading.RLock()


def _in_turn(name: str) -> Callable[..., Any]:
    def method(*args: Any, **options: Any) -> Any:
        with _turn:
            return getattr(sqlalchemy.Channel, name)(*args, **options)

    return method


TRANSACTIONS = ("_new_queue", "_put", "_get", "_size", "_purge")
"""kombu's calls of the file: one transaction or two each."""

Channel = type("Channel", (sqlalchemy.Channel,), {name: _in_turn(name) for name in TRANSACTIONS})
"""kombu's, with forks kept out of its transactions."""


def keep_forks_out() -> None:
    """Of this process, from now on; to be called before the first connection, once."""
    sqlalchemy.Transport.Channel = Channel  # type: ignore[assignment]
    os.register_at_fork(before=_turn.acquire, after_in_parent=_turn.release, after_in_child=_turn.release)
