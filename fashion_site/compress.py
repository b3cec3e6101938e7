"""What is text travels compressed: pages, JSON, and static files that were not compressed beforehand.

Pictures, archives and anything else that is dense already are left alone.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import cast

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

TEXT = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")
LIVE = "text/event-stream"
WHOLE = frozenset({204, 206, 304})
"""Statuses without a body, or with a part of one: nothing there to compress."""


class Compression(GZipMiddleware):
    """Django's own, for text alone.

    Secrets in a page cannot be guessed from its compressed length (the BREACH attack): form tokens are masked anew in
    every page, and Django adds up to a hundred random bytes to each answer.  Static files hold no secret and are always
    the same, so they are compressed once a process.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if request.method == "HEAD" or response.status_code in WHOLE or not kind.startswith(TEXT) or LIVE in kind:
            return response
        if isinstance(response, FileResponse):
            return response if response.has_header("Content-Encoding") else _static(request, response)
        return super().process_response(request, response)


def _static(request: HttpRequest, response: FileResponse) -> HttpResponseBase:
    """A whole file of text, compressed where the browser takes that."""
    patch_vary_headers(response, ["Accept-Encoding"])
    if not re_accepts_gzip.search(request.headers.get("Accept-Encoding", "")):
        return response
    content = b"".join(cast(Iterable[bytes], response.streaming_content))
    response.close()
    whole = HttpResponse(_compressed(content), status=response.status_code, headers=dict(response.headers))
    whole.headers["Content-Encoding"] = "gzip"
    whole.headers["Content-Length"] = str(len(whole.content))
    return whole


@lru_cache(maxsize=128)
def _compressed(content: bytes) -> bytes:
    return compress_string(content)
