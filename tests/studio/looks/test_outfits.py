"""Outfits: several garments of one photo, each with its fabric, in addresses, forms, looks and the API."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.images import read_recipe
from ml_backend.models import Job
from ml_backend.requests import GenerateRequest, OverlayRequest
from ml_backend.serving import jobs, loading
from patterns import services as pattern_services
from studio import outfits
from studio.looks.models import Look
from studio.looks.services import ask_look, ask_outfit

from ..workspace.test_pages import HTMX, state_of

pytestmark = pytest.mark.django_db

JACKET, SKIRT = OverlayRequest(("outerwear",), scale_cm=12.0), OverlayRequest(("skirt",), scale_cm=7.5, rotate=90.0)


def told(pattern, request):
    return outfits.written(outfits.Worn(pattern.pk, request))


@pytest.fixture
def photo(person, make_photo):
    """A photo with a jacket (the upper part of its cloth) and a skirt."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from ml_backend.pipelines import overlay
    from studio import pictures

    row = make_photo(person)
    labels = pictures.load_labels(str(row.labels)).copy()
    labels[:115][labels[:115] > 0] = 2
    image = pictures.load(str(row.image), "RGB")
    files, data = pictures.fitted_files(image, overlay.fit(image, pictures.load_mask(str(row.mask)), labels))
    for name, content in files.items():
        setattr(row, name, default_storage.save(f"{row.folder}/two-{pictures.SUFFIXES[name]}", ContentFile(content)))
    row.fit, row.classes = data, data["classes"]
    row.save()
    assert row.classes == ["outerwear", "skirt"]
    return row


class TestAddress:
    def test_a_part_comes_back_as_it_was_written(self):
        fit = OverlayRequest(("skirt", "top-2"), 22.5, -90.0, 0.25, -0.5, "half-drop", 0.8, mirrored=True)
        worn = outfits.Worn(uuid.uuid4(), fit)
        assert outfits.read(outfits.written(worn)) == worn
        usual = outfits.Worn(worn.pattern, OverlayRequest(("dress",), **outfits.USUAL))
        assert outfits.written(usual) == f"dress_{worn.pattern.hex}"
        assert outfits.read(outfits.written(usual)) == usual

    @pytest.mark.parametrize(
        "text",
        ["", "skirt", "skirt_x", "hat_{id}", "_{id}", "skirt_{id}_nan", "skirt_{id}_9_9_9_9_basic_1_1_1", "top*_{id}",
         "skirt_{id}_9_9_9_9_basic_1_2",
         "skirt_{id}_" + "9" * 500, "skirt_{id}_0", "skirt_{id}_____spiral", "skirt-1_{id}", "skirt-99_{id}"],
    )  # fmt: skip
    def test_what_is_none_is_refused(self, text):
        with pytest.raises(BadInput):
            outfits.read(text.replace("{id}", uuid.uuid4().hex))

    def test_what_cannot_be_is_left_out(self):
        one, two = uuid.uuid4().hex, uuid.uuid4().hex
        texts = [f"top_{one}", f"skirt_{one}", "nonsense", f"skirt_{two}", f"dress_{one}"]
        known = outfits.apart(texts, ["top"], ["top", "skirt", "trousers"])
        assert [(worn.pattern.hex, worn.request.garments) for worn in known] == [(one, ("skirt",))]

    def test_garments_have_plain_words(self):
        names = ["outerwear", "top", "top-2", "top-11", "other"]
        assert outfits.listed(names) == "jacket, top, second top, 11th top and other cloth"


class TestWorkspace:
    def test_a_photo_opens_with_its_largest_garment_chosen(self, client_of, person, make_pattern, photo):
        make_pattern(person)
        client = client_of(person)
        assert state_of(client.get("/", {"photo": photo.pk}))["fit"]["garments"] == ["outerwear"]
        assert state_of(client.get("/", {"photo": photo.pk, "garments": "first"}))["fit"]["garments"] == ["outerwear"]

    def test_an_address_of_before_there_were_outfits_opens_as_it_did(self, client_of, person, make_pattern, photo):
        client, fabric = client_of(person), make_pattern(person)
        state = state_of(client.get("/", {"pattern": fabric.pk, "photo": photo.pk, "scale_cm": 31}))
        assert (state["fit"]["garments"], state["fit"]["scale_cm"], state["others"]) == ([], 31.0, [])
        state = state_of(client.get("/", {"pattern": fabric.pk, "photo": photo.pk, "garments": ["skirt"]}))
        assert state["fit"]["garments"] == ["skirt"]

    def test_the_address_tells_an_outfit(self, client_of, person, make_pattern, photo):
        one, two = make_pattern(person), make_pattern(person, pattern_type="plaid")
        query = {"pattern": one.pk, "photo": photo.pk, "garments": "skirt", "wear": told(two, JACKET)}
        response = client_of(person).get("/", query)
        state = state_of(response)
        assert (state["pattern"]["id"], state["fit"]["garments"], state["bare"]) == (str(one.pk), ["skirt"], False)
        (other,) = state["others"]
        assert (other["pattern"]["id"], other["garments"], other["fit"]["scale_cm"]) == (
            str(two.pk), ["outerwear"], 12.0,
        )  # fmt: skip
        assert [(chip.words, chip.chosen, chip.fabric) for chip in response.context["chips"]] == [
            ("jacket", False, two), ("skirt", True, one),
        ]  # fmt: skip
        assert f'name="wear" value="{told(two, JACKET)}"' in response.content.decode()

    def test_links_choose_undress_and_dress_everything(self, client_of, person, make_pattern, photo):
        client, fabric = client_of(person), make_pattern(person)
        page = client.get("/", {"pattern": fabric.pk, "photo": photo.pk, "garments": "outerwear", "scale_cm": 9})
        _, skirt = page.context["chips"]
        bare = client.get(f"/{skirt.href}")
        state = state_of(bare)
        assert (state["bare"], state["fit"]["garments"], state["fit"]["scale_cm"]) == (True, ["skirt"], 18.0)
        assert [(part["garments"], part["fit"]["scale_cm"]) for part in state["others"]] == [(["outerwear"], 9.0)]
        back = state_of(client.get(f"/{bare.context['chips'][0].href}"))
        assert (back["bare"], back["fit"]["garments"], back["fit"]["scale_cm"]) == (False, ["outerwear"], 9.0)
        everything = client.get(f"/{page.context['everything']}")
        assert state_of(everything)["fit"]["garments"] == []
        alone = state_of(client.get(f"/{everything.context['chips'][1].href}"))
        assert (alone["fit"]["garments"], alone["others"][0]["garments"]) == (["skirt"], ["outerwear"])
        undressed = state_of(client.get(f"/{page.context['as_photographed']}"))
        assert (undressed["bare"], undressed["others"]) == (True, [])

    def test_what_others_have_not_published_is_not_worn(self, client_of, person, other, make_pattern, photo):
        mine, secret = make_pattern(person), make_pattern(other)
        query = {"pattern": mine.pk, "photo": photo.pk, "garments": "skirt", "wear": told(secret, JACKET)}
        response = client_of(person).get("/", query)
        assert state_of(response)["others"] == []
        assert f"/files/patterns/{secret.pk}" not in response.content.decode()

    @pytest.mark.parametrize("wear", ["", "x", "skirt_x", "top_{id}", "skirt_{id}", "outerwear_{id}_nan"])
    def test_nonsense_is_left_out(self, client_of, person, make_pattern, photo, wear):
        fabric = make_pattern(person)
        query = {"pattern": fabric.pk, "photo": photo.pk, "garments": "skirt"}
        state = state_of(client_of(person).get("/", {**query, "wear": wear.replace("{id}", fabric.pk.hex)}))
        assert (state["others"], state["fit"]["garments"]) == ([], ["skirt"])


class TestLooks:
    url = "/looks/"

    @pytest.fixture
    def fabrics(self, person, make_pattern):
        return make_pattern(person), make_pattern(person, pattern_type="plaid")

    def ask(self, client, photo, one, two, **more):
        data = {"pattern": one.pk, "photo": photo.pk, "garments": ["skirt"], "wear": [told(two, JACKET)]}
        return client.post(self.url, {**data, **more}, headers=HTMX)

    def test_one_picture_wears_both(self, client_of, person, photo, fabrics, work_off):
        from studio import pictures

        assert self.ask(client_of(person), photo, *fabrics, scale_cm=7.5, rotate=90).status_code == 200
        look = Look.objects.get()
        assert look.outfit.parts == (SKIRT, JACKET)
        work_off()
        look.refresh_from_db()
        assert look.ready
        with look.file.open() as file, Image.open(file) as image:
            assert read_recipe(image) == look.recipe
            worn = np.asarray(image.convert("RGB"), np.float32)
        assert [part["overlay"]["garments"] for part in look.recipe["parts"]] == [["skirt"], ["outerwear"]]
        assert [part["pattern"]["pattern_type"] for part in look.recipe["parts"]] == ["dotted", "plaid"]
        before = np.asarray(pictures.load(str(photo.image), "RGB"), np.float32)
        assert np.abs(worn - before)[70:110, 40:80].mean() > 4
        assert np.abs(worn - before)[125:145, 40:80].mean() > 4
        alone = ask_outfit(person, [(fabrics[0], SKIRT)], photo)
        work_off()
        alone.refresh_from_db()
        with alone.file.open() as file, Image.open(file) as image:
            skirt = np.asarray(image.convert("RGB"), np.float32)
        assert np.abs(skirt - before)[70:110, 40:80].max() == 0
        assert np.array_equal(skirt[125:145, 40:80], worn[125:145, 40:80])

    def test_its_page_tells_each_garment_and_remix_brings_them_back(self, client_of, person, photo, fabrics, work_off):
        client = client_of(person)
        self.ask(client, photo, *fabrics)
        work_off()
        look = Look.objects.get()
        page = client.get(reverse("look", args=[look.pk])).content.decode()
        assert "Photo in dotted and plaid fabrics" in page
        for words in ("Skirt", "Jacket", *(reverse("pattern", args=[fabric.pk]) for fabric in fabrics)):
            assert words in page
        state = state_of(client.get("/", {"look": look.pk}))
        assert (state["pattern"]["id"], state["fit"]["garments"]) == (str(fabrics[0].pk), ["skirt"])
        assert [(part["pattern"]["id"], part["garments"]) for part in state["others"]] == [
            (str(fabrics[1].pk), ["outerwear"])
        ]
        saved = client.get(f"{look.file_url}?download").headers["Content-Disposition"]
        assert "dotted" in saved
        assert "plaid" in saved

    def test_only_other_parts_may_be_worn(self, client_of, person, photo, fabrics):
        data = {"pattern": "", "photo": photo.pk, "garments": ["skirt"], "wear": [told(fabrics[1], JACKET)]}
        assert client_of(person).post(self.url, data, headers=HTMX).status_code == 200
        assert Look.objects.get().outfit.parts == (JACKET,)

    def test_a_ticked_garment_leaves_the_part_it_was_in(self, client_of, person, photo, fabrics):
        self.ask(client_of(person), photo, *fabrics, garments=["skirt", "outerwear"])
        (worn,) = Look.objects.get().outfit.parts
        assert set(worn.garments) == {"skirt", "outerwear"}

    @pytest.mark.parametrize("wear", ["x", "hat_{id}", "outerwear_{id}_0", "_{id}"])
    def test_bad_input(self, client_of, person, photo, fabrics, wear):
        response = self.ask(client_of(person), photo, *fabrics, wear=[wear.replace("{id}", fabrics[0].pk.hex)])
        assert response.status_code == 422
        assert response.content.decode().endswith(".")
        assert not Look.objects.exists()

    def test_too_many_parts_and_one_garment_twice(self, client_of, person, photo, fabrics):
        client = client_of(person)
        assert self.ask(client, photo, *fabrics, wear=[told(fabrics[1], JACKET)] * 2).status_code == 422
        assert self.ask(client, photo, *fabrics, wear=[told(fabrics[1], JACKET)] * 13).status_code == 422
        assert not Look.objects.exists()

    def test_not_with_a_pattern_that_one_cannot_see(self, client_of, person, other, photo, fabrics, make_pattern):
        secret = make_pattern(other)
        assert self.ask(client_of(person), photo, fabrics[0], secret).status_code == 404
        for client in (client_of(other), client_of(None)):
            assert self.ask(client, photo, *fabrics).status_code == 404
        assert not Look.objects.exists()

    def test_it_waits_for_fabrics_that_are_still_made(self, person, photo, work_off):
        rows = [
            pattern_services.ask(person, GenerateRequest("striped", seed, size=64, engine="drawn")) for seed in (3, 4)
        ]
        look = ask_outfit(person, list(zip(rows, (SKIRT, JACKET), strict=True)), photo)
        assert set(look.job.after.all()) == {row.job for row in rows}
        jobs.cancel(rows[1].job)
        look.job.refresh_from_db()
        assert (look.job.state, look.job.message) == ("failed", jobs.NEEDED_FAILED)
        jobs.retry(look.job)
        work_off()
        look.refresh_from_db()
        assert look.ready

    def test_a_pattern_that_was_deleted_is_said_and_a_finished_look_outlives_it(
        self, client_of, person, photo, fabrics, work_off
    ):
        made = ask_outfit(person, [(fabrics[0], SKIRT), (fabrics[1], JACKET)], photo)
        work_off()
        asked = ask_outfit(person, [(fabrics[0], SKIRT), (fabrics[1], JACKET)], photo)
        fabrics[1].delete()
        work_off()
        asked.refresh_from_db()
        assert asked.state == "failed"
        assert "A pattern of this look was deleted" in asked.job.message
        client = client_of(person)
        page = client.get(reverse("look", args=[made.pk])).content.decode()
        assert "no longer here" in page
        assert "Photo in dotted and plaid fabrics" in page, "its recipe remembers"
        state = state_of(client.get("/", {"look": made.pk}))
        assert (state["fit"]["garments"], state["others"]) == (["skirt"], [])

    def test_the_walls_ask_the_same_number_of_questions_whatever_they_show(
        self, client_of, person, photo, fabrics, django_assert_max_num_queries
    ):
        for _ in range(6):
            look = ask_outfit(person, [(fabrics[0], SKIRT), (fabrics[1], JACKET)], photo)
            Look.objects.filter(pk=look.pk).update(file="x.png", thumb="x.webp")
        client = client_of(person)
        with django_assert_max_num_queries(12):
            client.get(reverse("looks"), {"whose": "mine"})


@pytest.mark.django_db(transaction=True)
def test_a_look_made_before_there_were_parts_becomes_one_of_one_part():
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    here = ("studio", "0006_outfits")
    (before,) = [node.key for node in executor.loader.graph.node_map[here].parents if node.key[0] == "studio"]
    params = {"garments": ["skirt"], "scale_cm": 9.5, "repeat": "mirror"}
    then = [before, *(leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] != "studio")]
    try:
        executor.migrate(then)
        old = executor.loader.project_state(then).apps
        owner = old.get_model("studio", "User").objects.create(username="of-old")
        common = {"owner": owner, "width": 3, "height": 4}
        photo = old.get_model("studio", "Photo").objects.create(**common, image="x.png")
        patterns, looks = old.get_model("patterns", "Pattern").objects, old.get_model("studio", "Look").objects
        pattern = patterns.create(owner_id=owner.pk, pattern_type="plaid", seed=1, engine="drawn")
        worn = looks.create(owner=owner, photo=photo, pattern_id=pattern.pk, params=params, file="x.png")
        lost = looks.create(owner=owner, photo=photo, pattern=None, params={}, file="y.png")
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    (part,) = Look.objects.get(pk=worn.pk).parts.all()
    assert (part.pattern.pk, part.place) == (pattern.pk, 0)
    assert part.request == OverlayRequest(("skirt",), 9.5, repeat="mirror")
    assert Look.objects.get(pk=lost.pk).outfit.parts == (OverlayRequest(),)
    assert Look.objects.get(pk=lost.pk).patterns == []


class TestMending:
    @staticmethod
    def drawn(change):
        """A garment's mask as an upload, changed by hand."""
        import io

        from django.core.files.uploadedfile import SimpleUploadedFile

        def make(content):
            pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L")).copy()
            change(pixels)
            target = io.BytesIO()
            Image.fromarray(pixels).save(target, "PNG")
            return SimpleUploadedFile("mask.png", target.getvalue())

        return make

    @staticmethod
    def lower_half(pixels):
        pixels[115:130, 30:90] = 255

    def url(self, photo, name="outerwear"):
        return reverse("photo-garment", args=[photo.pk, name])

    def mend(self, client, photo, change=None, **extra):
        shown = client.get(self.url(photo))
        data = {"file": self.drawn(change or self.lower_half)(shown.content)}
        return client.post(self.url(photo), {**data, **extra}, headers=HTMX)

    def test_what_is_painted_becomes_the_garment(
        self, client_of, person, photo, work_off, django_capture_on_commit_callbacks
    ):
        from django.core.files.storage import default_storage

        from studio import pictures
        from studio.photos.models import Mask

        client = client_of(person)
        before = {name: str(getattr(photo, name)) for name in ("mask", "labels", "preview_mask", "preview_maps")}
        response = self.mend(client, photo)
        assert response.status_code == 200
        assert b"Mending the garments" in response.content
        with django_capture_on_commit_callbacks(execute=True):
            work_off()
        photo.refresh_from_db()
        labels = pictures.load_labels(str(photo.labels))
        assert (labels[116:129, 31:89] == 2).all()
        assert (labels[135:149, 31:89] == 4).all()
        assert (str(photo.found_mask), str(photo.found_labels)) == (before["mask"], before["labels"])
        assert [default_storage.exists(before[name]) for name in before] == [True, True, False, False]
        assert not Mask.objects.exists(), "the drawing has done its work"
        page = client.get(reverse("photo-status", args=[photo.pk])).content.decode()
        assert "data-mended" in page
        assert "preview_mask?v=" in page
        assert client.post(reverse("photo-as-found", args=[photo.pk]), headers=HTMX).status_code == 200
        with django_capture_on_commit_callbacks(execute=True):
            work_off()
        photo.refresh_from_db()
        assert not photo.mended
        assert (pictures.load_labels(str(photo.labels))[116:129, 31:89] == 4).all()
        assert not default_storage.exists(before["mask"])

    def test_looks_asked_meanwhile_wait_for_it(self, client_of, person, photo, make_pattern):
        self.mend(client_of(person), photo)
        photo.refresh_from_db()
        look = ask_look(person, make_pattern(person), photo, JACKET)
        assert list(look.job.after.all()) == [photo.job]

    def test_one_at_a_time(self, client_of, person, photo, work_off):
        client = client_of(person)
        self.mend(client, photo)
        again = self.mend(client, photo)
        assert (again.status_code, b"still being worked on" in again.content) == (422, True)
        work_off()
        assert self.mend(client, photo).status_code == 200

    def test_rubbing_out_everything_is_refused_and_the_photo_stays(self, client_of, person, photo):
        response = self.mend(client_of(person), photo, lambda pixels: pixels.fill(0))
        assert response.status_code == 422
        assert response.content.decode().endswith(".")
        photo.refresh_from_db()
        assert photo.job is None

    def test_a_drawing_that_is_gone_is_said_and_the_photo_stays(self, client_of, person, photo, work_off):
        from studio.photos.models import Mask

        client = client_of(person)
        self.mend(client, photo)
        Mask.objects.all().delete()
        work_off()
        photo.refresh_from_db()
        assert (photo.ready, photo.mended, photo.job.state) == (True, False, "failed")
        page = client.get(reverse("photo-status", args=[photo.pk])).content.decode()
        assert "What was painted is gone" in page
        assert client.get("/", {"photo": photo.pk}).status_code == 200

    def test_bad_input(self, client_of, person, photo):
        from django.core.files.uploadedfile import SimpleUploadedFile

        client = client_of(person)
        bad = SimpleUploadedFile("mask.png", b"no picture")
        for data in ({}, {"file": bad}):
            assert client.post(self.url(photo), data, headers=HTMX).status_code == 422
        for name in ("trousers", "hat", "top-2", "background"):
            assert client.get(self.url(photo, name)).status_code == 404
        response = client.post(reverse("photo-as-found", args=[photo.pk]), headers=HTMX)
        assert (response.status_code, b"as they were found" in response.content) == (422, True)
        assert client.get(reverse("photo-as-found", args=[photo.pk])).status_code == 405
        photo.refresh_from_db()
        assert photo.job is None

    def test_only_ones_own(self, client_of, person, other, staff, photo):
        shown = client_of(person).get(self.url(photo))
        assert shown.headers["Cache-Control"] == "private, no-store"
        for client in (client_of(other), client_of(staff), client_of(None)):
            assert client.get(self.url(photo)).status_code == 404
            data = {"file": self.drawn(self.lower_half)(shown.content)}
            assert client.post(self.url(photo), data).status_code == 404
            assert client.post(reverse("photo-as-found", args=[photo.pk])).status_code == 404
        photo.refresh_from_db()
        assert photo.job is None

    def test_a_photo_still_in_work_has_no_garments_to_mend(self, client_of, person, make_photo):
        photo = make_photo(person, mask="", labels="", classes=[])
        assert client_of(person).get(self.url(photo, "skirt")).status_code == 404


class Network:
    """Stands in for the segmentation: what is tapped is a square of 20 px around the tap."""

    model = "network@0"

    def __init__(self, knows_taps=True):
        self.knows_taps = knows_taps
        self.encoded = []

    def encode(self, image):
        self.encoded.append(image.size)
        return image.size

    def tap(self, encoded, taps, previous=None):
        mask = np.zeros(encoded[::-1], np.float32) if previous is None else previous.copy()
        for tap in taps:
            mask[max(0, tap.y - 10) : tap.y + 10, max(0, tap.x - 10) : tap.x + 10] = tap.on
        return mask


class TestTaps:
    @pytest.fixture
    def network(self, monkeypatch):
        from studio.photos import jobs as photo_jobs

        found = Network()
        real = loading.pipeline
        monkeypatch.setattr(loading, "pipeline", lambda name, *rest: found if name == "segment" else real(name, *rest))
        monkeypatch.setattr(photo_jobs, "_seen", {})
        return found

    def ask(self, client, photo, *taps, **more):
        said = {"width": photo.width, "height": photo.height, "garment": "outerwear", "taps": taps, **more}
        return self.send(client, photo, said)

    @staticmethod
    def send(client, photo, said):
        return client.post(reverse("photo-tap", args=[photo.pk]), said, content_type="application/json", headers=HTMX)

    @staticmethod
    def picture(response):
        import io

        assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")
        assert response.headers["Cache-Control"] == "private, no-store"
        return np.asarray(Image.open(io.BytesIO(response.content)))

    def test_a_tap_adds_and_another_takes_away(self, client_of, person, photo, network, work_off):
        from studio import pictures

        client = client_of(person)
        asked = self.ask(client, photo, [60, 140, True])
        assert asked.status_code == 202
        at = asked.json()["at"]
        assert asked.headers["Location"] == at
        waiting = client.get(at)
        assert (waiting.status_code, waiting.json()["state"]) == (202, "queued")
        work_off()
        jacket = pictures.load_labels(str(photo.labels)) == 2
        assert jacket[100, 60]
        shown = self.picture(client.get(at))
        assert shown.shape == (photo.height, photo.width)
        assert (shown[131:149, 51:69] == 255).all()
        assert shown[100, 60] == 255, "with what the garment was"
        asked = self.ask(client, photo, [60, 140, True], [60, 100, False])
        work_off()
        taken = self.picture(client.get(asked.json()["at"]))
        assert (taken[91:109, 51:69] == 255).all()
        assert taken[140, 60] == 0, "the tap before holds"
        assert (taken > 0).sum() == 400, "and nothing but what was tapped is taken"
        assert len(network.encoded) == 1, "the photo is looked at once"

    @pytest.mark.parametrize("body, kind", [
        ({"taps": "1"}, {}), ("{", {"content_type": "application/json"}), ("[]", {"content_type": "application/json"}),
    ])  # fmt: skip
    def test_a_form_or_no_json_is_refused(self, client_of, person, photo, body, kind):
        answer = client_of(person).post(reverse("photo-tap", args=[photo.pk]), body, headers=HTMX, **kind)
        assert answer.status_code == 422
        assert "could not be read" in answer.content.decode()

    def test_a_smaller_picture_may_have_been_tapped(self, client_of, person, photo, network, work_off):
        half = {"width": photo.width // 2, "height": photo.height // 2}
        asked = self.ask(client_of(person), photo, [30, 70, True], **half)
        work_off()
        shown = self.picture(client_of(person).get(asked.json()["at"]))
        assert (shown[132:150, 52:70] == 255).all()

    def test_the_next_tap_drops_the_answer_before_and_mending_drops_all(
        self, client_of, person, photo, network, work_off, django_capture_on_commit_callbacks
    ):
        from django.core.files.storage import default_storage

        from studio.photos.models import Mask

        client = client_of(person)
        first = self.ask(client, photo, [60, 140, True]).json()["at"]
        work_off()
        key = str(Mask.objects.get().file)
        assert default_storage.exists(key)
        with django_capture_on_commit_callbacks(execute=True):
            second = self.ask(client, photo, [60, 140, True]).json()["at"]
        assert client.get(first).status_code == 404
        assert not default_storage.exists(key)
        third = self.ask(client, photo, [60, 150, True]).json()["at"]
        assert client.get(second).status_code == 404
        assert [job.state for job in Job.objects.filter(kind="tap")].count("cancelled") == 1
        work_off()
        assert client.get(third).status_code == 200
        TestMending().mend(client, photo)
        work_off()
        assert not Mask.objects.exists()

    def test_answers_that_nobody_fetched_go_and_are_no_mask_of_restyle(
        self, client_of, person, photo, network, work_off
    ):
        from datetime import timedelta

        from django.utils import timezone

        from studio import retention
        from studio.photos.models import Mask

        self.ask(client_of(person), photo, [60, 140, True])
        work_off()
        assert not Mask.objects.visible_to(person).exists()
        mask = Mask.objects.get()
        assert client_of(person).get(reverse("mask-file", args=[mask.pk, "file"])).status_code == 404
        assert retention.delete_loose_masks() == 0
        Mask.objects.update(created_at=timezone.now() - timedelta(hours=2))
        assert retention.delete_loose_masks() == 1

    def test_only_ones_own(self, client_of, person, other, staff, make_person, photo, network, work_off):
        at = self.ask(client_of(person), photo, [60, 140, True]).json()["at"]
        work_off()
        guest = make_person(is_guest=True)
        for client in (client_of(other), client_of(staff), client_of(guest), client_of(None)):
            assert self.ask(client, photo, [60, 140, True]).status_code == 404
            assert client.get(at).status_code == 404
        assert client_of(person).get(at).status_code == 200
        assert client_of(person).get(reverse("photo-tap", args=[photo.pk])).status_code == 405
        assert client_of(person).post(at).status_code == 405

    def test_a_guest_taps_their_own(self, client_of, make_person, photo, network, work_off):
        guest = make_person(is_guest=True)
        photo.owner = guest
        photo.save()
        at = self.ask(client_of(guest), photo, [60, 140, True]).json()["at"]
        work_off()
        assert client_of(guest).get(at).status_code == 200

    @pytest.mark.parametrize(
        "said",
        [
            "{",
            "[" * 5000,
            "[]",
            "null",
            b"\xff",
            {},
            {"taps": [[1000, 10, True]]},
            {"taps": [[10, -1, True]]},
            {"taps": [[10, 10]]},
            {"taps": [[10.5, 10, True]]},
            {"taps": [[10, 10, 1]]},
            {"taps": "all"},
            {"taps": []},
            {"taps": [[10, 10, True]] * 33},
            {"taps": [[10, 10, True]], "width": 10**9},
            {"taps": [[10, 10, True]], "garment": None},
            {"taps": [[10, 10, True]], "garment": "trousers"},
            {"taps": [[10, 10, True]], "garment": ["outerwear"]},
            {"taps": [[10, 10, True]], "hat": 1},
        ],
    )
    def test_bad_input(self, client_of, person, photo, said):
        if isinstance(said, dict) and said:
            said = {"width": photo.width, "height": photo.height, "garment": "outerwear", **said}
        response = self.send(client_of(person), photo, said)
        assert response.status_code == 422
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.content.decode().endswith(".")
        assert not Job.objects.filter(kind="tap").exists()

    def test_not_while_the_photo_is_in_work(self, client_of, person, photo, network, work_off):
        client = client_of(person)
        TestMending().mend(client, photo)
        again = self.ask(client, photo, [60, 140, True])
        assert (again.status_code, b"still being worked on" in again.content) == (422, True)
        work_off()
        assert self.ask(client, photo, [60, 140, True]).status_code == 202

    def test_a_photo_that_is_deleted_meanwhile_takes_its_taps_along(
        self, client_of, person, photo, network, monkeypatch, work_off
    ):
        from django.core.files.storage import default_storage

        from studio.photos.models import Photo

        client = client_of(person)
        at = self.ask(client, photo, [60, 140, True]).json()["at"]
        folder = photo.masks.get().folder
        answer = network.tap
        monkeypatch.setattr(network, "tap", lambda *said: (Photo.objects.all().delete(), answer(*said))[1])
        work_off()
        assert client.get(at).status_code == 404
        assert Job.objects.get(kind="tap").state == "cancelled"
        assert not default_storage.exists(folder) or default_storage.listdir(folder) == ([], [])

    def test_what_cannot_be_is_said(self, client_of, person, photo, network, work_off):
        client = client_of(person)
        network.tap = lambda encoded, taps, previous=None: np.zeros(encoded[::-1], np.float32)
        for taps, why in (([[2, 2, True]], "Nothing was found"), ([[2, 2, True], [2, 2, False]], "use the eraser")):
            at = self.ask(client, photo, *taps).json()["at"]
            work_off()
            said = client.get(at)
            assert (said.status_code, why in said.content.decode()) == (422, True)
        network.knows_taps = False
        at = self.ask(client, photo, [60, 140, True]).json()["at"]
        work_off()
        assert b"use the brush instead" in client.get(at).content

    def test_taps_count_as_jobs_and_go_to_the_models_queue(self, client_of, person, photo, settings):
        from fashion_site.settings import _limit

        settings.MODEL_QUEUE = "gpu"
        client = client_of(person)
        assert self.ask(client, photo, [60, 140, True]).status_code == 202
        assert Job.objects.get(kind="tap").queue == "gpu"
        settings.LIMITS = {**settings.LIMITS, "jobs": _limit("NONE", "1/minute")}
        assert self.ask(client, photo, [60, 140, True]).status_code == 202
        assert self.ask(client, photo, [60, 140, True]).status_code == 429
