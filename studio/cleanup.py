"""A deleted photo, garment, look, mask or picture takes its work and its files along."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from ml_backend.serving import jobs
from ml_backend.serving.storage import delete_after_commit

from .models import Garment, Imagining, Look, Mask, Photo, Restyle


@receiver(post_delete, sender=Photo)
@receiver(post_delete, sender=Look)
@receiver(post_delete, sender=Mask)
def work_deleted(instance: Photo | Look | Mask, **_: Any) -> None:
    jobs.cancel_by_id(instance.job_id)
    delete_after_commit(instance, instance.file_fields)


@receiver(post_delete, sender=Restyle)
@receiver(post_delete, sender=Imagining)
def picture_deleted(instance: Restyle | Imagining, **_: Any) -> None:
    """The job goes on as long as it has another picture of its batch to make."""
    delete_after_commit(instance, instance.file_fields)
    missing = type(instance)._default_manager.filter(batch=instance.batch, file="", refused="")
    if not missing.exists():
        jobs.cancel_by_id(instance.job_id)


@receiver(post_delete, sender=Garment)
def garment_deleted(instance: Garment, **_: Any) -> None:
    delete_after_commit(instance, Garment.file_fields)
