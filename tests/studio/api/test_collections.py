"""Collections through the API: the same as on the pages."""

from __future__ import annotations

import pytest

from studio.api import tokens
from studio.collections.models import Board

pytestmark = pytest.mark.django_db

URL = "/api/v1/collections"


@pytest.fixture
def ask(client):
    def asking(owner, method: str, path: str, body=None):
        token = tokens.make(owner, f"token {owner.api_tokens.count()}")[1]
        headers = {"Authorization": f"Bearer {token}"}
        return getattr(client, method)(f"{URL}{path}", body, content_type="application/json", headers=headers)

    return asking


def test_a_collection_from_its_beginning_to_its_end(ask, person, make_pattern, work_off):
    made = ask(person, "post", "", {"name": "Summer", "notes": "Linen."}).json()
    hero = make_pattern(person, pattern_type="floral", seed=3)
    path = f"/{made['id']}"
    on_it = ask(person, "post", f"{path}/items", {"pattern": str(hero.pk)}).json()
    (item,) = on_it["items"]
    assert (item["part"], item["pattern"], item["scale_cm"]) == ("hero", str(hero.pk), 26.0)
    matched = ask(person, "post", f"{path}/items/{item['id']}/matches")
    assert (matched.status_code, len(matched.json()["items"])) == (202, 6)
    changed = ask(person, "patch", f"{path}/items/{item['id']}", {"note": "the dress", "by": 9}).json()
    assert changed["items"][-1]["note"] == "the dress"
    link = ask(person, "post", f"{path}/links", {"days": 3}).json()
    assert ask(person, "get", path).json()["links"] == [link]
    assert ask(person, "get", f"{path}/zip").status_code == 200
    assert ask(person, "delete", f"{path}/links/{link['id']}").status_code == 204
    assert ask(person, "patch", path, {"name": "Winter"}).json()["name"] == "Winter"
    assert ask(person, "delete", f"{path}/items/{item['id']}").status_code == 204
    assert [one["name"] for one in ask(person, "get", "").json()["items"]] == ["Winter"]
    assert ask(person, "delete", path).status_code == 204
    assert not Board.objects.exists()


def test_nobody_elses_and_no_nonsense(ask, person, other, make_pattern):
    path = f"/{ask(person, 'post', '', {'name': 'Summer'}).json()['id']}"
    hidden = make_pattern(person)
    for method, where, body in (
        ("get", "", None), ("patch", "", {"name": "x"}), ("delete", "", None), ("get", "/zip", None),
        ("post", "/items", {"pattern": str(hidden.pk)}), ("post", "/links", {"days": 1}),
    ):  # fmt: skip
        assert ask(other, method, path + where, body).status_code == 404, where
    theirs = f"/{ask(other, 'post', '', {'name': 'Theirs'}).json()['id']}"
    assert ask(other, "post", f"{theirs}/items", {"pattern": str(hidden.pk)}).status_code == 404
    assert ask(other, "post", f"{theirs}/items", {}).status_code == 422
    assert ask(other, "post", "", {"name": " "}).status_code == 422
    assert ask(other, "post", f"{theirs}/links", {"days": 91}).status_code == 422
    assert Board.objects.count() == 2
