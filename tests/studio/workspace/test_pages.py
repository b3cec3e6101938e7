"""The workspace's pages: what everybody sees, and what owner, outsider and visitor may do."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ml_backend.models import Job
from ml_backend.serving import jobs
from patterns.models import Pattern
from studio.account.models import User
from studio.looks.models import Look
from studio.photos.models import Photo

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def state_of(response):
    """What the page's script starts from."""
    found = re.search(r'<script id="state" type="application/json">(.*?)</script>', response.content.decode(), re.S)
    return json.loads(html.unescape(found[1]))


@pytest.fixture
def garment(make_garment):
    return make_garment("dress", classes=["dress", "skirt"])


@pytest.fixture
def make_look(person, make_pattern, garment):
    def make(owner=None, **fields):
        owner = owner or person
        parts = fields.pop("parts", None) or [(make_pattern(owner), {"scale_cm": 9.5, "repeat": "mirror"})]
        values = {**fields}
        if not values.get("photo"):
            values.setdefault("garment", garment)
        look = Look.objects.create(owner=owner, **values)
        for place, (pattern, params) in enumerate(parts):
            look.parts.create(place=place, pattern=pattern, params=params)
        return look

    return make


@pytest.fixture
def finished_look(make_look):
    return make_look(file="looks/x/look.png", thumb="looks/x/thumb.webp")


class TestWorkspace:
    def test_a_first_visit_makes_no_rows_and_wears_a_fabric_of_the_house(
        self, client, make_person, make_pattern, garment
    ):
        fabric = make_pattern(make_person("toile"), public=True)
        response = client.get("/")
        assert response.status_code == 200
        state = state_of(response)
        assert state["pattern"]["id"] == str(fabric.pk)
        assert state["worn"]["id"] == "dress"
        assert User.objects.count() == 1
        assert "sessionid" not in response.cookies

    def test_a_sample_on_the_stage_does_not_choose_the_engine(self, client, other, make_pattern, garment):
        fabric = make_pattern(other, public=True, engine="dreamed")
        assert client.get("/").context["chosen_engine"] == "drawn"
        assert client.get("/", {"pattern": fabric.pk}).context["chosen_engine"] == "dreamed"
        assert client.get("/", {"pattern": fabric.pk, "engine": "drawn"}).context["chosen_engine"] == "drawn"

    def test_the_first_visit_says_what_this_is_and_what_to_do(self, client, client_of, person, make_pattern, garment):
        page = client.get("/").content.decode()
        assert ">Design a fabric, see it worn.</p>" in page
        assert "Choose a pattern type" in page
        make_pattern(person)
        assert "Choose a pattern type: four" not in client_of(person).get("/").content.decode()

    def test_it_stands_empty_without_garments_and_fabrics(self, client):
        state = state_of(client.get("/"))
        assert state["pattern"] is None
        assert state["worn"] is None

    def test_the_address_restores_every_control(self, client_of, person, make_pattern, make_photo, garment):
        fabric, photo = make_pattern(person, pattern_type="paisley"), make_photo(person)
        query = {
            "pattern": fabric.pk, "photo": photo.pk, "scale_cm": "31.5", "rotate": "-45", "offset_x": "0.25",
            "offset_y": "-0.5", "repeat": "half-brick", "strength": "0.6", "garments": ["skirt"], "mirrored": "1",
        }  # fmt: skip
        response = client_of(person).get("/", query)
        state = state_of(response)
        assert state["pattern"]["id"] == str(fabric.pk)
        assert (state["worn"]["kind"], state["worn"]["id"]) == ("photo", str(photo.pk))
        assert state["fit"] == {
            "scale_cm": 31.5, "rotate": -45.0, "offset_x": 0.25, "offset_y": -0.5, "repeat": "half-brick",
            "strength": 0.6, "garments": ["skirt"], "shoulder_cm": 40.0, "mirrored": True,
        }  # fmt: skip
        assert response.context["chosen_type"] == "paisley"

    def test_nonsense_in_the_address_falls_back(self, client, garment):
        query = "pattern=x&photo=1&on=ballgown&look=7&scale_cm=nan&rotate=1e9&repeat=spiral&strength=-1&garments=hat"
        state = state_of(client.get(f"/?{query}"))
        assert state["fit"]["scale_cm"] == 18.0
        assert state["fit"]["repeat"] == "basic"
        assert state["fit"]["garments"] == []
        assert state["worn"]["id"] == "dress"

    def test_another_persons_things_are_not_shown(self, client_of, person, other, make_pattern, make_photo, garment):
        secret, photo = make_pattern(other), make_photo(other)
        for client in (client_of(person), client_of(None)):
            response = client.get("/", {"pattern": secret.pk, "photo": photo.pk})
            state = state_of(response)
            assert state["pattern"] is None
            assert state["worn"]["kind"] == "garment"
            page = response.content.decode()
            assert f"/files/patterns/{secret.pk}" not in page
            assert f"/files/photos/{photo.pk}" not in page

    def test_a_look_remixed_brings_its_fabric_garment_and_fit(self, client_of, person, make_look):
        look = make_look()
        state = state_of(client_of(person).get("/", {"look": look.pk}))
        assert state["pattern"]["id"] == str(look.patterns[0].pk)
        assert (state["fit"]["scale_cm"], state["fit"]["repeat"]) == (9.5, "mirror")

    def test_a_published_look_of_a_private_photo_and_fabric_shows_neither(
        self, client_of, other, make_look, make_photo, person
    ):
        look = make_look(photo=make_photo(person), public=True, file="looks/x/look.png")
        state = state_of(client_of(other).get("/", {"look": look.pk}))
        assert state["pattern"] is None
        assert state["worn"]["kind"] == "garment"

    @pytest.mark.parametrize(
        ("chosen", "found", "slug"),
        [
            (["skirt"], ["top", "skirt"], "skirt"),
            ([], ["trousers", "top"], "trousers"),
            (["outerwear"], ["outerwear", "trousers"], "shirt"),
            (["other"], ["other"], "dress"),
            ([], [], "dress"),
        ],
    )
    def test_a_remix_of_somebodys_photo_is_worn_on_the_garment_of_that_kind(
        self, client_of, person, other, make_look, make_pattern, make_photo, make_garment, chosen, found, slug
    ):
        for order, (name, worn) in enumerate(
            [("t-shirt", "top"), ("shirt", "top"), ("skirt", "skirt"), ("trousers", "trousers")]
        ):
            make_garment(name, classes=[worn], order=order)
        look = make_look(
            photo=make_photo(person, classes=found),
            parts=[(make_pattern(person, public=True), {"scale_cm": 9.5, "garments": chosen})],
            public=True,
            file="looks/x/look.png",
        )
        response = client_of(other).get("/", {"look": look.pk})
        state = state_of(response)
        assert (state["worn"]["kind"], state["worn"]["id"]) == ("garment", slug)
        assert state["pattern"]["id"] == str(look.patterns[0].pk)
        assert state["fit"]["scale_cm"] == 9.5
        dressed = set(state["fit"]["garments"] or state["worn"]["classes"])
        assert dressed & set(state["worn"]["classes"]), "it wears something"
        said = re.sub(r"\s+", " ", response.content.decode())
        assert "worn on somebody’s own photo, which stays theirs" in said
        assert f"here our {slug} wears it" in said.lower()
        assert "somebody’s own photo" not in client_of(person).get("/", {"look": look.pk}).content.decode()

    def test_a_remix_whose_fabric_is_private_says_so(self, client_of, other, make_look):
        look = make_look(public=True, file="looks/x/look.png")
        page = client_of(other).get("/", {"look": look.pk}).content.decode()
        assert "Its fabric is not published" in page

    def test_garments_that_are_not_in_the_picture_are_not_asked_for(self, client, garment):
        assert state_of(client.get("/?on=dress&garments=trousers"))["fit"]["garments"] == []
        assert state_of(client.get("/?on=dress&garments=trousers&garments=skirt"))["fit"]["garments"] == ["skirt"]

    def test_work_under_way_refreshes_the_page_for_those_without_scripts(self, client_of, person, make_photo):
        client = client_of(person)
        assert b'http-equiv="refresh"' not in client.get("/").content
        make_photo(person, mask="", job=jobs.submit(person, "segment"))
        assert b'http-equiv="refresh"' in client.get("/").content

    def test_posting_to_it_is_refused(self, client):
        assert client.post("/").status_code == 405

    def test_no_inline_scripts_or_handlers(self, client, garment):
        page = client.get("/").content.decode()
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
        assert not re.search(r"\son[a-z]+=", page)
        assert "<style" not in page

    def test_every_control_has_a_name_and_every_picture_an_alternative(self, client, garment, other, make_pattern):
        make_pattern(other, public=True)
        page = client.get("/").content.decode()
        for tag in re.findall(r"<img[^>]*>", page):
            assert " alt=" in tag
        for tag in re.findall(r'<input[^>]*type="range"[^>]*>', page):
            name = re.search(r'id="([^"]+)"', tag)[1]
            assert f'for="{name}"' in page
        for button in re.findall(r"<button[^>]*>.*?</button>", page, re.S):
            assert "aria-label" in button or re.sub(r"<[^>]+>", "", button).strip()


class TestMakingFabrics:
    url = "/fabrics/"

    def test_a_visitor_becomes_a_guest_with_four_fabrics(self, client):
        response = client.post(self.url, {"pattern_type": "floral", "next": "/?on=dress"})
        guest = User.objects.get()
        assert guest.is_guest
        made = list(Pattern.objects.of(guest).order_by("created_at"))
        assert [pattern.pattern_type for pattern in made] == ["floral"] * 4
        assert len({pattern.seed for pattern in made}) == 4
        assert Job.objects.filter(owner=guest, state="queued").count() == 4
        assert response.status_code == 302
        assert response.url.startswith("/?on=dress&pattern=")

    def test_htmx_gets_the_cells(self, client_of, person):
        response = client_of(person).post(self.url, {"pattern_type": "plaid", "engine": "drawn"}, headers=HTMX)
        page = response.content.decode()
        assert page.count("data-follow=") == 4
        assert "place 1" in page
        assert "place 4" in page

    def test_the_palette_and_seed_given_are_kept(self, client_of, person):
        client_of(person).post(
            self.url,
            {"pattern_type": "dotted", "engine": "drawn", "palette": "#112233,#AABBCC", "seed": 41, "count": 2},
        )
        made = Pattern.objects.of(person).order_by("seed")
        assert [(pattern.seed, pattern.palette) for pattern in made] == [
            (seed, ["#112233", "#aabbcc"]) for seed in (41, 42)
        ]

    def test_more_like_this_varies_the_fabric_in_its_colours(self, client_of, person, make_pattern):
        liked = make_pattern(person, seed=100)
        client = client_of(person)
        client.post(self.url, {"pattern_type": "floral", "like": liked.pk})
        made = Pattern.objects.of(person).exclude(pk=liked.pk)
        assert {pattern.parent_id for pattern in made} == {liked.pk}
        assert sorted(pattern.seed for pattern in made) == [101, 102, 103, 104]
        assert {(pattern.pattern_type, pattern.vary_of, tuple(pattern.palette)) for pattern in made} == {
            ("dotted", 100, tuple(liked.palette))
        }
        client.post(self.url, {"pattern_type": "floral", "like": liked.pk})
        assert Pattern.objects.of(person).filter(seed=108).exists(), "a second press brings the next ones"

    def test_nobody_varies_what_they_cannot_see(self, client_of, person, other, make_pattern):
        secret = make_pattern(other)
        response = client_of(person).post(self.url, {"pattern_type": "floral", "like": secret.pk})
        assert response.status_code == 404

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"pattern_type": "tartan"},
            {"pattern_type": "floral", "palette": "red"},
            {"pattern_type": "floral", "engine": "magic"},
            {"pattern_type": "floral", "seed": "-1"},
            {"pattern_type": "floral", "count": "900"},
            {"pattern_type": "floral", "like": "x"},
        ],
    )
    def test_bad_input_is_refused_in_words_and_makes_nothing(self, client_of, person, data):
        client = client_of(person)
        response = client.post(self.url, data, headers=HTMX)
        assert response.status_code == 422
        assert len(response.content) > 10
        plain = client.post(self.url, data, follow=True)
        assert plain.status_code == 200
        assert [str(message) for message in plain.context["messages"]] == [response.content.decode()]
        assert not Pattern.objects.exists()

    def test_above_the_cap_nothing_is_half_made(self, client_of, person, settings):
        settings.MAX_ACTIVE_JOBS = 6
        client = client_of(person)
        client.post(self.url, {"pattern_type": "floral"})
        response = client.post(self.url, {"pattern_type": "floral"}, headers=HTMX)
        assert response.status_code == 429
        assert Pattern.objects.count() == 4
        page = client.post(self.url, {"pattern_type": "floral"})
        assert page.status_code == 429
        assert b"One at a time" in page.content

    def test_only_posted(self, client):
        assert client.get(self.url).status_code == 405

    def test_next_leads_nowhere_else(self, client_of, person):
        response = client_of(person).post(self.url, {"pattern_type": "floral", "next": "https://evil.example/"})
        assert response.url.startswith("/?pattern=")


class TestCells:
    url = "/fabrics/cells/"

    def test_they_follow_the_work(self, client_of, person, work_off):
        client = client_of(person)
        client.post("/fabrics/", {"pattern_type": "striped", "engine": "drawn", "count": 1})
        pattern = Pattern.objects.get()
        waiting = client.get(self.url, {"id": pattern.pk}, headers=HTMX).content.decode()
        assert "data-follow" in waiting
        assert "hx-swap-oob" in waiting
        work_off()
        done = client.get(self.url, {"id": pattern.pk}, headers=HTMX).content.decode()
        assert "data-follow" not in done
        assert f'data-pattern="{pattern.pk}"' in done

    def test_a_failure_says_why_and_offers_another_try(self, client_of, person, make_pattern):
        pattern = make_pattern(person)
        job = jobs.submit(person, "generate", {})
        Job.objects.filter(pk=job.pk).update(state="failed", message="The dye ran out.")
        Pattern.objects.filter(pk=pattern.pk).update(tile="", job=job)
        page = client_of(person).get(self.url, {"id": pattern.pk}).content.decode()
        assert "The dye ran out." in page
        assert reverse("job-retry", args=[job.pk]) in page

    def test_others_get_nothing(self, client_of, other, person, make_pattern):
        pattern = make_pattern(person)
        for client in (client_of(other), client_of(None)):
            page = client.get(self.url, {"id": pattern.pk}).content.decode()
            assert page.strip() == f'<div id="cell-{pattern.pk}" hx-swap-oob="delete"></div>', "as if it were gone"

    def test_nonsense_is_refused(self, client_of, person):
        assert client_of(person).get(self.url, {"id": "x"}, headers=HTMX).status_code == 422


class TestRecolouring:
    url = "/fabrics/colourways/"
    palette = "#101010,#eeeeee,#c02020,#2040a0"

    def test_a_colourway_is_ready_at_once_and_made_only_once(self, client_of, person, other, make_pattern):
        fabric = make_pattern(other, public=True)
        client = client_of(person)
        data = {"of": fabric.pk, "palette": self.palette}
        page = client.post(self.url, data, headers=HTMX).content.decode()
        colourway = Pattern.objects.of(person).get()
        assert colourway.palette == self.palette.split(",")
        assert colourway.parent_id == fabric.pk
        assert f'data-pattern="{colourway.pk}"' in page
        client.post(self.url, data)
        assert Pattern.objects.of(person).count() == 1

    def test_without_a_palette_the_seed_chooses(self, client_of, person, make_pattern):
        fabric = make_pattern(person)
        response = client_of(person).post(self.url, {"of": fabric.pk, "next": "/"})
        newest = Pattern.objects.of(person).first()
        assert response.url == f"/?pattern={newest.pk}"
        assert len(newest.palette) == len(fabric.palette)
        assert newest.palette != fabric.palette

    def test_not_of_what_one_cannot_see_nor_of_nothing(self, client_of, person, other, make_pattern):
        client = client_of(person)
        data = {"of": make_pattern(other).pk, "palette": self.palette}
        assert client.post(self.url, data).status_code == 404
        assert client.post(self.url, {"of": "x"}, headers=HTMX).status_code == 422
        assert client.get(self.url).status_code == 405
        assert not Pattern.objects.of(person).exists()


class TestRepeats:
    url = "/fabrics/repeats/"

    def test_choosing_a_repeat_makes_the_fabric_for_it_once(self, client_of, person, other, make_pattern):
        fabric = make_pattern(other, public=True)
        client = client_of(person)
        data = {"of": fabric.pk, "repeat": "half-drop"}
        page = client.post(self.url, data, headers=HTMX).content.decode()
        made = Pattern.objects.of(person).get()
        assert (made.repeat, made.parent_id, made.palette) == ("half-drop", fabric.pk, fabric.palette)
        assert f'id="cell-{made.pk}"' in page
        client.post(self.url, data, headers=HTMX)
        assert Pattern.objects.of(person).count() == 1
        assert Job.objects.filter(kind="generate").count() == 1

    def test_without_scripts_the_form_of_the_look_asks_for_it(self, client_of, person, make_pattern):
        fabric = make_pattern(person)
        response = client_of(person).post(self.url, {"pattern": fabric.pk, "repeat": "ogee", "next": "/"})
        made = Pattern.objects.of(person).get(repeat="ogee")
        assert response.url == f"/?pattern={made.pk}&repeat=ogee"

    def test_not_of_what_one_cannot_see_nor_of_nothing(self, client_of, person, other, make_pattern):
        client = client_of(person)
        assert client.post(self.url, {"of": make_pattern(other).pk, "repeat": "ogee"}).status_code == 404
        mine = make_pattern(person)
        for data in ({"repeat": "ogee"}, {"of": mine.pk}, {"of": mine.pk, "repeat": "quarter"}, {"of": "x"}):
            assert client.post(self.url, data, headers=HTMX).status_code == 422
        assert client.get(self.url).status_code == 405
        assert Pattern.objects.of(person).count() == 1

    def test_a_fabric_is_worn_in_the_repeat_that_it_was_made_for(self, client_of, person, make_pattern, garment):
        fabric = make_pattern(person, repeat="half-drop")
        client = client_of(person)
        assert state_of(client.get(f"/?pattern={fabric.pk}"))["fit"]["repeat"] == "half-drop"
        assert state_of(client.get(f"/?pattern={fabric.pk}&repeat=mirror"))["fit"]["repeat"] == "mirror"
        page = client.get(f"/?pattern={fabric.pk}").content.decode()
        assert "repeats every 18 × 18 cm, half-drop" in page
        assert 'data-repeat="half-drop"' in page

    def test_an_old_look_keeps_the_repeat_that_it_was_made_with(self, client_of, person, make_look):
        state = state_of(client_of(person).get(f"/?look={make_look().pk}"))
        assert state["fit"]["repeat"] == "mirror"
        assert state["pattern"]["repeat"] == "basic"

    def test_new_fabrics_and_neighbours_are_made_for_the_repeat(self, client_of, person, make_pattern):
        client = client_of(person)
        client.post("/fabrics/", {"pattern_type": "floral", "engine": "drawn", "repeat": "third-drop"})
        assert {one.repeat for one in Pattern.objects.of(person)} == {"third-drop"}
        fabric = make_pattern(person, repeat="ogee")
        client.post("/fabrics/", {"pattern_type": "dotted", "like": fabric.pk, "repeat": "basic"})
        assert {one.repeat for one in fabric.children.all()} == {"ogee"}

    def test_the_page_of_a_fabric_tells_its_repeat(self, client_of, person, make_pattern):
        fabric = make_pattern(person, repeat="half-drop", mended=True)
        page = client_of(person).get(f"/gallery/{fabric.pk}/").content.decode()
        assert "half-drop, seams mended" in page
        assert "--repeat half-drop" in page


class TestLargeTiles:
    url = "/fabrics/large/"

    def test_asked_twice_it_is_one_job(self, client_of, person, make_pattern):
        fabric = make_pattern(person)
        client = client_of(person)
        first = client.post(self.url, {"pattern": fabric.pk}, headers=HTMX)
        client.post(self.url, {"pattern": fabric.pk})
        assert Job.objects.filter(kind="upscale").count() == 1
        assert b"waiting" in first.content

    def test_somebody_elses_is_copied_first(self, client_of, person, other, make_pattern):
        fabric = make_pattern(other, public=True)
        client_of(person).post(self.url, {"pattern": fabric.pk}, headers=HTMX)
        fabric.refresh_from_db()
        assert fabric.large_job is None
        assert Pattern.objects.of(person).get().large_job.owner == person

    def test_status_shows_the_download_when_it_is_there(self, client_of, person, other, make_pattern):
        fabric = make_pattern(person)
        Pattern.objects.filter(pk=fabric.pk).update(large="patterns/x/large.png")
        url = reverse("pattern-large-status", args=[fabric.pk])
        assert b"/large?download" in client_of(person).get(url).content
        assert client_of(other).get(url).status_code == 404

    def test_bad_input(self, client_of, person, other, make_pattern):
        client = client_of(person)
        assert client.post(self.url, {"pattern": "x"}, headers=HTMX).status_code == 422
        assert client.post(self.url, {"pattern": make_pattern(other).pk}).status_code == 404
        assert client.get(self.url).status_code == 405


class TestPhotos:
    url = "/photos/"

    def upload(self, client, content, **extra):
        return client.post(self.url, {"image": SimpleUploadedFile("me.jpg", content)}, **extra)

    def test_an_upload_shows_at_once_and_waits_for_its_cloth(self, client, picture):
        response = self.upload(client, picture(200, 300), headers=HTMX)
        photo = Photo.objects.get()
        page = response.content.decode()
        assert photo.owner.is_guest
        assert f'id="wearable-photo-{photo.pk}"' in page
        assert reverse("photo-status", args=[photo.pk]) in page
        plain = self.upload(client, picture(200, 300))
        newest = Photo.objects.first()
        assert plain.url == f"/?photo={newest.pk}&garments=first"
        assert b"Finding the cloth" in client.get(plain.url).content

    @pytest.mark.parametrize("content", [b"", b"not a picture", b"GIF89a" + bytes(20)])
    def test_what_is_no_photo_is_refused_in_words(self, client, content):
        response = self.upload(client, content, headers=HTMX)
        assert response.status_code == 422
        assert response.content.decode().endswith(".")
        assert not Photo.objects.exists()

    def test_nothing_chosen(self, client):
        assert b"Choose a photo" in client.post(self.url, {}, headers=HTMX).content
        assert client.get(self.url).status_code == 405

    def test_status_brings_the_maps_when_they_are_found(self, client_of, person, other, make_photo):
        photo = make_photo(person)
        url = reverse("photo-status", args=[photo.pk])
        assert b"data-maps=" in client_of(person).get(url).content
        for client in (client_of(other), client_of(None)):
            assert client.get(url).status_code == 404

    def test_deleting_asks_first_and_takes_the_looks_along(self, client_of, person, other, make_photo, make_look):
        photo = make_photo(person)
        make_look(photo=photo)
        url = reverse("photo-delete", args=[photo.pk])
        for client in (client_of(other), client_of(None)):
            assert client.get(url).status_code == 404
            assert client.post(url).status_code == 404
        client = client_of(person)
        assert b"the 1 look it wears" in client.get(url).content
        assert Photo.objects.exists()
        assert client.post(url).url == "/"
        assert not Photo.objects.exists()
        assert not Look.objects.exists()
        assert client.post(url).status_code == 404


class TestLooks:
    url = "/looks/"

    def test_a_look_keeps_every_control(self, client_of, person, make_pattern, garment):
        fabric = make_pattern(person)
        data = {"pattern": fabric.pk, "on": "dress", "scale_cm": "7.5", "rotate": "30", "repeat": "half-drop"}
        response = client_of(person).post(self.url, {**data, "garments": ["dress"], "format": "jpeg"})
        look = Look.objects.get()
        assert response.url == reverse("look", args=[look.pk])
        assert (look.format, look.garment, look.patterns) == ("jpeg", garment, [fabric])
        (worn,) = look.outfit.parts
        assert (worn.scale_cm, worn.rotate, worn.repeat) == (7.5, 30.0, "half-drop")
        assert worn.garments == ("dress",)

    def test_from_asking_to_the_file_without_scripts(self, client_of, person, make_pattern, garment, work_off):
        client = client_of(person)
        page = client.post(self.url, {"pattern": make_pattern(person).pk, "on": "dress"}, follow=True)
        assert b'http-equiv="refresh"' in page.content
        assert work_off() == 1
        look = Look.objects.get()
        page = client.get(reverse("look", args=[look.pk])).content.decode()
        assert 'http-equiv="refresh"' not in page
        assert f"{look.file_url}?download" in page
        saved = client.get(f"{look.file_url}?download")
        assert saved.headers["Content-Disposition"].startswith("attachment")
        assert saved.content.startswith(b"\x89PNG")

    def test_htmx_follows_it_and_gets_the_download(self, client_of, person, make_pattern, garment, work_off):
        client = client_of(person)
        page = client.post(self.url, {"pattern": make_pattern(person).pk, "on": "dress"}, headers=HTMX).content
        look = Look.objects.get()
        status = reverse("look-status", args=[look.pk])
        assert status.encode() in page
        work_off()
        assert b"data-now" in client.get(status, headers=HTMX).content

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({}, "Choose a fabric"),
            ({"pattern": True}, "Choose a garment"),
            ({"pattern": True, "on": "dress", "scale_cm": "0"}, "greater than or equal"),
            ({"pattern": True, "on": "dress", "rotate": "nan"}, "number"),
            ({"pattern": True, "on": "dress", "repeat": "spiral"}, "valid choice"),
            ({"pattern": True, "on": "dress", "format": "gif"}, "valid choice"),
            ({"pattern": True, "on": "dress", "garments": "hat"}, "valid choice"),
        ],
    )
    def test_bad_input(self, client_of, person, make_pattern, garment, data, words):
        if data.get("pattern"):
            data = {**data, "pattern": make_pattern(person).pk}
        response = client_of(person).post(self.url, data, headers=HTMX)
        assert response.status_code == 422
        assert words in response.content.decode()
        assert not Look.objects.exists()

    def test_not_with_other_peoples_things(self, client_of, person, other, make_pattern, make_photo, garment):
        client = client_of(person)
        assert client.post(self.url, {"pattern": make_pattern(other).pk, "on": "dress"}).status_code == 404
        data = {"pattern": make_pattern(person).pk, "photo": make_photo(other).pk}
        assert client.post(self.url, data).status_code == 404
        assert client.post(self.url, {"pattern": make_pattern(person).pk, "on": "cape"}).status_code == 404
        assert not Look.objects.exists()

    def test_its_page_and_status_are_its_owners_until_published(self, client_of, person, other, finished_look):
        page, status = (reverse(name, args=[finished_look.pk]) for name in ("look", "look-status"))
        assert client_of(person).get(page).status_code == 200
        for client in (client_of(other), client_of(None)):
            assert client.get(page).status_code == 404
            assert client.get(status).status_code == 404
        assert (
            client_of(person).post(reverse("look-publish", args=[finished_look.pk]), {"public": "1"}).status_code == 302
        )
        for client in (client_of(other), client_of(None)):
            shown = client.get(page)
            assert shown.status_code == 200
            assert b"Delete" not in shown.content
            assert client.get(status).status_code == 404

    def test_publishing_is_the_owners_choice_and_can_be_taken_back(
        self, client_of, person, other, finished_look, make_look
    ):
        url = reverse("look-publish", args=[finished_look.pk])
        assert client_of(other).post(url, {"public": "1"}).status_code == 404
        client = client_of(person)
        assert client.get(url).status_code == 405
        for _ in range(2):
            client.post(url, {"public": "1"})
            assert Look.objects.get(pk=finished_look.pk).public
        client.post(url)
        assert not Look.objects.get(pk=finished_look.pk).public
        unfinished = make_look()
        client.post(reverse("look-publish", args=[unfinished.pk]), {"public": "1"})
        assert not Look.objects.get(pk=unfinished.pk).public

    def test_deleting(self, client_of, person, other, finished_look):
        url = reverse("look-delete", args=[finished_look.pk])
        assert client_of(other).post(url).status_code == 404
        assert client_of(None).get(url).status_code == 404
        client = client_of(person)
        assert b"Keep it" in client.get(url).content
        assert client.post(url).status_code == 302
        assert not Look.objects.exists()
        assert Pattern.objects.of(person).exists()
        assert client.post(url).status_code == 404

    def test_the_wall_shows_published_ones_and_ones_own(self, client_of, person, other, make_look, finished_look):
        make_look(owner=other, file="looks/y/look.png", thumb="looks/y/thumb.webp", public=True)
        url = reverse("looks")
        client = client_of(person)
        assert client.get(url).content.count(b'class="piece look"') == 1
        assert str(finished_look.pk) in client.get(url, {"whose": "mine"}).content.decode()
        assert str(finished_look.pk) not in client_of(None).get(url, {"whose": "mine"}).content.decode()
        assert b"<html" not in client.get(url, headers=HTMX).content


class TestJobs:
    @pytest.fixture
    def job(self, client_of, person):
        client_of(person).post("/fabrics/", {"pattern_type": "floral", "count": 1})
        return Job.objects.get()

    def test_cancel_and_retry_leave_what_shows_them_to_the_follower(self, client_of, person, job):
        client = client_of(person)
        cell = {"id": Pattern.objects.get().pk}
        assert client.post(reverse("job-cancel", args=[job.pk]), headers=HTMX).status_code == 204
        job.refresh_from_db()
        assert job.state == "cancelled"
        page = client.get("/fabrics/cells/", cell, headers=HTMX).content.decode()
        assert "Try again" in page
        assert f'name="id" value="{cell["id"]}"' in page, "it is asked about again when somebody tries again"
        assert client.post(reverse("job-retry", args=[job.pk]), headers=HTMX).status_code == 204
        job.refresh_from_db()
        assert job.state == "queued"
        assert "data-follow" in client.get("/fabrics/cells/", cell, headers=HTMX).content.decode()

    @pytest.mark.parametrize("name", ["job-cancel", "job-retry"])
    def test_only_ones_own_and_only_posted(self, client_of, person, other, staff, job, name):
        url = reverse(name, args=[job.pk])
        for client in (client_of(other), client_of(staff), client_of(None)):
            assert client.post(url).status_code == 404
        assert client_of(person).get(url).status_code == 405
        job.refresh_from_db()
        assert job.state == "queued"

    def test_twice_changes_nothing_more(self, client_of, person, job):
        client = client_of(person)
        url = reverse("job-cancel", args=[job.pk])
        assert client.post(url, {"next": "/gallery/"}).url == "/gallery/"
        page = client.post(url, follow=True)
        assert "already ended" in str(next(iter(page.context["messages"])))
        client.post(reverse("job-retry", args=[job.pk]))
        page = client.post(reverse("job-retry", args=[job.pk]), follow=True)
        assert "already under way" in str(next(iter(page.context["messages"])))


class TestAccount:
    def test_everybody_has_one(self, client_of, person, make_person, make_photo):
        make_photo(person)
        guest = make_person("guest-2", is_guest=True)
        assert b"seen by nobody but you" in client_of(person).get("/account/").content
        assert b"You are a guest" in client_of(guest).get("/account/").content
        nobodys = client_of(None).get("/account/").content.decode()
        assert "Nothing is kept" in nobodys
        assert nobodys.count('?whose=mine">0</a>') == 4, "none of four kinds, each said"
        assert client_of(person).post("/account/").status_code == 405

    def test_the_forms_are_there(self, client_of, person):
        for client, name in (
            (client_of(None), "sign-up"),
            (client_of(None), "sign-in"),
            (client_of(person), "password-change"),
            (client_of(person), "delete-everything"),
        ):
            page = client.get(reverse(name)).content.decode()
            assert 'name="csrfmiddlewaretoken"' in page
            for field in re.findall(r'<input type="(?:text|email|password)"[^>]*id="([^"]+)"', page):
                assert f'for="{field}"' in page

    def test_a_guests_menu_offers_an_account_and_a_members_the_way_out(self, client_of, person, make_person):
        guest = client_of(make_person("guest-3", is_guest=True)).get("/").content
        assert reverse("sign-up").encode() in guest
        assert reverse("sign-out").encode() not in guest
        assert reverse("sign-out").encode() in client_of(person).get("/").content

    def test_lights_stay_as_chosen(self, client):
        client.cookies["theme"] = "dark"
        assert b'data-theme="dark"' in client.get("/account/").content


class TestErrors:
    def test_not_found_in_the_tailors_voice(self, client):
        response = client.get("/no/such/shelf/")
        assert response.status_code == 404
        assert b"every shelf" in response.content

    def test_a_stale_form_is_explained(self, person):
        from django.test import Client

        client = Client(enforce_csrf_checks=True)
        client.force_login(person)
        response = client.post("/fabrics/", {"pattern_type": "floral"})
        assert response.status_code == 403
        assert b"The thread broke" in response.content

    def test_a_breakdown_needs_no_database(self, client, monkeypatch):
        def broken(*_):
            raise RuntimeError("a needle")

        monkeypatch.setattr("studio.workspace.state.read", broken)
        client.raise_request_exception = False
        response = client.get("/")
        assert response.status_code == 500
        assert b"A needle broke" in response.content
