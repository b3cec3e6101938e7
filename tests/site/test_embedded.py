"""The embedded broker's file in a process that forks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import os, sqlite3, sys, threading, time
from kombu import Connection
from fashion_site import embedded

if {guarded}:
    embedded.keep_forks_out()
held, let_go = threading.Event(), threading.Event()
url = "sqla+sqlite:///" + sys.argv[1]
plain = embedded.sqlalchemy.Channel._size

def slow(channel, queue):
    # a transaction of this thread's, open for a while
    file = sqlite3.connect(sys.argv[1], isolation_level=None)
    file.execute("BEGIN EXCLUSIVE")
    held.set()
    let_go.wait(4)  # a guarded fork waits for this thread, so it cannot be told
    file.execute("COMMIT")
    file.close()
    return plain(channel, queue)

embedded.sqlalchemy.Channel._size = slow

with Connection(url) as connection:
    queue = connection.SimpleQueue("bell")
    queue.put("one")
    thread = threading.Thread(target=lambda: queue.channel._size("bell"))
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        time.sleep(1.5)  # long after the parent has let go
        try:
            sqlite3.connect(sys.argv[1], timeout=0.1).execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            os._exit(7)
        os._exit(0)
    let_go.set()
    thread.join()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize(("guarded", "status"), [(True, 0)])
def test_a_child_forked_while_a_thread_is_at_the_broker_can_use_it(tmp_path, guarded, status):
    """Without the guard SQLite tells the child that the file is locked, for ever."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(guarded=guarded), str(tmp_path / "broker.sqlite3")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == status, run.stderr
