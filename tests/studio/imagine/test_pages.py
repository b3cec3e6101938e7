"""The Imagine page: what is asked for, how it arrives, and what owner, outsider and visitor may do with it."""

from __future__ import annotations

import html
import io
import re
import shlex
import uuid
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from ml_backend import cli
from ml_backend.images import read_recipe
from ml_backend.models import Job, ModelVersion
from ml_backend.requests import MAX_SEED, ImagineRequest
from ml_backend.serving import registry
from ml_backend.words.reading import read
from ml_backend.words.wardrobe import choose_form, without_scene
from studio.account.models import User
from studio.imagine import forms as imagining
from studio.imagine.models import Imagining
from studio.imagine.services import ask_imagine
from studio.photos.models import Photo

from ..painters import DEFAULTS, REFUSAL, Painter, stand_in

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PAGE = "/imagine/"
ASK = "/imagine/ask/"
RED_DRESS = "an image of a Red Dress"
SWEATER = "an image of a 2011 Casual Fall White Men's Sweater"


@pytest.fixture
def painter(monkeypatch):
    """Paints whatever is asked for; LoRAs "linen" and "tartan" are kept."""
    painter = Painter()
    stand_in(monkeypatch, painter)
    monkeypatch.setattr(registry, "serves", lambda capability: True)
    monkeypatch.setattr(registry, "loras", lambda capability="imagine", person=None: {"linen": "a", "tartan": "b"})
    return painter


@pytest.fixture
def mine(client_of, person, painter):
    return client_of(person)


@pytest.fixture
def imagined(person, painter, work_off):
    """Finished pictures of ``owner``: ``imagined(count=2, prompt="...", owner=...)``."""

    def make(count=1, owner=None, **params):
        request = ImagineRequest(**{"prompt": "a red dress", "seed": 7, **params})
        rows = ask_imagine(owner or person, request, count)
        work_off()
        return list(Imagining.objects.filter(batch=rows[0].batch).order_by("number"))

    return make


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def stored(picture):
    with default_storage.open(str(picture.file)) as file:
        return file.read()


class TestPage:
    def test_a_first_visit_makes_no_rows_and_offers_words_to_begin_with(self, client, painter):
        response = client.get(PAGE)
        assert response.status_code == 200
        assert User.objects.count() == 0
        assert "The wall is bare" in text_of(response)
        page = response.content.decode()
        for name in ("year", "usage", "season", "colour", "gender", "article"):
            assert f'<select name="{name}"' in page
        assert page.count("data-outfit=") == len(response.context["presets"])

    def test_presets_name_garments_that_the_fabric_engine_has(self):
        for preset in imagining.PRESETS:
            words, _ = without_scene(preset.text)
            assert choose_form(read(words), seed=1)[1] == "", preset.text

    def test_words_in_the_address_fill_the_builder_when_they_are_its_own(self, client, painter):
        wanted = client.get(PAGE, {"prompt": SWEATER}).context["wanted"]
        assert (wanted.prompt, wanted.built) == (SWEATER, SWEATER)
        assert (wanted.outfit.year, wanted.outfit.gender, wanted.outfit.article) == ("2011", "Men", "Sweater")
        response = client.get(PAGE, {"prompt": "a shirt of <b>linen</b>"})
        assert response.context["wanted"].built == ""
        assert b"a shirt of &lt;b&gt;linen" in response.content
        assert b"selected" in client.get(PAGE, {"prompt": SWEATER}).content

    def test_nonsense_in_the_address_is_passed_over(self, client, painter):
        for query in ({"remix": "x"}, {"remix": uuid.uuid4()}, {"page": "999"}, {"prompt": "x" * 2000}, {"again": ""}):
            assert client.get(PAGE, query).status_code == 200
        assert client.post(PAGE).status_code == 405

    def test_the_wall_is_ones_own_newest_first_and_in_pages(self, mine, other, imagined, django_assert_max_num_queries):
        imagined(prompt="theirs", owner=other)
        for number in range(14):
            imagined(prompt=f"mine {number}")
        with django_assert_max_num_queries(11):
            page = mine.get(PAGE)
        words = re.findall(r'data-words="(mine \d+)">', page.content.decode())
        assert words[:12] == [f"mine {number}" for number in range(13, 1, -1)]
        assert b"theirs" not in page.content
        rest = mine.get(PAGE, {"page": 2}, headers=HTMX).content.decode()
        assert re.findall(r"<h2[^>]*>(.*?)</h2>", rest) == ["mine 1", "mine 0"]
        assert "<html" not in rest

    def test_words_used_before_come_back_each_once(self, mine, imagined):
        for words in ("a red dress", SWEATER, "a red dress"):
            imagined(prompt=words)
        history = mine.get(PAGE).context["history"]
        assert [one.text for one in history] == ["a red dress", SWEATER]
        assert "article=Sweater" in history[1].outfit


class TestEngines:
    def checked(self, page):
        return re.findall(r'name="engine" value="(\w+)"[^>]* checked', page.content.decode())

    def test_fabric_is_the_default_with_only_starters(self, mine, painter):
        page = mine.get(PAGE)
        assert self.checked(page) == ["fabric"]
        mine.post(ASK, {"prompt": "a red dress", "count": "1"})
        assert Imagining.objects.get().engine == "fabric"

    def test_a_model_that_staff_put_into_service_is_the_default(self, mine, painter):
        ModelVersion.objects.create(
            name="large", version="1", capability="imagine", sha256="0" * 64, status="serving", default=True
        )
        assert self.checked(mine.get(PAGE)) == ["diffusion"]
        mine.post(ASK, {"prompt": "a red dress", "count": "1"})
        assert Imagining.objects.get().engine == "diffusion"

    @pytest.mark.parametrize("engine", ["fabric", "diffusion"])
    def test_the_one_that_is_asked_for_makes_the_pictures_and_is_named(self, mine, painter, work_off, engine):
        batch = mine.post(ASK, {"prompt": "a red dress", "count": "2", "seed": "7", "engine": engine}, headers=HTMX)
        assert f"{engine} · seeds 7 to 8" in text_of(batch)
        work_off()
        assert painter.loaded == [f"imagine-{engine}"]
        assert [request.engine for request in painter.asked] == [engine] * 2
        made = Imagining.objects.first()
        said = {"fabric": "Made by the fabric engine", "diffusion": "Made by diffusion"}[engine]
        assert said in text_of(mine.get(reverse("imagined", args=[made.pk])))
        assert self.checked(mine.get(PAGE, {"again": made.pk})) == [engine]

    def test_the_address_goes_before_the_picture(self, mine, imagined):
        (made,) = imagined(engine="fabric")
        assert self.checked(mine.get(PAGE, {"remix": made.pk, "engine": "diffusion"})) == ["diffusion"]
        assert self.checked(mine.get(PAGE, {"remix": made.pk, "engine": "loom"})) == ["fabric"]
        assert self.checked(mine.get(PAGE, {"prompt": "a coat", "engine": "diffusion"})) == ["diffusion"]

    def test_a_refused_form_keeps_its_engine(self, mine, painter):
        page = mine.post(ASK, {"prompt": "a coat", "steps": "0", "engine": "diffusion"})
        assert page.status_code == 422
        assert self.checked(page) == ["diffusion"]

    def test_pictures_of_before_there_was_a_choice_are_of_diffusion(self, mine, imagined):
        (made,) = imagined(seed=77, steps=9)
        for kept in (made.params, made.recipe["imagine"]):
            del kept["engine"]
        made.save()
        page = mine.get(reverse("imagined", args=[made.pk]))
        assert "Made by diffusion" in text_of(page)
        assert "--engine diffusion --seed 77 --steps 9" in text_of(page)
        assert f"diffusion · seed {made.seed}" in text_of(mine.get(PAGE))
        remix = mine.get(PAGE, {"remix": made.pk})
        assert self.checked(remix) == ["diffusion"]
        assert remix.context["wanted"].settings["steps"] == 9

    def test_the_starter_alone_is_offered_as_the_small_sketching_model_it_is(self, client, monkeypatch):
        page = text_of(client.get(PAGE))
        assert page.index("Settings") < page.index("a small sketching model")
        assert "A model paints the whole picture" not in page
        assert "open" not in re.search(r'<details class="drawer"[^>]*>', client.get(PAGE).content.decode())[0]
        asked = client.get(PAGE, {"engine": "diffusion"}).content.decode()
        assert re.search(r'<details class="drawer"[^>]* open>', asked), "what is chosen is in sight"
        monkeypatch.setattr(registry, "only_sketches", lambda _: False)
        page = text_of(client.get(PAGE))
        assert page.index("A model paints the whole picture") < page.index("Settings")
        assert "sketching" not in page

    def test_without_its_model_diffusion_cannot_be_chosen(self, mine, imagined, monkeypatch):
        (made,) = imagined(engine="diffusion")
        monkeypatch.setattr(registry, "serves", lambda capability: capability == "generate")
        page = mine.get(PAGE, {"remix": made.pk})
        assert "No model for diffusion is installed here." in text_of(page)
        assert re.search(r'value="diffusion"[^>]* disabled', page.content.decode())
        assert self.checked(page) == ["fabric"]
        assert not re.search(r'<button[^>]*id="imagine"[^>]*disabled', page.content.decode())

    def test_without_any_model_fabric_can_be_chosen(self, client, painter, monkeypatch):
        monkeypatch.setattr(registry, "serves", lambda capability: False)
        page = client.get(PAGE)
        assert "No model for fabric is installed here." not in text_of(page)
        assert self.checked(page) == ["fabric"]
        assert not re.search(r'value="fabric"[^>]* disabled', page.content.decode())

    def test_a_fabric_tells_only_what_its_engine_heeds(self, mine, imagined):
        (made,) = imagined(engine="fabric", seed=77, steps=9, negative_prompt="blur", loras=("linen:0.5",))
        page = text_of(mine.get(reverse("imagined", args=[made.pk])))
        assert f"--engine fabric --seed 77 --size {DEFAULTS['size']} --count 1 --out ." in page
        assert not any(word in page for word in ("Steps", "Guidance", "Scheduler", "LoRA", "blur"))

    def test_a_real_fabric_from_the_page(self, client, work_off):
        client.post(ASK, {"prompt": "a striped t-shirt in navy blue and white", "count": "1", "size": "256"})
        work_off()
        made = Imagining.objects.get()
        assert (made.state, made.engine, made.width, made.height) == ("done", "fabric", 256, 256)
        assert np.asarray(Image.open(io.BytesIO(stored(made))).convert("L")).std() > 15, "there is something to see"
        page = client.get(reverse("imagined", args=[made.pk]))
        assert "Made by the fabric engine" in text_of(page)
        assert made.file_url in page.content.decode()


class TestAsking:
    def test_a_visitor_becomes_a_guest_and_gets_the_batch(self, client, painter):
        response = client.post(ASK, {"prompt": "  a  red dress ", "count": "3", "seed": "41"}, headers=HTMX)
        assert response.status_code == 200
        guest = User.objects.get()
        assert guest.is_guest
        rows = Imagining.objects.order_by("number")
        assert [(row.seed, row.prompt, row.owner) for row in rows] == [(n, "a red dress", guest) for n in (41, 42, 43)]
        assert len({row.batch for row in rows}) == 1
        page = response.content.decode()
        assert page.count('class="picture"') == 3
        assert "data-follow" in page
        assert "seeds 41 to 43" in page

    def test_four_of_fresh_seeds_unless_said(self, mine, painter):
        for _ in range(2):
            mine.post(ASK, {"prompt": "a coat"})
        seeds = [row.seed for row in Imagining.objects.filter(number=0)]
        assert Imagining.objects.count() == 8
        assert seeds[0] != seeds[1]
        assert max(seeds) < 1_000_000

    def test_all_settings_reach_the_painter_and_the_picture(self, mine, painter, work_off):
        settings = {
            "prompt": "a coat", "negative_prompt": "blur", "steps": "9", "guidance": "4.5", "size": "128",
            "scheduler": "dpm++", "seed": str(MAX_SEED), "count": "2", "lora-linen": "0.8", "lora-tartan": "0",
            "engine": "diffusion",
        }  # fmt: skip
        mine.post(ASK, settings)
        work_off()
        first, second = painter.asked
        assert (first.negative_prompt, first.steps, first.guidance, first.size) == ("blur", 9, 4.5, 128)
        assert (first.scheduler, first.loras) == ("dpm++", ("linen:0.8",))
        assert (first.seed, second.seed) == (MAX_SEED, 0)
        row = Imagining.objects.get(number=0)
        recipe = read_recipe(Image.open(io.BytesIO(stored(row))))
        assert recipe["imagine"]["loras"] == ["linen:0.8"]
        assert recipe["imagine"]["model"] == DEFAULTS["model"]

    @pytest.mark.parametrize(
        ("sent", "prompt"),
        [
            ({"colour": "Red", "article": "Dress"}, RED_DRESS),
            ({"colour": "Red", "article": "Dress", "prompt": "my own words"}, "my own words"),
            (
                {"colour": "Blue", "article": "Dress", "prompt": RED_DRESS, "built": RED_DRESS},
                "an image of a Blue Dress",
            ),
            ({"prompt": RED_DRESS, "built": RED_DRESS}, RED_DRESS),
            ({"colour": "Blue", "prompt": f"{RED_DRESS}, with lace", "built": RED_DRESS},
             f"{RED_DRESS}, with lace"),
        ],
    )  # fmt: skip
    def test_the_builder_writes_and_free_words_win(self, mine, sent, prompt):
        mine.post(ASK, {**sent, "count": "1"})
        assert Imagining.objects.get().prompt == prompt

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({}, "Say in a few words"),
            ({"prompt": "   "}, "Say in a few words"),
            ({"prompt": "x" * 501}, "at most 500 characters"),
            ({"prompt": "a coat", "colour": "Puce"}, "Puce"),
            ({"prompt": "a coat", "steps": "0"}, "steps must be a whole number from 1 to 150"),
            ({"prompt": "a coat", "steps": "many"}, "steps must be a whole number"),
            ({"prompt": "a coat", "guidance": "nan"}, "guidance must be a number"),
            ({"prompt": "a coat", "size": "100"}, "multiple of 64"),
            ({"prompt": "a coat", "scheduler": "magic"}, "magic"),
            ({"prompt": "a coat", "engine": "loom"}, "loom is not one of the available choices"),
            ({"prompt": "a coat", "seed": "-1"}, "seed must be"),
            ({"prompt": "a coat", "count": "9"}, "One to 8"),
            ({"prompt": "a coat", "lora-linen": "7"}, "2"),
            ({"prompt": "a\x07coat"}, "cannot be read"),
        ],
    )
    def test_bad_wishes_are_explained_and_kept(self, mine, sent, words):
        fragment = mine.post(ASK, sent, headers=HTMX)
        assert fragment.status_code == 422
        assert words in fragment.content.decode()
        page = mine.post(ASK, {"article": "Coat", **sent} if sent.get("prompt", "").strip() else sent)
        assert page.status_code == 422
        assert page.context["wanted"].prompt == sent.get("prompt", "")
        assert not Imagining.objects.exists()

    def test_a_plain_form_comes_back_to_the_page_that_waits(self, mine, painter, work_off):
        response = mine.post(ASK, {"prompt": "a coat", "steps": "9", "count": "2", "seed": "5"}, follow=True)
        assert response.redirect_chain[0][0].startswith("/imagine/?again=")
        wanted = response.context["wanted"]
        assert (wanted.prompt, wanted.settings["steps"], wanted.seed) == ("a coat", 9, None)
        assert b'http-equiv="refresh"' in response.content
        work_off()
        done = mine.get(PAGE).content
        assert b'http-equiv="refresh"' not in done
        assert done.count(b"data-full=") == 2

    def test_too_much_at_once_is_put_off(self, mine, settings):
        settings.MAX_ACTIVE_JOBS = 1
        mine.post(ASK, {"prompt": "a coat"})
        assert mine.post(ASK, {"prompt": "a coat"}, headers=HTMX).status_code == 429
        assert mine.post(ASK, {"prompt": "a coat"}).status_code == 429
        assert Job.objects.count() == 1

    def test_only_posting_asks(self, mine):
        assert mine.get(ASK).status_code == 405


class TestArriving:
    def ask(self, client, **sent):
        client.post(ASK, {"prompt": "a coat", "count": "2", **sent})
        return Imagining.objects.first().batch

    def follow(self, client, batch):
        return client.get(f"/imagine/batch/{batch}/", headers=HTMX)

    def test_each_is_shown_as_soon_as_it_is_there(self, mine, painter, work_off):
        batch = self.ask(mine)
        waiting = self.follow(mine, batch).content.decode()
        assert "place 1" in waiting
        assert waiting.count("is still to come") == 2
        assert "data-full" not in waiting
        seen = []

        def look():
            seen.append(self.follow(mine, batch).content.decode())

        painter.after_each = look
        work_off()
        assert [page.count("data-full=") for page in seen] == [1, 2]
        assert "data-follow" in seen[0]
        assert "data-preview" in seen[0]
        assert "Painting" in seen[0]
        done = self.follow(mine, batch).content.decode()
        assert "data-follow" not in done
        assert "download all" in done

    def test_a_refusal_is_said_in_words(self, mine, work_off):
        batch = self.ask(mine, prompt="something forbidden")
        work_off()
        page = self.follow(mine, batch).content.decode()
        assert page.count(REFUSAL) == 2
        assert "data-full" not in page
        assert "Try again" not in page

    def test_notes_are_said_once(self, mine, work_off):
        batch = self.ask(mine, prompt="note")
        work_off()
        assert self.follow(mine, batch).content.decode().count("they were made one by one") == 1

    def test_a_failure_says_why_and_can_be_tried_again(self, mine, painter, work_off):
        batch = self.ask(mine, prompt="broken")
        work_off()
        page = self.follow(mine, batch).content.decode()
        assert "Something went wrong in the workshop" in page
        assert "Try again" in page
        assert 'class="picture"' not in page

    def test_cancelled_work_keeps_what_is_there(self, mine, imagined, person):
        made = imagined(count=2)[0]
        Imagining.objects.filter(batch=made.batch, number=1).update(file="", thumb="")
        Job.objects.filter(pk=made.job_id).update(state="cancelled")
        page = self.follow(mine, made.batch).content.decode()
        assert page.count("data-full=") == 1
        assert "Cancelled." in page

    def test_a_preview_that_is_over_is_empty_for_its_owner_and_nothing_to_others(self, mine, client_of, other):
        self.ask(mine)
        url = reverse("job-preview", args=[Job.objects.get().pk])
        assert mine.get(url).status_code == 204
        Job.objects.update(preview=b"RIFF....WEBP", shown=1)
        assert mine.get(url).content == b"RIFF....WEBP"
        assert client_of(other).get(url).status_code == client_of(None).get(url).status_code == 404

    def test_outsiders_find_nothing(self, mine, client_of, other):
        batch = self.ask(mine)
        for client in (client_of(other), client_of(None)):
            assert self.follow(client, batch).status_code == 404
            assert client.get(f"/imagine/batch/{batch}/zip/").status_code == 404
            assert client.post(f"/imagine/batch/{batch}/delete/").status_code == 404
        assert mine.get(f"/imagine/batch/{batch}/zip/").status_code == 404, "nothing is finished yet"
        assert mine.post(f"/imagine/batch/{batch}/").status_code == 405

    def test_all_come_in_one_file_with_their_recipes(self, mine, imagined):
        made = imagined(count=3, prompt="a coat", seed=20)
        response = mine.get(f"/imagine/batch/{made[0].batch}/zip/")
        assert response.headers["Content-Disposition"] == 'attachment; filename="toile-imagined.zip"'
        with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
            names = archive.namelist()
            assert names == [f"toile-imagined-{n + 1}-seed-{20 + n}.png" for n in range(3)]
            for number, name in enumerate(names):
                recipe = read_recipe(Image.open(io.BytesIO(archive.read(name))))
                assert (recipe["imagine"]["prompt"], recipe["imagine"]["seed"]) == ("a coat", 20 + number)

    def test_a_batch_is_deleted_after_asking(self, mine, imagined, django_capture_on_commit_callbacks):
        made = imagined(count=2)
        url = f"/imagine/batch/{made[0].batch}/delete/"
        assert "Delete these 2 pictures?" in text_of(mine.get(url))
        assert Imagining.objects.count() == 2
        files = [str(one.file) for one in made]
        with django_capture_on_commit_callbacks(execute=True):
            mine.post(url)
        assert not Imagining.objects.exists()
        assert not any(default_storage.exists(name) for name in files)
        assert mine.post(url).status_code == 404

    def test_deleting_what_is_being_made_stops_it(self, mine):
        batch = self.ask(mine)
        mine.post(f"/imagine/batch/{batch}/delete/")
        assert Job.objects.get().state == "cancelled"


class TestPicture:
    def test_it_tells_the_recipe_and_how_to_make_it_again(self, mine, imagined):
        (made,) = imagined(prompt="a coat's lining", seed=77, guidance=4.5, loras=("linen:0.5",))
        page = mine.get(reverse("imagined", args=[made.pk]))
        text = text_of(page)
        assert "a coat&#x27;s lining" in text
        for words in ("Seed 77", "Steps 12", "Guidance 4.5", "linen:0.5", "128 × 128 px", DEFAULTS["model"]):
            assert words in text
        assert "--engine diffusion --seed 77 --steps 12 --guidance 4.5 --size 128 --scheduler euler" in text
        assert f"{made.file_url}?download" in page.content.decode()
        assert f"/imagine/?remix={made.pk}" in page.content.decode()

    def test_the_command_line_takes_what_the_page_shows(self, mine, imagined):
        words = 'a coat\'s lining, "fine" & warm'
        (made,) = imagined(prompt=words, seed=77, negative_prompt="it's grey", guidance=4.5, loras=("linen:0.5",))
        page = mine.get(reverse("imagined", args=[made.pk])).content.decode()
        command = html.unescape(re.search(r'<pre class="command"><code>(.*?)</code>', page, re.S)[1])
        arguments = shlex.split(command)
        assert arguments[:3] == ["python", "-m", "ml_backend"]
        taken = cli.build_parser().parse_args(arguments[3:])
        assert (taken.prompt, taken.negative_prompt, taken.seed, taken.count) == (words, "it's grey", 77, 1)
        assert (taken.engine, taken.steps, taken.guidance) == ("diffusion", DEFAULTS["steps"], 4.5)
        assert taken.lora == ["linen:0.5"]

    def test_remix_restores_everything_and_again_all_but_the_seed(self, mine, client_of, other, imagined):
        (made,) = imagined(prompt=SWEATER, seed=77, steps=9, negative_prompt="blur", loras=("linen:0.5",), owner=other)
        assert mine.get(PAGE, {"remix": made.pk}).context["wanted"].prompt == "", "somebody else's own"
        made.publish(True)
        remix = mine.get(PAGE, {"remix": made.pk}).context["wanted"]
        assert (remix.prompt, remix.outfit.season, remix.seed, remix.count) == (SWEATER, "Fall", 77, 1)
        assert remix.settings == {"steps": 9, "negative_prompt": "blur"}
        assert {lora.name: lora.strength for lora in remix.loras} == {"linen": 0.5, "tartan": 0.0}
        assert remix.tuned
        again = mine.get(PAGE, {"again": made.pk}).context["wanted"]
        assert (again.prompt, again.seed, again.count) == (SWEATER, None, 4)

    def test_remixed_and_asked_again_it_is_the_same_picture(self, mine, imagined, work_off):
        imagined(prompt="a coat", seed=77)
        mine.post(ASK, {"prompt": "a coat", "seed": "77", "count": "1", "engine": "diffusion"})
        work_off()
        first, second = [stored(one) for one in Imagining.objects.all()]
        assert first == second

    def test_outsiders_see_it_once_published_and_never_its_levers(self, mine, client_of, other, imagined):
        (made,) = imagined()
        url = reverse("imagined", args=[made.pk])
        for client in (client_of(other), client_of(None)):
            assert client.get(url).status_code == 404
            assert client.get(made.file_url).status_code == 404
        mine.post(reverse("imagined-publish", args=[made.pk]), {"public": "1"})
        for client in (client_of(other), client_of(None)):
            page = client.get(url)
            assert page.status_code == 200
            assert b"Delete" not in page.content
            assert b"Publish" not in page.content
            assert client.get(made.file_url).status_code == 200
            assert client.post(reverse("imagined-publish", args=[made.pk])).status_code == 404
            assert client.post(reverse("imagined-delete", args=[made.pk])).status_code == 404
        mine.post(reverse("imagined-publish", args=[made.pk]))
        assert client_of(other).get(url).status_code == 404

    def test_what_is_not_there_yet_is_not_published(self, mine):
        mine.post(ASK, {"prompt": "a coat", "count": "1"})
        row = Imagining.objects.get()
        page = mine.post(reverse("imagined-publish", args=[row.pk]), {"public": "1"}, follow=True)
        assert "still being made" in text_of(page)
        assert "Cancel" in text_of(page)
        assert not Imagining.objects.get().public

    def test_deleting_asks_first(self, mine, imagined):
        (made,) = imagined()
        url = reverse("imagined-delete", args=[made.pk])
        assert "Delete this picture?" in text_of(mine.get(url))
        assert "The picture is gone." in text_of(mine.post(url, follow=True))
        assert not Imagining.objects.exists()

    def test_worn_it_becomes_a_photo_of_ones_own_once(self, mine, client_of, other, person, imagined):
        (made,) = imagined()
        url = reverse("imagined-wear", args=[made.pk])
        for _ in range(2):
            response = mine.post(url)
            photo = Photo.objects.get()
            assert response.url == f"/?photo={photo.pk}"
        assert (photo.owner, photo.width, photo.height) == (person, 128, 128)
        assert client_of(other).post(url).status_code == 404
        made.publish(True)
        assert client_of(other).post(url).status_code == 302
        assert Photo.objects.filter(owner=other).count() == 1
        assert mine.get(url).status_code == 405

    def test_a_refused_picture_shows_the_reason_and_wears_nothing(self, mine, imagined):
        (made,) = imagined(prompt="forbidden")
        assert REFUSAL in text_of(mine.get(reverse("imagined", args=[made.pk])))
        assert mine.post(reverse("imagined-wear", args=[made.pk])).status_code == 404
        assert not Job.objects.filter(kind="segment").exists()
