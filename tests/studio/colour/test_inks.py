"""The ink table: what it tells, what may be done with it, and the colourways that are dyed from it."""

from __future__ import annotations

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from ml_backend.colour import contrast
from ml_backend.palettes.facts import facts
from ml_backend.palettes.sight import SIGHTS
from patterns.models import Pattern
from studio.colour.models import SavedPalette

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
OWN = ["#f5ece0", "#9c2a2e", "#dca690", "#66704f"]
NEW = ["#f3efe4", "#22478f", "#efb92d", "#1d1d1f"]


@pytest.fixture
def fabric(person, make_pattern):
    return make_pattern(person)


def inks_of(page: bytes) -> list[str]:
    return re.findall(r'name="ink" value="(#[0-9a-f]{6})"', page.decode())


def ways_of(page: bytes) -> list[str]:
    return re.findall(r'name="way" id="way-\d+" value="([^"]+)"', page.decode())


class TestTable:
    url = "/fabrics/inks/"

    def test_each_ink_tells_what_it_is(self, client_of, person, fabric):
        page = client_of(person).get(self.url, {"fabric": fabric.pk}).content.decode()
        assert "<html" in page
        for colour, share in zip(OWN, fabric.shares, strict=True):
            told = facts(colour)
            assert told.name.capitalize() in page
            assert f"{told.nearest[0].code}, ΔE {told.nearest[0].away:.1f}" in page
            assert f"{round(share * 100)} %" in page
            assert f"Lab {told.lab[0]:.0f}" in page
            assert f"LCh {told.lch[0]:.0f}" in page
        assert inks_of(page.encode()) == OWN
        for name in SIGHTS:
            assert f'id="as-{name}"' in page

    def test_htmx_gets_the_table_alone(self, client_of, person, fabric):
        part = client_of(person).get(self.url, {"fabric": fabric.pk}, headers=HTMX).content
        assert b"<html" not in part
        assert inks_of(part) == OWN

    def test_who_sees_it(self, client_of, person, other, fabric):
        for client in (client_of(other), client_of(None)):
            assert client.get(self.url, {"fabric": fabric.pk}).status_code == 404
        fabric.publish(True)
        for client in (client_of(other), client_of(None)):
            assert client.get(self.url, {"fabric": fabric.pk}).status_code == 200

    @pytest.mark.parametrize("text", ["", "x", str(uuid.UUID(int=7)), "0" * 4000])
    def test_no_such_fabric(self, client, text):
        assert client.get(self.url, {"fabric": text}).status_code == 404
        assert client.post(self.url).status_code == 405

    def test_moving_an_ink_takes_its_lock_along(self, client_of, person, fabric):
        page = client_of(person).get(
            self.url, {"fabric": fabric.pk, "ink": NEW, "locked": ["1"], "move": "1-up"}, headers=HTMX
        )
        assert inks_of(page.content) == [NEW[1], NEW[0], *NEW[2:]]
        assert re.findall(rb'name="locked" value="(\d)" checked', page.content) == [b"0"]

    @pytest.mark.parametrize("move", ["0-up", "3-down", "9-up", "-1-up", "x", "1-away", "", "٣-up"])
    def test_a_move_that_goes_nowhere(self, client_of, person, fabric, move):
        page = client_of(person).get(self.url, {"fabric": fabric.pk, "ink": NEW, "move": move}, headers=HTMX)
        assert inks_of(page.content) == NEW

    @pytest.mark.parametrize("inks", [["red"] * 4, NEW[:3], NEW * 30, ["#12345g", *NEW[1:]]])
    def test_malformed_inks_fall_back_to_the_fabrics_own(self, client_of, person, fabric, inks):
        page = client_of(person).get(self.url, {"fabric": fabric.pk, "ink": inks, "locked": ["77", "x"]}, headers=HTMX)
        assert page.status_code == 200
        assert inks_of(page.content) == OWN

    def test_back_to_what_it_wears(self, client_of, person, fabric):
        page = client_of(person).get(
            self.url, {"fabric": fabric.pk, "ink": NEW, "locked": "1", "back": "1"}, headers=HTMX
        )
        assert inks_of(page.content) == OWN
        assert b"checked" not in page.content.partition(b'class="ways"')[0]

    def test_locked_inks_stay_in_every_colourway(self, client_of, person, fabric):
        SavedPalette.objects.create(owner=person, name="Sea", colours=NEW)
        page = client_of(person).get(self.url, {"fabric": fabric.pk, "ink": OWN, "locked": ["1", "3"]}, headers=HTMX)
        ways = [way.split(",") for way in ways_of(page.content)]
        assert len(ways) >= 5
        assert len({tuple(way) for way in ways}) == len(ways)
        seed = page.content.decode().count("the seed's own") + page.content.decode().count("the seed&#x27;s own")
        for way in ways[: len(ways) - min(seed, 1)]:
            assert (way[1], way[3]) == (OWN[1], OWN[3])
            assert len(way) == 4

    def test_inks_that_run_into_each_other_are_told(self, client_of, person, fabric):
        client = client_of(person)
        page = client.get(
            self.url, {"fabric": fabric.pk, "ink": ["#ffffff", "#9c2a2e", "#9e2c2f", "#202020"]}, headers=HTMX
        )
        assert "Inks 2 and 3 can hardly be told apart." in page.content.decode()
        page = client.get(
            self.url, {"fabric": fabric.pk, "ink": ["#ffffff", "#9f5f3c", "#6d7430", "#202020"]}, headers=HTMX
        )
        assert "Inks 2 and 3 look alike to eyes without" in page.content.decode()
        page = client.get(self.url, {"fabric": fabric.pk, "ink": NEW}, headers=HTMX)
        assert "ink-warnings" not in page.content.decode()

    def test_a_saved_palette_is_laid_on_the_table_and_what_is_left_is_said(self, client_of, person, other, fabric):
        eight = SavedPalette.objects.create(owner=person, name="Eight", colours=[*NEW, *OWN])
        theirs = SavedPalette.objects.create(owner=other, name="Theirs", colours=[*NEW, *OWN])
        client = client_of(person)
        page = client.get(self.url, {"fabric": fabric.pk, "use": eight.pk}, headers=HTMX).content
        assert inks_of(page) == NEW
        assert "Eight holds 8 colours; this fabric has 4 inks and wears the first 4." in page.decode()
        assert inks_of(client.get(self.url, {"fabric": fabric.pk, "use": theirs.pk}, headers=HTMX).content) == OWN

    def test_the_studio_has_the_drawer(self, client_of, person, fabric):
        page = client_of(person).get("/", {"pattern": fabric.pk}).content.decode()
        assert f'data-fabric="{fabric.pk}"' in page
        assert f"{self.url}?fabric={fabric.pk}" in page


class TestDyeing:
    def test_it_is_a_colourway_of_ones_own(self, client_of, person, fabric):
        url = reverse("inks-dye")
        data = {"fabric": fabric.pk, "ink": NEW, "next": "/"}
        answer = client_of(person).post(url, data, headers=HTMX)
        made = Pattern.objects.get(parent=fabric)
        assert (made.palette, made.owner) == (NEW, person)
        assert f'data-pattern="{made.pk}"' in answer.content.decode()
        assert made.shares == pytest.approx(fabric.shares, abs=0.01)
        plain = client_of(person).post(url, data)
        assert plain.status_code == 302
        assert f"pattern={made.pk}" in plain.url
        assert Pattern.objects.filter(parent=fabric).count() == 1, "the same twice is one"

    def test_guests_dye_what_is_published(self, client, client_of, other, fabric):
        data = {"fabric": fabric.pk, "ink": NEW}
        assert client.post(reverse("inks-dye"), data, headers=HTMX).status_code == 404
        assert client_of(other).post(reverse("inks-dye"), data, headers=HTMX).status_code == 404
        fabric.publish(True)
        assert client.post(reverse("inks-dye"), data, headers=HTMX).status_code == 200
        made = Pattern.objects.get(parent=fabric)
        assert made.owner.is_guest
        assert not made.public

    @pytest.mark.parametrize(
        ("ink", "said"),
        [([], "2 to 12"), (["#ffffff"], "2 to 12"), (["red"] * 4, "not a colour"), (NEW * 4, "2 to 12")],
    )
    def test_what_are_no_inks(self, client_of, person, fabric, ink, said):
        answer = client_of(person).post(reverse("inks-dye"), {"fabric": fabric.pk, "ink": ink}, headers=HTMX)
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert client_of(person).get(reverse("inks-dye")).status_code == 405

    def test_several_at_once(self, client_of, person, fabric):
        page = client_of(person).get("/fabrics/inks/", {"fabric": fabric.pk}, headers=HTMX)
        ways = ways_of(page.content)[:3]
        url, data = reverse("inks-dye"), {"fabric": fabric.pk, "several": "1", "ink": NEW}
        answer = client_of(person).post(url, {**data, "way": [*ways, ways[0]]}, headers=HTMX)
        assert answer.content.count(b"data-pattern=") == 3
        assert {",".join(row.palette) for row in Pattern.objects.filter(parent=fabric)} == set(ways)
        assert client_of(person).post(url, {**data, "way": ways}).status_code == 302
        assert Pattern.objects.filter(parent=fabric).count() == 3, "the same twice is one"

    @pytest.mark.parametrize(
        ("ways", "said"),
        [
            ([], "Choose a colourway"),
            (["red,blue"], "not a colour"),
            ([f"#0000{n:02x},#ffffff" for n in range(9)], "At most 8"),
            (["#ffffff," * 2000], "2 to 12"),
        ],
    )
    def test_what_are_no_colourways(self, client_of, person, fabric, ways, said):
        data = {"fabric": fabric.pk, "several": "1", "way": ways}
        answer = client_of(person).post(reverse("inks-dye"), data, headers=HTMX)
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert not Pattern.objects.filter(parent=fabric).exists()

    def test_an_unfinished_fabric_waits(self, client_of, person):
        row = Pattern.objects.create(owner=person, pattern_type="floral", seed=1, engine="drawn")
        answer = client_of(person).post(reverse("inks-dye"), {"fabric": row.pk, "ink": NEW}, headers=HTMX)
        assert answer.status_code == 422
        assert "still being made" in answer.content.decode()


class TestMood:
    url = "/fabrics/inks/mood/"

    @pytest.fixture
    def mood(self, tmp_path):
        picture = Image.new("RGB", (200, 200), "#22478f")
        picture.paste("#efb92d", (0, 0, 200, 60))
        picture.paste("#c8322b", (0, 60, 60, 200))
        path = tmp_path / "mood.png"
        picture.save(path)
        return lambda: SimpleUploadedFile("mood.png", path.read_bytes(), "image/png")

    def test_its_colours_become_colourways_and_nothing_of_it_is_kept(self, client_of, person, fabric, mood, settings):
        from pathlib import Path

        before = sorted(Path(settings.MEDIA_ROOT).rglob("*"))
        data = {"fabric": fabric.pk, "ink": OWN, "locked": "3", "mood": mood()}
        page = client_of(person).post(self.url, data, headers=HTMX).content
        assert b"largest as ground" in page
        ways = [way.split(",") for way in ways_of(page)]
        assert contrast(ways[0][0], "#22478f") < 0.03, "its largest field is the ground"
        for sought in ("#efb92d", "#c8322b"):
            assert min(contrast(one, sought) for one in ways[0]) < 0.03
        assert all(way[3] == OWN[3] for way in ways[:3])
        assert sorted(Path(settings.MEDIA_ROOT).rglob("*")) == before
        assert "<html" in client_of(person).post(self.url, {**data, "mood": mood()}).content.decode()

    def test_what_is_no_picture(self, client_of, person, fabric):
        client = client_of(person)
        for content, said in ((b"not a picture", "not a picture"), (b"", "empty")):
            data = {"fabric": fabric.pk, "mood": SimpleUploadedFile("x.png", content)}
            answer = client.post(self.url, data, headers=HTMX)
            assert answer.status_code == 422
            assert said in answer.content.decode()
        assert client.post(self.url, {"fabric": fabric.pk}, headers=HTMX).status_code == 422
        assert client.get(self.url).status_code == 405

    def test_of_others_fabrics_nothing_is_told(self, client_of, other, fabric, mood):
        assert client_of(other).post(self.url, {"fabric": fabric.pk, "mood": mood()}, headers=HTMX).status_code == 404
