"""Uploads: from whatever a person sends to a normalised :class:`Photo`, or a sentence that says what is wrong."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from ml_backend.errors import BadInput
from ml_backend.serving.storage import kept_together

from .. import limits
from ..account.models import User
from . import decode
from .models import Photo
from .places import Places, Taken

log = logging.getLogger(__name__)

TIMEOUT = 40.0
"""Seconds of wall time for one upload, waiting for a free place included."""

OWN_PAUSE = 5
"""Seconds after which somebody whose other pictures are still being opened may send the next."""

SENTENCES = {
    "empty": "This file is empty. Nothing was kept; please choose a photo.",
    "format": "This seems to be {found}. Nothing was kept; please send a JPEG, PNG, WebP, HEIC or AVIF photo.",
    "unknown": "This is not a picture we can read. Nothing was kept; "
    "please send a JPEG, PNG, WebP, HEIC or AVIF photo.",
    "damaged": "This picture is damaged or incomplete. Nothing was kept; please save or export it again and send that.",
    "large": "This picture is {width} x {height} pixels. Nothing was kept; "
    "please send one of at most {megapixels} megapixels and 16,000 pixels a side.",
    "small": "This picture is only {width} x {height} pixels. Nothing was kept; "
    "please send one of at least {least} pixels on each side.",
    "heavy": "This picture needs more memory or time to open than we allow. Nothing was kept; "
    "please export it as a plain JPEG and send that.",
    "bytes": "This file is larger than {megabytes} MB. Nothing was kept; please send a smaller one.",
    "proportions": "This mask is {width} x {height} pixels and the photo {wanted[0]} x {wanted[1]}: "
    "it seems to belong to another picture. Nothing was kept; please send one in the photo's proportions.",
    "unmarked": "Nothing is marked in this mask. Paint over what you want to change, then try again.",
    "busy": "Many photos are arriving just now. Nothing was kept; please send yours again in a minute.",
}


class Refused(BadInput):
    """An upload that is not kept; ``kind`` is one of :data:`SENTENCES`."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


_places = Places(most=3, waiting=4)
"""Decoders at a time in this process: three at their memory limit are what a small server bears.  One a person and one
an address, so that somebody's heavy pictures keep nobody else's waiting."""


def ingest(upload: UploadedFile[Any], owner: User) -> Photo:
    """A saved photo of ``owner``, its cloth still to be found.  Raises :class:`BadInput`; then nothing is kept."""
    decoded = opened(upload, owner)
    photo = Photo(owner=owner, width=decoded.width, height=decoded.height)
    files = {"image": (f"image.{decoded.suffix}", decoded.image), "thumb": ("thumb.webp", decoded.thumb)}
    with kept_together(owner.pk) as keep:
        for field, (name, data) in files.items():
            setattr(photo, field, keep(f"{photo.folder}/{name}", data))
        photo.save()
    return photo


def opened(upload: UploadedFile[Any], owner: User) -> decode.Decoded:
    """The picture that ``owner`` sends, counted and normalised.  Raises :class:`BadInput`."""
    limits.new_upload(owner)
    if upload.size is None or upload.size > settings.MAX_UPLOAD_BYTES:
        raise _refusal("bytes", megabytes=settings.MAX_UPLOAD_BYTES // (1024 * 1024))
    return decode_apart(upload.read(), owner)


def ingest_mask(upload: UploadedFile[Any], photo: Photo) -> bytes:
    """A drawn mask for ``photo`` as 8-bit grey PNG of its size.  Raises :class:`BadInput`."""
    limits.new_mask(photo.owner)
    if upload.size is None or upload.size > settings.MAX_UPLOAD_BYTES:
        raise _refusal("bytes", megabytes=settings.MAX_UPLOAD_BYTES // (1024 * 1024))
    return decode_apart(upload.read(), photo.owner, (photo.width, photo.height)).image


def decode_apart(data: bytes, owner: User, mask_of: tuple[int, int] | None = None) -> decode.Decoded:
    """:func:`decode.decode`, or ``decode_mask`` for a photo of the size ``mask_of``, in a confined process.

    Raises :class:`BadInput` whatever happens to it, and when the pictures of ``owner`` took too long before.
    """
    parties = limits.decoding_for(owner.turn)
    try:
        with _places.one(parties, TIMEOUT / 2):
            return _decoded(data, parties, mask_of)
    except Taken as error:
        if error.own:
            raise limits.TooFast("opening", OWN_PAUSE) from error
        raise _refusal("busy") from error


def _decoded(data: bytes, parties: Sequence[str], mask_of: tuple[int, int] | None) -> decode.Decoded:
    spent = float(decode.CPU_SECONDS)  # what a decoder that has to be killed has cost
    try:
        # -I: no environment, no working directory; the script sees the standard library, Pillow and itself.
        command = [sys.executable, "-IB", str(decode.__file__), str(settings.MAX_PHOTO_PIXELS)]
        command += [str(side) for side in mask_of or ()]
        done = subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT, env={}, check=False)  # noqa: S603
        header, payload = _read(done)
        spent = header.pop("cpu")
    except subprocess.TimeoutExpired as error:
        raise _refusal("heavy") from error
    finally:
        limits.decoded(parties, spent)
    if "refused" in header:
        raise _refusal(header.pop("refused"), **header)
    end = header["image"]
    return decode.Decoded(header["width"], header["height"], header["format"], payload[:end], payload[end:])


def _read(done: subprocess.CompletedProcess[bytes]) -> tuple[dict[str, Any], bytes]:
    line, _, payload = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        log.warning("The decoder ended with %s: %s", done.returncode, done.stderr[-400:].decode("utf-8", "replace"))
        raise _refusal("heavy" if done.returncode < 0 else "damaged")
    return json.loads(line), payload


def _refusal(kind: str, **details: Any) -> Refused:
    if kind == "format" and not details["found"]:
        kind = "unknown"
    return Refused(kind, SENTENCES[kind].format(**details))
