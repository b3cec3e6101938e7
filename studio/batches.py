"""Pictures made from words, which are asked for several together."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from ml_backend.errors import BadInput
from ml_backend.models import Job
from ml_backend.requests import MAX_SEED, ImagineRequest, RestyleRequest
from patterns.models import Viewer
from patterns.moderation import Moderated

REFUSED = "refused"
"""State of a picture that the safety check would not show; why stands in ``refused``."""


M = TypeVar("M", bound="FromWords")


class FromWordsQuerySet(models.QuerySet[M]):
    def of(self, person: Viewer) -> Self:
        """Everything of one person's, whatever its state; nothing for an anonymous visitor."""
        return self.filter(owner_id=person.pk) if person.pk else self.none()

    def ready(self) -> Self:
        return self.exclude(file="")

    def public(self) -> Self:
        return self.filter(public=True).ready()

    def visible_to(self, person: Viewer) -> Self:
        """One's own, and what others have published."""
        mine = Q(owner_id=person.pk) if person.pk else Q(pk__in=[])
        return self.filter(mine | (Q(public=True) & ~Q(file="")))


class FromWords(Moderated):
    """One picture made from words and one seed; the pictures asked for together share ``batch`` and ``job``.

    ``number`` (0, 1, ...) is its place in the batch, ``params`` the request as asked, ``recipe`` what made it, written
    into the file as well.  ``notes`` are sentences on what could not be honoured.  ``refused`` says why the safety
    check would not show it; then there is no file.  ``file`` (PNG) and ``thumb`` (WebP) are empty until it is made.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="%(class)ss")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="%(class)ss")
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

    created_at = models.DateTimeField(default=timezone.now)

    file_fields = ("file", "thumb")
    file_route: ClassVar[str]
    """Name of the URL that serves the files."""

    class Meta:
        abstract = True
        ordering = ["-created_at", "number"]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="%(class)s_mine"),
            models.Index(fields=["public", "-created_at"], name="%(class)s_gallery"),
        ]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="%(class)s_once_in_its_batch")]

    def __str__(self) -> str:
        return f"{self._meta.model_name} {self.pk}"

    @property
    def folder(self) -> str:
        return f"{self._meta.model_name}s/{self.pk}"

    def twins(self) -> models.QuerySet[Any]:
        """The same words with the same seed."""
        same = {"params__prompt": self.prompt, "params__seed": self.seed}
        return type(self)._default_manager.filter(owner_id=self.owner_id, **same)

    @property
    def prompt(self) -> str:
        return str(self.params.get("prompt", ""))

    @property
    def engine(self) -> str:
        """Which of the two makes it; pictures of before there was a choice were imagined by diffusion."""
        return str(self.params.get("engine", "diffusion"))

    @property
    def seed(self) -> int:
        return int(self.params.get("seed", 0))

    @property
    def state(self) -> str:
        """``done``, :data:`REFUSED`, or how its job stands."""
        if self.refused:
            return REFUSED
        return state_of(self.file, self.job)

    @property
    def ready(self) -> bool:
        return bool(self.file)

    @property
    def file_url(self) -> str:
        """Empty until made; append ``?download`` to save rather than show."""
        return reverse(self.file_route, args=[self.pk, "file"]) if self.file else ""

    @property
    def thumb_url(self) -> str:
        return reverse(self.file_route, args=[self.pk, "thumb"]) if self.thumb else ""


def state_of(file: Any, job: Job | None) -> str:
    """Done with its file; a job that ended well without making it, or is long gone, has failed it."""
    if file:
        return Job.State.DONE
    return job.state if job is not None and job.state != Job.State.DONE else Job.State.FAILED


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


MAX_COUNT = 8
"""Pictures of one batch."""


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
    if not 1 <= count <= MAX_COUNT:
        raise BadInput(f"Between 1 and {MAX_COUNT} pictures can be made at a time, not {count}.")
    return [dataclasses.replace(request, seed=(request.seed + n) % (MAX_SEED + 1)) for n in range(count)]


def common_to(owner: AbstractBaseUser) -> dict[str, Any]:
    """What the rows of one batch have in common; the same moment keeps them together in every list."""
    return {"owner": owner, "batch": uuid.uuid4(), "created_at": timezone.now()}
