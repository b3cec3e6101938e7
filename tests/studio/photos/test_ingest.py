"""Uploads through the confined process: accepted whole, or refused with a sentence and nothing kept."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from limits import parse_many
from PIL import Image

from ml_backend.errors import BadInput
from studio import limits
from studio.photos import decode, ingest
from studio.photos.models import Photo
from studio.photos.places import Places, Taken

from .test_decode import bomb, encoded, halves, many_scans

pytestmark = pytest.mark.django_db

RUN = subprocess.run


def upload(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/jpeg")


def stored() -> list[str]:
    root = Path(default_storage.path("."))
    return [str(path) for path in root.rglob("*") if path.is_file()]


def test_a_photo_is_normalised_and_saved(person):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = ingest.ingest(upload(encoded(halves(), "JPEG", exif=exif)), person)
    assert (photo.width, photo.height) == (80, 120)
    assert photo.owner == person
    assert not photo.ready
    with default_storage.open(str(photo.image)) as file, Image.open(file) as image:
        assert (image.size, image.format, dict(image.getexif())) == ((80, 120), "JPEG", {})
    assert len(stored()) == 2
    assert all(key.startswith(f"photos/{photo.pk}/") for key in (photo.image.name, photo.thumb.name))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b"just words", "This is not a picture we can read."),
        (encoded(halves(), "GIF"), "This seems to be a GIF."),
        (encoded(halves(), "JPEG")[:500], "This picture is damaged or incomplete."),
        (bomb(9000, 9000), "This picture is 9000 x 9000 pixels."),
        (encoded(Image.new("RGB", (10, 10)), "PNG"), "This picture is only 10 x 10 pixels."),
    ],
)
def test_every_refusal_says_what_is_safe_and_what_to_do(person, data, sentence):
    with pytest.raises(BadInput) as caught:
        ingest.ingest(upload(data), person)
    message = str(caught.value)
    assert message.startswith(sentence)
    assert "Nothing was kept; please " in message
    assert not Photo.objects.exists()
    assert stored() == []


def test_too_many_bytes_are_not_even_read(person, settings):
    settings.MAX_UPLOAD_BYTES = 1000

    class Unread(SimpleUploadedFile):
        def read(self, *args):
            pytest.fail("read before its size was checked")

    with pytest.raises(BadInput, match="larger than 0 MB"):
        ingest.ingest(Unread("photo.jpg", b"x" * 1001), person)


def test_memory_is_limited(person, monkeypatch):
    """A decoder that wants three gigabytes is refused, not served."""
    hungry(monkeypatch, "bytearray(3 << 30)")
    with pytest.raises(BadInput, match="more memory or time"):
        ingest.ingest(upload(b"any"), person)


def test_time_is_limited(person, monkeypatch):
    monkeypatch.setattr(ingest, "TIMEOUT", 1.5)
    hungry(monkeypatch, "time.sleep(60)")
    with pytest.raises(BadInput, match="more memory or time"):
        ingest.ingest(upload(b"any"), person)


def test_a_decoder_that_dies_is_a_refusal(person, monkeypatch):
    hungry(monkeypatch, "os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(BadInput, match="more memory or time"):
        ingest.ingest(upload(b"any"), person)
    hungry(monkeypatch, "sys.exit(3)")
    with pytest.raises(BadInput, match="damaged"):
        ingest.ingest(upload(b"any"), person)


def test_the_decoder_writes_no_files(person, monkeypatch, tmp_path):
    target = tmp_path / "escaped"
    hungry(monkeypatch, f"open({str(target)!r}, 'w').write('x' * 99999)")
    with pytest.raises(BadInput):
        ingest.ingest(upload(b"any"), person)
    assert not target.exists() or target.stat().st_size == 0


def test_at_most_a_few_decoders_at_a_time(person, monkeypatch):
    monkeypatch.setattr(ingest, "TIMEOUT", 0.1)
    with ExitStack() as taken:
        for name in ("one", "two", "three"):
            taken.enter_context(ingest._places.one([name], 0))
        with pytest.raises(BadInput, match="in a minute"):
            ingest.ingest(upload(encoded(halves(), "JPEG")), person)


def test_ones_own_heavy_pictures_wait_for_each_other_and_hold_up_nobody_else(person, other, monkeypatch):
    monkeypatch.setattr(ingest, "TIMEOUT", 30)
    with ingest._places.one([person.turn], 0):
        monkeypatch.setattr(ingest, "TIMEOUT", 0.1)
        with pytest.raises(limits.TooFast, match="other pictures are still being opened"):
            ingest.ingest(upload(encoded(halves(), "JPEG")), person)
        monkeypatch.setattr(ingest, "TIMEOUT", 30)
        assert ingest.ingest(upload(encoded(halves(), "JPEG")), other).pk
    assert ingest.ingest(upload(encoded(halves(), "JPEG")), person).pk


def test_many_people_of_one_address_have_one_decoder_together(person, other, monkeypatch):
    monkeypatch.setattr(ingest, "TIMEOUT", 0.1)
    with limits.asking_from("here"), ingest._places.one(limits.decoding_for(person.turn), 0):
        with pytest.raises(limits.TooFast):
            ingest.ingest(upload(encoded(halves(), "JPEG")), other)
        with limits.asking_from("elsewhere"):
            monkeypatch.setattr(ingest, "TIMEOUT", 30)
            assert ingest.ingest(upload(encoded(halves(), "JPEG")), other).pk


def test_only_a_few_of_one_party_wait():
    places = Places(most=2, waiting=1)
    waiting = threading.Thread(target=lambda: suppressed(places, "ana", 1.0))
    with places.one(["ana"], 0):
        waiting.start()
        while not places._queues:
            time.sleep(0.01)
        with pytest.raises(Taken) as caught:
            places._take(frozenset({"ana"}), time.monotonic() + 60)
        assert caught.value.own
        with places.one(["ben"], 0):
            pass
    waiting.join(10)
    assert not (places._busy or places._inside or places._queues)


def suppressed(places: Places, name: str, patience: float) -> None:
    with suppress(Taken), places.one([name], patience):
        pass


def test_computing_time_is_limited(person, monkeypatch):
    """The process is killed by its own limit long before its parent's patience is at an end."""
    monkeypatch.setattr(ingest, "TIMEOUT", 30)
    hungry(monkeypatch, "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n    while True: pass")
    with pytest.raises(BadInput, match="more memory or time"):
        ingest.ingest(upload(b"any"), person)


def test_heavy_pictures_use_up_the_seconds_of_a_person_and_an_address(person, other, monkeypatch, settings):
    settings.LIMITS = {**settings.LIMITS, "decoding": parse_many("15/hour")}
    hungry(monkeypatch, "os.kill(os.getpid(), signal.SIGKILL)")
    with limits.asking_from("here"):
        for _ in range(2):
            with pytest.raises(ingest.Refused):
                ingest.ingest(upload(b"any"), person)
        for sender in (person, other):
            with pytest.raises(limits.TooFast, match="took very long to open"):
                ingest.ingest(upload(b"any"), sender)
    monkeypatch.undo()
    with limits.asking_from("elsewhere"):
        assert ingest.ingest(upload(encoded(halves(), "JPEG")), other).pk
        with pytest.raises(limits.TooFast):
            ingest.ingest(upload(encoded(halves(), "JPEG")), person)


def test_hundreds_of_scans_are_refused_before_a_pixel_is_decoded(person):
    with pytest.raises(BadInput, match="export it as a plain JPEG"):
        ingest.ingest(upload(many_scans(200)), person)
    assert ingest.ingest(upload(many_scans(3)), person).pk


def hungry(monkeypatch, statement: str) -> None:
    """Let the confined script do ``statement`` in place of decoding."""
    script = (
        "import os, resource, signal, sys, time\n"
        f"sys.path.insert(0, {str(Path(decode.__file__).parents[2])!r})\n"
        "from studio.photos import decode\n"
        f"def misbehave(data, most):\n    {statement}\n"
        "decode.decode = misbehave\n"
        "decode.main(1000)\n"
    )

    def substitute(command, **options):
        assert command[0] == sys.executable
        assert Path(command[2]) == Path(decode.__file__)
        return RUN([sys.executable, "-c", script], **options)

    monkeypatch.setattr(subprocess, "run", substitute)


def test_what_comes_back_is_what_the_decoder_made(person):
    source = encoded(halves(), "PNG")
    apart, here = ingest.decode_apart(source, person), decode.decode(source, 10_000_000)
    assert apart == here
    assert Image.open(io.BytesIO(apart.image)).size == (120, 80)
