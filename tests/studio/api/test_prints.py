"""Prints through the API: made, followed, fetched, refused, deleted; for their owner alone."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from studio.printing.models import PressProfile, Print
from tests.ml_backend.icc import cmyk_profile

from .conftest import Program

pytestmark = pytest.mark.django_db
SMALL = {"scale_cm": 3, "dpi": 150, "repeat": "mirror"}


def test_a_print_is_made_and_fetched(program, person, make_pattern, work_off):
    fabric = make_pattern(person, pattern_type="floral", seed=9)
    made = program.post("/prints", {"pattern": str(fabric.pk), **SMALL, "format": "png"})
    assert made.status_code == 202 and made.json()["state"] == "queued"
    assert made.json()["words"].startswith("One repeat (mirror): 3 × 3 cm at 150 dpi, 178 × 178 pixels")
    work_off()
    got = program.get(f"/prints/{made.json()['id']}").json()
    assert (got["state"], got["facts"]["width"], got["title"]) == ("done", 178, "toile-floral-9-mirror-3x3cm-150dpi")
    file = program.get(f"/prints/{got['id']}/files/file")
    assert Image.open(io.BytesIO(file.content)).size == (178, 178)
    job = program.get(f"/jobs/{got['job']}").json()
    assert [one["kind"] for one in job["results"]] == ["print"]
    assert program.get("/prints").json()["total"] == 1


def test_only_for_who_may_see_the_fabric_and_only_its_owner_s(program, outsider, person, other, make_pattern, work_off):
    fabric = make_pattern(person)
    asked = {"pattern": str(fabric.pk), **SMALL}
    assert outsider.post("/prints", asked).status_code == 404
    assert outsider.post("/prints/packs", {"pattern": str(fabric.pk)}).status_code == 404
    assert Program().post("/prints", asked).status_code == 401
    row = program.post("/prints", asked).json()
    for call in (outsider.get, outsider.delete):
        assert call(f"/prints/{row['id']}").status_code == 404
    assert outsider.get("/prints").json()["total"] == 0
    assert program.delete(f"/prints/{row['id']}").status_code == 204
    assert program.delete(f"/prints/{row['id']}").status_code == 404
    assert not Print.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"dpi": 72},
        {"kind": "panel"},
        {"format": "bmp"},
        {"scale_cm": 1e9},
        {"scales": [1, 2, 3, 4, 5]},
        {"width_cm": 3},
        {"unknown": 1},
        {"profile": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_bad_input_makes_nothing(program, person, make_pattern, wrong):
    answer = program.post("/prints", {"pattern": str(make_pattern(person).pk), **SMALL, **wrong})
    assert answer.status_code in (400, 404, 422) and answer.json()["error"]["message"]
    assert not Print.objects.exists()


def test_profiles_are_added_and_used(program, outsider, person, other, make_pattern, work_off):
    icc = cmyk_profile()
    added = program.upload("/profiles", file=SimpleUploadedFile("a.icc", icc))
    assert added.status_code == 201 and added.json()["name"] == "Test printer"
    assert program.upload("/profiles", file=SimpleUploadedFile("a.icc", icc[:-5])).status_code in (400, 422)
    asked = {"pattern": str(make_pattern(person).pk), **SMALL, "profile": added.json()["id"]}
    fabric = make_pattern(other, public=True)
    assert outsider.post("/prints", {**asked, "pattern": str(fabric.pk)}).status_code == 404
    program.post("/prints", asked)
    work_off()
    assert Print.objects.get(owner=person).facts["out_of_gamut"] >= 0
    assert program.delete(f"/profiles/{added.json()['id']}").status_code == 204
    assert not PressProfile.objects.exists()
