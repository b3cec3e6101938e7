"""Jobs of several parts, each published as soon as it is made, and the live preview of the one in work."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job, ScratchFile
from ml_backend.serving import jobs

pytestmark = pytest.mark.django_db

COUNT = 3


class Parts:
    """A handler of three parts; publishing part n appends (n, its file's key) to ``published``."""

    def __init__(self) -> None:
        self.published: list[tuple[int, str]] = []
        self.made: list[int] = []
        self.before = lambda job, number: None
        self.on_publish = lambda number: None

    def __call__(self, job, report, should_stop):
        for number in range(COUNT):
            if number in dict(self.published):
                continue
            self.before(job, number)
            self.made.append(number)
            key = jobs.save(job, "parts", f"{number}.txt", b"part")

            def publish(number=number, key=key):
                self.on_publish(number)
                self.published.append((number, key))

            jobs.publish_part(job, publish, [key])
        return lambda: None


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def submitted(person, kind, parts) -> Job:
    return jobs.submit(person, kind(parts), {})


def stored() -> set[str]:
    return {f"parts/{name}" for name in default_storage.listdir("parts")[1]}


def state(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


# --- parts --------------------------------------------------------------------------------------------------------


def test_parts_are_there_before_the_job_ends(submitted, parts, work_off):
    seen = []
    parts.before = lambda job, number: seen.append((number, len(parts.published), state(submitted)))
    work_off()
    assert seen == [(0, 0, "running"), (1, 1, "running"), (2, 2, "running")]
    assert state(submitted) == "done"
    assert stored() == {key for _, key in parts.published}
    assert not ScratchFile.objects.exists()


def test_a_cancel_keeps_what_is_published_and_drops_the_rest(submitted, parts, work_off):
    parts.before = lambda job, number: number == 2 and jobs.cancel(Job.objects.get(pk=job.pk))
    work_off()
    assert state(submitted) == "cancelled"
    assert [number for number, _ in parts.published] == [0, 1]
    assert stored() == {key for _, key in parts.published}, "the file of the third went with its claim"


def test_a_retry_makes_only_what_is_missing(submitted, parts, work_off):
    def fail_once(job, number):
        if number == 1 and parts.made == [0]:
            parts.made.append(-1)
            raise BadInput("The thread broke.")

    parts.before = fail_once
    work_off()
    assert (state(submitted), submitted.message) == ("failed", "The thread broke.")
    assert [number for number, _ in parts.published] == [0]
    assert jobs.retry(submitted)
    work_off()
    assert state(submitted) == "done"
    assert parts.made == [0, -1, 1, 2]
    assert stored() == {key for _, key in parts.published}


def test_a_claim_lost_to_another_worker_publishes_no_more(submitted, parts):
    """The first worker falls silent after a part; the second makes the rest while the first still believes."""
    first = jobs.claim("default")

    def taken_back(job, number):
        if job.lease != first.lease or number != 1:
            return
        expire(submitted)
        assert jobs.sweep().requeued == 1
        second = jobs.claim("default")
        assert second.job.pk == submitted.pk
        jobs.run(second, beating=False)

    parts.before = taken_back
    jobs.run(first, beating=False)
    assert state(submitted) == "done"
    assert parts.made == [0, 1, 2, 1], "the first went on with the second part, in vain"
    assert [number for number, _ in parts.published] == [0, 1, 2]
    assert stored() == {key for _, key in parts.published}
    assert submitted.attempt == 2


def test_a_swept_job_goes_on_where_the_dead_worker_stopped(submitted, parts, kind, work_off):
    claim = jobs.claim("default")

    class Killed(BaseException):
        pass

    def die(job, number):
        if number == 1 and job.lease == claim.lease:
            raise Killed

    parts.before = die
    with pytest.raises(Killed):
        jobs.run(claim, beating=False)
    expire(submitted)
    jobs.sweep()
    work_off()
    assert state(submitted) == "done"
    assert parts.made == [0, 1, 2]


def test_a_part_that_nobody_wants_leaves_no_file(submitted, parts, work_off):
    def unwanted(number):
        if number == 1:
            raise Stopped("This is no longer wanted.")

    parts.on_publish = unwanted
    work_off()
    assert state(submitted) == "cancelled"
    assert stored() == {key for _, key in parts.published} != set()


def test_a_handler_may_go_on_without_a_part_that_nobody_wants(person, kind, work_off):
    def handler(job, report, should_stop):
        for name in ("kept", "dropped"):
            key = jobs.save(job, "parts", f"{name}.txt", b"part")

            def publish(name=name):
                if name == "dropped":
                    raise Stopped("This is no longer wanted.")

            with contextlib.suppress(Stopped):
                jobs.publish_part(job, publish, [key])
        return lambda: None

    job = jobs.submit(person, kind(handler), {})
    work_off()
    assert state(job) == "done"
    assert [key.endswith("kept.txt") for key in stored()] == [True]


def test_a_part_renews_the_lease(submitted):
    claim = jobs.claim("default")
    expire(submitted)
    jobs.publish_part(claim.job, lambda: None, [])
    assert jobs.sweep().requeued == 0


def test_only_a_claimed_job_publishes_or_shows(submitted):
    with pytest.raises(ValueError, match="claimed"):
        jobs.publish_part(submitted, lambda: None, [])
    with pytest.raises(ValueError, match="claimed"):
        jobs.show(submitted, b"picture")


# --- previews -----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when told to: ``clock(0.3)``."""
    now = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def preview(job: Job) -> tuple[bytes, int]:
    job.refresh_from_db()
    return bytes(job.preview), job.shown


def test_previews_are_shown_twice_a_second_at_most(submitted, clock):
    claim = jobs.claim("default")
    encoded = []

    def picture(name: bytes):
        return lambda: (encoded.append(name), name)[1]

    assert jobs.show(claim.job, picture(b"one"))
    assert not jobs.show(claim.job, picture(b"two"))
    clock(0.4)
    assert not jobs.show(claim.job, picture(b"three"))
    clock(0.2)
    assert jobs.show(claim.job, picture(b"four"))
    assert encoded == [b"one", b"four"], "what is not shown is not even encoded"
    assert preview(submitted) == (b"four", 2)


def test_a_preview_too_large_is_not_shown(submitted, clock):
    claim = jobs.claim("default")
    assert not jobs.show(claim.job, b"x" * (jobs.MAX_PREVIEW + 1))
    assert preview(submitted) == (b"", 0)
    clock(1)
    assert jobs.show(claim.job, b"x" * jobs.MAX_PREVIEW)


def test_a_lost_claim_shows_nothing(submitted):
    claim = jobs.claim("default")
    jobs.cancel(submitted)
    assert not jobs.show(claim.job, b"from the grave")
    assert preview(submitted) == (b"", 0)


@pytest.mark.parametrize("end", ["finish", "fail", "cancel", "sweep", "give up"])
def test_a_preview_goes_when_the_work_ends(submitted, end, settings):
    claim = jobs.claim("default")
    jobs.show(claim.job, b"so far")
    if end == "finish":
        jobs.finish(claim, lambda: None)
    elif end == "fail":
        jobs.fail(claim, "Out of thread.")
    elif end == "cancel":
        jobs.cancel(submitted)
    else:
        Job.objects.filter(pk=submitted.pk).update(attempt=jobs.MAX_ATTEMPTS if end == "give up" else 1)
        expire(submitted)
        jobs.sweep()
    assert preview(submitted) == (b"", 0)


def test_run_forgets_the_pace_of_a_claim(person, kind, work_off):
    def handler(job, report, should_stop):
        jobs.show(job, b"so far")
        return lambda: None

    jobs.submit(person, kind(handler), {})
    before = dict(jobs._next_preview)
    work_off()
    assert jobs._next_preview == before
