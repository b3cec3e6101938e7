"""A model file that comes through the browser: begun, sent in parts, taken up again where it broke off."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from ml_backend.errors import BadInput
from ml_backend.models import Job
from ml_backend.packaging.header import MAX_HEADER_BYTES
from ml_backend.serving import jobs
from ml_backend.serving.storage import check_room, delete_files, keep

from .models import ModelUpload

PART = 8 * 1024 * 1024
"""Bytes of a part; no request with a file may be larger than :data:`settings.MAX_UPLOAD_BYTES`."""
MOST_OPEN = 3
"""Uploads that one person may have begun and not finished."""
KEPT_HOURS = 24
"""An upload that nobody goes on with is deleted after so long."""

GONE = "Parts of this file are no longer here. Nothing of yours is lost; please send it again."
NO_SAFETENSORS = (
    "This is no safetensors file. Nothing was kept; pickles (.ckpt, .pt, .bin) can run programs and are not taken here."
)


class OutOfStep(BadInput):
    """A part that does not begin where the last one ended; ``received`` bytes are here."""

    def __init__(self, received: int) -> None:
        super().__init__(f"{received} bytes are here; go on from there.")
        self.received = received


def begin(owner: AbstractBaseUser, name: str, size: int) -> ModelUpload:
    """An upload to send parts to: the one of that name and size that broke off, else a new one.

    Raises :class:`BadInput`.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name.rpartition("/")[2].rpartition("\\")[2]).lstrip(".-")[-100:]
    if not plain.lower().endswith(".safetensors") or len(plain) <= len(".safetensors"):
        raise BadInput(NO_SAFETENSORS)
    if not 8 < size <= settings.MAX_MODEL_BYTES:
        most = filesizeformat(settings.MAX_MODEL_BYTES)
        raise BadInput(f"A model can be at most {most} here, and this is {filesizeformat(size)}. Nothing was kept.")
    unfinished = ModelUpload.objects.filter(owner_id=owner.pk, job=None)
    known = unfinished.filter(name=plain, size=size).first()
    if known is not None:
        return known
    if unfinished.count() >= MOST_OPEN:
        raise BadInput(f"You have begun {MOST_OPEN} uploads; finish one or delete it first.")
    check_room(owner, size)
    return ModelUpload.objects.create(owner_id=owner.pk, name=plain, size=size)


def take(upload: ModelUpload, offset: int, data: bytes) -> ModelUpload:
    """Keep a part that begins at ``offset``; the last one queues the job that puts them together.

    Raises :class:`OutOfStep` where it does not begin at the end of what is here, and :class:`BadInput`.
    """
    if not 0 < len(data) <= PART:
        raise BadInput(f"A part has between 1 and {PART} bytes. Nothing was kept.")
    if offset != upload.received or upload.job_id is not None:
        raise OutOfStep(upload.received)
    if offset + len(data) > upload.size:
        raise BadInput("This is more than the file was said to be. Nothing was kept; please choose it again.")
    if offset == 0:
        _check_beginning(data)
    key = keep(upload.owner_id, f"uploads/{upload.pk}/{uuid.uuid4().hex}", data)
    try:
        with transaction.atomic():
            _count(upload, offset, len(data), key)
    except BaseException:
        delete_files([key])
        raise
    upload.refresh_from_db()
    return upload


def _count(upload: ModelUpload, offset: int, more: int, key: str) -> None:
    """The part is here: one conditional update, which of two that send the same only one wins."""
    row = ModelUpload.objects.select_for_update().filter(pk=upload.pk, received=offset)
    parts = row.values_list("parts", flat=True).first()
    now = offset + more
    values = {"received": now, "parts": [*(parts or []), key], "touched_at": timezone.now()}
    if parts is None or row.update(**values) != 1:
        here = ModelUpload.objects.filter(pk=upload.pk).values_list("received", flat=True).first()
        if here is None:
            raise BadInput(GONE)
        raise OutOfStep(here)
    if now == upload.size:
        job = jobs.submit(upload.owner, "take-model", queue=settings.MODEL_QUEUE)
        ModelUpload.objects.filter(pk=upload.pk).update(job=job)


def _check_beginning(data: bytes) -> None:
    """A file that cannot be one is refused with its first part, not after gigabytes."""
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= MAX_HEADER_BYTES or data[8:9] != b"{":
        raise BadInput(NO_SAFETENSORS)


def forget_parts(upload: ModelUpload) -> None:
    """The parts are needed no more."""
    keys = list(upload.parts)
    ModelUpload.objects.filter(pk=upload.pk).update(parts=[])
    transaction.on_commit(lambda: delete_files(keys))


def delete_stale() -> int:
    """Uploads that nobody went on with; their number."""
    old = timezone.now() - timedelta(hours=KEPT_HOURS)
    at_work = Q(job__state__in=[Job.State.QUEUED, Job.State.RUNNING])
    return ModelUpload.objects.filter(touched_at__lt=old).exclude(at_work).delete()[1].get("studio.ModelUpload", 0)


@receiver(post_delete, sender=ModelUpload)
def _deleted(instance: ModelUpload, **_: Any) -> None:
    """The parts and the work go with it."""
    keys = list(instance.parts)
    jobs.cancel_by_id(instance.job_id)
    if keys:
        transaction.on_commit(lambda: delete_files(keys))
