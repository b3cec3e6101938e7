"""Every way a job ends goes through one function: its row is left the same way, and what waits for it ends too."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.serving import jobs
from studio.models import User

ROOT = Path(__file__).resolve().parents[2]
BADLY = ("refused", "broke", "stopped", "cancelled", "cancelled at work", "lost", "away", "too long")

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(person, other, kind):
    """A job that ends as its handler bids, one that waits for it, and one of somebody else's that waits for that."""

    def make(handler=None) -> list[Job]:
        name = kind(handler)
        first = jobs.submit(person, name)
        second = jobs.submit(person, name, after=[first])
        return [first, second, jobs.submit(other, name, after=[second])]

    return make


def raises(error):
    def handler(job, report, should_stop):
        report(0.5, "weaving")
        jobs.show(job, b"picture")
        raise error

    return handler


def bring_to(end: str, chain, settings) -> list[Job]:
    errors = {"refused": BadInput("No."), "broke": RuntimeError(), "stopped": Stopped(), "away": ConnectionError()}
    settings.JOB_OUTAGE_SECONDS = 0
    row = chain(raises(errors[end]) if end in errors else None)
    if end == "cancelled":
        jobs.cancel(row[0])
        return row
    claim = jobs.claim("default")
    if end in errors:
        jobs.run(claim, beating=False)
    elif end == "cancelled at work":
        jobs.cancel(row[0])
    elif end == "too long":
        jobs.fail(claim, jobs.TOO_LONG)
    else:
        past = timezone.now() - timedelta(seconds=1)
        Job.objects.filter(pk=row[0].pk).update(lease_until=past, attempt=jobs.MAX_ATTEMPTS)
        assert jobs.sweep().failed == 1
    return row


@pytest.mark.parametrize("end", BADLY)
def test_what_waits_for_a_job_ends_with_it(end, chain, settings, caplog):
    row = bring_to(end, chain, settings)
    first, *waiting = Job.objects.filter(pk__in=[job.pk for job in row]).order_by("created_at")
    assert first.state == ("cancelled" if end in ("stopped", "cancelled", "cancelled at work") else "failed")
    assert (first.lease, first.lease_until, first.not_before, first.stage, first.shown) == (None, None, None, "", 0)
    assert first.finished_at is not None
    assert [(job.state, job.message) for job in waiting] == [("failed", jobs.NEEDED_FAILED)] * 2
    assert jobs.claim("default") is None


def test_what_waits_for_a_job_that_is_done_starts(chain, work_off):
    row = chain()
    assert work_off() == 3
    assert set(Job.objects.filter(pk__in=[job.pk for job in row]).values_list("state", flat=True)) == {"done"}


@pytest.mark.parametrize("at_work", [False, True])
@pytest.mark.parametrize("gone", ["row", "owner"])
def test_what_waits_for_a_job_that_is_deleted_ends_and_never_starts(person, other, kind, gone, at_work):
    name = kind()
    first = jobs.submit(person, name)
    waiting = jobs.submit(other, name, after=[first])
    claim = jobs.claim("default") if at_work else None
    first.delete() if gone == "row" else User.objects.get(pk=person.pk).delete()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.message) == ("failed", jobs.NEEDED_FAILED)
    assert jobs.claim("default") is None
    if claim is not None:
        with pytest.raises(jobs.LostClaim):
            jobs.finish(claim, lambda: None)


def test_purging_old_rows_ends_nothing(person, kind, work_off, settings):
    name = kind()
    first = jobs.submit(person, name)
    work_off()
    Job.objects.update(finished_at=timezone.now() - timedelta(days=settings.JOB_KEEP_DAYS + 1))
    waiting = jobs.submit(person, name, after=[first])
    assert jobs.purge_old() == 1
    assert jobs.claim("default").job == waiting


def test_only_one_file_writes_the_state_of_a_job():
    """An update or an assignment; what a row begins as is the model's default."""
    writers = {
        path.relative_to(ROOT).as_posix()
        for room in ("ml_backend/serving", "ml_backend/management", "patterns", "studio", "fashion_site")
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and any(map(_writes_state, ast.walk(ast.parse(path.read_text("utf-8")))))
    }
    assert writers == {"ml_backend/serving/jobs/states.py"}


def _writes_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        writes = node.func.attr in ("update", "create", "update_or_create", "get_or_create", "bulk_update")
        return writes and any(word.arg == "state" for word in node.keywords)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Attribute) and target.attr == "state" for target in node.targets)
    return False
