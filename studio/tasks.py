"""Celery's side of the studio."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import close_old_connections

from ml_backend.serving import jobs
from patterns.services import count_shares

from . import counting
from . import retention as rules
from .api import idempotency
from .curation import uploading
from .trends import services as trends

log = logging.getLogger(__name__)


@shared_task(name="studio.tasks.retention")  # type: ignore[untyped-decorator]
def retention() -> None:
    """What the beat schedule runs a few times a day."""
    close_old_connections()
    photos, masks = rules.delete_old_photos(), rules.delete_loose_masks()
    guests, old = rules.delete_empty_guests(), jobs.purge_old()
    rules.delete_unkept_fabrics()
    trends.forget()
    rules.delete_expired_sessions()
    count_shares()
    idempotency.delete_old()
    counting.delete_over()
    uploading.delete_stale()
    if photos or masks or guests or old:
        log.info(
            "Retention deleted %s photos, %s masks, %s empty guests and %s old job rows.", photos, masks, guests, old
        )
