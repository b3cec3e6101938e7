"""The same request sent twice makes one thing, however closely the two follow each other."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from patterns import services
from patterns.models import Pattern
from studio.api import idempotency
from studio.api.models import IdempotencyKey
from studio.photos.models import Photo

from .conftest import error

DOTS = {"pattern_type": "dotted", "engine": "drawn", "seed": 5, "count": 2}


@pytest.mark.django_db
def test_the_same_request_gets_the_first_answer(program):
    first = program.post("/patterns", DOTS, key="a-1")
    again = program.post("/patterns", dict(reversed(DOTS.items())), key="a-1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Pattern.objects.count() == 2
    assert program.post("/patterns", DOTS, key="a-2").json() != first.json()
    program.post("/patterns", DOTS)
    assert Pattern.objects.count() == 6


@pytest.mark.django_db
def test_another_request_with_the_same_key_is_refused(program, person, make_pattern):
    program.post("/patterns", DOTS, key="a")
    assert error(program.post("/patterns", {**DOTS, "seed": 6}, key="a")) == (422, "key_reused")
    pattern = make_pattern(person)
    assert error(program.post(f"/patterns/{pattern.pk}/large", key="a")) == (422, "key_reused")
    assert Pattern.objects.count() == 3


@pytest.mark.django_db
def test_keys_are_a_persons_own(program, outsider, other):
    first = program.post("/patterns", DOTS, key="a").json()
    second = outsider.post("/patterns", DOTS, key="a").json()
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert other.patterns.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["with space", "x" * 201, "\u00fc", "tab\there"])
def test_a_key_is_plain_text(program, key):
    refused = program.post("/patterns", DOTS, key=key)
    assert error(refused) == (400, "malformed")
    assert not Pattern.objects.exists()


@pytest.mark.django_db
def test_uploads_are_told_apart_by_what_is_in_them(program, picture):
    def send(content: bytes, key: str):
        return program.upload("/photos", key=key, image=SimpleUploadedFile("me.jpg", content))

    first = send(picture(120, 160), "a")
    assert first.status_code == 201
    again = send(picture(120, 160), "a")
    assert again.json() == first.json()
    assert error(send(picture(130, 160), "a")) == (422, "key_reused")
    assert Photo.objects.count() == 1


@pytest.mark.django_db
def test_a_refusal_is_not_kept(program, settings):
    settings.MAX_ACTIVE_JOBS = 1
    assert error(program.post("/patterns", DOTS, key="a")) == (429, "too_many_jobs")
    assert not IdempotencyKey.objects.exists()
    settings.MAX_ACTIVE_JOBS = 10
    assert program.post("/patterns", DOTS, key="a").status_code == 202


@pytest.mark.django_db
def test_what_breaks_on_the_way_leaves_nothing(program, monkeypatch):
    made = services.ask
    calls = []

    def second_breaks(*args: object):
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("broke")
        return made(*args)

    monkeypatch.setattr(services, "ask", second_breaks)
    assert error(program.post("/patterns", DOTS, key="a")) == (500, "broken")
    assert not Pattern.objects.exists()
    assert program.post("/patterns", DOTS, key="a").status_code == 202
    assert Pattern.objects.count() == 2


@pytest.mark.django_db
def test_a_key_is_free_after_a_day_and_swept(program):
    first = program.post("/patterns", DOTS, key="a").json()
    IdempotencyKey.objects.update(created_at=timezone.now() - idempotency.KEPT - timedelta(minutes=1))
    assert program.post("/patterns", {**DOTS, "seed": 9}, key="a").json() != first
    IdempotencyKey.objects.update(created_at=timezone.now() - idempotency.KEPT - timedelta(minutes=1))
    program.post("/patterns", DOTS, key="b")
    call_command("sweep")
    assert [row.key for row in IdempotencyKey.objects.all()] == ["b"]


@pytest.mark.django_db
def test_a_request_that_takes_long_is_waited_for_and_a_dead_one_taken_over(program, monkeypatch):
    program.post("/patterns", DOTS, key="a")
    IdempotencyKey.objects.update(status=None, body=None, claimed_at=timezone.now())
    monkeypatch.setattr(idempotency, "PATIENCE", 0.2)
    refused = program.post("/patterns", DOTS, key="a")
    assert error(refused) == (409, "in_progress")
    assert int(refused.headers["Retry-After"]) > 0
    assert Pattern.objects.count() == 2
    IdempotencyKey.objects.update(claimed_at=timezone.now() - idempotency.GIVEN_UP - timedelta(seconds=1))
    assert program.post("/patterns", DOTS, key="a").status_code == 202
    assert Pattern.objects.count() == 4
    assert IdempotencyKey.objects.get().status == 202


@pytest.mark.django_db
def test_who_lost_its_key_meanwhile_makes_nothing(program, monkeypatch):
    """A process that slept through its time wakes up when another has done the work."""
    begin = idempotency._transaction

    def late(whole: bool):
        IdempotencyKey.objects.update(status=202, body={"items": []}, claimed_at=timezone.now())
        return begin(whole)

    monkeypatch.setattr(idempotency, "_transaction", late)
    answer = program.post("/patterns", DOTS, key="a")
    assert (answer.status_code, answer.json()) == (202, {"items": []})
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert not Pattern.objects.exists()


def race(*tasks):
    """Do all at once; what each gave."""
    gate = threading.Barrier(len(tasks))
    given: list[object] = [None] * len(tasks)

    def run(number: int) -> None:
        try:
            gate.wait(timeout=30)
            given[number] = tasks[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=90)
    return given


@pytest.mark.django_db(transaction=True)
def test_a_race_of_the_same_key_makes_one_thing(program_of, person):
    programs = [program_of(person) for _ in range(4)]
    answers = race(*(lambda one=one: one.post("/patterns", DOTS, key="race") for one in programs))
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 3
    assert Pattern.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_race_of_the_same_upload_makes_one_photo(program_of, person, picture):
    content = picture(120, 160)
    programs = [program_of(person) for _ in range(3)]
    answers = race(
        *(
            lambda one=one: one.upload("/photos", key="race", image=SimpleUploadedFile("me.jpg", content))
            for one in programs
        )
    )
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Photo.objects.count() == 1
