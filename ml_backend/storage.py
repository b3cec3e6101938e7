"""Deleting the files of deleted rows."""

from __future__ import annotations

import logging
import uuid

from django.core.files.storage import default_storage
from django.db import DatabaseError, models, transaction

from . import faults
from .models import ScratchFile

log = logging.getLogger(__name__)


def delete_after_commit(row: models.Model, fields: tuple[str, ...]) -> None:
    """Delete the files in ``fields`` of ``row`` once the transaction that deletes or replaces them has committed."""
    keys = [str(getattr(row, name)) for name in fields if getattr(row, name)]
    if keys:
        transaction.on_commit(lambda: delete_files(keys))


def delete_files(keys: list[str], *, later: bool = True) -> None:
    """Delete stored files; one that storage refuses to delete is logged and the others still go.

    What is left is left to the sweeper; with ``later`` False, for keys that may soon be used again, to nobody.
    """
    left: list[str] = []
    for number, key in enumerate(keys):
        try:
            default_storage.delete(key)
        except Exception as error:
            log.exception("Could not delete %s.", key)
            left.append(key)
            if faults.outage(error):  # the others would only wait for the same time-out
                left += keys[number + 1 :]
                break
    if left and later:
        _leave_to_sweeper(left)


def _leave_to_sweeper(keys: list[str]) -> None:
    """As files of a claim that nobody holds."""
    try:
        with transaction.atomic():
            ScratchFile.objects.bulk_create(ScratchFile(lease=uuid.uuid4(), key=key) for key in keys)
    except DatabaseError:
        log.exception("These files stay in storage although nothing names them any more: %s", ", ".join(keys))
