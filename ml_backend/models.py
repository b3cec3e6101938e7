"""Jobs, the files they are writing, and the models that serve."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Job(models.Model):
    """One piece of work of one person.  Only :mod:`ml_backend.serving.jobs.states` writes ``state``."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs")
    turn = models.CharField(max_length=80)
    """Who takes turns at the workers: the owner, or all guests of one address together."""
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=20, default="default")
    request = models.JSONField(default=dict)
    """What its worker reads beside the row that the job fills; see :func:`ml_backend.serving.jobs.asked`."""
    after = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="then")
    """Jobs that must be done before this one may start."""

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0.0)
    stage = models.CharField(max_length=120, blank=True)
    message = models.TextField(blank=True)
    """Why it failed, or why it was put back, in a sentence for its owner."""

    preview = models.BinaryField(default=bytes, editable=False)
    """A small WebP or JPEG of the picture in work, while there is one; see :func:`ml_backend.serving.jobs.show`."""
    shown = models.PositiveIntegerField(default=0)
    """Number of the preview, 0 without one: a page asks for the picture again when it changes."""

    attempt = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, editable=False)
    """Token of the claim that may write this row; null unless running."""
    lease_until = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    """A job that was put back does not start earlier."""
    pauses = models.PositiveSmallIntegerField(default=0, editable=False)
    """How often it was put back."""
    version = models.TextField(blank=True, editable=False)
    """References of the models that it ran with, one a line, in the order in which its worker asked for them."""

    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    rung_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    if TYPE_CHECKING:
        then: RelatedManager[Job]

    class Meta:
        indexes = [
            models.Index(fields=["queue", "state", "queued_at"], name="job_waiting"),
            models.Index(fields=["owner", "queue", "started_at"], name="job_turns"),
            models.Index(fields=["turn", "queue", "started_at"], name="job_shared_turns"),
            models.Index(fields=["owner", "state"], name="job_active"),
            models.Index(fields=["state", "lease_until"], name="job_leases"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"

    @property
    def active(self) -> bool:
        """Queued or running."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def can_retry(self) -> bool:
        return self.state in (self.State.FAILED, self.State.CANCELLED)

    @property
    def paused(self) -> bool:
        """Queued, and put off until something that is away may be back."""
        return self.state == self.State.QUEUED and self.not_before is not None and self.not_before > timezone.now()

    @property
    def why_waiting(self) -> str:
        """While it is paused, a sentence that says why and for how long; else ""."""
        if not self.paused or self.not_before is None:
            return ""
        seconds = math.ceil((self.not_before - timezone.now()).total_seconds())
        return f"{self.message.rstrip('.')}; trying again in {max(seconds, 1)} s."

    @property
    def percent(self) -> int:
        return round(self.progress * 100)

    def key(self, folder: str, name: str) -> str:
        """A storage key that no other attempt writes: ``folder/<lease prefix>-name``."""
        if self.lease is None:
            raise ValueError("Only a claimed job has keys.")
        return f"{folder}/{self.lease.hex[:12]}-{name}"

    def scratch(self, key: str) -> str:
        """Note that ``key`` is about to be written, so it is deleted if this claim does not finish; returns ``key``."""
        if self.lease is None:
            raise ValueError("Only a claimed job has scratch files.")
        ScratchFile.objects.create(lease=self.lease, key=key)
        return key


class ScratchFile(models.Model):
    """A file written under a claim that has not finished yet; the row goes when the finish publishes the file."""

    lease = models.UUIDField(db_index=True)
    key = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key


class StoredFile(models.Model):
    """How large a stored file of a person's is; written and forgotten by :mod:`ml_backend.serving.storage` only."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="stored_files")
    key = models.CharField(max_length=255, db_index=True)
    size = models.PositiveBigIntegerField()
    """Bytes."""

    def __str__(self) -> str:
        return self.key


class ModelVersion(models.Model):
    """One package of weights, kept in storage under ``models/<sha256>/`` or, for a starter, shipped with Toile.

    It begins as a draft, becomes a candidate, serves and retires; only :mod:`ml_backend.serving.curation` moves it on.
    At most one is the ``default`` of its own capability; what it can do besides (see :attr:`capabilities`) it also
    serves while no model made for that does.  Where people may choose, others serve beside it.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        """Kept and whole; nobody has judged it."""
        CANDIDATE = "candidate"
        """Tried, and may be compared and promoted."""
        SERVING = "serving"
        """A request may name it."""
        RETIRED = "retired"
        """No longer chosen; what it made can still be made again while its files are kept."""

    class Origin(models.TextChoices):
        STARTER = "starter", "ships with Toile"
        HUB = "hub", "from a hub"
        TRAINED = "trained", "trained here"
        UPLOADED = "uploaded", "uploaded"

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=40, default="1")
    capability = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64, db_index=True)
    manifest = models.JSONField(default=dict)
    card = models.TextField(blank=True)
    licence = models.TextField(blank=True)
    """As its manifest, model card or licence file says."""
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.TRAINED)
    source = models.CharField(max_length=300, blank=True)
    """Where it was pulled from: ``owner/name@commit`` of a hub, or the name of a file or folder."""
    size = models.PositiveBigIntegerField(default=0)
    """Bytes of its files."""
    files = models.JSONField(default=list)
    """What the package holds: ``name``, ``size`` (bytes) and ``sha256`` of each file."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    default = models.BooleanField(default=False)
    """It does the work when no model is named."""
    starter = models.CharField(max_length=60, blank=True)
    """Folder of the starter that this row curates; empty for a model kept in storage."""
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="model_versions"
    )
    """Whose own it is, for nobody else to see or use; null for the house's.  Staff publish it by letting it serve."""
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    """The version that it was trained from."""
    data_sha256 = models.CharField(max_length=64, blank=True)
    """Hash of the frozen data set that it learned from."""
    data_name = models.CharField(max_length=120, blank=True)
    recipe = models.JSONField(default=dict, blank=True)
    """What trained it: the settings of the run."""
    metrics = models.JSONField(default=list, blank=True)
    """Rows of the evaluation's table: ``metric``, ``value``, ``deviation``, ``n``, ``features``, ``data`` and
    ``command`` each."""
    endpoint = models.JSONField(default=dict, blank=True)
    """Where it is served from elsewhere; {} while workers here load its files."""
    created_at = models.DateTimeField(default=timezone.now)

    if TYPE_CHECKING:
        training_runs: RelatedManager[TrainingRun]
        events: RelatedManager[CurationEvent]

    class Meta:
        ordering = ["capability", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["capability"], condition=Q(default=True), name="one_default_of_a_capability"
            ),
            models.UniqueConstraint(fields=["starter"], condition=~Q(starter=""), name="one_row_of_a_starter"),
            models.UniqueConstraint(fields=["sha256"], condition=Q(owner=None), name="one_row_of_a_package"),
            models.UniqueConstraint(fields=["sha256", "owner"], name="one_row_of_a_package_and_person"),
            models.CheckConstraint(condition=Q(default=False) | Q(status="serving"), name="the_default_serves"),
            models.CheckConstraint(condition=Q(owner=None) | ~Q(status="serving"), name="what_serves_is_the_house_s"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """``name@sha256-prefix``, as recipes name it."""
        return f"{self.name}@{self.sha256[:12]}"

    @property
    def serving(self) -> bool:
        """Whether a request may name it."""
        return self.status == self.Status.SERVING

    @property
    def capabilities(self) -> tuple[str, ...]:
        """All that it can serve, the main one first."""
        also = self.manifest.get("config", {}).get("also", [])
        return (self.capability, *(name for name in also if name != self.capability))

    @property
    def folder(self) -> str:
        """Storage folder of the package."""
        return f"models/{self.sha256}"


class CurationEvent(models.Model):
    """Who did what to which model, and when: the audit log.  Rows are added and never changed.

    It outlives what it tells of: the version's reference and the person's name stay when their rows go.
    """

    class Action(models.TextChoices):
        ADDED = "added"
        NOTED = "noted"
        PROPOSED = "proposed", "made a candidate"
        OFFERED = "offered"
        MADE_DEFAULT = "default", "made the default"
        ROLLED_BACK = "rolled back"
        RETIRED = "retired"
        PUBLISHED = "published"
        COMPARED = "compared"
        REMOVED = "removed"

    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="curation_events"
    )
    by_name = models.CharField(max_length=150, blank=True)
    """Empty for what a command or the house itself did."""
    action = models.CharField(max_length=12, choices=Action.choices)
    capability = models.CharField(max_length=20)
    version = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, blank=True, related_name="events")
    reference = models.CharField(max_length=120, blank=True)
    """Of the version; empty where the starter serves that nobody had to choose."""
    text = models.TextField(blank=True)
    """A note, in the words of whoever wrote it."""
    details = models.JSONField(default=dict, blank=True)
    """What it was before and is now: ``before`` and ``after``, references of the default, where that changed."""

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["capability", "-at"], name="curation_of_capability")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.reference}"


class TrainingRun(models.Model):
    """A training of a model from a recipe, followed as a job.  Its log, samples and checkpoints lie in ``run_dir``."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="training_runs"
    )
    """Who started it; a run of the house outlives their account."""
    made_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="runs_for_them"
    )
    """Whose own the models are that come of it; null for the house's."""
    name = models.CharField(max_length=60, blank=True)
    """What its models are called."""
    job = models.OneToOneField(Job, models.SET_NULL, null=True, blank=True, related_name="training_run")
    recipe = models.CharField(max_length=60)
    config = models.JSONField(default=dict)
    base = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, blank=True, related_name="runs_from")
    """The version that it begins from."""
    data_sha256 = models.CharField(max_length=64, blank=True)
    """Hash of the frozen data set."""
    data_name = models.CharField(max_length=120, blank=True)
    paused = models.BooleanField(default=False)
    """Its job was cancelled, to be gone on with."""
    run_dir = models.CharField(max_length=255, blank=True)
    seconds = models.FloatField(default=0.0)
    """At work so far, all attempts together."""
    gpu_seconds = models.FloatField(default=0.0)
    """The same, times the GPUs that it held; 0 on a CPU."""
    result = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, blank=True, related_name="training_runs")
    """The newest that was made a candidate of it."""

    curve = models.JSONField(default=list, blank=True)
    """What its log says, thinned out: ``step`` with named figures."""
    samples = models.JSONField(default=list, blank=True)
    """Sheets of samples: ``step`` and the storage ``key`` of a WebP."""
    checkpoints = models.JSONField(default=list, blank=True)
    """Steps of which there is a package; 0 is the result."""
    copy = models.JSONField(default=dict, blank=True)
    """Of its checkpoint in the storage: ``step``, ``key``, ``sha256``, and whether it is the ``whole`` run."""
    tail = models.TextField(blank=True)
    """The last lines that it printed."""
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.recipe} {self.created_at:%Y-%m-%d %H:%M}"
