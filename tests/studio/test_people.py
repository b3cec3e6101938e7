"""Guests, members, and what moves with them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from ml_backend.models import Job
from ml_backend.requests import OverlayRequest
from ml_backend.serving import jobs
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
    assert b'type="password"' in client.get(reverse("delete-everything")).content
    assert User.objects.count() == 1
    assert client.post(reverse("delete-everything"), {"password": PASSWORD}).status_code == 302
    assert not User.objects.exists()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " "])
def test_a_member_is_deleted_with_the_password_only(client: Client, person, make_pattern, password):
    make_pattern(person)
    client.force_login(person)
    answer = client.post(reverse("delete-everything"), {"password": password})
    assert answer.status_code == 200
    assert answer.context["form"].errors["password"][0].endswith((".", "afterwards."))
    assert person.patterns.count() == 1


def test_a_guest_has_no_password_to_give(client: Client, guest, make_pattern):
    make_pattern(guest)
    client.force_login(guest)
    assert b'type="password"' not in client.get(reverse("delete-everything")).content
    assert client.post(reverse("delete-everything")).status_code == 302
    assert not User.objects.exists()


def test_a_new_password_revokes_the_tokens(client: Client, person, other):
    from studio.api import tokens

    token, theirs = tokens.make(person, "script")[1], tokens.make(other, "script")[1]
    client.force_login(person)
    new = {"old_password": PASSWORD, "new_password1": "qu1lting-bee", "new_password2": "qu1lting-bee"}
    assert client.post(reverse("password-change"), {**new, "old_password": "wrong"}).status_code == 200
    assert tokens.find(token) is not None
    assert client.post(reverse("password-change"), new).status_code == 302
    assert tokens.find(token) is None
    assert tokens.find(theirs) is not None


def test_signing_in_keeps_the_tokens_even_when_the_hash_is_renewed(client: Client, person, settings):
    from studio.api import tokens

    token = tokens.make(person, "script")[1]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    assert client.post(reverse("sign-in"), {"username": "ana", "password": PASSWORD}).status_code == 302
    person.refresh_from_db()
    assert person.password.startswith("pbkdf2")
    assert tokens.find(token) is not None


# --- two first things at once -------------------------------------------------------------------------------------


def fabric(**more):
    return {"pattern_type": "dotted", "engine": "drawn", "count": 1, **more}


def test_reading_a_page_gives_a_name_and_makes_no_row(client: Client):
    cookie = client.get(reverse("studio")).cookies["visitor"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert "visitor" not in client.get(reverse("studio")).cookies
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_first_presses_at_once_make_one_guest_and_keep_both_works(client: Client, monkeypatch):
    client.get(reverse("studio"))
    together = threading.Barrier(2, timeout=20)
    make = people._new_guest

    def at_the_same_moment(name: str) -> User:
        together.wait()
        return make(name)

    monkeypatch.setattr(people, "_new_guest", at_the_same_moment)
    answers: list[Client] = []

    def press(seed: int) -> None:
        browser = Client()
        browser.cookies["visitor"] = client.cookies["visitor"].value
        assert browser.post(reverse("fabric-new"), fabric(seed=seed)).status_code == 302
        answers.append(browser)
        connection.close()

    threads = [threading.Thread(target=press, args=(seed,)) for seed in (3, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    guest = User.objects.get()
    assert guest.is_guest
    assert {pattern.seed for pattern in Pattern.objects.filter(owner=guest)} == {3, 8}
    assert {browser.session["_auth_user_id"] for browser in answers} == {str(guest.pk)}


def test_a_second_press_before_the_first_answer_is_the_same_guests(client: Client):
    client.get(reverse("studio"))
    other = Client()
    other.cookies["visitor"] = client.cookies["visitor"].value
    client.post(reverse("fabric-new"), fabric(seed=1))
    other.post(reverse("fabric-new"), fabric(seed=2))
    assert User.objects.get().patterns.count() == 2
    assert client.cookies["visitor"].value == ""


def test_a_name_of_long_ago_or_made_up_enters_nothing(client: Client):
    client.get(reverse("studio"))
    thief = Client()
    thief.cookies["visitor"] = client.cookies["visitor"].value
    client.post(reverse("fabric-new"), fabric(seed=1))
    User.objects.update(date_joined=timezone.now() - people.BEGINNING * 2)
    thief.post(reverse("fabric-new"), fabric(seed=2))
    forger = Client()
    forger.cookies["visitor"] = "made-up"
    forger.post(reverse("fabric-new"), fabric(seed=3))
    assert [guest.patterns.count() for guest in User.objects.all()] == [1, 1, 1]


def test_a_member_is_never_entered_by_a_browsers_name(client: Client):
    client.get(reverse("studio"))
    thief = Client()
    thief.cookies["visitor"] = client.cookies["visitor"].value
    client.post(reverse("fabric-new"), fabric(seed=1))
    User.objects.update(is_guest=False)
    thief.post(reverse("fabric-new"), fabric(seed=2))
    assert User.objects.count() == 2


def test_two_browsers_are_two_guests():
    for _ in range(2):
        browser = Client()
        browser.get(reverse("studio"))
        browser.post(reverse("fabric-new"), fabric())
    assert User.objects.count() == 2


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
