"""Fabrics sought by any colour: the nearest first, with the other filters, on the wall and through the API."""

from __future__ import annotations

import pytest
from django.test import TestCase

from ml_backend.requests import GenerateRequest
from patterns import services
from patterns.models import Favourite, Pattern
from studio.api import tokens

pytestmark = pytest.mark.django_db

RED, BLUE, WHITE = "#b8322e", "#22478f", "#f5f0e6"


@pytest.fixture
def dyed(other):
    """Fabrics of two colours each: ``dyed("#b8322e", 0.7)`` wears red on most of it and white on the rest."""

    def make(colour, share=1.0, owner=None, **fields):
        values = {"pattern_type": "floral", "engine": "drawn", "tile": "x/t.png", "thumb": "x/t.webp", "public": True}
        palette, shares = [colour, WHITE], [share, round(1 - share, 4)]
        return Pattern.objects.create(
            owner=owner or other, seed=1, palette=palette, shares=shares, **{**values, **fields}
        )

    return make


@pytest.fixture
def wall(dyed):
    return {
        "blue": dyed(BLUE),
        "some": dyed(RED, 0.2),
        "much": dyed(RED, 0.8),
        "maroon": dyed("#75151f", 0.8),
        "plaid": dyed(RED, 0.9, pattern_type="plaid"),
        "private": dyed(RED, public=False),
    }


def order(client, wall, **query):
    page = client.get("/gallery/", query).context["page"].object_list
    names = {row.pk: name for name, row in wall.items()}
    return [names[row.pk] for row in page]


def test_the_nearest_come_first(client, wall):
    assert order(client, wall, near=RED) == ["plaid", "much", "some", "maroon", "blue"]
    assert order(client, wall, near="22478F")[0] == "blue"
    assert order(client, wall, near=BLUE, hex="B8322E")[0] == "plaid", "what is typed goes before what is picked"
    assert order(client, wall, near=BLUE, hex="reddish")[0] == "blue"
    page = client.get("/gallery/", {"near": RED}).content.decode()
    assert "nearest to" in page
    assert f'value="{RED}"' in page
    assert "5 fabrics" in page


def test_with_the_filters_that_there_are(client, client_of, wall, other, person):
    assert order(client, wall, near=RED, type="plaid") == ["plaid"]
    assert order(client_of(other), wall, near=RED, whose="mine")[0] == "private"
    Favourite.objects.create(user=person, pattern=wall["blue"])
    assert order(client_of(person), wall, near=RED, whose="favourites") == ["blue"]
    page = client.get("/gallery/", {"near": RED, "type": "plaid"}).content.decode()
    assert '<input type="hidden" name="type" value="plaid">' in page
    assert "near=%23b8322e&amp;type=floral" in page


def test_nonsense_is_no_colour(client, wall):
    newest = order(client, wall)
    for wrong in ("red", "#12", "x" * 500, ""):
        assert order(client, wall, near=wrong) == newest


def test_pages_hold_together(client, dyed, django_assert_max_num_queries):
    owner = dyed(BLUE).owner
    Pattern.objects.bulk_create(
        Pattern(
            owner=owner, seed=seed, pattern_type="floral", engine="drawn", tile="x", thumb="x", public=True,
            palette=[f"#{seed:02x}3040", WHITE], shares=[0.5, 0.5],
        )
        for seed in range(130)
    )  # fmt: skip
    seen = []
    for number in (1, 2, 3):
        with django_assert_max_num_queries(4):
            page = client.get("/gallery/", {"near": "#803040", "page": number}).context["page"]
        seen += [row.pk for row in page.object_list]
    assert len(seen) == len(set(seen)) == 131
    assert client.get("/gallery/", {"near": RED, "page": 2}, headers={"HX-Request": "true"}).status_code == 200


def test_fabrics_of_before_are_sought_too_and_counted_in_time(client, person, make_pattern):
    fabric = make_pattern(person, public=True)
    exact = fabric.shares
    assert sum(exact) == pytest.approx(1, abs=1e-3)
    lost = make_pattern(person, public=True)
    Pattern.objects.update(shares=[])
    Pattern.objects.filter(pk=lost.pk).update(inks="gone/inks.png")
    fabric.refresh_from_db()
    assert sum(fabric.coverage) == pytest.approx(1, abs=0.1), "typical of its type"
    assert client.get("/gallery/", {"near": RED}).content.count(b'class="piece"') == 2
    assert services.count_shares(most=1) == 1
    assert services.count_shares() == 1
    assert services.count_shares() == 0, "each is counted once, even what cannot be read"
    fabric.refresh_from_db()
    assert fabric.shares == pytest.approx(exact, abs=0.005)


def test_a_new_fabric_is_counted_as_it_is_made(person, work_off):
    with TestCase.captureOnCommitCallbacks(execute=True):
        row = services.ask(person, GenerateRequest("striped", 3, size=64, engine="drawn"))
    work_off()
    row.refresh_from_db()
    assert row.ready
    assert len(row.shares) == len(row.palette)
    assert sum(row.shares) == pytest.approx(1, abs=1e-3)
    assert services.recolour(person, row, [RED, WHITE, BLUE, "#202020"]).shares == pytest.approx(row.shares, abs=0.01)


class TestApi:
    url = "/api/v1/patterns"

    def asked(self, client, person, **query):
        token = tokens.make(person, "test")[1]
        return client.get(self.url, query, headers={"Authorization": f"Bearer {token}"})

    def test_the_nearest_come_first_here_too(self, client, person, wall):
        names = {str(row.pk): name for name, row in wall.items()}
        told = self.asked(client, person, whose="public", near=RED, limit=2).json()
        assert [names[one["id"]] for one in told["items"]] == ["plaid", "much"]
        assert told["total"] == 5
        assert "near=" in told["next"]
        assert told["items"][0]["shares"] == [0.9, 0.1]
        rest = self.asked(client, person, whose="public", near=RED, limit=2, offset=2).json()
        assert [names[one["id"]] for one in rest["items"]] == ["some", "maroon"]

    def test_what_is_no_colour_is_said(self, client, person, wall):
        answer = self.asked(client, person, whose="public", near="red")
        assert answer.status_code == 422
        assert "write it like #7a1f2b" in answer.json()["error"]["message"]

    def test_strangers_learn_nothing(self, client, wall):
        assert client.get(self.url, {"near": RED}).status_code == 401
