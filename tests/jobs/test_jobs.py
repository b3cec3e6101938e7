"""The life of a job, state by state."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from fashion_site.celery import app
from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job, ScratchFile
from ml_backend.serving import jobs
from ml_backend.serving.jobs import doorbell, kinds, sweeping

pytestmark = pytest.mark.django_db


def state(job: Job) -> str:
    job.refresh_from_db()
    return job.state


# --- submitting ---------------------------------------------------------------------------------------------------


def test_submit_rings_after_commit(person, kind, django_capture_on_commit_callbacks, monkeypatch):
    rung = []
    monkeypatch.setattr(doorbell, "ring", lambda queue, times=1: rung.append(queue))
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.submit(person, kind(), {"a": 1}, queue="gpu")
        assert rung == []
    assert rung == ["gpu"]
    assert (job.state, job.request, job.queue) == ("queued", {"a": 1}, "gpu")


def test_a_long_queue_is_rung_for_a_share_at_a_time_the_longest_waiting_first(person, kind, monkeypatch):
    rung = []
    monkeypatch.setattr(doorbell, "ring", lambda queue, times=1: rung.append((queue, times)) if times else None)
    name, long_ago = kind(), timezone.now() - timedelta(hours=1)
    for minute in range(sweeping.MOST_RINGS + 5):
        Job.objects.create(owner=person, kind=name, queue="gpu", rung_at=long_ago + timedelta(minutes=minute / 2))
    swept = [jobs.sweep().rung for _ in range(3)]
    assert swept == [sweeping.MOST_RINGS, 5, 0]
    assert rung == [("gpu", sweeping.MOST_RINGS), ("gpu", 5)]


def test_unknown_kind_is_a_programming_error(person):
    with pytest.raises(ValueError, match="Nobody does"):
        jobs.submit(person, "no such work", {})


def test_cap_counts_only_unfinished_jobs_of_one_person(person, other, kind, settings):
    settings.MAX_ACTIVE_JOBS = 2
    name = kind()
    first = jobs.submit(person, name, {})
    jobs.submit(person, name, {})
    with pytest.raises(jobs.TooManyJobs, match="2 pieces of work"):
        jobs.submit(person, name, {})
    jobs.submit(other, name, {})
    jobs.cancel(first)
    jobs.submit(person, name, {})


def test_a_silent_broker_does_not_lose_the_job(person, kind, monkeypatch, django_capture_on_commit_callbacks, caplog):
    def refuse(*args, **options):
        raise OSError("no broker")

    monkeypatch.setattr(app, "send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.submit(person, kind(), {})
    assert state(job) == "queued"
    assert "sweeper will ring again" in caplog.text


# --- claiming -----------------------------------------------------------------------------------------------------


def test_claim_takes_one_job_once(person, kind):
    job = jobs.submit(person, kind(), {})
    claimed = jobs.claim("default")
    assert claimed is not None
    assert claimed.job.pk == job.pk
    assert (claimed.job.state, claimed.job.attempt) == ("running", 1)
    assert claimed.job.lease_until > timezone.now()
    assert jobs.claim("default") is None


def test_claim_knows_its_queue(person, kind):
    jobs.submit(person, kind(), {}, queue="gpu")
    assert jobs.claim("default") is None
    assert jobs.claim(["default", "gpu"]) is not None


def test_people_take_turns(person, other, make_person, kind):
    """Fifty of one person's do not delay another's first by more than one."""
    name, third = kind(), make_person("eva")
    for _ in range(50):
        jobs.submit(person, name, {})
    jobs.submit(other, name, {"n": 1})
    jobs.submit(other, name, {"n": 2})
    jobs.submit(third, name, {})
    order = []
    for _ in range(6):
        claimed = jobs.claim("default")
        order.append(claimed.job.owner.username)
        jobs.finish(claimed, lambda: None)
    assert order == ["ana", "ben", "eva", "ana", "ben", "ana"]


def test_place_counts_what_starts_before(person, other, kind):
    name = kind()
    mine = [jobs.submit(person, name, {}) for _ in range(3)]
    theirs = [jobs.submit(other, name, {}) for _ in range(2)]
    expected = {mine[0]: 1, theirs[0]: 2, mine[1]: 3, theirs[1]: 4, mine[2]: 5}
    assert {job: jobs.place(job) for job in expected} == expected
    started = []
    while claimed := jobs.claim("default"):
        started.append(claimed.job)
        jobs.finish(claimed, lambda: None)
    assert started == list(expected)
    assert jobs.place(started[0]) == 0


def test_place_knows_whose_turn_it_is(person, other, kind):
    name = kind()
    jobs.submit(person, name, {})
    jobs.finish(jobs.claim("default"), lambda: None)
    mine = jobs.submit(person, name, {})
    theirs = jobs.submit(other, name, {})
    assert (jobs.place(mine), jobs.place(theirs)) == (2, 1)


def test_a_job_waits_for_what_it_needs(person, kind):
    name = kind()
    first = jobs.submit(person, name, {})
    second = jobs.submit(person, name, {}, after=[first, None])
    running = jobs.claim("default")
    assert running.job == first
    assert jobs.claim("default") is None
    jobs.finish(running, lambda: None)
    assert jobs.claim("default").job == second


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_what_needs_a_job_that_ended_badly_fails_with_it(person, kind, end):
    name = kind()
    first = jobs.submit(person, name, {})
    second = jobs.submit(person, name, {}, after=[first])
    third = jobs.submit(person, name, {}, after=[second])
    if end == "fail":
        jobs.fail(jobs.claim("default"), "Out of thread.")
    else:
        jobs.cancel(first)
    assert (state(second), state(third)) == ("failed", "failed")
    assert second.message == jobs.NEEDED_FAILED
    with pytest.raises(BadInput):
        jobs.submit(person, name, {}, after=[first])
    assert jobs.retry(third)
    assert [state(job) for job in (first, second, third)] == ["queued"] * 3
    assert jobs.claim("default").job == first


# --- running ------------------------------------------------------------------------------------------------------


def test_run_publishes_with_the_finish(person, kind, work_off):
    def handler(job, report, should_stop):
        report(0.5, "weaving")
        key = jobs.save(job, "tests", "a.txt", b"cloth")

        def publish():
            assert Job.objects.get(pk=job.pk).state == "done", "inside the finishing transaction"
            Job.objects.filter(pk=job.pk).update(stage=key)

        return publish

    job = jobs.submit(person, kind(handler), {})
    assert work_off() == 1
    assert state(job) == "done"
    assert job.progress == 1.0
    with default_storage.open(job.stage) as file:
        assert file.read() == b"cloth"
    assert not ScratchFile.objects.exists()


def test_bad_input_is_said_in_its_own_words(person, kind, work_off):
    def handler(job, report, should_stop):
        jobs.save(job, "tests", "half.txt", b"half")
        raise BadInput("The photo is too dark.")

    job = jobs.submit(person, kind(handler), {})
    work_off()
    assert (state(job), job.message) == ("failed", "The photo is too dark.")
    assert job.can_retry
    assert not default_storage.listdir("tests")[1], "what was half done is deleted"


def test_a_crash_tells_no_internals(person, kind, work_off, caplog):
    def handler(job, report, should_stop):
        raise RuntimeError("/secret/path")

    job = jobs.submit(person, kind(handler), {})
    work_off()
    assert (state(job), job.message) == ("failed", jobs.BROKE)
    assert "/secret/path" in caplog.text


def test_a_failing_publish_publishes_nothing(person, kind, work_off, caplog):
    def handler(job, report, should_stop):
        key = jobs.save(job, "tests", "b.txt", b"b")

        def publish():
            Job.objects.filter(pk=job.pk).update(stage=key)
            raise RuntimeError("the row is gone")

        return publish

    job = jobs.submit(person, kind(handler), {})
    work_off()
    assert (state(job), job.stage) == ("failed", "")
    assert not default_storage.listdir("tests")[1]


def test_stopped_without_a_cancel_ends_as_cancelled_and_nobody_waits_for_it(person, kind, work_off):
    def handler(job, report, should_stop):
        raise Stopped("not wanted")

    name = kind(handler)
    job = jobs.submit(person, name, {})
    waiting = jobs.submit(person, name, {}, after=[job])
    work_off()
    assert state(job) == "cancelled"
    assert (state(waiting), waiting.message) == ("failed", jobs.NEEDED_FAILED)


# --- cancelling and trying again ----------------------------------------------------------------------------------


def test_cancel_queued(person, kind, work_off):
    job = jobs.submit(person, kind(), {})
    assert jobs.cancel(job)
    assert job.state == "cancelled"
    assert work_off() == 0
    assert not jobs.cancel(job), "twice is once"


def test_cancel_running_takes_the_claim_and_its_files(person, kind, work_off):
    published = []

    def handler(job, report, should_stop):
        assert not should_stop()
        jobs.save(job, "tests", "c.txt", b"c")
        jobs.cancel(Job.objects.get(pk=job.pk))
        assert should_stop()
        return lambda: published.append(job)

    job = jobs.submit(person, kind(handler), {})
    work_off()
    assert state(job) == "cancelled"
    assert published == []
    assert not default_storage.listdir("tests")[1]


def test_a_finished_job_cannot_be_cancelled(person, kind, work_off):
    job = jobs.submit(person, kind(), {})
    work_off()
    assert not jobs.cancel(job)
    assert job.state == "done"
    assert not jobs.retry(job)


def test_retry_knows_the_cap(person, kind, settings):
    name = kind()
    first = jobs.submit(person, name, {})
    second = jobs.submit(person, name, {}, after=[first])
    jobs.cancel(first)
    settings.MAX_ACTIVE_JOBS = 2
    third = jobs.submit(person, name, {})
    with pytest.raises(jobs.TooManyJobs, match="1 pieces of work"):
        jobs.retry(second)
    assert [state(job) for job in (first, second, third)] == ["cancelled", "failed", "queued"], "all or nothing"
    assert jobs.retry(first)
    with pytest.raises(jobs.TooManyJobs):
        jobs.retry(second)
    jobs.cancel(third)
    assert jobs.retry(second)


def test_retry_of_what_is_impossible_now_queues_nothing(person):
    gone = set()

    def look(job):
        if job.request["n"] in gone:
            raise Stopped("The yarn is no longer there.")

    jobs.handler("yarn", possible=look)(lambda job, report, should_stop: lambda: None)
    try:
        first = jobs.submit(person, "yarn", {"n": 1})
        second = jobs.submit(person, "yarn", {"n": 2}, after=[first])
        jobs.cancel(first)
        gone.add(1)
        with pytest.raises(BadInput, match="yarn is no longer there"):
            jobs.retry(second)
        assert (state(first), state(second)) == ("cancelled", "failed")
        gone.clear()
        assert jobs.retry(second)
        assert (state(first), state(second)) == ("queued", "queued")
    finally:
        kinds.handlers.pop("yarn")


def test_retry_starts_afresh(person, kind, work_off):
    fails = [True]

    def handler(job, report, should_stop):
        if fails.pop() if fails else False:
            raise BadInput("Not this time.")
        return lambda: None

    job = jobs.submit(person, kind(handler), {})
    work_off()
    assert jobs.retry(job)
    assert (job.state, job.message, job.attempt) == ("queued", "", 0)
    work_off()
    assert state(job) == "done"


def test_a_deleted_job_leaves_no_files(person, kind, work_off):
    def handler(job, report, should_stop):
        jobs.save(job, "tests", "d.txt", b"d")
        Job.objects.filter(pk=job.pk).delete()
        return lambda: None

    jobs.submit(person, kind(handler), {})
    work_off()
    assert not default_storage.listdir("tests")[1]
    assert not ScratchFile.objects.exists()


# --- the sweeper --------------------------------------------------------------------------------------------------


def expire(claim: jobs.Claim) -> None:
    Job.objects.filter(pk=claim.job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_sweep_takes_back_and_the_dead_cannot_speak(person, kind):
    job = jobs.submit(person, kind(), {})
    dead = jobs.claim("default")
    assert jobs.sweep().requeued == 0
    expire(dead)
    assert jobs.sweep().requeued == 1
    living = jobs.claim("default")
    assert (living.job.pk, living.job.attempt) == (job.pk, 2)
    assert not jobs.beat(dead)
    assert not jobs.report(dead, 0.9, "from the grave")
    assert not jobs.fail(dead, "no")
    assert jobs.should_stop(dead)
    with pytest.raises(jobs.LostClaim):
        jobs.finish(dead, lambda: pytest.fail("published by the dead"))
    assert jobs.beat(living)
    jobs.finish(living, lambda: None)
    assert state(job) == "done"


def test_a_heartbeat_keeps_the_sweeper_away(person, kind):
    jobs.submit(person, kind(), {})
    claimed = jobs.claim("default")
    expire(claimed)
    assert jobs.beat(claimed)
    assert jobs.sweep().requeued == 0


def test_six_deaths_are_enough(person, kind):
    job = jobs.submit(person, kind(), {})
    for _ in range(jobs.MAX_ATTEMPTS):
        expire(jobs.claim("default"))
        jobs.sweep()
    assert (state(job), job.message) == ("failed", jobs.GAVE_UP)
    assert jobs.claim("default") is None


def test_sweep_rings_again_for_the_unheard_once(person, kind, monkeypatch):
    rung = []
    monkeypatch.setattr(doorbell, "ring", lambda queue, times=1: rung.extend([queue] * times))
    jobs.submit(person, kind(), {}, queue="gpu")
    jobs.sweep()
    assert rung == []
    Job.objects.update(rung_at=timezone.now() - timedelta(minutes=2))
    assert jobs.sweep().rung == 1
    assert rung == ["gpu"]
    assert jobs.sweep().rung == 0


def test_sweep_ends_what_waits_in_vain(person, kind):
    """However it came there: by hand, or by an earlier release."""
    name = kind()
    first = jobs.submit(person, name, {})
    second = jobs.submit(person, name, {}, after=[first])
    third = jobs.submit(person, name, {}, after=[second])
    Job.objects.filter(pk=first.pk).update(state="cancelled")
    assert jobs.sweep().failed == 1
    assert [state(job) for job in (second, third)] == ["failed", "failed"]
    assert jobs.sweep().failed == 0


def test_sweep_deletes_files_of_lost_claims_only(person, kind, settings):
    settings.JOB_LEASE_SECONDS = 0.0
    jobs.submit(person, kind(), {})
    claimed = jobs.claim("default")
    held = jobs.save(claimed.job, "tests", "held.txt", b"1")
    Job.objects.filter(pk=claimed.job.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    assert jobs.sweep().files == 0
    jobs.cancel(claimed.job)
    assert jobs.sweep().files == 1
    assert not default_storage.exists(held)


def test_old_rows_are_purged(person, kind, work_off):
    job = jobs.submit(person, kind(), {})
    work_off()
    assert jobs.purge_old() == 0
    Job.objects.update(finished_at=timezone.now() - timedelta(days=31))
    assert jobs.purge_old() == 1
    assert not Job.objects.filter(pk=job.pk).exists()


# --- with real threads --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_workers_claim_each_job_once(person, other, kind):
    name = kind()
    for owner in (person, other):
        for _ in range(10):
            jobs.submit(owner, name, {})
    taken: list[object] = []
    gate = threading.Barrier(4)

    def worker() -> None:
        gate.wait()
        try:
            while claimed := jobs.claim("default"):
                taken.append(claimed.job.pk)
                jobs.finish(claimed, lambda: None)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 20
    assert set(Job.objects.values_list("attempt", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_the_heart_beats_while_work_goes_on_and_hears_a_cancel(person, kind, settings):
    settings.JOB_LEASE_SECONDS = 0.8
    seen: list[object] = []

    def handler(job, report, should_stop):
        first = Job.objects.get(pk=job.pk).lease_until
        wait_until(lambda: Job.objects.get(pk=job.pk).lease_until > first)
        seen.append("beat")
        jobs.cancel(Job.objects.get(pk=job.pk))
        wait_until(should_stop)
        raise Stopped("heard")

    job = jobs.submit(person, kind(handler), {})
    jobs.run(jobs.claim("default"))
    assert seen == ["beat"]
    assert state(job) == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_work_that_takes_too_long_is_stopped_and_said(person, kind, settings):
    settings.JOB_LEASE_SECONDS = 0.4
    settings.JOB_MAX_SECONDS = 0.3

    def handler(job, report, should_stop):
        wait_until(should_stop)
        raise Stopped("heard")

    job = jobs.submit(person, kind(handler), {})
    jobs.run(jobs.claim("default"))
    assert (state(job), job.message) == ("failed", jobs.TOO_LONG)


def wait_until(condition, seconds=10.0) -> None:
    waiting = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        waiting.wait(0.05)
    pytest.fail("waited in vain")


# --- the embedded broker ------------------------------------------------------------------------------------------


def test_sweep_before_any_worker(tmp_path, settings, capsys):
    """Neither a broker that nobody has opened yet nor one without its tables is a reason not to sweep."""
    from django.core.management import call_command

    path = tmp_path / "broker.sqlite3"
    settings.BROKER_URL = f"sqla+sqlite:///{path}"
    call_command("sweep")
    assert not path.exists()
    path.touch()
    call_command("sweep")
    assert capsys.readouterr().out.count("0 messages") == 2
