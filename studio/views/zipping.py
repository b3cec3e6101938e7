"""Several pictures as one download."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable

from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from ..models import FromWords

IN_MEMORY = 32 * 1024 * 1024


def zip_of(pictures: Iterable[FromWords], title: str) -> HttpResponse:
    """The files of finished pictures, named ``TITLE-SEED.png``; a file that is gone from storage is left out."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as target:
        # Pictures are packed already; packing them again would only take time.
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for picture in pictures:
                _add(archive, picture, title)
        target.seek(0)
        response = HttpResponse(target.read(), content_type="application/zip")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{title}.zip") or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _add(archive: zipfile.ZipFile, picture: FromWords, title: str) -> None:
    key = str(picture.file)
    suffix = key.rpartition(".")[2]
    try:
        with default_storage.open(key) as file:
            archive.writestr(f"{title}-{picture.number + 1}-seed-{picture.seed}.{suffix}", file.read())
    except FileNotFoundError:
        return
