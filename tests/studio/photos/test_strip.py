"""Each photo has a name of its own and a place in its owner's strip."""

from __future__ import annotations

import re
import uuid

import pytest

from studio.account import services as people
from studio.photos.models import Photo

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def three(person, make_photo):
    return [make_photo(person) for _ in range(3)]


def strip(person) -> list[str]:
    return [photo.title for photo in Photo.objects.of(person).as_strip()]


def test_they_are_numbered_as_they_come_and_the_newest_lies_first(
    client_of, person, other, three, make_photo, make_garment
):
    make_garment("dress")
    make_photo(other)
    assert strip(person) == ["Photo 3", "Photo 2", "Photo 1"]
    assert strip(other) == ["Photo 1"]
    three[1].delete()
    make_photo(person)
    assert strip(person) == ["Photo 4", "Photo 3", "Photo 1"], "no number is given twice"
    page = client_of(person).get("/").content.decode()
    assert re.findall(r'data-name="(Photo \d)"', page) == ["Photo 4", "Photo 3", "Photo 1"]


class TestNaming:
    def test_the_owner_names_it_and_takes_the_name_back(self, client_of, person, three):
        client, url = client_of(person), f"/photos/{three[0].pk}/name/"
        for _ in range(2):
            assert client.post(url, {"name": "  Ana  by the sea "}, headers=HTMX).content.decode() == "Ana by the sea"
        assert strip(person)[-1] == "Ana by the sea"
        assert client.post(url, {"name": "", "next": "/account/"}).url == "/account/"
        assert strip(person)[-1] == "Photo 1"

    def test_nobody_else_does_and_nobody_else_reads_it(
        self, client_of, person, other, make_photo, make_garment, make_pattern
    ):
        make_garment("dress")
        photo = make_photo(person, name="Ana in hospital")
        for client in (client_of(other), client_of(None)):
            assert client.post(f"/photos/{photo.pk}/name/", {"name": "x"}).status_code == 404
            assert client.post(f"/photos/{photo.pk}/move/", {"by": "1"}).status_code == 404
        from studio.looks.models import Look

        look = Look.objects.create(owner=person, photo=photo, public=True, file="x.png", thumb="x.webp")
        look.parts.create(pattern=make_pattern(person), params={})
        for path in (f"/gallery/looks/{look.pk}/", "/gallery/looks/", f"/?look={look.pk}"):
            assert "hospital" not in client_of(other).get(path).content.decode(), path

    def test_too_long_a_name_is_refused(self, client_of, person, three):
        client, url = client_of(person), f"/photos/{three[0].pk}/name/"
        assert client.post(url, {"name": "x" * 61}, headers=HTMX).status_code == 422
        assert client.get(url).status_code == 405

    def test_an_upload_never_shows_what_its_file_was_called(self, client, picture):
        from django.core.files.uploadedfile import SimpleUploadedFile

        page = client.post(
            "/photos/", {"image": SimpleUploadedFile("biopsy-result.jpg", picture(200, 300))}, headers=HTMX
        )
        assert b"biopsy" not in page.content
        assert b"Photo 1" in page.content


class TestPlaces:
    def moved(self, client, photo, **fields):
        return client.post(f"/photos/{photo.pk}/move/", fields, headers=HTMX)

    def test_by_steps_and_not_over_the_ends(self, client_of, person, three):
        client = client_of(person)
        answer = self.moved(client, three[0], by=-1)
        assert answer.json()["order"] == [str(three[at].pk) for at in (2, 0, 1)]
        assert strip(person) == ["Photo 3", "Photo 1", "Photo 2"]
        for _ in range(3):
            self.moved(client, three[0], by=-1)
        assert strip(person)[0] == "Photo 1"
        self.moved(client, three[0], by=1000)
        assert strip(person) == ["Photo 3", "Photo 2", "Photo 1"]

    def test_before_another(self, client_of, person, three, make_photo):
        client = client_of(person)
        self.moved(client, three[0], before=three[2].pk)
        assert strip(person) == ["Photo 1", "Photo 3", "Photo 2"]
        self.moved(client, three[0], before=three[0].pk)
        assert strip(person) == ["Photo 1", "Photo 3", "Photo 2"], "before itself: where it is"
        make_photo(person)
        assert strip(person)[0] == "Photo 4", "a new one still lies first"

    def test_bad_input(self, client_of, person, other, three, make_photo):
        client = client_of(person)
        for fields in (
            {"by": "x"},
            {"by": "9999"},
            {"before": "x"},
            {"before": uuid.uuid4()},
            {"before": make_photo(other).pk},
        ):
            assert self.moved(client, three[0], **fields).status_code == 422, fields
        assert client.get(f"/photos/{three[0].pk}/move/").status_code == 405
        assert strip(person) == ["Photo 3", "Photo 2", "Photo 1"]


def test_a_guests_photos_come_after_the_members(person, make_person, make_photo):
    make_photo(person)
    guest = make_person(is_guest=True)
    make_photo(guest), make_photo(guest)
    people.merge(guest, person)
    assert strip(person) == ["Photo 3", "Photo 2", "Photo 1"]
