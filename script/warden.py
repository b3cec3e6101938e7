"""Ends the processes of ``script/serve.py`` when that is killed so suddenly that it cannot end them itself.

It reads lines of process groups from its standard input, the newest counts, and acts when the input ends: an empty line
as the last one means that all was closed in order.  Only the standard library is imported here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

GRACE = 3.0
"""Seconds between asking and killing: nobody waits for these any more, and a job that is cut off is taken back."""


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the one that is watched
    groups: list[int] = []
    for line in sys.stdin:
        groups = [int(group) for group in line.split()]
    if _signal(groups, signal.SIGTERM):
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and _signal(groups, 0):
            time.sleep(0.1)
        _signal(groups, signal.SIGKILL)


def _signal(groups: list[int], number: int) -> int:
    """How many of the groups are still there to be signalled."""
    there = 0
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            there += 1
    return there


if __name__ == "__main__":
    main()
