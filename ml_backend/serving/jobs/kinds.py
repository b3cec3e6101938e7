"""The kinds of jobs: who does them, what must still be there for them, and who may refuse them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AbstractBaseUser

from ...errors import BadInput, LibraryError
from ...models import Job

Report = Callable[[float, str], None]
ShouldStop = Callable[[], bool]
Publish = Callable[[], None]
Handler = Callable[[Job, Report, ShouldStop], Publish]
Check = Callable[[Job], object]
Gate = Callable[[AbstractBaseUser], None]

handlers: dict[str, Handler] = {}
_checks: dict[str, Check] = {}
_gates: list[Gate] = []


def handler(kind: str, possible: Check | None = None) -> Callable[[Handler], Handler]:
    """Register a function as the one that does jobs of ``kind``.

    ``possible`` looks whether what such a job works on is still there before it is tried again, and raises a
    :class:`LibraryError` whose sentence says what is gone.  It runs in web processes and must be quick.
    """

    def register(function: Handler) -> Handler:
        if kind in handlers:
            raise ValueError(f"Two handlers for jobs of kind {kind!r}.")
        handlers[kind] = function
        _checks[kind] = possible or _always
        return function

    return register


def _always(_: Job) -> None:
    """What such a job works on cannot go away."""


def check_possible(job: Job) -> None:
    """Raises :class:`BadInput` with a sentence when what the job works on is gone."""
    try:
        _checks.get(job.kind, _always)(job)
    except BadInput:
        raise
    except LibraryError as error:
        raise BadInput(str(error)) from error


def gate(function: Gate) -> Gate:
    """Register a function that may refuse a person's next job by raising :class:`BadInput`, whoever asks for it."""
    if function not in _gates:
        _gates.append(function)
    return function


def ask_gates(owner: AbstractBaseUser) -> None:
    """Raises :class:`BadInput` when one of them is shut."""
    for allows in _gates:
        allows(owner)
