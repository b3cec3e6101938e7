"""What goes with a person's own photo, and why; nobody else is told anything of it."""

from __future__ import annotations

import io
import uuid

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from ml_backend.colour import contrast, rgb_of
from ml_backend.pipelines import overlay
from patterns.models import Pattern
from studio import pictures
from studio.colour.suggesting import SKIN, seen_in, suggestions
from studio.photos.models import Photo

pytestmark = pytest.mark.django_db

NAVY, SKIRT, TAN, WALL = "#20305a", "#6d6f70", "#b98868", "#e8e4da"
RUST = ["#e0a83c", "#c98f2e", "#f3efe4", "#8a5a1c"]


@pytest.fixture
def dressed():
    """A photo of ``owner`` in a navy jacket and a grey skirt, with a face above them."""

    def make(owner, **fields):
        labels = np.zeros((160, 120), np.uint8)
        labels[10:40, 45:75] = 7
        labels[40:90, 30:90] = 2
        labels[90:150, 35:85] = 4
        rgb = np.full((160, 120, 3), rgb_of(WALL), np.uint8)
        for value, colour in ((7, TAN), (2, NAVY), (4, SKIRT)):
            rgb[labels == value] = rgb_of(colour)
        photo = Image.fromarray(rgb)
        mask = ((labels > 0) & (labels < 7)).astype(np.float32)
        files, fit = pictures.fitted_files(photo, overlay.fit(photo, mask, labels))
        target = io.BytesIO()
        photo.save(target, "PNG")
        files |= {"image": target.getvalue()}
        row = Photo(owner=owner, width=120, height=160, fit=fit, classes=fit["classes"])
        for name, content in files.items():
            key = default_storage.save(f"{row.folder}/{pictures.SUFFIXES.get(name, 'image.png')}", ContentFile(content))
            setattr(row, name, key)
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
        return row

    return make


@pytest.fixture
def photo(dressed, person):
    return dressed(person)


def test_the_colours_of_each_garment_are_seen(photo):
    told = {one.name: one for one in seen_in(photo)}
    assert set(told) == {"outerwear", "skirt", SKIN}
    assert told["outerwear"].words == "jacket"
    for name, colour in (("outerwear", NAVY), ("skirt", SKIRT), (SKIN, TAN)):
        assert contrast(told[name].colours[0], colour) < 0.04, name


def test_what_goes_beside_the_jacket_is_said_in_words(person, photo, make_pattern):
    fits = make_pattern(person, palette=RUST)
    make_pattern(person, palette=[NAVY, "#1c2a50", "#243664", "#202c52"])
    found = suggestions(person, photo, "skirt")
    assert found.dressed.name == "skirt"
    assert "skirt" not in {one.what for one in found.worn}
    assert found.fabrics[0].fabric == fits
    reason = found.fabrics[0].reason
    assert reason.startswith("A warm ")
    assert "beside your navy jacket" in reason
    assert reason.endswith(".")
    assert not any("navy beside your navy" in one.reason for one in found.fabrics), "the same again is no suggestion"


def test_colourways_are_of_the_fabric_in_question(person, photo, make_pattern):
    make_pattern(person, palette=RUST)
    other = make_pattern(person, palette=["#ffffff", "#808080", "#a0a0a0", "#404040"])
    found = suggestions(person, photo, "skirt", other)
    assert len(found.colourways) >= 3
    assert {one.fabric for one in found.colourways} == {other}
    assert all(len(one.colours) == 4 and one.reason for one in found.colourways)
    assert list(found.colourways[0].colours) != other.palette


def test_only_ones_own_and_published_fabrics_are_suggested(person, other, photo, make_pattern):
    mine, theirs = make_pattern(person, palette=RUST), make_pattern(other, palette=RUST, public=True)
    make_pattern(other, palette=RUST)
    assert {one.fabric for one in suggestions(person, photo, "skirt").fabrics} == {mine, theirs}


class TestPage:
    def url(self, photo):
        return reverse("suggestions", args=[photo.pk])

    def test_its_owner_reads_it(self, client_of, person, photo, make_pattern):
        fits = make_pattern(person, palette=RUST)
        answer = client_of(person).get(self.url(photo), {"garment": "skirt"})
        page = answer.content.decode()
        assert "beside your navy jacket" in page
        assert f"?photo={photo.pk}&amp;pattern={fits.pk}&amp;garments=skirt" in page
        assert "no-store" in answer.headers["Cache-Control"]
        assert "your skin and hair" in page
        assert Pattern.objects.count() == 1, "reading makes nothing"

    def test_a_garment_that_is_not_of_the_photo_is_the_largest(self, client_of, person, photo):
        for garment in ("hat", "", "top-99", "\u0663", "x" * 900):
            answer = client_of(person).get(self.url(photo), {"garment": garment, "pattern": "x"})
            assert answer.status_code == 200
            assert "Fabrics for your jacket" in answer.content.decode()

    def test_nobody_else_is_told_of_it(self, client_of, other, staff, photo):
        for who in (other, staff, None):
            assert client_of(who).get(self.url(photo)).status_code == 404
        assert client_of(None).get(reverse("suggestions", args=[uuid.uuid4()])).status_code == 404

    def test_other_methods(self, client_of, person, photo):
        assert client_of(person).post(self.url(photo)).status_code == 405

    def test_before_the_clothes_are_found_it_says_so(self, client_of, person, dressed):
        page = client_of(person).get(self.url(dressed(person, mask=""))).content.decode()
        assert "still being sought" in page
        page = client_of(person).get(self.url(dressed(person, classes=[]))).content.decode()
        assert "No clothes were found" in page

    def test_a_suggested_colourway_is_dyed_and_worn(self, client_of, person, photo, make_pattern):
        fabric = make_pattern(person, palette=RUST)
        found = suggestions(person, photo, "skirt", fabric)
        back = f"/?photo={photo.pk}&garments=skirt"
        data = {"fabric": fabric.pk, "ink": list(found.colourways[0].colours), "next": back}
        answer = client_of(person).post(reverse("inks-dye"), data)
        made = Pattern.objects.get(parent=fabric)
        assert answer.status_code == 302
        assert f"photo={photo.pk}" in answer.url
        assert f"pattern={made.pk}" in answer.url
        assert client_of(person).get(answer.url).status_code == 200

    def test_the_studio_leads_there(self, client_of, person, photo):
        page = client_of(person).get("/", {"photo": photo.pk}).content.decode()
        assert f'href="{self.url(photo)}"' in page
