"""The files of people's rows: stored and counted, deleted and forgotten.  Nobody else writes :class:`StoredFile`."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import DatabaseError, models, transaction
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat

from ..errors import BadInput, Stopped
from ..models import ScratchFile, StoredFile
from . import faults

log = logging.getLogger(__name__)

FULL = (
    "There is no room for this: you keep {used} of your {quota} here. Nothing of yours is lost; "
    "delete photos, looks or pictures that you no longer need, then try again."
)


class NoRoom(BadInput):
    """The person keeps as many bytes as one person may."""


def keep(owner_id: Any, key: str, data: bytes | Path) -> str:
    """Store ``data``, or the file at that path, as a file of that person's and count it; the key that it got.

    Raises :class:`NoRoom` where it would pass their quota, and :class:`Stopped` when the person is gone.
    """
    with transaction.atomic():
        # Counted under a lock on the person: two uploads, or a worker and an upload, cannot pass the quota together.
        owner = get_user_model()._default_manager.select_for_update().filter(pk=owner_id).first()
        if owner is None:
            raise Stopped("Whoever asked for this is gone.")
        size = data.stat().st_size if isinstance(data, Path) else len(data)
        check_room(owner, size)
        row = StoredFile.objects.create(owner_id=owner_id, key=key, size=size)
    try:
        saved = _saved(key, data)
    except BaseException:
        StoredFile.objects.filter(pk=row.pk).delete()
        raise
    if saved != key:
        StoredFile.objects.filter(pk=row.pk).update(key=saved)
    return saved


def _saved(key: str, data: bytes | Path) -> str:
    if isinstance(data, bytes):
        return str(default_storage.save(key, ContentFile(data)))
    with data.open("rb") as file:  # piece by piece: a print need not fit into memory
        return str(default_storage.save(key, File(file)))


@contextmanager
def kept_together(owner_id: Any) -> Iterator[Callable[[str, bytes], str]]:
    """:func:`keep` for files of one row of that person's, by key and content; if the block fails they all go again."""
    keys: list[str] = []

    def keep_one(key: str, data: bytes) -> str:
        keys.append(keep(owner_id, key, data))
        return keys[-1]

    try:
        yield keep_one
    except BaseException:
        delete_files(keys)
        raise


def check_room(owner: AbstractBaseUser, more: int = 1) -> None:
    """Raises :class:`NoRoom` when ``more`` bytes would pass the person's ``quota`` (bytes; None or 0 is no limit)."""
    quota = getattr(owner, "quota", None)
    if not quota:
        return
    used = used_by(owner)
    if used + more > quota:
        raise NoRoom(FULL.format(used=filesizeformat(used), quota=filesizeformat(quota)))


def used_by(owner: AbstractBaseUser) -> int:
    """Bytes of all files of that person's."""
    total = StoredFile.objects.filter(owner_id=owner.pk).aggregate(total=Sum("size"))["total"]
    return int(total or 0)


def forget(keys: Sequence[str]) -> None:
    """Files that are gone count no longer."""
    StoredFile.objects.filter(key__in=keys).delete()


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
    forget([key for key in keys if key not in left])
    if left and later:
        _leave_to_sweeper(left)


def _leave_to_sweeper(keys: list[str]) -> None:
    """As files of a claim that nobody holds."""
    try:
        with transaction.atomic():
            ScratchFile.objects.bulk_create(ScratchFile(lease=uuid.uuid4(), key=key) for key in keys)
    except DatabaseError:
        log.exception("These files stay in storage although nothing names them any more: %s", ", ".join(keys))
