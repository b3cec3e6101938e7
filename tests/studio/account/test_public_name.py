"""A name in the gallery: chosen, shown with what is published and with nothing else, taken away."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages

from studio.account.models import User
from studio.looks.models import Look

pytestmark = pytest.mark.django_db

URL = "/account/name/"


def said(response) -> str:
    return " ".join(str(one) for one in get_messages(response.wsgi_request))


def test_it_stands_under_what_is_published_until_it_is_taken_away(client_of, person, other, make_pattern, make_garment):
    client, visitor = client_of(person), client_of(None)
    shown, hidden = make_pattern(person, public=True), make_pattern(person)
    look = Look.objects.create(owner=person, garment=make_garment("dress"), public=True, file="x.png", thumb="x.webp")
    paths = ["/gallery/", f"/gallery/{shown.pk}/", "/gallery/looks/", f"/gallery/looks/{look.pk}/"]
    for path in paths:
        assert "by " + person.username not in visitor.get(path).content.decode()
        assert 'class="by"' not in visitor.get(path).content.decode(), "nobody has consented"
    for _ in range(2):
        assert "Ana of Lyon" in said(client.post(URL, {"public_name": " Ana  of Lyon "}))
    for path in paths:
        assert "by Ana of Lyon" in visitor.get(path).content.decode(), path
    assert "Ana of Lyon" not in client.get(f"/gallery/{hidden.pk}/").content.decode().partition("<main")[2]
    client.post(URL, {"public_name": ""})
    for path in paths:
        assert "Ana of Lyon" not in visitor.get(path).content.decode(), path


@pytest.mark.parametrize("name", ["BEN", "Coco", "x" * 41, "An\u202ea"])
def test_what_is_no_name_of_ones_own_is_refused(client_of, person, other, make_person, name):
    User.objects.filter(pk=other.pk).update(public_name="coco")
    assert "Nothing was changed" in said(client_of(person).post(URL, {"public_name": name})) or len(name) > 40
    person.refresh_from_db()
    assert person.public_name == ""


def test_only_members_have_one(client_of, make_person):
    guest = make_person(is_guest=True)
    for client in (client_of(None), client_of(guest)):
        assert client.post(URL, {"public_name": "Ana"}).status_code == 302
    assert not User.objects.exclude(public_name="").exists()
    assert client_of(make_person()).get(URL).status_code == 405
