"""Deleting the files of deleted rows."""

from __future__ import annotations

import logging

from django.core.files.storage import default_storage
from django.db import models, transaction

log = logging.getLogger(__name__)


def delete_after_commit(row: models.Model, fields: tuple[str, ...]) -> None:
    """Delete the files in ``fields`` of ``row`` once the transaction that deletes or replaces them has committed."""
    keys = [str(getattr(row, name)) for name in fields if getattr(row, name)]
    if keys:
        transaction.on_commit(lambda: delete_files(keys))


def delete_files(keys: list[str]) -> None:
    """Delete stored files; one that storage refuses to delete is logged and the others still go."""
    for key in keys:
        try:
            default_storage.delete(key)
        except Exception:
            log.exception("Could not delete %s.", key)
