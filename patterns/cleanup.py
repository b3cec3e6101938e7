"""A deleted pattern takes its work and its files along."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from ml_backend.serving import jobs
from ml_backend.serving.storage import delete_after_commit

from .models import Pattern


@receiver(post_delete, sender=Pattern)
def pattern_deleted(instance: Pattern, **_: Any) -> None:
    for pk in (instance.job_id, instance.large_job_id):
        jobs.cancel_by_id(pk)
    delete_after_commit(instance, Pattern.file_fields)
