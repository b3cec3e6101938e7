"""What only a database with many writers can show; run by ``test_production.py``."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ml_backend.errors import BadInput, BadPackage
from ml_backend.models import CurationEvent, Job, ModelVersion
from ml_backend.serving import curation, jobs, registry
from ml_backend.serving.jobs import doorbell, kinds
from patterns.models import Favourite, Pattern
from studio.looks.models import Look

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 8
ROUNDS = 8
"""How often each race is run: whoever is first by habit is not always first."""


@pytest.fixture
def work(monkeypatch):
    """A kind of job, with a bell that nobody hears."""
    monkeypatch.setattr(doorbell, "ring", lambda queue, times=1: None)
    jobs.handler("race")(lambda job, report, should_stop: lambda: None)
    yield "race"
    kinds.handlers.pop("race")


def states() -> Counter[str]:
    return Counter(Job.objects.values_list("state", flat=True))


def expire() -> None:
    Job.objects.filter(state="running").update(lease_until=timezone.now() - timedelta(seconds=1))


def test_this_is_postgresql_and_its_migrations_are_complete():
    assert connection.vendor == "postgresql"
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


# --- claims -------------------------------------------------------------------------------------------------------


def test_forty_jobs_and_eight_workers_each_job_has_one_winner(person, other, work, at_once):
    for owner in (person, other):
        for _ in range(20):
            jobs.submit(owner, work, {})

    def worker(_: int) -> list[object]:
        taken = []
        while claimed := jobs.claim("default"):
            taken.append(claimed.job.pk)
            jobs.finish(claimed, lambda: None)
        return taken

    taken = [pk for one in at_once(WORKERS, worker) for pk in one]
    assert len(taken) == len(set(taken)) == 40
    assert set(Job.objects.values_list("attempt", flat=True)) == {1}
    assert states() == {"done": 40}


def test_one_job_and_eight_workers(person, work, at_once):
    for _ in range(ROUNDS):
        jobs.submit(person, work, {})
        claims = [claim for claim in at_once(WORKERS, lambda _: jobs.claim("default")) if claim]
        assert len(claims) == 1
        jobs.finish(claims[0], lambda: None)


def test_a_finish_and_a_cancel_at_once_agree_on_who_won(person, work, at_once):
    for number in range(ROUNDS):
        job = jobs.submit(person, work, {})
        claim = jobs.claim("default")

        def publish(job=job, number=number):
            Pattern.objects.create(owner=person, pattern_type="dotted", seed=number, engine="drawn", job=job)

        def act(who: int, job=job, claim=claim, publish=publish) -> object:
            if who:
                return jobs.cancel(Job.objects.get(pk=job.pk))
            try:
                jobs.finish(claim, publish)
            except jobs.LostClaim:
                return False
            return True

        finished, cancelled = at_once(2, act)
        job.refresh_from_db()
        assert finished != cancelled
        assert job.state == ("done" if finished else "cancelled")
        assert Pattern.objects.filter(job=job).exists() == finished


def test_a_failing_publish_rolls_the_finish_back(person, work):
    jobs.submit(person, work, {})
    claim = jobs.claim("default")

    def publish():
        Pattern.objects.create(owner=person, pattern_type="dotted", seed=1, engine="drawn")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        jobs.finish(claim, publish)
    assert states() == {"running": 1}
    assert not Pattern.objects.exists()


# --- the sweeper --------------------------------------------------------------------------------------------------


def test_several_sweepers_take_each_job_back_once(person, work, at_once):
    for _ in range(10):
        jobs.submit(person, work, {})
        assert jobs.claim("default")
    expire()
    assert sum(swept.requeued for swept in at_once(4, lambda _: jobs.sweep())) == 10
    assert states() == {"queued": 10}


def test_the_dead_and_the_living_finish_at_once_and_only_the_living_publishes(person, work, at_once):
    for number in range(ROUNDS):
        job = jobs.submit(person, work, {})
        dead = jobs.claim("default")
        expire()
        assert jobs.sweep().requeued == 1
        living = jobs.claim("default")
        assert living.job.pk == job.pk

        def act(who: int, claims=(dead, living), number=number) -> object:
            fields = {"owner": person, "pattern_type": "dotted", "engine": "drawn", "seed": 2 * number + who}
            try:
                jobs.finish(claims[who], lambda: Pattern.objects.create(**fields))
            except jobs.LostClaim:
                return False
            return True

        assert at_once(2, act) == [False, True]
        assert list(Pattern.objects.values_list("seed", flat=True)) == [2 * number + 1]
        Pattern.objects.all().delete()


def test_a_beat_and_a_sweep_at_once_never_both_hold(person, work, at_once):
    for _ in range(ROUNDS):
        jobs.submit(person, work, {})
        claim = jobs.claim("default")
        expire()
        beaten, swept = at_once(2, lambda who, claim=claim: jobs.sweep().requeued == 1 if who else jobs.beat(claim))
        assert beaten != swept
        jobs.cancel(claim.job)


# --- what waits for another job -----------------------------------------------------------------------------------


def test_a_job_asked_for_while_what_it_needs_fails_never_waits_for_ever(person, work, at_once):
    for _ in range(ROUNDS):
        first = jobs.submit(person, work, {})
        claim = jobs.claim("default")

        def act(who: int, first=first, claim=claim) -> object:
            if who:
                return jobs.fail(claim, "No.")
            try:
                return jobs.submit(person, work, {}, after=[first])
            except BadInput:
                return None

        second, failed = at_once(2, act)
        assert failed
        if second is not None:
            second.refresh_from_db()
            assert (second.state, second.message) == ("failed", jobs.NEEDED_FAILED)


# --- rules --------------------------------------------------------------------------------------------------------


def test_the_cap_of_a_person_holds_from_eight_tabs(person, other, work, at_once, settings):
    settings.MAX_ACTIVE_JOBS = 5

    def ask(_: int) -> int:
        asked = 0
        for _ in range(3):
            try:
                jobs.submit(person, work, {})
            except jobs.TooManyJobs:
                continue
            asked += 1
        return asked

    assert sum(at_once(WORKERS, ask)) == 5
    assert Job.objects.filter(owner=person).count() == 5
    jobs.submit(other, work, {})


@pytest.mark.parametrize("on", [(), ("photo", "garment")], ids=["nothing", "both"])
def test_a_look_is_worn_on_one_thing(person, make_photo, make_garment, on):
    things = {"photo": make_photo(person), "garment": make_garment()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Look.objects.create(owner=person, **{name: things[name] for name in on})
    for name, thing in things.items():
        Look.objects.create(owner=person, **{name: thing})


def version(number: int, **fields: object) -> ModelVersion:
    values = {"name": f"model-{number}", "capability": "generate", "sha256": f"{number:064x}", "status": "candidate"}
    return ModelVersion.objects.create(**{**values, **fields})


def test_one_model_is_the_default_of_a_capability():
    version(1, status="serving", default=True)
    version(2, status="serving")
    with pytest.raises(IntegrityError), transaction.atomic():
        version(3, status="serving", default=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        version(4, default=True)


@pytest.mark.parametrize(("capability", "left"), [("segment", 1), ("generate", 4)])
def test_two_curators_at_once_leave_one_default(at_once, capability, left):
    versions = [version(number, capability=capability) for number in range(4)]
    for _ in range(ROUNDS):
        at_once(4, lambda who: curation.serve(ModelVersion.objects.get(pk=versions[who].pk)))
        assert ModelVersion.objects.filter(default=True).count() == 1
    assert ModelVersion.objects.filter(status="serving").count() == left


def test_of_two_starters_withdrawn_at_once_one_stays(at_once):
    curation.adopt_starters()
    for number in range(ROUNDS):
        shipped = list(ModelVersion.objects.exclude(starter="").order_by("pk"))
        if len(shipped) < 2:
            shipped = [*shipped, version(99, status="serving", starter="xgan-starter")]
        ModelVersion.objects.update(status="serving")

        def act(who: int, rows=shipped) -> object:
            try:
                curation.withdraw(ModelVersion.objects.get(pk=rows[who].pk))
            except BadPackage:
                return False
            return True

        assert sorted(at_once(2, act)) == [False, True], number
        assert registry.serves("generate")


def test_of_two_who_roll_back_at_once_one_does(at_once):
    """The other sees what the first has done, and is told so."""
    first, second = (version(number, capability="segment") for number in range(2))
    for one in (first, second):
        curation.serve(one)

    def act(_: int) -> object:
        try:
            curation.roll_back("segment", seen=second.reference)
        except BadPackage:
            return False
        return True

    assert sorted(at_once(2, act)) == [False, True]
    assert ModelVersion.objects.get(default=True) == first
    assert CurationEvent.objects.filter(action="rolled back").count() == 1


def test_a_draft_is_proposed_once_by_whoever_is_first(at_once):
    draft = version(1, capability="segment", status="draft")

    def act(_: int) -> object:
        try:
            curation.propose(ModelVersion.objects.get(pk=draft.pk))
        except BadPackage:
            return False
        return True

    assert sorted(at_once(4, act)) == [False, False, False, True]
    assert CurationEvent.objects.filter(action="proposed").count() == 1


def test_the_migrations_of_models_go_back_and_forth():
    curation.adopt_starters()
    version(1, status="serving", default=True)
    version(2, status="serving")
    try:
        call_command("migrate", "ml_backend", "0004", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    served = ModelVersion.objects.get(status="serving")
    assert (served.name, served.default) == ("model-1", True)


def test_a_favourite_is_one_however_often_it_is_asked_for(person, other, make_pattern, at_once):
    from patterns import services

    pattern = make_pattern(other, public=True)
    at_once(WORKERS, lambda _: services.favourite(person, pattern, True))
    assert Favourite.objects.count() == 1


def test_a_person_and_all_that_is_theirs_goes_while_a_job_is_at_work(person, work, make_pattern, at_once):
    """Deleting the account and finishing a job meet: no error, and nothing is left."""
    for _ in range(3):
        jobs.submit(person, work, {})
        claim = jobs.claim("default")
        make_pattern(person)

        def act(who: int, claim=claim) -> object:
            if who:
                return person.jobs.all().delete()
            try:
                jobs.finish(claim, lambda: None)
            except jobs.LostClaim:
                return False
            return True

        at_once(2, act)
        assert not Job.objects.exists()
