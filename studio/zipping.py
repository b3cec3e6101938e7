"""Several pictures as one download, sent while it is packed: the pictures of a large batch need not fit into memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from patterns.files import NOBODY

from .batches import FromWords


def zip_of(pictures: Iterable[FromWords], title: str) -> StreamingHttpResponse:
    """The files of finished pictures, named ``TITLE-NUMBER-seed-SEED.png``; one that storage has lost is left out."""
    response = Streamed(packed(list(pictures), title), content_type="application/zip")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{title}.zip") or "attachment"
    response.headers["Cache-Control"] = NOBODY
    return response


class Streamed(StreamingHttpResponse):
    """Pieces that are made without ``async`` are sent one by one under ASGI too; Django would gather them all first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: Iterator[bytes] = iter(self.streaming_content)  # type: ignore[arg-type]
        while piece := await sync_to_async(lambda: next(pieces, b""))():
            yield piece


def packed(pictures: Iterable[FromWords], title: str) -> Iterator[bytes]:
    """The archive in pieces, a picture each.  Pictures are packed already; packing again would only take time."""
    window = Window()
    with zipfile.ZipFile(window, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for picture in pictures:
            if _add(archive, picture, title):
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


def _add(archive: zipfile.ZipFile, picture: FromWords, title: str) -> bool:
    key = str(picture.file)
    suffix = key.rpartition(".")[2]
    try:
        with default_storage.open(key) as file:
            archive.writestr(f"{title}-{picture.number + 1}-seed-{picture.seed}.{suffix}", file.read())
    except FileNotFoundError:
        return False
    return True
