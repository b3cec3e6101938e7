"""Tokens: who has them, what they open, and how they end."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from ml_backend.errors import BadInput
from studio.account.models import User
from studio.api import tokens
from studio.api.models import ApiToken

from .conftest import Program, error

pytestmark = pytest.mark.django_db


def test_only_the_digest_is_kept(person):
    token, text = tokens.make(person, "  lookbook   script ")
    assert text.startswith("toile_")
    assert len(text) > 45
    assert token.name == "lookbook script"
    assert token.digest == hashlib.sha256(text.encode()).hexdigest()
    assert text.startswith(token.prefix)
    kept = [str(value) for value in ApiToken.objects.filter(pk=token.pk).values().get().values()]
    assert text not in kept


def test_a_token_opens_and_a_revoked_one_does_not(person, program):
    assert program.get("/limits").status_code == 200
    tokens.revoke(person.api_tokens.get())
    refused = program.get("/limits")
    assert error(refused) == (401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("token", ["", "toile_wrong", "toile_\u00fc", "x" * 5000])
def test_without_a_good_token_there_is_no_way_in(db, token):
    assert error(Program(token).get("/limits")) == (401, "unauthenticated")


def test_a_session_opens_the_pages_only(client_of, person):
    answer = client_of(person).get("/api/v1/limits")
    assert answer.status_code == 401


def test_a_token_works_where_another_person_is_signed_in(program, other):
    program.client.force_login(other)
    assert program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn"}).status_code == 202
    assert other.patterns.count() == 0


def test_an_owner_who_is_barred_is_refused(person, program):
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert program.get("/limits").status_code == 401


def test_the_last_use_is_kept_to_a_minute(person, program):
    def used():
        return person.api_tokens.get().last_used_at

    assert used() is None
    program.get("/limits")
    first = used()
    assert abs(first - timezone.now()) < timedelta(seconds=20)
    program.get("/limits")
    assert used() == first
    person.api_tokens.update(last_used_at=first - timedelta(minutes=2))
    program.get("/limits")
    assert used() >= first


def test_guests_have_none(make_person):
    with pytest.raises(BadInput, match="Sign up"):
        tokens.make(make_person(is_guest=True), "mine")


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x07b"])
def test_a_token_has_a_readable_name(person, name):
    with pytest.raises(BadInput, match="name"):
        tokens.make(person, name)


def test_there_is_a_limit(person):
    for number in range(tokens.MAX_TOKENS):
        tokens.make(person, f"number {number}")
    with pytest.raises(BadInput, match="Revoke one"):
        tokens.make(person, "one more")


def test_tokens_go_with_the_account(person, program, client_of):
    client_of(person).post("/accounts/delete/", {"password": "s3wing-kit"})
    assert not ApiToken.objects.exists()
    assert program.get("/limits").status_code == 401


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_page_shows_a_new_token_once(client_of, person):
    client = client_of(person)
    made = client.post("/accounts/tokens/", {"name": "my script"})
    text = re.search(r"toile_[\w-]{40,}", made.content.decode()).group()
    assert "no-store" in made.headers["Cache-Control"]
    assert Program(text).get("/limits").status_code == 200
    again = client.get("/accounts/tokens/").content.decode()
    assert text not in again
    assert "my script" in again
    assert text[:12] in again
    assert "tokens/" in client.get("/account/").content.decode()


def test_the_page_says_what_is_wrong(client_of, person):
    answer = client_of(person).post("/accounts/tokens/", {"name": " "})
    assert answer.status_code == 422
    assert "Give the token a name" in answer.content.decode()


def test_only_ones_own_is_revoked(client_of, person, other):
    token, text = tokens.make(person, "mine")
    address = f"/accounts/tokens/{token.pk}/revoke/"
    assert client_of(other).post(address).status_code == 404
    assert client_of(person).get(address).status_code == 405
    assert client_of(None).post(address).status_code == 302
    assert Program(text).get("/limits").status_code == 200
    assert client_of(person).post(address).status_code == 302
    assert Program(text).get("/limits").status_code == 401
    assert client_of(person).post(address).status_code == 404


def test_guests_and_strangers_are_asked_to_sign_in(client_of, make_person):
    for visitor in (None, make_person(is_guest=True)):
        answer = client_of(visitor).get("/accounts/tokens/")
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/accounts/sign-in/")
