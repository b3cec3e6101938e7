"""Collections: what their owner does with them, and that nobody else sees or touches any."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

import pytest
from django.contrib.messages import get_messages
from PIL import Image

from ml_backend.models import Job
from patterns.models import Pattern
from studio.account import services as people
from studio.collections import matching, services
from studio.collections.models import Board, BoardItem
from studio.looks.models import Look

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def board(person):
    return services.make(person, "Midsummer ball")


@pytest.fixture
def make_look(make_garment, make_pattern, picture):
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    def make(owner, **fields):
        from studio.photos.models import Garment

        garment = Garment.objects.first() or make_garment("dress")
        row = Look(owner=owner, garment=garment, **fields)
        row.file = default_storage.save(f"{row.folder}/look.png", ContentFile(picture(format="PNG")))
        row.thumb = default_storage.save(f"{row.folder}/thumb.webp", ContentFile(picture(60, 80, "WEBP")))
        row.save()
        row.parts.create(pattern=make_pattern(owner))
        return row

    return make


@pytest.fixture
def strangers(other, make_person, staff, client_of):
    return [client_of(one) for one in (other, make_person(is_guest=True), staff, None)]


def said(response) -> str:
    return " ".join(str(one) for one in get_messages(response.wsgi_request))


class TestBoards:
    def test_one_is_begun_named_noted_and_deleted(self, client_of, person, make_pattern):
        client = client_of(person)
        assert client.get("/collections/").status_code == 200
        answer = client.post("/collections/", {"name": "  Summer  by the sea "})
        made = Board.objects.get()
        assert (answer.url, made.name, made.owner) == (f"/collections/{made.pk}/", "Summer by the sea", person)
        client.post(f"/collections/{made.pk}/change/", {"name": "Winter", "notes": "Wool."})
        page = client.get(answer.url).content.decode()
        assert "Winter" in page
        assert "Wool." in page
        fabric = make_pattern(person)
        services.add(made, fabric)
        assert "Winter" in client.get(f"/collections/{made.pk}/delete/").content.decode()
        client.post(f"/collections/{made.pk}/delete/")
        assert not Board.objects.exists()
        assert Pattern.objects.filter(pk=fabric.pk).exists()

    def test_a_visitor_becomes_a_guest_and_takes_it_along(self, client, person):
        client.post("/collections/", {"name": "Mine"})
        guest = Board.objects.get().owner
        assert guest.is_guest
        people.merge(guest, person)
        assert Board.objects.get().owner == person

    @pytest.mark.parametrize("name", ["", "   ", "x" * 81])
    def test_one_without_a_good_name_is_refused(self, client_of, person, board, name):
        client = client_of(person)
        for path in ("/collections/", f"/collections/{board.pk}/change/"):
            assert client.post(path, {"name": name}, headers=HTMX).status_code == 422
        board.refresh_from_db()
        assert (Board.objects.count(), board.name) == (1, "Midsummer ball")

    def test_nobody_else_sees_or_touches_it(self, strangers, board, person, make_pattern):
        item = services.add(board, make_pattern(person))
        link = services.share(board, 7)
        base = f"/collections/{board.pk}/"
        for client in strangers:
            for path in ("", "status/", "zip/", "delete/"):
                assert client.get(base + path).status_code == 404, path
            for path in (
                "change/", "share/", "delete/", f"items/{item.pk}/", f"items/{item.pk}/out/", f"items/{item.pk}/match/",
                f"links/{link.pk}/revoke/",
            ):  # fmt: skip
                assert client.post(base + path, {"name": "x", "days": "7"}).status_code == 404, path
            assert "Midsummer" not in client.get("/collections/").content.decode()
        assert Board.objects.get().items.count() == 1


class TestThings:
    def add(self, client, board, **fields):
        return client.post("/collections/add/", {"board": getattr(board, "pk", board), **fields})

    def test_fabrics_and_looks_are_added_once_and_the_first_fabric_is_the_hero(
        self, client_of, person, other, board, make_pattern, make_look
    ):
        client = client_of(person)
        fresh = make_pattern(person, pattern_type="floral", fresh_until=None)
        public, look = make_pattern(other, public=True), make_look(person)
        for _ in range(2):
            self.add(client, board, pattern=fresh.pk)
            self.add(client, board, pattern=public.pk)
            self.add(client, board, look=look.pk)
        items = list(board.items.all())
        assert [(one.thing, one.part, one.scale_cm) for one in items] == [
            (fresh, "hero", 26.0), (public, "", 22.0), (look, "", None)
        ]  # fmt: skip
        page = client.get(f"/collections/{board.pk}/").content.decode()
        assert page.count('class="board-item') == 3

    def test_adding_a_new_fabric_keeps_it(self, client_of, person, board, make_pattern):
        from django.utils import timezone

        fabric = make_pattern(person, fresh_until=timezone.now() + timezone.timedelta(days=1))
        self.add(client_of(person), board, pattern=fabric.pk)
        assert Pattern.objects.get(pk=fabric.pk).fresh_until is None

    def test_onto_a_new_board(self, client_of, person, make_pattern):
        answer = self.add(client_of(person), "new", name="First", pattern=make_pattern(person).pk)
        made = Board.objects.get()
        assert (answer.url, made.items.count()) == (f"/collections/{made.pk}/", 1)

    def test_not_what_one_may_not_see_and_not_onto_anothers(
        self, client_of, person, other, board, make_pattern, make_look
    ):
        client = client_of(person)
        theirs = services.make(other, "Theirs")
        assert self.add(client, board, pattern=make_pattern(other).pk).status_code == 404
        assert self.add(client, board, look=make_look(other).pk).status_code == 404
        assert self.add(client, theirs, pattern=make_pattern(person).pk).status_code == 404
        assert "Choose a collection" in said(self.add(client, "x", pattern=make_pattern(person).pk))
        assert "Choose a fabric" in said(self.add(client, board))
        assert "name" in said(self.add(client, "new", pattern=make_pattern(person).pk))
        assert not BoardItem.objects.exists()
        assert Board.objects.count() == 2, "no empty one is left"
        assert client.get("/collections/add/").status_code == 405

    def test_what_somebody_takes_back_is_shown_no_more(self, client_of, person, other, board, make_pattern):
        fabric = make_pattern(other, public=True)
        services.add(board, fabric)
        fabric.publish(False)
        assert str(fabric.pk) not in client_of(person).get(f"/collections/{board.pk}/").content.decode()
        fabric.delete()
        assert not BoardItem.objects.exists()

    def test_notes_parts_places_and_taking_out(self, client_of, person, board, make_pattern, make_look):
        client = client_of(person)
        one, two = (services.add(board, make_pattern(person)) for _ in range(2))
        three = services.add(board, make_look(person))
        base = f"/collections/{board.pk}/items/"
        page = client.post(f"{base}{two.pk}/", {"note": " for the\nlining ", "part": "blender"}, headers=HTMX)
        two.refresh_from_db()
        assert (two.note, two.part, two.scale_cm) == ("for the lining", "blender", 5.5)
        assert "for the lining" in page.content.decode()
        for by, order in ((-1, [two, one, three]), (-1, [two, one, three]), (1000, [one, three, two])):
            client.post(f"{base}{two.pk}/", {"by": by})
            assert list(board.items.all()) == order
        assert client.post(f"{base}{three.pk}/", {"part": "hero"}, headers=HTMX).status_code == 422, "a look plays none"
        for wrong in ({"note": "x" * 301}, {"part": "villain"}, {"by": "x"}):
            assert client.post(f"{base}{one.pk}/", wrong, headers=HTMX).status_code == 422
        client.post(f"{base}{one.pk}/out/")
        assert client.post(f"{base}{one.pk}/out/").status_code == 404, "twice"
        assert one.pattern in Pattern.objects.all()

    def test_there_is_an_end_to_it(self, person, board, make_pattern, monkeypatch):
        monkeypatch.setattr(services, "MOST_ITEMS", 1)
        services.add(board, make_pattern(person))
        with pytest.raises(services.BadInput, match="at most"):
            services.add(board, make_pattern(person))


class TestMatching:
    def test_coordinates_and_blenders_share_palette_engine_and_seeds_and_are_smaller(
        self, client_of, person, board, make_pattern, work_off
    ):
        hero = make_pattern(person, pattern_type="paisley", seed=40)
        item = services.add(board, hero)
        client, url = client_of(person), f"/collections/{board.pk}/items/{item.pk}/match/"
        page = client.post(url, headers=HTMX).content.decode()
        made = list(board.items.exclude(pk=item.pk).select_related("pattern"))
        assert [one.part for one in made] == ["coordinate"] * 3 + ["blender"] * 2
        assert page.count("place ") >= 5, "a job each, on the page at once"
        fabrics = [one.pattern for one in made]
        assert sorted(one.seed for one in fabrics) == [41, 42, 43, 44, 45]
        assert {one.engine for one in fabrics} == {"drawn"}
        assert {one.parent_id for one in fabrics} == {hero.pk}
        assert fabrics[0].pattern_type == "paisley"
        assert fabrics[0].vary_of == 40
        assert all(set(one.palette) <= set(hero.palette) for one in fabrics)
        assert [len(one.palette) for one in fabrics] == [4, 4, 4, 2, 2]
        assert max(one.scale_cm for one in made) < item.scale_cm
        assert Job.objects.filter(kind="generate").count() == 5
        Pattern.objects.update(size=64)
        assert work_off() == 5
        assert all(one.ready for one in Pattern.objects.all())
        client.post(url)
        assert board.items.count() == 11
        assert Pattern.objects.filter(seed=50).exists(), "a second press makes others"

    def test_what_goes_with_a_photographed_cloth_is_drawn(self, person, make_pattern):
        hero = make_pattern(person, engine="photographed", pattern_type="floral", seed=0, cloth={"kind": "repeat"})
        made = matching.matches(hero)
        assert [one.request.engine for one in made] == ["drawn"] * 5
        assert made[0].request.pattern_type == "floral" and made[0].request.vary_of is None
        assert made[0].request.palette == tuple(hero.palette)

    def test_only_of_a_finished_fabric(self, client_of, person, board, make_look, make_pattern):
        look, fabric = services.add(board, make_look(person)), services.add(board, make_pattern(person))
        Pattern.objects.filter(pk=fabric.pattern_id).update(tile="")
        for item in (look, fabric):
            url = f"/collections/{board.pk}/items/{item.pk}/match/"
            assert client_of(person).post(url, headers=HTMX).status_code == 422
        assert board.items.count() == 2

    def test_tones_are_near_and_can_be_told_apart(self):
        assert matching.tones(("#f5ece0", "#f4ebdf", "#dca690", "#101010")) == ("#f5ece0", "#dca690")
        assert matching.tones(("#f5ece0", "#f4ebdf")) == ("#f5ece0", "#f4ebdf")


class TestLeaving:
    def test_everything_in_one_file(self, client_of, person, board, make_pattern, make_look):
        fabric, look = make_pattern(person, pattern_type="floral"), make_look(person)
        services.note(services.add(board, fabric), "the dress")
        services.add(board, look)
        answer = client_of(person).get(f"/collections/{board.pk}/zip/")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="toile-midsummer-ball.zip"'
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
            tile = f"01-hero-floral-{fabric.seed}.png"
            assert archive.namelist() == [tile, "02-look.png", "recipes.json", "contact-sheet.png"]
            told = json.loads(archive.read("recipes.json"))
            assert told["items"][0]["recipe"] == fabric.recipe()
            assert (told["items"][0]["note"], told["items"][0]["scale_cm"]) == ("the dress", 26.0)
            with Image.open(io.BytesIO(archive.read(tile))) as picture:
                assert picture.size == (64, 64)
            with Image.open(io.BytesIO(archive.read("contact-sheet.png"))) as picture:
                assert picture.width > 1500
                cell = picture.convert("RGB").crop((40, 136, 440, 536))
                assert len(cell.getcolors(160_000)) > 4, "the fabric is on it"

    def test_an_empty_one_has_a_sheet_too(self, client_of, person, board):
        answer = client_of(person).get(f"/collections/{board.pk}/zip/")
        with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
            assert archive.namelist() == ["recipes.json", "contact-sheet.png"]

    def test_a_person_who_leaves_takes_them_along(self, person, board, make_pattern):
        services.add(board, make_pattern(person))
        services.share(board, 7)
        person.delete()
        assert not Board.objects.exists()


class TestSideBySide:
    def test_two_to_four_looks_that_one_may_see(self, client_of, person, other, make_look):
        mine, public, hidden = make_look(person), make_look(other, public=True), make_look(other)
        client = client_of(person)
        page = client.get(f"/collections/side-by-side/?look={mine.pk}&look={public.pk}&look={hidden.pk}")
        text = page.content.decode()
        assert text.count("beside-frame") == 2
        assert str(hidden.pk) not in text
        assert "Two looks at least" in client.get(f"/collections/side-by-side/?look={mine.pk}").content.decode()
        assert client.get("/collections/side-by-side/?look=x").status_code == 404
        five = "&".join(f"look={make_look(person).pk}" for _ in range(5))
        assert client.get(f"/collections/side-by-side/?{five}").content.decode().count("beside-frame") == 4
        assert client.get(f"/collections/side-by-side/?look={uuid.uuid4()}").status_code == 200
