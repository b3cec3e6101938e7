"""``python -m ml_backend COMMAND``: every capability of the library from a shell.

The shape of the commands is a promise; people script them.  Results go to standard output (one JSON document with
``--json``), progress to standard error, bad input ends with status 2 and one line.  Work that was asked to stop
and can be gone on with ends with status 75.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from ..errors import LibraryError, Stopped
from . import colours, fabrics, garments, models, printing, prompts, shipping
from .common import commands_of

STOPPED = 75
"""The status for "not now, but later" of sysexits.h."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 2 for bad input, 75 when asked to stop, 130 when interrupted."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        answer = options.run(options)
    except LibraryError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return STOPPED if isinstance(error, Stopped) else 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    lines = answer.pop("lines")
    try:
        print(json.dumps(answer) if options.json else "\n".join(lines), flush=True)
    except BrokenPipeError:
        # The reader (``| head``) has seen enough; without this Python would complain again when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml_backend", description="Make fabrics and wear them.")
    command = commands_of(parser)
    for group in (fabrics, garments, colours, printing, prompts, models, shipping):
        group.add_commands(command)
    return parser
