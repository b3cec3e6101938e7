"""The gallery: filters, pages, and what owner, outsider and visitor may do with a fabric."""

from __future__ import annotations

import pytest
from django.urls import reverse

from patterns.models import Favourite, Pattern
from patterns.templatetags import cloth

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PIECE = b'class="piece"'


@pytest.fixture
def rows(other):
    """Many published fabrics without files of their own."""

    def make(count, owner=None, **fields):
        values = {
            "pattern_type": "floral",
            "engine": "drawn",
            "tile": "x/tile.png",
            "thumb": "x/t.webp",
            "public": True,
        }
        return Pattern.objects.bulk_create(
            Pattern(owner=owner or other, seed=seed, **{**values, **fields}) for seed in range(count)
        )

    return make


class TestWall:
    url = "/gallery/"

    def test_private_and_unfinished_fabrics_stay_out(self, client, rows):
        rows(2)
        rows(3, public=False)
        rows(4, tile="")
        response = client.get(self.url)
        assert response.content.count(PIECE) == 2
        assert b"2 fabrics" in response.content

    def test_a_thousand_come_in_pages(self, client, rows, django_assert_max_num_queries):
        rows(1000)
        with django_assert_max_num_queries(4):
            page = client.get(self.url).content
        assert page.count(PIECE) == 60
        assert b'href="?page=2"' in page
        fragment = client.get(self.url, {"page": 17}, headers=HTMX).content
        assert fragment.count(PIECE) == 40
        assert b"<html" not in fragment
        assert b"More" not in fragment

    def test_filters_by_type_and_colour(self, client, rows):
        rows(2, colours="|red|white|")
        rows(3, colours="|blue|")
        rows(1, pattern_type="plaid", colours="|red|")
        counts = {
            query: client.get(f"{self.url}?{query}").content.count(PIECE)
            for query in ("type=plaid", "colour=red", "type=floral&colour=red", "type=plaid&colour=blue", "type=tartan")
        }
        assert counts == {
            "type=plaid": 1,
            "colour=red": 3,
            "type=floral&colour=red": 2,
            "type=plaid&colour=blue": 0,
            "type=tartan": 6,
        }

    def test_mine_and_favourites(self, client_of, person, rows):
        mine = rows(2, owner=person, public=False)
        theirs = rows(3)
        Favourite.objects.create(user=person, pattern=theirs[0])
        Favourite.objects.create(user=person, pattern=mine[0])
        client = client_of(person)
        assert client.get(self.url, {"whose": "mine"}).content.count(PIECE) == 2
        assert client.get(self.url, {"whose": "favourites"}).content.count(PIECE) == 2
        Pattern.objects.filter(pk=theirs[0].pk).update(public=False)
        assert client.get(self.url, {"whose": "favourites"}).content.count(PIECE) == 1, "taken back by its owner"
        for whose in ("mine", "favourites"):
            assert client_of(None).get(self.url, {"whose": whose}).content.count(PIECE) == 0

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("", b"The wall is bare"),
            ("?whose=mine", b"Your shelf is empty"),
            ("?whose=favourites", b"No favourites yet"),
            ("?type=plaid", b"Nothing of that cut"),
        ],
    )
    def test_every_emptiness_says_what_to_do(self, client, query, words):
        assert words in client.get(self.url + query).content

    def test_nonsense_shows_the_nearest_page(self, client, rows):
        rows(1)
        assert client.get(self.url, {"page": "x", "colour": "%00"}).status_code == 200
        assert client.get(self.url, {"page": "999"}).content.count(PIECE) == 1
        assert client.post(self.url).status_code == 405


class TestPage:
    def test_it_tells_the_recipe(self, client_of, person, make_pattern):
        fabric = make_pattern(person, pattern_type="zigzag", seed=77)
        page = client_of(person).get(reverse("pattern", args=[fabric.pk])).content.decode()
        assert "--type zigzag --seed 77" in page
        assert f"/?pattern={fabric.pk}" in page
        assert f"{fabric.tile_url}?download" in page
        for colour in fabric.palette:
            assert colour in page

    def test_outsiders_see_it_once_published_and_never_its_levers(self, client_of, person, other, make_pattern):
        fabric = make_pattern(person)
        url = reverse("pattern", args=[fabric.pk])
        for client in (client_of(other), client_of(None)):
            assert client.get(url).status_code == 404
        Pattern.objects.filter(pk=fabric.pk).update(public=True)
        for client in (client_of(other), client_of(None)):
            page = client.get(url)
            assert page.status_code == 200
            assert reverse("pattern-delete", args=[fabric.pk]).encode() not in page.content
            assert reverse("pattern-publish", args=[fabric.pk]).encode() not in page.content

    def test_a_private_parent_is_not_linked(self, client_of, person, other, make_pattern):
        secret = make_pattern(other)
        child = make_pattern(person, parent=secret)
        page = client_of(person).get(reverse("pattern", args=[child.pk])).content.decode()
        assert "another fabric" in page
        assert str(secret.pk) not in page

    def test_unfinished_ones_show_their_work(self, client_of, person):
        client = client_of(person)
        client.post("/fabrics/", {"pattern_type": "floral", "count": 1})
        page = client.get(reverse("pattern", args=[Pattern.objects.get().pk])).content
        assert b"waiting" in page
        assert b'http-equiv="refresh"' in page


class TestPublishing:
    def test_owner_only_and_repeatable(self, client_of, person, other, make_pattern):
        fabric = make_pattern(person)
        url = reverse("pattern-publish", args=[fabric.pk])
        for client in (client_of(other), client_of(None)):
            assert client.post(url, {"public": "1"}).status_code == 404
        client = client_of(person)
        assert client.get(url).status_code == 405
        for data, expected in (({"public": "1"}, True), ({"public": "1"}, True), ({}, False), ({}, False)):
            assert client.post(url, data).status_code == 302
            fabric.refresh_from_db()
            assert fabric.public is expected

    def test_not_before_it_is_made(self, client_of, person):
        client = client_of(person)
        client.post("/fabrics/", {"pattern_type": "floral", "count": 1})
        fabric = Pattern.objects.get()
        page = client.post(reverse("pattern-publish", args=[fabric.pk]), {"public": "1"}, follow=True)
        assert "still being made" in page.content.decode()
        fabric.refresh_from_db()
        assert not fabric.public


class TestFavourites:
    def test_on_and_off_again_and_again(self, client_of, person, other, make_pattern):
        fabric = make_pattern(other, public=True)
        url = reverse("pattern-favourite", args=[fabric.pk])
        client = client_of(person)
        for _ in range(2):
            heart = client.post(url, {"on": "1"}, headers=HTMX).content
            assert b'aria-pressed="true"' in heart
        assert Favourite.objects.filter(user=person).count() == 1
        assert b'aria-pressed="false"' in client.post(url, headers=HTMX).content
        assert not Favourite.objects.exists()
        assert client.post(url, {"on": "1", "next": "/gallery/?type=plaid"}).url == "/gallery/?type=plaid"
        assert client.post(url, {"next": "//evil.example"}).url == reverse("pattern", args=[fabric.pk])

    def test_a_visitor_is_told_how(self, client, other, make_pattern):
        fabric = make_pattern(other, public=True)
        page = client.post(reverse("pattern-favourite", args=[fabric.pk]), {"on": "1"}, follow=True)
        assert "sign in first" in page.content.decode()
        assert not Favourite.objects.exists()

    def test_not_what_one_cannot_see(self, client_of, person, other, make_pattern):
        url = reverse("pattern-favourite", args=[make_pattern(other).pk])
        assert client_of(person).post(url, {"on": "1"}).status_code == 404
        assert client_of(person).get(url).status_code == 405


class TestDeleting:
    def test_asks_then_deletes_once(self, client_of, person, other, make_pattern):
        fabric = make_pattern(person)
        url = reverse("pattern-delete", args=[fabric.pk])
        for client in (client_of(other), client_of(None)):
            assert client.get(url).status_code == 404
            assert client.post(url).status_code == 404
        client = client_of(person)
        assert b"go for good" in client.get(url).content
        assert Pattern.objects.filter(pk=fabric.pk).exists()
        assert client.post(url).url == "/gallery/?whose=mine"
        assert not Pattern.objects.filter(pk=fabric.pk).exists()
        assert client.post(url).status_code == 404


class TestWords:
    @pytest.mark.parametrize(
        ("colours", "words"),
        [
            ("|red|white|blue|", "Floral in red, white and blue"),
            ("|red|white|", "Floral in red and white"),
            ("|red|", "Floral in red"),
            ("", "Floral"),
        ],
    )
    def test_titles(self, colours, words):
        assert cloth.titled(Pattern(pattern_type="floral", colours=colours)) == words

    def test_numbers_are_written_for_machines(self, settings):
        settings.LANGUAGE_CODE = "de"
        assert cloth.unlocalized(1234.5) == "1234.5"

    def test_a_palette_escapes_what_it_is_given(self):
        assert "<script" not in cloth.palette(['"><script>'])
