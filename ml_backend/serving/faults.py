"""Whose fault an error is: of the work itself, of something that is away, or of a process that is beyond repair.

An error that nobody's picture caused ends no job: while the store, the database or the broker is away the job is put
back and tried again, and a process that cannot go on is replaced.  Libraries are told by the names of their modules,
so that a site without S3 or Redis does not load their clients.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import Enum

from ..errors import Away


class Outage(Enum):
    """What is away; the value names it in a sentence."""

    STORE = "The store of pictures"
    DATABASE = "The database"
    BROKER = "The message broker"
    ENDPOINT = "The endpoint of the model"

    @property
    def sentence(self) -> str:
        """Why a job waits."""
        return f"{self.value} does not answer."


class BrokenProcess(Exception):
    """This process can do no more work of this kind; a fresh one can."""


_DISK = frozenset(
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EROFS", "EIO"),  # full, or failing
        *("ENODEV", "ENXIO", "ESTALE", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN"),  # unmounted, or a server that is gone
    )
    if hasattr(errno, name)
)
_STORE_LIBRARIES = ("botocore.", "boto3.", "s3transfer.", "urllib3.")
_BROKER_LIBRARIES = ("kombu.", "redis.", "amqp.")
_DATABASE_ERRORS = ("OperationalError", "InterfaceError")
_DATABASE_LIBRARIES = ("django.db.", "psycopg.", "sqlite3")
_REFUSED = frozenset({400, 404, 405, 409, 411, 412, 413, 416})
"""Statuses by which a store that is well says no to this very request."""

_BEYOND_REPAIR = (
    "can only be initialized once per process",  # torch, imported a second time after a failed import
    "partially initialized module",
    "CUDA error",
    "CUDA driver error",
    "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "Cannot re-initialize CUDA in forked subprocess",
)
_CUDA_ERRORS = frozenset({"AcceleratorError", "CudaError"})


def outage(error: BaseException | None) -> Outage | None:
    """What was away when ``error``, or one that caused it, was raised; None when that is not why."""
    for one in _chain(error):
        found = _outage(one)
        if found is not None:
            return found
    return None


def breaks_process(error: BaseException | None) -> bool:
    """Whether the process that met ``error`` is unfit for more: libraries half imported, a lost CUDA context."""
    return any(isinstance(one, BrokenProcess) or _is_beyond_repair(one) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _outage(error: BaseException) -> Outage | None:
    if isinstance(error, Away):
        return Outage.ENDPOINT
    kind = type(error)
    if kind.__module__.startswith(_STORE_LIBRARIES):
        return None if _is_refusal(error) else Outage.STORE
    if kind.__module__.startswith(_BROKER_LIBRARIES):
        return Outage.BROKER
    if kind.__name__ in _DATABASE_ERRORS and kind.__module__.startswith(_DATABASE_LIBRARIES):
        return Outage.DATABASE
    if isinstance(error, ConnectionError | TimeoutError) or (isinstance(error, OSError) and error.errno in _DISK):
        return Outage.STORE
    return None


def _is_refusal(error: BaseException) -> bool:
    """Whether S3 answered, and refused this request alone; a missing bucket is the site's trouble."""
    answer = getattr(error, "response", None)
    if not isinstance(answer, dict):
        return False
    code = str(answer.get("Error", {}).get("Code", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status in _REFUSED and code not in ("NoSuchBucket", "RequestTimeout", "SlowDown")


def _is_beyond_repair(error: BaseException) -> bool:
    if type(error).__name__ == "_DeadlockError" or type(error).__name__ in _CUDA_ERRORS:
        return True
    return isinstance(error, RuntimeError | ImportError) and any(sign in str(error) for sign in _BEYOND_REPAIR)
