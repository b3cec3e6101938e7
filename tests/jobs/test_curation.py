"""How models move on: every move is conditional, tells who made it, and reaches workers with their next job."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from ml_backend.errors import BadInput, BadPackage
from ml_backend.models import CurationEvent, Job, ModelVersion
from ml_backend.serving import curation, jobs, registry
from patterns.models import Pattern
from studio.account.models import User
from tests.jobs.test_kill import end, environment_of, start_worker, wait_for

Status = ModelVersion.Status
JOBS = 100
PATIENCE = 300.0
"""Seconds that a busy machine may take."""


@pytest.fixture(autouse=True)
def _fresh():
    registry.forget_packages()
    yield
    registry.forget_packages()


@pytest.fixture
def kept(package, db):
    """``kept("florals", capability="segment", status=..., ...)``: a version that is kept."""

    def make(name: str, capability: str = "segment", **values) -> ModelVersion:
        return curation.add(package(name, name.encode(), capability), **values)

    return make


def log():
    """Newest first: what was done to which, and by whom."""
    return [(event.action, event.reference.partition("@")[0], event.by_name) for event in CurationEvent.objects.all()]


# --- one step at a time -----------------------------------------------------------------------------------------------


def test_a_draft_becomes_a_candidate_serves_and_retires(kept, staff):
    version = kept("cloth", status=Status.DRAFT, by=staff, notes="from the spring set")
    with pytest.raises(BadPackage, match="is a draft; make a candidate of it before it serves"):
        curation.serve(version, staff)
    for status in ("candidate", "serving"):
        curation.promote(version, staff)
        assert version.status == status
    assert version.default, "nobody chooses between those that segment"
    curation.withdraw(version, staff)
    assert (version.status, version.default) == ("retired", False)
    with pytest.raises(BadPackage, match="not a draft"):
        curation.propose(version, staff)
    assert log() == [
        ("retired", "cloth", "staff"),
        ("default", "cloth", "staff"),
        ("proposed", "cloth", "staff"),
        ("added", "cloth", "staff"),
    ]
    assert version.events.get(action="added").text == "from the spring set"


def test_what_is_asked_for_twice_happens_once(kept, staff):
    version = kept("cloth")
    for _ in range(2):
        curation.serve(version, staff)
    for _ in range(2):
        curation.withdraw(version, staff)
    assert [action for action, *_ in log()] == ["retired", "default", "added"]


def test_people_choose_what_dreams(kept):
    version = kept("florals", "generate")
    curation.promote(version)
    assert (version.status, version.default) == ("serving", False)
    assert version.reference in {offer.reference for offer in registry.offered("generate")}


def test_a_move_of_what_changed_meanwhile_changes_nothing(kept):
    """What a page showed a minute ago is looked at again under the lock."""
    version = kept("cloth", status=Status.DRAFT)
    stale = ModelVersion.objects.get(pk=version.pk)
    curation.propose(version)
    with pytest.raises(BadPackage, match="cloth is candidate, not a draft"):
        curation.propose(stale)
    curation.remove(version)
    with pytest.raises(BadPackage, match="no longer kept"):
        curation.serve(stale)
    assert [action for action, *_ in log()] == ["removed", "proposed", "added"]


# --- back -------------------------------------------------------------------------------------------------------------


def test_rolling_back_brings_the_default_before_and_twice_takes_it_back(kept, staff):
    first, second = kept("first"), kept("second")
    curation.serve(first, staff)
    curation.serve(second, staff)
    assert curation.roll_back("segment", staff, seen=second.reference) == first
    assert registry.reference("segment") == first.reference
    assert ModelVersion.objects.get(pk=second.pk).status == "retired"
    assert curation.roll_back("segment", staff) == second
    assert [action for action, *_ in log()][:4] == ["rolled back", "retired", "rolled back", "retired"]


def test_rolling_back_to_the_starter_that_nobody_chose(kept):
    version = kept("only")
    curation.serve(version)
    assert curation.roll_back("segment") is None
    version.refresh_from_db()
    assert (version.status, registry.chosen("segment")) == ("retired", None)
    assert curation.roll_back("segment") == version, "and back again"


def test_rolling_back_after_it_retired(kept):
    version = kept("only")
    curation.serve(version)
    curation.withdraw(version)
    assert curation.roll_back("segment") == version


def test_a_roll_back_of_what_one_no_longer_sees_changes_nothing(kept):
    first, second = kept("first"), kept("second")
    curation.serve(first)
    curation.serve(second)
    curation.roll_back("segment", seen=second.reference)
    with pytest.raises(BadPackage, match=r"Meanwhile first@\w+ became the default"):
        curation.roll_back("segment", seen=second.reference)
    assert registry.reference("segment") == first.reference


def test_there_must_be_something_to_roll_back_to(kept):
    with pytest.raises(BadPackage, match="never changed"):
        curation.roll_back("segment")
    first, second = kept("first"), kept("second")
    curation.serve(first)
    curation.serve(second)
    curation.remove(first)
    with pytest.raises(BadPackage, match=r"first@\w+, which was the default before, is no longer kept"):
        curation.roll_back("segment")
    second.refresh_from_db()
    assert second.default


# --- whose they are ---------------------------------------------------------------------------------------------------


def test_what_is_somebodys_own_is_nobody_elses(kept, person, staff):
    own = kept("cloth", "generate", descent=curation.Descent(owner=person), status=Status.DRAFT)
    with pytest.raises(BadInput, match="does not serve here"):
        registry.resolve("generate", "cloth")
    with pytest.raises(IntegrityError):
        ModelVersion.objects.filter(pk=own.pk).update(status="serving")


def test_letting_it_serve_publishes_it_and_says_whose_it_was(kept, person, staff):
    own = kept("cloth", "generate", descent=curation.Descent(owner=person))
    curation.promote(own, staff)
    assert (own.status, own.owner) == ("serving", None)
    event = own.events.get(action="published")
    assert (event.by, event.details) == (staff, {"was": "ana"})


def test_two_keep_the_same_weights_and_each_goes_alone(kept, package, person, other, committed):
    path = package("cloth", b"same")
    one, two = (curation.add(path, descent=curation.Descent(owner=whose)) for whose in (person, other))
    assert one != two
    assert curation.add(path, descent=curation.Descent(owner=person)) == one
    with committed():
        person.delete()
    assert default_storage.exists(f"{two.folder}/manifest.json")
    with committed():
        other.delete()
    assert not default_storage.exists(f"{two.folder}/manifest.json"), "no row needs the files any more"


def test_the_log_outlives_version_and_person(kept, make_person, committed):
    curator = make_person("cleo", is_staff=True)
    version = kept("cloth", by=curator)
    with committed():
        curation.remove(version, curator)
        curator.delete()
    assert log() == [("removed", "cloth", "cleo"), ("added", "cloth", "cleo")]
    assert {(event.by, event.version) for event in CurationEvent.objects.all()} == {(None, None)}


# --- the same by command ----------------------------------------------------------------------------------------------


def test_commands_promote_and_roll_back(kept, capsys):
    first, second = kept("first", status=Status.DRAFT), kept("second")
    call_command("models", "promote", "first")
    call_command("models", "promote", "first")
    call_command("models", "serve", "second")
    call_command("models", "rollback", "segment")
    assert registry.reference("segment") == first.reference
    said = capsys.readouterr().out
    assert f"{first.reference} is candidate now." in said
    assert f"{first.reference} serves segment again." in said
    call_command("models", "list")
    listed = capsys.readouterr().out
    assert f"serves    {first.reference}" in listed
    assert f"retired   {second.reference}" in listed
    with pytest.raises(CommandError, match="never changed"):
        call_command("models", "rollback", "upscale")


# --- while people work ------------------------------------------------------------------------------------------------


def test_a_job_tells_which_models_it_ran_with(kept, kind, person):
    first, second = kept("first"), kept("second", "generate")
    curation.serve(first)

    def work(job, report, should_stop):
        registry.serving("segment")
        registry.find(second.reference)
        registry.serving("segment")
        if job.attempt == 1:
            raise BadInput("not this time")
        return lambda: None

    job = jobs.submit(person, kind(work))
    jobs.work_off("default", beating=False)
    job.refresh_from_db()
    assert (job.state, job.version.split()) == ("failed", [first.reference, second.reference])
    registry.serving("segment")
    job.refresh_from_db()
    assert len(job.version.split()) == 2, "nobody listens outside of jobs"


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the embedded broker is tested with the embedded database")
def test_promotion_under_load_fails_no_job_and_each_tells_its_version(transactional_db, tmp_path, package):
    """A worker that runs all the while takes the new one up with its next job, and the old one for who names it."""
    first, second = (curation.add(package(name, name.encode(), "segment")) for name in ("first", "second"))
    curation.serve(first)
    ana = User.objects.create_user("ana")
    named = registry.resolve("segment", "first")
    environment = environment_of(tmp_path) | {"TOILE_RING_SECONDS": "30"}
    worker = start_worker(environment, tmp_path / "worker.log")
    long_ago = timezone.now() - timedelta(minutes=1)
    try:
        for number in range(JOBS):
            asked = {"model": named if number % 4 == 0 else ""}
            Job.objects.create(owner=ana, turn="ana", kind="segments", request=asked, rung_at=long_ago)
        wait_for(lambda: Job.objects.filter(state="done").count() >= JOBS // 5, worker, PATIENCE)
        curation.serve(second)
        promoted = ModelVersion.objects.get(pk=first.pk)
        waiting = set(Job.objects.filter(state="queued").values_list("pk", flat=True))
        wait_for(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists(), worker, PATIENCE)
    finally:
        end(worker)
    assert promoted.status == "retired"
    assert len(waiting) > JOBS // 4, "it was promoted in the middle"
    assert set(Job.objects.values_list("state", "attempt")) == {("done", 1)}
    told = dict(Job.objects.values_list("pk", "version"))
    assert told == dict(Pattern.objects.values_list("job", "model")), "each tells the one that it ran with"
    for job in Job.objects.filter(pk__in=waiting):
        assert job.version == (named or "" if job.request["model"] else second.reference)
