"""What people make here: whose it is, how it stands, its files, and who may see it.

A kind of thing is a subclass of :class:`Made`, or of :class:`Published` where everybody may be shown it.  It names its
files; deleting, states, addresses and what who may see come from here.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.signals import class_prepared, post_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.serving import jobs
from ml_backend.serving.storage import delete_after_commit

MOST_WORDS = 300
"""Characters of the reason that staff give."""

TAKEN_DOWN = (
    "Staff took this down: {why} Nothing of yours is lost, but it cannot be published again unless staff lift it."
)

UNCHANGING = "private, max-age=86400"
ASK_AGAIN = "private, no-cache"

Viewer = AbstractBaseUser | AnonymousUser
M = TypeVar("M", bound="Made")
Row = TypeVar("Row", bound=models.Model)


def wanted(rows: models.QuerySet[Row], why: str) -> Row:
    """The row that a job fills.  Raises :class:`Stopped` where it is gone."""
    row = rows.first()
    if row is None:
        raise Stopped(why)
    return row


def still_wanted(rows: int) -> None:
    """A row deleted while its job was at work takes nothing; stopping here drops the files."""
    if rows != 1:
        raise Stopped("This is no longer wanted.")


class Stored(models.Model):
    """Has files of its own.  They are served at the address named after the model, and go with the row."""

    file_fields: ClassVar[tuple[str, ...]] = ("file", "thumb")
    main_file: ClassVar[str] = "file"
    """The file with which it is done."""
    file_caching: ClassVar[str] = ASK_AGAIN
    """How long a browser may keep the files."""
    read_by_scripts: ClassVar[bool] = False
    """Whether all its files must come from this very site, because a page reads them pixel by pixel."""

    class Meta:
        abstract = True

    @property
    def ready(self) -> bool:
        return bool(getattr(self, self.main_file))

    def file_key(self) -> Any:
        """How an address names it."""
        return self.pk

    def file_title(self, name: str) -> str:  # noqa: ARG002
        """What a file of it is called where it is saved, without its ending."""
        return str(self._meta.model_name)

    def url_of(self, name: str) -> str:
        """Address of a file; empty while there is none.  Append ``?download`` to save rather than show."""
        return reverse(f"{self._meta.model_name}-file", args=[self.file_key(), name]) if getattr(self, name) else ""

    @property
    def file_url(self) -> str:
        return self.url_of(self.main_file)

    @property
    def thumb_url(self) -> str:
        return self.url_of("thumb")

    def downloaded(self, by: Viewer) -> None:
        """Somebody has saved a file of it."""

    def jobs_of_its_own(self) -> list[uuid.UUID | None]:
        """The work that nobody needs without it."""
        return []


@receiver(class_prepared)
def _follow(sender: type[models.Model], **_: Any) -> None:
    """Only models that have files are listened to: of others Django may go on deleting many at once."""
    if issubclass(sender, Stored):
        post_delete.connect(_deleted, sender=sender)


def _deleted(instance: Stored, **_: Any) -> None:
    """What is deleted takes its work and its files along."""
    delete_after_commit(instance, instance.file_fields)
    for pk in instance.jobs_of_its_own():
        jobs.cancel_by_id(pk)


class MadeQuerySet(models.QuerySet[M]):
    def of(self, person: Viewer) -> Self:
        """Everything of one person's, whatever its state; nothing for an anonymous visitor."""
        return self.filter(owner_id=person.pk) if person.pk else self.none()

    def ready(self) -> Self:
        return self.exclude(**{self.model.main_file: ""})

    def visible_to(self, person: Viewer) -> Self:
        """One's own."""
        return self.of(person)

    def named(self, text: str | None) -> M | None:
        """The one that an address names by its id; None for an unknown or malformed one."""
        try:
            return self.filter(pk=uuid.UUID(text or "")).first()
        except ValueError:
            return None


class Made(Stored):
    """One person's; a job makes it, and it is done once its main file is there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="%(class)ss")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="%(class)ss")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["owner", "-created_at"], name="%(class)s_mine")]

    def __str__(self) -> str:
        return f"{self._meta.model_name} {self.pk}"

    @property
    def folder(self) -> str:
        """Where its files lie in the storage."""
        return f"{self._meta.model_name}s/{self.pk}"

    @property
    def state(self) -> str:
        """Done with its main file, else how its job stands; one that ended well without making it has failed it."""
        if self.ready:
            return Job.State.DONE
        return self.job.state if self.job is not None and self.job.state != Job.State.DONE else Job.State.FAILED

    def is_coming(self, name: str) -> bool:
        """Whether the file of that name is not there, but being made."""
        return not getattr(self, name) and self.state in (Job.State.QUEUED, Job.State.RUNNING)

    def jobs_of_its_own(self) -> list[uuid.UUID | None]:
        return [self.job_id]


class PublishedQuerySet(MadeQuerySet[M]):
    def public(self) -> Self:
        return self.filter(public=True).ready()

    def visible_to(self, person: Viewer) -> Self:
        """One's own, and what others have published."""
        mine = Q(owner_id=person.pk) if person.pk else Q(pk__in=[])
        return self.filter(mine | (Q(public=True) & ~Q(**{self.model.main_file: ""})))


class Published(Made):
    """Can be shown to everybody, and taken down by staff.  What was taken down is private until staff lift it."""

    called: ClassVar[str]
    """What a sentence calls it: pattern, look, picture."""

    public = models.BooleanField(default=False)
    taken_down_at = models.DateTimeField(null=True, blank=True)
    taken_down_why = models.CharField(max_length=MOST_WORDS, blank=True)

    class Meta(Made.Meta):
        abstract = True
        indexes = [*Made.Meta.indexes, models.Index(fields=["public", "-created_at"], name="%(class)s_gallery")]

    def is_visible_to(self, person: Viewer) -> bool:
        """Whether :meth:`PublishedQuerySet.visible_to` has it."""
        return self.owner_id == person.pk or (self.public and self.ready)

    @property
    def taken_down(self) -> str:
        """The sentence for its owner; empty for what staff have not taken down."""
        return TAKEN_DOWN.format(why=self.taken_down_why) if self.taken_down_at else ""

    def twins(self) -> models.QuerySet[Any]:
        """Rows of the same owner's that would show the same again, this one among them."""
        raise NotImplementedError

    @classmethod
    def not_ready(cls) -> str:
        """What is said to who wants it before it is done."""
        return f"This {cls.called} is still being made; try again in a moment."

    def publish(self, public: bool) -> None:
        """Show to everybody, or take back.

        Raises :class:`BadInput` while it is not done, and where staff have taken this, or its like, down.
        """
        rows = type(self)._default_manager.filter(pk=self.pk)
        if public:
            if not self.ready:
                raise BadInput(self.not_ready())
            down = self.twins().exclude(taken_down_at=None).first()
            if down is not None:
                raise BadInput(down.taken_down)
            rows = rows.filter(taken_down_at=None)  # staff may be at it at this very moment
        changed = rows.update(public=public)
        self.public = public and bool(changed)
