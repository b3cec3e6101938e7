"""Asking for work: ordering it, and trying again what ended badly."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from ...errors import BadInput
from ...models import Job
from ...requests import Request
from ..storage import check_room
from . import kinds, states, turns
from .doorbell import ring_after_commit

R = TypeVar("R", bound=Request)


class TooManyJobs(BadInput):
    """The person has as many unfinished jobs as one person may have."""


def submit(
    owner: AbstractBaseUser,
    kind: str,
    request: Mapping[str, Any] | None = None,
    *,
    queue: str = "default",
    after: Iterable[Job | None] = (),
) -> Job:
    """Write a queued job and ring for it after commit.

    What is to be made stands in the row that will know this job as its own; ``request`` is what the worker reads beside
    it, a :class:`Request` as its ``to_dict`` tells it (see :func:`asked`).
    It starts only when all jobs of ``after`` are done (None and finished ones are ignored).  Raises
    :class:`TooManyJobs` above the cap per person, ``NoRoom`` without room for results, and :class:`BadInput` when a
    job it needs has failed or a gate is shut.
    """
    if kind not in kinds.handlers:
        raise ValueError(f"Nobody does jobs of kind {kind!r}.")
    with transaction.atomic():
        _check_cap(owner.pk)
        check_room(owner)
        kinds.ask_gates(owner)
        job = Job.objects.create(
            owner_id=owner.pk, turn=turns.turn_of(owner), kind=kind, request=request or {}, queue=queue
        )
        named = [one.pk for one in after if one is not None]
        needed = list(Job.objects.select_for_update().filter(pk__in=named).exclude(state=Job.State.DONE))
        if any(not one.active for one in needed):
            raise BadInput(states.NEEDED_FAILED)
        if needed:
            job.after.set(needed)
        ring_after_commit(queue)
    return job


def asked(job: Job, kind: type[R]) -> R:
    """The request that the job was submitted with.  What else jobs of before told there is left unread."""
    known = {field.name for field in dataclasses.fields(kind)}
    return kind.from_dict({name: value for name, value in job.request.items() if name in known})


def retry(job: Job) -> bool:
    """Queue a failed or cancelled job again, and with it whatever it needs that also ended; False if it had not.

    Raises :class:`TooManyJobs` above the cap per person, and :class:`BadInput` with a sentence when what one of them
    works on is gone.  Then nothing is queued.
    """
    with transaction.atomic():
        _lock_person(job.owner_id)
        again = _ended_with_needs(job.pk)
        if again:
            _check_cap(job.owner_id, len(again))
        for one in reversed(again):
            kinds.check_possible(one)
        for one in again:
            states.queue_again(one)
    job.refresh_from_db()
    return bool(again)


def _ended_with_needs(pk: uuid.UUID) -> list[Job]:
    """The job and those it needs as far as they have ended, what comes first first; empty when it has not itself.

    The rows are locked in the order in which an end goes through them, so a job that ends meanwhile is either seen
    here, or sees what is queued here.
    """
    needs = Job.after.through.objects.filter(from_job=pk).values_list("to_job", flat=True)
    found: dict[uuid.UUID, Job] = {}
    for needed in sorted(needs):
        found |= {one.pk: one for one in _ended_with_needs(needed)}
    job = Job.objects.select_for_update().filter(pk=pk).first()
    return [*found.values(), job] if job is not None and job.state in states.BADLY else []


def _check_cap(owner: Any, more: int = 1) -> None:
    """Whether the person with that key may have ``more`` jobs; raises :class:`TooManyJobs`."""
    _lock_person(owner)
    active = Job.objects.filter(owner_id=owner, state__in=(Job.State.QUEUED, Job.State.RUNNING)).count()
    if active + more > settings.MAX_ACTIVE_JOBS:
        raise TooManyJobs(
            f"You already have {active} pieces of work under way. Wait for some to finish, or cancel them."
        )


def _lock_person(pk: Any) -> None:
    """Two tabs that ask together take turns, so they cannot pass the cap together."""
    get_user_model()._default_manager.select_for_update().filter(pk=pk).first()
