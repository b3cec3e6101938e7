"""Files on S3, private and signed; run by ``test_production.py``."""

from __future__ import annotations

import io
import os
import re
import time
import urllib.error
import urllib.request

import pytest
from django.conf import settings as deployed
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from ml_backend.models import Job, ScratchFile
from ml_backend.requests import GenerateRequest
from ml_backend.serving import jobs
from ml_backend.serving.jobs import kinds
from patterns import services
from patterns.models import Pattern
from studio.looks.models import Look
from studio.photos.models import Photo
from studio.photos.services import add_photo
from tests.production import servers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _server(s3_server):
    return s3_server


def fetch(url: str) -> tuple[int, bytes, dict[str, str]]:
    """As a browser would, without any cookie: (status, body, headers)."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


REFUSED = (400, 401, 403, 412)
"""Amazon answers 403 to a request without a signature; Swift does not take it for one in S3's language at all."""


def bare(key: str) -> str:
    return f"{deployed.S3_ENDPOINT}/{deployed.S3_BUCKET}/{key}"


def ask(person, seed: int) -> Pattern:
    return services.ask(person, GenerateRequest("dotted", seed, size=64, engine="drawn"))


def keys(folder: str) -> list[str]:
    return [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]


# --- the store ----------------------------------------------------------------------------------------------------


def test_a_file_comes_back_as_it_went_and_goes_for_good():
    key = default_storage.save("tests/cloth.txt", ContentFile(b"linen"))
    assert default_storage.exists(key)
    assert default_storage.size(key) == 5
    with default_storage.open(key) as file:
        assert file.read() == b"linen"
    default_storage.delete(key)
    assert not default_storage.exists(key)
    with pytest.raises(FileNotFoundError):
        default_storage.open(key)
    default_storage.delete(key)


def test_a_taken_name_is_not_overwritten():
    first = default_storage.save("tests/same.txt", ContentFile(b"first"))
    second = default_storage.save("tests/same.txt", ContentFile(b"second"))
    assert first != second
    with default_storage.open(first) as file:
        assert file.read() == b"first"


def test_only_a_whole_and_fresh_signature_opens_a_file():
    key = default_storage.save("tests/secret.txt", ContentFile(b"secret"))
    other = default_storage.save("tests/other.txt", ContentFile(b"other"))
    signed = default_storage.url(key)
    assert fetch(signed)[:2] == (200, b"secret")
    assert re.search(r"X-Amz-Expires=300\b", signed)

    assert fetch(bare(key))[0] in REFUSED, "private without a signature"
    assert fetch(bare(""))[0] in REFUSED, "nor is there a listing"
    assert fetch(signed.partition("&X-Amz-Signature")[0])[0] in REFUSED
    flipped = "0" if signed[-1] != "0" else "1"
    for tampered in (
        signed[:-1] + flipped,
        signed.replace(key, other),
        signed.replace("X-Amz-Expires=300", "X-Amz-Expires=30000"),
        signed + "&response-content-type=text/html",
    ):
        assert tampered != signed
        assert fetch(tampered)[0] == 403, tampered
    brief = default_storage.url(key, expire=1)
    time.sleep(2.5)
    assert fetch(brief)[0] == 403, "expired"
    assert fetch(signed)[0] == 200


def test_another_user_of_the_same_account_is_refused():
    """Nothing that is stored is opened to others by an access list of its own."""
    import boto3
    from botocore.client import Config

    key = default_storage.save("tests/ours.txt", ContentFile(b"ours"))
    visitor = boto3.client(
        "s3",
        endpoint_url=deployed.S3_ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=servers.S3_VISITOR,
        aws_secret_access_key=os.environ["TOILE_S3_SECRET_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    named = {"Bucket": deployed.S3_BUCKET, "Key": key}
    assert fetch(visitor.generate_presigned_url("get_object", named))[0] == 403
    with pytest.raises(visitor.exceptions.ClientError, match="AccessDenied"):
        visitor.get_object(**named)
    with pytest.raises(visitor.exceptions.ClientError, match="AccessDenied"):
        visitor.list_objects_v2(Bucket=deployed.S3_BUCKET)


# --- the rows -----------------------------------------------------------------------------------------------------


def test_a_pattern_is_drawn_stored_shown_and_deleted(
    person, other, client_of, work_off, django_capture_on_commit_callbacks
):
    pattern = ask(person, 7)
    assert work_off() == 1
    pattern.refresh_from_db()
    assert pattern.state == "done", pattern.job.message
    stored = keys(pattern.folder)
    assert {str(getattr(pattern, name)) for name in ("tile", "web", "inks", "thumb")} == set(stored)
    assert not ScratchFile.objects.exists()
    assert all(fetch(bare(key))[0] in REFUSED for key in stored)

    page = client_of(person).get(pattern.tile_url)
    with Image.open(io.BytesIO(page.content)) as tile:
        assert tile.size == (64, 64), "what the page composites comes through the site itself"
    assert client_of(other).get(pattern.tile_url).status_code == 404

    with django_capture_on_commit_callbacks(execute=True):
        pattern.delete()
    assert keys(f"patterns/{pattern.folder.rpartition('/')[2]}") == []


def test_a_photo_is_the_owners_alone(person, other, staff, client_of, picture, django_capture_on_commit_callbacks):
    photo = add_photo(person, SimpleUploadedFile("me.jpg", picture(240, 320), "image/jpeg"))
    assert [client_of(who).get(photo.image_url).status_code for who in (other, staff, None)] == [404, 404, 404]
    assert fetch(bare(str(photo.image)))[0] in REFUSED
    answer = client_of(person).get(photo.image_url)
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (photo.width, photo.height) == (240, 320)

    assert keys(photo.folder)
    with django_capture_on_commit_callbacks(execute=True):
        Photo.objects.get(pk=photo.pk).delete()
    assert keys(photo.folder) == []


def test_only_the_owner_is_sent_to_a_signed_address(person, other, staff, client_of, make_photo, make_pattern):
    photo = make_photo(person)
    look = Look.objects.create(owner=person, photo=photo)
    look.parts.create(pattern=make_pattern(person))
    Look.objects.filter(pk=look.pk).update(file=default_storage.save(f"{look.folder}/look.png", ContentFile(b"look")))
    look.refresh_from_db()
    for address, key in ((photo.url_of("labels"), str(photo.labels)), (look.file_url, str(look.file))):
        assert [client_of(who).get(address).status_code for who in (other, staff, None)] == [404, 404, 404]
        answer = client_of(person).get(address)
        assert answer.status_code == 302
        assert answer.headers["Cache-Control"] == "private, no-store"
        signed = answer.headers["Location"]
        assert signed.startswith(f"{bare(key)}?")
        status, content, headers = fetch(signed)
        with default_storage.open(key) as file:
            assert (status, content) == (200, file.read())
        assert headers["Content-Type"] == "image/png"
        assert fetch(signed.replace("X-Amz-Expires=300", "X-Amz-Expires=301"))[0] == 403
    saved = client_of(person).get(f"{look.file_url}?download").headers["Location"]
    assert fetch(saved)[2]["Content-Disposition"].startswith("attachment")
    assert client_of(other).get(f"{look.file_url}?download").status_code == 404

    default_storage.delete(str(look.file))
    assert fetch(saved)[0] == 404, "a signature does not outlive the file"


def test_the_pages_may_show_what_the_bucket_signs(person, client_of):
    policy = client_of(person).get("/accounts/sign-in/").headers["Content-Security-Policy"]
    (images,) = (part.split()[1:] for part in policy.split("; ") if part.startswith("img-src "))
    assert default_storage.url("x.png").partition(f"/{deployed.S3_BUCKET}/")[0] in images


# --- the outage ---------------------------------------------------------------------------------------------------


def test_a_job_in_an_outage_waits_and_is_done_after_it(person, work_off, s3_server, caplog):
    pattern = ask(person, 8)
    s3_server.stop()
    try:
        assert work_off() == 1
        job = Job.objects.get(pk=pattern.job_id)
        assert (job.state, job.attempt) == ("queued", 0)
        assert job.why_waiting.startswith("The store of pictures does not answer; trying again in ")
        jobs.sweep()
    finally:
        s3_server.start()
    Job.objects.update(not_before=None)
    assert work_off() == 1
    pattern.refresh_from_db()
    assert (pattern.state, pattern.ready) == ("done", True)
    with default_storage.open(str(pattern.tile)) as file:
        assert file.read(4) == b"\x89PNG"


def test_a_bucket_that_says_nothing_holds_nobody_for_long(person, client_of, make_photo, s3_server, caplog):
    photo = make_photo(person)
    pattern = ask(person, 9)
    client = client_of(person)
    with s3_server.proxy.frozen():
        asked = time.monotonic()
        answer = client.get(photo.image_url)
        assert time.monotonic() - asked < 15
        assert (answer.status_code, "does not answer just now" in answer.content.decode()) == (503, True)
        assert jobs.work_off(jobs.QUEUES, beating=False, most=1) == 1
    assert Job.objects.get(pk=pattern.job_id).state == "queued"


def test_files_of_what_was_deleted_in_an_outage_go_when_it_is_over(
    person, make_photo, s3_server, settings, django_capture_on_commit_callbacks, caplog
):
    photo = make_photo(person)
    folder = photo.folder
    stored = keys(folder)
    assert stored
    s3_server.stop()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            photo.delete()
    finally:
        s3_server.start()
    assert keys(folder) == stored
    settings.JOB_LEASE_SECONDS = 0.0
    assert jobs.sweep().files == len(stored)
    assert keys(folder) == []


def test_an_outage_half_way_leaves_no_file_behind(person, work_off, s3_server, settings, monkeypatch, caplog):
    """The first file is stored, the second is not: the sweeper deletes the first once the server is back."""
    written: list[str] = []

    def handler(job, report, should_stop):
        written.append(jobs.save(job, "tests/half", "first.txt", b"first"))
        s3_server.stop()
        jobs.save(job, "tests/half", "second.txt", b"second")
        return lambda: None

    monkeypatch.setitem(kinds.handlers, "half", handler)
    job = jobs.submit(person, "half", {})
    try:
        assert work_off() == 1
    finally:
        s3_server.start()
    job.refresh_from_db()
    assert job.state == "queued"
    assert default_storage.exists(written[0])
    assert ScratchFile.objects.exists()
    settings.JOB_LEASE_SECONDS = 0.0
    assert jobs.sweep().files == 2
    assert not default_storage.exists(written[0])
    assert not ScratchFile.objects.exists()
