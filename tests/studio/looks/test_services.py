"""Photos whose cloth is found, looks that are rendered, and what happens when something is missing."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.images import read_recipe
from ml_backend.models import Job
from ml_backend.requests import GenerateRequest, OverlayRequest
from ml_backend.serving import jobs, loading
from patterns import services as pattern_services
from studio import retention
from studio.account.models import User
from studio.looks.models import Look
from studio.looks.services import ask_look
from studio.photos.fitting import _fits
from studio.photos.jobs import NO_CLOTH
from studio.photos.models import Photo
from studio.photos.services import add_photo

pytestmark = pytest.mark.django_db


@dataclass
class Found:
    mask: np.ndarray
    labels: np.ndarray


class Segmenter:
    """Finds a skirt in the lower middle of every photo; or nothing."""

    cloth = True

    def __call__(self, photo, *, progress=None, should_stop=None):
        mask = np.zeros((photo.height, photo.width), np.float32)
        if self.cloth:
            mask[photo.height // 2 : -8, photo.width // 4 : -photo.width // 4] = 1
        progress(0.5, "Finding the clothes")
        return Found(mask, (mask * 4).astype(np.uint8))


@pytest.fixture
def segmenter(monkeypatch) -> Segmenter:
    found = Segmenter()
    pipeline = loading.pipeline
    monkeypatch.setattr(loading, "pipeline", lambda name: found if name == "segment" else pipeline(name))
    return found


@pytest.fixture
def upload(picture):
    return lambda: SimpleUploadedFile("me.jpg", picture(150, 200))


def image(field) -> Image.Image:
    with default_storage.open(str(field)) as file:
        picture = Image.open(io.BytesIO(file.read()))
    picture.load()
    return picture


def test_an_uploaded_photo_gets_its_cloth_found(person, upload, segmenter, work_off):
    photo = add_photo(person, upload())
    assert (photo.state, photo.preview()) == ("queued", {})
    work_off()
    photo.refresh_from_db()
    assert (photo.state, photo.classes) == ("done", ["skirt"])
    assert image(photo.mask).size == image(photo.labels).size == (150, 200)
    assert set(np.unique(np.asarray(image(photo.labels)))) == {0, 4}
    width, height = photo.fit["width"], photo.fit["height"]
    assert image(photo.preview_photo).size == image(photo.preview_mask).size == (width, height)
    assert image(photo.preview_maps).size == (width, 3 * height), "three maps, one below the other"
    preview = photo.preview()
    assert (preview["full_width"], preview["full_height"]) == (150, 200)
    assert preview["preview_mask"] == photo.url_of("preview_mask")


def test_no_cloth_is_said_and_the_photo_kept(person, upload, segmenter, work_off):
    segmenter.cloth = False
    photo = add_photo(person, upload())
    work_off()
    photo.refresh_from_db()
    assert (photo.state, photo.job.message) == ("failed", NO_CLOTH)
    assert default_storage.exists(str(photo.image))


def test_above_the_cap_an_upload_leaves_nothing(person, upload, settings, tmp_path):
    settings.MAX_ACTIVE_JOBS = 0
    with TestCase.captureOnCommitCallbacks(execute=True), pytest.raises(jobs.TooManyJobs):
        add_photo(person, upload())
    assert not Photo.objects.exists()
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("format", "kind"), [("png", "PNG"), ("jpeg", "JPEG")])
def test_a_look_on_a_photo(person, make_pattern, make_photo, work_off, format, kind):
    pattern, photo = make_pattern(person), make_photo(person)
    request = OverlayRequest(scale_cm=9, rotate=30, repeat="half-drop", garments=("skirt",))
    look = ask_look(person, pattern, photo, request, format)
    assert (look.state, look.outfit.parts) == ("queued", (request,))
    work_off()
    look.refresh_from_db()
    assert look.state == "done"
    worn = image(look.file)
    assert (worn.format, worn.size) == (kind, (photo.width, photo.height))
    recipe = read_recipe(worn)
    assert recipe == look.recipe
    assert recipe["overlay"] == request.to_dict()
    assert recipe["pattern"]["seed"] == pattern.seed
    assert str(photo.pk) not in str(recipe), "a file that is passed on does not say which photo it was"
    before, after = np.asarray(image(photo.image)), np.asarray(worn.convert("RGB"))
    mask = np.asarray(image(photo.mask))
    if format == "png":
        assert np.array_equal(before[mask == 0], after[mask == 0])
    assert np.abs(before[mask > 200].astype(int) - after[mask > 200]).mean() > 5
    assert image(look.thumb).format == "WEBP"


def test_the_remembered_fit_gives_the_same_look(person, upload, segmenter, make_pattern, work_off):
    """Right after the cloth was found the fit is in memory; a restarted worker reads it from the files."""
    photo = add_photo(person, upload())
    pattern = make_pattern(person)
    first = ask_look(person, pattern, photo, OverlayRequest(scale_cm=5))
    work_off()
    _fits.clear()
    second = ask_look(person, pattern, Photo.objects.get(), OverlayRequest(scale_cm=5))
    work_off()
    looks = [np.asarray(image(Look.objects.get(pk=look.pk).file)) for look in (first, second)]
    assert np.array_equal(*looks)


def test_a_look_whose_pattern_is_gone_is_not_tried_again(person, make_garment, work_off, client_of):
    pattern = pattern_services.ask(person, GenerateRequest("striped", 3, size=64, engine="drawn"))
    look = ask_look(person, pattern, make_garment("skirt"), OverlayRequest())
    pattern.delete()
    for headers, status in (({"HX-Request": "true"}, 422), ({}, 302)):
        answer = client_of(person).post(f"/jobs/{look.job_id}/retry/", headers=headers)
        assert answer.status_code == status
    assert (
        "pattern of this look was deleted"
        in client_of(person).post(f"/jobs/{look.job_id}/retry/", headers={"HX-Request": "true"}).content.decode()
    )
    assert work_off() == 0
    look.job.refresh_from_db()
    assert (look.job.state, look.job.message) == ("failed", jobs.NEEDED_FAILED)
    assert not Job.objects.filter(state="queued").exists(), "nothing waits for ever"


def test_a_look_on_a_garment(person, make_pattern, make_garment, work_off):
    look = ask_look(person, make_pattern(person), make_garment("skirt"), OverlayRequest())
    work_off()
    look.refresh_from_db()
    assert look.recipe["garment"] == "skirt"
    assert look.ready


def test_a_look_may_be_asked_before_fabric_and_photo_are_ready(person, upload, segmenter, work_off):
    photo = add_photo(person, upload())
    pattern = pattern_services.ask(person, GenerateRequest("striped", 3, size=64, engine="drawn"))
    look = ask_look(person, pattern, photo, OverlayRequest())
    assert jobs.claim("default").job != look.job
    jobs.sweep()
    photo.job.refresh_from_db()
    jobs.cancel(photo.job)
    look.job.refresh_from_db()
    assert (look.job.state, look.job.message) == ("failed", jobs.NEEDED_FAILED)
    jobs.retry(look.job)
    work_off()
    look.refresh_from_db()
    assert look.ready


def test_a_look_whose_pattern_was_deleted_says_so(person, make_pattern, make_photo, work_off):
    pattern = make_pattern(person)
    look = ask_look(person, pattern, make_photo(person), OverlayRequest())
    pattern.delete()
    work_off()
    look.refresh_from_db()
    assert look.state == "failed"
    assert "pattern of this look was deleted" in look.job.message


def test_a_look_is_on_exactly_one_thing(person, make_photo, make_garment):
    photo, garment = make_photo(person), make_garment()
    for wrong in ({}, {"photo": photo, "garment": garment}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Look.objects.create(owner=person, **wrong)


def test_other_formats_are_refused(person, make_pattern, make_photo):
    with pytest.raises(BadInput, match="PNG or JPEG"):
        ask_look(person, make_pattern(person), make_photo(person), OverlayRequest(), "tiff")


def test_deleting_a_photo_deletes_its_looks_and_all_files(person, make_pattern, make_photo, work_off, tmp_path):
    photo = make_photo(person)
    ask_look(person, make_pattern(person), photo, OverlayRequest())
    work_off()
    with TestCase.captureOnCommitCallbacks(execute=True):
        photo.delete()
    assert not Look.objects.exists()
    kept = {path.relative_to(tmp_path / "files").parts[0] for path in (tmp_path / "files").rglob("*") if path.is_file()}
    assert kept == {"patterns"}


# --- retention ----------------------------------------------------------------------------------------------------


def test_old_unused_photos_go_and_only_they(person, make_photo, settings):
    old = timezone.now() - timedelta(days=40)
    unused, used, published, fresh = (make_photo(person) for _ in range(4))
    Photo.objects.exclude(pk=fresh.pk).update(created_at=old)
    for photo, fields in ((unused, {"created_at": old}), (used, {}), (published, {"created_at": old, "public": True})):
        Look.objects.create(owner=person, photo=photo, **fields)
    assert retention.delete_old_photos() == 0, "off unless set"
    settings.PHOTO_RETENTION_DAYS = 30
    assert retention.delete_old_photos() == 1
    assert set(Photo.objects.all()) == {used, published, fresh}
    assert not Look.objects.filter(photo=unused).exists()


def test_empty_guests_go(make_person, make_pattern):
    old = timezone.now() - timedelta(days=40)
    _, busy, _, member = (
        make_person(is_guest=True, date_joined=old),
        make_person(is_guest=True, date_joined=old),
        make_person(is_guest=True),
        make_person(date_joined=old),
    )
    make_pattern(busy)
    assert retention.delete_empty_guests() == 1
    assert User.objects.count() == 3
    assert {busy, member} <= set(User.objects.all())


def test_the_sweep_command_does_it_all(person, make_photo, settings, capsys):
    from django.contrib.sessions.models import Session

    settings.PHOTO_RETENTION_DAYS = 1
    make_photo(person)
    Photo.objects.update(created_at=timezone.now() - timedelta(days=2))
    Session.objects.create(session_key="old", expire_date=timezone.now() - timedelta(days=1))
    call_command("sweep")
    assert "1 photos and 0 empty guests deleted" in capsys.readouterr().out
    assert not Session.objects.exists()
