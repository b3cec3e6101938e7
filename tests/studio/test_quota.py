"""How many bytes one person may keep: counted when a file is stored, forgotten when it is deleted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, TestCase
from django.urls import reverse

from ml_backend.errors import Stopped
from ml_backend.models import Job, StoredFile
from ml_backend.serving import jobs, storage
from patterns.models import Pattern
from studio import people
from studio.models import Photo, User

pytestmark = pytest.mark.django_db
FABRIC = {"pattern_type": "dotted", "engine": "drawn", "count": 1}


def on_disk() -> int:
    return sum(path.stat().st_size for path in Path(default_storage.path(".")).rglob("*") if path.is_file())


def test_what_is_kept_is_counted_and_what_is_deleted_is_not(client_of, person, picture, work_off):
    client = client_of(person)
    client.post(reverse("photo-new"), {"image": SimpleUploadedFile("a.jpg", picture(300, 400))})
    client.post(reverse("fabric-new"), FABRIC)
    jobs.work_off("default", beating=False)
    pattern = Pattern.objects.get()
    assert pattern.ready
    client.post(reverse("fabric-recolour"), {"of": pattern.pk, "palette": "#7a1f2b,#f3e9dc,#23395b,#111111"})
    assert storage.used_by(person) == on_disk() > 0
    with TestCase.captureOnCommitCallbacks(execute=True):
        Photo.objects.all().delete()
    assert storage.used_by(person) == on_disk() > 0
    with TestCase.captureOnCommitCallbacks(execute=True):
        person.delete()
    assert on_disk() == StoredFile.objects.count() == 0


def test_a_full_person_is_told_what_to_do_and_nothing_is_kept(client_of, person, other, picture, settings):
    settings.MEMBER_QUOTA_BYTES = 4000
    answer = client_of(person).post(
        reverse("photo-new"), {"image": SimpleUploadedFile("a.jpg", picture(600, 800))}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 422
    assert "of your 3.9" in answer.content.decode()
    assert "delete photos, looks or pictures" in answer.content.decode()
    assert (Photo.objects.count(), storage.used_by(person), on_disk()) == (0, 0, 0)


def test_no_work_is_begun_for_which_there_is_no_room(client_of, person, other, settings):
    settings.MEMBER_QUOTA_BYTES = 100
    storage.keep(person.pk, "x/full.bin", b"x" * 100)
    answer = client_of(person).post(reverse("fabric-new"), FABRIC, headers={"HX-Request": "true"})
    assert (answer.status_code, Job.objects.count()) == (422, 0)
    assert client_of(other).post(reverse("fabric-new"), FABRIC, headers={"HX-Request": "true"}).status_code == 200
    storage.delete_files(["x/full.bin"])
    assert client_of(person).post(reverse("fabric-new"), FABRIC, headers={"HX-Request": "true"}).status_code == 200


def test_work_that_finds_no_room_says_so_and_leaves_nothing(client_of, person, settings):
    settings.MEMBER_QUOTA_BYTES = 1000
    client_of(person).post(reverse("fabric-new"), FABRIC)
    jobs.work_off("default", beating=False)
    job = Job.objects.get()
    assert job.state == "failed"
    assert job.message.startswith("There is no room for this")
    assert (storage.used_by(person), on_disk()) == (0, 0)
    settings.MEMBER_QUOTA_BYTES = 0
    assert jobs.retry(job)
    jobs.work_off("default", beating=False)
    assert storage.used_by(person) == on_disk() > 1000


def test_programs_learn_it_by_a_code(person, settings):
    from studio.api import tokens

    settings.MEMBER_QUOTA_BYTES = 100
    storage.keep(person.pk, "x/full.bin", b"x" * 100)
    answer = Client().post(
        "/api/v1/patterns",
        {"pattern_type": "dotted", "engine": "drawn"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {tokens.make(person, 'test')[1]}"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_room")


def test_guests_and_members_have_rooms_of_their_own_size(settings, make_person):
    settings.GUEST_QUOTA_BYTES, settings.MEMBER_QUOTA_BYTES = 10, 20
    guest, member = make_person("guest-1", is_guest=True), make_person("carla")
    storage.keep(member.pk, "m", b"x" * 20)
    with pytest.raises(storage.NoRoom, match="of your 10"):
        storage.keep(guest.pk, "g", b"x" * 11)
    storage.keep(guest.pk, "g", b"x" * 10)
    settings.GUEST_QUOTA_BYTES = 0
    storage.keep(guest.pk, "h", b"x" * 1000)


def test_signing_in_brings_the_guests_files_along(make_person, person):
    guest = make_person("guest-1", is_guest=True)
    storage.keep(guest.pk, "g", b"x" * 10)
    people.merge(guest, person)
    assert storage.used_by(person) == 10


def test_a_store_that_fails_leaves_no_count(person, monkeypatch):
    def full(*_args):
        raise OSError("no space")

    monkeypatch.setattr(default_storage._wrapped, "_save", full)
    with pytest.raises(OSError, match="no space"):
        storage.keep(person.pk, "x", b"x")
    assert storage.used_by(person) == 0


def test_nothing_is_kept_for_somebody_who_is_gone():
    with pytest.raises(Stopped):
        storage.keep(0, "x", b"x")
    assert on_disk() == 0


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_pass_the_quota_together(person, settings):
    settings.MEMBER_QUOTA_BYTES = 350
    together, refused = threading.Barrier(6, timeout=20), []

    def keep(number: int) -> None:
        together.wait()
        try:
            storage.keep(person.pk, f"x/{number}", b"x" * 100)
        except storage.NoRoom:
            refused.append(number)
        connection.close()

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(refused), storage.used_by(person), on_disk()) == (3, 300, 300)


def test_the_account_page_says_how_much(client_of, person, make_person):
    storage.keep(person.pk, "x", b"x" * 2048)
    assert "2.0\xa0KB of 10.0\xa0GB" in client_of(person).get(reverse("account")).content.decode()
    guest = make_person("guest-1", is_guest=True)
    assert "of 1.0\xa0GB" in client_of(guest).get(reverse("account")).content.decode()
    assert isinstance(guest, User)
