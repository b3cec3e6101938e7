"""Pictures that were asked for together."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Generic, TypeVar

from ml_backend.models import Job

from ..models import FromWords

P = TypeVar("P", bound=FromWords)


@dataclass(frozen=True)
class Batch(Generic[P]):
    """One job's pictures in their order; ``pictures`` is never empty."""

    id: uuid.UUID
    pictures: tuple[P, ...]

    @property
    def first(self) -> P:
        return self.pictures[0]

    @property
    def job(self) -> Job | None:
        return self.first.job

    @property
    def made(self) -> list[P]:
        return [one for one in self.pictures if one.ready]

    @property
    def missing(self) -> list[P]:
        """Neither there nor refused."""
        return [one for one in self.pictures if not (one.ready or one.refused)]

    @property
    def active(self) -> bool:
        return self.job is not None and self.job.active and bool(self.missing)

    @property
    def notes(self) -> list[str]:
        """What could not be honoured, each sentence once."""
        return list(dict.fromkeys(note for one in self.pictures for note in one.notes))

    @property
    def seeds(self) -> str:
        """``seed 7`` or ``seeds 7 to 10``."""
        first, last = self.first.seed, self.pictures[-1].seed
        return f"seed {first}" if first == last else f"seeds {first} to {last}"
