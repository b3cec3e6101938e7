"""New fabrics are fresh until they are kept: by a press, or by anything that shows that they are wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import TestCase
from django.utils import timezone

from ml_backend.requests import GenerateRequest, OverlayRequest
from ml_backend.serving import jobs
from patterns import services
from patterns.models import Pattern
from studio import retention
from studio.looks.services import ask_look

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SOON = timezone.now() + timedelta(days=7)
LONG_AGO = timezone.now() - timedelta(days=2)
PALETTE = "#101010,#eeeeee,#c02020,#2040a0"


@pytest.fixture
def fresh(person, make_pattern):
    return make_pattern(person, fresh_until=SOON)


def kept(pattern) -> bool:
    return Pattern.objects.get(pk=pattern.pk).fresh_until is None


def test_what_the_studio_makes_is_fresh_and_what_a_program_makes_is_kept(client_of, person):
    client_of(person).post("/fabrics/", {"pattern_type": "plaid"})
    assert Pattern.objects.of(person).fresh().count() == 4
    assert services.ask(person, GenerateRequest("plaid", 1, engine="drawn")).fresh_until is None


def test_where_all_are_kept_none_is_fresh(client_of, person, settings):
    settings.FRESH_DAYS = 0
    client_of(person).post("/fabrics/", {"pattern_type": "plaid"})
    assert Pattern.objects.of(person).kept().count() == 4


def worn(client, fabric, **_):
    client.post("/looks/", {"pattern": fabric.pk, "on": "dress"})


def recoloured(client, fabric, **_):
    client.post("/fabrics/colourways/", {"of": fabric.pk, "palette": PALETTE})


def downloaded(client, fabric, **_):
    assert client.get(f"{fabric.tile_url}?download").status_code == 200


def enlarged(client, fabric, **_):
    client.post("/fabrics/large/", {"pattern": fabric.pk})


def favoured(client, fabric, **_):
    client.post(f"/gallery/{fabric.pk}/favourite/", {"on": "1"})


def published(client, fabric, **_):
    client.post(f"/gallery/{fabric.pk}/publish/", {"public": "1"})


def pressed(client, fabric, **_):
    client.post("/fabrics/keep/", {"pattern": fabric.pk})


@pytest.mark.parametrize("wanted", [worn, recoloured, downloaded, enlarged, favoured, published, pressed])
def test_what_shows_that_it_is_wanted_keeps_it(client_of, person, fresh, make_garment, wanted):
    make_garment("dress")
    client = client_of(person)
    for _ in range(2):
        wanted(client, fresh)
        assert kept(fresh)


def test_looking_keeps_nothing_and_neither_does_somebody_else(client_of, person, other, fresh):
    client_of(person).get(fresh.tile_url)
    client_of(person).get("/", {"pattern": fresh.pk})
    client_of(person).head(f"{fresh.tile_url}?download")
    client_of(other).get(f"{fresh.tile_url}?download")
    for client in (client_of(other), client_of(None)):
        for what in ("keep", "discard"):
            assert client.post(f"/fabrics/{what}/", {"pattern": fresh.pk}, headers=HTMX).status_code == 422
    assert Pattern.objects.get(pk=fresh.pk).fresh


def test_a_discarded_one_is_out_of_sight_and_can_be_brought_back(client_of, person, fresh, make_pattern):
    client = client_of(person)
    page = client.post("/fabrics/discard/", {"pattern": fresh.pk}, headers=HTMX).content.decode()
    assert f'<div id="cell-{fresh.pk}" hx-swap-oob="delete">' in page
    assert "Bring it back" in page
    for path in ("/", "/gallery/?whose=mine", "/gallery/?whose=fresh"):
        assert str(fresh.pk) not in client.get(path).content.decode(), path
    assert client.post("/fabrics/discard/", {"pattern": fresh.pk}, headers=HTMX).status_code == 422, "twice"
    back = client.post("/fabrics/keep/", {"pattern": fresh.pk, "back": "1"}, headers=HTMX).content.decode()
    assert f'data-pattern="{fresh.pk}"' in back
    assert kept(fresh)


def test_a_kept_one_is_not_discarded(client_of, person, make_pattern):
    fabric = make_pattern(person)
    answer = client_of(person).post("/fabrics/discard/", {"pattern": fabric.pk}, headers=HTMX)
    assert (answer.status_code, "kept already" in answer.content.decode()) == (422, True)
    assert kept(fabric)


@pytest.mark.parametrize("what", ["keep", "discard"])
def test_bad_input(client_of, person, what):
    client = client_of(person)
    assert client.post(f"/fabrics/{what}/", {"pattern": "x"}, headers=HTMX).status_code == 422
    assert client.post(f"/fabrics/{what}/", {}, headers=HTMX).status_code == 422
    assert client.get(f"/fabrics/{what}/").status_code == 405


def test_all_fresh_ones_at_once(client_of, person, other, make_pattern):
    mine, theirs = [make_pattern(person, fresh_until=SOON) for _ in range(3)], make_pattern(other, fresh_until=SOON)
    client = client_of(person)
    answer = client.post("/fabrics/keep/", {"all": "1", "next": "/gallery/?whose=fresh"})
    assert answer.url == "/gallery/?whose=fresh"
    assert all(kept(one) for one in mine)
    make_pattern(person, fresh_until=SOON)
    client.post("/fabrics/discard/", {"all": "1"})
    assert not Pattern.objects.of(person).fresh().exists()
    assert Pattern.objects.get(pk=theirs.pk).fresh


def test_the_gallery_shows_kept_ones_as_mine_and_fresh_ones_apart(client_of, person, fresh, make_pattern):
    stays = make_pattern(person)
    client = client_of(person)
    mine = client.get("/gallery/?whose=mine").content.decode()
    assert str(stays.pk) in mine
    assert str(fresh.pk) not in mine
    shelf = client.get("/gallery/?whose=fresh").content.decode()
    assert str(fresh.pk) in shelf
    assert str(stays.pk) not in shelf
    assert f"{SOON:%-d %B}" in shelf, "it is said until when it stays"
    page = client.get(f"/gallery/{fresh.pk}/").content.decode()
    assert f"{SOON:%-d %B}" in page
    assert "/fabrics/keep/" in page


class TestGoing:
    def gone(self) -> int:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return retention.delete_unkept_fabrics()

    def test_unkept_ones_go_after_their_time_with_their_files(self, person, make_pattern, fresh):
        from django.core.files.storage import default_storage

        over, stays = make_pattern(person, fresh_until=LONG_AGO), make_pattern(person)
        assert self.gone() == 1
        assert set(Pattern.objects.all()) == {fresh, stays}
        assert not default_storage.exists(str(over.tile))
        assert self.gone() == 0

    def test_never_while_a_look_wears_it_or_its_job_is_at_work(self, person, make_pattern, make_garment):
        used = make_pattern(person)
        ask_look(person, used, make_garment("dress"), OverlayRequest())
        Pattern.objects.filter(pk=used.pk).update(fresh_until=LONG_AGO)  # as of a row that was not kept with its look
        busy = make_pattern(person, fresh_until=LONG_AGO, job=jobs.submit(person, "generate"))
        assert self.gone() == 0
        assert set(Pattern.objects.all()) == {used, busy}

    def test_one_that_has_just_been_discarded_can_still_be_brought_back(self, person, fresh):
        services.discard(person, [fresh.pk])
        assert self.gone() == 0
        assert services.keep(person, [fresh.pk]) == 1

    def test_what_has_gone_cannot_be_worn(self, person, fresh, make_garment):
        garment = make_garment("dress")
        Pattern.objects.filter(pk=fresh.pk).delete()
        with pytest.raises(services.BadInput, match="not there any more"):
            ask_look(person, fresh, garment, OverlayRequest())
