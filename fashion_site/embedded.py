"""The embedded broker in a process that forks.

SQLite keeps in memory which locks its process has on a file.  A child that is forked while another thread has one
inherits that note, and takes the file for locked as long as it lives.  So nothing is forked while a thread is at the
broker's file: the worker's main process has several, and forks whenever a process of its pool is replaced.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from kombu.transport import sqlalchemy

_turn = threading.RLock()


class Channel(sqlalchemy.Channel):  # type: ignore[misc]
    """kombu's, each call of which is one transaction or two, with forks kept out of them."""

    def _new_queue(self, queue: str, **options: Any) -> Any:
        with _turn:
            return super()._new_queue(queue, **options)

    def _put(self, queue: str, payload: Any, **options: Any) -> Any:
        with _turn:
            return super()._put(queue, payload, **options)

    def _get(self, queue: str) -> Any:
        with _turn:
            return super()._get(queue)

    def _size(self, queue: str) -> Any:
        with _turn:
            return super()._size(queue)

    def _purge(self, queue: str) -> Any:
        with _turn:
            return super()._purge(queue)


def keep_forks_out() -> None:
    """Of this process, from now on; to be called before the first connection, once."""
    sqlalchemy.Transport.Channel = Channel
    os.register_at_fork(before=_turn.acquire, after_in_parent=_turn.release, after_in_child=_turn.release)
