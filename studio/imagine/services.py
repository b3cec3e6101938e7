"""Pictures from words alone."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from ml_backend.requests import ImagineRequest
from ml_backend.serving import jobs, registry

from ..account.models import User
from ..batches import common_to, series
from .models import Imagining


def ask_imagine(owner: User, request: ImagineRequest, count: int = 1) -> list[Imagining]:
    """``count`` pictures from words, of the request's seed and those after it; one batch, made by one job."""
    requests = series(registry.settled("imagine", request, owner), count)
    with transaction.atomic():
        common = common_to(owner)
        job = jobs.submit(owner, "imagine", queue=settings.MODEL_QUEUE)
        rows = [Imagining(job=job, number=n, params=one.to_dict(), **common) for n, one in enumerate(requests)]
        return Imagining.objects.bulk_create(rows)
