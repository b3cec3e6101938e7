"""Pictures made from words, which are asked for several together."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils import timezone

from ml_backend.engines import ENGINES
from ml_backend.errors import BadInput
from ml_backend.models import Job
from ml_backend.requests import MAX_SEED, ImagineRequest, RestyleRequest
from patterns.made import Published, Viewer

from .sampling import MAX_PICTURES

REFUSED = "refused"
"""State of a picture that the safety check would not show; why stands in ``refused``."""


class FromWords(Published):
    """One picture made from words and one seed; the pictures asked for together share ``batch`` and ``job``.

    ``number`` (0, 1, ...) is its place in the batch, ``params`` the request as asked, ``recipe`` what made it, written
    into the file as well.  ``notes`` are sentences on what could not be honoured.  ``refused`` says why the safety
    check would not show it; then there is no file.  ``file`` (PNG) and ``thumb`` (WebP) are empty until it is made.
    """

    batch = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.PositiveSmallIntegerField(default=0)

    params = models.JSONField(default=dict)
    recipe = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    refused = models.TextField(blank=True)
    file = models.FileField(max_length=255, blank=True)
    thumb = models.FileField(max_length=255, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    called = "picture"
    work: ClassVar[str]
    """What its engines do, a key of :data:`ml_backend.engines.ENGINES`."""
    asked_as: ClassVar[type[RestyleRequest | ImagineRequest]]

    class Meta(Published.Meta):
        abstract = True
        ordering = ["-created_at", "number"]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="%(class)s_once_in_its_batch")]

    def twins(self) -> models.QuerySet[Any]:
        """The same words with the same seed."""
        same = {"params__prompt": self.prompt, "params__seed": self.seed}
        return type(self)._default_manager.filter(owner_id=self.owner_id, **same)

    @property
    def request(self) -> RestyleRequest | ImagineRequest:
        """As asked."""
        return self.asked_as.from_dict(self.params)

    @property
    def prompt(self) -> str:
        return str(self.params.get("prompt", ""))

    @property
    def engine(self) -> str:
        """Which of them makes it; pictures of before there was a choice were imagined by diffusion."""
        return str(self.params.get("engine", "diffusion"))

    @property
    def made_how(self) -> str:
        """``by the fabric engine``."""
        return ENGINES[self.work][self.engine].made

    @property
    def seed(self) -> int:
        return int(self.params.get("seed", 0))

    @property
    def state(self) -> str:
        """As of everything made, or :data:`REFUSED`."""
        return REFUSED if self.refused else super().state

    def jobs_of_its_own(self) -> list[uuid.UUID | None]:
        """The job goes on as long as it has another picture of the batch to make."""
        others = type(self)._default_manager.filter(batch=self.batch, file="", refused="").exclude(pk=self.pk)
        return [] if others.exists() else [self.job_id]


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


R = TypeVar("R", RestyleRequest, ImagineRequest)

HISTORY = 400
"""How many of a person's newest batches are looked through for their words."""


def prompts_of(person: Viewer, model: type[FromWords], limit: int = 30) -> list[str]:
    """The words a person has used for such pictures, newest first, each once."""
    if not person.pk:
        return []
    firsts = model._default_manager.filter(owner_id=person.pk, number=0)
    words: Iterable[str] = firsts.values_list("params__prompt", flat=True)[:HISTORY]
    return list(dict.fromkeys(words))[:limit]


def series(request: R, count: int) -> list[R]:
    if not 1 <= count <= MAX_PICTURES:
        raise BadInput(f"Between 1 and {MAX_PICTURES} pictures can be made at a time, not {count}.")
    return [dataclasses.replace(request, seed=(request.seed + n) % (MAX_SEED + 1)) for n in range(count)]


def common_to(owner: AbstractBaseUser) -> dict[str, Any]:
    """What the rows of one batch have in common; the same moment keeps them together in every list."""
    return {"owner": owner, "batch": uuid.uuid4(), "created_at": timezone.now()}
