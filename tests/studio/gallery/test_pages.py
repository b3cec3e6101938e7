"""The gallery's rooms for pictures from words: who sees what, in pages, by words, and empty."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from studio.imagine.models import Imagining
from studio.restyle.models import Restyle

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PIECE = b'class="piece look"'
ROOMS = ("restyled", "imagined")


@pytest.fixture
def rows(other, make_photo):
    """Many finished pictures of a room without files of their own: ``rows("imagined", 3, public=False)``."""

    def make(room, count=1, owner=None, prompt="a red dress", **fields):
        owner = owner or other
        values = {"file": "x/picture.png", "thumb": "x/t.webp", "width": 64, "height": 96, "public": True, **fields}
        model = Imagining
        if room == "restyled":
            model = Restyle
            values["photo"] = make_photo(owner)
        return model.objects.bulk_create(
            model(owner=owner, params={"prompt": prompt, "seed": seed}, **values) for seed in range(count)
        )

    return make


@pytest.mark.parametrize("room", ROOMS)
class TestWall:
    def url(self, room):
        return f"/gallery/{room}/"

    def test_private_and_unfinished_pictures_stay_out(self, client, rows, room):
        rows(room, 2)
        rows(room, 3, public=False)
        rows(room, 4, file="")
        page = client.get(self.url(room)).content
        assert page.count(PIECE) == 2
        assert b"2 pictures" in page

    def test_each_room_shows_its_own_kind(self, client, rows, room):
        rows(room, 2)
        elsewhere = ROOMS[1 - ROOMS.index(room)]
        assert client.get(self.url(elsewhere)).content.count(PIECE) == 0
        picture = (Restyle if room == "restyled" else Imagining).objects.first()
        page = client.get(self.url(room)).content.decode()
        assert f'href="{reverse(room, args=[picture.pk])}"' in page
        assert f'href="{reverse("restyle" if room == "restyled" else "imagine")}?remix={picture.pk}"' in page
        assert 'alt="a red dress, seed 0"' in page

    def test_a_thousand_come_in_pages(self, client, rows, room, django_assert_max_num_queries):
        rows(room, 1000)
        with django_assert_max_num_queries(4):
            page = client.get(self.url(room)).content
        assert page.count(PIECE) == 48
        assert b'href="?page=2"' in page
        fragment = client.get(self.url(room), {"page": 21}, headers=HTMX).content
        assert fragment.count(PIECE) == 40
        assert b"<html" not in fragment
        assert b"More" not in fragment

    def test_mine_are_all_my_own(self, client_of, person, rows, room):
        rows(room, 2, owner=person, public=False)
        rows(room, 3)
        page = client_of(person).get(self.url(room), {"whose": "mine"}).content
        assert page.count(PIECE) == 2
        assert client_of(None).get(self.url(room), {"whose": "mine"}).content.count(PIECE) == 0

    def test_words_are_sought_in_any_order_and_case(self, client, rows, room):
        rows(room, 2, prompt="a Red dress")
        rows(room, 3, prompt="a dress of blue linen")
        found = {
            words: self.seek(client, room, words).content.count(PIECE)
            for words in ("dress", "DRESS red", "linen", "velvet", "%", "  ")
        }
        assert found == {"dress": 5, "DRESS red": 2, "linen": 3, "velvet": 0, "%": 0, "  ": 5}
        page = self.seek(client, room, "<b>linen").content
        assert b"&lt;b&gt;linen" in page
        assert b"<b>linen" not in page

    def test_the_next_page_keeps_the_words(self, client, rows, room):
        rows(room, 60, prompt="a coat")
        found = self.seek(client, room, "coat")
        key = found.request["QUERY_STRING"].removeprefix("sought=")
        assert f"?sought={key}&amp;page=2".encode() in found.content
        assert client.get(self.url(room), {"sought": key, "page": 2}).content.count(PIECE) == 12

    def test_what_is_sought_stands_in_no_address_and_is_nobody_elses(self, client, client_of, person, rows, room):
        rows(room, 2, prompt="a Red dress")
        rows(room, 3, prompt="blue linen")
        answer = client.post(self.url(room), {"q": "linen", "whose": "mine"})
        assert "linen" not in answer.url
        assert "whose=mine" in answer.url
        page = client.get(answer.url.replace("whose=mine&", ""))
        assert page.content.count(PIECE) == 3
        assert b"linen" not in b"".join(link for link in re.findall(rb'href="[^"]*"', page.content))
        assert client_of(person).get(answer.url.replace("whose=mine&", "")).content.count(PIECE) == 5
        assert client.post(self.url(room), {"q": "  "}).url == self.url(room)

    def seek(self, client, room, words):
        return client.post(self.url(room), {"q": words}, follow=True)

    @pytest.mark.parametrize(
        ("query", "words"), [("", b"Nobody has"), ("?whose=mine", b"yet"), ("velvet", b"Nothing in these words")]
    )
    def test_every_emptiness_says_what_to_do(self, client_of, person, room, query, words):
        client = client_of(person)
        sought = query and not query.startswith("?")
        page = (self.seek(client, room, query) if sought else client.get(self.url(room) + query)).content
        assert words in page
        assert b"button" in page

    def test_nonsense_shows_the_nearest_page(self, client, rows, room):
        rows(room, 1)
        assert client.get(self.url(room), {"page": "x", "whose": "yours"}).content.count(PIECE) == 1
        assert client.get(self.url(room), {"page": "999"}).content.count(PIECE) == 1
        assert client.get(self.url(room), {"sought": "x"}).content.count(PIECE) == 1
        assert client.put(self.url(room)).status_code == 405


def test_the_rooms_lead_to_each_other_and_keep_whose(client_of, person):
    client = client_of(person)
    addresses = ("/gallery/", "/gallery/looks/", "/gallery/restyled/", "/gallery/imagined/")
    for address in addresses:
        page = client.get(address, {"whose": "mine"}).content.decode()
        for other in addresses:
            assert f'href="{other}?whose=mine"' in page
        assert page.count('aria-current="page"') == 2, "the gallery among the rooms of the house, and this wall"
