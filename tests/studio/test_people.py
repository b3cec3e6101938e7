"""Guests, members, and what moves with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client, RequestFactory
from django.urls import reverse

from ml_backend import jobs
from ml_backend.models import Job
from ml_backend.requests import OverlayRequest
from patterns import services as pattern_services
from patterns.models import Favourite, Pattern
from studio import people, services
from studio.models import Look, Photo, User

pytestmark = pytest.mark.django_db
PASSWORD = "s3wing-kit"


@pytest.fixture
def request_of(rf: RequestFactory):
    """A request with a session, of ``user`` or of nobody."""
    from django.contrib.auth import login
    from django.contrib.auth.models import AnonymousUser
    from django.contrib.sessions.backends.db import SessionStore

    def make(user: User | None = None):
        request = rf.post("/")
        request.session = SessionStore()
        request.user = AnonymousUser()
        if user is not None:
            login(request, user, backend=people.BACKEND)
        return request

    return make


@pytest.fixture
def guest(make_person) -> User:
    return make_person("guest-abc", is_guest=True)


def test_a_visitor_becomes_a_guest_once(request_of):
    request = request_of()
    assert people.person(request) is None
    guest = people.ensure_person(request)
    assert guest.is_guest
    assert not guest.has_usable_password()
    assert people.ensure_person(request) == guest == people.person(request)
    assert User.objects.count() == 1


def test_signing_up_keeps_the_row_and_the_work(request_of, guest, make_pattern):
    pattern = make_pattern(guest)
    member = people.sign_up(request_of(guest), "carla", PASSWORD, "carla@example.org")
    assert member.pk == guest.pk
    assert (member.username, member.is_guest, member.check_password(PASSWORD)) == ("carla", False, True)
    pattern.refresh_from_db()
    assert pattern.owner == member


def test_signing_up_as_a_visitor_makes_a_member(request_of):
    member = people.sign_up(request_of(), "carla", PASSWORD)
    assert not member.is_guest
    assert User.objects.count() == 1


def test_signing_up_while_a_member_makes_another_person(request_of, person, make_pattern):
    make_pattern(person)
    second = people.sign_up(request_of(person), "carla", PASSWORD)
    assert second.pk != person.pk
    assert person.patterns.count() == 1


def test_signing_in_moves_the_guests_work(request_of, guest, person, make_pattern, make_photo):
    pattern, photo, liked = make_pattern(guest), make_photo(guest), make_pattern(person)
    pattern_services.favourite(guest, liked, on=True)
    pattern_services.favourite(person, liked, on=True)
    pattern_services.favourite(guest, pattern, on=True)
    look = services.ask_look(guest, pattern, photo, OverlayRequest())
    people.sign_in(request_of(guest), person)
    assert not User.objects.filter(pk=guest.pk).exists()
    for row in (pattern, photo, look, look.job):
        row.refresh_from_db()
        assert row.owner == person
    assert Favourite.objects.filter(user=person).count() == 2
    assert default_storage.exists(str(photo.image))


def test_signing_in_as_another_member_moves_nothing(request_of, person, other, make_pattern):
    make_pattern(person)
    people.sign_in(request_of(person), other)
    assert (person.patterns.count(), other.patterns.count()) == (1, 0)


def test_deleting_everything_deletes_everything_of_mine_and_nothing_else(
    request_of, person, other, make_pattern, make_photo
):
    mine, theirs = make_pattern(person, public=True), make_pattern(other)
    photo = make_photo(person)
    look = services.ask_look(person, mine, photo, OverlayRequest())
    others_look = services.ask_look(other, mine, make_photo(other), OverlayRequest())
    pattern_services.favourite(other, mine, on=True)
    request = request_of(person)
    with capture():
        people.delete_everything(request)
    assert not User.objects.filter(pk=person.pk).exists()
    for model in (Pattern, Photo, Look, Job):
        assert not model.objects.filter(owner_id=person.pk).exists()
    assert not Look.objects.filter(pk=look.pk).exists()
    assert people.person(request) is None
    left = {path.parent.name for path in Path(default_storage.path(".")).rglob("*") if path.is_file()}
    assert left == {str(theirs.pk), str(others_look.photo_id)}
    others_look.refresh_from_db()
    assert [part.pattern for part in others_look.parts.all()] == [None]


def capture():
    from django.test import TestCase

    return TestCase.captureOnCommitCallbacks(execute=True)


# --- the account pages --------------------------------------------------------------------------------------------


def test_sign_up_page(client: Client):
    answer = client.post(
        reverse("sign-up"), {"username": "carla", "password1": PASSWORD, "password2": PASSWORD, "email": ""}
    )
    assert answer.status_code == 302
    assert User.objects.get(username="carla").check_password(PASSWORD)
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize("name", ["ana", "ANA", "guest-1", ""])
def test_sign_up_refuses_taken_names(client: Client, person, name):
    answer = client.post(reverse("sign-up"), {"username": name, "password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 200
    assert User.objects.count() == 1


def test_sign_in_page_brings_the_guests_work(client: Client, guest, person, make_pattern):
    make_pattern(guest)
    client.force_login(guest)
    answer = client.post(reverse("sign-in"), {"username": "ana", "password": PASSWORD})
    assert answer.status_code == 302
    assert person.patterns.count() == 1
    assert client.session["_auth_user_id"] == str(person.pk)


def test_a_wrong_password_changes_nothing(client: Client, guest, person, make_pattern):
    make_pattern(guest)
    client.force_login(guest)
    assert client.post(reverse("sign-in"), {"username": "ana", "password": "wrong"}).status_code == 200
    assert guest.patterns.count() == 1


def test_sign_in_does_not_lead_away(client: Client, person):
    answer = client.post(reverse("sign-in"), {"username": "ana", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_guests_have_no_password_to_change(client: Client, guest):
    assert client.get(reverse("password-change")).status_code == 302
    client.force_login(guest)
    assert client.get(reverse("password-change")).status_code == 403


def test_delete_asks_first_and_wants_post(client: Client, person, make_pattern):
    make_pattern(person)
    client.force_login(person)
    assert client.get(reverse("delete-everything")).status_code == 200
    assert User.objects.count() == 1
    assert client.post(reverse("delete-everything")).status_code == 302
    assert not User.objects.exists()
    assert "_auth_user_id" not in client.session


def test_sign_out_wants_post(client: Client, person):
    client.force_login(person)
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).status_code == 302


def test_deleting_a_person_stops_their_running_work(person, make_pattern, make_photo):
    look = services.ask_look(person, make_pattern(person), make_photo(person), OverlayRequest())
    claimed = jobs.claim("default")
    assert claimed is not None
    assert claimed.job == look.job
    person.delete()
    assert jobs.should_stop(claimed)
