"""What is no fault of the job costs it nothing: it is put back, waits, and says why."""

from __future__ import annotations

import errno
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from ml_backend.errors import BadInput, BadPackage
from ml_backend.models import Job, ScratchFile
from ml_backend.serving import faults, jobs
from ml_backend.serving.faults import BrokenProcess, Outage


def s3_says(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")


def wrapped(error: Exception) -> Exception:
    try:
        try:
            raise error
        except Exception as cause:
            raise BadPackage("The model cannot be read.") from cause
    except BadPackage as outer:
        return outer


AWAY = [
    (EndpointConnectionError(endpoint_url="http://store"), Outage.STORE),
    (ConnectTimeoutError(endpoint_url="http://store"), Outage.STORE),
    (ReadTimeoutError(endpoint_url="http://store"), Outage.STORE),
    (s3_says("SlowDown", 503), Outage.STORE),
    (s3_says("InternalError", 500), Outage.STORE),
    (s3_says("NoSuchBucket", 404), Outage.STORE),
    (OSError(errno.ENOSPC, "No space left on device"), Outage.STORE),
    (OSError(errno.EIO, "Input/output error"), Outage.STORE),
    (ConnectionResetError("reset"), Outage.STORE),
    (OperationalError("server closed the connection unexpectedly"), Outage.DATABASE),
    (InterfaceError("connection already closed"), Outage.DATABASE),
    (wrapped(EndpointConnectionError(endpoint_url="http://store")), Outage.STORE),
]


@pytest.mark.parametrize(("error", "what"), AWAY, ids=repr)
def test_what_is_away_is_told(error, what):
    assert faults.outage(error) is what


def test_a_broker_that_is_away_is_told():
    import kombu.exceptions
    import redis.exceptions

    for error in (kombu.exceptions.OperationalError("x"), redis.exceptions.ConnectionError("x")):
        assert faults.outage(error) is Outage.BROKER


@pytest.mark.parametrize(
    "error",
    [
        BadInput("The photo is too dark."),
        s3_says("NoSuchKey", 404),
        FileNotFoundError(errno.ENOENT, "gone"),
        ValueError("no"),
        RuntimeError("shape mismatch"),
        MemoryError(),
    ],
    ids=repr,
)
def test_faults_of_the_work_are_its_own(error):
    assert faults.outage(error) is None
    assert not faults.breaks_process(error)


# --- the job ------------------------------------------------------------------------------------------------------


@pytest.fixture
def away(person, kind, work_off, db):
    """``away(error)``: a job whose handler raises ``error``, tried once; or with None, one that works."""
    errors: list[Exception | None] = []

    def handler(job, report, should_stop):
        jobs.save(job, "tests", "half.txt", b"half")
        if errors[-1] is not None:
            raise errors[-1]
        return lambda: None

    name = kind(handler)
    made: list[Job] = []

    def meet(error: Exception | None) -> Job:
        errors.append(error)
        if not made:
            made.append(jobs.submit(person, name, {}))
        Job.objects.filter(state="queued").update(not_before=timezone.now() - timedelta(seconds=0.1))
        assert work_off() == 1
        made[0].refresh_from_db()
        return made[0]

    return meet


@pytest.mark.parametrize("error", [AWAY[0][0], AWAY[6][0], AWAY[9][0], AWAY[11][0]], ids=repr)
def test_it_waits_and_is_done_when_all_is_back(away, error, caplog):
    job = away(error)
    assert (job.state, job.attempt, job.pauses, job.lease) == ("queued", 0, 1, None)
    assert job.paused
    assert job.why_waiting.endswith("does not answer; trying again in 5 s.")
    assert not default_storage.listdir("tests")[1], "what was half done is deleted"
    assert not ScratchFile.objects.exists()
    assert jobs.claim("default") is None, "it pauses"
    assert jobs.place(job) == 0
    job = away(None)
    assert (job.state, job.attempt, job.message, job.why_waiting) == ("done", 1, "", "")


def test_pauses_grow_and_come_to_an_end(away, settings, caplog):
    settings.JOB_OUTAGE_SECONDS = 100.0
    waits = []
    while (job := away(s3_says("SlowDown", 503))).state == "queued":
        waits.append(round((job.not_before - timezone.now()).total_seconds()))
    assert waits == [5, 10, 20, 40, 60]
    assert job.state == "failed"
    assert job.message.startswith("The store of pictures did not answer for 2 minutes.")
    assert jobs.retry(job)
    assert (job.pauses, job.not_before) == (0, None)


def test_others_go_on_while_one_pauses(person, other, away, kind, caplog):
    paused = away(s3_says("SlowDown", 503))
    later = jobs.submit(person, kind(), {})
    theirs = jobs.submit(other, kind(), {})
    assert {jobs.place(later), jobs.place(theirs)} == {1, 2}, "who pauses is not in the line"
    started = []
    while claim := jobs.claim("default"):
        started.append(claim.job)
        jobs.finish(claim, lambda: None)
    assert set(started) == {later, theirs}
    paused.refresh_from_db()
    assert paused.state == "queued"


def test_it_is_rung_for_when_its_pause_is_over(away, monkeypatch, caplog):
    rung = []
    monkeypatch.setattr(jobs, "ring", lambda queue, times=1: rung.extend([queue] * times))
    job = away(s3_says("SlowDown", 503))
    jobs.sweep()
    assert rung == []
    shift = timedelta(seconds=5.5)
    Job.objects.filter(pk=job.pk).update(not_before=job.not_before - shift, rung_at=job.rung_at - shift)
    assert jobs.sweep().rung == 1
    assert rung == ["default"]


def test_what_waits_for_it_goes_on_waiting(person, away, kind, caplog):
    job = away(AWAY[0][0])
    waiting = jobs.submit(person, kind(), {}, after=[job])
    assert jobs.claim("default") is None
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
    claim = jobs.claim("default")
    assert claim.job == job
    jobs.finish(claim, lambda: None)
    assert jobs.claim("default").job == waiting


def test_a_cancelled_job_is_not_put_back(person, kind, work_off, caplog):
    def handler(job, report, should_stop):
        jobs.cancel(Job.objects.get(pk=job.pk))
        raise OSError(errno.ENOSPC, "full")

    job = jobs.submit(person, kind(handler), {})
    work_off()
    job.refresh_from_db()
    assert job.state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_back_in_a_moment_costs_nothing(person, kind, monkeypatch, caplog):
    """The finish is written when the database is there again; what was committed unheard is not written twice."""
    finish, published = jobs.finish, []

    def shaky(claim, publish):
        if not published:
            finish(claim, lambda: published.append(1))
            raise OperationalError("the connection is closed")
        finish(claim, publish)

    monkeypatch.setattr(jobs, "finish", shaky)

    def handler(job, report, should_stop):
        jobs.save(job, "tests", "kept.txt", b"kept")
        return lambda: published.append(2)

    job = jobs.submit(person, kind(handler), {})
    assert jobs.run(jobs.claim("default"))
    job.refresh_from_db()
    assert (job.state, published) == ("done", [1])
    assert len(default_storage.listdir("tests")[1]) == 1, "the file that was published stays"


# --- broken processes ---------------------------------------------------------------------------------------------


def deadlock() -> Exception:
    from importlib import _bootstrap

    return _bootstrap._DeadlockError("deadlock detected by _ModuleLock('torch.nn.functional')")


BROKEN = [
    deadlock(),
    ImportError("`torch` can only be initialized once per process, so this module cannot be imported again"),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("Cannot re-initialize CUDA in forked subprocess."),
    BrokenProcess("MemoryError"),
    wrapped(deadlock()),
]


@pytest.mark.parametrize("error", BROKEN, ids=repr)
def test_a_broken_process_gives_its_job_back_and_ends(person, kind, error, db, monkeypatch, caplog):
    from ml_backend import tasks

    def handler(job, report, should_stop):
        raise error

    name = kind(handler)
    first, second = (jobs.submit(person, name, {}) for _ in range(2))
    monkeypatch.setattr(jobs, "Heart", lambda claim: None)
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)
    with pytest.raises(SystemExit):
        tasks.work("default")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.attempt, first.paused) == ("queued", 0, False), "at once, by the process that follows"
    assert second.attempt == 0, "no other job was tried"


def test_a_job_that_breaks_every_process_fails_in_the_end(away, settings, caplog):
    settings.JOB_OUTAGE_SECONDS = 20.0
    while (job := away(BROKEN[0])).state == "queued":
        pass
    assert (job.state, job.message, job.pauses) == ("failed", jobs.BROKE, 3)


def test_imports_and_memory_that_fail_while_loading_break_the_process():
    from ml_backend.serving import registry

    for error in (ImportError("cannot import name 'F'"), MemoryError()):
        with pytest.raises(BrokenProcess), registry.loading():
            raise error
    with pytest.raises(BadPackage), registry.loading():
        raise BadPackage("damaged")
