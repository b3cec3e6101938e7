"""A private link: what it shows, to whom, for how long, and that nothing else comes with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from studio.collections import services
from studio.collections.models import BoardLink
from studio.looks.models import Look

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(person, make_pattern, make_photo):
    made = services.make(person, "Summer", "Linen.")
    services.note(services.add(made, make_pattern(person)), "for the dress")
    look = Look.objects.create(owner=person, photo=make_photo(person), file="x.png", thumb="x.webp")
    look.parts.create(pattern=make_pattern(person))
    services.add(made, look)
    return made


@pytest.fixture
def visitors(other, client_of):
    return [client_of(other), client_of(None)]


def address(board, days: int = 7) -> str:
    return services.share(board, days).get_absolute_url()


def test_whoever_has_it_sees_the_board_and_only_what_is_on_it(board, person, visitors, make_pattern):
    url = address(board)
    fabric, _ = (item.thing for item in board.items.all())
    elsewhere = make_pattern(person)
    for client in visitors:
        answer = client.get(url)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert all(word in page for word in ("Summer", "Linen.", "for the dress"))
        assert person.username not in page
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer.headers["Cache-Control"]
        assert 'name="robots" content="noindex' in page
        first = board.items.first()
        assert client.get(f"{url}{first.pk}/tile").status_code == 200
        for name in ("inks", "large", "job", "owner"):
            assert client.get(f"{url}{first.pk}/{name}").status_code == 404, name
        photo_of_look = board.items.last()
        assert client.get(f"{url}{photo_of_look.pk}/image").status_code == 404
        assert client.get(f"{url}{elsewhere.pk}/tile").status_code == 404
        for row in (fabric, elsewhere):
            assert client.get(row.tile_url).status_code == 404, "its own address opens to nobody"
        assert client.get(f"/collections/{board.pk}/").status_code == 404
        assert client.post(url).status_code == 405


def test_one_that_is_wrong_over_or_revoked_opens_nothing(board, person, visitors, client_of):
    url = address(board)
    first = board.items.first()
    link = BoardLink.objects.get()
    other_board = services.make(person, "Other")
    forged = [
        url.replace(link.secret, "0" * 40), url.replace(link.secret, address(other_board).split("/")[-2]),
        f"/shared/{board.pk}/{link.secret}/",
    ]  # fmt: skip
    for client in visitors:
        for one in forged:
            assert client.get(one).status_code == 404
            assert client.get(f"{one}{first.pk}/tile").status_code == 404
    BoardLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for client in visitors:
        answer = client.get(url)
        assert (answer.status_code, "opens nothing" in answer.content.decode()) == (404, True)
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert client.get(f"{url}{first.pk}/tile").status_code == 404
    BoardLink.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert visitors[0].get(url).status_code == 200
    revoke = f"/collections/{board.pk}/links/{link.pk}/revoke/"
    assert client_of(person).post(revoke).status_code == 302
    assert client_of(person).post(revoke).status_code == 404, "twice"
    assert visitors[0].get(url).status_code == 404


def test_one_of_somebody_barred_opens_nothing(board, person, visitors):
    url = address(board)
    person.is_active = False
    person.save()
    assert visitors[0].get(url).status_code == 404


def test_no_two_are_alike_and_none_can_be_guessed(board):
    urls = {address(board) for _ in range(5)}
    assert len(urls) == 5
    assert all(len(url.split("/")[-2]) == 40 for url in urls)


def test_what_leaves_the_board_leaves_the_link(board, visitors):
    url = address(board)
    item = board.items.first()
    item.delete()
    assert "for the dress" not in visitors[0].get(url).content.decode()
    assert visitors[0].get(f"{url}{item.pk}/tile").status_code == 404


@pytest.mark.parametrize("days", ["0", "91", "x", ""])
def test_it_is_good_for_a_day_to_a_season(client_of, person, board, days):
    client = client_of(person)
    url = f"/collections/{board.pk}/share/"
    assert client.post(url, {"days": days}, headers={"HX-Request": "true"}).status_code == 422
    assert not BoardLink.objects.exists()
    client.post(url, {"days": "30"})
    left = BoardLink.objects.get().expires_at - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)
    page = client.get(f"/collections/{board.pk}/").content.decode()
    assert BoardLink.objects.get().get_absolute_url() in page


def test_not_more_than_some_at_a_time(board, monkeypatch):
    monkeypatch.setattr(services, "MOST_LINKS", 1)
    services.share(board, 1)
    with pytest.raises(services.BadInput, match="Revoke one"):
        services.share(board, 1)
