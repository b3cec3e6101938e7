"""Palettes that a person keeps: saved, listed, downloaded, brought in, deleted; nobody else's to see."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ml_backend.palettes import files
from ml_backend.palettes.held import Held
from studio.account.models import User
from studio.account.services import merge
from studio.colour import services
from studio.colour.models import SavedPalette

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SEA = Held("Sea", ("#f3efe4", "#22478f", "#efb92d"), ("foam", "", "sun"))


@pytest.fixture
def sea(person):
    return services.save(person, SEA)


def test_it_is_saved_by_name_and_the_name_again_replaces_it(client_of, person):
    client = client_of(person)
    data = {"name": " Sea ", "ink": list(SEA.colours)}
    assert b"Sea is kept" in client.post(reverse("palette-save"), data, headers=HTMX).content
    answer = client.post(reverse("palette-save"), {**data, "ink": ["#000000", "#ffffff"]}, follow=True)
    assert "Sea is kept among your palettes." in answer.content.decode()
    assert [one.colours for one in SavedPalette.objects.of(person)] == [["#000000", "#ffffff"]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "", "ink": ["#000000", "#ffffff"]}, "Give the palette a name"),
        ({"name": "x" * 61, "ink": ["#000000", "#ffffff"]}, "at most 60"),
        ({"name": "x"}, "2 to 12"),
        ({"name": "x", "ink": ["#000000"]}, "2 to 12"),
        ({"name": "x", "ink": ["black", "white"]}, "not a colour"),
    ],
)
def test_what_cannot_be_saved(client_of, person, data, said):
    answer = client_of(person).post(reverse("palette-save"), data, headers=HTMX)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not SavedPalette.objects.exists()


def test_visitors_become_guests_when_they_keep_one_and_not_before(client):
    assert "None yet" in client.get(reverse("palettes")).content.decode()
    assert not User.objects.exists()
    client.post(reverse("palette-save"), {"name": "Mine", "ink": ["#000000", "#ffffff"]})
    assert SavedPalette.objects.get().owner.is_guest
    assert "Mine" in client.get(reverse("palettes")).content.decode()


def test_only_its_owner_sees_fetches_and_deletes_it(client_of, person, other, sea):
    addresses = [reverse("palette-file", args=[sea.pk, "ase"]), reverse("palette-delete", args=[sea.pk])]
    for who in (other, None):
        client = client_of(who)
        assert "Sea" not in client.get(reverse("palettes")).content.decode()
        assert [client.get(address).status_code for address in addresses] == [404, 404]
        assert client.post(addresses[1]).status_code == 404
    client = client_of(person)
    assert "Sea" in client.get(reverse("palettes")).content.decode()
    assert "goes for good" in client.get(addresses[1]).content.decode()
    assert client.post(addresses[1]).status_code == 302
    assert client.post(addresses[1]).status_code == 404
    assert not SavedPalette.objects.exists()


@pytest.mark.parametrize("suffix", files.WRITERS)
def test_it_goes_out_and_comes_in_again(client_of, person, other, sea, suffix):
    answer = client_of(person).get(reverse("palette-file", args=[sea.pk, suffix]))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="sea.{suffix}"'
    assert "no-store" in answer.headers["Cache-Control"]
    upload = SimpleUploadedFile(f"anything.{suffix}", answer.content)
    page = client_of(other).post(reverse("palette-upload"), {"file": upload}, follow=True)
    assert "Sea is kept among your palettes, 3 colours." in page.content.decode()
    assert SavedPalette.objects.of(other).get().held == SEA


def test_other_endings_are_no_address(client_of, person, sea):
    assert client_of(person).get(reverse("palette-file", args=[sea.pk, "aco"])).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.ase", b"ASEF" + b"\xff" * 60, "version"),
        ("x.gpl", b"GIMP Palette\n1 2 3\n", "has 1 colour"),
        ("x.ase", b"\x89PNG\r\n\x1a\n", "no palette"),
        ("x.gpl", b"GIMP Palette\n" + b"1 2 3\n" * 20_000, "larger than 64 KB"),
        ("x.gpl", b"", "empty"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(client_of, person, name, content, said):
    client = client_of(person)
    page = client.post(reverse("palette-upload"), {"file": SimpleUploadedFile(name, content)}, follow=True)
    assert page.status_code == 200
    assert said in page.content.decode()
    answer = client.post(reverse("palette-upload"), {"file": SimpleUploadedFile(name, content)}, headers=HTMX)
    assert answer.status_code == 422
    assert not SavedPalette.objects.exists()


def test_a_file_without_a_name_is_called_as_the_file(client_of, person):
    upload = SimpleUploadedFile("autumn.json", json.dumps(["#9c2a2e", "#f3efe4"]).encode())
    client_of(person).post(reverse("palette-upload"), {"file": upload})
    assert SavedPalette.objects.get().name == "autumn"


def test_no_more_than_a_drawer_holds(person, monkeypatch, client_of):
    monkeypatch.setattr(services, "MAX_SAVED", 2)
    for name in ("a", "b", "b"):
        services.save(person, Held(name, SEA.colours))
    answer = client_of(person).post(reverse("palette-save"), {"name": "c", "ink": list(SEA.colours)}, headers=HTMX)
    assert answer.status_code == 422
    assert "2 palettes already" in answer.content.decode()


def test_the_table_can_be_taken_away_as_a_file(client):
    answer = client.get(reverse("inks-file", args=["gpl"]), {"ink": list(SEA.colours), "name": "Floral in blue"})
    assert files.read(answer.content).colours == SEA.colours
    assert 'filename="floral-in-blue.gpl"' in answer.headers["Content-Disposition"]
    assert client.get(reverse("inks-file", args=["exe"]), {"ink": list(SEA.colours)}).status_code == 404
    assert client.get(reverse("inks-file", args=["gpl"]), {"ink": "x"}, headers=HTMX).status_code == 422


def test_they_come_along_when_a_guest_signs_in(person, make_person):
    guest = make_person("guest-1", is_guest=True)
    services.save(guest, SEA)
    services.save(person, SEA)
    merge(guest, person)
    assert SavedPalette.objects.of(person).count() == 2, "nothing is lost, even of one name"


def test_a_guest_with_palettes_is_not_an_empty_one(make_person, settings):
    from datetime import timedelta

    from django.utils import timezone

    from studio.retention import delete_empty_guests

    old = timezone.now() - timedelta(days=90)
    keeps = make_person("guest-2", is_guest=True, date_joined=old)
    make_person("guest-3", is_guest=True, date_joined=old)
    services.save(keeps, SEA)
    assert delete_empty_guests() == 1
    assert User.objects.filter(pk=keeps.pk).exists()
