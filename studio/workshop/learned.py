"""What has learned from a data set, known by its hash."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from ml_backend.models import ModelVersion, TrainingRun

from .models import DataSet

MOST_NAMED = 20
"""Of each kind, that a sentence names."""


@dataclass(frozen=True)
class Learned:
    runs: list[TrainingRun]
    versions: list[ModelVersion]

    def __bool__(self) -> bool:
        return bool(self.runs or self.versions)


def of(data_set: DataSet) -> Learned:
    """Everything that learned from these very pictures and captions, and what was trained from that; newest first."""
    if not data_set.frozen:
        return Learned([], [])
    runs = TrainingRun.objects.filter(data_sha256=data_set.sha256).select_related("job").order_by("-created_at", "-pk")
    same = Q(data_sha256=data_set.sha256)
    known: set[int] = set()
    while found := set(ModelVersion.objects.filter(same).exclude(pk__in=known).values_list("pk", flat=True)):
        known |= found
        same = Q(parent__in=found)
    return Learned(list(runs), list(ModelVersion.objects.filter(pk__in=known).order_by("-created_at", "-pk")))


def told(data_set: DataSet) -> str:
    """A sentence that names them."""
    found = of(data_set)
    if not found:
        return "Nothing has learned from it."
    versions = [version.reference for version in found.versions]
    runs = [f"run {run.pk}" for run in found.runs]
    named = [*versions[:MOST_NAMED], *runs[:MOST_NAMED]]
    more = len(versions) + len(runs) - len(named)
    and_more = f" and {more} more" if more else ""
    return (
        f"These learned from it, and stay until they are deleted themselves: {', '.join(named)}{and_more}. "
        "They could not be made again without it."
    )
