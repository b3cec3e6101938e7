"""Files written under a claim: kept when it publishes them, else deleted."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ...models import Job, ScratchFile
from .. import faults
from ..storage import forget, keep

log = logging.getLogger(__name__)


def save(job: Job, folder: str, name: str, data: bytes | Path) -> str:
    """Write ``data``, or the file at that path, to storage under a key of this attempt and return it.

    Deleted again unless the claim finishes or :func:`publish_part` keeps it.  Raises :class:`NoRoom` when its owner
    has no room for it.
    """
    return keep(job.owner_id, job.scratch(job.key(folder, name)), data)


def discard(files: QuerySet[ScratchFile]) -> int:
    """Delete scratch files, then their rows; the count.  A storage error leaves the row for the next sweep."""
    count = 0
    for pk, key in list(files.values_list("pk", "key")):
        try:
            default_storage.delete(key)
        except Exception as error:  # botocore's errors are no OSErrors
            log.exception("Could not delete %s; the sweeper will try again.", key)
            if faults.outage(error):  # the others would only wait for the same time-out
                break
            continue
        forget([key])
        ScratchFile.objects.filter(pk=pk).delete()
        count += 1
    return count


def discard_lost() -> int:
    """Files whose claim is long gone; the delay leaves time to a worker that is still cleaning up after itself."""
    old = timezone.now() - timedelta(seconds=settings.JOB_LEASE_SECONDS * 2)
    held = Job.objects.filter(lease=OuterRef("lease"))
    return discard(ScratchFile.objects.filter(~Exists(held), created_at__lt=old))
