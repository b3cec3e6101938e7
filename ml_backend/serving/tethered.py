"""The command line of the library, in a process that steps back before all others and ends with the one that began it.

``python -m ml_backend.serving.tethered PARENT NICE train RECIPE.json --run-dir DIR``: PARENT is the process that it
belongs to, NICE how far it steps back.  A worker that is killed cannot stop what it began; this looks for itself, on
every system, once a second.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import threading
import time

ORPHANED = 3
"""Exit status of a process that was left alone."""


def main() -> None:
    parent, nice = map(int, sys.argv[1:3])
    threading.Thread(target=_watch, args=[parent], name="tether", daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(max(0, nice - os.nice(0)))
    sys.argv = ["ml_backend", *sys.argv[3:]]
    runpy.run_module("ml_backend", run_name="__main__", alter_sys=True)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(ORPHANED)


if __name__ == "__main__":
    main()
