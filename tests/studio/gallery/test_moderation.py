"""The shop window, and what staff take down: who may, what everybody sees then, and what its owner reads."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from ml_backend.errors import BadInput
from patterns import moderation
from studio.gallery import window
from studio.gallery.models import ShopWindow
from studio.imagine.models import Imagining
from studio.looks.models import Look
from studio.restyle.models import Restyle

from ..workspace.test_pages import state_of

pytestmark = pytest.mark.django_db

WHY = "It shows somebody who did not agree"
KINDS = ("fabric", "look", "restyle", "imagining")
PAGES = {"fabric": "pattern", "look": "look", "restyle": "restyled", "imagining": "imagined"}
WALLS = {"fabric": "gallery", "look": "looks", "restyle": "restyled-wall", "imagining": "imagined-wall"}


@pytest.fixture
def published(person, make_pattern, make_photo):
    """Something of ``person``'s that everybody sees: ``published("look")``."""

    def make(kind, **fields):
        if kind == "fabric":
            return make_pattern(person, public=True, **fields)
        shown = {"owner": person, "public": True, "file": f"x/{uuid.uuid4()}.png", "thumb": "x/thumb.webp"}
        if kind == "look":
            patterns = fields.pop("patterns", None) or [make_pattern(person)]
            look = Look.objects.create(**shown, **{"photo": make_photo(person), **fields})
            for place, pattern in enumerate(patterns):
                look.parts.create(place=place, pattern=pattern)
            return look
        shown["params"] = {"prompt": "a red dress", "seed": 7}
        if kind == "restyle":
            return Restyle.objects.create(**shown, **{"photo": make_photo(person), **fields})
        return Imagining.objects.create(**shown, **fields)

    return make


def publish(row):
    row.publish(True)


@pytest.mark.parametrize("kind", KINDS)
class TestTakingDown:
    def test_staff_hide_it_from_everybody_and_its_owner_reads_why(
        self, kind, published, client_of, person, other, staff
    ):
        row = published(kind)
        page, wall = reverse(PAGES[kind], args=[row.pk]), reverse(WALLS[kind])
        assert str(row.pk) in client_of(other).get(wall).content.decode()
        assert "Take it down" in client_of(staff).get(page).content.decode()
        answer = client_of(staff).post(reverse("take-down", args=[kind, row.pk]), {"why": f" {WHY} "}, follow=True)
        assert "It is taken down." in answer.content.decode()
        for client in (client_of(other), client_of(None), client_of(staff)):
            assert client.get(page).status_code == 404
            assert str(row.pk) not in client.get(wall).content.decode()
        mine = client_of(person).get(page).content.decode()
        assert f"Staff took this down: {WHY}." in mine
        assert "Take it down" not in mine

    def test_its_owner_cannot_publish_it_again_unless_staff_lift_it(self, kind, published, client_of, person):
        row = published(kind)
        moderation.take_down(row, WHY)
        route = {"fabric": "pattern", "look": "look", "restyle": "restyled", "imagining": "imagined"}[kind]
        client_of(person).post(reverse(f"{route}-publish", args=[row.pk]), {"public": "1"})
        row.refresh_from_db()
        assert not row.public
        with pytest.raises(BadInput, match="did not agree"):
            publish(row)
        moderation.lift(row)
        assert not row.public, "lifting publishes nothing"
        publish(row)
        row.refresh_from_db()
        assert row.public
        assert row.taken_down == ""

    def test_nor_its_like(self, kind, published, person):
        row = published(kind)
        names = {
            "fabric": ("seed", "pattern_type"), "look": ("patterns", "photo"), "restyle": ("photo",), "imagining": (),
        }[kind]  # fmt: skip
        same = {name: getattr(row, name) for name in names}
        shown_too = published(kind, **same)
        hidden = published(kind, **same)
        type(row).objects.filter(pk=hidden.pk).update(public=False)
        moderation.take_down(row, WHY)
        shown_too.refresh_from_db()
        assert not shown_too.public
        hidden.refresh_from_db()
        with pytest.raises(BadInput, match="did not agree"):
            publish(hidden)

    def test_it_takes_a_reason_and_something_published(self, kind, published, client_of, staff):
        row = published(kind)
        address = reverse("take-down", args=[kind, row.pk])
        assert "Say why" in client_of(staff).post(address, {"why": "  "}, follow=True).content.decode()
        row.refresh_from_db()
        assert row.public
        type(row).objects.filter(pk=row.pk).update(public=False)
        assert client_of(staff).post(address, {"why": WHY}).status_code == 404
        with pytest.raises(BadInput, match="published"):
            moderation.take_down(row, WHY)

    def test_for_others_there_is_no_such_page(self, kind, published, client_of, person, other):
        row = published(kind)
        address = reverse("take-down", args=[kind, row.pk])
        for user in (person, other, None):
            assert client_of(user).post(address, {"why": WHY}).status_code == 404
            assert "For staff" not in client_of(user).get(reverse(PAGES[kind], args=[row.pk])).content.decode()
        row.refresh_from_db()
        assert row.public

    def test_the_admin_shows_what_is_or_was_published_only(self, kind, published, client_of, staff, person):
        row, private = published(kind), published(kind)
        model = type(row)
        model.objects.filter(pk=private.pk).update(public=False)
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listing = reverse(f"{base}_changelist")
        page = client_of(staff).get(listing).content.decode()
        assert str(row.pk) in page
        assert str(private.pk) not in page
        assert client_of(staff).get(reverse(f"{base}_change", args=[private.pk])).status_code == 302
        assert client_of(person).get(listing).status_code == 302
        chosen = {"_selected_action": [str(row.pk)], "index": "0"}
        refused = client_of(staff).post(listing, {**chosen, "action": "take_down", "why": ""}, follow=True)
        assert "Say why" in refused.content.decode()
        client_of(staff).post(listing, {**chosen, "action": "take_down", "why": WHY})
        row.refresh_from_db()
        assert (row.public, row.taken_down_why) == (False, f"{WHY}.")
        client_of(staff).post(listing, {**chosen, "action": "lift"})
        row.refresh_from_db()
        assert row.taken_down_at is None


def test_all_that_a_person_has_published_goes_at_once(published, client_of, staff, other, make_pattern):
    rows = [published(kind) for kind in KINDS]
    theirs = make_pattern(other, public=True)
    chosen = {"_selected_action": [str(rows[0].pk)], "index": "0", "action": "take_all_down", "why": WHY}
    client_of(staff).post(reverse("admin:patterns_pattern_changelist"), chosen)
    for row in rows:
        row.refresh_from_db()
        assert not row.public
        assert row.taken_down
    theirs.refresh_from_db()
    assert theirs.public


def test_unknown_kinds_are_no_page(client_of, staff):
    assert client_of(staff).post(reverse("take-down", args=["user", uuid.uuid4()]), {"why": WHY}).status_code == 404
    assert client_of(staff).get(reverse("take-down", args=["look", uuid.uuid4()])).status_code == 405


class TestWindow:
    @pytest.fixture
    def house(self, make_person, make_pattern, make_garment):
        make_garment("dress", order=2)
        make_garment("skirt", order=1)
        return make_pattern(make_person("toile"), public=True)

    def test_a_stranger_who_publishes_is_not_what_visitors_see(self, house, client, other, make_pattern):
        theirs = make_pattern(other, public=True)
        response = client.get("/")
        state = state_of(response)
        assert state["pattern"]["id"] == str(house.pk)
        assert state["worn"]["id"] == "dress"
        assert str(theirs.pk) not in response.content.decode(), "nor in the tray, nor to mix with"

    def test_staff_choose_a_fabric_and_a_garment(self, house, client_of, staff, person, other, make_pattern):
        theirs = make_pattern(other, public=True)
        address = reverse("window", args=[theirs.pk])
        for user in (person, other, None):
            assert client_of(user).post(address, {"on": "skirt"}).status_code == 404
        assert client_of(staff).post(address, {"on": "ballgown"}).status_code == 404
        assert not ShopWindow.objects.exists()
        client_of(staff).post(address, {"on": "skirt"})
        state = state_of(client_of(None).get("/"))
        assert (state["pattern"]["id"], state["worn"]["id"]) == (str(theirs.pk), "skirt")
        mine = make_pattern(person)
        assert state_of(client_of(person).get("/"))["pattern"]["id"] == str(mine.pk), "one's own come first"
        assert (
            "Visitors see this fabric first."
            in client_of(staff).get(reverse("pattern", args=[theirs.pk])).content.decode()
        )
        client_of(staff).post(address, {"out": "1"})
        assert state_of(client_of(None).get("/"))["pattern"]["id"] == str(house.pk)

    def test_what_is_private_or_taken_down_leaves_the_window(self, house, client_of, staff, other, make_pattern):
        theirs = make_pattern(other, public=True)
        window.dress(theirs, None)
        assert state_of(client_of(None).get("/"))["pattern"]["id"] == str(theirs.pk)
        moderation.take_down(theirs, WHY)
        assert state_of(client_of(None).get("/"))["pattern"]["id"] == str(house.pk)
        private = make_pattern(other)
        assert client_of(staff).post(reverse("window", args=[private.pk]), {"on": "dress"}).status_code == 404

    def test_the_admin_edits_it_too(self, house, client_of, staff):
        answer = client_of(staff).post(
            reverse("admin:studio_shopwindow_add"), {"pattern": str(house.pk), "garment": ""}
        )
        assert answer.status_code == 302
        assert ShopWindow.objects.get().pk == window.THE_WINDOW
        assert client_of(staff).get(reverse("admin:studio_shopwindow_add")).status_code == 403
