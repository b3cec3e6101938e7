"""A model file through the browser: in parts, taken up again, checked like one that is pulled, a draft at the end."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from ml_backend.models import CurationEvent, Job, ModelVersion, StoredFile
from ml_backend.serving import registry
from studio.curation import uploading
from studio.curation.models import ModelUpload
from tests.ml_backend.tiny import tiny_lora

pytestmark = pytest.mark.django_db

PART = 2_000


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(uploading, "PART", PART)


@pytest.fixture
def lora(tmp_path) -> bytes:
    tiny_lora(tmp_path / "linen.safetensors")
    return (tmp_path / "linen.safetensors").read_bytes()


@pytest.fixture
def client(client_of, staff):
    return client_of(staff)


def begin(client, name="linen.safetensors", size=100):
    return client.post(reverse("model-upload-begin"), {"name": name, "size": size})


def send(client, at, offset, data):
    return client.post(at, {"offset": offset, "part": SimpleUploadedFile("part", data)})


def send_all(client, data, name="linen.safetensors"):
    """As the page's script does."""
    here = begin(client, name, len(data)).json()
    while here["received"] < len(data):
        offset = here["received"]
        answer = send(client, here["at"], offset, data[offset : offset + here["part"]])
        assert answer.status_code == 200, answer.content
        here = answer.json()


def left_behind() -> list[str]:
    """Files of uploads that are still somewhere."""
    root = Path(default_storage.path("uploads"))
    return [str(file) for file in root.rglob("*") if file.is_file()] if root.is_dir() else []


def test_a_lora_comes_in_parts_and_is_a_draft_at_the_end(client, staff, lora, work_off, settings, committed):
    assert len(lora) > 2 * PART
    with committed():
        send_all(client, lora)
    job = Job.objects.get()
    with committed():
        work_off()
    job.refresh_from_db()
    assert (job.state, job.message) == ("done", "")
    version = ModelVersion.objects.get()
    assert (version.status, version.origin, version.owner, version.capability) == ("draft", "uploaded", None, "lora")
    with default_storage.open(f"{version.folder}/{version.files[0]['name']}") as file:
        assert file.read() == lora
    assert list(registry.Loras(None)) == [], "nobody is offered a draft"
    assert CurationEvent.objects.get().by == staff
    assert left_behind() == []
    assert not StoredFile.objects.filter(key__startswith="uploads/").exists()
    assert not list((settings.DATA_DIR / "downloads").iterdir())
    page = client.get(reverse("model-upload")).content.decode()
    assert reverse("model", args=[version.pk]) in page


def test_it_goes_on_where_it_broke_off(client, lora):
    at = begin(client, size=len(lora)).json()["at"]
    send(client, at, 0, lora[:PART])
    again = begin(client, size=len(lora)).json()
    assert (again["at"], again["received"]) == (at, PART), "the same file, chosen again"
    for offset in (0, PART + 1, len(lora)):
        answer = send(client, at, offset, lora[offset : offset + PART] or b"x")
        assert (answer.status_code, answer.json()) == (409, {"received": PART})
    assert len(left_behind()) == 1
    assert send(client, at, PART, lora[PART : 2 * PART]).json()["received"] == 2 * PART
    assert begin(client, "other.safetensors", len(lora)).json()["at"] != at


def test_of_two_that_send_the_same_part_one_wins(client, staff, lora, monkeypatch):
    at = begin(client, size=len(lora)).json()["at"]
    real = uploading.keep

    def late(owner, key, data):
        ModelUpload.objects.update(received=PART, parts=["first"])
        return real(owner, key, data)

    monkeypatch.setattr(uploading, "keep", late)
    assert send(client, at, 0, lora[:PART]).json() == {"received": PART}
    assert ModelUpload.objects.get().parts == ["first"]
    assert left_behind() == []


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("linen.ckpt", 100, "pickles"),
        ("linen.safetensors.bin", 100, "pickles"),
        (".safetensors", 100, "no safetensors file"),
        ("../../etc/passwd", 100, "no safetensors file"),
        ("linen.safetensors", 0, "Nothing was kept"),
        ("linen.safetensors", 9 * 1024**3, "at most"),
        ("linen.safetensors", "many", "whole number"),
        ("", 10, "required"),
    ],
)
def test_what_cannot_be_a_model_is_refused_before_it_is_sent(client, name, size, why):
    answer = begin(client, name, size)
    assert answer.status_code == 422
    assert why in answer.json()["error"]
    assert not ModelUpload.objects.exists()


def test_a_name_is_only_a_name(client):
    begin(client, "../../über uns/../my linen (2).safetensors")
    assert ModelUpload.objects.get().name == "my-linen-2-.safetensors"


def test_a_pickle_in_disguise_ends_with_its_first_part(client):
    data = pickle.dumps({"weights": list(range(5000))})
    at = begin(client, size=len(data)).json()["at"]
    answer = send(client, at, 0, data[:PART])
    assert answer.status_code == 422
    assert "no safetensors file" in answer.json()["error"]
    assert left_behind() == []


@pytest.mark.parametrize("offset", ["", "x", -1])
def test_a_part_says_where_it_belongs(client, lora, offset):
    at = begin(client, size=len(lora)).json()["at"]
    assert send(client, at, offset, lora[:10]).status_code == 422


def test_more_than_was_said_is_refused(client, lora):
    at = begin(client, size=PART + 10).json()["at"]
    send(client, at, 0, lora[:PART])
    assert "more than the file was said to be" in send(client, at, PART, b"x" * 11).json()["error"]
    assert send(client, at, PART, b"x" * (PART + 1)).status_code == 422
    assert send(client, at, PART, b"").status_code == 422
    assert not Job.objects.exists()


def test_a_damaged_file_says_so_and_leaves_nothing(client, lora, work_off, committed):
    damaged = lora[:-7]
    with committed():
        send_all(client, damaged)
    with committed():
        work_off()
    job = Job.objects.get()
    assert job.state == "failed"
    assert "no whole safetensors file" in job.message
    assert not ModelVersion.objects.exists()
    assert left_behind() == []
    again = client.post(reverse("job-retry", args=[job.pk]), headers={"HX-Request": "true"})
    assert "send it again" in again.content.decode()


def test_the_quota_holds_for_it(client, settings, staff):
    settings.MEMBER_QUOTA_BYTES = 1000
    answer = begin(client, size=1001)
    assert answer.status_code == 422
    assert "no room" in answer.json()["error"]


def test_nobody_begins_without_end(client):
    for number in range(uploading.MOST_OPEN):
        begin(client, f"{number}.safetensors")
    assert "finish one or delete it" in begin(client, "more.safetensors").json()["error"]
    client.post(reverse("model-upload-delete", args=[ModelUpload.objects.first().pk]))
    assert begin(client, "more.safetensors").status_code == 201


def test_it_is_nobody_elses_upload(client, client_of, make_person, lora):
    begun = begin(client, size=len(lora)).json()
    upload = ModelUpload.objects.get()
    colleague = client_of(make_person(is_staff=True))
    assert send(colleague, begun["at"], 0, lora[:PART]).status_code == 404
    assert colleague.get(reverse("model-upload-status", args=[upload.pk])).status_code == 404
    assert colleague.post(reverse("model-upload-delete", args=[upload.pk])).status_code == 404
    assert upload.name not in colleague.get(reverse("model-upload")).content.decode()


def test_what_nobody_goes_on_with_is_deleted(client, lora, committed):
    at = begin(client, size=len(lora)).json()["at"]
    send(client, at, 0, lora[:PART])
    assert uploading.delete_stale() == 0
    ModelUpload.objects.update(touched_at=timezone.now() - timedelta(hours=uploading.KEPT_HOURS + 1))
    with committed():
        assert uploading.delete_stale() == 1
    assert left_behind() == []


def test_giving_it_up_ends_its_work(client, lora, work_off, committed):
    with committed():
        send_all(client, lora)
    with committed():
        client.post(reverse("model-upload-delete", args=[ModelUpload.objects.get().pk]))
    assert Job.objects.get().state == "cancelled"
    assert left_behind() == []
    work_off()
    assert not ModelVersion.objects.exists()
