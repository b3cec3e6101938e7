"""Following, stopping and repeating work."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponseBase
from ninja import Query, Router

from ml_backend.models import Job
from ml_backend.serving import jobs as work

from ... import limits
from ...workspace.views import own_job
from ...workspace.views import preview as preview_of
from .. import schemas, serializers
from ..auth import owner
from ..errors import ApiError
from ..things import page, private

router = Router(tags=["Jobs"])


@router.get(
    "",
    response={200: schemas.Page[schemas.Job], **schemas.refusals(422)},
    operation_id="list_jobs",
    summary="Your jobs",
)
def jobs(request: HttpRequest, paging: Query[schemas.Paging], active: bool = False) -> schemas.Page[schemas.Job]:
    """Newest first; ``active`` leaves out those that have ended. Ended jobs are forgotten after a month, what they
    made is not."""
    rows = Job.objects.filter(owner_id=request.user.pk).order_by("-created_at", "-pk").defer("request")
    if active:
        rows = rows.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING))
    return page(request, rows, paging, lambda some: serializers.all_jobs(request, some))


@router.get(
    "/{uuid:pk}",
    response={200: schemas.Job, **schemas.refusals(404)},
    operation_id="get_job",
    summary="How a job stands",
    url_name="job",
)
def job(request: HttpRequest, pk: uuid.UUID) -> schemas.Job:
    """Ask about once a second until ``state`` is done, failed or cancelled."""
    return serializers.job(request, own_job(request, pk))


@router.get(
    "/{uuid:pk}/preview",
    response={200: None, 204: None, **schemas.refusals(404)},
    operation_id="get_job_preview",
    summary="The picture in work",
    url_name="job-preview",
    openapi_extra=schemas.PICTURE,
)
def preview(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """What it looks like so far; 204 before the first and after the end."""
    return private(preview_of(request, pk))


@router.post(
    "/{uuid:pk}/cancel",
    response={200: schemas.Job, **schemas.refusals(404, 409)},
    operation_id="cancel_job",
    summary="Stop a job",
)
def cancel(request: HttpRequest, pk: uuid.UUID) -> schemas.Job:
    """At once, if it waits or runs; pictures of a batch that are finished are kept. Safe to repeat."""
    row = own_job(request, pk)
    if not work.cancel(row) and row.state != Job.State.CANCELLED:
        raise ApiError(409, "already_ended", "This had already ended; nothing was changed.")
    return serializers.job(request, row)


@router.post(
    "/{uuid:pk}/retry",
    response={200: schemas.Job, **schemas.refusals(404, 409, 422, 429)},
    operation_id="retry_job",
    summary="Try a job again",
)
def retry(request: HttpRequest, pk: uuid.UUID) -> schemas.Job:
    """One that failed or was cancelled, and what it needs; only what is missing is made. Safe to repeat."""
    row = own_job(request, pk)
    if row.can_retry:
        limits.new_job(owner(request))
    if not work.retry(row) and not row.active:
        raise ApiError(409, "already_ended", "This is done; there is nothing to try again.")
    return serializers.job(request, row)
