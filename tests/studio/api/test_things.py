"""Every endpoint: its owner, an outsider, a mistake."""

from __future__ import annotations

import io
import uuid

import numpy as np
import pytest
from botocore.exceptions import EndpointConnectionError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from ml_backend.errors import BadPackage
from ml_backend.models import Job
from ml_backend.requests import PATTERN_TYPES, GenerateRequest
from ml_backend.serving import jobs, registry
from patterns.models import Pattern
from studio.imagine.models import Imagining
from studio.looks.models import Look
from studio.photos import ingest
from studio.photos.models import Mask, Photo
from studio.photos.places import Places
from studio.restyle.models import Restyle

from .conftest import error

pytestmark = pytest.mark.django_db

NOWHERE = uuid.UUID(int=7)


def upload(content: bytes, name: str = "me.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def drawn_mask(width: int = 120, height: int = 160) -> bytes:
    pixels = np.zeros((height, width), np.uint8)
    pixels[40:120, 30:90] = 255
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


# --- photos -------------------------------------------------------------------------------------------------------


def test_a_photo_is_uploaded_listed_fetched_and_deleted(program, person, picture):
    made = program.upload("/photos", image=upload(picture(200, 260)))
    assert made.status_code == 201
    photo = made.json()
    assert (photo["width"], photo["height"], photo["state"]) == (200, 260, "queued")
    assert set(photo["files"]) == {"image", "thumb"}
    assert program.get(f"/jobs/{photo['job']}").json()["kind"] == "segment"

    assert program.get(f"/photos/{photo['id']}").json()["id"] == photo["id"]
    assert [one["id"] for one in program.get("/photos").json()["items"]] == [photo["id"]]
    image = program.get(f"/photos/{photo['id']}/files/image")
    assert image.headers["Content-Type"] == "image/jpeg"
    assert "Authorization" in image.headers["Vary"]
    assert Image.open(io.BytesIO(image.content)).size == (200, 260)

    assert error(program.get(f"/photos/{photo['id']}/files/mask")) == (409, "not_ready")
    assert error(program.get(f"/photos/{photo['id']}/files/nonsense")) == (404, "not_found")
    assert program.delete(f"/photos/{photo['id']}").status_code == 204
    assert error(program.get(f"/photos/{photo['id']}")) == (404, "not_found")
    assert not Photo.objects.exists()
    assert person.jobs.get().state == Job.State.CANCELLED


def test_a_store_that_does_not_answer_is_unavailable_not_broken(program, picture, monkeypatch):
    def unreachable(*_args, **_kwargs):
        raise EndpointConnectionError(endpoint_url="https://store.example")

    monkeypatch.setattr(default_storage._wrapped, "_save", unreachable)
    answer = program.upload("/photos", image=upload(picture(200, 260)))
    assert error(answer) == (503, "unavailable")
    assert not Photo.objects.exists()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"GIF89a" + b"\x01\x00\x01\x00" * 9, 415, "not_a_photo"),
        (b"nothing of the kind", 415, "not_a_photo"),
        (b"", 422, "bad_input"),
    ],
)
def test_an_upload_that_is_no_photo_is_refused(program, content, status, code):
    assert error(program.upload("/photos", image=upload(content))) == (status, code)
    assert not Photo.objects.exists()


def test_a_damaged_or_too_large_upload_is_refused(program, picture, settings):
    whole = picture(300, 300)
    assert error(program.upload("/photos", image=upload(whole[: len(whole) // 3]))) == (422, "bad_input")
    settings.MAX_UPLOAD_BYTES = 100
    assert error(program.upload("/photos", image=upload(whole))) == (413, "too_large")
    settings.MAX_UPLOAD_BYTES = 10**8
    settings.MAX_PHOTO_PIXELS = 1000
    assert error(program.upload("/photos", image=upload(whole))) == (413, "too_many_pixels")


def test_a_busy_site_says_when_to_ask_again(program, picture, monkeypatch):
    monkeypatch.setattr(ingest, "TIMEOUT", 0.01)
    monkeypatch.setattr(ingest, "_places", Places(most=1, waiting=4))
    with ingest._places.one(["somebody"], 0):
        refused = program.upload("/photos", image=upload(picture()))
    assert error(refused) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0


def test_a_forgotten_file_is_named(program):
    refused = program.upload("/photos")
    assert error(refused) == (422, "invalid")
    assert refused.json()["error"]["message"] == "The field 'image' is missing."


def test_photos_and_masks_are_nobody_elses(outsider, person, make_photo):
    photo = make_photo(person)
    mask = Mask.objects.create(owner=person, photo=photo, origin="brush", file="x.png")
    for path in (f"/photos/{photo.pk}", f"/photos/{photo.pk}/files/image", f"/masks/{mask.pk}/files/file"):
        assert error(outsider.get(path)) == (404, "not_found")
    for path in (f"/photos/{photo.pk}", f"/masks/{mask.pk}"):
        assert error(outsider.delete(path)) == (404, "not_found")
    assert outsider.get("/photos").json()["total"] == 0
    assert outsider.get("/masks").json()["total"] == 0
    assert error(outsider.post("/masks", {"photo": str(photo.pk), "prompt": "dress"})) == (404, "not_found")
    assert error(outsider.upload("/masks/upload", photo=str(photo.pk), mask=upload(drawn_mask()))) == (404, "not_found")
    assert error(outsider.post("/looks", {"pattern": str(NOWHERE), "photo": str(photo.pk)})) == (404, "not_found")


def test_a_picture_becomes_a_photo(program, outsider, make_garment):
    garment = make_garment("skirt")
    made = program.post("/photos/copies", {"garment": "skirt"})
    assert made.status_code == 201
    assert (made.json()["width"], made.json()["height"]) == (garment.width, garment.height)
    assert program.post("/photos/copies", {"garment": "skirt"}).json()["id"] == made.json()["id"]
    assert error(program.post("/photos/copies", {"garment": "kilt"})) == (404, "not_found")
    assert error(program.post("/photos/copies", {})) == (422, "bad_input")
    assert error(program.post("/photos/copies", {"garment": "skirt", "look": str(NOWHERE)})) == (422, "bad_input")
    assert error(outsider.post("/photos/copies", {"restyle": str(NOWHERE)})) == (404, "not_found")


# --- masks --------------------------------------------------------------------------------------------------------


def test_a_mask_from_words(program, person, make_photo, stand_ins, work_off):
    photo = make_photo(person)
    asked = program.post("/masks", {"photo": str(photo.pk), "prompt": " the  dress", "grow": 1})
    assert asked.status_code == 202
    mask = asked.json()
    assert (mask["words"], mask["state"], mask["files"]) == ("the dress", "queued", {})
    assert error(program.get(f"/masks/{mask['id']}/files/file")) == (409, "not_ready")
    work_off()
    done = program.get(f"/masks/{mask['id']}").json()
    assert done["state"] == "done"
    assert done["found"] == [{"text": "the dress", "subtract": False, "confidence": 0.93, "known": True}]
    assert Image.open(io.BytesIO(program.get(f"/masks/{mask['id']}/files/file").content)).size == (120, 160)
    assert program.get(f"/masks?photo={photo.pk}").json()["total"] == 1
    assert program.get(f"/masks?photo={NOWHERE}").json()["total"] == 0
    assert program.delete(f"/masks/{mask['id']}").status_code == 204


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"prompt": ""}, "bad_input", "Please give some words"),
        ({"prompt": "x" * 501}, "bad_input", "at most 500 characters"),
        ({"prompt": "a\x00b"}, "invalid", "cannot be read"),
        ({"prompt": None}, "invalid", "prompt"),
        ({"grow": 40}, "bad_input", "growth"),
        ({"normalise": "loud"}, "bad_input", "normalisation"),
        ({"model": "nobodys-clipseg"}, "bad_input", "does not serve here"),
        ({"colour": "red"}, "invalid", "There is no parameter 'colour'"),
        ({"photo": "mine"}, "invalid", "photo"),
    ],
)
def test_a_mask_is_asked_for_properly(program, person, make_photo, stand_ins, change, code, said):
    refused = program.post("/masks", {"photo": str(make_photo(person).pk), "prompt": "the dress", **change})
    assert error(refused) == (422, code)
    assert said in refused.json()["error"]["message"]
    assert not Mask.objects.exists()


def test_a_drawn_mask(program, person, make_photo):
    photo = make_photo(person)
    made = program.upload("/masks/upload", photo=str(photo.pk), mask=upload(drawn_mask(60, 80), "m.png"))
    assert made.status_code == 201
    assert (made.json()["state"], made.json()["origin"]) == ("done", "brush")
    assert Image.open(io.BytesIO(program.get(f"/masks/{made.json()['id']}/files/file").content)).size == (120, 160)
    wrong = program.upload("/masks/upload", photo=str(photo.pk), mask=upload(drawn_mask(300, 200), "m.png"))
    assert error(wrong) == (422, "bad_input")


def test_without_a_model_the_api_says_so(program, person, make_photo, monkeypatch):
    monkeypatch.setattr(registry, "serves", lambda capability: capability == "generate")
    photo = str(make_photo(person).pk)
    for answer in (
        program.post("/masks", {"photo": photo, "prompt": "dress"}),
        program.post("/restyles", {"photo": photo, "region": "dress", "prompt": "red", "engine": "fabric"}),
        program.post("/restyles", {"photo": photo, "region": "dress", "prompt": "red", "engine": "diffusion"}),
        program.post("/imaginings", {"prompt": "a red dress", "engine": "diffusion"}),
    ):
        assert error(answer) == (503, "no_model")
    assert not Job.objects.exists()
    monkeypatch.setattr(registry, "serves", lambda capability: False)
    fabric = program.post("/imaginings", {"prompt": "a red dress"})
    assert (fabric.status_code, fabric.json()["items"][0]["engine"]) == (202, "fabric"), "it needs no model"


# --- restyles and imaginings --------------------------------------------------------------------------------------


@pytest.fixture
def mask(person, make_photo):
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    row = Mask(owner=person, photo=make_photo(person), origin="brush")
    row.file = default_storage.save(f"{row.folder}/mask.png", ContentFile(drawn_mask()))
    row.save()
    return row


def test_restyles_arrive_as_one_batch(program, mask, stand_ins, work_off):
    body = {"photo": str(mask.photo_id), "mask": str(mask.pk), "prompt": "red silk", "count": 3, "seed": 7}
    asked = program.post(
        "/restyles", {**body, "engine": "diffusion", "steps": 12, "loras": ["linen:0.8"], "sketch": "fabric"}
    )
    assert asked.status_code == 202
    batch = asked.json()
    assert [one["seed"] for one in batch["items"]] == [7, 8, 9]
    assert (batch["job"]["kind"], batch["job"]["state"], batch["job"]["place"]) == ("restyle", "queued", 1)
    assert [one["id"] for one in batch["job"]["results"]] == [one["id"] for one in batch["items"]]
    work_off()
    job = program.get(f"/jobs/{batch['job']['id']}").json()
    assert (job["state"], job["progress"], job["preview"]) == ("done", 1.0, None)
    assert stand_ins.asked[0].loras == ("linen:0.8",)
    assert stand_ins.asked[0].sketch == "fabric"
    listed = program.get(f"/restyles?batch={batch['batch']}").json()
    assert listed["total"] == 3
    one = program.get(f"/restyles/{batch['items'][0]['id']}").json()
    assert (one["state"], one["engine"], one["request"]["steps"]) == ("done", "diffusion", 12)
    assert one["notes"]
    assert one["recipe"]["made_with"] == "Toile"
    file = program.get(f"/restyles/{one['id']}/files/file?download")
    assert "attachment" in file.headers["Content-Disposition"]
    assert Image.open(io.BytesIO(file.content)).size == (120, 160)


def test_a_region_in_words_needs_no_mask(program, person, make_photo, stand_ins, work_off):
    asked = program.post(
        "/restyles", {"photo": str(make_photo(person).pk), "region": "the dress", "prompt": "red", "seed": 1}
    )
    assert asked.status_code == 202
    work_off()
    assert program.get(f"/restyles/{asked.json()['items'][0]['id']}").json()["state"] == "done"
    assert Mask.objects.get().words == "the dress"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prompt": " "}, "Please give some words"),
        ({"count": 9}, "Between 1 and 8"),
        ({"count": 0}, "Between 1 and 8"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"steps": 1000}, "steps"),
        ({"size": 500}, "multiple of 64"),
        ({"engine": "magic"}, "'magic'"),
        ({"scheduler": "slow"}, "scheduler"),
        ({"strength": 2}, "strength"),
        ({"sketch": "crayon"}, "'crayon' is not a sketch"),
        ({"loras": ["no such:thing:x"]}, "LoRA"),
        ({"mask": None}, "either a mask, or a region"),
        ({"region": "the dress"}, "either a mask, or a region"),
        ({"negative_prompt": "a\x00b"}, "cannot be read"),
    ],
)
def test_a_restyle_is_asked_for_properly(program, mask, stand_ins, change, said):
    body = {"photo": str(mask.photo_id), "mask": str(mask.pk), "prompt": "red silk", "engine": "fabric"}
    refused = program.post("/restyles", {**body, **change})
    assert error(refused)[0] == 422
    assert said in refused.json()["error"]["message"]
    assert not Restyle.objects.exists()
    assert not Job.objects.exists()


def test_nobody_restyles_with_anothers_photo_or_mask(outsider, other, mask, make_photo, stand_ins):
    body = {"photo": str(mask.photo_id), "mask": str(mask.pk), "prompt": "red"}
    assert error(outsider.post("/restyles", body)) == (404, "not_found")
    assert error(outsider.post("/restyles", {**body, "photo": str(make_photo(other).pk)})) == (404, "not_found")


def test_a_refused_picture_says_why_and_has_no_file(program, mask, stand_ins, work_off):
    body = {"photo": str(mask.photo_id), "mask": str(mask.pk), "prompt": "forbidden", "seed": 1}
    made = program.post("/restyles", body).json()["items"][0]
    work_off()
    one = program.get(f"/restyles/{made['id']}").json()
    assert (one["state"], one["files"]) == ("refused", {})
    assert one["refused"].startswith("This picture was not shown")
    assert error(program.get(f"/restyles/{made['id']}/files/file")) == (404, "not_found")


def test_imaginings(program, outsider, stand_ins, work_off):
    asked = program.post("/imaginings", {"prompt": "a white sweater", "count": 2, "seed": 2**31 - 1})
    assert asked.status_code == 202
    assert [one["seed"] for one in asked.json()["items"]] == [2**31 - 1, 0]
    work_off()
    first, second = asked.json()["items"]
    one = program.get(f"/imaginings/{first['id']}").json()
    assert (one["state"], one["prompt"], one["width"]) == ("done", "a white sweater", 128)
    assert program.get(f"/imaginings/{first['id']}/files/thumb").headers["Content-Type"] == "image/webp"
    assert program.get(f"/imaginings?batch={asked.json()['batch']}").json()["total"] == 2
    assert outsider.get("/imaginings").json()["total"] == 0
    assert error(program.post("/imaginings", {"prompt": "x", "count": 99})) == (422, "bad_input")
    assert program.delete(f"/imaginings/{second['id']}").status_code == 204
    assert Imagining.objects.count() == 1


@pytest.mark.parametrize(("named", "made_by"), [({}, "fabric"), ({"engine": "diffusion"}, "diffusion")])
def test_an_imagining_says_which_engine_makes_it(program, stand_ins, named, made_by):
    asked = program.post("/imaginings", {"prompt": "a white sweater", **named})
    assert asked.status_code == 202
    (one,) = asked.json()["items"]
    assert (one["engine"], one["request"]["engine"]) == (made_by, made_by)


def test_an_imagining_of_before_there_was_a_choice_was_diffusion(program, person):
    old = Imagining.objects.create(owner=person, params={"prompt": "a coat", "seed": 7})
    assert program.get(f"/imaginings/{old.pk}").json()["engine"] == "diffusion"


def test_an_unknown_engine_is_refused_by_its_name(program, stand_ins):
    refused = program.post("/imaginings", {"prompt": "a white sweater", "engine": "loom"})
    assert error(refused)[0] == 422
    assert "'loom'" in refused.json()["error"]["message"]
    assert not Job.objects.exists()


# --- patterns and looks -------------------------------------------------------------------------------------------


def test_patterns(program, person, work_off):
    asked = program.post(
        "/patterns",
        {"pattern_type": "dotted", "engine": "drawn", "count": 2, "seed": 5, "palette": ["#7A1F2B", "#fff0e0"]},
    )
    assert asked.status_code == 202
    items = asked.json()["items"]
    assert [(one["seed"], one["state"], one["palette"]) for one in items] == [
        (5, "queued", ["#7a1f2b", "#fff0e0"]),
        (6, "queued", ["#7a1f2b", "#fff0e0"]),
    ]
    work_off()
    one = program.get(f"/patterns/{items[0]['id']}").json()
    assert set(one["files"]) == {"tile", "web", "inks", "thumb"}
    assert Image.open(io.BytesIO(program.get(f"/patterns/{one['id']}/files/tile").content)).size == (512, 512)
    assert program.get("/patterns?pattern_type=dotted").json()["total"] == 2
    assert program.get("/patterns?pattern_type=floral").json()["total"] == 0
    assert error(program.get("/patterns?pattern_type=tartan")) == (422, "bad_input")
    assert error(program.get("/patterns?colour=octarine")) == (422, "bad_input")


@pytest.mark.parametrize(
    "change",
    [
        {"pattern_type": "tartan"},
        {"engine": "loom"},
        {"count": 0},
        {"count": 9},
        {"seed": "seven"},
        {"palette": ["red"]},
        {"palette": ["#7a1f2b"]},
        {"vary_of": 1, "vary_amount": 3},
        {"size": 4096},
    ],
)
def test_a_pattern_is_asked_for_properly(program, change):
    assert error(program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn", **change}))[0] == 422
    assert not Pattern.objects.exists()


def test_fresh_seeds_differ(program):
    made = program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn", "count": 4}).json()["items"]
    assert len({one["seed"] for one in made}) > 1


def test_blends_mixes_and_the_model_that_dreams(program, person):
    offered = next(one for one in program.get("/models").json()["items"] if one["capability"] == "generate")["choices"]
    body = {
        "pattern_type": "floral", "seed": 7, "morph_to": 12, "morph_amount": 0.3, "morph_type": "plaid",
        "colours_of": 3, "detail_of": 9, "vary_of": 1, "vary_amount": 0.2,
    }  # fmt: skip
    name = offered[0].partition("@")[0]
    made = program.post("/patterns", {**body, "model": name}).json()["items"][0]
    assert {key: made[key] for key in body} == body
    assert made["model"] == offered[0], "a name is enough to say which"
    assert program.get(f"/patterns/{made['id']}").json()["morph_amount"] == 0.3
    row = Pattern.objects.get()
    assert row.request == GenerateRequest(**body, model=offered[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"morph_amount": 0.5}, "needs the seed"),
        ({"morph_to": 1, "morph_amount": 2}, "amount of the morph"),
        ({"morph_to": -1}, "seed"),
        ({"morph_to": 1, "morph_type": "tartan"}, "not a pattern type"),
        ({"colours_of": "red"}, ""),
        ({"detail_of": 2**31}, "seed"),
        ({"engine": "drawn", "morph_to": 1}, "cannot be morphed"),
        ({"engine": "drawn", "detail_of": 1}, "drawn"),
        ({"model": "gone@0123456789ab"}, "does not serve here"),
        ({"engine": "drawn", "model": "dcgan-starter"}, "needs no model"),
    ],
)
def test_blends_that_cannot_be_are_refused_in_words(program, change, said):
    refused = program.post("/patterns", {"pattern_type": "floral", "seed": 7, "count": 2, **change})
    assert error(refused)[0] == 422
    assert said in refused.json()["error"]["message"]
    assert not Pattern.objects.exists()


def test_a_colourway_and_a_print_size_tile(program, outsider, person, other, make_pattern):
    pattern = make_pattern(person, public=True)
    made = program.post(f"/patterns/{pattern.pk}/colourways", {"palette": ["#101820", "#f2aa4c"]})
    assert made.status_code == 201
    assert (made.json()["state"], made.json()["parent"]) == ("done", str(pattern.pk))
    theirs = outsider.post(f"/patterns/{pattern.pk}/colourways", {"palette": ["#101820", "#f2aa4c"]})
    assert Pattern.objects.get(pk=theirs.json()["id"]).owner == other
    assert error(program.post(f"/patterns/{pattern.pk}/colourways", {"palette": ["blue"]})) == (422, "bad_input")

    large = program.post(f"/patterns/{pattern.pk}/large")
    assert large.status_code == 202
    assert program.post(f"/patterns/{pattern.pk}/large").json()["large_job"] == large.json()["large_job"]
    assert error(program.get(f"/patterns/{pattern.pk}/files/large")) == (409, "not_ready")
    assert error(outsider.post(f"/patterns/{pattern.pk}/large")) == (403, "forbidden")


def test_an_unfinished_pattern_has_no_colourways(program):
    made = program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn"}).json()["items"][0]
    refused = program.post(f"/patterns/{made['id']}/colourways", {"palette": ["#101820", "#f2aa4c"]})
    assert error(refused) == (409, "not_ready")
    assert error(program.patch(f"/patterns/{made['id']}", {"public": True})) == (422, "bad_input")


def test_a_look(program, outsider, person, make_pattern, make_garment, work_off):
    make_garment("skirt")
    pattern = make_pattern(person)
    body = {"pattern": str(pattern.pk), "garment": "skirt", "repeat": "mirror", "scale_cm": 9, "format": "jpeg"}
    asked = program.post("/looks", body)
    assert asked.status_code == 202
    work_off()
    look = program.get(f"/looks/{asked.json()['id']}").json()
    assert (look["state"], look["garment"], look["request"]["repeat"]) == ("done", "skirt", "mirror")
    assert program.get(f"/looks/{look['id']}/files/file").headers["Content-Type"] == "image/jpeg"
    assert program.get("/looks").json()["total"] == 1
    assert error(outsider.get(f"/looks/{look['id']}")) == (404, "not_found")
    assert error(outsider.post("/looks", body)) == (404, "not_found")
    for change in ({"garment": None}, {"repeat": "brick"}, {"format": "bmp"}, {"garments": ["hat"]}, {"scale_cm": 0}):
        assert error(program.post("/looks", {**body, **change})) == (422, "bad_input")
    assert error(program.post("/looks", {**body, "garment": "a\x00b"})) == (422, "invalid")
    assert error(program.post("/looks", {**body, "garment": "kilt"})) == (404, "not_found")
    assert Look.objects.count() == 1


def test_a_look_from_behind(program, person, make_pattern, make_garment, work_off):
    make_garment("skirt", cut="skirt")
    body = {"pattern": str(make_pattern(person).pk), "garment": "skirt"}
    assert error(program.post("/looks", {**body, "side": "back"})) == (404, "not_found"), "it has none yet"
    make_garment("skirt-back", cut="skirt", side="back")
    for given in ({"side": "back"}, {"garment": "skirt-back"}, {"garment": "skirt-back", "side": "back"}):
        made = program.post("/looks", {**body, **given, "mirrored": True}).json()
        work_off()
        look = program.get(f"/looks/{made['id']}").json()
        assert (look["state"], look["garment"], look["request"]["mirrored"]) == ("done", "skirt-back", True)
    assert program.post("/looks", {**body, "side": "front"}).json()["garment"] == "skirt"
    assert error(program.post("/looks", {**body, "side": "left"})) == (422, "bad_input")


def test_an_outfit(program, outsider, person, make_pattern, make_photo, work_off):
    photo, one, two = make_photo(person), make_pattern(person), make_pattern(person)
    parts = [
        {"pattern": str(one.pk), "garments": ["skirt"], "scale_cm": 9},
        {"pattern": str(two.pk), "garments": ["outerwear", "top-2"], "repeat": "mirror"},
    ]
    body = {"photo": str(photo.pk), "parts": parts}
    asked = program.post("/looks", body)
    assert asked.status_code == 202
    work_off()
    look = program.get(f"/looks/{asked.json()['id']}").json()
    assert look["state"] == "done"
    assert [part["pattern"] for part in look["parts"]] == [str(one.pk), str(two.pk)]
    assert [part["request"]["garments"] for part in look["parts"]] == [["skirt"], ["outerwear", "top-2"]]
    assert (look["pattern"], look["request"]["scale_cm"]) == (str(one.pk), 9)
    assert program.get("/looks").json()["items"][0]["parts"] == look["parts"]
    assert error(outsider.post("/looks", body)) == (404, "not_found")
    assert error(program.post("/looks", {**body, "parts": [*parts, {**parts[0], "pattern": str(NOWHERE)}]}))[0] in (
        404,
        422,
    )
    wrong = (
        {"parts": [parts[0], parts[0]]},
        {"parts": [{**parts[0], "garments": []}, parts[1]]},
        {"parts": [{**parts[0], "garments": ["hat"]}]},
        {"parts": [{**parts[0], "scale_cm": 0}]},
        {"parts": []},
        {"pattern": str(one.pk)},
        {"scale_cm": 9},
    )
    for change in wrong:
        assert error(program.post("/looks", {**body, **change})) == (422, "bad_input"), change
    assert error(program.post("/looks", {**body, "parts": [parts[0]] * 40})) == (422, "invalid")
    one.delete()
    assert program.get(f"/looks/{look['id']}").json()["parts"][0]["pattern"] is None
    assert Look.objects.count() == 1


def made_by(owner, kind, make_pattern, make_photo):
    """A finished thing of ``owner``'s that can be published: (path, row)."""
    if kind == "patterns":
        return make_pattern(owner)
    common = {"owner": owner, "params": {"prompt": "red", "seed": 1, "engine": "fabric"}, "file": "x.png"}
    if kind == "restyles":
        return Restyle.objects.create(photo=make_photo(owner), **common)
    if kind == "imaginings":
        return Imagining.objects.create(**common)
    return Look.objects.create(owner=owner, photo=make_photo(owner), file="x.png")


@pytest.mark.parametrize("kind", ["patterns", "looks", "restyles", "imaginings"])
def test_publishing_and_deleting(program, outsider, nobody, person, make_pattern, make_photo, kind):
    row = made_by(person, kind, make_pattern, make_photo)
    path = f"/{kind}/{row.pk}"
    assert error(outsider.get(path)) == (404, "not_found")
    assert error(outsider.patch(path, {"public": True})) == (404, "not_found")
    assert error(outsider.delete(path)) == (404, "not_found")
    assert error(nobody.patch(path, {"public": True})) == (401, "unauthenticated")
    assert error(program.patch(path, {})) == (422, "invalid")

    assert program.patch(path, {"public": True}).json()["public"] is True
    seen = outsider.get(path).json()
    assert seen.get("photo") is None
    assert seen.get("mask") is None
    assert outsider.get(f"/{kind}?whose=public").json()["total"] == 1
    assert error(outsider.patch(path, {"public": False})) == (403, "forbidden")
    assert error(outsider.delete(path)) == (403, "forbidden")
    assert error(outsider.get(f"/{kind}?whose=anybody")) == (422, "invalid")

    assert program.patch(path, {"public": False}).json()["public"] is False
    assert error(nobody.delete(path)) == (401, "unauthenticated")
    assert program.delete(path).status_code == 204
    assert not type(row)._default_manager.exists()


def test_lists_come_in_pages(program, person, make_pattern):
    made = [str(make_pattern(person).pk) for _ in range(5)]
    first = program.get("/patterns?limit=2&whose=mine").json()
    assert [one["id"] for one in first["items"]] == made[::-1][:2]
    assert first["total"] == 5
    second = program.client.get(first["next"], headers=program.headers).json()
    assert [one["id"] for one in second["items"]] == made[::-1][2:4]
    last = program.client.get(second["next"], headers=program.headers).json()
    assert ([one["id"] for one in last["items"]], last["next"]) == (made[:1], None)
    for wrong in ("limit=0", "limit=101", "offset=-1", "limit=many"):
        assert error(program.get(f"/patterns?{wrong}")) == (422, "invalid")


# --- jobs ---------------------------------------------------------------------------------------------------------


def test_a_job_is_cancelled_and_tried_again(program, outsider, work_off):
    made = program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn"}).json()["items"][0]
    path = f"/jobs/{made['job']}"
    for answer in (outsider.get(path), outsider.post(f"{path}/cancel"), outsider.post(f"{path}/retry")):
        assert error(answer) == (404, "not_found")
    assert program.post(f"{path}/retry").json()["state"] == "queued"
    assert program.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert program.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert program.get("/jobs?active=true").json()["total"] == 0
    assert program.post(f"{path}/retry").json()["state"] == "queued"
    assert program.get("/jobs?active=true").json()["total"] == 1
    work_off()
    assert program.get(path).json()["results"][0]["id"] == made["id"]
    assert error(program.post(f"{path}/cancel")) == (409, "already_ended")
    assert error(program.post(f"{path}/retry")) == (409, "already_ended")
    assert outsider.get("/jobs").json()["total"] == 0


def test_trying_again_knows_the_cap(program, settings):
    settings.MAX_ACTIVE_JOBS = 1
    made = [program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn"}).json()["items"][0]]
    assert program.post(f"/jobs/{made[0]['job']}/cancel").status_code == 200
    made += [program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn"}).json()["items"][0]]
    answer = program.post(f"/jobs/{made[0]['job']}/retry")
    assert error(answer) == (429, "too_many_jobs")
    assert answer.headers["Retry-After"]
    assert program.get("/jobs?active=true").json()["total"] == 1


def test_a_job_that_was_put_back_says_why_it_waits(program, client_of, person):
    made = program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn"}).json()["items"][0]
    jobs.put_back(jobs.claim("default"), "The store of pictures does not answer.", "no")
    shown = program.get(f"/jobs/{made['job']}").json()
    assert (shown["state"], shown["place"]) == ("queued", 0)
    assert shown["message"].startswith("The store of pictures does not answer; trying again in ")
    page = client_of(person).get(f"/?cell={made['id']}").content.decode()
    assert "The store of pictures does not answer; trying again in " in page


def test_a_preview_is_for_its_owner(program, outsider, person):
    job = Job.objects.create(owner=person, kind="restyle", preview=b"RIFF....WEBPVP8 ", shown=1)
    shown = program.get(f"/jobs/{job.pk}").json()["preview"]
    answer = program.client.get(shown, headers=program.headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
    assert error(outsider.get(f"/jobs/{job.pk}/preview")) == (404, "not_found")
    Job.objects.update(preview=b"")
    assert program.get(f"/jobs/{job.pk}/preview").status_code == 204


def test_a_person_has_only_so_much_unfinished_work(program, settings):
    settings.MAX_ACTIVE_JOBS = 2
    refused = program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn", "count": 3})
    assert error(refused) == (429, "too_many_jobs")
    assert int(refused.headers["Retry-After"]) > 0
    assert not Pattern.objects.exists()
    assert program.post("/patterns", {"pattern_type": "dotted", "engine": "drawn", "count": 2}).status_code == 202
    limits = program.get("/limits").json()
    assert (limits["active_jobs"], limits["max_active_jobs"]) == (2, 2)


# --- the catalogue ------------------------------------------------------------------------------------------------


def test_the_catalogue(program, make_garment, monkeypatch):
    make_garment("skirt")
    options = program.get("/options").json()
    assert options["pattern_types"] == list(PATTERN_TYPES)
    assert options["restyle_engine"] in options["restyle_engines"]
    assert options["imagine_engine"] in options["imagine_engines"]
    with monkeypatch.context() as patch:
        patch.setattr(registry, "serves", lambda capability: capability == "generate")
        assert program.get("/options").json()["imagine_engines"] == ["fabric"], "the other has no model"
    garment = program.get("/garments").json()["items"][0]
    assert (garment["slug"], garment["classes"]) == ("skirt", ["skirt"])
    assert (garment["cut"], garment["side"], garment["wearer"]) == ("skirt", "front", "everybody")
    assert program.client.get(garment["files"]["image"], headers=program.headers).status_code == 200
    assert error(program.get("/garments/skirt/files/nonsense")) == (404, "not_found")

    def reference(capability):
        if capability == "imagine":
            raise BadPackage("Damaged.")
        return f"{capability}@0123"

    offered = [registry.Offer("ours@01", "ours", True), registry.Offer("other@02", "other", False)]
    monkeypatch.setattr(registry, "offered", lambda capability: offered)
    monkeypatch.setattr(registry, "reference", reference)
    models = {one["capability"]: one for one in program.get("/models").json()["items"]}
    assert models["generate"] == {
        "capability": "generate", "serves": True, "reference": "generate@0123", "choices": ["ours@01", "other@02"],
    }  # fmt: skip
    assert models["segment"]["choices"] == [], "nobody chooses there"
    assert models["text-mask"]["choices"] == ["ours@01", "other@02"], "requests may name those"
    assert models["imagine"]["reference"] is None


# --- what every address does --------------------------------------------------------------------------------------


def test_errors_outside_of_the_routes_have_the_same_shape(program, nobody, monkeypatch):
    assert error(program.get("/nowhere")) == (404, "not_found")
    refused = program.ask("put", "/photos", {})
    assert error(refused) == (405, "wrong_method")
    assert "POST" in refused.headers["Allow"]
    broken = program.client.post(
        "/api/v1/patterns", data=b"{", content_type="application/json", headers=program.headers
    )
    assert error(broken) == (400, "malformed")
    assert error(program.post("/patterns", [])) == (422, "invalid")
    assert error(nobody.client.get("/api/v1/photos", headers={"Host": "elsewhere.example"})) == (400, "malformed")
    form = program.client.post(
        "/api/v1/photos", data=b"--x", content_type="multipart/form-data", headers=program.headers
    )
    assert error(form) == (400, "malformed")


def test_what_breaks_is_logged_and_not_told(program, monkeypatch, caplog):
    def breaks(*_: object) -> None:
        raise RuntimeError("the loom of doom")

    monkeypatch.setattr("studio.api.routes.catalogue.serializers.garment", breaks)
    monkeypatch.setattr("studio.api.routes.catalogue.Garment.objects.all", lambda: [1])
    refused = program.get("/garments")
    assert error(refused) == (500, "broken")
    assert "loom" not in refused.content.decode()
    assert "the loom of doom" in caplog.text


# --- what an outsider is told ---------------------------------------------------------------------------------------


def test_a_published_thing_tells_no_id_of_a_private_one(
    program, outsider, person, make_pattern, make_photo, make_garment
):
    """One published thing of each kind, each made of private ones: to an outsider none of those ids is told."""
    private, photo, garment = make_pattern(person), make_photo(person), make_garment("dress")
    mask = Mask.objects.create(owner=person, photo=photo, origin="brush", file="x.png")
    jobs_of = [Job.objects.create(owner=person, kind="wear", state="done") for _ in range(2)]
    shown = {"owner": person, "job": jobs_of[0], "public": True, "file": "x.png"}
    words = {"params": {"prompt": "a dress", "seed": 7, "engine": "fabric"}}
    rows = {
        "looks": Look.objects.create(**shown, photo=photo),
        "restyles": Restyle.objects.create(**shown, **words, photo=photo, mask=mask),
        "imaginings": Imagining.objects.create(**shown, **words),
    }
    rows["looks"].parts.create(pattern=private)
    rows["patterns"] = make_pattern(person, public=True, parent=private, job=jobs_of[0], large_job=jobs_of[1])
    secrets = [str(row.pk) for row in (private, photo, mask, *jobs_of)]
    for path, row in rows.items():
        for asked in (f"/{path}/{row.pk}", f"/{path}?whose=public"):
            text = outsider.get(asked).content.decode()
            assert str(row.pk) in text
            assert [secret for secret in secrets if secret in text] == [], asked
        assert program.get(f"/{path}/{row.pk}").json()["job"] == str(jobs_of[0].pk), "its owner sees all"
    assert program.get(f"/looks/{rows['looks'].pk}").json()["pattern"] == str(private.pk)
    assert program.get(f"/patterns/{rows['patterns'].pk}").json()["parent"] == str(private.pk)
    worn = Look.objects.create(**shown, garment=garment)
    worn.parts.create(pattern=rows["patterns"])
    assert outsider.get(f"/looks/{worn.pk}").json()["pattern"] == str(rows["patterns"].pk), "that one is published"
    tile = outsider.get(f"/patterns/{rows['patterns'].pk}/files/tile").content
    assert str(private.pk).encode() not in tile


def test_my_own_thing_does_not_tell_what_another_has_taken_back(program, person, other, make_pattern):
    theirs = make_pattern(other, public=True)
    mine = make_pattern(person, parent=theirs)
    assert program.get(f"/patterns/{mine.pk}").json()["parent"] == str(theirs.pk)
    Pattern.objects.filter(pk=theirs.pk).update(public=False)
    assert program.get(f"/patterns/{mine.pk}").json()["parent"] is None


# --- models by name ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["fabric", "diffusion"])
@pytest.mark.parametrize(
    "named", ["unreleased@7", "unreleased-painter@{hash}", "{first}", "{name}@{first}", "{name}@", "@", "x"]
)
def test_a_model_is_offered_or_refused_wherever_it_is_named(
    program, person, make_photo, stand_ins, monkeypatch, engine, named
):
    """By its whole name or reference only; a package that is kept and not in service is not run."""
    sha = "7abcdef012345678" * 4
    registry.ModelVersion.objects.create(name="unreleased-painter", capability="restyle", sha256=sha)
    offered = registry.Offer("painter@0123456789ab", "painter", True)
    monkeypatch.setattr(registry, "offered", lambda capability: [offered])
    text = named.format(hash=sha[:12], first="0", name="painter")
    photo = make_photo(person)
    mask = Mask.objects.create(owner=person, photo=photo, origin="brush", file="x.png")
    bodies = {
        "/restyles": {"photo": str(photo.pk), "mask": str(mask.pk), "prompt": "a dress", "engine": engine},
        "/imaginings": {"prompt": "a dress", "engine": engine},
        "/masks": {"photo": str(photo.pk), "prompt": "the sleeves"},
        "/patterns": {"pattern_type": "floral"},
    }
    for path, body in bodies.items():
        refused = program.post(path, {**body, "model": text})
        assert error(refused) == (422, "bad_input")
        assert "choose one of: painter@0123456789ab." in refused.json()["error"]["message"]
    assert not Job.objects.exists()
    for path, body in bodies.items():
        assert program.post(path, {**body, "model": "painter"}).status_code == 202
    named_rows = [*Restyle.objects.all(), *Imagining.objects.all(), *Mask.objects.exclude(pk=mask.pk)]
    assert {row.params["model"] for row in named_rows} == {"painter@0123456789ab"}


def test_a_lora_that_is_not_here_is_refused_when_asked_for(program, monkeypatch, stand_ins):
    body = {"prompt": "a dress", "engine": "diffusion", "loras": ["silk:0.5"]}
    refused = program.post("/imaginings", body)
    assert error(refused) == (422, "bad_input")
    assert "no LoRA called silk here; choose of: linen, tartan" in refused.json()["error"]["message"]
    assert program.post("/imaginings", {**body, "loras": ["linen:0.5"]}).status_code == 202
