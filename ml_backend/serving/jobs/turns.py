"""Whose turn it is: people take turns at the workers, and guests of one address take one together."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Subquery
from django.utils import timezone

from ...models import Job

State = Job.State


def turn_of(owner: AbstractBaseUser) -> str:
    """Whose turn a job of ``owner`` takes: their own, unless their ``turn`` says that they share one."""
    return str(getattr(owner, "turn", "") or f"person {owner.pk}")


def share_turn(owner: AbstractBaseUser) -> None:
    """Give the jobs of ``owner`` the turn that is theirs now."""
    Job.objects.filter(owner_id=owner.pk).update(turn=turn_of(owner))


def place(job: Job) -> int:
    """Place in the queue: 1 starts next.  0 when the job is not waiting, or pauses and is in no line."""
    return places([job])[job.pk]


def places(jobs: Iterable[Job]) -> dict[uuid.UUID, int]:
    """Places in the queue of all of ``jobs``, in two queries however many they are; see :func:`place`.

    People take turns, and guests of one address share one: within it they take turns again.  So a job with k of its
    owner's before it waits for at most k+1 of each other person's.
    """
    jobs = list(jobs)
    found = dict.fromkeys((job.pk for job in jobs), 0)
    waiting = [job for job in jobs if job.state == State.QUEUED and not job.paused]
    if not waiting:
        return found
    turns = _turns_of({job.queue for job in waiting})
    queued = Job.objects.filter(
        _due(), state=State.QUEUED, queue__in=turns, owner__in={job.owner_id for job in waiting}
    )
    own: Counter[tuple[str, str, Any]] = Counter()
    for queue, turn, owner, pk in queued.order_by("queued_at", "pk").values_list("queue", "turn", "owner", "pk"):
        before = own[queue, turn, owner]
        if pk in found and owner in turns[queue].people.get(turn, {}):
            inside = before + _ahead(turns[queue].people[turn], owner, before)
            found[pk] = inside + _ahead(turns[queue].shared, turn, inside) + 1
        own[queue, turn, owner] += 1
    return found


def fairest(queues: Sequence[str]) -> uuid.UUID | None:
    """The queued job that starts next: that of whoever had their turn longest ago."""
    unmet = Job.after.through.objects.filter(from_job=OuterRef("pk")).exclude(to_job__state=State.DONE)
    waiting = Job.objects.filter(_due(), queue__in=queues, state=State.QUEUED).filter(~Exists(unmet))
    turns = waiting.annotate(last=_last_start("turn"), own_last=_last_start("owner")).order_by(
        F("last").asc(nulls_first=True), F("own_last").asc(nulls_first=True), "queued_at", "pk"
    )
    return turns.values_list("pk", flat=True).first()


def _due() -> Q:
    """Jobs that do not pause just now."""
    return Q(not_before__isnull=True) | Q(not_before__lte=timezone.now())


@dataclass(frozen=True)
class _Waiting:
    """Those who take turns as one: how many jobs wait, and since when they have had no turn."""

    count: int
    since: tuple[float, Any]


@dataclass(frozen=True)
class _Turns:
    """Who waits in one queue: by turn, and within each turn by person."""

    shared: dict[str, _Waiting] = field(default_factory=dict)
    people: dict[str, dict[Any, _Waiting]] = field(default_factory=dict)


def _turns_of(queues: Iterable[str]) -> dict[str, _Turns]:
    """Who waits in each of ``queues``."""
    turns = {queue: _Turns() for queue in queues}
    queued = Job.objects.filter(_due(), queue__in=turns, state=State.QUEUED).values("queue", "turn", "owner")
    people = queued.annotate(
        count=Count("pk"), first=Min("queued_at"), last=_last_start("owner"), turn_last=_last_start("turn")
    )
    for row in people.order_by():
        queue, turn = turns[row["queue"]], row["turn"]
        queue.people.setdefault(turn, {})[row["owner"]] = _Waiting(row["count"], (_when(row["last"]), row["first"]))
        one = _Waiting(row["count"], (_when(row["turn_last"]), row["first"]))
        others = queue.shared.get(turn)
        queue.shared[turn] = _Waiting(one.count + others.count, min(one.since, others.since)) if others else one
    return turns


def _ahead(waiting: Mapping[Any, _Waiting], mine: Any, own: int) -> int:
    """How many jobs of the others start before the one of mine that has ``own`` of mine before it."""
    since = waiting[mine].since
    return sum(min(one.count, own + (one.since < since)) for name, one in waiting.items() if name != mine)


def _when(last: Any) -> float:
    """Sort key of a turn: who never had one comes first."""
    return last.timestamp() if last else 0.0


def _last_start(whose: str) -> Subquery:
    """When a job of the outer row's queue, and of its ``whose`` (turn or owner), was last started."""
    starts = Job.objects.filter(**{whose: OuterRef(whose)}, queue=OuterRef("queue")).order_by()
    return Subquery(starts.values(whose).annotate(last=Max("started_at")).values("last"))
