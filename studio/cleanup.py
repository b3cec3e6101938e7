"""A deleted photo, garment or look takes its work and its files along."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from ml_backend import jobs
from ml_backend.storage import delete_after_commit

from .models import Garment, Look, Photo


@receiver(post_delete, sender=Photo)
@receiver(post_delete, sender=Look)
def work_deleted(instance: Photo | Look, **_: Any) -> None:
    jobs.cancel_by_id(instance.job_id)
    delete_after_commit(instance, instance.file_fields)


@receiver(post_delete, sender=Garment)
def garment_deleted(instance: Garment, **_: Any) -> None:
    delete_after_commit(instance, Garment.file_fields)
