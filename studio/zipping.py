"""Several pictures as one download, sent while it is packed: the pictures of a large batch need not fit into memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator

from django.core.files.storage import default_storage
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from patterns.files import NOBODY, Streamed

from .batches import FromWords

Entry = tuple[str, str | bytes]
"""What a file of an archive is called, and the storage key of its content, or the content."""


def zip_of(pictures: Iterable[FromWords], title: str) -> StreamingHttpResponse:
    """The files of finished pictures, named ``TITLE-NUMBER-seed-SEED.png``; one that storage has lost is left out."""
    return zipped([_entry(picture, title) for picture in pictures], title)


def zipped(entries: list[Entry], title: str) -> StreamingHttpResponse:
    """``entries`` as a download ``TITLE.zip``; one that storage has lost is left out."""
    response = Streamed(packed(entries), content_type="application/zip")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{title}.zip") or "attachment"
    response.headers["Cache-Control"] = NOBODY
    return response


def packed(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The archive in pieces, a file each.  Pictures are packed already; packing again would only take time."""
    window = Window()
    with zipfile.ZipFile(window, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, content in entries:
            if _add(archive, name, content):
                yield window.take()
    yield window.take()


class Window:
    """A file of which only the end is kept: what was taken is sent, the rest may still be gone back to."""

    def __init__(self) -> None:
        self._sent = 0
        self._rest = io.BytesIO()

    def write(self, data: bytes) -> int:
        return self._rest.write(data)

    def tell(self) -> int:
        return self._sent + self._rest.tell()

    def seek(self, offset: int) -> int:
        """Only from the start of the file, and not before what was taken (a ``ValueError``)."""
        return self._sent + self._rest.seek(offset - self._sent)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def take(self) -> bytes:
        data = self._rest.getvalue()
        self._sent += len(data)
        self._rest = io.BytesIO()
        return data


def _entry(picture: FromWords, title: str) -> Entry:
    key = str(picture.file)
    return f"{title}-{picture.number + 1}-seed-{picture.seed}.{key.rpartition('.')[2]}", key


def _add(archive: zipfile.ZipFile, name: str, content: str | bytes) -> bool:
    try:
        if isinstance(content, str):
            with default_storage.open(content) as file:
                content = file.read()
    except FileNotFoundError:
        return False
    archive.writestr(name, content)
    return True
