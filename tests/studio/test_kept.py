"""What is kept of masks, restyles and imaginings, for how long, whose it becomes, and how it leaves in one file."""

from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import TestCase
from django.utils import timezone

from ml_backend.requests import ImagineRequest, RestyleRequest
from studio import retention, zipping
from studio.account import services as people
from studio.account.models import User
from studio.batches import prompts_of
from studio.imagine.models import Imagining
from studio.imagine.services import ask_imagine
from studio.photos.models import Mask, Photo
from studio.restyle.models import Restyle

pytestmark = pytest.mark.django_db

OLD = timezone.now() - timedelta(days=40)


@pytest.fixture
def make_mask():
    def make(photo: Photo, **fields) -> Mask:
        mask = Mask(owner=photo.owner, photo=photo, origin=Mask.Origin.BRUSH, **fields)
        mask.file = default_storage.save(f"{mask.folder}/mask.png", ContentFile(b"png"))
        mask.save()
        return mask

    return make


def made(row, content: bytes = b"png"):
    """The row with its files, as if its job had made them."""
    row.file = default_storage.save(f"{row.folder}/picture.png", ContentFile(content))
    row.thumb = default_storage.save(f"{row.folder}/thumb.webp", ContentFile(b"webp"))
    row.save()
    return row


@pytest.fixture
def make_restyle(make_mask):
    def make(photo: Photo, **fields) -> Restyle:
        mask = make_mask(photo)
        params = RestyleRequest("a red dress", 1).to_dict()
        return made(Restyle(owner=photo.owner, photo=photo, mask=mask, params=params, **fields))

    return make


def on_disk() -> list[Path]:
    root = Path(default_storage.path("."))
    return [path for path in root.rglob("*") if path.is_file()]


# --- retention ----------------------------------------------------------------------------------------------------


def test_a_photo_stays_while_it_is_repainted_or_a_repainted_one_is_published(
    person, make_photo, make_restyle, make_mask, settings
):
    settings.PHOTO_RETENTION_DAYS = 30
    unused, used, published = (make_photo(person) for _ in range(3))
    Photo.objects.update(created_at=OLD)
    gone = make_restyle(unused, created_at=OLD)
    make_restyle(used)
    make_restyle(published, created_at=OLD, public=True)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert retention.delete_old_photos() == 1
    assert set(Photo.objects.all()) == {used, published}
    assert not Restyle.objects.filter(pk=gone.pk).exists()
    assert not Mask.objects.filter(photo_id=unused.pk).exists()
    assert not [path for path in on_disk() if str(gone.pk) in str(path) or str(gone.mask_id) in str(path)]


def test_masks_that_nothing_was_made_with_go(person, make_photo, make_mask, make_restyle):
    photo = make_photo(person)
    draft, fresh, used = make_mask(photo), make_mask(photo), make_restyle(photo).mask
    Mask.objects.exclude(pk=fresh.pk).update(created_at=OLD)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert retention.delete_loose_masks() == 1
    assert set(Mask.objects.all()) == {fresh, used}
    assert not default_storage.exists(str(draft.file))


def test_a_guest_who_imagined_something_is_not_empty(make_person):
    busy, idle = (make_person(is_guest=True, date_joined=OLD) for _ in range(2))
    made(Imagining(owner=busy, params=ImagineRequest("a hat", 1).to_dict()))
    assert retention.delete_empty_guests() == 1
    assert User.objects.get() == busy != idle


# --- whose it is --------------------------------------------------------------------------------------------------


def test_a_guests_pictures_move_over(person, make_person, make_photo, make_restyle):
    guest = make_person(is_guest=True)
    restyle = make_restyle(make_photo(guest))
    waiting = ask_imagine(guest, ImagineRequest("a hat", 1))[0]
    people.merge(guest, person)
    for row in (restyle, restyle.mask, restyle.photo, waiting, waiting.job):
        row.refresh_from_db()
        assert row.owner == person
    assert prompts_of(person, Imagining) == ["a hat"]


def test_a_person_who_leaves_takes_everything_along(person, other, make_photo, make_restyle):
    make_restyle(make_photo(person), public=True)
    ask_imagine(person, ImagineRequest("a hat", 1))
    made(Imagining(owner=person, params=ImagineRequest("a hat", 1).to_dict()))
    theirs = made(Imagining(owner=other, params=ImagineRequest("a coat", 1).to_dict()))
    with TestCase.captureOnCommitCallbacks(execute=True):
        person.delete()
    assert not Restyle.objects.exists()
    assert not Mask.objects.exists()
    assert list(Imagining.objects.all()) == [theirs]
    assert {path.parent.name for path in on_disk()} == {str(theirs.pk)}


# --- several in one file ------------------------------------------------------------------------------------------


@pytest.fixture
def batch(person):
    """Three pictures of one batch; the file of the second is gone from storage."""
    contents = (b"first" * 1000, b"second", b"third" * 3000)
    first = Imagining(owner=person, params=ImagineRequest("a hat", 5).to_dict())
    rows = []
    for number, content in enumerate(contents):
        params = ImagineRequest("a hat", 5 + number).to_dict()
        rows.append(made(Imagining(owner=person, batch=first.batch, number=number, params=params), content))
    default_storage.delete(str(rows[1].file))
    return rows


def checked(pieces: list[bytes]) -> None:
    assert len(pieces) == 3, "a piece for each picture, and the table of contents"
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["toile-1-seed-5.png", "toile-3-seed-7.png"]
        assert archive.read("toile-3-seed-7.png") == b"third" * 3000
        assert all(not entry.flag_bits & 0x08 for entry in archive.infolist()), "sizes stand before the data"


def test_a_batch_is_sent_while_it_is_packed(batch):
    response = zipping.zip_of(batch, "toile")
    assert response.streaming
    checked(list(response))


@pytest.mark.django_db(transaction=True)
def test_and_piece_by_piece_to_an_asynchronous_server_too(batch):
    async def pieces() -> list[bytes]:
        return [piece async for piece in zipping.zip_of(batch, "toile")]

    checked(asyncio.run(pieces()))


def test_what_was_sent_cannot_be_gone_back_to():
    window = zipping.Window()
    window.write(b"sent")
    assert window.take() == b"sent"
    window.write(b"rest")
    assert (window.tell(), window.seek(4), window.seek(8)) == (8, 4, 8)
    with pytest.raises(ValueError, match="negative"):
        window.seek(2)
