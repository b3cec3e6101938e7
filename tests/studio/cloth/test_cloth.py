"""Your cloth: owner, outsider, visitor, wrong values, and the way from a photo to a fabric."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import numpy as np
import pytest
from django.contrib.messages import get_messages
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.images import read_recipe
from ml_backend.models import Job
from ml_backend.pipelines.naming import Named
from ml_backend.requests import ClothRequest
from ml_backend.serving import jobs, loading
from patterns import mixing, services
from patterns.models import Pattern
from studio import retention
from studio.cloth.models import ClothPhoto
from studio.photos.models import Photo

pytestmark = pytest.mark.django_db


def checked(side: int = 320, step: int = 40) -> bytes:
    """A photo of a cloth in checks that repeat after ``step`` pixels."""
    row = (np.arange(side) // (step // 2)) % 2
    pixels = np.where((row[:, None] + row[None, :])[..., None] == 1, (200, 60, 50), (245, 235, 220)).astype(np.uint8)
    pixels[row[:, None] * row[None, :] == 1] = (40, 50, 120)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=92)
    return target.getvalue()


def upload(content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("cloth.jpg", checked() if content is None else content)


@pytest.fixture
def sent(client_of, person):
    """A cloth of ``person``'s, and the client that sent it."""
    client = client_of(person)
    response = client.post(reverse("cloth-new"), {"image": upload()})
    row = ClothPhoto.objects.get()
    assert response.url == reverse("cloth", args=[row.pk])
    return client, row


@pytest.fixture
def named(monkeypatch):
    """No network names the cloth."""
    monkeypatch.setattr(loading, "pipeline", lambda _: lambda _tile: Named("plaid", "gingham"))


def made(row: ClothPhoto, client, **fields) -> Pattern:
    """The fabric that is kept, cut by a worker."""
    response = client.post(reverse("cloth-keep", args=[row.pk]), fields)
    fabric = Pattern.objects.latest("created_at")
    assert f"pattern={fabric.pk}" in response.url
    jobs.work_off(jobs.QUEUES, beating=False)
    fabric.refresh_from_db()
    return fabric


class TestUpload:
    def test_a_cloth_is_kept_beside_photos_not_among_them(self, sent):
        _, row = sent
        assert (row.width, row.height) == (320, 320)
        assert row.request == ClothRequest()
        assert not Photo.objects.exists()

    def test_a_visitor_becomes_a_guest(self, client):
        assert client.get(reverse("cloths")).status_code == 200
        client.post(reverse("cloth-new"), {"image": upload()})
        assert ClothPhoto.objects.get().owner.is_guest

    @pytest.mark.parametrize("content", [b"", b"GIF89a" + b"\0" * 60, b"no picture"])
    def test_what_is_no_picture_is_said_and_not_kept(self, client_of, person, content):
        response = client_of(person).post(reverse("cloth-new"), {"image": upload(content)})
        assert "Nothing was kept" in " ".join(str(one) for one in get_messages(response.wsgi_request))
        assert not ClothPhoto.objects.exists()

    def test_the_list_shows_ones_own_only(self, sent, client_of, other):
        client, row = sent
        assert str(row.pk) in client.get(reverse("cloths")).content.decode()
        assert str(row.pk) not in client_of(other).get(reverse("cloths")).content.decode()


class TestLooking:
    def test_the_page_shows_corners_and_the_repeat_that_was_found(self, sent):
        client, row = sent
        response = client.get(reverse("cloth", args=[row.pk]))
        page = response.content.decode()
        # 40 of 320 pixels are 128 of the 1024 in which repeats are told
        assert abs(response.context["found"].width - 128) < 3
        assert "A repeat was found" in page
        assert page.count("data-corner=") == 4
        assert len(response.context["found"].polygons) == 9

    def test_corners_of_the_address_are_looked_into(self, sent):
        client, row = sent
        half = {"corner_0": 0, "corner_1": 0, "corner_2": 50, "corner_3": 0, "corner_4": 50, "corner_5": 50,
                "corner_6": 0, "corner_7": 50}  # fmt: skip
        found = client.get(reverse("cloth-found", args=[row.pk]), half).context["found"]
        assert abs(found.width - 256) < 8

    def test_a_repeat_that_is_set_is_taken(self, sent):
        client, row = sent
        query = {"cut": "set", "repeat_width": 256, "repeat_height": 128}
        found = client.get(reverse("cloth-found", args=[row.pk]), query).context["found"]
        assert (found.width, found.height) == (256.0, 128.0)
        assert found.counts == (1, 2)

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ({"corner_0": 90, "corner_2": 10}, "must go round the cloth"),
            ({"corner_0": "left"}, "number"),
            ({"corner_0": 130}, "100"),
            ({"cut": "set", "repeat_width": "", "repeat_height": ""}, "how wide and how high"),
            ({"inks": 40}, "inks"),
        ],
    )
    def test_what_cannot_be_looked_at_is_said(self, sent, query, sentence):
        client, row = sent
        response = client.get(reverse("cloth-found", args=[row.pk]), query, headers={"HX-Request": "true"})
        assert response.status_code == 422
        assert sentence in response.content.decode() or sentence == "inks"

    def test_nine_tiles_are_a_picture(self, sent):
        client, row = sent
        response = client.get(reverse("cloth-nine", args=[row.pk]))
        assert Image.open(io.BytesIO(response.content)).size == (450, 450)
        assert "private" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("name", ["cloth", "cloth-found", "cloth-nine", "cloth-delete"])
    def test_it_is_nobody_elses_to_see(self, sent, client_of, other, staff, client, name):
        _, row = sent
        for somebody in (client_of(other), client_of(staff), client):
            assert somebody.get(reverse(name, args=[row.pk])).status_code == 404
            assert somebody.get(row.file_url).status_code == 404


class TestKeeping:
    def test_a_fabric_is_cut_in_few_inks_with_an_honest_recipe(self, sent, named):
        client, row = sent
        fabric = made(row, client, inks=4, side_cm=12)
        assert fabric.state == Job.State.DONE
        assert (fabric.engine, fabric.pattern_type, len(fabric.palette)) == ("photographed", "plaid", 4)
        with default_storage.open(str(fabric.tile)) as file, Image.open(file) as tile:
            recipe = read_recipe(tile)
            assert tile.size == (512, 512)
        assert recipe["source"] == "photographed" and "seed" not in recipe and "model" not in recipe
        assert recipe["looks_like"] == "gingham" and recipe["kind"] == "repeat"
        assert str(row.pk) not in json.dumps(recipe)
        assert not fabric.public

    def test_without_scripts_show_answers_with_the_page(self, sent):
        client, row = sent
        response = client.post(reverse("cloth-keep", args=[row.pk]), {"show": 1, "cut": "piece", "inks": 4})
        assert response.url.startswith(reverse("cloth", args=[row.pk]))
        assert "cut=piece" in response.url and not Pattern.objects.exists()

    def test_twice_kept_is_two_fabrics_each_whole(self, sent, named):
        client, row = sent
        first, second = made(row, client, inks=4), made(row, client, inks=5)
        assert (len(first.palette), len(second.palette)) == (4, 5)
        assert row.pk == ClothPhoto.objects.get().pk and ClothPhoto.objects.get().request.inks == 5

    def test_an_outsider_keeps_nothing(self, sent, client_of, other):
        _, row = sent
        assert client_of(other).post(reverse("cloth-keep", args=[row.pk])).status_code == 404
        assert not Pattern.objects.exists()

    def test_the_studio_and_its_page_show_it_without_a_seed(self, sent, named):
        client, row = sent
        fabric = made(row, client)
        assert client.get("/", {"pattern": fabric.pk}).status_code == 200
        page = client.get(reverse("pattern", args=[fabric.pk])).content.decode()
        assert "photographed" in page and "<dt>Seed</dt>" not in page and "python -m ml_backend" not in page
        assert "Gingham" in page


class TestAfterwards:
    def test_it_recolours_and_goes_back_to_its_own_colours(self, sent, named, person):
        client, row = sent
        fabric = made(row, client, inks=4)
        for palette in ("#111111,#eeeeee,#aa3333,#3333aa", ""):
            client.post(reverse("fabric-recolour"), {"of": fabric.pk, "palette": palette})
        first = Pattern.objects.exclude(pk=fabric.pk).get()  # its own colours are the fabric itself
        assert first.palette[0] == "#111111" and first.photographed and first.cloth == fabric.cloth
        assert services.own_colours(first) == tuple(fabric.palette)

    def test_it_is_enlarged_from_its_inks(self, sent, named):
        client, row = sent
        fabric = made(row, client)
        services.ask_large(fabric, 1024)
        jobs.work_off(jobs.QUEUES, beating=False)
        fabric.refresh_from_db()
        with default_storage.open(str(fabric.large)) as file, Image.open(file) as large:
            assert large.size == (1024, 1024)

    def test_what_only_seeds_can_do_is_said(self, sent, named, person):
        client, row = sent
        fabric = made(row, client)
        assert "in one piece" in mixing.why_alone(fabric)
        with pytest.raises(BadInput, match="one of its kind"):
            services.ask(person, fabric.request)
        response = client.post(reverse("fabric-new"), {"pattern_type": "plaid", "like": fabric.pk})
        assert "one of its kind" in " ".join(str(one) for one in get_messages(response.wsgi_request))

    def test_the_photo_can_go_and_the_fabric_stays(self, sent, named, django_capture_on_commit_callbacks):
        client, row = sent
        fabric, image = made(row, client), str(row.image)
        assert client.get(reverse("cloth-delete", args=[row.pk])).status_code == 200
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(reverse("cloth-delete", args=[row.pk])).url == reverse("cloths")
        assert not ClothPhoto.objects.exists() and not default_storage.exists(image)
        assert Pattern.objects.get(pk=fabric.pk).ready

    def test_an_old_photo_goes_by_itself_and_the_fabric_stays(self, sent, named, settings):
        client, row = sent
        fabric = made(row, client)
        settings.PHOTO_RETENTION_DAYS = 30
        assert retention.delete_old_photos() == 0
        ClothPhoto.objects.update(created_at=timezone.now() - timedelta(days=31))
        assert retention.delete_old_photos() == 1
        assert not ClothPhoto.objects.exists() and Pattern.objects.get(pk=fabric.pk).ready

    def test_a_photo_that_went_before_it_was_cut_is_said(self, sent, named):
        client, row = sent
        client.post(reverse("cloth-keep", args=[row.pk]))
        row.delete()
        fabric = Pattern.objects.get()
        jobs.work_off(jobs.QUEUES, beating=False)
        fabric.refresh_from_db()
        assert fabric.state == Job.State.FAILED and "was deleted before it was cut" in fabric.job.message

    def test_published_it_is_anothers_to_wear_and_its_photo_is_not(self, sent, named, client_of, other):
        client, row = sent
        fabric = made(row, client)
        client.post(reverse("pattern-publish", args=[fabric.pk]), {"public": 1})
        page = client_of(other).get(reverse("pattern", args=[fabric.pk]))
        assert page.status_code == 200 and str(row.pk) not in page.content.decode()
        assert client_of(other).get(row.file_url).status_code == 404
