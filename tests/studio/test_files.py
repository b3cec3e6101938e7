"""Who gets which stored file: its owner, or everybody once it is published; staff are nobody special."""

from __future__ import annotations

import errno

import pytest
from botocore.exceptions import EndpointConnectionError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from studio.looks.models import Look
from studio.photos.models import Photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitors(other, staff, make_person, client_of):
    """Everybody but the owner: another member, a guest, an admin, a visitor."""
    return [client_of(user) for user in (other, make_person("guest-1", is_guest=True), staff, None)]


@pytest.fixture
def look(person, make_pattern, make_garment, make_photo):
    def make(**fields):
        row = Look(owner=person, **fields)
        row.file = default_storage.save(f"{row.folder}/look.png", ContentFile(b"png"))
        row.thumb = default_storage.save(f"{row.folder}/thumb.webp", ContentFile(b"webp"))
        row.save()
        row.parts.create(pattern=make_pattern(person))
        return row

    return make


def test_a_photo_is_its_owners_alone(person, make_photo, client_of, visitors):
    photo = make_photo(person)
    for name in photo.file_fields:
        url = reverse("photo-file", args=[photo.pk, name])
        mended = name.startswith("found_")  # kept only once an edge was mended
        assert client_of(person).get(url).status_code == (404 if mended else 200)
        assert [visitor.get(url).status_code for visitor in visitors] == [404] * 4


def test_a_private_look_is_its_owners_alone_a_public_one_everybodys(person, make_photo, look, client_of, visitors):
    private, public = look(photo=make_photo(person)), look(photo=make_photo(person), public=True)
    for name in private.file_fields:
        url = reverse("look-file", args=[private.pk, name])
        assert client_of(person).get(url).status_code == 200
        assert [visitor.get(url).status_code for visitor in visitors] == [404] * 4
        url = reverse("look-file", args=[public.pk, name])
        assert [visitor.get(url).status_code for visitor in visitors] == [200] * 4
    url = reverse("photo-file", args=[public.photo_id, "image"])
    assert [visitor.get(url).status_code for visitor in visitors] == [404] * 4, "the photo behind it stays private"


def test_patterns(person, make_pattern, client_of, visitors):
    private, public = make_pattern(person), make_pattern(person, public=True)
    for name in ("tile", "thumb", "inks"):
        url = reverse("pattern-file", args=[private.pk, name])
        assert client_of(person).get(url).status_code == 200
        assert [visitor.get(url).status_code for visitor in visitors] == [404] * 4
        url = reverse("pattern-file", args=[public.pk, name])
        assert [visitor.get(url).status_code for visitor in visitors] == [200] * 4
    assert client_of(person).get(reverse("pattern-file", args=[private.pk, "large"])).status_code == 404


def test_garments_are_everybodys(make_garment, visitors):
    garment = make_garment("skirt")
    for name in garment.file_fields:
        url = reverse("garment-file", args=[garment.slug, name])
        assert [visitor.get(url).status_code for visitor in visitors] == [200] * 4


@pytest.mark.parametrize("name", ["owner", "pk", "job", "delete", "folder", "objects", "image_url"])
def test_only_files_have_addresses(person, make_photo, client_of, name):
    assert client_of(person).get(reverse("photo-file", args=[make_photo(person).pk, name])).status_code == 404


def test_reading_only(person, make_photo, client_of):
    url = reverse("photo-file", args=[make_photo(person).pk, "image"])
    assert client_of(person).post(url).status_code == 405
    assert client_of(person).head(url).status_code == 200


def test_headers_keep_a_file_a_picture(person, make_photo, make_pattern, client_of):
    photo, pattern = make_photo(person), make_pattern(person)
    answer = client_of(person).get(photo.image_url)
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Content-Disposition"].startswith("inline")
    answer = client_of(person).get(pattern.tile_url + "?download")
    assert answer["Content-Disposition"] == f'attachment; filename="toile-dotted-{pattern.seed}-64px.png"'


def test_unchanged_is_not_sent_again_but_only_to_who_may_see_it(person, make_photo, client_of, visitors):
    url = make_photo(person).image_url
    etag = client_of(person).get(url)["ETag"]
    again = client_of(person).get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert [visitor.get(url, headers={"If-None-Match": etag}).status_code for visitor in visitors] == [404] * 4


def test_a_file_lost_from_storage_is_not_found(person, make_photo, client_of):
    photo = make_photo(person)
    default_storage.delete(str(photo.image))
    assert client_of(person).get(photo.image_url).status_code == 404


def test_s3_answers_with_a_signed_address_but_hands_out_canvas_pictures_itself(
    person, make_photo, client_of, settings, monkeypatch
):
    photo = make_photo(person)
    settings.S3_BUCKET = "bucket"
    asked = {}

    def url(name, parameters=None):
        asked.update(parameters)
        return f"https://bucket.example/{name}?signature"

    monkeypatch.setattr(default_storage._wrapped, "url", url, raising=False)
    answer = client_of(person).get(photo.url_of("labels"))
    assert answer.status_code == 302
    assert answer["Location"] == f"https://bucket.example/{photo.labels}?signature"
    assert asked["ResponseContentType"] == "image/png"
    for drawn in ("image", "mask", "preview_mask"):
        assert client_of(person).get(photo.url_of(drawn)).status_code == 200
    assert client_of(None).get(photo.url_of("mask")).status_code == 404


def unreachable(*_args, **_kwargs):
    raise EndpointConnectionError(endpoint_url="https://store.example")


def full(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("trouble", [unreachable, full])
def test_a_store_that_fails_is_said_in_words(trouble, person, make_photo, client_of, picture, monkeypatch):
    photo = make_photo(person)
    monkeypatch.setattr(default_storage._wrapped, "_open", trouble)
    monkeypatch.setattr(default_storage._wrapped, "_save", trouble)
    page = client_of(person).get(photo.image_url)
    sent = {"image": SimpleUploadedFile("me.jpg", picture(200, 300))}
    upload = client_of(person).post(reverse("photo-new"), sent, headers={"HX-Request": "true"})
    for answer in (page, upload):
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert "Nothing of yours is lost" in answer.content.decode()
    assert upload["Content-Type"].startswith("text/plain")
    assert Photo.objects.count() == 1


def test_other_errors_are_not_laid_at_the_stores_door(person, make_photo, client_of, monkeypatch):
    photo = make_photo(person)

    def broken(*_args):
        raise ValueError("a bug")

    monkeypatch.setattr(default_storage._wrapped, "_open", broken)
    with pytest.raises(ValueError, match="a bug"):
        client_of(person).get(photo.image_url)
