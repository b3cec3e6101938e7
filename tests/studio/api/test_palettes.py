"""Palettes and suggestions for programs: the owner's alone."""

from __future__ import annotations

import uuid

import pytest

from ml_backend.palettes import files
from studio.colour.models import SavedPalette

pytestmark = pytest.mark.django_db

SEA = {"name": "Sea", "colours": ["#f3efe4", "#22478F", "#efb92d"], "names": ["foam"]}


def test_a_palette_is_kept_listed_fetched_and_deleted(program, outsider, nobody):
    made = program.post("/palettes", SEA, key="sea")
    assert made.status_code == 201
    told = made.json()
    assert told["colours"] == ["#f3efe4", "#22478f", "#efb92d"]
    assert told["names"] == ["foam", "", ""]
    again = program.post("/palettes", SEA, key="sea")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert program.post("/palettes", {**SEA, "colours": ["#000000", "#ffffff"]}).status_code == 201
    (row,) = program.get("/palettes").json()["items"]
    assert row["colours"] == ["#000000", "#ffffff"], "the name again replaces it"
    for suffix in files.WRITERS:
        answer = program.get(f"/palettes/{row['id']}/files/{suffix}")
        assert files.read(answer.content).colours == ("#000000", "#ffffff")
        assert "Authorization" in answer.headers["Vary"]
    assert program.get(f"/palettes/{row['id']}/files/aco").status_code == 404
    for stranger, status in ((outsider, 404), (nobody, 401)):
        assert stranger.get(f"/palettes/{row['id']}/files/ase").status_code == status
        assert stranger.delete(f"/palettes/{row['id']}").status_code == status
    assert outsider.get("/palettes").json()["total"] == 0
    assert program.delete(f"/palettes/{row['id']}").status_code == 204
    assert program.delete(f"/palettes/{row['id']}").status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colours": ["#000000"]}, "2 to 12"),
        ({"colours": ["#000000"] * 13}, "2 to 12"),
        ({"colours": ["red", "blue"]}, "not a colour"),
        ({"name": " "}, "name"),
        ({"name": "x" * 100}, ""),
        ({"more": 1}, ""),
    ],
)
def test_what_cannot_be_kept(program, change, said):
    answer = program.post("/palettes", {**SEA, **change})
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert not SavedPalette.objects.exists()


def test_suggestions_are_for_the_photos_owner(program, outsider, nobody, person, make_photo, make_pattern):
    make_pattern(person, palette=["#e0a83c", "#c98f2e", "#f3efe4", "#8a5a1c"])
    photo = make_photo(person)
    told = program.get(f"/photos/{photo.pk}/suggestions?garment=skirt").json()
    assert told["garment"] == "skirt"
    assert {one["name"] for one in told["seen"]} == {"skirt"}
    assert all(one["reason"].endswith(".") for one in told["patterns"] + told["palettes"])
    assert outsider.get(f"/photos/{photo.pk}/suggestions").status_code == 404
    assert nobody.get(f"/photos/{photo.pk}/suggestions").status_code == 401
    assert program.get(f"/photos/{uuid.uuid4()}/suggestions").status_code == 404
    waiting = make_photo(person, mask="")
    answer = program.get(f"/photos/{waiting.pk}/suggestions")
    assert answer.status_code == 422
    assert "still being sought" in answer.json()["error"]["message"]
