"""Stored files, each given only to who may see its row; for anybody else, staff too, there is no such page.

On a local disk the file is the answer.  On S3 the answer is a short-lived signed address, except for the pictures that
the page reads back pixel by pixel, which must come from this very site.
"""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.crypto import salted_hmac
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from .made import Stored, Viewer

NOBODY = "private, no-store"

COMPOSITED = frozenset(
    {"tile", "web", "inks", "image", "mask", "preview_photo", "preview_maps", "preview_mask", "thumb"}
)
"""Files that the browser draws into a canvas (a photo itself while its cloth is sought) or shows by the dozen."""

WHOLE, PIECE = 16 * 1024 * 1024, 1024 * 1024
"""Bytes of a file up to which it is sent at once, and of a piece of a larger one."""

mimetypes.add_type("image/webp", ".webp")
mimetypes.add_type("application/vnd.iccprofile", ".icc")


def view_of(model: type[Stored]) -> Callable[..., HttpResponseBase]:
    """The view of a kind of thing's files, for an address with ``name`` and what names the row (``pk`` or ``slug``)."""
    visible: Callable[[Viewer], QuerySet[Any]] | None = getattr(model._default_manager, "visible_to", None)

    @require_safe
    def stored_file(request: HttpRequest, name: str, **which: Any) -> HttpResponseBase:
        rows = visible(request.user) if visible else model._default_manager.all()
        row = get_object_or_404(rows, **which)
        response = answer(request, row, name)
        if "download" in request.GET and request.method == "GET":
            row.downloaded(request.user)
        return response

    return stored_file


def answer(request: HttpRequest, row: Stored, name: str) -> HttpResponseBase:
    """The file in field ``name`` of ``row``; ``?download`` in the address saves it under its title."""
    key = str(getattr(row, name)) if name in row.file_fields else ""
    if not key:
        raise Http404
    suffix = "." + key.rpartition(".")[2]
    disposition = content_disposition_header("download" in request.GET, row.file_title(name) + suffix) or "inline"
    content_type = mimetypes.types_map.get(suffix, "application/octet-stream")
    response = None
    if settings.S3_BUCKET and not row.read_by_scripts and name not in COMPOSITED:
        response = _signed(key, disposition, content_type)
    if response is None:
        etag = f'"{salted_hmac("toile.files", key).hexdigest()[:32]}"'
        response = get_conditional_response(request, etag=etag) or read(key, content_type)
        response.headers["ETag"] = etag
    response.headers["Cache-Control"] = _kept(response, row.file_caching)
    response.headers["Content-Disposition"] = disposition
    return guarded(response)


def _kept(response: HttpResponseBase, caching: str) -> str:
    """Who may keep the answer: of a file as ``caching`` says; a signed address is worth nothing a few minutes later."""
    return NOBODY if isinstance(response, HttpResponseRedirect) else caching


def guarded(response: HttpResponseBase) -> HttpResponseBase:
    """Only a picture, only for this site's pages, only for this person."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_vary_headers(response, ["Cookie"])
    return response


def _signed(key: str, disposition: str, content_type: str) -> HttpResponseBase:
    parameters = {"ResponseContentDisposition": disposition, "ResponseContentType": content_type}
    return HttpResponseRedirect(default_storage.url(key, parameters=parameters))  # type: ignore[call-arg]


def read(key: str, content_type: str) -> HttpResponseBase:
    """Whole, or in pieces where it is large: prints have hundreds of megabytes."""
    try:
        file = default_storage.open(key)
        if file.size > WHOLE:
            length = {"Content-Length": str(file.size)}
            return Streamed(_pieces(file), content_type=content_type, headers=length)
        with file:
            return HttpResponse(file.read(), content_type=content_type)
    except FileNotFoundError as error:
        raise Http404 from error


def _pieces(file: File[bytes]) -> Iterator[bytes]:
    with file:
        yield from file.chunks(PIECE)


class Streamed(StreamingHttpResponse):
    """Pieces that are made without ``async`` are sent one by one under ASGI too; Django would gather them all first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: Iterator[bytes] = iter(self.streaming_content)  # type: ignore[arg-type]
        while piece := await sync_to_async(lambda: next(pieces, b""))():
            yield piece
