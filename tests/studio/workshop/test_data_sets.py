"""Data sets: filled, looked at, captioned, frozen, copied, written out; whose they are, and what learned from them."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from ml_backend.models import Job, ModelVersion, StoredFile, TrainingRun
from ml_backend.pipelines.describe import Described
from ml_backend.serving import jobs, loading
from studio.workshop import learned, services
from studio.workshop.models import DataSet, TrainingPicture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seen(monkeypatch):
    """What our networks see of any picture here: a dress in its upper half."""

    def describe(image):
        mask = np.zeros((image.height, image.width), np.float32)
        mask[: image.height // 2] = 1
        return Described("dress", "floral", ("red",), mask)

    monkeypatch.setattr(loading, "pipeline", lambda name: {"describe": describe}[name])
    return describe


@pytest.fixture
def data_set(person):
    return services.make(person, "Block prints", "crop", 128)


def sent(content, name="a.jpg"):
    return SimpleUploadedFile(name, content)


def fill(data_set, picture, count=3):
    for number in range(count):
        services.add_picture(data_set, sent(picture(120 + number, 160)))
    jobs.work_off("default", beating=False)
    data_set.refresh_from_db()
    return data_set


def post(client, view, pk, /, **data):
    return client.post(reverse(view, args=[pk]), data)


# ---- pictures


def test_pictures_are_squared_captioned_and_masked(data_set, picture):
    fill(data_set, picture)
    assert data_set.job.state == "done"
    for one in data_set.pictures.all():
        assert one.caption == one.suggestion == "a floral dress in red"
        with default_storage.open(str(one.file)) as file, Image.open(file) as square:
            assert (square.size, square.format) == ((128, 128), "PNG")
        with default_storage.open(str(one.mask)) as file, Image.open(file) as mask:
            assert (mask.size, mask.mode) == ((128, 128), "L")
            assert mask.getpixel((5, 5)) == 255
            assert mask.getpixel((5, 120)) == 0
    assert StoredFile.objects.filter(owner=data_set.owner).count() == 12, "every file counts towards the quota"


def test_a_padded_square_keeps_the_whole_picture(person, picture):
    data_set = fill(services.make(person, "Whole", "pad", 128), picture, 1)
    with default_storage.open(str(data_set.pictures.get().file)) as file, Image.open(file) as square:
        rows = np.asarray(square, np.float32).std(axis=0).mean(axis=1)
    assert (rows[:10] < 1).all(), "the margin is of one colour"
    assert (rows[40:80] > 1).all()


def test_other_squares_are_made_anew_and_captions_stay(data_set, picture):
    fill(data_set, picture)
    first = data_set.pictures.first()
    services.caption(data_set, {str(first.pk): "my own words"})
    services.change(data_set, "Prints", "pad", 256)
    assert data_set.pictures.filter(file="").count() == 3
    jobs.work_off("default", beating=False)
    data_set.refresh_from_db()
    assert (data_set.name, data_set.shape, data_set.side) == ("Prints", "pad", 256)
    first.refresh_from_db()
    assert first.caption == "my own words"
    with default_storage.open(str(first.file)) as file, Image.open(file) as square:
        assert square.size == (256, 256)


def test_a_picture_that_comes_while_the_others_are_looked_at_is_looked_at_too(data_set, picture, monkeypatch, seen):
    services.add_picture(data_set, sent(picture()))
    late = []

    def describe(image):
        if not late:
            late.append(services.add_picture(DataSet.objects.get(), sent(picture(140, 150))))
        return seen(image)

    monkeypatch.setattr(loading, "pipeline", lambda _: describe)
    jobs.work_off("default", beating=False, most=1)
    assert data_set.pictures.exclude(file="").count() == 2
    assert Job.objects.count() == 1


def test_a_picture_taken_out_while_it_is_looked_at_leaves_no_file(data_set, picture, monkeypatch, seen):
    services.add_picture(data_set, sent(picture()))

    def describe(image):
        services.take_out(TrainingPicture.objects.get())
        return seen(image)

    monkeypatch.setattr(loading, "pipeline", lambda _: describe)
    jobs.work_off("default", beating=False)
    assert not data_set.pictures.exists()


@pytest.mark.parametrize("content", [b"", b"GIF89a....", b"\xff\xd8\xff broken", b"<svg></svg>"])
def test_what_is_no_picture_is_refused_with_a_sentence_and_keeps_nothing(data_set, person, client_of, content):
    address = reverse("data-set-add", args=[data_set.pk])
    answer = client_of(person).post(address, {"image": sent(content)}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "othing was kept" in answer.content.decode() or "Choose" in answer.content.decode()
    assert not data_set.pictures.exists()
    assert not StoredFile.objects.exists()


def test_several_at_once_keep_those_that_are_pictures(data_set, person, client_of, picture):
    files = [sent(picture(), "one.jpg"), sent(b"GIF89a", "two.gif"), sent(picture(130, 130, "PNG"), "three.png")]
    answer = client_of(person).post(reverse("data-set-add", args=[data_set.pk]), {"image": files}, follow=True)
    assert data_set.pictures.count() == 2
    assert "two.gif: This seems to be a GIF" in answer.content.decode()


def test_the_quota_holds(data_set, picture, settings):
    settings.MEMBER_QUOTA_BYTES = 10
    with pytest.raises(Exception, match="no room"):
        services.add_picture(data_set, sent(picture()))
    assert not data_set.pictures.exists()


def test_only_so_many_fit(data_set, picture, monkeypatch):
    monkeypatch.setattr(services, "MOST_PICTURES", 2)
    fill(data_set, picture, 2)
    with pytest.raises(Exception, match="at most"):
        services.add_picture(data_set, sent(picture()))


# ---- frozen


def test_frozen_it_has_a_hash_of_what_it_teaches_and_nothing_changes(data_set, picture, person, client_of):
    fill(data_set, picture)
    services.freeze(data_set)
    assert len(data_set.sha256) == 64
    before = data_set.sha256
    client, first = client_of(person), data_set.pictures.first()
    for answer in (
        client.post(reverse("data-set-add", args=[data_set.pk]), {"image": sent(picture())}),
        post(client, "data-set-captions", data_set.pk, **{f"caption-{first.pk}": "other"}),
        post(client, "data-set-change", data_set.pk, name="x", shape="pad", side=256),
        post(client, "data-set-look", data_set.pk),
        client.post(reverse("data-set-take-out", args=[data_set.pk, first.pk])),
    ):
        assert answer.status_code == 302
    assert "frozen" in client.get(reverse("data-set", args=[data_set.pk])).content.decode()
    post(client, "data-set-freeze", data_set.pk)
    data_set.refresh_from_db()
    assert (data_set.sha256, data_set.shape, data_set.pictures.count()) == (before, "crop", 3)
    assert data_set.pictures.first().caption == "a floral dress in red"
    assert services.digest_of(data_set.pictures.all()) == before


def test_the_hash_tells_pictures_captions_and_their_order_apart(data_set, picture):
    pictures = list(fill(data_set, picture).pictures.all())
    first = services.digest_of(pictures)
    assert services.digest_of(pictures[::-1]) != first
    pictures[0].caption += "!"
    assert services.digest_of(pictures) != first


@pytest.mark.parametrize("why", ["few", "looking", "unsaid"])
def test_it_is_not_frozen_half_done(data_set, picture, why):
    fill(data_set, picture, 2 if why == "few" else 3)
    if why == "looking":
        services.add_picture(data_set, sent(picture()))
    if why == "unsaid":
        services.caption(data_set, {str(data_set.pictures.last().pk): " "})
    sentence = {"few": "At least 3", "looking": "still being looked at", "unsaid": "Picture 3 has no caption"}[why]
    with pytest.raises(Exception, match=sentence):
        services.freeze(data_set)
    data_set.refresh_from_db()
    assert not data_set.frozen


def test_a_copy_has_the_same_hash_until_it_is_changed(data_set, picture, other):
    services.freeze(fill(data_set, picture))
    copied = services.copy(data_set, other)
    assert (copied.owner, copied.frozen, copied.pictures.count()) == (other, False, 3)
    assert services.digest_of(copied.pictures.all()) == data_set.sha256
    services.take_out(copied.pictures.first())
    assert data_set.pictures.count() == 3
    assert all(default_storage.exists(str(one.file)) for one in data_set.pictures.all())


# ---- the folder


def test_the_folder_is_what_other_tools_read(data_set, picture, person, client_of, tmp_path):
    fill(data_set, picture)
    services.write_folder(data_set, tmp_path / "folder")
    lines = [json.loads(line) for line in (tmp_path / "folder" / "metadata.jsonl").read_text().splitlines()]
    assert [sorted(line) for line in lines] == [["file_name", "mask", "text"]] * 3
    assert all((tmp_path / "folder" / line["file_name"]).is_file() for line in lines)
    assert all((tmp_path / "folder" / line["mask"]).is_file() for line in lines)
    answer = client_of(person).get(reverse("data-set-zip", args=[data_set.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert sorted(archive.namelist()) == sorted(
            path.relative_to(tmp_path / "folder").as_posix()
            for path in (tmp_path / "folder").rglob("*")
            if path.is_file()
        )


# ---- whose it is

READING = ("data-set", "data-set-status", "data-set-zip", "data-set-delete")
WRITING = ("data-set-add", "data-set-captions", "data-set-change", "data-set-look", "data-set-freeze", "data-set-share")


def test_it_is_its_owners_alone(data_set, picture, person, other, staff, make_person, client_of):
    fill(data_set, picture)
    first = data_set.pictures.first()
    file = reverse("trainingpicture-file", args=[first.pk, "image"])
    for name in READING:
        assert client_of(person).get(reverse(name, args=[data_set.pk])).status_code == 200
    assert client_of(person).get(file).status_code == 200
    for outsider in (other, staff, make_person("guest-1", is_guest=True), None):
        client = client_of(outsider)
        assert client.get(file).status_code == 404
        for name in READING:
            assert client.get(reverse(name, args=[data_set.pk])).status_code in (404, 302), name
        for name in (*WRITING, "data-set-copy", "data-set-delete"):
            assert post(client, name, data_set.pk, name="x").status_code in (404, 302), name
        assert client.post(reverse("data-set-take-out", args=[data_set.pk, first.pk])).status_code == 404
    data_set.refresh_from_db()
    assert (data_set.name, data_set.frozen, data_set.pictures.count()) == ("Block prints", False, 3)
    assert DataSet.objects.count() == 1


def test_visitors_and_guests_are_asked_to_sign_in(make_person, client_of):
    for who in (None, make_person("guest-1", is_guest=True)):
        for answer in (
            client_of(who).get(reverse("data-sets")),
            client_of(who).post(reverse("data-sets"), {"name": "x"}),
        ):
            assert answer.status_code == 302
            assert reverse("sign-in") in answer.headers["Location"]
    assert not DataSet.objects.exists()


def test_staff_see_what_is_shared_and_change_nothing(data_set, picture, person, staff, other, client_of):
    fill(data_set, picture)
    post(client_of(person), "data-set-share", data_set.pk, shared=1)
    first = data_set.pictures.first()
    assert client_of(staff).get(reverse("data-set", args=[data_set.pk])).status_code == 200
    assert client_of(staff).get(reverse("trainingpicture-file", args=[first.pk, "file"])).status_code == 200
    assert "Block prints" in client_of(staff).get(reverse("data-sets")).content.decode()
    assert client_of(other).get(reverse("data-set", args=[data_set.pk])).status_code == 404
    for name in (*WRITING, "data-set-delete"):
        assert post(client_of(staff), name, data_set.pk, name="x").status_code == 404, name
    post(client_of(person), "data-set-share", data_set.pk)
    assert client_of(staff).get(reverse("data-set", args=[data_set.pk])).status_code == 404


def test_one_is_made_with_a_name(person, client_of):
    client = client_of(person)
    assert client.post(reverse("data-sets"), {"name": "Ikat", "shape": "pad", "side": "256"}).status_code == 302
    made = DataSet.objects.get()
    assert (made.name, made.shape, made.side, made.owner) == ("Ikat", "pad", 256, person)
    for wrong in ({"name": " "}, {"name": "x", "shape": "round"}, {"name": "x", "side": "7"}, {"name": "x" * 99}):
        client.post(reverse("data-sets"), wrong)
    assert DataSet.objects.count() == 1


# ---- what learned from it


def test_the_delete_page_names_everything_that_learned_from_it(data_set, picture, person, client_of):
    client, address = client_of(person), reverse("data-set-delete", args=[data_set.pk])
    services.freeze(fill(data_set, picture))
    assert "Nothing has learned from it." in client.get(address).content.decode()
    run = TrainingRun.objects.create(recipe="lora", data_sha256=data_set.sha256)
    taught = ModelVersion.objects.create(name="prints", capability="lora", sha256="a" * 64, data_sha256=data_set.sha256)
    ModelVersion.objects.create(name="further", capability="lora", sha256="b" * 64, parent=taught)
    ModelVersion.objects.create(name="stranger", capability="lora", sha256="c" * 64)
    page = client.get(address).content.decode()
    for name in ("prints@aaaaaaaaaaaa", "further@bbbbbbbbbbbb", f"run {run.pk}"):
        assert name in page
        assert name in client.get(reverse("data-set", args=[data_set.pk])).content.decode()
    assert "stranger" not in page
    assert not learned.of(DataSet(owner=person)), "what is not frozen has taught nobody"


@pytest.mark.django_db(transaction=True)
def test_deleted_its_files_and_work_go_too(data_set, picture, person, client_of):
    fill(data_set, picture)
    services.add_picture(data_set, sent(picture()))
    keys = [str(getattr(one, name)) for one in data_set.pictures.all() for name in one.file_fields]
    assert client_of(person).post(reverse("data-set-delete", args=[data_set.pk])).status_code == 302
    assert not DataSet.objects.exists()
    assert not any(default_storage.exists(key) for key in keys if key)
    assert not StoredFile.objects.exists()
    assert Job.objects.latest("created_at").state == "cancelled"
