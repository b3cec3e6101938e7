"""Following one's own jobs: cancel, try again."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from ml_backend.errors import BadInput
from ml_backend.models import Job
from ml_backend.serving import jobs

from .. import limits
from .answers import go_back, is_htmx, refuse


@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop a job that waits or runs; one that has ended stays as it is."""
    job = _mine(request, pk)
    if not jobs.cancel(job) and not is_htmx(request):
        messages.info(request, "This had already ended; nothing was changed.")
    return _subjects(request, job)


@require_POST
def retry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Queue a failed or cancelled job again, unless what it works on is gone or too much is under way."""
    job = _mine(request, pk)
    if job.can_retry:
        limits.new_job(job.owner)
    try:
        queued = jobs.retry(job)
    except BadInput as error:
        return refuse(request, error)
    if not queued and not is_htmx(request):
        messages.info(request, "This is already under way.")
    return _subjects(request, job)


def _mine(request: HttpRequest, pk: uuid.UUID) -> Job:
    return get_object_or_404(Job.objects.filter(owner_id=request.user.pk), pk=pk)


def _subjects(request: HttpRequest, job: Job) -> HttpResponse:
    """To htmx, whatever on the page shows this job, drawn anew."""
    if not is_htmx(request):
        return go_back(request)
    context = {
        "cells": job.patterns.select_related("job"),
        "looks": job.looks.select_related("job"),
        "photos": job.photos.select_related("job"),
        "larges": job.large_patterns.select_related("large_job"),
        "now": True,  # trying again asks for the file anew: it is saved as soon as it is there
        "oob": True,
    }
    return render(request, "jobs/_subjects.html", context)
