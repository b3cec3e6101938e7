"""The Restyle page: marking, asking, following, and what owner, outsider and visitor may do."""

from __future__ import annotations

import html
import io
import json
import re
import uuid
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from ml_backend.errors import BadInput, Stopped
from ml_backend.images import read_recipe
from ml_backend.models import Job, ModelVersion
from ml_backend.requests import MAX_PROMPT, RestyleRequest, TextMaskRequest
from ml_backend.serving import jobs, loading, registry
from studio.account.models import User
from studio.looks.models import Look
from studio.photos.models import Mask, Photo
from studio.restyle import forms as restyling
from studio.restyle.models import Restyle
from studio.restyle.services import ask_mask, ask_restyle

from ..restylers import NOTE, REFUSAL, Restyler, stand_in

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PAGE = "/restyle/"
FIND = "/restyle/mask/"
DRAW = "/restyle/mask/upload/"
ASK = "/restyle/ask/"


@pytest.fixture(autouse=True)
def restyler(monkeypatch):
    restyler = Restyler()
    stand_in(monkeypatch, restyler)
    return restyler


@pytest.fixture
def mine(client_of, person):
    return client_of(person)


@pytest.fixture
def theirs(client_of, other):
    return client_of(other)


@pytest.fixture
def lay(picture):
    """A photo of ``owner`` whose cloth nobody has looked for: quicker than a fitted one."""

    def make(owner):
        photo = Photo(owner=owner, width=120, height=160)
        photo.image = default_storage.save(f"{photo.folder}/image.png", ContentFile(picture(120, 160, "PNG")))
        photo.thumb = default_storage.save(f"{photo.folder}/thumb.webp", ContentFile(picture(60, 80, "WEBP")))
        photo.save()
        return photo

    return make


@pytest.fixture
def photo(person, lay):
    return lay(person)


@pytest.fixture
def mask(person, photo, work_off):
    """A mask found from "the dress"."""
    mask = ask_mask(person, photo, TextMaskRequest("the dress"))
    work_off()
    mask.refresh_from_db()
    assert mask.ready
    return mask


@pytest.fixture
def restyled(person, photo, mask, work_off):
    """Finished pictures: ``restyled(count=2, prompt="...")``."""

    def make(count=1, **params):
        request = RestyleRequest(**{"prompt": "red linen", "seed": 7, **params})
        rows = ask_restyle(person, photo, mask, request, count)
        work_off()
        return list(Restyle.objects.filter(batch=rows[0].batch).order_by("number"))

    return make


def state_of(response):
    found = re.search(r'<script id="state" type="application/json">(.*?)</script>', response.content.decode(), re.S)
    return json.loads(html.unescape(found[1]))


def text_of(response):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def _bytes(file):
    with default_storage.open(str(file)) as opened:
        return opened.read()


def png(width=60, height=80, value=255):
    target = io.BytesIO()
    Image.new("L", (width, height), value).save(target, "PNG")
    return SimpleUploadedFile("mask.png", target.getvalue(), "image/png")


class TestPage:
    def test_a_first_visit_makes_no_rows_and_lays_a_garment_on_the_table(self, client, make_garment):
        make_garment("skirt", order=0)
        make_garment("dress", order=1)
        response = client.get(PAGE)
        assert response.status_code == 200
        assert User.objects.count() == 0
        source = state_of(response)["source"]
        assert (source["kind"], source["id"]) == ("garment", "dress")
        assert source["cloth"].startswith("/files/garments/dress/mask")
        assert "sessionid" not in response.cookies

    def test_it_stands_empty_where_there_is_nothing_at_all(self, client):
        response = client.get(PAGE)
        assert state_of(response) == {"source": None, "mask": None}
        assert "Which picture shall we change?" in text_of(response)

    def test_the_newest_photo_lies_there_for_its_owner_only(self, mine, theirs, photo, make_garment):
        make_garment("dress")
        assert state_of(mine.get(PAGE))["source"]["id"] == str(photo.pk)
        assert state_of(theirs.get(PAGE))["source"]["kind"] == "garment"
        page = theirs.get(PAGE, {"photo": photo.pk})
        assert f"/files/photos/{photo.pk}" not in page.content.decode()

    def test_a_look_lies_there_as_a_source(self, mine, theirs, person, make_pattern, make_garment):
        look = Look.objects.create(owner=person, garment=make_garment("dress"), file="looks/x/look.png")
        look.parts.create(pattern=make_pattern(person))
        source = state_of(mine.get(PAGE, {"look": look.pk}))["source"]
        assert (source["kind"], source["id"], source["width"], source["height"]) == ("look", str(look.pk), 120, 160)
        assert state_of(theirs.get(PAGE, {"look": look.pk}))["source"]["kind"] == "garment"

    def test_nonsense_in_the_address_falls_back(self, client, make_garment):
        make_garment("dress")
        query = "photo=x&mask=1&batch=%20&remix=-&look=7&garment=ball%20gown&steps=many&engine=magic&count=99&seed=-1"
        response = client.get(f"{PAGE}?{query}")
        assert response.status_code == 200
        assert state_of(response)["source"]["id"] == "dress"
        assert response.context["wanted"].count == restyling.VARIATIONS
        assert response.context["wanted"].settings == {}

    def test_words_and_settings_of_the_address_fill_the_form(self, client, make_garment):
        make_garment("dress")
        query = {
            "region": "the  sleeves", "prompt": "blue denim", "engine": "diffusion", "steps": 30, "guidance": "7.5",
            "size": 512, "strength": "0.8", "scheduler": "dpm++", "seed": 11, "count": 5, "negative_prompt": "text",
        }  # fmt: skip
        wanted = client.get(PAGE, query).context["wanted"]
        assert (wanted.region, wanted.prompt, wanted.engine) == ("the sleeves", "blue denim", "diffusion")
        assert wanted.settings == {
            "negative_prompt": "text", "steps": 30, "guidance": 7.5, "size": 512, "strength": 0.8, "scheduler": "dpm++",
        }  # fmt: skip
        assert (wanted.seed, wanted.count, wanted.tuned) == (11, 5, True)

    def test_the_starter_alone_is_offered_as_the_small_sketching_model_it_is(self, client, make_garment, monkeypatch):
        make_garment("dress")
        page = text_of(client.get(PAGE))
        assert page.index("Advanced") < page.index("a small sketching model")
        assert "cut and drape may change" not in page
        assert "open" not in re.search(r'<details class="advanced"[^>]*>', client.get(PAGE).content.decode())[0]
        asked = client.get(PAGE, {"engine": "diffusion"}).content.decode()
        assert re.search(r'<details class="advanced" open>', asked), "what is chosen is in sight"
        monkeypatch.setattr(registry, "only_sketches", lambda _: False)
        page = text_of(client.get(PAGE))
        assert page.index("cut and drape may change") < page.index("Advanced")
        assert "sketching" not in page

    def test_diffusion_can_only_be_chosen_where_a_model_serves_it(self, client, make_garment, monkeypatch):
        make_garment("dress")
        monkeypatch.setattr(registry, "serves", lambda capability: False)
        page = client.get(PAGE, {"engine": "diffusion"})
        assert page.context["wanted"].engine == "fabric"
        assert re.search(r'value="diffusion"[^>]*disabled', page.content.decode())
        assert "No model for it is installed here." in text_of(page)

    def test_work_under_way_refreshes_the_page_for_those_without_scripts(self, mine, person, photo, mask, work_off):
        assert b'http-equiv="refresh"' not in mine.get(PAGE, {"mask": mask.pk}).content
        waiting = ask_mask(person, photo, TextMaskRequest("the dress"))
        assert b'http-equiv="refresh"' in mine.get(PAGE, {"mask": waiting.pk}).content
        rows = ask_restyle(person, photo, mask, RestyleRequest("red", 1))
        assert b'http-equiv="refresh"' in mine.get(PAGE, {"batch": rows[0].batch}).content
        work_off()
        assert b'http-equiv="refresh"' not in mine.get(PAGE, {"batch": rows[0].batch}).content

    def test_no_inline_scripts_or_handlers_and_everything_has_a_name(self, mine, restyled):
        page = mine.get(PAGE, {"batch": restyled(2)[0].batch}).content.decode()
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
        assert not re.search(r"\son[a-z]+=", page)
        assert "<style" not in page
        for tag in re.findall(r"<img[^>]*>", page):
            assert " alt=" in tag
        for button in re.findall(r"<button[^>]*>.*?</button>", page, re.S):
            assert "aria-label" in button or re.sub(r"<[^>]+>", "", button).strip()

    def test_its_words_come_back_as_history(self, mine, theirs, restyled):
        restyled(prompt="burgundy velvet")
        assert "burgundy velvet" in text_of(mine.get(PAGE))
        assert "burgundy velvet" not in text_of(theirs.get(PAGE))

    def test_posting_to_it_is_refused(self, client):
        assert client.post(PAGE).status_code == 405


class TestUpload:
    url = "/restyle/photo/"

    def test_a_visitor_becomes_a_guest_and_the_words_stay(self, client, picture):
        upload = SimpleUploadedFile("me.jpg", picture(120, 160), "image/jpeg")
        response = client.post(self.url, {"image": upload, "next": "/restyle/?garment=dress&mask=x&prompt=red"})
        photo = Photo.objects.get()
        assert photo.owner.is_guest
        assert response.status_code == 302
        assert response.url == f"/restyle/?photo={photo.pk}"
        assert client.get(response.url).context["wanted"].prompt == "red"

    def test_the_script_is_sent_there(self, mine, picture):
        upload = SimpleUploadedFile("me.jpg", picture(120, 160), "image/jpeg")
        response = mine.post(self.url, {"image": upload, "next": "/restyle/"}, headers=HTMX)
        assert response.headers["HX-Redirect"] == f"/restyle/?photo={Photo.objects.get().pk}"

    def test_what_is_no_picture_is_explained(self, mine):
        response = mine.post(self.url, {"image": SimpleUploadedFile("me.jpg", b"words")}, headers=HTMX)
        assert response.status_code == 422
        assert "Nothing was kept" in response.content.decode()
        assert not Photo.objects.exists()
        assert mine.post(self.url, {}, headers=HTMX).status_code == 422
        assert mine.get(self.url).status_code == 405


class TestMaskByWords:
    def test_it_is_found_and_shown(self, mine, photo, work_off):
        response = mine.post(FIND, {"photo": photo.pk, "region": "the dress"}, headers=HTMX)
        found = Mask.objects.get()
        assert f"/restyle/mask/{found.pk}/" in response.content.decode()
        assert "data-follow" in response.content.decode()
        work_off()
        page = mine.get(f"/restyle/mask/{found.pk}/", headers=HTMX).content.decode()
        assert f'data-mask="{found.pk}"' in page
        assert "data-follow" not in page
        assert "Found “the dress”." in html.unescape(page)

    def test_how_sure_it_is_stands_in_words(self, mine, photo, work_off):
        mine.post(FIND, {"photo": photo.pk, "region": "the dress, a scarf, a top hat"}, headers=HTMX)
        work_off()
        said = text_of(mine.get(f"/restyle/mask/{Mask.objects.get().pk}/"))
        assert "Found “the dress”." in said
        assert "Perhaps this is “a scarf”" in said
        assert "Could not find “a top hat” here." in said

    def test_words_that_are_nowhere_end_in_a_sentence(self, mine, photo, work_off):
        mine.post(FIND, {"photo": photo.pk, "region": "a top hat"}, headers=HTMX)
        work_off()
        said = text_of(mine.get(f"/restyle/mask/{Mask.objects.get().pk}/"))
        assert "could not find" in said
        assert "Try again" in said

    def test_without_scripts_it_comes_back_to_the_page_with_all_words(self, mine, photo, work_off):
        data = {"photo": photo.pk, "region": "the dress", "prompt": "red", "next": f"/restyle/?photo={photo.pk}"}
        response = mine.post(FIND, data)
        found = Mask.objects.get()
        assert response.url == f"/restyle/?photo={photo.pk}&mask={found.pk}"
        work_off()
        page = mine.get(response.url)
        assert state_of(page)["mask"] == {"id": str(found.pk), "url": f"/files/masks/{found.pk}/file"}
        assert (page.context["wanted"].region, page.context["wanted"].prompt) == ("the dress", "red")

    def test_a_garment_becomes_a_photo_of_ones_own_once(self, client, make_garment):
        make_garment("dress")
        for _ in range(2):
            response = client.post(FIND, {"garment": "dress", "region": "the dress"}, headers=HTMX)
            assert f'data-photo="{Photo.objects.get().pk}"' in response.content.decode()
        assert User.objects.get().is_guest

    @pytest.mark.parametrize("words", ["the dress", "Dress", "all the dress", "the gown"])
    def test_a_garments_own_cloth_is_known(self, client, make_garment, words, work_off):
        garment = make_garment("dress", classes=["dress"])
        page = client.post(FIND, {"garment": "dress", "region": words}, headers=HTMX).content.decode()
        found = Mask.objects.get()
        assert f'data-mask="{found.pk}"' in page
        assert f"Found “{words}”." in html.unescape(page)
        assert _bytes(found.file) == _bytes(garment.mask)
        assert work_off() == 0, "nothing had to be looked for"

    @pytest.mark.parametrize("words", ["the sleeves", "the dress, not the belt", "the shirt", "the white dress"])
    def test_other_words_are_looked_for_on_a_garment_too(self, client, make_garment, words):
        make_garment("dress", classes=["dress"])
        client.post(FIND, {"garment": "dress", "region": words}, headers=HTMX)
        assert Mask.objects.get().job.kind == "text-mask"

    def test_a_named_model_finds_it_or_the_reason_is_said(self, person, photo, work_off, monkeypatch):
        used = []
        ours = loading.pipeline
        monkeypatch.setattr(loading, "pipeline", lambda name, model=None: used.append(model) or ours(name, model))
        monkeypatch.setattr(registry, "resolve", lambda capability, text: f"{text}@0123456789ab")
        mask = ask_mask(person, photo, TextMaskRequest("the dress", model="other-clipseg"))
        work_off()
        mask.refresh_from_db()
        assert used == [mask.params["model"]] == ["other-clipseg@0123456789ab"]
        monkeypatch.undo()
        with pytest.raises(BadInput, match="does not serve here"):
            ask_mask(person, photo, TextMaskRequest("the dress", model="nobodys-clipseg"))

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            ({"region": ""}, "Say in a word or two"),
            ({"region": "x" * (MAX_PROMPT + 1)}, "at most"),
            ({"region": "the dress", "photo": ""}, "Choose a picture first"),
            ({"region": "the dress", "photo": "nonsense"}, "valid UUID"),
        ],
    )
    def test_bad_input_is_explained(self, mine, photo, data, why):
        response = mine.post(FIND, {"photo": photo.pk, **data}, headers=HTMX)
        assert response.status_code == 422
        assert why in response.content.decode()
        assert not Mask.objects.exists()

    def test_without_scripts_bad_input_comes_back_with_the_words(self, mine, photo):
        response = mine.post(FIND, {"photo": photo.pk, "region": "", "prompt": "red", "next": "/restyle/"}, follow=True)
        assert "Say in a word or two" in text_of(response)
        assert response.context["wanted"].prompt == "red"

    def test_nobody_marks_anothers_photo(self, theirs, client, photo):
        for one in (theirs, client):
            assert one.post(FIND, {"photo": photo.pk, "region": "the dress"}, headers=HTMX).status_code == 404
        assert not Mask.objects.exists()
        assert User.objects.filter(is_guest=True).count() == 0

    def test_nobody_sees_anothers_mask(self, mine, theirs, client, mask):
        assert mine.get(f"/restyle/mask/{mask.pk}/").status_code == 200
        assert theirs.get(f"/restyle/mask/{mask.pk}/").status_code == 404
        assert client.get(f"/restyle/mask/{mask.pk}/").status_code == 404

    def test_looking_is_asked_by_post(self, mine):
        assert mine.get(FIND).status_code == 405

    def test_it_can_be_cancelled_and_tried_again(self, mine, photo):
        mine.post(FIND, {"photo": photo.pk, "region": "the dress"}, headers=HTMX)
        found = Mask.objects.get()
        assert mine.post(f"/jobs/{found.job_id}/cancel/", headers=HTMX).status_code == 204
        assert "Cancelled." in text_of(mine.get(f"/restyle/mask/{found.pk}/"))
        assert mine.post(f"/jobs/{found.job_id}/retry/", headers=HTMX).status_code == 204
        assert "data-follow" in mine.get(f"/restyle/mask/{found.pk}/").content.decode()


class TestMaskByHand:
    def test_it_is_kept_at_the_photos_size(self, mine, photo):
        response = mine.post(DRAW, {"photo": photo.pk, "file": png(60, 80)}, headers=HTMX)
        drawn = Mask.objects.get()
        assert f'data-mask="{drawn.pk}"' in response.content.decode()
        assert drawn.origin == "brush"
        with default_storage.open(str(drawn.file)) as file, Image.open(file) as image:
            assert (image.size, image.mode) == ((120, 160), "L")

    def test_without_scripts_it_lies_on_the_table(self, mine, photo):
        response = mine.post(DRAW, {"photo": photo.pk, "file": png(), "next": "/restyle/"})
        assert response.url == f"/restyle/?photo={photo.pk}&mask={Mask.objects.get().pk}"

    def test_bad_input_is_explained(self, mine, photo):
        for data in (
            {},
            {"file": SimpleUploadedFile("m.png", b"no picture")},
            {"file": SimpleUploadedFile("m.png", b"")},
        ):
            response = mine.post(DRAW, {"photo": photo.pk, **data}, headers=HTMX)
            assert response.status_code == 422
            assert response.content
        assert not Mask.objects.exists()

    def test_nobody_paints_on_anothers_photo(self, theirs, client, photo):
        for one in (theirs, client):
            assert one.post(DRAW, {"photo": photo.pk, "file": png()}, headers=HTMX).status_code == 404
        assert not Mask.objects.exists()
        assert theirs.get(DRAW).status_code == 405


class TestAsking:
    def test_three_variations_by_default_each_with_its_seed(self, mine, photo, mask, work_off, restyler):
        response = mine.post(ASK, {"photo": photo.pk, "mask": mask.pk, "prompt": "red linen", "seed": 41}, headers=HTMX)
        assert response.status_code == 200
        rows = list(Restyle.objects.order_by("number"))
        assert [row.seed for row in rows] == [41, 42, 43]
        assert len({row.batch for row in rows}) == len({row.job_id for row in rows}) == 1
        page = response.content.decode()
        assert page.index("tile-original") < page.index(f"tile-{rows[0].pk}")
        assert "data-follow" in page
        work_off()
        page = mine.get(f"/restyle/batch/{rows[0].batch}/", headers=HTMX).content.decode()
        assert "data-follow" not in page
        assert page.count("?download") == 3
        assert restyler.masks[0].shape == (160, 120)

    def test_every_setting_reaches_the_model(self, mine, photo, mask, work_off, restyler):
        data = {
            "photo": photo.pk, "mask": mask.pk, "prompt": "red  linen", "seed": 5, "count": 1, "engine": "diffusion",
            "negative_prompt": "text", "steps": 30, "guidance": "7.5", "size": 512, "strength": "0.8",
            "scheduler": "dpm++", "lora-linen": "0.6", "lora-tartan": "0",
        }  # fmt: skip
        assert mine.post(ASK, data, headers=HTMX).status_code == 200
        work_off()
        assert restyler.asked == [
            RestyleRequest(
                "red linen", 5, "diffusion", "text", 30, 7.5, 512, 0.8, "dpm++", loras=("linen:0.6",)
            )
        ]  # fmt: skip

    def test_by_words_alone_the_mask_is_looked_for_first(self, mine, photo, work_off):
        response = mine.post(ASK, {"photo": photo.pk, "region": "the dress", "prompt": "red"}, headers=HTMX)
        found = Mask.objects.get()
        assert f"/restyle/mask/{found.pk}/" in response.content.decode()
        assert 'hx-swap-oob="true"' in response.content.decode()
        work_off()
        assert Restyle.objects.exclude(file="").filter(mask=found).count() == 3

    def test_a_garment_of_which_nothing_is_said_is_changed_as_a_whole(self, client, make_garment, work_off, restyler):
        make_garment("dress", classes=["dress"])
        page = client.get(PAGE)
        assert page.context["wanted"].region == "the dress"
        assert state_of(page)["source"]["known"] is True
        assert client.post(ASK, {"garment": "dress", "prompt": "red linen"}, headers=HTMX).status_code == 200
        work_off()
        assert Mask.objects.get().words == "the dress"
        assert Restyle.objects.exclude(file="").count() == 3

    def test_a_garments_copy_begins_with_its_cloth_too(self, client, make_garment, work_off):
        make_garment("dress", classes=["dress"])
        client.post(ASK, {"garment": "dress", "prompt": "red linen"}, headers=HTMX)
        photo = Photo.objects.get()
        assert photo.ready
        assert photo.job is None
        page = client.get(PAGE, {"photo": photo.pk})
        assert state_of(page)["source"]["known"] is True
        assert f"/files/photos/{photo.pk}/mask" in page.content.decode()

    def test_a_photo_of_ones_own_is_not_known(self, mine, photo):
        page = mine.get(PAGE)
        assert state_of(page)["source"]["known"] is False
        assert page.context["wanted"].region == ""

    @pytest.mark.parametrize(("said", "sketch"), [(["none", "fabric"], "fabric"), (["none"], "none"), ([], None)])
    def test_whether_it_begins_from_a_drawn_fabric(self, mine, photo, mask, work_off, restyler, said, sketch):
        """A box that is not ticked is not sent; a hidden field before it says so."""
        data = {"photo": photo.pk, "mask": mask.pk, "prompt": "red", "engine": "diffusion", "sketch": said}
        assert mine.post(ASK, data, headers=HTMX).status_code == 200
        work_off()
        assert {request.sketch for request in restyler.asked} == {sketch}

    def test_without_scripts_from_upload_to_download(self, client, picture, work_off):
        upload = SimpleUploadedFile("me.jpg", picture(120, 160), "image/jpeg")
        page = client.post("/restyle/photo/", {"image": upload, "next": "/restyle/"}, follow=True)
        photo = Photo.objects.get()
        data = {
            "photo": photo.pk,
            "region": "the dress",
            "prompt": "red",
            "count": 1,
            "next": page.request["PATH_INFO"],
        }
        response = client.post(ASK, data)
        made = Restyle.objects.get()
        assert response.url == f"/restyle/?batch={made.batch}"
        waiting = client.get(response.url)
        assert b'http-equiv="refresh"' in waiting.content
        assert "waiting" in text_of(waiting)
        work_off()
        done = client.get(response.url)
        assert f"/files/restyles/{made.pk}/file?download" in done.content.decode()
        assert (done.context["wanted"].prompt, done.context["wanted"].region) == ("red", "the dress")
        assert done.context["wanted"].seed is None, "the next ones are others"
        saved = client.get(f"/files/restyles/{made.pk}/file?download")
        assert saved.headers["Content-Disposition"].startswith("attachment")
        assert "red" in str(read_recipe(Image.open(io.BytesIO(saved.content))))

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            ({"prompt": ""}, "Say what it should become"),
            ({"prompt": "x" * (MAX_PROMPT + 1)}, "at most"),
            ({"mask": "", "region": ""}, "Mark what to change first"),
            ({"steps": "many"}, "whole number"),
            ({"steps": "1000"}, "from 1 to 150"),
            ({"size": "500"}, "multiple of 64"),
            ({"guidance": "x"}, "must be a number"),
            ({"strength": "3"}, "from 0.05 to 1"),
            ({"count": "9"}, "One to 8"),
            ({"count": "0"}, "One to 8"),
            ({"seed": "-1"}, "seed"),
            ({"photo": ""}, "Choose a picture first"),
        ],
    )
    def test_bad_input_is_explained(self, mine, photo, mask, data, why):
        response = mine.post(ASK, {"photo": photo.pk, "mask": mask.pk, "prompt": "red", **data}, headers=HTMX)
        assert response.status_code == 422
        assert why in response.content.decode()
        assert not Restyle.objects.exists()

    def test_without_scripts_bad_input_keeps_the_words(self, mine, photo):
        data = {
            "photo": photo.pk,
            "region": "the dress",
            "prompt": "red",
            "count": "9",
            "next": f"/restyle/?photo={photo.pk}",
        }
        page = mine.post(ASK, data, follow=True)
        assert "One to 8" in text_of(page)
        assert (page.context["wanted"].region, page.context["wanted"].prompt) == ("the dress", "red")

    def test_nobody_restyles_anothers_photo_or_with_anothers_mask(self, mine, theirs, other, photo, mask, lay):
        data = {"photo": photo.pk, "mask": mask.pk, "prompt": "red"}
        assert theirs.post(ASK, data, headers=HTMX).status_code == 404
        own = lay(other)
        assert theirs.post(ASK, {**data, "photo": own.pk}, headers=HTMX).status_code == 404
        assert mine.post(ASK, {**data, "mask": uuid.uuid4()}, headers=HTMX).status_code == 404
        assert not Restyle.objects.exists()

    def test_too_many_at_a_time_is_said_and_leaves_nothing(self, mine, photo, settings):
        settings.MAX_ACTIVE_JOBS = 1
        response = mine.post(ASK, {"photo": photo.pk, "region": "the dress", "prompt": "red"}, headers=HTMX)
        assert response.status_code == 429
        assert not Mask.objects.exists()
        assert not Job.objects.exists()

    def test_asking_twice_makes_two_batches_with_other_seeds(self, mine, photo, mask):
        for _ in range(2):
            mine.post(ASK, {"photo": photo.pk, "mask": mask.pk, "prompt": "red", "count": 1}, headers=HTMX)
        one, two = Restyle.objects.all()
        assert one.batch != two.batch
        assert one.seed != two.seed


class TestFollowing:
    def test_a_tile_stands_for_each_picture_while_it_waits_works_and_fails(self, mine, person, photo, mask):
        rows = ask_restyle(person, photo, mask, RestyleRequest("red", 1), 3)
        url = f"/restyle/batch/{rows[0].batch}/"
        page = text_of(mine.get(url, headers=HTMX))
        assert "place 1" in page
        assert page.count("to come") == 2
        claim = jobs.claim(jobs.QUEUES)
        jobs.report(claim, 0.4, "Painting")
        jobs.show(claim.job, b"RIFF-a-preview")
        response = mine.get(url, headers=HTMX)
        assert "40 %" in text_of(response)
        assert f"/{rows[0].job_id}/" in re.search(r'<img class="preview"[^>]*>', response.content.decode())[0]
        jobs.fail(claim, "The brush broke.")
        page = text_of(mine.get(url, headers=HTMX))
        assert "The brush broke." in page
        assert "Try again" in page

    def test_cancelled_pictures_that_are_there_stay(self, mine, person, photo, mask, restyler, work_off, monkeypatch):
        rows = ask_restyle(person, photo, mask, RestyleRequest("red", 1), 3)
        second = iter([None, None])

        def cancelled_at_the_second(request, should_stop):
            if next(second, "stop") is None and len(restyler.asked) == 2:
                jobs.cancel(rows[0].job)
            if should_stop():
                raise Stopped

        monkeypatch.setattr(restyler, "_take_time", cancelled_at_the_second)
        work_off()
        page = mine.get(f"/restyle/batch/{rows[0].batch}/", headers=HTMX)
        assert page.content.decode().count("data-full") == 2, "the original and the first"
        assert "Cancelled." in text_of(page)

    def test_what_could_not_be_honoured_is_said_once(self, mine, restyled):
        rows = restyled(3, prompt="red silk")
        assert text_of(mine.get(f"/restyle/batch/{rows[0].batch}/", headers=HTMX)).count(NOTE) == 1

    def test_a_refusal_is_said_in_words(self, mine, restyled):
        rows = restyled(1, prompt="forbidden things")
        page = mine.get(f"/restyle/batch/{rows[0].batch}/", headers=HTMX)
        assert REFUSAL in text_of(page)
        assert "?download" not in page.content.decode()

    def test_it_is_private(self, theirs, client, restyled):
        batch = restyled()[0].batch
        for one in (theirs, client):
            assert one.get(f"/restyle/batch/{batch}/", headers=HTMX).status_code == 404
            assert one.get(f"/restyle/batch/{batch}/zip/").status_code == 404
        assert state_of(theirs.get(PAGE, {"batch": batch}))["source"] is None

    def test_without_scripts_it_is_the_page(self, mine, restyled):
        batch = restyled()[0].batch
        assert mine.get(f"/restyle/batch/{batch}/").url == f"/restyle/?batch={batch}"

    def test_all_of_them_in_one_file(self, mine, restyled):
        rows = restyled(2)
        response = mine.get(f"/restyle/batch/{rows[0].batch}/zip/")
        with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
            assert len(archive.namelist()) == 2
            assert all("seed" in name and name.endswith(".png") for name in archive.namelist())
        assert response.headers["Content-Disposition"].startswith("attachment")

    def test_nothing_to_zip_is_no_page(self, mine, person, photo, mask):
        rows = ask_restyle(person, photo, mask, RestyleRequest("red", 1))
        assert mine.get(f"/restyle/batch/{rows[0].batch}/zip/").status_code == 404
        assert mine.get(f"/restyle/batch/{uuid.uuid4()}/zip/").status_code == 404


class TestRemixing:
    def test_it_restores_everything(self, mine, restyled, photo, mask):
        made = restyled(2, prompt="red silk", engine="diffusion", steps=30, loras=("linen:0.6",))[1]
        page = mine.get(PAGE, {"remix": made.pk})
        wanted = page.context["wanted"]
        assert (wanted.prompt, wanted.region, wanted.engine) == ("red silk", "the dress", "diffusion")
        assert (wanted.seed, wanted.count, wanted.settings) == (8, 1, {"steps": 30})
        assert [(lora.name, lora.strength) for lora in wanted.loras] == [("linen", 0.6), ("tartan", 0.0)]
        state = state_of(page)
        assert (state["source"]["id"], state["mask"]["id"]) == (str(photo.pk), str(mask.pk))

    @pytest.mark.parametrize("usual", ["none", "fabric"])
    @pytest.mark.parametrize("sketch", ["none", "fabric", None])
    def test_it_restores_what_the_picture_began_from(self, mine, restyled, monkeypatch, usual, sketch):
        monkeypatch.setattr(registry, "begins_from", lambda: usual)
        (picture,) = restyled(engine="diffusion", sketch=sketch)
        page = mine.get(PAGE, {"remix": picture.pk})
        box = re.search(r'<input[^>]*id="sketch"[^>]*>', page.content.decode())[0]
        assert (" checked" in box) == ((sketch or usual) == "fabric")
        assert f'data-usual="{usual}"' in box

    def test_anothers_published_picture_brings_its_words_but_not_its_photo(self, theirs, restyled, photo):
        made = restyled(prompt="red silk")[0]
        assert state_of(theirs.get(PAGE, {"remix": made.pk}))["source"] is None
        made.publish(True)
        page = theirs.get(PAGE, {"remix": made.pk})
        assert page.context["wanted"].prompt == "red silk"
        assert page.context["wanted"].region == ""
        assert state_of(page)["source"]["kind"] == "restyle"
        assert str(photo.pk) not in page.content.decode()

    def test_a_picture_used_as_a_source_becomes_a_photo_when_it_is_marked(self, mine, restyled, person):
        made = restyled()[0]
        assert state_of(mine.get(PAGE, {"restyle": made.pk}))["source"]["kind"] == "restyle"
        assert Photo.objects.count() == 1
        mine.post(FIND, {"restyle": made.pk, "region": "the dress"}, headers=HTMX)
        assert Photo.objects.filter(owner=person).count() == 2


class TestOnePicture:
    def test_its_owner_sees_the_recipe(self, mine, theirs, client, restyled):
        made = restyled(prompt="red silk", engine="diffusion")[0]
        page = text_of(mine.get(f"/restyle/{made.pk}/"))
        for words in ("red silk", "the dress", "by diffusion", "12", NOTE):
            assert words in page
        for one in (theirs, client):
            assert one.get(f"/restyle/{made.pk}/").status_code == 404

    def test_published_it_is_everybodys_to_see_but_not_to_change(self, mine, theirs, restyled, photo):
        made = restyled()[0]
        url = f"/restyle/{made.pk}/"
        assert mine.post(f"{url}publish/", {"public": "1"}).url == url
        page = theirs.get(url)
        assert page.status_code == 200
        assert "Publish" not in text_of(page)
        assert str(photo.pk) not in page.content.decode()
        assert theirs.post(f"{url}publish/", {}).status_code == 404
        assert theirs.post(f"{url}delete/").status_code == 404
        assert mine.post(f"{url}publish/", {}, headers=HTMX).status_code == 204
        assert theirs.get(url).status_code == 404

    def test_what_is_not_made_yet_is_not_published(self, mine, person, photo, mask):
        made = ask_restyle(person, photo, mask, RestyleRequest("red", 1))[0]
        assert mine.post(f"/restyle/{made.pk}/publish/", {"public": "1"}, headers=HTMX).status_code == 422
        assert mine.get(f"/restyle/{made.pk}/publish/").status_code == 405

    def test_deleting_asks_first_and_takes_the_file_along(
        self, mine, theirs, client, restyled, django_capture_on_commit_callbacks
    ):
        one, two = restyled(2)
        url = f"/restyle/{one.pk}/delete/"
        assert "for good" in text_of(mine.get(url))
        for outsider in (theirs, client):
            assert outsider.get(url).status_code == 404
            assert outsider.post(url).status_code == 404
        with django_capture_on_commit_callbacks(execute=True):
            assert mine.post(url).url == f"/restyle/?batch={two.batch}"
        assert not default_storage.exists(str(one.file))
        assert mine.post(url).status_code == 404
        assert mine.post(f"/restyle/{two.pk}/delete/").url == f"/restyle/?photo={two.photo_id}"
        assert Photo.objects.count() == 1


def test_the_verdict_of_a_mask():
    def one(text, confidence, subtract=False):
        return {"text": text, "confidence": confidence, "subtract": subtract}

    assert restyling.verdict([]) == ""
    assert restyling.verdict([one("the dress", 0.9)]) == "Found “the dress”."
    assert restyling.verdict([one("a", 0.9), one("b", 0.8), one("c", 0.7)]) == "Found “a”, “b” and “c”."
    assert restyling.verdict([one("the belt", 0.01, subtract=True)]) == ""
    unknown = {**one("the sky", 0.0), "known": False}
    assert restyling.verdict([one("a", 0.9), unknown]).startswith("Found “a”. We do not know “the sky” here")
    assert "Found" not in restyling.verdict([unknown])
    assert "Perhaps this is “a”" in restyling.verdict([one("a", 0.3)])
    assert "Could not find “a” here" in restyling.verdict([one("a", 0.1)])


def test_presets_can_be_asked_for_and_have_their_swatches(settings):
    assert len(restyling.PRESETS) == 12
    for preset in restyling.PRESETS:
        RestyleRequest(preset.prompt, 1)
        assert (settings.BASE_DIR / f"static/img/presets/{preset.slug}.webp").is_file()


def test_the_page_says_where_a_photo_goes(client):
    stays = "Your photo never leaves this studio."
    assert stays in client.get("/restyle/").content.decode()
    values = {"capability": "restyle", "sha256": "e" * 64, "endpoint": {"url": "https://painter.example"}}
    version = ModelVersion.objects.create(name="far", status="candidate", **values)
    assert stays in client.get("/restyle/").content.decode()
    ModelVersion.objects.filter(pk=version.pk).update(status="serving", default=True)
    page = client.get("/restyle/").content.decode()
    assert stays not in page
    assert "that is painted elsewhere" in page


@pytest.mark.parametrize(("address", "capability"), [("/restyle/", "restyle"), ("/imagine/", "imagine")])
def test_where_several_models_serve_one_is_chosen(client, address, capability):
    def add(name, **values):
        return ModelVersion.objects.create(name=name, capability=capability, sha256=name[0] * 64, **values)

    first = add("first-painter", status="serving", default=True)
    assert 'name="model"' not in client.get(address).content.decode()
    second = add("second-painter", status="serving")
    add("third-painter", status="candidate")
    page = client.get(address).content.decode()
    assert f'<option value="{second.reference}">Second painter</option>' in page
    assert '<option value="">First painter (the house’s)</option>' in page
    assert "hird painter" not in page
    assert registry.resolve(capability, second.reference) == second.reference
    assert first.reference not in page
